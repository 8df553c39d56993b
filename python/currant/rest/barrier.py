"""Owns the barrier in front of reads over HTTP: one for all who wait, and never a thread for each.

A barrier that begins after a request came covers everything written before that request. So those who come
while one is under way share the next one, as in a group commit; two hundred readers cost what two do. The
time spent waiting for one's turn counts: no request waits longer than its budget, and what was not there by
then is named.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from anyio import CapacityLimiter, to_thread

from currant.api import Index
from currant.clock import Clock
from currant.ipc.client import Answer

THREADS: Final = 16
Worse = Callable[[], list[str]]


class Reached(NamedTuple):
    """How far the index was when the barrier ended. `progress` only while it is not fresh."""

    clock: str
    fresh: bool
    outstanding: list[str]
    degraded: list[str]
    progress: dict[str, Any] | None

    def envelope(self) -> dict[str, Any]:
        """What goes in front of every answer about an index."""
        return self._asdict()


class Barriers:
    """For one event loop. `index` of a call is looked up on a thread, when the barrier begins."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._limiter = CapacityLimiter(THREADS)
        self._next: dict[tuple[str, int], tuple[asyncio.Future[Reached], float]] = {}
        self._running: dict[tuple[str, int], asyncio.Task[None]] = {}

    async def reach(
        self, project: str, budget_ms: int, index: Callable[[], Index], worse: Worse = list
    ) -> Reached:
        """Wait for at most `budget_ms`. `worse`: more codes for `degraded`. Raises what the index raises."""
        key = (project, budget_ms)
        waiting = self._next.get(key)
        if waiting is None:
            future: asyncio.Future[Reached] = asyncio.get_running_loop().create_future()
            # Everybody may have hung up before it fails; then nobody is to be told.
            future.add_done_callback(lambda done: done.cancelled() or done.exception())
            waiting = self._next[key] = (future, self._clock.monotonic())
            if key not in self._running:
                self._running[key] = asyncio.create_task(self._run(key, index, worse))
        return await asyncio.shield(waiting[0])

    async def _run(self, key: tuple[str, int], index: Callable[[], Index], worse: Worse) -> None:
        try:
            while key in self._next:
                future, since = self._next.pop(key)
                left = max(0.0, key[1] - (self._clock.monotonic() - since) * 1_000)
                try:
                    reached = await to_thread.run_sync(
                        _reach, index, round(left), worse, limiter=self._limiter
                    )
                except asyncio.CancelledError:
                    future.cancel()
                    raise
                except Exception as error:
                    future.set_exception(error)
                else:
                    future.set_result(reached)
        finally:
            del self._running[key]


def _reach(index: Callable[[], Index], budget_ms: int, worse: Worse) -> Reached:
    found = index()
    told: Answer = found.ask("sync", {}, sync_ms=budget_ms)
    progress = None if told.fresh else found.ask("progress", {}, sync_ms=-1).result
    return Reached(told.clock or "", told.fresh, list(told.outstanding), [*told.degraded, *worse()], progress)
