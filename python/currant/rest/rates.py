"""Owns how many requests are taken: token buckets, and how many may be under way at the same time.

Deciding code: it takes `now`. The limits that the user counts on (refreshes, new projects) are exact and in
`jobs.db`; these only keep a runaway client from making the service useless to others.
"""

from dataclasses import dataclass


@dataclass(slots=True)
class Bucket:
    """`rate` a second, up to `burst` at once. For one thread, or one event loop."""

    rate: float
    burst: float
    _level: float = -1.0
    _at: float = 0.0

    def take(self, now: float) -> float:
        """Take one. 0.0 when there was one; else the seconds until there will be."""
        if self._level < 0:
            self._level, self._at = self.burst, now
        # A clock that steps back gives nothing, and takes nothing either.
        self._level = min(self.burst, self._level + max(0.0, now - self._at) * self.rate)
        self._at = now
        if self._level >= 1:
            self._level -= 1
            return 0.0
        return (1 - self._level) / self.rate
