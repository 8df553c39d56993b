"""What the writer does while there is nothing to commit: its regular housekeeping, and what others ask for.

Owns the order of the two, the rest between two steps, and the hand-over from the thread that asks. Does not
own any of the work. The index has one thread that writes: upkeep comes to it, in steps so short that a commit
that arrives meanwhile hardly waits.
"""

import threading
from collections import deque
from collections.abc import Callable
from typing import Final

from currant.clock import Clock

REST: Final = 4.0
"""After a step that somebody asked for the writer rests so many times as long as it took."""
LEAST_REST: Final = 0.002
_LOOK: Final = 0.25


class _Request:
    def __init__(self, step: Callable[[], bool]) -> None:
        self.step = step
        self.over = threading.Event()
        self.done = False
        self.error: BaseException | None = None


class IdleWork:
    """`ask` from any thread; `step` is called on the writer's thread, when it has nothing to commit."""

    def __init__(self, regular: Callable[[float], float] | None, clock: Clock) -> None:
        """`regular` gets the wall time, and says after how many seconds it wants to be called again."""
        self.wake: Callable[[], None] = lambda: None
        """Has the writer call `step` soon."""
        self._regular = regular
        self._clock = clock
        self._regular_at = 0.0
        self._lock = threading.Lock()
        self._requests: deque[_Request] = deque()
        self._closed = False

    def ask(
        self, step: Callable[[], bool], timeout: float, cancelled: Callable[[], bool] = lambda: False
    ) -> bool:
        """Have `step` called on the writer's thread until it returns False; True when it did.

        False after `timeout` seconds (the writer had changes to commit all the time), when `cancelled` says
        so, or when the index is closed; a step under way is then the last one. Raises what `step` raises."""
        request = _Request(step)
        with self._lock:
            if self._closed:
                return False
            self._requests.append(request)
        self.wake()
        deadline = self._clock.monotonic() + timeout
        while not cancelled():
            left = deadline - self._clock.monotonic()
            if left <= 0 or request.over.wait(min(left, _LOOK)):
                break
        with self._lock:
            if request in self._requests:
                self._requests.remove(request)
        if request.error is not None:
            raise request.error
        return request.done

    def step(self, now: float) -> float:
        """What is due at the wall time `now`; returns the seconds after which to call again."""
        moment = self._clock.monotonic()
        if self._regular is not None and moment >= self._regular_at:
            self._regular_at = moment + self._regular(now)
            moment = self._clock.monotonic()
        with self._lock:
            request = self._requests[0] if self._requests else None
        if request is not None:
            self._serve(request)
        left = 3_600.0 if self._regular is None else max(0.0, self._regular_at - moment)
        with self._lock:
            if not self._requests:
                return left
        return min(left, max(LEAST_REST, REST * (self._clock.monotonic() - moment)))

    def close(self) -> None:
        """Nothing is asked for any more, and whoever waits goes on. Idempotent."""
        with self._lock:
            self._closed = True
            requests, self._requests = self._requests, deque()
        for request in requests:
            request.over.set()

    def _serve(self, request: _Request) -> None:
        try:
            more = request.step()
        except BaseException as error:
            request.error = error
            more = False
        if more:
            return
        with self._lock:
            request.done = request.error is None
            if request in self._requests:
                self._requests.remove(request)
        request.over.set()
