"""The ways in which APScheduler stops, loses runs or doubles them (measured in 3.11.3), and the guards.

Each trap is here twice: as the plain class has it, so that a newer APScheduler without it is noticed, and
with the guard.
"""

import logging
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from apscheduler.events import (
    EVENT_JOB_EXECUTED,
    EVENT_JOB_MAX_INSTANCES,
    EVENT_JOB_MISSED,
    EVENT_JOB_SUBMITTED,
)
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.schedulers.base import STATE_STOPPED
from apscheduler.triggers.interval import IntervalTrigger

from currant.clock import ManualClock
from currant.errors import LockedError
from currant.periodic import Container, registry
from currant.periodic import scheduler as schedulers
from currant.periodic.register import ENTRY_POINT
from currant.periodic.scheduler import DEAD_AFTER, GuardedScheduler
from currant.periodic.store import next_runs
from periodic_kit import SECONDS, Events, Home, make_due, open_home, wait_until

PAST = 1_000.0  # seconds


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with open_home(tmp_path / "home") as home:
        yield home


class Plain(GuardedScheduler):
    """Without the guards."""

    def _process_jobs(self) -> Any:
        return BackgroundScheduler._process_jobs(self)


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedulers, "GuardedScheduler", Plain)


@contextmanager
def locked(scheduler: GuardedScheduler) -> Iterator[None]:
    """Somebody else writes to the store, for longer than anybody waits."""
    connection = scheduler.store.engine.raw_connection()
    connection.cursor().execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        connection.cursor().execute("ROLLBACK")
        connection.close()


def running(monkeypatch: pytest.MonkeyPatch, run: Callable[[Container], int]) -> None:
    """Every task does this."""
    monkeypatch.setattr(registry, "find", lambda name, settings: registry.PeriodicTask(name, "", 60, run))


