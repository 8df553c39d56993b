"""The scheduler and its guards.

APScheduler is a good clock with known ways to stop: an error of its store while it notes a run ends its
thread, and `running` stays true; a shutdown uses up runs that it does not make; waiting for running tasks it
holds the locks that they need; two processes run everything twice. Each guard here is against one of them,
and each has a test that fails without it.
"""

import logging
import threading
from collections.abc import Callable
from datetime import UTC
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MAX_INSTANCES, EVENT_JOB_MISSED
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.schedulers.base import STATE_PAUSED, STATE_STOPPED
from sqlalchemy.exc import SQLAlchemyError

from currant import statedir
from currant.clock import Clock, SystemClock
from currant.config import Settings
from currant.errors import StoreError, UsageError
from currant.lock import RootLock
from currant.periodic import register
from currant.periodic.executor import DaemonExecutor
from currant.periodic.registry import PeriodicTask, active
from currant.periodic.store import BUSY_SECONDS, ScheduleStore, open_store, unusable, wall

log = logging.getLogger(__name__)

LOCK_NAME: Final = "schedules.lock"
TICK_SECONDS: Final = 30.0
"""It looks at least so often: a tick is a sign of life, and after a suspend, or when another process has
changed a schedule, nothing is late by more than this."""
RETRY_SECONDS: Final = 10.0
DEAD_AFTER: Final = 3 * TICK_SECONDS + 2 * BUSY_SECONDS
"""Without a tick for so long it is taken for dead."""
STEPPED_BACK: Final = 5.0


class GuardedScheduler(BackgroundScheduler):  # type: ignore[misc]
    """One clock for one home, in one process at a time."""

    _thread: threading.Thread | None = None

    def __init__(
        self, home: Path, settings: Settings, clock: Clock, store: ScheduleStore, **options: Any
    ) -> None:
        self.home = home
        self.settings = settings
        self.tasks: list[PeriodicTask] = []
        """What is to be scheduled; `register_jobs` sets it."""
        self._clock = clock
        self.store = store
        self._executor = DaemonExecutor(settings.periodic.pool_size)
        self._single = RootLock(home, f"the schedules of {home}", name=LOCK_NAME)
        self._last_tick: float | None = None
        self._last_wall = clock.now()
        self._last_error: str | None = None
        self._counts = {"missed": 0, "skipped": 0, "errors": 0, "store_errors": 0}
        super().__init__(jobstores={"default": store}, executors={"default": self._executor}, **options)
        for event, name in (
            (EVENT_JOB_MISSED, "missed"),
            (EVENT_JOB_MAX_INSTANCES, "skipped"),
            (EVENT_JOB_ERROR, "errors"),
        ):
            self.add_listener(self._counting(name), event)

    # --- life -------------------------------------------------------------------------------------------

    def start(self, paused: bool = False) -> None:
        """Take the home's schedules, bring the store in line with `tasks`, and run. Raises LockedError naming
        the process that has them, StoreError; then nothing is left open."""
        self._single.acquire()
        try:
            super().start(paused=True)  # nothing is due before everything is in place
            self.reconcile()
            if not paused:
                self.resume()
        except BaseException as error:
            if self.state != STATE_STOPPED:
                self.shutdown(wait=False)
            self.store.shutdown()
            self._single.release()
            if isinstance(error, SQLAlchemyError):
                raise StoreError(unusable(self.home, error)) from error
            raise

    def shutdown(self, wait: bool = True, timeout_s: float | None = None) -> bool:
        """Run nothing more; with `wait`, wait for what runs, at most `timeout_s`. True when nothing runs any
        more. May be called from a task. Idempotent."""
        if self.state != STATE_STOPPED:
            thread = self._thread
            # Never waits while it holds the locks: a task that asks for the schedules would wait for us.
            super(BackgroundScheduler, self).shutdown(wait=False)
            if thread is not None and thread is not threading.current_thread():
                thread.join()
            self._thread = None
        ended = self._executor.join(timeout_s) if wait else True
        self.store.shutdown()  # once more: a task that was running may have opened it again
        self._single.release()
        return ended

    def reconcile(self) -> None:
        """Bring the store in line with `tasks`; see `register.reconcile`. Only when started."""
        register.reconcile(self, self.tasks, self._clock.now())

    # --- the clock --------------------------------------------------------------------------------------

    def _process_jobs(self) -> float:
        """Whatever happens in here, the thread looks again."""
        # The lock that a shutdown takes after it has said so: there must be none between the question and the
        # runs, or they are noted as made and thrown away.
        with self._jobstores_lock:
            if self.state == STATE_STOPPED:
                return 0.0
            try:
                self._mind_the_wall_clock()
                seconds = super()._process_jobs()
                self._last_error = self.store.trouble
                self._counts["store_errors"] += self._last_error is not None
            except Exception as error:
                log.exception("the schedules cannot be worked on now, tried again in %g s", RETRY_SECONDS)
                self._last_error = str(error) or type(error).__name__
                self._counts["store_errors"] += 1
                seconds = RETRY_SECONDS
            self._last_tick = self._clock.monotonic()
        return TICK_SECONDS if seconds is None else min(float(seconds), TICK_SECONDS)

    def _mind_the_wall_clock(self) -> None:
        """A wall clock that was set back would have everything wait until it has caught up."""
        now, before = self._clock.now(), self._last_wall
        self._last_wall = now
        if now < before - STEPPED_BACK:
            log.warning("the clock was set back by %.0f s: schedules are brought forward", before - now)
            self.reconcile()

    # --- how it is --------------------------------------------------------------------------------------

    def health(self) -> dict[str, Any]:
        """``ok``; ``alive`` (its thread), ``paused``, ``last_tick_age_s``, ``last_error`` of the store, and
        the counts ``missed`` (later than the grace), ``skipped`` (still running), ``errors``,
        ``store_errors``. Not `running`, which says nothing of the thread."""
        thread, tick = self._thread, self._last_tick
        alive = thread is not None and thread.is_alive()
        age = None if tick is None else max(0.0, self._clock.monotonic() - tick)
        ok = alive and (age is None or age < DEAD_AFTER) and self._last_error is None
        return {
            "ok": ok,
            "alive": alive,
            "paused": self.state == STATE_PAUSED,
            "last_tick_age_s": age,
            "last_error": self._last_error,
            **self._counts,
        }

    def next_runs(self) -> dict[str, float | None]:
        """When each schedule is due next (wall time)."""
        return {str(job.id): wall(job.next_run_time) for job in self.get_jobs()}

    def _counting(self, name: str) -> Callable[[Any], None]:
        def count(_event: Any) -> None:
            self._counts[name] += 1

        return count


