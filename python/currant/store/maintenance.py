"""Owns what keeps the index from growing for ever: results that no file points to any more.

They are kept on purpose, since a branch switched away from comes back, but not without bound.
"""

from typing import Any, Final

import apsw
from msgspec import Struct

from currant.store import listing, records
from currant.store.connection import one

SWEEP_RESULTS: Final = 2_000
"""Results that one step looks at."""
SWEEP_DELETES: Final = 250
"""Results that one step deletes at most."""
SWEEP_SECONDS: Final = 86_400.0
"""From the end of one sweep to the beginning of the next, in wall seconds."""

_NO_FILE: Final = "NOT EXISTS (SELECT 1 FROM files f WHERE f.result_id = r.id)"
_ORPHANS: Final = f"FROM results r WHERE {_NO_FILE}"
_LOOK: Final = f"""
SELECT r.id, {_NO_FILE}, u.since FROM results r LEFT JOIN unused u ON u.result_id = r.id
WHERE r.id > ? ORDER BY r.id LIMIT ?"""


class Swept(Struct, frozen=True):
    """One step of a sweep: `at` is the last result looked at, None after the last of all; `deleted` results
    are gone, `unused` were seen that no file has and that are kept."""

    at: int | None
    deleted: int
    unused: int


def sweep(connection: apsw.Connection, after: int, now: float, keep_seconds: float) -> Swept:
    """Look at the next results after the id `after`: note since when each has been without a file, and delete
    those for which that is longer than `keep_seconds` ago. One short transaction.

    Raises apsw.Error with nothing changed.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        rows: list[Any] = connection.execute(_LOOK, (after, SWEEP_RESULTS)).fetchall()
        new: list[tuple[int, float]] = []
        used: list[tuple[int]] = []
        gone: list[tuple[int]] = []
        kept, at = 0, None if len(rows) < SWEEP_RESULTS else rows[-1][0]
        for result, orphan, since in rows:
            if not orphan:
                if since is not None:
                    used.append((result,))
            elif now - (now if since is None else since) < keep_seconds:
                kept += 1
                if since is None:
                    new.append((result, now))
            elif len(gone) == SWEEP_DELETES:
                at = gone[-1][0]  # the rest in the next step
                break
            else:
                gone.append((result,))
        connection.executemany("INSERT OR REPLACE INTO unused (result_id, since) VALUES (?, ?)", new)
        connection.executemany("DELETE FROM unused WHERE result_id = ?", used)
        _delete(connection, gone)
        if at is None:
            connection.execute(
                "INSERT OR REPLACE INTO meta (key, value) VALUES ('swept_at', ?)", (repr(float(now)),)
            )
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return Swept(at, len(gone), kept)


def swept_at(connection: apsw.Connection) -> float | None:
    """Wall time of the end of the last sweep, None without one."""
    value: str | None = connection.execute("SELECT value FROM meta WHERE key = 'swept_at'").get
    return None if value is None else float(value)


def collect(connection: apsw.Connection, keep: int, limit: int) -> int:
    """Delete up to `limit` of the oldest results without a file while more than `keep` remain.

    Raises apsw.Error with nothing deleted.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        orphans = int(one(connection, f"SELECT count(*) {_ORPHANS}"))
        surplus = min(orphans - keep, limit)
        oldest = f"SELECT r.id {_ORPHANS} ORDER BY r.id LIMIT ?"
        rows: list[Any] = connection.execute(oldest, (max(surplus, 0),)).fetchall()
        _delete(connection, rows)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return len(rows)


def _delete(connection: apsw.Connection, rows: list[tuple[int]]) -> None:
    """Results, with everything that is stored under them. Inside a transaction."""
    for (result,) in rows:
        pieces = records.piece_ids(result)
        listing.forget(connection, result)
        connection.execute("DELETE FROM records WHERE id BETWEEN ? AND ?", pieces)
    connection.executemany("DELETE FROM facts WHERE result_id = ?", rows)
    connection.executemany("DELETE FROM refs WHERE result_id = ?", rows)
    connection.executemany("DELETE FROM unused WHERE result_id = ?", rows)
    connection.executemany("DELETE FROM results WHERE id = ?", rows)
