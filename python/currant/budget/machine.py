"""What is used now, by this process with those that it started, and by everybody else: from the kernel, with
psutil where it helps.

Owns the reading and the differences between two readings. Decides nothing.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from currant.budget import family
from currant.budget.family import PROC
from currant.clock import Clock
from currant.maintenance.machine import resident

CGROUPS: Final = Path("/sys/fs/cgroup")
_NO_LIMIT: Final = 1 << 60
"""Version 1 says so with the largest number of pages there could be."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One look. `rss` in bytes and `cpu` in CPUs since the look before, both with the processes that we
    started; `others` the share (0 to 1) of the machine's CPUs that other processes used since then;
    `cpu_stalled` and `memory_stalled` the kernel's pressure figures (per cent of the last ten seconds in
    which something waited; None: it has none)."""

    rss: int = 0
    cpu: float = 0.0
    watches: int = 0
    others: float = 0.0
    cpu_stalled: float | None = None
    memory_stalled: float | None = None


class Meter:
    """Takes samples. `watches` says how many watches are set."""

    def __init__(
        self,
        clock: Clock,
        watches: Callable[[], int] = lambda: 0,
        *,
        proc: Path = PROC,
        cgroups: Path = CGROUPS,
    ) -> None:
        self._clock = clock
        self._watches = watches
        self._proc = proc
        self._cgroups = cgroups
        self._before: tuple[float, float, float] | None = None

    def sample(self) -> Sample:
        """Since the last call; the first one says nothing of CPUs."""
        now = self._clock.monotonic()
        own, busy = family.cpu_seconds(self._proc), _machine_cpu()
        before, self._before = self._before, (now, own, busy)
        used = others = 0.0
        if before is not None and now > before[0]:
            seconds = now - before[0]
            used = max(0.0, own - before[1]) / seconds
            everybody = max(0.0, busy - before[2]) / seconds
            others = min(1.0, max(0.0, everybody - used) / (os.cpu_count() or 1))
        return Sample(
            rss=resident(self._proc) + family.descendants_bytes(self._proc),
            cpu=used,
            watches=self._watches(),
            others=others,
            cpu_stalled=stalled(self._proc / "pressure" / "cpu"),
            memory_stalled=stalled(self._proc / "pressure" / "memory"),
        )

    def group(self) -> tuple[int | None, float | None]:
        """The limits of our control group and all above it: bytes, CPUs."""
        return group_limits(self._proc, self._cgroups)


def stalled(path: Path) -> float | None:
    """``some avg10`` of a pressure file (https://docs.kernel.org/accounting/psi.html)."""
    try:
        for line in path.read_text().splitlines():
            if line.startswith("some "):
                return float(line.split("avg10=")[1].split()[0])
    except (OSError, ValueError, IndexError):
        pass
    return None


def group_limits(proc: Path = PROC, cgroups: Path = CGROUPS) -> tuple[int | None, float | None]:
    """The limits of memory and CPU of our control group and all above it, the least of each, in version 2
    (``memory.max``, ``cpu.max``) and version 1 (``memory.limit_in_bytes``, ``cpu.cfs_quota_us``), which may
    be in use side by side. None: no limit."""
    try:
        lines = (proc / "self" / "cgroup").read_text().splitlines()
    except OSError:
        return None, None
    memory: list[int] = []
    cpu: list[float] = []
    for line in lines:
        _, _, rest = line.partition(":")
        controllers, _, own = rest.partition(":")
        top = cgroups / controllers if controllers else cgroups
        for folder in _upwards(top, own):
            if not controllers:
                memory += _one(folder / "memory.max")
                cpu += _share(_words(folder / "cpu.max"))
            elif "memory" in controllers.split(","):
                memory += [one for one in _one(folder / "memory.limit_in_bytes") if one < _NO_LIMIT]
            elif "cpu" in controllers.split(","):
                words = _words(folder / "cpu.cfs_quota_us") + _words(folder / "cpu.cfs_period_us")
                cpu += _share(words)
    return min(memory, default=None), min(cpu, default=None)


def _upwards(top: Path, own: str) -> Iterator[Path]:
    """The group `own` and all above it that the mount has: in a container not all, and `top` is ours."""
    folder = Path(os.path.normpath(top / own.lstrip("/")))
    while folder == top or top in folder.parents:
        yield folder
        folder = folder.parent


def _one(path: Path) -> list[int]:
    words = _words(path)
    return [int(words[0])] if len(words) == 1 and words[0].isdecimal() else []


def _share(words: list[str]) -> list[float]:
    """CPUs, of a quota and its period."""
    if len(words) != 2 or not all(word.isdecimal() for word in words) or int(words[1]) <= 0:
        return []
    return [int(words[0]) / int(words[1])]


def _words(path: Path) -> list[str]:
    try:
        return path.read_text().split()
    except OSError:
        return []


def _machine_cpu() -> float:
    """CPU seconds of everybody so far."""
    import psutil

    times = psutil.cpu_times()
    idle = times.idle + getattr(times, "iowait", 0.0)
    # The kernel counts a guest's time within user's too.
    guest = getattr(times, "guest", 0.0) + getattr(times, "guest_nice", 0.0)
    return float(sum(times) - idle - guest)
