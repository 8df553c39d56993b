"""Old logs are deleted: by age, and the oldest first until what is left fits.

Owns the choice, and that nothing outside of the one directory can be reached: names are looked up in the open
directory, links are not followed, directories are not entered. The newest log of each name is kept whatever
it is: somebody may be writing to it, and what is written to a deleted file is lost.
"""

import contextlib
import os
import re
import stat
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

_LOG: Final = re.compile(r"(?P<stem>.+?)\.(log|jsonl)(?P<turn>[.-][0-9A-Za-z_.:-]*)?(\.gz)?")
"""``currant.log``, ``currant.log.3``, ``currant.log.2026-01-31.gz``, ``access.jsonl``; nothing else."""


@dataclass(frozen=True, slots=True)
class LogFile:
    """One file: bytes, and when it was last written (wall time)."""

    name: str
    size: int
    mtime: float


@dataclass(slots=True)
class Cleaned:
    """What was done. `problems`: files that could not be deleted, with the reason."""

    deleted: int = 0
    freed_bytes: int = 0
    kept: int = 0
    kept_bytes: int = 0
    problems: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {name: getattr(self, name) for name in self.__slots__}


def stem_of(name: str) -> str | None:
    """Which log a file belongs to; None for what is no log."""
    found = _LOG.fullmatch(name)
    return None if found is None else found["stem"]


def to_delete(files: Iterable[LogFile], now: float, max_age_s: float, max_bytes: int) -> list[LogFile]:
    """Which of the logs go, the oldest first. The newest of each stem never does."""
    ordered = sorted(files, key=lambda one: (one.mtime, one.name))
    newest = {stem_of(one.name): one for one in ordered}
    left = sum(one.size for one in ordered)
    gone = []
    for one in ordered:
        if newest[stem_of(one.name)] is one:
            continue
        if now - one.mtime > max_age_s or left > max_bytes:
            gone.append(one)
            left -= one.size
    return gone


def clean(directory: Path, now: float, *, max_age_days: float, max_total_mb: float) -> Cleaned:
    """Delete what is too old or too much in `directory`; `now` is wall time. A directory that is not there
    has no logs. Raises OSError when it cannot be listed, or is a link."""
    done = Cleaned()
    flags = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0)
    try:
        folder = os.open(directory, flags)
    except FileNotFoundError:
        return done
    try:
        files = list(_logs(folder))
        gone = to_delete(files, now, max_age_days * 86_400.0, int(max_total_mb * (1 << 20)))
        for one in gone:
            try:
                os.unlink(one.name, dir_fd=folder)
            except FileNotFoundError:
                continue  # rotated away meanwhile
            except OSError as error:
                done.problems.append(f"{one.name}: {error.strerror or error}")
                continue
            done.deleted += 1
            done.freed_bytes += one.size
        done.kept = len(files) - done.deleted
        done.kept_bytes = sum(one.size for one in files) - done.freed_bytes
    finally:
        os.close(folder)
    return done


def _logs(folder: int) -> Iterable[LogFile]:
    for name in os.listdir(folder):
        if stem_of(name) is None:
            continue
        with contextlib.suppress(FileNotFoundError):
            found = os.stat(name, dir_fd=folder, follow_symlinks=False)
            if stat.S_ISREG(found.st_mode):
                yield LogFile(name, found.st_size, found.st_mtime)
