"""How many watches each project may set, so that all together keep within the budget. Pure."""

from collections.abc import Mapping
from typing import Final

LEAST: Final = 64
"""Nobody gets fewer: a project whose root alone is watched would be polled as a whole."""
_ROOM: Final = 256


def grant(limit: int, used: Mapping[str, int], waiting: int) -> int:
    """What a project gets that is about to be opened: its part of what is left. `used`: what each open
    project has been granted, or needs as far as that is known; `waiting`: how many are still to be opened,
    this one with them."""
    left = limit - sum(used.values())
    return max(LEAST, left // max(1, waiting))


def need(granted: int, watches: int) -> int:
    """What is kept for an open project that sets `watches` now: room to grow, but not all it was granted."""
    return min(granted, watches + watches // 4 + _ROOM)
