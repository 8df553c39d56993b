"""What an index holds, in numbers: files by language, and those that could not be indexed.

Owns the SQL alone; all of a call is of one snapshot when the connection is in a transaction."""

import os
from typing import Any, Final

import apsw

from currant.model import FailureRow
from currant.store.connection import one

FAILED: Final = "SELECT count(*) FROM files WHERE state = 'failed'"


def counts(connection: apsw.Connection) -> dict[str, Any]:
    """See `Query.counts`. Raises apsw.Error."""
    tally: list[Any] = connection.execute(
        "SELECT language, files, symbols FROM tally WHERE files > 0 ORDER BY files DESC, language"
    ).fetchall()
    failed = one(connection, FAILED)
    return {
        "files": sum(files for _, files, _ in tally) + failed,
        "failed": failed,
        "results": one(connection, "SELECT count(*) FROM results"),
        "symbols": sum(symbols for _, _, symbols in tally),
        "by_language": {language: files for language, files, _ in tally},
    }


def failures(connection: apsw.Connection, limit: int) -> list[FailureRow]:
    """See `Query.failures`. Raises apsw.Error."""
    rows: list[Any] = connection.execute(
        "SELECT path, reason, attempts, retry_at, seen_at FROM files WHERE state = 'failed'"
        " ORDER BY path LIMIT ?",
        (max(0, limit),),
    ).fetchall()
    return [FailureRow(os.fsdecode(path), *rest) for path, *rest in rows]
