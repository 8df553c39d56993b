"""How many watches each project may set, so that all together keep within the budget."""

from collections.abc import Collection, Mapping
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


class Shares:
    """What each project was granted. Not thread-safe."""

    def __init__(self) -> None:
        self._granted: dict[str, int] = {}

    def grant(
        self, limit: int, project: str, kept: Collection[str], now: Mapping[str, int], there: Collection[str]
    ) -> int:
        """The part of `project`, which is about to be opened. `kept`: projects that are, or are about to be;
        `now`: the watches of those that are open; `there`: all that are to be opened some time."""
        others = {one: count for one, count in self._granted.items() if one in kept and one != project}
        used = {one: need(count, now[one]) if one in now else count for one, count in others.items()}
        self._granted = others | {project: grant(limit, used, sum(one not in others for one in there))}
        return self._granted[project]
