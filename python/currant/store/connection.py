"""Owns connections: which SQLite is safe, how a connection is set up, and the pool of readers."""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from typing import Any, Final

import apsw

from currant.errors import (
    ClosedError,
    StoreDamagedError,
    StoreError,
    StoreFullError,
    StoreUnavailableError,
    UnsafeSQLiteError,
)

BUSY_TIMEOUT_MS: Final = 5000
# Of a new index. A save writes to about ten pages in as many places, whatever their size.
PAGE_BYTES: Final = 1024
# Log from which on a commit moves it into the file: what SQLite does with its default pages.
CHECKPOINT_BYTES: Final = 4 * 1024 * 1024
# With four times as much a first index is no faster, and an idle service keeps the holes that are left in its
# memory. Readers live mostly on the kernel's cache.
WRITER_CACHE_KIB: Final = 4 * 1024
READER_CACHE_KIB: Final = 2 * 1024
# A WAL grown by one huge commit is cut back to this at the next checkpoint.
WAL_KEPT_BYTES: Final = 16 * 1024 * 1024
TOGETHER: Final = 64
"""Rows in one statement: more would not be noticed, and the text stays short enough to be kept prepared."""


def is_safe(version: int) -> bool:
    """Whether this SQLite (``3054001`` for 3.54.1) is outside the range of the WAL-reset bug.

    3.7.0 to 3.51.2 may lose a commit when a checkpoint races a write; 3.44.6 and 3.50.7 have the repair.
    3.52.0 was withdrawn.
    """
    branch, patch = version // 1000, version % 1000
    if branch == 3044:
        return patch >= 6
    if branch == 3050:
        return patch >= 7
    return version >= 3051003 and version != 3052000


def require_safe_sqlite(version: int | None = None) -> None:
    """Raise UnsafeSQLiteError when apsw carries an SQLite that can lose commits."""
    if version is None:  # the library that is loaded, not the header it was compiled against
        major, minor, patch = map(int, apsw.sqlite_lib_version().split("."))
        version = (major * 1000 + minor) * 1000 + patch
    number = version
    if not is_safe(number):
        dotted = f"{number // 1_000_000}.{number // 1000 % 1000}.{number % 1000}"
        raise UnsafeSQLiteError(
            f"SQLite {dotted} can lose commits (WAL-reset bug, fixed in 3.51.3): "
            "upgrade with `pip install -U apsw`"
        )


