"""Owns the one thread that looks after the runs: it renews leases, stores progress, brings wishes to cancel,
ends what is out of time, and rescues what lost workers left.

Independent of the handlers, so that one that computes for an hour keeps its lease. Each tick is a few reads;
it writes when there is something to write.
"""

import logging
import random
from collections.abc import Callable
from typing import Final

from currant.clock import Clock
from currant.config import JobsSettings
from currant.errors import ClosedError, StoreError
from currant.jobs import claim, run, transitions
from currant.jobs.context import Stop
from currant.jobs.follow import Follower
from currant.jobs.manager import JobManager
from currant.jobs.model import Job
from currant.jobs.retry import RetryPolicy
from currant.jobs.slots import Slot, Slots
from currant.jobs.transitions import Run

log = logging.getLogger(__name__)

# A lease whose holder says nothing is over after so many times its length by this process's own clock, too.
_OBSERVED: Final = 1.5

_OPEN: Final = "SELECT 1 FROM job WHERE status IN ('pending', 'processing') LIMIT 1"

# How often it looks when there is no job, and the kernel tells when another process writes to the table.
_NOTHING_SECONDS: Final = 60.0


class Supervisor:
    """For one thread, which calls `tick` again and again; `close` when it is over."""

    def __init__(
        self,
        manager: JobManager,
        slots: Slots,
        types: list[str],
        settings: JobsSettings,
        clock: Clock,
        policy: RetryPolicy,
        *,
        replace: Callable[[Slot], None],
    ) -> None:
        """`replace`: called for a run that does not stop; its thread is not to be counted on. Raises
        StoreError."""
        self._manager = manager
        self._database = manager.database
        self._slots = slots
        self._types = types
        self._settings = settings
        self._clock = clock
        self._policy = policy
        self._dice = random.Random()
        self._replace = replace
        self._follower = Follower(manager.database)
        # A heartbeat that is nearly as long as the lease would lose jobs to a busy machine.
        self._every = min(settings.heartbeat_s, settings.lease_s / 3)
        self._beat_at = clock.monotonic() - self._every
        self._seen: dict[Run, tuple[float, float]] = {}
        self.last_beat = clock.now()
        manager.on_change.append(self._changed)

    def close(self) -> None:
        """Let go of the database. Idempotent."""
        if self._changed in self._manager.on_change:
            self._manager.on_change.remove(self._changed)
        self._follower.close()

    def pause(self, *, told: bool) -> None:
        """Wait until something may be due; `told` says that writes of other processes are told. Raises
        ClosedError."""
        often = self._settings.poll_ms / 1000
        if told and self._nothing_to_do():
            self._slots.rest(max(often, _NOTHING_SECONDS))
        else:
            self._slots.pause(often)

    def _nothing_to_do(self) -> bool:
        """Here or in another process, now or later."""
        if self._slots.all():
            return False
        try:
            with self._database.read() as connection:
                return connection.execute(_OPEN).get is None
        except ClosedError:
            raise
        except StoreError:
            return False

    def tick(self) -> None:
        """One round. Raises ClosedError when the database is; everything else is logged, and tried again."""
        for step in (self._follow, self._out_of_time, self._beat, self._peek):
            try:
                step()
            except ClosedError:
                raise
            except StoreError as error:
                log.warning("jobs: %s", error)
            except Exception:
                log.exception("jobs: unexpected error in %s", step.__name__)

    # --- the steps --------------------------------------------------------------------------------------

    def _changed(self, job: Job) -> None:
        """On any thread."""
        if job.cancel_requested or job.is_final:
            self._ask(job)
        self._slots.wake()

    def _follow(self) -> None:
        news = self._follower.poll()
        if news is None:
            return
        for job in news:
            self._manager.tell(job)  # and by that `_changed`
        self._slots.wake()  # a pause that ended is no change of a job

    def _ask(self, job: Job) -> None:
        for slot in self._slots.of(job.id):
            if job.fence != slot.run.fence or job.worker != slot.run.worker:
                slot.context.stop(Stop.LOST)
            elif job.cancel_requested:
                slot.context.stop(Stop.CANCEL)

    def _out_of_time(self) -> None:
        for slot in self._slots.held():
            context = slot.context
            why = context.overdue()
            if why is None or (context.why is Stop.SHUTDOWN):
                continue
            context.stop(Stop.TIMEOUT)
            if context.stopping_for() >= self._settings.abandon_s:
                self._abandon(slot, why)

    def _abandon(self, slot: Slot, why: str) -> None:
        """A thread cannot be ended. Its job fails for good: another attempt would run beside this one."""
        log.error("jobs: %s of %s does not stop: %s", slot.run.id, slot.context.job.type, why)
        outcome = run.Outcome("failed", error=f"{why}, and does not stop when asked to")
        with self._database.write() as connection:
            job = run.record(connection, slot.run, slot.context, outcome, self._clock.now())
            if job is not None:
                self._manager.announce(job)
        slot.given_up = True
        self._replace(slot)

    def _beat(self) -> None:
        """Renew first, then rescue: after a suspended machine wakes up, every lease is over."""
        # Of before the write: what goes by during it is part of the lease that is renewed there.
        now = self._clock.monotonic()
        due = now - self._beat_at >= self._every
        slots = self._slots.held()
        said = [(slot, said) for slot in slots if (said := slot.context.take_progress()) is not None]
        if not due and not said:
            return
        try:
            if slots:
                self._write(slots if due else [], said)
        except BaseException:
            for slot, _ in said:
                slot.context.untake_progress()
            raise
        if due:
            self.last_beat = self._clock.now()
            self._beat_at = now
            self._rescue()

    def _write(self, beating: list[Slot], said: list[tuple[Slot, tuple[float | None, str | None]]]) -> None:
        lost: list[Slot] = []
        wanted: list[Slot] = []
        with self._database.write() as connection:
            now = self._clock.now()
            for slot in beating:
                asked = transitions.beat(connection, slot.run, now=now, lease_s=self._settings.lease_s)
                if asked is None:
                    lost.append(slot)
                elif asked:
                    wanted.append(slot)
            for slot, (progress, message) in said:
                job = transitions.report(connection, slot.run, progress, message)
                if job is not None:
                    self._manager.announce(job)
        for slot in lost:
            if not slot.over:
                log.warning("jobs: the lease of %s is lost", slot.run.id)
                slot.context.stop(Stop.LOST)
        for slot in wanted:
            slot.context.stop(Stop.CANCEL)

    def _rescue(self) -> None:
        with self._database.read() as connection:
            lost = transitions.expired(connection, now=self._clock.now())
            lost += self._silent(transitions.leases(connection))
        # Asked afterwards: one that was claimed meanwhile is among both.
        mine = {slot.run for slot in self._slots.held()}
        for one in dict.fromkeys(lost):
            if one in mine:
                continue
            with self._database.write() as connection:
                now = self._clock.now()
                delay = self._policy.delay(1, self._dice)
                job = transitions.rescue(connection, one, now=now, delay_s=delay)
                if job is not None:
                    self._manager.announce(job)
            if job is not None:
                log.warning("jobs: worker %s is lost, %s is %s now", one.worker, one.id, job.status)

    def _silent(self, leases: dict[Run, float]) -> list[Run]:
        """Runs whose lease has not moved for longer than a lease, by this process's clock: what its wall time
        says may come from before the clock was set back."""
        now = self._clock.monotonic()
        self._seen = {
            one: seen if (seen := self._seen.get(one)) is not None and seen[0] == until else (until, now)
            for one, until in leases.items()
        }
        return [one for one, (_, at) in self._seen.items() if now - at > _OBSERVED * self._settings.lease_s]

    def _peek(self) -> None:
        """Delays end by themselves: wake the idle threads when something is due."""
        with self._database.read() as connection:
            found = claim.next_job(
                connection, self._types, now=self._clock.now(), aging_s=self._settings.aging_s
            )
        if found is not None:
            self._slots.wake()
