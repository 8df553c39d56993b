"""Owns the threads that work the jobs off, from start to stop.

Each thread takes the next job, runs its handler and writes the end; one more thread supervises them
(`supervise`). `stop` hands back what does not end in time, so that nothing is lost by a restart.
"""

import logging
import os
import random
import threading
from collections.abc import Mapping
from typing import Any, Final

from currant.bell import listen
from currant.clock import Clock
from currant.config import JobsSettings
from currant.errors import ClosedError, StoreError
from currant.jobs import claim, transitions
from currant.jobs.context import JobContext, Stop
from currant.jobs.ids import uuid7
from currant.jobs.manager import JobManager
from currant.jobs.model import JobType
from currant.jobs.retry import RetryPolicy
from currant.jobs.run import Handler, Outcome, perform, record
from currant.jobs.slots import Slot, Slots
from currant.jobs.supervise import Supervisor
from currant.jobs.transitions import Run

log = logging.getLogger(__name__)

__all__ = ["Handler", "JobWorker"]

SOFT_S: Final = 10.0
HARD_S: Final = 25.0
_MOST_WORKERS: Final = 4
# Threads that were started in place of ones that do not come back; then the pool shrinks.
_MOST_REPLACED: Final = 8


class JobWorker:
    """Works off the jobs for which there are handlers. Thread-safe; starts once."""

    def __init__(
        self,
        manager: JobManager,
        handlers: Mapping[JobType, Handler],
        settings: JobsSettings | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._manager = manager
        self._database = manager.database
        self._handlers = {str(kind): handler for kind, handler in handlers.items()}
        self._settings = settings or manager.settings
        self._clock = clock or manager.clock
        self._policy = RetryPolicy(self._settings.backoff_base_s, self._settings.backoff_max_s)
        self._dice = random.Random()
        self._slots = Slots(self._clock)
        self._threads: list[threading.Thread] = []
        self._supervising: threading.Thread | None = None
        self._supervisor: Supervisor | None = None
        self._replaced = 0
        self._last_claim: float | None = None
        self._size = self._settings.workers or min(_MOST_WORKERS, os.cpu_count() or 1)
        # Never used twice, whatever number the next process gets.
        self.name = f"{os.getpid()}-{uuid7(self._clock.now())[-12:]}"

    def start(self) -> None:
        """Start the threads. Raises StoreError."""
        with self._database.write() as connection:
            settled = transitions.settle_future(connection, now=self._clock.now())
        if settled:
            log.warning("jobs: the clock was set back; %d job(s) were due in a time to come", settled)
        self._supervisor = Supervisor(
            self._manager,
            self._slots,
            list(self._handlers),
            self._settings,
            self._clock,
            self._policy,
            replace=self._replace,
        )
        self._supervising = threading.Thread(
            target=self._supervise, name="currant-jobs-supervisor", daemon=True
        )
        self._supervising.start()
        for _ in range(self._size):
            self._add_thread()

    def stop(self, soft_s: float = SOFT_S, hard_s: float = HARD_S) -> bool:
        """Begin no more jobs. Those in work may end within `soft_s`, are then asked to stop, and `hard_s`
        after the call they are handed back as if they had not run. Whether all handlers have ended;
        idempotent."""
        began = self._clock.monotonic()
        with self._slots.changed:
            self._slots.closing = True
            self._slots.changed.notify_all()
        if not self._slots.wait_idle(soft_s):
            for slot in self._slots.held():
                slot.context.stop(Stop.SHUTDOWN)
            if not self._slots.wait_idle(max(0.0, hard_s - (self._clock.monotonic() - began))):
                for slot in self._slots.held():
                    if not slot.over:
                        self._give_back(slot)
                # Those whose end is just being written; it would be a pity to have them run again.
                self._slots.wait_idle(0.0 if self._slots.hurry else 1.0)
                for slot in self._slots.held():
                    self._give_back(slot)
        with self._slots.changed:
            self._slots.ended = True
            self._slots.changed.notify_all()
        if self._supervising is not None:
            self._supervising.join()
        if self._supervisor is not None:
            self._supervisor.close()
        left = len(self._slots.all())
        # The threads of handlers that do not stop are left behind: they end with the process.
        for thread in self._threads:
            if not left:
                thread.join()
        return not left

    def now(self) -> None:
        """A second signal: `stop`, which another thread is in, waits for nothing any more."""
        with self._slots.changed:
            self._slots.hurry = True
            self._slots.changed.notify_all()

    def wake(self) -> None:
        """Look for due jobs now; after a test moved its clock."""
        self._slots.wake()

    def health(self) -> dict[str, Any]:
        """``alive`` (all threads that should be), ``running``, ``workers``, ``abandoned`` (handlers that do
        not stop), ``last_claim_age_s`` (None: none yet), ``last_beat_age_s``."""
        now = self._clock.now()
        slots = self._slots.all()
        supervised = self._supervising is not None and self._supervising.is_alive()
        abandoned = sum(slot.given_up for slot in slots)
        living = sum(thread.is_alive() for thread in self._threads)
        beat = self._supervisor.last_beat if self._supervisor is not None else None
        return {
            "alive": supervised and living >= self._size,
            "name": self.name,
            "workers": self._size,
            "running": len(slots) - abandoned,
            "abandoned": abandoned,
            "last_claim_age_s": None if self._last_claim is None else now - self._last_claim,
            "last_beat_age_s": None if beat is None else now - beat,
        }

    # --- the threads ------------------------------------------------------------------------------------

    def _add_thread(self) -> None:
        number = len(self._threads)
        thread = threading.Thread(target=self._work, name=f"currant-jobs-{number}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _replace(self, slot: Slot) -> None:
        """The thread of this slot is lost; by the supervisor's thread."""
        self._slots.wake()
        if self._replaced < _MOST_REPLACED and not self._slots.closing:
            self._replaced += 1
            self._add_thread()

    def _supervise(self) -> None:
        assert self._supervisor is not None
        bell = listen(self._database.path.parent, self._slots.tell, writes=True)
        try:
            while not self._slots.ended:
                self._slots.look()
                try:
                    self._supervisor.tick()
                    self._supervisor.pause(told=bell is not None and bell.works)
                except ClosedError:
                    return
        finally:
            if bell is not None:
                bell.close()

    def _work(self) -> None:
        while not self._slots.closing:
            seen = self._slots.news()
            try:
                slot = self._take()
            except ClosedError:
                return
            except StoreError as error:
                log.warning("jobs: %s", error)
                self._slots.pause(1.0)
                continue
            except Exception:  # a thread that ends here would not be missed
                log.exception("jobs: unexpected error while looking for work")
                self._slots.pause(1.0)
                continue
            if slot is None:
                if not self._slots.wait_news(seen):
                    return
            elif not self._run(slot):
                return

    def _take(self) -> Slot | None:
        aging_s, types = self._settings.aging_s, list(self._handlers)
        with self._database.read() as connection:  # most of the time there is nothing, and nobody is to wait
            if claim.next_job(connection, types, now=self._clock.now(), aging_s=aging_s) is None:
                return None
        slot: Slot | None = None
        try:
            with self._database.write() as connection:
                if self._slots.closing:
                    return None
                now = self._clock.now()
                found = claim.next_job(connection, types, now=now, aging_s=aging_s)
                lease_s = self._settings.lease_s
                if found is None or not (
                    job := transitions.claim(connection, found, self.name, now=now, lease_s=lease_s)
                ):
                    return None
                context = JobContext(job, self._clock, stall_s=self._settings.stall_s)
                slot = Slot(Run(job.id, self.name, job.fence), context)
                # Before anybody can know that it runs, so that no wish to cancel it is missed.
                self._slots.add(slot)
                self._manager.announce(job)
        except BaseException:
            if slot is not None:
                self._slots.remove(slot)
            raise
        self._last_claim = now
        return slot

    def _run(self, slot: Slot) -> bool:
        """False when this thread was replaced meanwhile, or is to end."""
        try:
            handler = self._handlers[slot.context.job.type]
            outcome = perform(handler, slot.context, self._policy, self._dice)
            slot.over = True
            self._finish(slot, outcome)
            return not slot.given_up
        finally:
            self._slots.remove(slot)

    def _finish(self, slot: Slot, outcome: Outcome) -> None:
        """Write the end, however often that has to be tried: a job whose end is not written is run again."""
        wait = 0.05
        while not slot.given_up and outcome.kind != "lost" and not self._slots.ended:
            try:
                with self._database.write() as connection:
                    job = record(connection, slot.run, slot.context, outcome, self._clock.now())
                    if job is not None:
                        self._manager.announce(job)
                if job is None:
                    log.warning("jobs: %s ended as %s, but is not ours any more", slot.run.id, outcome.kind)
                return
            except ClosedError:
                return
            except ValueError as error:
                outcome = Outcome("failed", error=f"the result cannot be stored: {error}")
            except StoreError as error:
                log.warning("jobs: the end of %s is not written: %s", slot.run.id, error)
                self._slots.pause(wait)
                wait = min(2.0, wait * 2)

    def _give_back(self, slot: Slot) -> None:
        slot.given_up = True
        try:
            with self._database.write() as connection:
                job = transitions.hand_back(connection, slot.run, now=self._clock.now())
                if job is not None:
                    self._manager.announce(job)
        except StoreError as error:  # then its lease runs out, and it is rescued
            log.warning("jobs: %s is not handed back: %s", slot.run.id, error)
