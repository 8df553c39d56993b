"""Reading an index that nobody has open, without opening it for writing.

Owns when that may be done: the caller holds the root's lock, and the file was closed whole, by this version,
and is what it was then. SQLite is told that the file cannot change, so it takes no lock, makes no log and
leaves nothing behind; the next start finds the index as it was closed. Whatever else there may be (a crash,
damage, another version) is for `Store.open`, which can do something about it.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import apsw

from currant.store import schema, seal
from currant.store.connection import READER_CACHE_KIB, require_safe_sqlite
from currant.store.opening import DAMAGE_MARK, INDEX_NAME


class NotClosed(Exception):
    """It is to be opened in the ordinary way."""


@contextmanager
def reading(state_dir: Path) -> Iterator[apsw.Connection]:
    """A connection to the index below `state_dir`, whose root's lock the caller holds. Raises NotClosed, also
    when it turns out inside that the file does not hang together."""
    path = state_dir / INDEX_NAME
    try:
        require_safe_sqlite()
        if os.path.lexists(state_dir / DAMAGE_MARK) or seal.judge(path)[0] is not seal.Verdict.WHOLE:
            raise NotClosed(str(path))
        connection = apsw.Connection(
            f"file:{quote(os.fsencode(path))}?immutable=1",
            flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI,
        )
        try:
            connection.pragma("trusted_schema", 0)
            connection.pragma("cache_size", -READER_CACHE_KIB)
            if (
                int(connection.pragma("application_id")) != schema.APPLICATION_ID
                or schema.version_of(connection) != schema.VERSION
                or not schema.is_as_made(connection)
            ):
                raise NotClosed(str(path))
            yield connection
        finally:
            connection.close()
    except (apsw.Error, UnicodeDecodeError, OSError) as error:
        raise NotClosed(str(path)) from error
