"""How far the service steps back: pure, from what is used and since when.

One ladder, always climbed in this order: no model is asked (1), the cache shrinks (2), one worker for each
project, which rests between batches (3), changes are taken in less often (4). A step is taken when something
was over its limit for a while, and taken back when everything was well below it for longer: between the two
nothing changes, so that nothing swings. From the third step on the rest grows while the CPU is still over
its limit.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from currant.budget.contract import Contract
from currant.budget.machine import Sample

TOP: Final = 4
FEWER_WORKERS: Final = 3
SEVERE: Final = 1.25
"""So far over a limit nobody waits for the next step."""
RELAXED: Final = 0.85
"""Below this part of every limit a step can be taken back."""
CPU_STALLED: Final = 20.0
MEMORY_STALLED: Final = 10.0
MOST_REST: Final = 32.0
MOST_REST_FOR_OTHERS: Final = 4.0
"""Others get four fifths of what one worker would use; all of it would be to stop."""
_MOST_REST: Final = {"cpu": MOST_REST, "busy": MOST_REST_FOR_OTHERS, "memory": 1.0, "stalled": 1.0}
_CACHE_SHARE: Final = 0.25
_COLLECT_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Cause:
    """One limit that does not hold: `of` is memory, cpu, busy or stalled; `highest` the step it may lead to.

    What others use may cost throughput, but not how soon a change is seen: it stops before the last step."""

    of: str
    used: float
    limit: float
    highest: int = TOP

    @property
    def severe(self) -> bool:
        """Whether to hurry."""
        return self.of == "memory" and self.used >= self.limit * SEVERE


@dataclass(frozen=True, slots=True)
class State:
    """Where it stands. Times are of a monotonic clock: of the last change, since when something is over its
    limit, since when all is well below; None: it is not. `rest`: seconds of rest for a second of work."""

    level: int = 0
    rest: float = 0.0
    changed: float = float("-inf")
    over: float | None = None
    under: float | None = None
    causes: tuple[Cause, ...] = ()


@dataclass(frozen=True, slots=True)
class Steps:
    """What a state asks for. `cache_share` (0 to 1) of the cache's size; `workers` None: as many as the
    settings say; `collect_s`: how long changes gather before they are taken."""

    llm_paused: bool = False
    cache_share: float = 1.0
    workers: int | None = None
    rest: float = 0.0
    collect_s: float = 0.0


def steps_of(state: State) -> Steps:
    """What is done in a state."""
    return Steps(
        llm_paused=state.level >= 1,
        cache_share=_CACHE_SHARE if state.level >= 2 else 1.0,
        workers=1 if state.level >= FEWER_WORKERS else None,
        rest=state.rest if state.level >= FEWER_WORKERS else 0.0,
        collect_s=_COLLECT_SECONDS if state.level >= TOP else 0.0,
    )


def decide(
    state: State, sample: Sample, limits: Contract, now: float, *, raise_after: float, lower_after: float
) -> State:
    """The state after one more look. `raise_after`, `lower_after`: seconds."""
    causes = tuple(over(sample, limits))
    if causes:
        since = now if state.over is None else state.over
        state = replace(state, over=since, under=None, causes=causes)
        hurry = any(cause.severe for cause in causes)
        if hurry or now - max(since, state.changed) >= raise_after:
            return _up(state, now)
        return state
    if not relaxed(sample, limits):
        return replace(state, over=None, under=None)
    since = now if state.under is None else state.under
    state = replace(state, over=None, under=since)
    if state.level and now - max(since, state.changed) >= lower_after:
        return _down(state, now)
    return state if state.level else replace(state, causes=())


def over(sample: Sample, limits: Contract) -> Iterator[Cause]:
    """Every limit that does not hold, our own before those of the machine."""
    if limits.memory is not None and sample.rss > limits.memory:
        yield Cause("memory", sample.rss, limits.memory)
    if limits.cpu is not None and sample.cpu > limits.cpu:
        yield Cause("cpu", sample.cpu, limits.cpu)
    if limits.busy is None:
        return
    # The kernel's figure counts our own waiting too; where there is none, others' use has to do.
    waits = sample.cpu_stalled is None or sample.cpu_stalled >= CPU_STALLED
    if sample.others > limits.busy and waits:
        yield Cause("busy", sample.others, limits.busy, FEWER_WORKERS)
    if sample.memory_stalled is not None and sample.memory_stalled >= MEMORY_STALLED:
        yield Cause("stalled", sample.memory_stalled, MEMORY_STALLED, FEWER_WORKERS)


def relaxed(sample: Sample, limits: Contract) -> bool:
    """Whether everything is well below its limit."""
    return (
        (limits.memory is None or sample.rss < limits.memory * RELAXED)
        and (limits.cpu is None or sample.cpu < limits.cpu * RELAXED)
        and (limits.busy is None or sample.others < limits.busy * RELAXED)
        and (limits.busy is None or (sample.memory_stalled or 0.0) < MEMORY_STALLED * RELAXED)
    )


def _up(state: State, now: float) -> State:
    highest = max(cause.highest for cause in state.causes)
    if state.level < highest:
        level = state.level + 1
        return replace(state, level=level, rest=max(state.rest, float(level >= FEWER_WORKERS)), changed=now)
    most = max((_MOST_REST[cause.of] for cause in state.causes), default=0.0)
    if state.level >= FEWER_WORKERS and state.rest < most:
        rest = min(state.rest * 2, most)
        return replace(state, rest=rest, changed=now if rest != state.rest else state.changed)
    return state


def _down(state: State, now: float) -> State:
    if state.level == FEWER_WORKERS and state.rest > 1:
        return replace(state, rest=state.rest / 2, changed=now)
    level = state.level - 1
    return replace(
        state,
        level=level,
        rest=state.rest if level >= FEWER_WORKERS else 0.0,
        changed=now,
        causes=state.causes if level else (),
    )