def connect(path: str, *, write: bool) -> apsw.Connection:
    """A connection with our pragmas. `write` also creates the file and switches it to WAL.

    Raises apsw.Error.
    """
    flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE if write else apsw.SQLITE_OPEN_READONLY
    connection = apsw.Connection(path, flags=flags, statementcachesize=64)
    try:
        connection.set_busy_timeout(BUSY_TIMEOUT_MS)
        connection.pragma("cache_size", -(WRITER_CACHE_KIB if write else READER_CACHE_KIB))
        connection.pragma("mmap_size", 0)
        connection.pragma("trusted_schema", 0)  # an index may have come with the tree
        if write:
            if not connection.pragma("page_count"):
                # Of a new file alone: later it would take a VACUUM, and to ask for it takes the lock.
                connection.pragma("page_size", PAGE_BYTES)
                connection.pragma("auto_vacuum", 2)
            connection.pragma("journal_mode", "wal")
            connection.pragma("synchronous", "NORMAL")
            connection.pragma("foreign_keys", 1)
            connection.pragma("journal_size_limit", WAL_KEPT_BYTES)
            connection.pragma("wal_autocheckpoint", CHECKPOINT_BYTES // int(connection.pragma("page_size")))
        else:
            connection.pragma("query_only", 1)
    except BaseException:
        connection.close()
        raise
    return connection


def one(connection: apsw.Connection, sql: str, bindings: Sequence[Any] = ()) -> Any:
    """The single value that a statement gives. Raises apsw.Error."""
    return connection.execute(sql, tuple(bindings)).get


def insert(
    connection: apsw.Connection, head: str, width: int, rows: Iterable[Sequence[Any]], tail: str = ""
) -> None:
    """Insert rows of so many columns; `head` ends with VALUES. Raises apsw.Error."""
    one_row = "(" + ", ".join("?" * width) + ")"
    left = iter(rows)
    while some := [*islice(left, TOGETHER)]:
        if len(some) < TOGETHER:
            connection.executemany(f"{head} {one_row} {tail}", some)
        else:
            many = ", ".join([one_row] * TOGETHER)
            connection.execute(f"{head} {many} {tail}", [*chain.from_iterable(some)])


def translate(error: apsw.Error, path: str) -> StoreError:
    """SQLite's error as ours, with the way out."""
    if isinstance(error, apsw.FullError):
        return StoreFullError(f"no space left for {path} ({error}): free some; nothing was lost")
    if is_damage(error):
        return StoreDamagedError(f"{path} is damaged ({error}): restart, and it is set aside and rebuilt")
    if isinstance(error, _UNAVAILABLE):
        return StoreUnavailableError(
            f"{path} cannot be read or written ({error}): repair the file system or the permissions; "
            "nothing was lost"
        )
    return StoreError(f"{path}: {error}")


# What the place says of itself, whatever was to be written.
_UNAVAILABLE: Final = (
    *(apsw.IOError, apsw.ReadOnlyError, apsw.CantOpenError, apsw.PermissionsError),
    *(apsw.BusyError, apsw.LockedError, apsw.NoMemError, apsw.ProtocolError),
)


def is_damage(error: BaseException) -> bool:
    """Whether this is what SQLite says of a file that is not whole; one that ends too early counts."""
    if isinstance(error, apsw.CorruptError | apsw.NotADBError):
        return True
    code = getattr(error, "extendedresult", 0)
    return isinstance(error, apsw.IOError) and code == apsw.SQLITE_IOERR_SHORT_READ


class ReaderPool:
    """Read-only connections, one per call in progress; each call sees one snapshot.

    Any thread may read at any time; nobody waits for anybody, and the lock is held only to take or give
    back a connection.
    """

    def __init__(self, path: str, on_damage: Callable[[str], Exception]) -> None:
        """`on_damage` turns the description of damage met while reading into the error to raise."""
        self._path = path
        self._on_damage = on_damage
        self._lock = threading.Lock()
        self._returned = threading.Condition(self._lock)
        self._idle: list[apsw.Connection] = []
        self._lent: set[apsw.Connection] = set()
        self._unused = 0  # as many at the front of `_idle` were not taken since the last `trim`
        self._closed = False

    @contextmanager
    def lend(self) -> Iterator[apsw.Connection]:
        """A connection for one or more single statements, each its own snapshot.

        Raises ClosedError after `close`, StoreError for what SQLite reports.
        """
        connection = self._take()
        try:
            yield connection
        except apsw.Error as error:
            if self._closed and isinstance(error, apsw.InterruptError):
                raise ClosedError("the index was closed during a read: open it again") from error
            if is_damage(error):
                raise self._on_damage(str(error)) from error
            raise translate(error, self._path) from error
        except UnicodeDecodeError as error:  # what we stored was UTF-8
            raise self._on_damage(str(error)) from error
        finally:
            self._give(connection)

    @contextmanager
    def snapshot(self) -> Iterator[apsw.Connection]:
        """A connection inside one read transaction: every statement sees the same commit."""
        with self.lend() as connection:
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    def counts(self) -> tuple[int, int]:
        """Connections that are open: (idle, lent)."""
        with self._lock:
            return len(self._idle), len(self._lent)

    def trim(self, keep: int) -> int:
        """Close those that were idle ever since the call before, but leave `keep` idle ones; how many."""
        with self._lock:
            count = max(0, min(self._unused, len(self._idle) - keep))
            # Taken from the end, so the front has been idle for longest.
            closing, self._idle = self._idle[:count], self._idle[count:]
            self._unused = len(self._idle)
        for connection in closing:
            connection.close()
        return count

    def shrink(self) -> None:
        """Have the idle ones give back the pages that they keep."""
        with self._lock:
            for connection in self._idle:
                connection.pragma("shrink_memory")

    def close(self) -> None:
        """Close every connection; reads in progress are interrupted and waited for. Idempotent."""
        with self._lock:
            self._closed = True
            for connection in self._lent:
                connection.interrupt()
            while self._lent:
                self._returned.wait()
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _take(self) -> apsw.Connection:
        with self._lock:
            if self._closed:
                raise ClosedError("the index is closed: open it again")
            if self._idle:
                connection = self._idle.pop()
                self._unused = min(self._unused, len(self._idle))
                self._lent.add(connection)
                return connection
        try:
            connection = connect(self._path, write=False)
        except apsw.Error as error:
            raise translate(error, self._path) from error
        with self._lock:
            if not self._closed:
                self._lent.add(connection)
                return connection
        connection.close()
        raise ClosedError("the index is closed: open it again")

    def _give(self, connection: apsw.Connection) -> None:
        with self._lock:
            self._lent.discard(connection)
            if not self._closed:
                self._idle.append(connection)
                return
        try:
            connection.close()
        finally:
            with self._lock:
                self._returned.notify_all()
