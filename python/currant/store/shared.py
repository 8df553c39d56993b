"""Owns the results that several indexes share: one SQLite file of its own, keyed by content, without a path.

A convenience, never a condition: whatever is wrong with the file (missing, damaged, locked, newer, somebody
else's), the index goes on without it and says why. Reads happen on the workers, writes after a commit on the
writer's thread. What is read is not trusted to be a record of that content; the caller checks it.
"""

import hashlib
import logging
import os
import stat
import threading
from collections import deque
from pathlib import Path
from typing import Any, Final

import apsw

from currant.model import Record, ResultKey
from currant.store import records
from currant.store.connection import connect, one

log = logging.getLogger(__name__)

APPLICATION_ID: Final = 0x63757273  # "curs"
VERSION: Final = 2
"""2: results under zstd, among those under zlib."""
BUSY_MS: Final = 50
_LAST_BUSY_MS: Final = 2_000
MAX_STORED: Final = 4 << 20
"""Bytes of one record as stored; a larger one is not shared."""
QUEUE_BYTES: Final = 16 << 20

_SCHEMA: Final = """
CREATE TABLE results (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  content BLOB NOT NULL CHECK (length(content) = 16),
  language TEXT NOT NULL,
  extractor TEXT NOT NULL,
  stored BLOB NOT NULL,
  digest BLOB NOT NULL,
  UNIQUE (content, language, extractor)
) STRICT;
"""
_GET: Final = "SELECT stored, digest FROM results WHERE content = ? AND language = ? AND extractor = ?"
_PUT: Final = """
INSERT OR REPLACE INTO results (content, language, extractor, stored, digest) VALUES (?, ?, ?, ?, ?)"""


class _UnusableError(Exception):
    """Why this file is not used."""


