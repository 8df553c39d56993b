"""Owns what keeps llm.db from growing for ever: answers, and contents that were set apart, that no file has.
Does not own which contents files have; the index knows that.

What an answer saved stays in the sums when it goes, and the ledger keeps a row for each call for good: it is
what the budgets are counted from.
"""

from collections.abc import Container, Sequence
from typing import Any, Final

import apsw

from currant.model import ResultKey

SCHEMA: Final = """
-- Since when (wall time) no file has had the content of an answer or of what was set apart.
CREATE TABLE unused (
    content BLOB NOT NULL,
    language TEXT NOT NULL,
    extractor TEXT NOT NULL,
    since REAL NOT NULL,
    PRIMARY KEY (content, language, extractor)
) STRICT, WITHOUT ROWID;
-- What collected answers had counted: how often they were used again, and what that saved.
CREATE TABLE collected (
    extractor TEXT PRIMARY KEY,
    results INTEGER NOT NULL,
    reused INTEGER NOT NULL,
    saved INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
"""

_PAGE: Final = """
SELECT content, language, extractor FROM results WHERE (content, language, extractor) > (:c, :l, :e) UNION
SELECT content, language, extractor FROM quarantine WHERE (content, language, extractor) > (:c, :l, :e)
ORDER BY 1, 2, 3 LIMIT :limit"""
_KEY: Final = "content = ? AND language = ? AND extractor = ?"
_SUMS: Final = f"""
INSERT INTO collected SELECT extractor, 1, reused, reused * nano FROM results WHERE {_KEY}
ON CONFLICT (extractor) DO UPDATE SET
  results = results + 1, reused = reused + excluded.reused, saved = saved + excluded.saved"""


def page(connection: apsw.Connection, after: ResultKey | None, limit: int) -> list[ResultKey]:
    """The next answers, and contents that were set apart, in the order of their keys. Raises apsw.Error."""
    start = after or ResultKey(b"", "", "")
    bindings = {"c": start.content, "l": start.language, "e": start.extractor, "limit": limit}
    rows: list[Any] = connection.execute(_PAGE, bindings).fetchall()
    return [ResultKey(*row) for row in rows]


def judge(
    connection: apsw.Connection,
    keys: Sequence[ResultKey],
    used: Container[bytes],
    now: float,
    keep: float,
    *,
    fed: bool,
) -> int:
    """Note since when each of these is without a file, and delete those for which that is `keep` seconds ago
    or more, but none that was found so only now; how many answers went. Inside a transaction.

    `fed`: the change feed is being read. Then `seen` knows what came back after the index was asked, and must
    not lose its answer: nobody would ask for it again. Else `seen` is of an earlier time and says nothing."""
    gone = 0
    for key in keys:
        row = (key.content, key.language, key.extractor)
        seen = fed and connection.execute("SELECT 1 FROM seen WHERE content = ?", row[:1]).get
        if seen or key.content in used:
            connection.execute(f"DELETE FROM unused WHERE {_KEY}", row)
            continue
        since: Any = connection.execute(f"SELECT since FROM unused WHERE {_KEY}", row).get
        if since is None:
            connection.execute("INSERT INTO unused VALUES (?, ?, ?, ?)", (*row, now))
        elif since < now and now - since >= keep:
            connection.execute(_SUMS, row)
            gone += connection.changes()
            for table in ("results", "quarantine", "unused"):
                connection.execute(f"DELETE FROM {table} WHERE {_KEY}", row)
    return gone


def collected(connection: apsw.Connection, extractor: str) -> tuple[int, int, int]:
    """(answers collected, how often they were used again, what that saved). Raises apsw.Error."""
    sql = "SELECT results, reused, saved FROM collected WHERE extractor = ?"
    row: Any = connection.execute(sql, (extractor,)).fetchone()
    return row or (0, 0, 0)
