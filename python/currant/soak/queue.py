"""The kernel's queue of notifications, made shorter for one watcher, so that little is enough to overflow it.

Owns ``/proc/sys/fs/inotify/max_queued_events``. The kernel reads it when an inotify instance is made, and
never again for that instance; so it is lowered for the moment in which our watcher makes its own, and put
back at once. It counts for the whole machine: whoever else makes an instance in that moment has a short
queue too. Therefore the moment is short (`gate`), one process at a time is in it, signals that would end us
wait for its end, and what was there before is written down first: after a SIGKILL in the middle of it,
the next run puts it back (`recover`).
"""

import contextlib
import fcntl
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

LIMIT: Final = Path("/proc/sys/fs/inotify/max_queued_events")
RECORD: Final = Path("/run/currant-soak.queue")
"""The lock, and what to put back: two numbers, before and lowered; empty when there is nothing to put back.
In a directory where only root makes files."""

SHORT: Final = 1_024
"""Notifications. Few enough for a burst to overflow it now and then by itself."""

_LATER: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


class Queue:
    """The setting, and the file that remembers it."""

    def __init__(self, limit: Path = LIMIT, record: Path = RECORD) -> None:
        self._limit = limit
        self._record = record

    def length(self) -> int | None:
        """Notifications that are queued for an instance made now; None where there is no such setting."""
        try:
            return int(self._limit.read_text())
        except (OSError, ValueError):
            return None

    def refusal(self) -> str:
        """Why it cannot be lowered; empty when it can. Puts back what an earlier run left."""
        try:
            self.recover()
            now = self.length()
            if now is None:
                return f"{self._limit} is not there"
            os.close(os.open(self._limit, os.O_WRONLY | os.O_CLOEXEC))
            with self._locked():
                pass
        except OSError as error:
            return f"{error.filename}: {error.strerror}"
        return "" if now > SHORT else f"it is {now} already"

    def recover(self) -> None:
        """Put back what a run that was killed left behind. Raises OSError."""
        if self._record.is_symlink() or self._record.exists():
            with self._locked() as record:
                self._put_back(record)

    @contextmanager
    def lowered(self) -> Iterator[None]:
        """`SHORT` while inside. Raises OSError."""
        with self._locked() as record, _undisturbed():
            self._put_back(record)
            before = int(self._limit.read_text())
            _write(record, f"{before} {SHORT}\n")
            try:
                self._limit.write_text(f"{SHORT}\n")
                yield
            finally:
                self._put_back(record)

    @contextmanager
    def _locked(self) -> Iterator[int]:
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        handle = os.open(self._record, flags, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield handle
        finally:
            os.close(handle)

    def _put_back(self, record: int) -> None:
        """Unless somebody has set another value since."""
        with contextlib.suppress(ValueError):
            before, lowered = map(int, os.pread(record, 100, 0).split())
            if self.length() == lowered:
                self._limit.write_text(f"{before}\n")
        _write(record, "")


def _write(handle: int, text: str) -> None:
    os.ftruncate(handle, 0)
    os.pwrite(handle, text.encode(), 0)
    os.fsync(handle)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Signals that end a process wait."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _LATER)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
