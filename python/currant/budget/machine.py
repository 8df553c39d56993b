"""What is used now, by this process and by everybody else: from the kernel, with psutil where it helps.

Owns the reading and the differences between two readings. Decides nothing.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from currant.clock import Clock
from currant.maintenance import machine

PROC: Final = Path("/proc")
CGROUPS: Final = Path("/sys/fs/cgroup")


@dataclass(frozen=True, slots=True)
class Sample:
    """One look. `rss` in bytes, `cpu` in CPUs since the look before, `others` the share (0 to 1) of the
    machine's CPUs that other processes used since then; `cpu_stalled` and `memory_stalled` the kernel's
    pressure figures (per cent of the last ten seconds in which something waited; None: it has none)."""

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
        own, busy = _own_cpu(), _machine_cpu()
        before, self._before = self._before, (now, own, busy)
        used = others = 0.0
        if before is not None and now > before[0]:
            seconds = now - before[0]
            used = max(0.0, own - before[1]) / seconds
            everybody = max(0.0, busy - before[2]) / seconds
            others = min(1.0, max(0.0, everybody - used) / (os.cpu_count() or 1))
        return Sample(
            rss=rss(self._proc),
            cpu=used,
            watches=self._watches(),
            others=others,
            cpu_stalled=stalled(self._proc / "pressure" / "cpu"),
            memory_stalled=stalled(self._proc / "pressure" / "memory"),
        )

    def group(self) -> tuple[int | None, float | None]:
        """The limits of our control group and all above it: bytes, CPUs."""
        return group_limits(self._proc, self._cgroups)


def rss(proc: Path = PROC) -> int:
    """Bytes of memory that this process has."""
    try:
        pages = int((proc / "self" / "statm").read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return int(machine.process()["rss_bytes"])
    return pages * os.sysconf("SC_PAGE_SIZE")


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
    """``memory.max`` and ``cpu.max`` (version 2), the least of our group and all above it. None: no limit."""
    try:
        lines = (proc / "self" / "cgroup").read_text().splitlines()
        own = next(line.split("::", 1)[1] for line in lines if line.startswith("0::"))
    except (OSError, StopIteration):
        return None, None
    memory: list[int] = []
    cpu: list[float] = []
    folder = Path(os.path.normpath(cgroups / own.lstrip("/")))
    while folder == cgroups or cgroups in folder.parents:
        limit = _words(folder / "memory.max")
        if len(limit) == 1 and limit[0].isdecimal():
            memory.append(int(limit[0]))
        quota = _words(folder / "cpu.max")
        if len(quota) == 2 and all(word.isdecimal() for word in quota) and int(quota[1]) > 0:
            cpu.append(int(quota[0]) / int(quota[1]))
        folder = folder.parent
    return min(memory, default=None), min(cpu, default=None)


def _words(path: Path) -> list[str]:
    try:
        return path.read_text().split()
    except OSError:
        return []


def _own_cpu() -> float:
    """CPU seconds of this process so far."""
    times = os.times()
    return times.user + times.system


def _machine_cpu() -> float:
    """CPU seconds of everybody so far."""
    import psutil

    times = psutil.cpu_times()
    idle = times.idle + getattr(times, "iowait", 0.0)
    # The kernel counts a guest's time within user's too.
    guest = getattr(times, "guest", 0.0) + getattr(times, "guest_nice", 0.0)
    return float(sum(times) - idle - guest)
