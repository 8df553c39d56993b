"""Owns how often a client may ask for something: exactly so many times in any window, counted in jobs.db.

In the file, because a restart must not forget it, and inside the write transaction of what it guards, because
two requests at once must not both be the last one that is allowed.
"""

import apsw

from currant.config import JobsSettings
from currant.errors import RateLimited, UsageError
from currant.jobs.database import Database


def limit_of(settings: JobsSettings, action: str) -> tuple[int, float]:
    """At most how often in how many seconds. Raises UsageError for an unknown action."""
    limits = {
        "refresh": (settings.refresh_limit, settings.refresh_window_s),
        "create_project": (settings.create_project_limit, settings.create_project_window_s),
    }
    if action not in limits:
        raise UsageError(f"no limit is named {action!r}: known are {', '.join(limits)}")
    return limits[action]


def take(
    connection: apsw.Connection, client: str, action: str, *, most: int, window_s: float, now: float
) -> None:
    """Count one more, inside a write transaction. Raises RateLimited, and then counts nothing."""
    which = (client, action)
    # Of a time to come: the clock was set back. They count, and as the newest there can be.
    connection.execute(
        "UPDATE taken SET at = ? WHERE client = ? AND action = ? AND at > ?", (now, *which, now)
    )
    connection.execute(
        "DELETE FROM taken WHERE client = ? AND action = ? AND at <= ?", (*which, now - window_s)
    )
    times = [
        at for (at,) in connection.execute(
            "SELECT at FROM taken WHERE client = ? AND action = ? ORDER BY at DESC LIMIT ?", (*which, most)
        )
    ]  # fmt: skip
    if len(times) >= most:
        # There is room when the oldest of the last `most` leaves the window.
        raise RateLimited(action, most, window_s, max(0.0, times[-1] + window_s - now))
    connection.execute("INSERT INTO taken VALUES (?, ?, ?)", (*which, now))


class RateLimiter:
    """The limits of the settings over one database. Thread-safe, and exact across processes."""

    def __init__(self, database: Database, settings: JobsSettings | None = None) -> None:
        self._database = database
        self._settings = settings or JobsSettings()

    def check(self, client: str, action: str, now: float | None = None) -> None:
        """Count one more `action` of `client`, or raise RateLimited with `retry_after_s`. Inside
        `Database.write` it is part of that transaction: if that is rolled back, nothing was counted."""
        most, window_s = limit_of(self._settings, action)
        with self._database.write() as connection:
            moment = self._database.now() if now is None else now
            take(connection, client, action, most=most, window_s=window_s, now=moment)