def locked_when_it_notes_a_run(scheduler: GuardedScheduler, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between what is due and the note that it ran somebody else begins to write."""
    note = scheduler.store.update_job

    def update_job(job: Any) -> None:
        with locked(scheduler):
            note(job)

    monkeypatch.setattr(scheduler.store, "update_job", update_job)


# --- 1: the dead clock ------------------------------------------------------------------------------------


def test_a_store_that_fails_while_a_run_is_noted_does_not_stop_the_clock(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    scheduler = home.scheduler()
    executed = Events(scheduler, EVENT_JOB_EXECUTED)
    scheduler.start(paused=True)
    make_due(scheduler, "audit", PAST)
    with monkeypatch.context() as patch:
        locked_when_it_notes_a_run(scheduler, patch)
        scheduler.resume()
        wait_until(lambda: scheduler.health()["store_errors"] > 0)
        assert scheduler.health()["alive"]
        assert not scheduler.health()["ok"]
        assert "locked" in scheduler.health()["last_error"]
        executed.wait(1)
    scheduler.wakeup()  # as it would by itself after RETRY_SECONDS
    executed.wait(2)  # the run that could not be noted is made again: it adds no second job
    wait_until(lambda: scheduler.health()["ok"])
    assert len(home.queued()) == 1
    at = scheduler.next_runs()["audit"]
    assert at is not None
    assert at > datetime.now(UTC).timestamp() + 3_600


@pytest.mark.usefixtures("plain")
def test_plain_the_thread_dies_and_running_stays_true(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading, "excepthook", lambda told: None)
    scheduler = home.scheduler()
    scheduler.start(paused=True)
    make_due(scheduler, "audit", PAST)
    thread = scheduler._thread
    assert thread is not None
    with monkeypatch.context() as patch:
        locked_when_it_notes_a_run(scheduler, patch)
        scheduler.resume()
        thread.join(SECONDS)
    assert not thread.is_alive()
    assert scheduler.running
    # What the health check is for.
    assert not scheduler.health()["alive"]
    assert not scheduler.health()["ok"]


def test_a_store_that_cannot_be_read_is_told_of_and_tried_again(home: Home) -> None:
    scheduler = home.scheduler()
    executed = Events(scheduler, EVENT_JOB_EXECUTED)
    scheduler.start(paused=True)
    make_due(scheduler, "audit")
    with locked(scheduler):
        scheduler.resume()
        wait_until(lambda: scheduler.health()["store_errors"] > 0)
        assert not scheduler.health()["ok"]  # plain logs it, and that is all
    scheduler.wakeup()
    executed.wait()
    wait_until(lambda: scheduler.health()["ok"])


def test_a_clock_that_does_not_tick_is_not_well(home: Home) -> None:
    clock = ManualClock(datetime.now(UTC).timestamp())
    scheduler = home.scheduler(clock)
    scheduler.start()
    wait_until(lambda: scheduler.health()["last_tick_age_s"] is not None)
    assert scheduler.health()["ok"]
    scheduler.pause()  # stands for a thread that hangs
    clock.advance(DEAD_AFTER + 1)
    assert scheduler.health()["alive"]
    assert not scheduler.health()["ok"]


def test_it_looks_again_soon_even_when_nothing_is_due_for_hours(home: Home) -> None:
    scheduler = home.scheduler()
    scheduler.start(paused=True)
    assert scheduler._process_jobs() == schedulers.TICK_SECONDS  # paused: plain waits for ever
    assert BackgroundScheduler._process_jobs(scheduler) is None
    scheduler.resume()
    assert scheduler._process_jobs() == schedulers.TICK_SECONDS
    assert BackgroundScheduler._process_jobs(scheduler) > 600


# --- 2: an interval that begins anew at each start --------------------------------------------------------


def test_restarts_do_not_put_off_what_is_due(home: Home) -> None:
    start = datetime.now(UTC).timestamp()
    clock = ManualClock(start)
    for _ in range(4):
        scheduler = home.scheduler(clock)
        scheduler.start(paused=True)
        assert scheduler.next_runs()["sync_projects"] == pytest.approx(start + 900)
        scheduler.shutdown()
        clock.advance(200)


def test_plain_replacing_begins_the_interval_anew(home: Home) -> None:
    scheduler = home.scheduler(ManualClock(datetime.now(UTC).timestamp() - 300))
    scheduler.start(paused=True)
    before = scheduler.next_runs()["sync_projects"]
    scheduler.add_job(
        ENTRY_POINT,
        IntervalTrigger(seconds=900, timezone=scheduler.timezone),
        args=["sync_projects"],
        id="sync_projects",
        replace_existing=True,
    )
    after = scheduler.next_runs()["sync_projects"]
    assert before is not None
    assert after is not None
    assert after > before + 200


def test_an_interval_that_was_made_shorter_holds_from_now_on(home: Home) -> None:
    now = datetime.now(UTC).timestamp()
    first = home.scheduler(ManualClock(now), sync_projects_interval=86_400)
    first.start(paused=True)
    first.shutdown()
    second = home.scheduler(ManualClock(now), sync_projects_interval=60)
    second.start(paused=True)
    assert second.next_runs()["sync_projects"] == pytest.approx(now + 60)
    second.shutdown()
    third = home.scheduler(ManualClock(now), sync_projects_interval=86_400)
    third.start(paused=True)
    assert third.next_runs()["sync_projects"] == pytest.approx(now + 60)  # as was promised, then daily


def test_a_clock_that_was_wrong_by_years_does_not_leave_everything_waiting(home: Home) -> None:
    now = datetime.now(UTC).timestamp()
    future = home.scheduler(ManualClock(now + 10 * 31_536_000))
    future.start(paused=True)
    future.shutdown()
    later = home.scheduler(ManualClock(now))
    later.start(paused=True)
    assert all(at is not None and at <= now + 86_401 for at in later.next_runs().values())


def test_a_clock_that_is_set_back_while_it_runs_is_noticed(
    home: Home, caplog: pytest.LogCaptureFixture
) -> None:
    clock = ManualClock(datetime.now(UTC).timestamp())
    scheduler = home.scheduler(clock)
    executed = Events(scheduler, EVENT_JOB_EXECUTED)
    scheduler.start()
    clock.set_wall(clock.now() - 2 * 86_400)
    scheduler.wakeup()
    executed.wait(5)  # the machine's own clock is two days ahead of it, so all is due
    assert "set back" in caplog.text


# --- 3: two schedulers ------------------------------------------------------------------------------------

_OTHER = """
import sys
from pathlib import Path
from currant.config import Settings
from currant.errors import LockedError
from currant.periodic.scheduler import build_scheduler
try:
    scheduler = build_scheduler(Settings(), Path(sys.argv[1]))
    scheduler.start()
except LockedError as error:
    print("locked by", error.pid)
else:
    print("running", flush=True)
    sys.stdin.read()
"""


def test_a_home_has_one_clock_whichever_process_it_is_in(home: Home) -> None:
    command = [sys.executable, "-c", _OTHER, str(home.path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "running\n"
        mine = home.scheduler()
        with pytest.raises(LockedError, match=str(other.pid)):
            mine.start()
        assert mine.state == STATE_STOPPED
        other.kill()  # leaves nothing to clean up
    third = home.scheduler()
    third.start()
    told = subprocess.run(command, capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL)
    assert told.stdout.startswith("locked by ")
    assert third.health()["alive"]


# --- 4: a shutdown that uses up runs ----------------------------------------------------------------------


def test_what_is_due_at_a_shutdown_is_due_at_the_next_start(home: Home) -> None:
    scheduler = home.scheduler()
    scheduler.start(paused=True)
    make_due(scheduler, "audit", PAST)
    before = next_runs(home.path)["audit"]
    scheduler.shutdown()
    assert next_runs(home.path)["audit"] == before
    later = home.scheduler()
    executed = Events(later, EVENT_JOB_EXECUTED)
    later.start()
    assert executed.wait()[0].job_id == "audit"


@pytest.mark.usefixtures("plain")
def test_plain_a_shutdown_notes_runs_that_it_never_made(home: Home, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)
    scheduler = home.scheduler()
    scheduler.start(paused=True)
    make_due(scheduler, "audit", PAST)
    before = next_runs(home.path)["audit"]
    scheduler.shutdown()
    after = next_runs(home.path)["audit"]
    assert before is not None
    assert after is not None
    assert after > before
    assert home.queued() == []


def test_a_shutdown_between_the_question_and_the_runs_waits(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The state is looked at under the lock that a shutdown takes next."""
    scheduler = home.scheduler()
    scheduler.start(paused=True)
    held = []
    original = BackgroundScheduler._process_jobs

    def look(self: Any) -> Any:
        thread = threading.Thread(target=lambda: held.append(scheduler._jobstores_lock.acquire(False)))
        thread.start()
        thread.join()
        return original(self)

    monkeypatch.setattr(BackgroundScheduler, "_process_jobs", look)
    scheduler._process_jobs()
    assert held[0] is False


# --- 5: late is not never ---------------------------------------------------------------------------------


def test_a_run_that_is_late_is_made_once(home: Home) -> None:
    scheduler = home.scheduler()
    executed = Events(scheduler, EVENT_JOB_EXECUTED)
    scheduler.start(paused=True)
    make_due(scheduler, "sync_projects", 5 * 900 + 1)  # a laptop that slept
    scheduler.resume()
    executed.wait()
    assert scheduler._executor.join(SECONDS)
    assert [event.job_id for event in executed.seen] == ["sync_projects"]
    assert scheduler.health()["missed"] == 0


def test_with_a_grace_it_is_left_out_and_counted(home: Home) -> None:
    scheduler = home.scheduler(misfire_grace_s=1)  # what plain does when nobody says anything
    missed = Events(scheduler, EVENT_JOB_MISSED)
    scheduler.start(paused=True)
    make_due(scheduler, "audit", PAST)
    scheduler.resume()
    missed.wait()
    assert home.queued() == []
    assert scheduler.health()["missed"] == 1


# --- 6: a shutdown that waits for whom waits for it -------------------------------------------------------


def stopping_while_a_task_asks(home: Home, monkeypatch: pytest.MonkeyPatch, patience: float) -> bool:
    """Whether a task that runs during a shutdown gets the lock that `get_jobs` needs."""
    entered, inside, got = threading.Event(), threading.Event(), []
    scheduler = home.scheduler()
    shutdown = scheduler._executor.shutdown

    def shutting_down(wait: bool = True) -> None:
        inside.set()  # with both locks held
        shutdown(wait)

    monkeypatch.setattr(scheduler._executor, "shutdown", shutting_down)

    def run(here: Container) -> int:
        entered.set()
        assert inside.wait(SECONDS)
        free = scheduler._jobstores_lock.acquire(timeout=patience)
        if free:
            scheduler._jobstores_lock.release()
        got.append(free)
        return 0

    running(monkeypatch, run)
    scheduler.start(paused=True)
    make_due(scheduler, "audit")
    scheduler.resume()
    assert entered.wait(SECONDS)
    scheduler.shutdown(wait=True)
    return got == [True]


def test_a_task_that_asks_for_the_schedules_does_not_hang_the_shutdown(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert stopping_while_a_task_asks(home, monkeypatch, SECONDS)


def test_plain_the_shutdown_holds_the_lock_while_it_waits(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Waiting(GuardedScheduler):
        def shutdown(self, wait: bool = True, timeout_s: float | None = None) -> bool:
            if self.state != STATE_STOPPED:
                BackgroundScheduler.shutdown(self, wait=True)
                self._thread = None
            return super().shutdown(wait, timeout_s)

    class Pool(ThreadPoolExecutor):  # type: ignore[misc]
        def join(self, timeout_s: float | None) -> bool:
            return True

    monkeypatch.setattr(schedulers, "GuardedScheduler", Waiting)
    monkeypatch.setattr(schedulers, "DaemonExecutor", Pool)
    assert not stopping_while_a_task_asks(home, monkeypatch, 0.3)


def test_a_task_that_hangs_is_not_waited_for_longer_than_was_said(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    entered, leave = threading.Event(), threading.Event()

    def run(here: Container) -> int:
        entered.set()
        return int(leave.wait(SECONDS))

    running(monkeypatch, run)
    scheduler = home.scheduler()
    scheduler.start(paused=True)
    make_due(scheduler, "audit")
    scheduler.resume()
    assert entered.wait(SECONDS)
    assert not schedulers.stop_scheduler(scheduler, 0.0)
    leave.set()
    assert schedulers.stop_scheduler(scheduler, SECONDS)


_HANGS = """
import sys, threading
from pathlib import Path
from currant.config import Settings
from currant.jobs import Database, JobManager
from currant.periodic import Container, registry, set_container
from currant.periodic.scheduler import build_scheduler, stop_scheduler
home = Path(sys.argv[1])
entered = threading.Event()
def hangs(here):
    entered.set()
    threading.Event().wait()
registry.find = lambda name, settings: registry.PeriodicTask(name, "", 60, hangs)
database = Database(home / "jobs.db")
set_container(Container(Settings(), database, JobManager(database)))
scheduler = build_scheduler(Settings(), home)
scheduler.start(paused=True)
scheduler.modify_job("audit", next_run_time=scheduler.get_job("audit").next_run_time.replace(year=2020))
scheduler.resume()
entered.wait()
print(stop_scheduler(scheduler, 0.0), flush=True)
"""


def test_a_task_that_hangs_does_not_keep_the_process_alive(home: Home) -> None:
    told = subprocess.run(
        [sys.executable, "-c", _HANGS, str(home.path)], capture_output=True, text=True, timeout=SECONDS
    )
    assert (told.returncode, told.stdout) == (0, "False\n"), told.stderr


def test_more_tasks_than_threads_wait_in_order(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    at_once, most, order = [0], [0], []
    lock = threading.Lock()

    def run(name: str) -> int:
        with lock:
            at_once[0] += 1
            most[0] = max(most[0], at_once[0])
            order.append(name)
        with lock:
            at_once[0] -= 1
        return 0

    monkeypatch.setattr(
        registry, "find", lambda name, settings: registry.PeriodicTask(name, "", 60, lambda here: run(name))
    )
    scheduler = home.scheduler(pool_size=1)
    executed = Events(scheduler, EVENT_JOB_EXECUTED)
    scheduler.start(paused=True)
    names = sorted(scheduler.next_runs())
    for number, name in enumerate(names):
        make_due(scheduler, name, PAST - number)
    scheduler.resume()
    executed.wait(len(names))
    assert (order, most[0]) == (names, 1)


def test_a_task_and_the_clock_itself_may_ask_for_the_shutdown(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = threading.Event()
    scheduler = home.scheduler()

    def run(here: Container) -> int:
        scheduler.shutdown(wait=False)
        done.set()
        return 0

    running(monkeypatch, run)
    scheduler.start(paused=True)
    make_due(scheduler, "audit")
    scheduler.resume()
    assert done.wait(SECONDS)
    other = home.scheduler()
    told = Events(other, EVENT_JOB_SUBMITTED)
    other.add_listener(lambda event: other.shutdown(wait=False), EVENT_JOB_SUBMITTED)
    running(monkeypatch, lambda here: 0)
    wait_until(lambda: not scheduler._single.held)
    other.start(paused=True)
    make_due(other, "audit")
    other.resume()  # plain: "cannot join current thread"
    told.wait()
    wait_until(lambda: other.state == STATE_STOPPED)


# --- 7: what is stored ------------------------------------------------------------------------------------


def test_the_store_has_names_and_numbers_and_no_code(home: Home) -> None:
    scheduler = home.scheduler()
    scheduler.start(paused=True)
    with scheduler.store.engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT id, job_state FROM schedules").all()
    for name, row in rows:
        state = pickle.loads(row)
        assert state["func"] == ENTRY_POINT
        assert (list(state["args"]), state["kwargs"]) == ([name], {})


def rename(home: Home, old: str, **changed: Any) -> None:
    """What an earlier version stored."""
    scheduler = home.scheduler()
    scheduler.start(paused=True)
    with scheduler.store.engine.begin() as connection:
        query = "SELECT job_state FROM schedules WHERE id = ?"
        state = pickle.loads(connection.exec_driver_sql(query, ("audit",)).scalar_one())
        state |= changed
        connection.exec_driver_sql("DELETE FROM schedules WHERE id = ?", (old,))
        connection.exec_driver_sql(
            "INSERT INTO schedules VALUES (?, 2e9, ?)", (state["id"], pickle.dumps(state))
        )
    scheduler.shutdown()


def test_a_function_that_is_gone_loses_no_schedule(home: Home, caplog: pytest.LogCaptureFixture) -> None:
    rename(home, "audit", func="currant.periodic.gone:task")
    scheduler = home.scheduler()
    scheduler.start(paused=True)
    assert "Unable to restore job" in caplog.text  # plain deletes it, and that is all
    assert scheduler.get_job("audit").func_ref == ENTRY_POINT


def test_a_task_that_is_gone_leaves_the_others_alone(home: Home) -> None:
    rename(home, "audit", id="old_name", args=("old_name",))
    scheduler = home.scheduler()
    scheduler.start(paused=True)
    assert set(scheduler.next_runs()) == {task.name for task in registry.known(home.settings)}


# --- 9: still running when it is due again ----------------------------------------------------------------


def test_never_two_of_the_same(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    entered, leave, runs = threading.Event(), threading.Event(), []

    def run(here: Container) -> int:
        runs.append(1)
        entered.set()
        return int(leave.wait(SECONDS))

    running(monkeypatch, run)
    scheduler = home.scheduler()
    skipped = Events(scheduler, EVENT_JOB_MAX_INSTANCES)
    scheduler.start(paused=True)
    make_due(scheduler, "audit")
    scheduler.resume()
    assert entered.wait(SECONDS)
    make_due(scheduler, "audit")
    skipped.wait()
    assert len(runs) == 1
    assert scheduler.health()["skipped"] == 1
    leave.set()
