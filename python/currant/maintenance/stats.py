"""Statistics of the tasks, in jobs.db: written at the end of each run, read once at the start.

A database that cannot be written costs no run: the numbers stay in memory and are written with the next ones.
"""

import logging
from contextlib import AbstractContextManager
from typing import Any, Final, Protocol

from currant.errors import CurrantError

log = logging.getLogger(__name__)

_ALL: Final = """
SELECT task, last_run, run_count, error_count, total_seconds, skipped, last_error, last_error_at
FROM task_stats"""
_PUT: Final = """
INSERT OR REPLACE INTO task_stats
(task, last_run, run_count, error_count, total_seconds, skipped, last_error, last_error_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)"""


class Tables(Protocol):
    """What is used of `currant.jobs.Database`."""

    def write(self) -> AbstractContextManager[Any]: ...

    def read(self) -> AbstractContextManager[Any]: ...


class Counts:
    """Of one task. Changed under the lock of whoever owns it."""

    __slots__ = (
        *("last_run", "run_count", "error_count", "total_seconds", "skipped"),
        *("last_error", "last_error_at"),
    )

    def __init__(self) -> None:
        self.last_run: float | None = None
        self.run_count = 0
        self.error_count = 0
        self.total_seconds = 0.0
        self.skipped = 0
        self.last_error: str | None = None
        self.last_error_at: float | None = None

    def row(self) -> tuple[Any, ...]:
        """As the table has it, without the name."""
        return tuple(getattr(self, name) for name in self.__slots__)


class StatsLedger:
    """Reads and writes `Counts`; thread-safe as its database is."""

    def __init__(self, database: Tables | None) -> None:
        """Without a database nothing is kept."""
        self._database = database
        self._complained = False

    def load(self) -> dict[str, Counts]:
        """By task. What cannot be read begins anew."""
        if self._database is None:
            return {}
        try:
            with self._database.read() as connection:
                rows = connection.execute(_ALL).fetchall()
        except CurrantError as error:
            log.warning("the statistics of upkeep begin anew: %s", error)
            return {}
        out: dict[str, Counts] = {}
        for task, *values in rows:
            counts = out[task] = Counts()
            for name, value in zip(Counts.__slots__, values, strict=True):
                setattr(counts, name, value)
        return out

    def save(self, rows: dict[str, tuple[Any, ...]]) -> bool:
        """Rows as `Counts.row` gives them, in one transaction; False when that failed."""
        if self._database is None or not rows:
            return True
        try:
            with self._database.write() as connection:
                connection.executemany(_PUT, [(task, *row) for task, row in rows.items()])
        except CurrantError as error:
            if not self._complained:
                log.warning("the statistics of upkeep are not written now: %s", error)
            self._complained = True
            return False
        self._complained = False
        return True
