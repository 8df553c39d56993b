"""Owns what runs in this process: one slot for each run, and who waits for a change of that."""

import threading
from dataclasses import dataclass

from currant.clock import Clock
from currant.jobs.context import JobContext
from currant.jobs.transitions import Run


@dataclass(slots=True)
class Slot:
    """A run in this process. `over`: the handler has ended, and its end is being written. `given_up`: its job
    is somebody else's now, whatever the handler still does."""

    run: Run
    context: JobContext
    over: bool = False
    given_up: bool = False


class Slots:
    """The slots, and a count of news that idle threads wait for. Thread-safe."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.changed = threading.Condition()
        self._slots: dict[Run, Slot] = {}
        self._news = 0
        self._told = False  # since the supervisor looked last
        self._resting = False
        self.closing = False  # no more claims
        self.ended = False  # no more writes
        self.hurry = False  # no more waiting

    def add(self, slot: Slot) -> None:
        """A run begins."""
        with self.changed:
            self._slots[slot.run] = slot
            self._told = True
            self.changed.notify_all()

    def remove(self, slot: Slot) -> None:
        """A run is over."""
        with self.changed:
            self._slots.pop(slot.run, None)
            self._news += 1  # its project is free
            self.changed.notify_all()

    def all(self) -> list[Slot]:
        """Every run now."""
        with self.changed:
            return list(self._slots.values())

    def held(self) -> list[Slot]:
        """Those whose job is still ours."""
        return [slot for slot in self.all() if not slot.given_up]

    def of(self, job_id: str) -> list[Slot]:
        """Runs of one job; more than one when an earlier one did not stop."""
        return [slot for slot in self.all() if slot.run.id == job_id]

    def wake(self) -> None:
        """Something may be due."""
        with self.changed:
            self._news += 1
            self._told = True
            self.changed.notify_all()

    def tell(self) -> None:
        """Something was written; whether anything is due is for the supervisor to find out."""
        with self.changed:
            self._told = True
            if self._resting:  # else it looks soon enough, and its own writes are among what is told
                self.changed.notify_all()

    def look(self) -> None:
        """The supervisor looks now: what is told from here on is told for its next look."""
        with self.changed:
            self._told = False

    def rest(self, seconds: float) -> None:
        """Wait so long, until something is told after `look`, or until it is over."""
        with self.changed:
            if not self.ended and not self._told:
                self._resting = True
                self.changed.wait(seconds)
                self._resting = False

    def news(self) -> int:
        """To be asked before looking, and given to `wait_news` when nothing was found."""
        with self.changed:
            return self._news

    def wait_news(self, seen: int) -> bool:
        """Wait for something that came after `seen`; False when it is time to end."""
        with self.changed:
            while self._news == seen and not self.closing:
                self.changed.wait()
            return not self.closing

    def wait_idle(self, seconds: float) -> bool:
        """Wait at most so long for every run to end; whether all have. Not at all once it is to hurry."""
        deadline = self._clock.monotonic() + seconds
        with self.changed:
            while any(not slot.given_up for slot in self._slots.values()):
                left = deadline - self._clock.monotonic()
                if left <= 0 or self.hurry:
                    return False
                self.changed.wait(min(left, 0.5))
            return True

    def pause(self, seconds: float) -> None:
        """Wait so long, or until it is over."""
        with self.changed:
            if not self.ended:
                self.changed.wait(seconds)
