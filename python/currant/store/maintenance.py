"""Owns what keeps the index from growing for ever: results that no file points to any more.

They are kept on purpose, since a branch switched away from comes back, but not without bound.
"""

from typing import Final

import apsw

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
        rows = connection.execute(
            f"SELECT r.id {_ORPHANS} ORDER BY r.id LIMIT ?", (max(surplus, 0),)
        ).fetchall()
        connection.executemany("DELETE FROM names WHERE rowid = ?", rows)
        connection.executemany("DELETE FROM results WHERE id = ?", rows)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return len(rows)
