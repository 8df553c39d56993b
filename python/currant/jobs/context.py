"""Owns what a handler sees of its job: whether to stop, and where to say how far it is.

Nothing here touches the database, so that no handler waits for it: the worker's supervising thread takes what
was said, and brings what is asked.
"""

import threading
from enum import Enum

from currant.clock import Clock
from currant.jobs.model import Job, JobCancelled


class Stop(Enum):
    """Why a run is to stop. In rising order of precedence: a later one replaces an earlier one."""

    SHUTDOWN = 1
    TIMEOUT = 2
    CANCEL = 3
    LOST = 4


class JobContext:
    """One run of one job. Thread-safe: a handler may hand it to threads of its own."""

    def __init__(self, job: Job, clock: Clock, *, stall_s: float) -> None:
        self.job = job
        self._clock = clock
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._why: Stop | None = None
        self._stop_at = 0.0
        self._said: tuple[float | None, str | None] = (None, None)
        self._unsaid = False
        self._began = self._moved_at = clock.monotonic()
        self._stall_s = stall_s

    # --- for the handler --------------------------------------------------------------------------------

    def cancelled(self) -> bool:
        """Whether to stop: cancelled, out of time, the service ends, or the job was given to another worker.
        Stopping is to raise `JobCancelled`; what returns all the same is completed."""
        return self._stop.is_set()

    def check(self) -> None:
        """Raise JobCancelled when it is time to stop."""
        if self._stop.is_set():
            raise JobCancelled

    def wait(self, seconds: float) -> bool:
        """Wait so long, or until it is time to stop; whether it is."""
        return self._stop.wait(seconds)

    def set_progress(self, fraction: float | None, message: str | None = None) -> None:
        """How far it is, 0 to 1, and what is being done. Costs nothing: at most some of it is stored, a few
        times a second. A value out of range is taken as the nearest one; None leaves what was said."""
        if fraction is not None:
            fraction = min(1.0, max(0.0, fraction)) if fraction == fraction else None
        with self._lock:
            said = (
                self._said[0] if fraction is None else fraction,
                self._said[1] if message is None else message,
            )
            if said != self._said:
                self._said = said
                self._unsaid = True
                self._moved_at = self._clock.monotonic()

    # --- for the worker ---------------------------------------------------------------------------------

    @property
    def why(self) -> Stop | None:
        """Why it was asked to stop."""
        return self._why

    def stop(self, why: Stop) -> None:
        """Ask the handler to stop."""
        with self._lock:
            if self._why is None or why.value > self._why.value:
                self._why = why
            if not self._stop.is_set():
                self._stop_at = self._clock.monotonic()
                self._stop.set()

    def stopping_for(self) -> float:
        """Seconds since it was asked to stop; 0 while it was not."""
        return self._clock.monotonic() - self._stop_at if self._stop.is_set() else 0.0

    def take_progress(self) -> tuple[float | None, str | None] | None:
        """What was said since this was last asked; None for nothing new."""
        with self._lock:
            if not self._unsaid:
                return None
            self._unsaid = False
            return self._said

    def untake_progress(self) -> None:
        """It could not be stored after all."""
        with self._lock:
            self._unsaid = True

    def overdue(self) -> str | None:
        """What is wrong when the job is out of time, in words."""
        now = self._clock.monotonic()
        limit = self.job.timeout_s
        if limit is not None:
            return f"took longer than {limit:g} s" if now - self._began >= limit else None
        if now - self._moved_at >= self._stall_s:
            return f"no progress for {self._stall_s:g} s"
        return None
