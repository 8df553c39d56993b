"""When a difference between disk and index is drift. Pure: it is told what was seen.

A difference is a suspicion at first: most are changes that are on their way. So a whole barrier is passed
and both sides are looked at once more. Only a path whose disk side was the same before and after the
barrier, and whose row still disagrees, has *drifted*: something changed it that nobody reported, or a part
of ours is wrong.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from currant.model import FileStat, Held


class Looked(NamedTuple):
    """What the disk says of a path: `stat` None when no regular file is there. `evidence` is the state of
    every directory down to it: a file that came, went or was moved along with one has changed that. `known`
    False: no look was possible."""

    stat: FileStat | None
    links: int = 1
    evidence: tuple[tuple[int, ...], ...] = ()
    known: bool = True


class Suspect(NamedTuple):
    """A path on which both sides disagreed at the first look. `content`: the hash that was read, if one was.
    `kept` False: the rules do not list it."""

    path: str
    row: Held | None
    disk: Looked
    content: str | None = None
    kept: bool = True


def agree(row: Held | None, disk: Looked) -> bool:
    """Whether a row is right about a path, by size, times and inode. What could not be looked at is not held
    against the row, nor is a failure that could not even get a stat."""
    if not disk.known:
        return True
    if row is None or disk.stat is None:
        return row is None and disk.stat is None
    return row.stat == disk.stat or (row.state != "ok" and row.stat.ctime_ns < 0)


def judge(suspect: Suspect, row: Held | None, disk: Looked, content: str | None, kept: bool) -> str | None:
    """What a suspicion has become behind the barrier: ``stale`` (a row that is wrong about its file),
    ``missing`` (a file without a row), ``extra`` (a row without a file), or None for no drift.

    `row`, `disk`, `content` and `kept` are those of the second look. Whatever moved between the two looks is
    not held against the index: it may be on its way once more."""
    if not disk.known or not suspect.disk.known or disk != suspect.disk or kept != suspect.kept:
        return None
    if not kept:
        return None if row is None or row != suspect.row else "extra"
    if not agree(row, disk):
        return "missing" if row is None else "extra" if disk.stat is None else "stale"
    if row is None or suspect.content is None or row.state != "ok":
        return None
    return "stale" if content == suspect.content and row.content != content else None


def cause_of(path: str, kind: str, row: Held | None, disk: Looked, engine: Mapping[str, Any]) -> str:
    """Why a path may have drifted, as far as it shows."""
    for key, why in (
        ("denied_paths", "its directory may not be read"),
        ("unwatched_paths", "its directory could not be watched"),
        ("remote_paths", "its file system does not report all changes"),
    ):
        if any(path.startswith(f"{below}/") or not below for below in engine.get(key, ())):
            return why
    if disk.links > 1:
        return "hard link: written through another name"
    if kind == "stale" and row is not None and row.stat == disk.stat:
        return "content changed under the same size and times"
    if kind == "stale":
        return "unknown: changed without a notification (a store through a memory map, or another machine)"
    return "unknown"
