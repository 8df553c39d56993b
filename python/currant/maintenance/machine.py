"""How short of memory the machine is, and what this process uses: read from the kernel, decided in one place.

Owns no remedy but one: asking the C library for the memory that it keeps for itself.
"""

import ctypes
import os
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

PROC: Final = Path("/proc")
PRESSURE: Final = PROC / "pressure" / "memory"
CGROUPS: Final = Path("/sys/fs/cgroup")
_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
_M_ARENA_MAX: Final = -8
ARENAS: Final = 2
LARGE_BYTES: Final = 128 << 10
"""The C library begins with this, and raises it to the size of whatever is given back, up to 32 MiB."""
STALLED_PERCENT: Final = 10.0
"""Of the last ten seconds some process waited for memory for so long: the machine is short of it."""


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes; `stalled` is the kernel's pressure figure (per cent, None where there is none)."""

    total: int
    available: int
    stalled: float | None = None


def eviction(memory: Memory, least_percent: float) -> tuple[float, str]:
    """What part of the caches to give back (0 to 1), and why: half of them when less than `least_percent` of
    the memory is available, all of them below half as much, or when processes already wait for memory."""
    share = 100.0 * memory.available / memory.total if memory.total else 100.0
    if memory.stalled is not None and memory.stalled >= STALLED_PERCENT:
        return 1.0, f"processes wait for memory {memory.stalled:.0f} % of the time"
    if share < least_percent / 2:
        return 1.0, f"{share:.1f} % of the memory is available"
    if share < least_percent:
        return 0.5, f"{share:.1f} % of the memory is available"
    return 0.0, ""


def memory(pressure: Path = PRESSURE, cgroups: Path = CGROUPS) -> Memory:
    """Of the machine, or of the control group when that has less."""
    import psutil

    found = psutil.virtual_memory()
    total, available = int(found.total), int(found.available)
    group = _group(cgroups)
    if group is not None and group[0] < total:
        total, available = group[0], min(available, group[1])
    return Memory(total, available, _stalled(pressure))


def process() -> dict[str, Any]:
    """``rss_bytes``, ``cpu_seconds`` (since the start), ``threads``, ``open_files`` of this process."""
    import psutil

    me = psutil.Process()
    with me.oneshot():
        times = me.cpu_times()
        return {
            "rss_bytes": int(me.memory_info().rss),
            "cpu_seconds": times.user + times.system,
            "threads": me.num_threads(),
            "open_files": me.num_fds() if hasattr(me, "num_fds") else None,
        }


def resident(proc: Path = PROC) -> int:
    """Bytes of memory that this process has."""
    try:
        pages = int((proc / "self" / "statm").read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return int(process()["rss_bytes"])
    return pages * os.sysconf("SC_PAGE_SIZE")


def few_arenas() -> None:
    """Have the C library share its pools between threads, before there are many: a service has dozens, most
    of them asleep, and what each keeps for itself adds up. And have it map what is large by itself, as it
    does in a young process: in the pools it would leave holes between what stays, which no page fits."""
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            mallopt = ctypes.CDLL(None).mallopt
            mallopt(_M_ARENA_MAX, ARENAS)
            mallopt(_M_MMAP_THRESHOLD, LARGE_BYTES)
            mallopt(_M_TRIM_THRESHOLD, 2 * LARGE_BYTES)


def return_memory() -> bool:
    """Have the C library give free memory back to the system; whether it knows how to."""
    if sys.platform != "linux":
        return False
    try:
        return bool(ctypes.CDLL(None).malloc_trim(0)) or True
    except (OSError, AttributeError):  # musl has none
        return False


def _stalled(path: Path) -> float | None:
    try:
        for line in path.read_text().splitlines():
            if line.startswith("some "):
                return float(line.split("avg10=")[1].split()[0])
    except (OSError, ValueError, IndexError):
        pass
    return None


def _group(cgroups: Path) -> tuple[int, int] | None:
    """(limit, left of it) in bytes of the control group (v2) with the least left; None without a limit. Pages
    of files that nobody uses do not count: the kernel drops them first."""
    try:
        lines = Path("/proc/self/cgroup").read_text().splitlines()
        own = next(line.split("::", 1)[1] for line in lines if line.startswith("0::"))
    except (OSError, StopIteration):
        return None
    found: list[tuple[int, int]] = []
    folder = Path(os.path.normpath(cgroups / own.lstrip("/")))
    while True:
        limit = _limit(folder)
        if limit is not None:
            found.append(limit)
        if folder == cgroups or cgroups not in folder.parents:
            break
        folder = folder.parent
    return min(found, key=lambda one: one[1], default=None)


def _limit(folder: Path) -> tuple[int, int] | None:
    try:
        limit = int((folder / "memory.max").read_text())  # "max" is no number, and no limit
        used = int((folder / "memory.current").read_text())
        stat = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
        return limit, max(0, limit - used + int(stat.get("inactive_file", 0)))
    except (OSError, ValueError):
        return None
