"""One owner for each root: an exclusive lock on ``<state>/lock``.

Owns: the lock file and the number of the owning process in it. The lock is the kernel's, on an open file of
its own (never on a database: opening and closing one of those drops SQLite's locks), so a killed owner
leaves nothing to clean up. The file stays where it is: removing it would let two processes hold two locks
on two files of one name.
"""

import contextlib
import os
import sys
import weakref
from pathlib import Path

from currant.errors import LockedError

if sys.platform == "win32":
    import msvcrt

    def _lock(fd: int) -> None:
        # Locks one byte far behind the text, which others may go on reading.
        os.lseek(fd, 1 << 20, os.SEEK_SET)
        msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)

    def _unlock(fd: int) -> None:
        os.lseek(fd, 1 << 20, os.SEEK_SET)
        msvcrt.locking(fd, msvcrt.LK_UNLCK, 1)
else:
    import fcntl

    def _lock(fd: int) -> None:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _unlock(fd: int) -> None:
        fcntl.flock(fd, fcntl.LOCK_UN)


# Its content is replaced: a link would have us do that to another file.
_FLAGS = os.O_RDWR | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)

_held: "weakref.WeakSet[RootLock]" = weakref.WeakSet()


class RootLock:
    """Held from `acquire` to `release`, or to the end of the process however it ends."""

    def __init__(self, state_dir: Path, root: str = "", *, name: str = "lock") -> None:
        self._path = state_dir / name
        self._root = root
        self._fd = -1

    @property
    def held(self) -> bool:
        """True between `acquire` and `release`; False in a forked child."""
        return self._fd >= 0

    def in_place(self) -> bool:
        """False when the file that is locked is no longer the one under its name: another process may hold
        another file's lock. True while nothing is held."""
        if not self.held:
            return True
        held = os.fstat(self._fd)
        try:
            there = os.stat(self._path)
        except OSError:
            return False
        return (held.st_dev, held.st_ino) == (there.st_dev, there.st_ino)

    def acquire(self) -> None:
        """Take the lock. Raises LockedError with the owner's process number when another one has it
        (also within this process), OSError when the file cannot be made."""
        if self.held:
            return
        fd = os.open(self._path, os.O_CREAT | _FLAGS, 0o600)
        try:
            try:
                _lock(fd)
            except OSError as error:
                raise LockedError(_pid_in(fd), self._root) from error
            if hasattr(os, "fchmod"):
                os.fchmod(fd, 0o600)  # the umask may have taken more than others' rights
            os.ftruncate(fd, 0)
            os.pwrite(fd, b"%d\n" % os.getpid(), 0)
        except BaseException:
            os.close(fd)
            raise
        self._fd = fd
        _held.add(self)

    def release(self) -> None:
        """Give the lock back. Idempotent."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            _held.discard(self)
            # Not only closed: a child that was forked this moment still has a copy of the descriptor.
            with contextlib.suppress(OSError):
                _unlock(fd)
            os.close(fd)

    def _forget(self) -> None:
        """In a forked child: close this copy, so that the lock ends with its owner and not with us.

        Closing is all: unlocking here would unlock the parent too, as both share one open file."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            with contextlib.suppress(OSError):
                os.close(fd)


def owner_of(state_dir: Path) -> int | None:
    """Process number of the present owner, 0 if it cannot be read, None when nobody holds the lock.

    Takes and drops the lock for a moment if it is free, hence only a hint: it may be taken the next moment.
    """
    try:
        fd = os.open(state_dir / "lock", _FLAGS)
    except FileNotFoundError:
        return None
    try:
        _lock(fd)
    except OSError:
        return _pid_in(fd)
    else:
        _unlock(fd)
        return None
    finally:
        os.close(fd)


def _pid_in(fd: int) -> int:
    try:
        os.lseek(fd, 0, os.SEEK_SET)
        return int(os.read(fd, 32).split()[0])
    except (OSError, ValueError, IndexError):
        return 0


def _after_fork() -> None:
    for lock in list(_held):
        lock._forget()
    _held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
