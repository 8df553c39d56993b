"""Owns what keeps the index from growing for ever: results that no file points to any more.

They are kept on purpose, since a branch switched away from comes back, but not without bound.
"""

from typing import Any, Final

import apsw

from currant.store import records
from currant.store.connection import one

_ORPHANS: Final = "FROM results r WHERE NOT EXISTS (SELECT 1 FROM files f WHERE f.result_id = r.id)"


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
        for (result,) in rows:
            pieces = records.piece_ids(result)
            stored = "SELECT id FROM records WHERE id BETWEEN ? AND ?"
            connection.execute(f"DELETE FROM names WHERE rowid IN ({stored})", pieces)
            connection.execute("DELETE FROM records WHERE id BETWEEN ? AND ?", pieces)
        connection.executemany("DELETE FROM facts WHERE result_id = ?", rows)
        connection.executemany("DELETE FROM results WHERE id = ?", rows)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return len(rows)
