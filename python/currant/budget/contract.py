"""The limits in force: those of the settings, and what the control group leaves.

Pure. A limit of the kernel's is approached from below: at the limit itself there is nothing left to decide.
"""

from dataclasses import dataclass
from typing import Final

from currant.config import BudgetSettings

MEMORY_SHARE: Final = 0.8
"""Of the memory that the control group allows; the rest is for pages of files and for what comes at once."""
CPU_SHARE: Final = 0.9


@dataclass(frozen=True, slots=True)
class Contract:
    """None: no limit. `memory` in bytes, `cpu` in CPUs (0.5: half of one), `busy` the share of the machine's
    CPUs (0 to 1) that others may use before we step back."""

    memory: int | None = None
    cpu: float | None = None
    watches: int | None = None
    busy: float | None = None


def contract(settings: BudgetSettings, group_memory: int | None, group_cpu: float | None) -> Contract:
    """What holds for this process, given the limits of its control group (bytes, CPUs; None: none)."""
    memory = [settings.memory_mb << 20] if settings.memory_mb is not None else []
    memory += [int(group_memory * MEMORY_SHARE)] if group_memory is not None else []
    cpu = [settings.cpu_percent / 100] if settings.cpu_percent is not None else []
    cpu += [group_cpu * CPU_SHARE] if group_cpu is not None else []
    busy = settings.busy_percent / 100 if settings.busy_percent > 0 else None
    return Contract(min(memory, default=None), min(cpu, default=None), settings.watches, busy)
