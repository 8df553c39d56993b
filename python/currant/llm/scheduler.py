"""The threads of the expensive tier. Owns which row is next and who waits for what.

Each thread takes a row, brings it to its end, and looks again. What they share is decided under one lock,
without a call or a file in hand. Nothing is lost when a thread or the process ends: the row is still in the
table.
"""

import logging
import random
import threading
from collections import Counter
from collections.abc import Callable
from typing import Final

from currant.clock import Clock
from currant.errors import ClosedError
from currant.llm.extraction import Ended, Extraction, Outcome
from currant.llm.pace import Pace, backoff
from currant.store.ledger import next_day
from currant.store.llm import LlmStore, Waiting

log = logging.getLogger(__name__)

_BATCH: Final = 64
_MAX_WAIT: Final = 60.0
_BROKEN_SECONDS: Final = 5.0


class Scheduler:
    """Start it, tell it of news with `wake`, stop it. `make` gives each thread its own `Extraction`."""

    def __init__(
        self,
        store: LlmStore,
        make: Callable[[], Extraction],
        *,
        limit: int,
        delay: float,
        most: float,
        clock: Clock,
        dice: random.Random,
    ) -> None:
        self._store = store
        self._make = make
        self._delay = delay
        self._most = most
        self._clock = clock
        self._dice = dice
        self._pace = Pace(limit, dice)
        self._limit = limit
        self._changed = threading.Condition()
        self._ready: list[Waiting] = []
        self._under_way: dict[bytes, Waiting] = {}  # by content: equal ones wait for each other
        self._stopping = False
        self._held = False
        self._paused_until = 0.0
        self._paused_for: Ended | None = None
        self._misconfigured = 0
        self._threads: list[threading.Thread] = []
        self.counts: Counter[str] = Counter()

    def start(self) -> None:
        """Start the threads."""
        for number in range(self._limit):
            thread = threading.Thread(target=self._run, name=f"currant-llm-{number}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def wake(self) -> None:
        """The table has changed."""
        with self._changed:
            self._changed.notify_all()

    def resume(self) -> None:
        """Somebody wants it tried again now, whatever it is that it waits for."""
        with self._changed:
            self._paused_until = 0.0
            self._paused_for = None
            self._changed.notify_all()

    def hold(self, held: bool) -> None:
        """Begin nothing, or go on; calls under way end as they would."""
        with self._changed:
            self._held = held
            self._changed.notify_all()

    def stop(self, timeout: float) -> bool:
        """Begin nothing more; wait for the calls under way at most `timeout` seconds in all. A call that is
        left behind stays reserved."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        deadline = self._clock.monotonic() + timeout
        for thread in self._threads:
            thread.join(max(0.0, deadline - self._clock.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    @property
    def under_way(self) -> int:
        """Rows in work."""
        return len(self._under_way)

    @property
    def allowed(self) -> int:
        """How many may be."""
        return self._pace.allowed

    def paused(self) -> Ended | None:
        """What everything waits for: no budget, or settings that cannot work; None when nothing does."""
        with self._changed:
            return self._paused_for if self._clock.now() < self._paused_until else None

    # --- inside -----------------------------------------------------------------------------------------

    def _run(self) -> None:
        extraction = self._make()
        try:
            while (row := self._next()) is not None:
                began = self._clock.monotonic()
                ended: Ended | None = None
                try:
                    ended = extraction.run(row)
                except ClosedError:
                    return
                except Exception as error:
                    # A table that cannot be written, or a fault of ours: not this row's alone, and never a
                    # spin.
                    log.exception("llm: unexpected error at %r", row.path)
                    ended = Ended(Outcome.MISCONFIGURED, reason=f"{type(error).__name__}: {error}")
                finally:
                    self._ended(row, ended, began)
        except ClosedError:
            return
        finally:
            extraction.close()

    def _next(self) -> Waiting | None:
        """The next row to work on; None when it is time to end."""
        with self._changed:
            while not self._stopping:
                wait = self._wait()
                if wait is None:
                    row = self._take()
                    if row is not None:
                        self._under_way[row.content] = row
                        return row
                    now = self._clock.now()
                    due = self._store.next_due(self._delay, self._most, after=now)
                    wait = _MAX_WAIT if due is None else due - now
                self._changed.wait(min(max(wait, 0.01), _MAX_WAIT))
            return None

    def _wait(self) -> float | None:
        """Seconds for which nothing may begin; None when one may."""
        if self._held:
            return _MAX_WAIT
        now = self._clock.now()
        if now < self._paused_until:
            return self._paused_until - now
        held = self._pace.wait(self._clock.monotonic())
        if held > 0:
            return held
        return _MAX_WAIT if len(self._under_way) >= self._pace.allowed else None

    def _take(self) -> Waiting | None:
        if not self._ready:
            found = self._store.due(self._clock.now(), self._delay, self._most, _BATCH + self._limit)
            self._ready = [row for row in found if row.content not in self._under_way][::-1]
        while self._ready:
            row = self._ready.pop()
            if row.content not in self._under_way:
                return row
        return None

    def _ended(self, row: Waiting, ended: Ended | None, began: float) -> None:
        with self._changed:
            self._under_way.pop(row.content, None)
            if ended is not None:
                self.counts[ended.outcome.value] += 1
                self._learn(ended, began)
            self._changed.notify_all()

    def _learn(self, ended: Ended, began: float) -> None:
        """What one row's end means for the others."""
        now = self._clock.now()
        match ended.outcome:
            case Outcome.ANSWERED:
                self._pace.succeeded()
                self._misconfigured = 0
                if self._paused_for is not None and self._paused_for.outcome is Outcome.NO_BUDGET:
                    self._paused_until = 0.0  # less was spent than reserved: there may be room now
            case Outcome.THROTTLED:
                self._pace.throttled(self._clock.monotonic(), began=began, retry_after=ended.retry_after)
                self._ready.clear()  # the row is in the table, and still the first
            case Outcome.NO_BUDGET:
                self._paused_for = ended
                self._paused_until = next_day(now) if ended.reason == "day" else float("inf")
                self._ready.clear()
            case Outcome.MISCONFIGURED:
                self._misconfigured += 1
                self._paused_for = ended
                self._paused_until = now + backoff(self._misconfigured, self._dice, base=_BROKEN_SECONDS)
                self._ready.clear()
