"""Owns: a call that blocks, in a thread, awaited under asyncio or trio; and what becomes of it when the wait
is cancelled.

Each call has a thread of its own, which ends with it: threads that wait for long starve nobody of those that
anyio lends, and none is kept. They are daemons, so that an event loop that was dropped in the middle does not
hold up the end of the process.
"""

import asyncio
import contextlib
import sys
import threading
from collections.abc import Callable
from typing import Final, Generic, TypeVar, cast

import anyio

T = TypeVar("T")

_NOTHING: Final = object()


async def run(call: Callable[[], T], limiter: anyio.CapacityLimiter) -> T:
    """The answer of `call`. Cancelled, it is abandoned: it goes on and counts under the limiter."""
    token = object()
    await limiter.acquire_on_behalf_of(token)
    under_way = _Call(call, lambda: limiter.release_on_behalf_of(token))
    await under_way.wait()
    return under_way.answer()


async def finish(
    call: Callable[[], T], *, cancel: Callable[[], object], undo: Callable[[T], object] = lambda _: None
) -> T:
    """The answer of `call`. Cancelled, `cancel` is called, the end of the call waited for, and its answer
    undone."""
    under_way = _Call(call)
    try:
        await under_way.wait()
        return under_way.answer()
    except (anyio.get_cancelled_exc_class(), KeyboardInterrupt):
        cancel()
        with anyio.CancelScope(shield=True):
            await under_way.wait()
            if under_way.has_answer():
                await _Call(lambda: undo(under_way.answer())).wait()
        raise


async def idle(limiter: anyio.CapacityLimiter, seconds: float) -> bool:
    """Wait until no call counts under this limiter; False when `seconds` were not enough. Not cancelled by
    what ends the caller."""
    tokens: list[object] = []
    with anyio.CancelScope(shield=True), anyio.move_on_after(seconds) as waited:
        for _ in range(int(limiter.total_tokens)):
            token = object()
            await limiter.acquire_on_behalf_of(token)
            tokens.append(token)
    for token in tokens:
        limiter.release_on_behalf_of(token)
    return not waited.cancelled_caught


class _Call(Generic[T]):
    """A call under way in a thread."""

    def __init__(self, call: Callable[[], T], after: Callable[[], object] = lambda: None) -> None:
        self._call = call
        self._after = after
        self._ended = anyio.Event()
        self._answer: object = _NOTHING
        self._error: BaseException | None = None
        self._tell = _from_threads()
        threading.Thread(target=self._run, name="currant-await", daemon=True).start()

    def _run(self) -> None:
        try:
            self._answer = self._call()
        except BaseException as error:
            self._error = error
        with contextlib.suppress(RuntimeError):  # the event loop is no more
            self._tell(self._over)

    def _over(self) -> None:
        self._ended.set()
        self._after()

    async def wait(self) -> None:
        """Until it has ended."""
        await self._ended.wait()

    def has_answer(self) -> bool:
        """It ended, and without an error."""
        return self._answer is not _NOTHING

    def answer(self) -> T:
        """What it returned; raises what it raised."""
        if self._error is not None:
            raise self._error
        return cast(T, self._answer)


def _from_threads() -> Callable[[Callable[[], object]], object]:
    """How another thread has the running event loop call something."""
    if trio := sys.modules.get("trio"):
        with contextlib.suppress(RuntimeError):
            tell: Callable[[Callable[[], object]], object] = trio.lowlevel.current_trio_token().run_sync_soon
            return tell
    return asyncio.get_running_loop().call_soon_threadsafe
