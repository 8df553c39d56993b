"""How long a question waits for a fresh answer when nobody said so.

Owns: the decision, and what is told of it. A watcher that is as good as done is waited for; one that has a
tree to read for the first time is not, for then the wait ends without a fresh answer anyway.
"""

from collections.abc import Callable
from typing import Any, Final

from currant.cli.output import duration

WATCHER_SECONDS: Final = 10.0
"""As long as that there is hope."""

GLANCE_SECONDS: Final = 2.0
"""Where the watcher cannot say how long it will take."""

_FEW: Final = 1_000
"""So many files are never what a wait fails by."""

Progress = dict[str, Any]
"""An answer to ``progress``: `currant.model.Progress` in plain values."""


def patience(look: Callable[[], Progress], glance: Callable[[float], bool]) -> tuple[float, str | None]:
    """Seconds to wait for the answer, and what to say if it is not fresh then.

    `look` asks how far the watcher is; `glance` waits for a fresh index for up to so many seconds and says
    whether it came to that."""
    at = look()
    if _hopeful(at, WATCHER_SECONDS):
        return WATCHER_SECONDS, None
    if at["eta_seconds"] is None:
        if glance(GLANCE_SECONDS):
            return WATCHER_SECONDS, None
        at, left = look(), WATCHER_SECONDS - GLANCE_SECONDS
        # A scan that finds nothing to read is one over an index of an earlier day, and ends fresh.
        if _hopeful(at, left) or (at["phase"] == "scanning" and not at["done"]):
            return left, None
        return 0.0, _told(at)
    return GLANCE_SECONDS, _told(at)


def _hopeful(at: Progress, seconds: float) -> bool:
    if at["phase"] not in ("scanning", "indexing"):
        return True
    if at["eta_seconds"] is not None and at["eta_seconds"] <= seconds:
        return True
    return bool(at["phase"] == "indexing" and at["total"] - at["done"] <= _FEW)


def _told(at: Progress) -> str:
    if at["phase"] == "scanning":
        how_far = f"the tree is still being listed, {at['done']:,} files are done"
    else:
        left = "" if at["eta_seconds"] is None else f", about {duration(at['eta_seconds'])} left"
        how_far = f"{at['done']:,} of {at['total']:,} files are done{left}"
    return f"indexing: {how_far}; answered from what there is (--wait SECONDS waits longer)"
