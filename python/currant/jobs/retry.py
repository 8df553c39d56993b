"""Owns when a failed job is tried again. Pure: chance comes from outside."""

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """`base_s` doubled with each attempt, at most `most_s`; of that, half to all by chance, so that what
    failed together does not come back together."""

    base_s: float
    most_s: float

    def delay(self, attempt: int, dice: random.Random) -> float:
        """Seconds to wait after attempt number `attempt` (from 1)."""
        # The exponent is bounded before the power is taken: attempts may be many.
        full = min(self.most_s, self.base_s * 2.0 ** min(max(attempt, 1) - 1, 60))
        return full * (0.5 + dice.random() / 2)
