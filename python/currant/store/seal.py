"""Owns the seal of an index: what the file was when it was last closed, so that the next start can tell
whether it is still that.

SQLite notices a page that does not parse, not a changed byte within one: a path, a hash, a list of names
would be another, and no answer would say so. So closing writes down inode, size, time and checksum of the
file, next to it, and opening compares. While it is open the seal says so: an index that was not closed has
its log, and one without that has lost commits.

The index file is read here like any other file, which drops the locks of SQLite's connections in this
process. There are none: before the first is opened, and after the last is closed.
"""

import os
import zlib
from contextlib import suppress
from enum import Enum, auto
from pathlib import Path
from typing import Final

SEAL_NAME: Final = "index.seal"

ALWAYS_BYTES: Final = 8 << 20
"""Up to this size the content is compared at every start; above it, when inode or time are not the same."""

AT_MOST_BYTES: Final = 256 << 20
"""Above this size no checksum is made: closing would take noticeably longer."""

_LENGTH: Final = 160  # always the same, so that a full disk has room for it
_FIRST: Final = "currant-seal-1"
_OPEN: Final = "open"
_CLOSING: Final = "closing"


class Verdict(Enum):
    """What the seal says of the file under the name."""

    WHOLE = auto()  # as it was closed
    OPEN = auto()  # never closed, and its log is there
    CUT_OFF = auto()  # the same, but the machine has been down since: its last commits may be missing
    UNKNOWN = auto()  # nothing to compare with, or killed while closing
    CHANGED = auto()  # not what was closed


def judge(path: Path) -> tuple[Verdict, str]:
    """Compare the index file, which no connection of this process has open, with its seal; and why it is not
    the same. Raises OSError."""
    words = _read(path)
    if os.path.exists(f"{path}-wal"):
        cut_off = words[:1] == [_OPEN] and words[1:2] != [boot_id()]
        return Verdict.CUT_OFF if cut_off else Verdict.OPEN, ""
    if words[:1] == [_OPEN]:
        return Verdict.CHANGED, "its log is gone, and with it what was committed last"
    if len(words) != 4 or words[0] == _CLOSING:
        return Verdict.UNKNOWN, ""
    found = os.stat(path)
    inode, size, mtime, checksum = words
    if size != str(found.st_size):
        return Verdict.CHANGED, "it has another size than when it was closed"
    same = (inode, mtime) == (str(found.st_ino), str(found.st_mtime_ns))
    if same and (checksum == "-" or found.st_size > ALWAYS_BYTES):
        return Verdict.WHOLE, ""
    if checksum == "-":
        return Verdict.UNKNOWN, ""
    if checksum != _checksum(path):
        return Verdict.CHANGED, "it is not what it was when it was closed"
    return Verdict.WHOLE, ""


def opened(path: Path) -> None:
    """The log is there; from now on the file need not be what its seal says. Raises OSError."""
    words = _read(path)
    # Kept, so that an index that was only read needs no new checksum.
    before = " ".join(words) if len(words) == 4 else ""
    _write(path, f"{_OPEN} {boot_id()} {before}")


def is_open(path: Path) -> bool:
    """Whether the seal says that the index is in use."""
    return _read(path)[:1] == [_OPEN]


def closing(path: Path) -> None:
    """The last connection is about to be closed. Never raises: without a seal the next start looks closer."""
    try:
        _write(path, " ".join([_CLOSING, *_read(path)[2:]]), sync=True)
    except OSError:
        with suppress(OSError):
            os.unlink(_name(path))


def closed(path: Path) -> None:
    """The last connection was closed. Never raises."""
    with suppress(OSError):
        words = _read(path)
        if os.path.exists(f"{path}-wal") or words[:1] != [_CLOSING]:
            return  # somebody else has it open
        found = os.stat(path)
        now = [str(found.st_ino), str(found.st_size), str(found.st_mtime_ns)]
        if words[1:4] == now and len(words) == 5:
            checksum = words[4]
        else:
            checksum = _checksum(path) if found.st_size <= AT_MOST_BYTES else "-"
        _write(path, " ".join([*now, checksum]))


def boot_id() -> str:
    """Which run of the machine this is; always the same where that cannot be told."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return "-"


def _name(path: Path) -> str:
    return os.path.join(path.parent, SEAL_NAME)


def _read(path: Path) -> list[str]:
    """The words after the first one; none when there is no seal or one that we do not know."""
    try:
        with open(_name(path), encoding="ascii", errors="replace") as file:
            first, *words = file.read(4 * _LENGTH).split() or [""]
    except FileNotFoundError:
        return []
    return words if first == _FIRST else []


def _write(path: Path, words: str, *, sync: bool = False) -> None:
    line = f"{_FIRST} {words}".ljust(_LENGTH - 1) + "\n"
    file = os.open(_name(path), os.O_WRONLY | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
    try:
        os.fchmod(file, 0o600)  # whatever the umask took
        os.pwrite(file, line.encode("ascii"), 0)
        if sync:
            os.fsync(file)
    finally:
        os.close(file)


def _checksum(path: Path) -> str:
    value = 0
    with open(path, "rb", buffering=0) as file:
        while block := file.read(1 << 20):
            value = zlib.crc32(block, value)
    return f"{value:08x}"
