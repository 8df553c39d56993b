"""Owns how an open index notices that its files are no longer those that it opened and wrote.

By `stat` of the names alone: opening and closing one of these files would drop the POSIX locks of SQLite's
own connections. SQLite itself does not look: it reads a file that was deleted, or overwritten, for as long
as it is open, and what it says then is as of some earlier time, or wrong.
"""

import os
from pathlib import Path
from typing import Final

from msgspec import Struct

_COMPANIONS: Final = ("-wal", "-shm")


class _Seen(Struct, frozen=True):
    """One file: which, how large, when last written."""

    identity: tuple[int, int]
    size: int
    mtime_ns: int


class InPlace:
    """The index file and its companions, as this process opened them and as it last wrote them.

    Make it when the index is open and was read once, so that all three exist."""

    def __init__(self, path: Path) -> None:
        self._path = path
        # The -shm file is mapped: the kernel dates it when it likes, so only its identity counts.
        self._names = {suffix: f"{path}{suffix}" for suffix in ("", *_COMPANIONS)}
        self._opened = {suffix: _look(name) for suffix, name in self._names.items()}
        self._written = {suffix: self._opened[suffix] for suffix in ("", "-wal")}

    def note(self) -> None:
        """This process has just written: what the files look like now is its own doing."""
        for suffix in self._written:
            seen = _look(self._names[suffix])
            opened = self._opened[suffix]
            # Never of another file under the name: that one stays a stranger.
            if seen is not None and opened is not None and seen.identity == opened.identity:
                self._written[suffix] = seen

    def missing(self) -> str | None:
        """What is gone or replaced, None when all names still lead to the files that are open."""
        for suffix, opened in self._opened.items():
            if opened is None:
                continue
            seen = _look(self._names[suffix])
            name = self._path.name + suffix
            if seen is None:
                return f"{name} was removed while it was in use"
            if seen.identity != opened.identity:
                return f"{name} was replaced while it was in use"
        return None

    def foreign(self) -> str | None:
        """What somebody else wrote or cut since `note`, None when nobody did. Not during a write of ours."""
        for suffix, written in self._written.items():
            seen = _look(self._names[suffix])
            if seen is None or written is None or seen == written:
                continue
            name = self._path.name + suffix
            if seen.size < written.size:
                return f"{name} was cut while it was in use"
            return f"{name} was written to by another program while it was in use"
        return None


def _look(name: str) -> _Seen | None:
    try:
        found = os.stat(name)
    except OSError:
        return None
    return _Seen((found.st_dev, found.st_ino), found.st_size, found.st_mtime_ns)
