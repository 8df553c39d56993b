"""Who holds a root's lock, and whether that process is able to answer: from the kernel's tables alone.

Owns the reading of `/proc`. Asks nobody and takes nothing: asking for the lock could win it. Where there is
no `/proc`, nobody is known to hold a lock and nobody to be suspended.
"""

import os
from pathlib import Path
from typing import Final

from currant.errors import OwnerSuspendedError

PROC: Final = Path("/proc")
CGROUPS: Final = Path("/sys/fs/cgroup")


def lock_holder(lock: Path, locks: str | None = None) -> int | None:
    """The process that holds the lock file, from the kernel's table.

    None when nobody does, or where there is no such table; 0 for one in another container."""
    try:
        found = lock.stat()
        table = (PROC / "locks").read_text() if locks is None else locks
    except OSError:
        return None
    wanted = (os.major(found.st_dev), os.minor(found.st_dev), found.st_ino)
    for line in table.splitlines():
        fields = line.split()
        if len(fields) < 6 or fields[1] == "->":
            continue  # a waiter, not a holder
        major, minor, inode = fields[5].split(":")
        if (int(major, 16), int(minor, 16), int(inode)) == wanted and fields[3] == "WRITE":
            return int(fields[4])
    return None


def suspended(pid: int, proc: Path = PROC, cgroups: Path = CGROUPS) -> str | None:
    """Why process `pid` does not run though it lives, and what makes it go on; None when it runs, is gone, or
    cannot be seen. A process under a tracer counts as stopped while the tracer holds it."""
    if pid <= 0:
        return None
    try:
        text = (proc / str(pid) / "stat").read_text(errors="replace")
        state = text[text.rindex(")") + 2]  # the name before it may hold brackets of its own
    except (OSError, ValueError, IndexError):
        return None
    if state == "T":
        return f"is stopped: kill -CONT {pid}"
    if state == "t":
        return "is held by a debugger or tracer: let it go on"
    frozen = _frozen_group(pid, proc, cgroups)
    return None if frozen is None else f"is frozen with its control group: {frozen}"


def _frozen_group(pid: int, proc: Path, cgroups: Path) -> str | None:
    """What thaws the frozen control group of a process; None when it is not frozen."""
    try:
        lines = (proc / str(pid) / "cgroup").read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        _number, controllers, name = line.split(":", 2)
        if controllers == "":
            group = cgroups / name.lstrip("/")
            if "frozen 1" in _text(group / "cgroup.events").splitlines():
                return f"echo 0 > {group}/cgroup.freeze (or that of a group above it)"
        elif "freezer" in controllers.split(","):
            group = cgroups / "freezer" / name.lstrip("/")
            if _text(group / "freezer.state").strip() in ("FROZEN", "FREEZING"):
                return f"echo THAWED > {group}/freezer.state"
    return None


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


class Patience:
    """Looks at a process while one waits for it in slices. Suspended at two looks in a row is suspended: a
    tracer stops a process for an instant at each of its calls."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._before = False

    def look(self) -> None:
        """Once after each slice without an answer. Raises OwnerSuspendedError."""
        why = suspended(self._pid)
        if why is not None and self._before:
            raise OwnerSuspendedError(self._pid, why)
        self._before = why is not None