def build_scheduler(
    settings: Settings, home: Path, *, clock: Clock | None = None, busy_s: float = BUSY_SECONDS
) -> GuardedScheduler:
    """A scheduler for this home as the settings say, with every task that is switched on; not started. Its
    store is on a file of its own. Raises UsageError for a time zone that there is not, StoreError."""
    periodic = settings.periodic
    try:
        zone = UTC if periodic.timezone.upper() == "UTC" else ZoneInfo(periodic.timezone)
    except (KeyError, ValueError, OSError) as error:
        raise UsageError(
            f"periodic.timezone = {periodic.timezone!r}: no such time zone here (names as in Europe/Berlin)"
        ) from error
    statedir.prepare(home)
    try:
        store = open_store(home, busy_s)
    except OSError as error:
        raise StoreError(f"{home}: the schedules cannot be opened ({error.strerror or error})") from error
    scheduler = GuardedScheduler(
        home,
        settings,
        clock or SystemClock(),
        store,
        job_defaults={
            "coalesce": periodic.coalesce,
            "max_instances": 1,
            "misfire_grace_time": periodic.misfire_grace_s,  # None: late is better than never
        },
        timezone=zone,
        jobstore_retry_interval=RETRY_SECONDS,
    )
    register_jobs(scheduler, settings)
    return scheduler


def register_jobs(scheduler: GuardedScheduler, settings: Settings) -> list[str]:
    """Have the scheduler run exactly the tasks that are switched on; their names. At once when it runs, else
    when it is started. When something is due next is kept over restarts."""
    scheduler.settings = settings
    scheduler.tasks = active(settings)
    if scheduler.state != STATE_STOPPED:
        scheduler.reconcile()
    return [task.name for task in scheduler.tasks]


def start_scheduler(scheduler: GuardedScheduler) -> None:
    """See `GuardedScheduler.start`."""
    scheduler.start()


def stop_scheduler(scheduler: GuardedScheduler, timeout_s: float = 10.0) -> bool:
    """Stop, waiting for running tasks at most `timeout_s`; whether they ended. Idempotent."""
    return scheduler.shutdown(wait=True, timeout_s=timeout_s)
