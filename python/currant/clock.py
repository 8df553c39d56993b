"""Owns time. Deciding code takes `now` as an argument; code that must ask takes a `Clock`."""

import time
from typing import Protocol


class Clock(Protocol):
    """Where the time comes from."""

    def now(self) -> float:
        """Wall time, seconds since the Unix epoch; may step backwards."""

    def monotonic(self) -> float:
        """Seconds since some fixed moment; never steps backwards. For durations."""


class SystemClock:
    """The machine's clocks."""

    def now(self) -> float:
        """Wall time, seconds since the Unix epoch."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds since some fixed moment."""
        return time.monotonic()


class ManualClock:
    """A clock that stands still until told; for tests."""

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self._now = now
        self._monotonic = 0.0

    def now(self) -> float:
        """Wall time as last set."""
        return self._now

    def monotonic(self) -> float:
        """Sum of all `advance` calls."""
        return self._monotonic

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass on both clocks. Raises ValueError when negative."""
        if seconds < 0:
            raise ValueError(f"time does not run backwards: {seconds}")
        self._monotonic += seconds  # first: who compares both in another thread must not see time twice
        self._now += seconds

    def set_wall(self, now: float) -> None:
        """Step the wall clock alone, as an administrator or NTP may."""
        self._now = now
