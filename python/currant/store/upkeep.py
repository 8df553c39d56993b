"""Owns the short steps that keep index.db quick and small while it is in use: statistics for the planner,
merges of the full-text indexes, the log, pages that are free.

Each step is one short transaction of the writer's, on its thread; readers are never in its way, nor it in
theirs. VACUUM and FTS5's 'optimize' are not here: they hold the writer for as long as the file is large.
"""

from typing import Final

import apsw
from msgspec import Struct

from currant.store.connection import one

ANALYSIS_LIMIT: Final = 400
"""Rows of each index that the statistics look at: milliseconds, whatever the size."""
MERGE_PAGES: Final = 64
"""Pages that one step of a merge writes, about."""
FREE_PAGES: Final = 128
"""Free pages that one step gives back."""
FREE_SHARE: Final = 0.1
"""What is free is used for what comes next: less than this share of the file is left where it is."""
FREE_LEAST: Final = 1_000

SEARCHED: Final = ("terms",)
"""The full-text indexes."""
PLANNED: Final = ("files", "results", "refs", "facts", "changes", "unused")
"""Tables of which a query has a choice of ways. Those behind the full-text indexes are FTS5's own."""

_WHAT_TO_ANALYZE: Final = "PRAGMA optimize(0x10003)"
"""Of every table and not only of those asked for lately; tells the statements and runs none."""
_INCREMENTAL: Final = 2


class Figures(Struct, frozen=True):
    """The file of an index, in pages of `page_bytes`. `shrinks`: whether free pages can be given back."""

    page_bytes: int
    pages: int
    free_pages: int
    shrinks: bool


def figures(connection: apsw.Connection) -> Figures:
    """Raises apsw.Error."""
    return Figures(
        page_bytes=int(one(connection, "PRAGMA page_size")),
        pages=int(one(connection, "PRAGMA page_count")),
        free_pages=int(one(connection, "PRAGMA freelist_count")),
        shrinks=int(one(connection, "PRAGMA auto_vacuum")) == _INCREMENTAL,
    )


def unanalyzed(connection: apsw.Connection) -> list[str]:
    """Tables whose statistics for the planner are missing or old. Empty ones are always among them.

    Raises apsw.Error."""
    connection.pragma("analysis_limit", ANALYSIS_LIMIT)
    told = {str(row[0]) for row in connection.execute(_WHAT_TO_ANALYZE)}
    return [table for table in PLANNED if f'ANALYZE "main"."{table}"' in told]


def analyze(connection: apsw.Connection, table: str) -> None:
    """Statistics of one table. Raises apsw.Error."""
    connection.pragma("analysis_limit", ANALYSIS_LIMIT)
    connection.execute(f'ANALYZE "main"."{table}"')


def merge(connection: apsw.Connection, table: str) -> bool:
    """One step of merging the segments of a full-text index; False when there is nothing left to merge.

    Raises apsw.Error with nothing changed."""
    before = connection.total_changes()
    connection.execute(f"INSERT INTO {table} ({table}, rank) VALUES ('merge', ?)", (MERGE_PAGES,))
    # FTS5's own sign that nothing was merged: fewer than two rows changed.
    return connection.total_changes() - before >= 2


def checkpoint(connection: apsw.Connection) -> tuple[int, int]:
    """Move what is in the log into the file as far as no reader is in the way, waiting for nobody; (pages in
    the log, pages moved). Raises apsw.Error."""
    logged, moved = connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
    return logged, moved


def free(connection: apsw.Connection) -> int:
    """Give back some free pages to the file system, when they are a good part of the file; how many.

    Raises apsw.Error with nothing changed."""
    found = figures(connection)
    if not found.shrinks or found.free_pages < max(FREE_LEAST, FREE_SHARE * found.pages):
        return 0
    for _ in connection.execute(f"PRAGMA incremental_vacuum({FREE_PAGES})"):
        pass
    return found.free_pages - int(one(connection, "PRAGMA freelist_count"))
