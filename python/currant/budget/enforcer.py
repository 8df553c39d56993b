"""Looks at what is used, decides, and has it done by every service of this process; says what was given up.

Owns when to look, and the words. Called in turns by whoever has a beat (`turn`); `decide` decides.
"""

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, Protocol

from currant.budget.contract import Contract, contract
from currant.budget.decide import Cause, State, Steps, decide, steps_of
from currant.budget.machine import Meter, Sample
from currant.clock import Clock
from currant.config import BudgetSettings
from currant.maintenance.machine import return_memory
from currant.model import Degraded, Throttle

log = logging.getLogger(__name__)

_MEBIBYTE: Final = 1 << 20


class Throttled(Protocol):
    """What can be told to step back: a `currant.service.Service`."""

    def throttle(self, throttle: Throttle) -> None:
        """From now on so much and no more; the same again costs nothing."""


class Enforcer:
    """The contract of one process. Thread-safe."""

    def __init__(
        self,
        settings: BudgetSettings,
        services: Callable[[], Sequence[Throttled]],
        clock: Clock,
        *,
        watches: Callable[[], int] = lambda: 0,
        meter: Meter | None = None,
    ) -> None:
        self._settings = settings
        self._services = services
        self._clock = clock
        self._meter = meter or Meter(clock, watches)
        self._lock = threading.Lock()
        self._state = State()
        self._sample = Sample()
        self._limits = Contract()
        self._looked: float | None = None

    def turn(self) -> bool:
        """Look when it is time to, and have done what follows; whether a step was taken either way."""
        now = self._clock.monotonic()
        with self._lock:
            if not self._settings.enabled:
                return False
            if self._looked is not None and now - self._looked < self._settings.interval_s:
                return False
            first, self._looked = self._looked is None, now
            sample = self._meter.sample()
            self._limits = contract(self._settings, *self._meter.group())
            self._sample = sample
            if first:
                return False  # what the start took is nobody's habit
            before = self._state
            self._state = decide(
                before,
                sample,
                self._limits,
                now,
                raise_after=self._settings.raise_after_s,
                lower_after=self._settings.lower_after_s,
            )
            level, throttle = self._state.level, self._throttle()
            climbed = level > before.level
        if level != before.level:
            log.warning("budget: step %d of 4 (%s)", level, _words(self._state.causes) or "all is well again")
        for service in self._services():
            service.throttle(throttle)
        if climbed and level >= 2:
            return_memory()
        return level != before.level

    def throttle(self) -> Throttle:
        """What holds now; for a service that was just started."""
        with self._lock:
            return self._throttle()

    def degraded(self) -> list[Degraded]:
        """Every step that is taken, with its way out, and watches beyond their budget."""
        with self._lock:
            state, limits, watches = self._state, self._limits, self._sample.watches
        states = list(told(state))
        if limits.watches is not None and watches > limits.watches:
            states.append(
                Degraded(
                    "budget_watches",
                    f"{watches:,} directories are watched, {limits.watches:,} were meant to be",
                    watches - limits.watches,
                    "raise budget.watches, or start the service again: beyond it directories are polled",
                )
            )
        return states

    def status(self) -> dict[str, Any]:
        """Limits, what is used, and the step, in plain values; docs/service.md has the keys."""
        with self._lock:
            state, sample, limits = self._state, self._sample, self._limits
        steps = steps_of(state)
        return {
            "step": state.level,
            "memory_bytes": sample.rss,
            "memory_limit_bytes": limits.memory,
            "cpus": round(sample.cpu, 3),
            "cpus_limit": limits.cpu,
            "watches": sample.watches,
            "watches_limit": limits.watches,
            "others_share": round(sample.others, 3),
            "cpu_pressure": sample.cpu_stalled,
            "memory_pressure": sample.memory_stalled,
            "llm_paused": steps.llm_paused,
            "cache_share": steps.cache_share,
            "workers": steps.workers,
            "rest": steps.rest,
            "collect_seconds": steps.collect_s,
        }

    def _throttle(self) -> Throttle:
        steps = steps_of(self._state)
        return Throttle(
            llm_paused=steps.llm_paused,
            cache_share=steps.cache_share,
            workers=steps.workers,
            rest=steps.rest,
            collect_s=steps.collect_s,
            states=tuple(told(self._state)),
        )


def told(state: State) -> Iterator[Degraded]:
    """Each step that is taken, and what would undo it."""
    steps: Steps = steps_of(state)
    why, fix = _words(state.causes), _way_out(state.causes)
    if steps.llm_paused:
        yield Degraded("budget_llm", f"no model is asked: {why}", 1, fix)
    if steps.cache_share < 1:
        yield Degraded("budget_cache", f"the cache has {steps.cache_share:.0%} of its size: {why}", 1, fix)
    if steps.workers is not None:
        idle = steps.rest / (1 + steps.rest)
        what = f"{steps.workers} worker for each project, at rest {idle:.0%} of the time"
        yield Degraded("budget_workers", f"{what}: {why}", 1, fix)
    if steps.collect_s:
        what = f"changes are gathered for {steps.collect_s:g} s before they are read"
        yield Degraded("budget_watching", f"{what}: {why}", 1, fix)


def _words(causes: Sequence[Cause]) -> str:
    return "; ".join(_WORDS[cause.of](cause) for cause in causes)


def _way_out(causes: Sequence[Cause]) -> str:
    raised = [_WAY_OUT[cause.of] for cause in causes]
    return "; ".join([*dict.fromkeys(raised), "it is taken back by itself when there is room again"])


_WORDS: Final[dict[str, Callable[[Cause], str]]] = {
    "memory": lambda one: f"{one.used / _MEBIBYTE:.0f} MiB are used of {one.limit / _MEBIBYTE:.0f}",
    "cpu": lambda one: f"{one.used:.0%} of a CPU is used of {one.limit:.0%}",
    "busy": lambda one: f"others use {one.used:.0%} of the machine's CPUs",
    "stalled": lambda one: f"processes of the machine wait for memory {one.used:.0f} % of the time",
}
_WAY_OUT: Final = {
    "memory": "raise budget.memory_mb (or the limit of the control group), or remove projects",
    "cpu": "raise budget.cpu_percent (or the quota of the control group), or wait until indexing is done",
    "busy": "nothing to do; budget.busy_percent 0 does not care about others",
    "stalled": "give the machine more memory, or end something",
}
