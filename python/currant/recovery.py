"""Notices that the index on disk is lost or damaged while it is in use, and has it made anew.

Owns: the thread that looks when the kernel tells of something in the state directory, and every few seconds
(every second where it tells nothing), when a repair is tried, how often, and what is said meanwhile. Does
not own: how one sees that something is wrong (`store`, `lock`) or how an index is made (`service`).

One thread, because neither the writer nor a reader may take down what it stands on.
"""

import logging
import random
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from currant.bell import Listening, listen
from currant.clock import Clock
from currant.errors import LockedError

log = logging.getLogger(__name__)

BEAT_SECONDS: Final = 1.0
"""How often the files are looked at when nobody asks, and nobody tells."""
TOLD_BEAT_SECONDS: Final = 60.0
"""The same, where the kernel tells what happens to them: not all that can happen is told."""

_GATHER_SECONDS: Final = 0.5
CALM_SECONDS: Final = 60.0
FREE_REPAIRS: Final = 3
"""So many repairs, each within CALM_SECONDS of the one before, are made at once; then they are spaced out."""

RETRY_CAP_SECONDS: Final = 30.0


def seconds_of_patience(times: int, source: random.Random) -> float:
    """How long to wait after the `times`-th try in a row (1 is the first): half a second, doubling."""
    full = min(RETRY_CAP_SECONDS, 0.5 * float(2 ** min(times - 1, 10)))
    return full / 2 + source.uniform(0.0, full / 2)


class Guard:
    """`look` says what is wrong or None; `repair` puts it right or raises. Both run on the guard's thread;
    `look` may also be called by `ask`. Callables in `beats` run at every look that finds nothing,
    those in `endings` when there will be no repair.

    LockedError from `repair` is final: the root belongs to somebody else now. `directory` has the files."""

    def __init__(
        self,
        look: Callable[[], str | None],
        repair: Callable[[str], None],
        *,
        clock: Clock,
        source: random.Random | None = None,
        directory: Path | None = None,
    ) -> None:
        self.beats: list[Callable[[], None]] = []
        self.endings: list[Callable[[], None]] = []
        self._look = look
        self._repair = repair
        self._clock = clock
        self._random = source or random.Random()
        self._directory = directory
        self._listening: Listening | None = None
        self._changed = threading.Condition()
        self._rung = False
        self._reason: str | None = None
        self._error = ""
        self._failures = 0
        self._not_before = 0.0
        self._hurry = False
        self._repaired_at: float | None = None
        self._in_a_row = 0
        self._final: LockedError | None = None
        self._stopping = False
        self._thread: threading.Thread | None = None

    # --- any thread -------------------------------------------------------------------------------------

    def report(self, reason: str) -> None:
        """Something met damage: repair without waiting for the next look."""
        with self._changed:
            if self._reason is None:
                self._reason = reason
            self._changed.notify_all()

    def ask(self) -> str | None:
        """What is wrong at this moment, None while all is well; what is found is repaired."""
        with self._changed:
            if self._reason is not None:
                return self._reason
        found = self._look()
        if found is not None:
            self.report(found)
        return found

    def settle(self, timeout: float) -> bool:
        """Look, and wait for the repair of what is found. False when it is not repaired within `timeout`
        seconds. Raises LockedError when it never will be, because another process owns the root."""
        if self.ask() is None:
            return True
        deadline = self._clock.monotonic() + timeout
        with self._changed:
            self._hurry = True
            self._changed.notify_all()
            while self._reason is not None and self._final is None and not self._stopping:
                left = deadline - self._clock.monotonic()
                if left <= 0:
                    return False
                self._changed.wait(left)
            if self._final is not None:
                raise self._final
            return self._reason is None

    @property
    def final(self) -> LockedError | None:
        """Why there will be no repair."""
        return self._final

    def trouble(self) -> str | None:
        """What is being repaired and, if a try failed, why; None while all is well."""
        with self._changed:
            if self._reason is None:
                return None
            return f"{self._reason}; making it anew failed: {self._error}" if self._error else self._reason

    # --- life -------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the thread."""
        self._thread = threading.Thread(target=self._run, name="currant-guard", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread after the step it is in. Idempotent; not to be called on that thread."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        try:
            self._go_on()
        finally:
            if self._listening is not None:
                self._listening.close()

    def _listen(self) -> float:
        """Before a look, so that what happens after it is told; for how long the look is good."""
        if self._directory is None:
            return BEAT_SECONDS
        if self._listening is not None and not self._listening.works:
            self._listening.close()
            self._listening = None
        if self._listening is None:
            self._listening = listen(self._directory, self._ring)
        return BEAT_SECONDS if self._listening is None else TOLD_BEAT_SECONDS

    def _ring(self) -> None:
        with self._changed:
            self._rung = True
            self._changed.notify_all()

    def _go_on(self) -> None:
        while True:
            self._rung = False
            beat = self._listen()
            try:
                wait = self.turn()
            except Exception:
                log.exception("guard: unexpected error")
                wait = BEAT_SECONDS
            with self._changed:
                if self._stopping or self._final is not None:
                    return
                due = self._reason is not None and self._clock.monotonic() >= self._not_before
                if not self._hurry and not due and not self._rung:
                    # What is repaired is not calm yet.
                    self._changed.wait(wait if self._reason is not None else max(wait, beat))
                if self._rung and self._reason is None and not self._hurry:
                    # Who removes a directory with all that is in it is to come to its end.
                    self._changed.wait_for(
                        lambda: self._stopping or self._hurry or self._reason is not None, _GATHER_SECONDS
                    )
                if self._stopping:
                    return

    # --- one step ---------------------------------------------------------------------------------------

    def turn(self) -> float:
        """Look, and repair what is found when it is time to; the seconds after which to look again."""
        now = self._clock.monotonic()
        with self._changed:
            reason, hurry = self._reason, self._hurry
            self._hurry = False
        if reason is None:
            reason = self.ask()
        if reason is None:
            for beat in list(self.beats):
                beat()
            return BEAT_SECONDS
        if now < self._not_before and not hurry:
            return self._not_before - now
        log.warning("the index is made anew: %s", reason)
        try:
            self._repair(reason)
        except LockedError as error:
            log.error("the index cannot be made anew: %s", error)
            with self._changed:
                self._final = error
                self._changed.notify_all()
            for ending in list(self.endings):
                ending()
            return BEAT_SECONDS
        except Exception as error:
            return self._failed(error)
        return self._succeeded()

    def _failed(self, error: Exception) -> float:
        if not self._stopping:
            log.warning("the index could not be made anew, tried again: %s", error)
        with self._changed:
            self._failures += 1
            self._error = str(error) or type(error).__name__
            wait = seconds_of_patience(self._failures, self._random)
            self._not_before = self._clock.monotonic() + wait
            self._hurry = False  # whoever waits has had this try
            return wait

    def _succeeded(self) -> float:
        now = self._clock.monotonic()
        with self._changed:
            self._reason, self._error, self._failures, self._hurry = None, "", 0, False
            calm = self._repaired_at is None or now - self._repaired_at > CALM_SECONDS
            self._in_a_row = 1 if calm else self._in_a_row + 1
            self._repaired_at = now
            # Something undoes every repair (a program that cleans up, a file system that dates files anew):
            # do not read the whole tree again every second because of it.
            again = self._in_a_row - FREE_REPAIRS
            self._not_before = now + seconds_of_patience(again + 3, self._random) if again > 0 else 0.0
            self._changed.notify_all()
        for beat in list(self.beats):
            beat()
        return BEAT_SECONDS
