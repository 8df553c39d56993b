"""What the tests of the store share: short ways to say an item, and a store in a directory."""

import hashlib
from pathlib import Path

import apsw

from currant.cache import MetadataCache
from currant.clock import ManualClock
from currant.model import FileStat, Record, ResultKey, Symbol, Upsert
from currant.query import Query
from currant.store import Store

EXTRACTOR = "outline/1:test-1"


def opened(state_dir: Path) -> Store:
    return Store.open(state_dir, clock=ManualClock())


def query(store: Store, cache_bytes: int = 1 << 20) -> Query:
    return Query(store, MetadataCache(cache_bytes))


def symbol(name: str, kind: str = "function", line: int = 1) -> Symbol:
    return Symbol(name, kind, None, line, line, f"{kind} {name}", "")


def record(*names: str, language: str | None = "python", kind: str = "function") -> Record:
    return Record(language, [symbol(name, kind, line) for line, name in enumerate(names, 1)], [])


def key(content: object, language: str = "python") -> ResultKey:
    return ResultKey(hashlib.blake2b(repr(content).encode(), digest_size=16).digest(), language, EXTRACTOR)


def upsert(
    path: bytes,
    content: object = 0,
    *,
    names: tuple[str, ...] = ("main",),
    reuse: bool = False,
    old_path: bytes | None = None,
    ino: int = 1,
    seen_at: float = 1.0,
    racy: bool = False,
    size: int = 1,
) -> Upsert:
    """An Upsert whose result depends on `content` alone; `reuse` says that it is stored already."""
    return Upsert(
        path=path,
        stat=FileStat(size, 2, 3, ino),
        key=key(content),
        record=None if reuse else record(*names),
        old_path=old_path,
        cause="event",
        seen_at=seen_at,
        attempts=0,
        racy=racy,
    )


def overwrite(path: Path, offset: int, data: bytes) -> None:
    """Change a closed file in place."""
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(data)


def page_of(path: Path, table: str) -> tuple[int, int]:
    """(offset, size) of the root page of a table or index."""
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    root = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", (table,)).get
    size = connection.pragma("page_size")
    connection.close()
    return (root - 1) * size, size
