"""Owns jobs.db as a file: opening, the one writer connection behind a lock, the readers, and its time.

What is in the tables is others' business: they write inside `write` and read inside `read`. In its process
this is the only thing that opens the file; another process has a `Database` of its own.
"""

import logging
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import apsw

from currant.clock import Clock, SystemClock
from currant.errors import (
    ClosedError,
    SchemaTooNewError,
    StoreDamagedError,
    StoreError,
    StoreUnavailableError,
)
from currant.jobs import schema
from currant.store.connection import (
    BUSY_TIMEOUT_MS,
    ReaderPool,
    connect,
    is_damage,
    require_safe_sqlite,
    translate,
)

log = logging.getLogger(__name__)

_TRIES: Final = 100
_TRY_SECONDS: Final = 0.02


class SteadyClock:
    """A clock whose wall time does not step back: while the machine's does, it goes on from where it was.

    Leases, delays and limits are wall times, because other processes have to judge them. Without this, an
    hour back would have everything due wait an hour.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._now = clock.now()
        self._at = clock.monotonic()

    def now(self) -> float:
        """Wall time, or later when the wall clock was set back."""
        with self._lock:
            # In this order: a process that is stopped in between would be ahead from then on.
            wall = self._clock.now()
            monotonic = self._clock.monotonic()
            self._now = max(wall, self._now + max(0.0, monotonic - self._at))
            self._at = monotonic
            return self._now

    def monotonic(self) -> float:
        """As the clock below."""
        return self._clock.monotonic()


class Database:
    """jobs.db, open. Thread-safe. Raises StoreError and its kinds for what SQLite reports."""

    def __init__(self, path: Path, clock: Clock | None = None) -> None:
        """Open, or make it, readable by its owner alone; its directory must exist. Raises StoreError
        (SchemaTooNewError, StoreDamagedError: see its message)."""
        self.path = path
        self.clock = SteadyClock(clock if clock is not None else SystemClock())
        self._lock = threading.RLock()
        self._depth = 0
        self._after: list[Callable[[], None]] = []
        self._due: deque[Callable[[], None]] = deque()
        self._calling = threading.Lock()
        self._closed = False
        self._writer = self._open()
        self._readers = ReaderPool(os.fspath(path), self._damaged)

    def now(self) -> float:
        """Wall time, never less than it was."""
        return self.clock.now()

    @contextmanager
    def write(self) -> Iterator[apsw.Connection]:
        """One write transaction; an exception rolls it back. Within another one of the same thread it is part
        of that. Raises ClosedError, StoreError."""
        with self._lock:
            if self._closed:
                raise ClosedError(f"{self.path} is closed: open it again")
            try:
                if self._depth:
                    yield self._writer
                    return
                self._writer.execute("BEGIN IMMEDIATE")
                self._depth = 1
                try:
                    yield self._writer
                    self._writer.execute("COMMIT")
                except BaseException:
                    self._after.clear()
                    if self._writer.in_transaction:  # a full disk ends it by itself
                        self._writer.execute("ROLLBACK")
                    raise
                finally:
                    self._depth = 0
                self._due.extend(self._after)  # before anybody else can commit
                self._after.clear()
            except apsw.Error as error:
                raise self._translated(error) from error
        self._call()

    def after_commit(self, call: Callable[[], None]) -> None:
        """Inside `write`: have this called when the transaction is committed and the lock is free again; a
        rollback forgets it. One call at a time, in the order of the commits, by a thread that writes: mostly
        this one, before `write` returns."""
        self._after.append(call)

    def in_turn(self, call: Callable[[], None]) -> None:
        """As `after_commit`, for what another process committed."""
        self._due.append(call)
        self._call()

    @contextmanager
    def read(self) -> Iterator[apsw.Connection]:
        """A connection that sees one moment and cannot write. Raises ClosedError, StoreError."""
        with self._readers.snapshot() as connection:
            yield connection

    def reader(self) -> apsw.Connection:
        """A read-only connection for the caller to keep and to close, such as to follow ``data_version``.
        Raises StoreError."""
        try:
            return connect(os.fspath(self.path), write=False)
        except apsw.Error as error:
            raise self._translated(error) from error

    def is_writable(self, timeout_s: float = 1.0) -> bool:
        """Whether a write transaction could begin within `timeout_s`. Writes nothing."""
        if not self._lock.acquire(timeout=timeout_s):
            return False
        try:
            if self._closed:
                return False
            with suppress(apsw.Error):
                self._writer.set_busy_timeout(int(timeout_s * 1000))
                self._writer.execute("BEGIN IMMEDIATE")
                self._writer.execute("ROLLBACK")
                return True
            return False
        finally:
            self._writer.set_busy_timeout(BUSY_TIMEOUT_MS)
            self._lock.release()

    def close(self) -> None:
        """Close; reads in progress are interrupted. Idempotent."""
        self._readers.close()
        with self._lock:
            if not self._closed:
                self._closed = True
                self._writer.close()

    # --- inside -----------------------------------------------------------------------------------------

    def _call(self) -> None:
        # Nobody waits here: whoever is at it takes what came meanwhile, and looks again when he is done.
        while self._due and self._calling.acquire(blocking=False):
            try:
                while self._due:
                    try:
                        self._due.popleft()()
                    except Exception:
                        log.exception("after a commit to %s", self.path)
            finally:
                self._calling.release()

    def _open(self) -> apsw.Connection:
        require_safe_sqlite()
        try:
            # Made here, so that it is private from its first moment; never opened this way again.
            os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except FileExistsError:
            pass
        except OSError as error:
            raise StoreUnavailableError(f"{self.path} cannot be made: {error.strerror or error}") from error
        connection: apsw.Connection | None = None
        try:
            connection = _connect(os.fspath(self.path))
            found = schema.version_of(connection)
            if schema.is_foreign(connection):
                raise StoreError(f"{self.path} is another program's database: move it away")
            if found > schema.VERSION:
                raise SchemaTooNewError(os.fspath(self.path), found, schema.VERSION)
            schema.migrate(connection)
        except BaseException as error:
            if connection is not None:
                connection.close()
            if isinstance(error, apsw.Error):
                raise self._translated(error) from error
            raise
        return connection

    def _translated(self, error: apsw.Error) -> StoreError:
        if is_damage(error):
            return self._damaged(str(error))
        return translate(error, os.fspath(self.path))

    def _damaged(self, reason: str) -> StoreDamagedError:
        # Not rebuilt by itself: which projects there are stands nowhere else.
        return StoreDamagedError(
            f"{self.path} is damaged ({reason}): stop the service, move it and its -wal and -shm away "
            f"together, and start again; projects have to be added again, their indexes are not touched"
        )


def _connect(path: str) -> apsw.Connection:
    # A new file becomes one with a log the first time. SQLite does not wait for others who are at that.
    for _ in range(_TRIES):
        try:
            return connect(path, write=True)
        except apsw.BusyError:
            threading.Event().wait(_TRY_SECONDS)
    return connect(path, write=True)
