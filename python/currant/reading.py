"""Reads one file exactly once and says what state of it was read.

Owns: opening below the root without ever following a symbolic link, the comparison of `fstat` before and
after, the content hash, the ceiling on bytes in memory. Does not own: what a path's failure leads to
(`workers`) and what the content means (`extract`).

How a path is opened decides whether a directory that was swapped for a link can lead us out of the root.
``openat2(RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS)`` lets the kernel refuse that before anything is opened,
and costs about as much as a plain ``open`` (56k files/s from two threads against 60k; opening component by
component 30k, comparing ``/proc/self/fd/N`` afterwards 37k). Python has no binding, so it goes through
``syscall(2)``; where the kernel or a sandbox refuses it, every component is opened in turn. The native core
does all steps in one call (``rust/src/content.rs``), for one file or for many; the steps here are for other
platforms, for what is too large to be kept, and for tests that stand between them.
"""

import ctypes
import errno
import os
import stat as stat_bits
import struct
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

import msgspec
import xxhash

from currant import failpoint
from currant.clock import Clock
from currant.model import MAX_HASHED_BYTES, FileStat, stand_in

if TYPE_CHECKING:
    from currant._core import Directory

_HEAD: Final = 8192
_STEP: Final = 1 << 20
_TRIES: Final = 3
_OPEN_FLAGS: Final = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NOCTTY", 0)
    | getattr(os, "O_BINARY", 0)
)
_DIRECTORY_FLAGS: Final = (
    getattr(os, "O_PATH", os.O_RDONLY)
    | getattr(os, "O_DIRECTORY", 0)
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_CLOEXEC", 0)
)

# What the kernel says when no regular file is there any more under that name. EXDEV and ELOOP are its
# words for "a link is on the way": to us a path through a link does not exist.
_GONE: Final = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EXDEV, errno.EISDIR, errno.ENXIO})

RACY_NS: Final = 50_000_000
"""A file that changed less than this before it was read may change again within the same time stamp."""
RACY_COARSE_NS: Final = 2_000_000_000
"""The same for file systems that stamp in whole seconds (FAT in steps of two)."""


class ReadFile(msgspec.Struct, frozen=True, gc=False):
    """One state of one file, read until `at` (wall time). `content` is None when it is larger than the limit
    (then only hashed, and above `MAX_HASHED_BYTES` not even that: `digest` is then its `stand_in`)."""

    stat: FileStat
    digest: bytes
    head: bytes
    content: bytes | None
    racy: bool
    at: float


@dataclass(frozen=True, slots=True)
class Gone:
    """No regular file is there."""


@dataclass(frozen=True, slots=True)
class Torn:
    """It changed during each of the attempts."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """It is there and cannot be read."""

    reason: str
    stat: FileStat | None


Reading = ReadFile | Gone | Torn | Unreadable


class ByteBudget:
    """A ceiling on the bytes of content that all workers hold together.

    A file larger than the whole budget is let through when nothing else is held: it waits, it does not
    starve the others, and it never fails for its size alone.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held = 0
        self._changed = threading.Condition()

    @property
    def held(self) -> int:
        """Bytes held now."""
        return self._held

    def acquire(self, size: int) -> None:
        """Wait until `size` bytes fit."""
        with self._changed:
            while self._held and self._held + size > self._limit:
                self._changed.wait()
            self._held += size

    def release(self, size: int) -> None:
        """Give bytes back."""
        with self._changed:
            self._held -= size
            self._changed.notify_all()


class Opener(Protocol):
    """Opens a path below a directory; raises OSError."""

    def __call__(self, root: int, path: str, /) -> int: ...


def is_racy(stat: FileStat, now_ns: int) -> bool:
    """True when a write after this reading could leave the same stat behind.

    The kernel stamps with a clock that ticks in steps; a second write in the step of the first one is
    invisible to a later comparison of stats, so such a row has to be read again at the next scan.
    """
    window = RACY_COARSE_NS if stat.ctime_ns % 1_000_000_000 == 0 else RACY_NS
    return now_ns - stat.ctime_ns < window


def open_by_component(root: int, path: str, /) -> int:
    """Open each directory on the way by itself, so that none of them can be a link."""
    *directories, name = path.split("/")
    parent = root
    try:
        for directory in directories:
            child = os.open(directory, _DIRECTORY_FLAGS, dir_fd=parent)
            if parent != root:
                os.close(parent)
            parent = child
        return os.open(name, _OPEN_FLAGS, dir_fd=parent)
    finally:
        if parent != root:
            os.close(parent)


