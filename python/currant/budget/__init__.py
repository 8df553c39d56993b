"""The resource contract of the service: how much memory, CPU and how many watches it may use, and what it
gives up first when that is not enough.

- `contract`: the limits in force, from the settings and the control group
- `machine`: what is used now, by this process and by others, from the kernel
- `decide`: how far to step back, pure; the order is fixed: no model is asked, the cache shrinks, fewer
  workers that rest, changes are taken in less often
- `enforcer`: looks, decides, has it done, tells of it
"""

from currant.budget.contract import Contract, contract
from currant.budget.decide import State, Steps, decide, steps_of
from currant.budget.enforcer import Enforcer
from currant.budget.machine import Sample

__all__ = ["Contract", "Enforcer", "Sample", "State", "Steps", "contract", "decide", "steps_of"]