class SharedResults:
    """The shared results at `path`, at most about `max_mb` large, for the index of `root`. `problem` says why
    they are not used, if they are not. Thread-safe, but `flush` and `close` belong to one thread."""

    def __init__(self, path: Path, *, max_mb: int, root: Path) -> None:
        self.path: Final = path
        self.problem: str | None = None
        self.hits = 0
        self.misses = 0
        self.written = 0
        self.refused = 0
        self._max_bytes = max_mb << 20
        self._lock = threading.Lock()  # of the reading connection and of the counts
        self._queue: deque[tuple[ResultKey, bytes]] = deque()
        self._queued = 0
        self._reader: apsw.Connection | None = None
        self._writer: apsw.Connection | None = None
        try:
            _look(path, root)
            self._writer = connect(str(path), write=True)
            _prepare(self._writer)
            self._reader = connect(str(path), write=False)
            for connection in (self._reader, self._writer):
                connection.set_busy_timeout(BUSY_MS)
        except (_UnusableError, apsw.Error, OSError) as error:
            self._give_up(str(error))

    def get(self, key: ResultKey) -> Record | None:
        """The record shared under this key, None without one."""
        with self._lock:
            if self._reader is None:
                return None
            try:
                row: Any = self._reader.execute(_GET, (key.content, key.language, key.extractor)).fetchone()
            except (apsw.BusyError, apsw.LockedError):
                row = None
            except (apsw.Error, UnicodeDecodeError) as error:
                self._give_up(str(error))
                return None
            record = None if row is None else self._decoded(key, *row)
            if record is None:
                self.misses += 1
            else:
                self.hits += 1
            return record

    def _decoded(self, key: ResultKey, stored: bytes, digest: bytes) -> Record | None:
        try:
            if _digest(key, stored) != digest:
                raise ValueError("its digest differs")
            return records.decode(stored)[0]
        except (ValueError, TypeError) as error:
            log.warning("%s: a shared result is refused: %s", self.path, error)
            self.refused += 1
            return None

    def refuse(self) -> None:
        """What `get` gave is no record of that content: it counts as none."""
        with self._lock:
            self.hits -= 1
            self.misses += 1
            self.refused += 1

    def offer(self, key: ResultKey, record: Record) -> None:
        """Have this record shared, at the next `flush`. The oldest offers give way when too much waits."""
        try:
            stored = records.encode(record)
        except (ValueError, TypeError):
            return  # the commit tells of it
        if len(stored) > MAX_STORED:
            return
        with self._lock:
            if self._writer is None or self.problem is not None:
                return
            self._queue.append((key, stored))
            self._queued += len(stored)
            while self._queued > QUEUE_BYTES:
                self._queued -= len(self._queue.popleft()[1])

    def flush(self) -> None:
        """Write what was offered; what cannot be written now waits for the next time."""
        writer = self._writer
        with self._lock:
            batch, self._queue, self._queued = self._queue, deque(), 0
        if writer is None or not batch:
            return
        try:
            writer.execute("BEGIN IMMEDIATE")
            try:
                writer.executemany(
                    _PUT,
                    [
                        (key.content, key.language, key.extractor, stored, _digest(key, stored))
                        for key, stored in batch
                    ],
                )
                self._make_room(writer)
                writer.execute("COMMIT")
            except BaseException:
                if writer.in_transaction:
                    writer.execute("ROLLBACK")
                raise
        except (apsw.BusyError, apsw.LockedError, apsw.FullError):
            with self._lock:
                self._queue.extendleft(reversed(batch))
                self._queued += sum(len(stored) for _, stored in batch)
            return
        except apsw.Error as error:
            with self._lock:
                self._give_up(str(error))
            return
        with self._lock:
            self.written += len(batch)

    def _make_room(self, writer: apsw.Connection) -> None:
        """Delete the oldest tenth while there is too much; the file keeps its size and its room is reused."""
        size = int(writer.pragma("page_size"))
        for _ in range(20):
            used = int(writer.pragma("page_count")) - int(writer.pragma("freelist_count"))
            if used * size <= self._max_bytes:
                return
            first, last = writer.execute("SELECT min(id), max(id) FROM results").fetchone() or (None, None)
            if first is None:
                return
            writer.execute("DELETE FROM results WHERE id <= ?", (first + (last - first) // 10,))

    def status(self) -> dict[str, Any]:
        """``path``; since the start ``hits``, ``misses``, ``written``, ``refused``; ``problem`` or null."""
        with self._lock:
            return {
                "path": os.fspath(self.path),
                "hits": self.hits,
                "misses": self.misses,
                "written": self.written,
                "refused": self.refused,
                "problem": self.problem,
            }

    def close(self) -> None:
        """Write what was offered and let go of the file. Idempotent."""
        if self._writer is not None:
            self._writer.set_busy_timeout(_LAST_BUSY_MS)  # what is not written now is lost for the others
        self.flush()
        with self._lock:
            self._close()

    def _close(self) -> None:
        reader, self._reader = self._reader, None
        writer, self._writer = self._writer, None
        for connection in (reader, writer):
            if connection is not None:
                connection.close()

    def _give_up(self, reason: str) -> None:
        """Not for this process any more. With the lock held, or before anybody else has this object."""
        log.warning("shared results are not used: %s: %s", self.path, reason)
        self.problem = f"{self.path} is not used: {reason}"
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.close()
        # The writing connection may be in use by its thread; `close` ends it.
        self._queue.clear()
        self._queued = 0


def _digest(key: ResultKey, stored: bytes) -> bytes:
    """Binds a record to its key: neither damage nor a mix-up passes for a result."""
    head = f"{key.language}\0{key.extractor}\0".encode()
    return hashlib.blake2b(key.content + head + stored, digest_size=8).digest()


def _look(path: Path, root: Path) -> None:
    """Refuse what must not be used, with nothing written. Raises _UnusableError, OSError, apsw.Error."""
    if not path.is_absolute():
        raise _UnusableError("name it by an absolute path")
    real, inside = os.path.realpath(path), os.path.realpath(root)
    if real == inside or real.startswith(inside.rstrip(os.sep) + os.sep):
        raise _UnusableError("it lies in the tree that is indexed: name a file outside of it")
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Never opened by us when it is there: closing it would drop the locks of other connections.
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        return
    if not stat.S_ISREG(found.st_mode):
        raise _UnusableError("it is no regular file")
    if found.st_uid != os.geteuid():
        raise _UnusableError("it belongs to another user: whoever writes it decides what your index says")
    if found.st_mode & 0o022:
        raise _UnusableError("others may write it: take their permission away (chmod go-w)")
    if found.st_size == 0:
        return
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        connection.set_busy_timeout(BUSY_MS)
        application, version = connection.pragma("application_id"), connection.pragma("user_version")
        tables = one(connection, "SELECT count(*) FROM sqlite_schema")
    except (apsw.CorruptError, apsw.NotADBError) as error:
        raise _UnusableError(f"it is damaged ({error}): remove it, and it is made anew") from error
    finally:
        connection.close()
    if tables and application != APPLICATION_ID:
        raise _UnusableError("it is something else than shared results of Currant: name another file")
    if version > VERSION:
        raise _UnusableError(f"a newer Currant wrote it (version {version}): upgrade, or name another file")


def _prepare(connection: apsw.Connection) -> None:
    """Make the table in a new file; say of an older one that it may hold what its writer could not read. Two
    processes may do so at once. Raises apsw.Error."""
    if connection.pragma("user_version") == VERSION:
        return  # without a lock: another process may be writing
    connection.execute("BEGIN IMMEDIATE")
    try:
        if not connection.pragma("user_version"):
            connection.execute(_SCHEMA)
            connection.pragma("application_id", APPLICATION_ID)
        connection.pragma("user_version", VERSION)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