def openat2_opener() -> Opener | None:
    """`openat2` with the resolution confined to the root, or None where it cannot be called."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        syscall = ctypes.CDLL(None, use_errno=True).syscall
    except (OSError, AttributeError):
        return None
    syscall.restype = ctypes.c_long
    syscall.argtypes = [ctypes.c_long, ctypes.c_int, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_size_t]
    number = 437  # the same on every architecture
    resolve_no_symlinks, resolve_beneath = 0x04, 0x08
    how = struct.pack("=QQQ", _OPEN_FLAGS, 0, resolve_no_symlinks | resolve_beneath)

    def openat2(root: int, path: str, /) -> int:
        encoded = os.fsencode(path)
        for _ in range(8):
            fd = int(syscall(number, root, encoded, how, len(how)))
            if fd >= 0:
                return fd
            code = ctypes.get_errno()
            # EAGAIN: a rename somewhere made the confinement undecidable this time.
            if code not in (errno.EAGAIN, errno.EINTR):
                break
        raise OSError(code, os.strerror(code), path)

    probe = os.open("/", _DIRECTORY_FLAGS)
    try:
        os.close(openat2(probe, "."))
    except OSError:
        return None
    finally:
        os.close(probe)
    return openat2


class Reader:
    """Reads files below one root; one for each worker thread, because it owns a descriptor of the root.

    `limit` is the size in bytes up to which the content is kept; larger files are hashed in steps.
    `between` is called between the reading and the second `fstat`: tests write to the file there.
    """

    def __init__(
        self,
        root: str,
        *,
        limit: int,
        clock: Clock,
        opener: Opener | None = None,
        between: Callable[[str], None] | None = None,
    ) -> None:
        self._path = root
        self._limit = limit
        self._clock = clock
        self._opener = opener or openat2_opener() or open_by_component
        self._between = between
        # What looks into the steps needs them one by one.
        self._at_once = opener is None and between is None and not failpoint.armed()
        self._native: Directory | None = None
        self._root = -1
        self._root_identity: tuple[int, int] | None = None
        self._root_error: str | None = None
        self.refresh()

    def close(self) -> None:
        """Close the descriptors of the root. Idempotent."""
        self._native = None
        root, self._root = self._root, -1
        if root >= 0:
            os.close(root)

    def refresh(self) -> None:
        """Look whether the root is still the directory that was opened, and open it anew if not.

        Called once for each batch: a descriptor survives the replacement of the directory, and would go
        on reading the tree that was moved away. While there is no root, every path is unreadable; that
        they are all gone is for the engine to say.
        """
        try:
            if _identity(os.stat(self._path)) != self._root_identity:
                root = os.open(self._path, _DIRECTORY_FLAGS & ~getattr(os, "O_NOFOLLOW", 0))
                self.close()
                self._root = root
                self._root_identity = _identity(os.fstat(root))
                self._native = _native(f"/proc/self/fd/{root}") if self._at_once else None
            self._root_error = None
        except OSError as error:
            self._root_error = f"the root {self._path}: {_reason(error)}"

    def size(self, path: str) -> int:
        """Size of the file if it is small enough to be held, else 0; never raises. For `ByteBudget`."""
        stat = self._lstat(path)
        if stat is None:
            return 0
        size = stat.size
        return size if size <= self._limit else _STEP

    def read(self, path: str) -> Reading:
        """Read `path` (relative to the root), up to three times if it changes meanwhile. No OSError."""
        if self._root_error is not None:
            return Unreadable(self._root_error, None)
        if self._native is not None:
            found = self._read_at_once(self._native, path)
            if found is not None:
                return found
        for _ in range(_TRIES):
            failpoint.hit("fp_lstat_then_open")
            try:
                fd = self._opener(self._root, path)
            except OSError as error:
                return Gone() if error.errno in _GONE else Unreadable(_reason(error), self._lstat(path))
            try:
                outcome = self._read(fd, path)
            except OSError as error:
                return Gone() if error.errno in _GONE else Unreadable(_reason(error), self._lstat(path))
            finally:
                os.close(fd)
            if outcome is not None:
                return outcome
        return Torn()

    def _read_at_once(self, directory: "Directory", path: str) -> Reading | None:
        """All steps in one call of the native core; None when they are to be done one by one."""
        try:
            found = directory.read(path, self._limit)
        except OSError as error:
            return Gone() if error.errno in _GONE else Unreadable(_reason(error), self._lstat(path))
        if found is None:
            return Gone()
        if found is False:
            return None
        version, content = found
        if content is None:
            return None
        return _read_file(FileStat(*version), content, self._clock.now())

    def rest(self) -> None:
        """Give back the memory that this thread keeps for the next file."""
        if self._native is not None:
            from currant._core import rest_thread

            rest_thread()

    def read_some(self, paths: Sequence[str], room: int) -> list[Reading | None]:
        """Some of these, from the first on, in one go: until their contents have `room` bytes, at most twice
        as much. None for one that is to be read alone, by `read`; nothing at all when every one is."""
        if self._native is None or self._root_error is not None:
            return []
        began = self._clock.now()
        readings: list[Reading | None] = []
        for found in self._native.read_some(paths, min(room, self._limit)):
            if found is None:
                readings.append(Gone())
            elif isinstance(found, tuple):
                size, mtime_ns, ctime_ns, ino, after_ns, content = found
                stat = FileStat(size, mtime_ns, ctime_ns, ino)
                readings.append(_read_file(stat, content, began + after_ns / 1e9))
            else:
                gone = found is not False and found in _GONE
                readings.append(Gone() if gone else None)
        return readings

    def _read(self, fd: int, path: str) -> Reading | None:
        """One attempt; None when the file changed during it."""
        before = os.fstat(fd)
        if not stat_bits.S_ISREG(before.st_mode):
            return Gone()
        failpoint.hit("fp_stat_then_read")
        size = before.st_size
        content: bytes | None = None
        if size > MAX_HASHED_BYTES:
            head = os.read(fd, _HEAD)
            length = size
            digest = stand_in(file_stat(before))
        elif size <= self._limit:
            content = os.read(fd, size + 1)
            # A short read is normal on some file systems; a file that grew is caught by the second fstat.
            while 0 < len(content) < size:
                more = os.read(fd, size + 1 - len(content))
                if not more:
                    break
                content += more
            length = len(content)
            head = content[:_HEAD]
            digest = xxhash.xxh3_128_digest(content)
        else:
            hasher = xxhash.xxh3_128()
            length = 0
            head = b""
            while length <= size:
                step = os.read(fd, _STEP)
                if not step:
                    break
                if not length:
                    head = step[:_HEAD]
                hasher.update(step)
                length += len(step)
            digest = hasher.digest()
        if self._between is not None:
            self._between(path)
        failpoint.hit("fp_read_then_fstat")
        after = os.fstat(fd)
        if length != size or _version(before) != _version(after):
            return None
        stat, now = file_stat(before), self._clock.now()
        return ReadFile(stat, digest, head, content, is_racy(stat, int(now * 1e9)), now)

    def _lstat(self, path: str) -> FileStat | None:
        """What can be known of a file without opening it."""
        if self._root < 0:
            return None
        try:
            return file_stat(os.stat(path, dir_fd=self._root, follow_symlinks=False))
        except OSError:
            return None


def _read_file(stat: FileStat, content: bytes, now: float) -> ReadFile:
    digest = xxhash.xxh3_128_digest(content)
    return ReadFile(stat, digest, content[:_HEAD], content, is_racy(stat, int(now * 1e9)), now)


def _native(path: str) -> "Directory | None":
    """The native core's way to read, None where it cannot: another platform, a kernel or a sandbox that does
    not know the call."""
    from currant._core import Directory

    try:
        return Directory(path)
    except OSError:
        return None


def file_stat(result: os.stat_result) -> FileStat:
    """The part of a stat that tells one state of a file from another."""
    return FileStat(
        size=result.st_size, mtime_ns=result.st_mtime_ns, ctime_ns=result.st_ctime_ns, ino=result.st_ino
    )


def _version(result: os.stat_result) -> tuple[int, int, int, int]:
    return result.st_size, result.st_mtime_ns, result.st_ctime_ns, result.st_ino


def _identity(result: os.stat_result) -> tuple[int, int]:
    return result.st_dev, result.st_ino


def _reason(error: OSError) -> str:
    name = errno.errorcode.get(error.errno or 0, "")
    text = error.strerror or str(error)
    return f"{text} ({name})" if name else text
