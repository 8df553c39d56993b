"""What this process and those that it started use: git, and the parsers of large sources.

Owns which processes belong to it. What they use is ours: it counts against our limits, and to call it the use
of others would have the service step back from itself.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

PROC: Final = Path("/proc")
_MOST: Final = 1_000
"""Processes; beyond that something is wrong that is not to be made worse by looking at it."""


def cpu_seconds(proc: Path = PROC) -> float:
    """Processor time of this process, of those that it waited for, and of those that still run."""
    own = os.times()
    total = own.user + own.system + own.children_user + own.children_system
    if not _told(proc):
        return total + sum(_of_psutil("cpu_times"))
    tick = os.sysconf("SC_CLK_TCK")
    for pid in _descendants(proc):
        try:
            # The name may hold anything, blanks and brackets too; what follows its last bracket are numbers.
            words = (proc / str(pid) / "stat").read_bytes().rpartition(b")")[2].split()
            total += sum(map(int, words[11:15])) / tick
        except (OSError, ValueError):  # it has ended
            continue
    return total


def descendants_bytes(proc: Path = PROC) -> int:
    """Memory that processes of ours have for themselves: what they share with others, as the pages of files
    are, is not counted once more."""
    if not _told(proc):
        return int(sum(_of_psutil("memory_info")))
    pages = 0
    for pid in _descendants(proc):
        try:
            resident, shared = (proc / str(pid) / "statm").read_bytes().split()[1:3]
            pages += max(0, int(resident) - int(shared))
        except (OSError, ValueError):
            continue
    return pages * os.sysconf("SC_PAGE_SIZE")


def _told(proc: Path) -> bool:
    """Whether the kernel lists the children of a thread."""
    return (proc / "thread-self" / "children").exists()


def _descendants(proc: Path) -> Iterator[int]:
    """Every process that we started, those that they started, and so on."""
    seen: set[int] = set()
    todo: list[str] = ["self"]
    while todo and len(seen) < _MOST:
        one = todo.pop()
        try:
            threads = os.listdir(proc / one / "task")
        except OSError:
            continue
        for thread in threads:
            try:
                children = (proc / one / "task" / thread / "children").read_bytes().split()
            except OSError:
                continue
            for child in map(int, children):
                if child not in seen:
                    seen.add(child)
                    todo.append(str(child))
                    yield child


def _of_psutil(what: str) -> Iterator[float]:
    """For systems without such lists: seconds or bytes of each."""
    import psutil

    for child in psutil.Process().children(recursive=True):
        try:
            if what == "cpu_times":
                times = child.cpu_times()
                yield times.user + times.system
            else:
                yield float(child.memory_info().rss)
        except psutil.Error:
            continue
