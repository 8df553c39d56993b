"""Owns how many calls run at once, and when a failed one is tried again. Pure: takes `now` and the dice.

Additive increase, multiplicative decrease: each success lets a little more through, each throttled call
halves what all of them together may do and holds everybody back for a moment.
"""

import random
from typing import Final

_BASE: Final = 1.0
_CAP: Final = 300.0


def backoff(attempts: int, dice: random.Random, *, base: float = _BASE, cap: float = _CAP) -> float:
    """Seconds until the next try after `attempts` failures (>= 1): full jitter over a doubling range, never
    less than a quarter of it."""
    ceiling = min(cap, base * 2.0 ** min(attempts - 1, 30))
    return ceiling * dice.uniform(0.25, 1.0)


class Pace:
    """The limit on calls under way. Not thread-safe; times are seconds of one clock."""

    def __init__(self, limit: int, dice: random.Random) -> None:
        self._limit = limit
        self._dice = dice
        self._allowed = float(limit)
        self._held_until = float("-inf")
        self._reduced_at = float("-inf")
        self._throttles = 0

    @property
    def allowed(self) -> int:
        """How many calls may be under way."""
        return int(self._allowed)

    @property
    def throttles(self) -> int:
        """Throttled calls since the last success."""
        return self._throttles

    def wait(self, now: float) -> float:
        """Seconds for which no call may begin."""
        return max(0.0, self._held_until - now)

    def succeeded(self) -> None:
        """A call came back with an answer."""
        self._throttles = 0
        self._allowed = min(float(self._limit), self._allowed + 1.0 / self._allowed)

    def throttled(self, now: float, *, began: float, retry_after: float | None = None) -> None:
        """A call that began at `began` was turned away for coming too fast.

        Calls that had begun before the last reduction say nothing new, so one burst halves once."""
        self._throttles += 1
        if began >= self._reduced_at:
            self._allowed = max(1.0, self._allowed / 2.0)
            self._reduced_at = now
        pause = backoff(self._throttles, self._dice)
        if retry_after is not None:
            pause = max(pause, min(retry_after, _CAP))
        self._held_until = max(self._held_until, now + pause)
