"""Schedules: which tasks there are, what they add to the queue, when they are due, what is told of them."""

import os
import pickle
import stat
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from apscheduler.events import EVENT_JOB_EXECUTED

from currant.clock import ManualClock
from currant.errors import ComponentNotInitialized, UsageError
from currant.jobs import JobStatus, JobType
from currant.periodic import Container, listing, registry, tasks
from currant.periodic.scheduler import build_scheduler, register_jobs, start_scheduler, stop_scheduler
from currant.periodic.store import FILE_NAME, next_runs
from periodic_kit import Events, Home, make_due, open_home, settings

OURS = ["sync_projects", "cache_refresh", "cleanup_logs", "audit", "retention"]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with open_home(tmp_path / "home") as home:
        yield home


# --- what a task does -------------------------------------------------------------------------------------


def test_a_sync_is_a_refresh_for_each_project_that_is_ready(home: Home) -> None:
    for name, state in (("a", "ready"), ("b", "cloning"), ("c", "ready")):
        home.add_project(name, state)
    assert tasks.run_task("sync_projects") == 2
    assert [(job.type, job.project_id, job.trigger, job.client) for job in reversed(home.queued())] == [
        (JobType.REFRESH, "a", "schedule", "schedule"),
        (JobType.REFRESH, "c", "schedule", "schedule"),
    ]
    assert tasks.run_task("sync_projects") == 0  # they wait already
    assert len(home.queued()) == 2


def test_a_sync_joins_the_refresh_that_somebody_asked_for(home: Home) -> None:
    home.add_project("a")
    home.jobs.create_job(JobType.REFRESH, "a", unique_key="refresh:a")
    assert tasks.run_task("sync_projects") == 0


@pytest.mark.parametrize("name", [name for name in OURS if name != "sync_projects"])
def test_upkeep_is_one_job_however_often_it_is_due(home: Home, name: str) -> None:
    assert [tasks.run_task(name) for _ in range(3)] == [1, 0, 0]
    (job,) = home.queued()
    assert (job.type, job.args, job.trigger) == (JobType.MAINTENANCE, {"task": name}, "schedule")
    home.jobs.cancel(job.id)
    assert tasks.run_task(name) == 1


def test_what_a_task_needs_is_looked_up_when_it_runs(home: Home, tmp_path: Path) -> None:
    assert tasks.run_task("audit") == 1
    with open_home(tmp_path / "other") as other:
        assert tasks.run_task("audit") == 1
        assert len(other.queued()) == 1
    with pytest.raises(ComponentNotInitialized):
        tasks.run_task("audit")


def test_a_name_that_nobody_knows_any_more_does_nothing(home: Home, caplog: pytest.LogCaptureFixture) -> None:
    assert tasks.run_task("renamed_since") == 0
    assert "renamed_since" in caplog.text
    assert home.queued() == []


def test_what_became_of_each_run_is_written_down(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    tasks.run_task("audit")

    def fails(here: Container) -> int:
        raise ValueError("out of order")

    broken = registry.PeriodicTask("audit", "", 60, fails)
    monkeypatch.setattr(registry, "find", lambda name, settings: broken)
    with pytest.raises(ValueError, match="out of order"):
        tasks.run_task("audit")
    told = {one.name: one for one in listing.schedules(home.settings, home.database, {})}
    assert (told["audit"].run_count, told["audit"].error_count) == (2, 1)
    assert told["audit"].last_error == "out of order"
    assert told["audit"].last_error_at == told["audit"].last_run is not None
    assert told["retention"].run_count == 0


# --- pausing ----------------------------------------------------------------------------------------------


def test_a_paused_task_adds_nothing_until_it_is_resumed(home: Home) -> None:
    assert listing.pause(home.settings, home.database, "audit")
    assert not listing.pause(home.settings, home.database, "audit")
    assert tasks.run_task("audit") == 0
    assert tasks.run_task("retention") == 1
    (told,) = (one for one in listing.schedules(home.settings, home.database, {}) if one.name == "audit")
    assert (told.paused, told.skipped, told.run_count) == (True, 1, 0)
    assert listing.resume(home.settings, home.database, "audit")
    assert not listing.resume(home.settings, home.database, "audit")
    assert tasks.run_task("audit") == 1


def test_pausing_a_schedule_pauses_no_jobs(home: Home) -> None:
    listing.pause(home.settings, home.database, "audit")
    tasks.run_task("retention")
    (job,) = home.queued()
    assert job.status is JobStatus.PENDING
    with pytest.raises(UsageError, match="sync_projects"):
        listing.pause(home.settings, home.database, "no_such_thing")


# --- which tasks there are --------------------------------------------------------------------------------


def test_flags_and_intervals_come_from_the_settings() -> None:
    assert [task.name for task in registry.active(settings())] == OURS
    off = settings(audit=False, retention_interval=0, sync_projects_interval=60)
    assert [(task.name, task.interval) for task in registry.active(off)] == [
        ("sync_projects", 60),
        ("cache_refresh", 21_600),
        ("cleanup_logs", 86_400),
    ]
    assert registry.active(settings(enabled=False)) == []
    assert all(task.what for task in registry.known(settings()))


def hourly(here: Container) -> int:
    """Something of the user's own."""
    return here.jobs.create_job(JobType.EXTRACTION, unique_key="mine").created


hourly.interval = 3_600  # type: ignore[attr-defined]


def unspecified(here: Container) -> None:
    return None


def points(monkeypatch: pytest.MonkeyPatch, **named: str) -> None:
    made = [metadata.EntryPoint(name, value, registry.GROUP) for name, value in named.items()]
    monkeypatch.setattr(metadata, "entry_points", lambda group: metadata.EntryPoints(made))


def test_the_users_own_tasks_come_by_entry_point(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    points(
        monkeypatch,
        mine="test_periodic:hourly",
        other="test_periodic:unspecified",
        gone="no_such_module:task",
        audit="test_periodic:hourly",
        odd="test_periodic:OURS",
        **{"Not A Name": "test_periodic:hourly"},
    )
    told = {task.name: task for task in registry.known(settings())[len(OURS) :]}
    problems = {name: task.problem for name, task in told.items()}
    assert problems["mine"] is None
    assert "interval" in str(problems["other"])
    assert "no_such_module" in str(problems["gone"])
    assert "taken" in str(problems["audit"])
    assert "not a function" in str(problems["odd"])
    assert "name" in str(problems["Not A Name"])
    assert (told["mine"].interval, told["mine"].what) == (3_600, "Something of the user's own.")
    given = settings(tasks={"other": 60, "mine": 0})
    assert {task.name for task in registry.active(given)} - set(OURS) == {"other"}
    assert tasks.run_task("mine") == 1
    assert tasks.run_task("mine") == 0
    with_theirs = home.scheduler()
    start_scheduler(with_theirs)
    assert set(with_theirs.next_runs()) == {*OURS, "mine"}


# --- the scheduler ----------------------------------------------------------------------------------------


def test_building_registers_what_is_switched_on_with_its_interval(home: Home) -> None:
    clock = ManualClock(datetime.now(UTC).timestamp())
    scheduler = home.scheduler(clock, audit=False, retention_interval=120, timezone="Europe/Berlin")
    start_scheduler(scheduler)
    jobs = {job.id: job for job in scheduler.get_jobs()}
    assert set(jobs) == set(OURS) - {"audit"}
    for job in jobs.values():
        assert job.func_ref == "currant.periodic.tasks:run_task"
        assert list(job.args) == [job.id]
        assert (job.coalesce, job.max_instances, job.misfire_grace_time) == (True, 1, None)
    assert str(jobs["retention"].trigger) == "interval[0:02:00]"
    assert str(jobs["retention"].trigger.timezone) == "Europe/Berlin"
    assert jobs["retention"].next_run_time.timestamp() == pytest.approx(clock.now() + 120)
    assert scheduler.health()["alive"]
    assert stop_scheduler(scheduler)
    assert not scheduler.health()["alive"]
    assert not scheduler.health()["ok"]
    assert stop_scheduler(scheduler)


def test_what_is_due_runs_and_is_due_again_later(home: Home) -> None:
    scheduler = home.scheduler()
    executed = Events(scheduler, EVENT_JOB_EXECUTED)
    start_scheduler(scheduler)
    before = scheduler.next_runs()["audit"]
    make_due(scheduler, "audit")
    (event,) = executed.wait()
    assert event.job_id == "audit"
    assert event.retval == 1
    assert [job.args for job in home.queued()] == [{"task": "audit"}]
    after = scheduler.next_runs()["audit"]
    assert before is not None
    assert after is not None
    assert after == pytest.approx(before, abs=60)


def test_settings_that_change_while_it_runs_are_taken_over(home: Home) -> None:
    scheduler = home.scheduler()
    start_scheduler(scheduler)
    assert register_jobs(scheduler, settings(sync_projects=False, audit_interval=60)) == [
        "cache_refresh",
        "cleanup_logs",
        "audit",
        "retention",
    ]
    assert set(scheduler.next_runs()) == set(OURS) - {"sync_projects"}
    assert str(scheduler.get_job("audit").trigger) == "interval[0:01:00]"


def test_other_defaults_reach_schedules_that_are_stored(home: Home) -> None:
    first = home.scheduler()
    start_scheduler(first)
    stop_scheduler(first)
    second = home.scheduler(misfire_grace_s=300, coalesce=False)
    start_scheduler(second)
    job = second.get_job("audit")
    assert (job.misfire_grace_time, job.coalesce) == (300, False)


def test_the_store_is_private_and_its_own_file(home: Home) -> None:
    before = os.umask(0)
    try:
        scheduler = home.scheduler()
        start_scheduler(scheduler)
        make_due(scheduler, "audit", -3_600)
        for path in home.path.iterdir():
            if not path.is_dir() and path.name != ".gitignore":
                assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    finally:
        os.umask(before)
    assert stat.S_IMODE(home.path.stat().st_mode) == 0o700


def test_another_process_reads_when_things_are_due(home: Home) -> None:
    assert next_runs(home.path) == {}
    scheduler = home.scheduler()
    assert next_runs(home.path) == {}  # no table yet
    start_scheduler(scheduler)
    assert next_runs(home.path) == scheduler.next_runs()
    told = listing.schedules(home.settings, home.database, next_runs(home.path))
    assert all(one.next_run is not None and one.enabled and not one.paused for one in told)


@pytest.mark.parametrize("zone", ["Nowhere/Atlantis", "../../etc/passwd", ""])
def test_a_time_zone_that_there_is_not_is_refused(home: Home, zone: str) -> None:
    with pytest.raises(UsageError, match=r"periodic\.timezone"):
        build_scheduler(settings(timezone=zone), home.path)


class Evil:
    def __reduce__(self) -> Any:
        return os.system, ("touch /tmp/should-not-be-there",)


def test_a_row_that_is_no_schedule_is_not_unpickled(home: Home, caplog: pytest.LogCaptureFixture) -> None:
    scheduler = home.scheduler()
    start_scheduler(scheduler)
    with scheduler.store.engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO schedules VALUES ('evil', 1.0, ?)", (pickle.dumps({"x": Evil()}),)
        )
    assert set(scheduler.next_runs()) == set(OURS)
    assert "a schedule has no posix.system" in caplog.text
    assert not Path("/tmp/should-not-be-there").exists()


def test_only_what_runs_schedules_pays_for_their_libraries() -> None:
    program = (
        "import sys, currant.hub, currant.maintenance, currant.periodic.tasks, currant.periodic.listing\n"
        "print({'apscheduler', 'sqlalchemy', 'sqlite3', 'psutil'} & set(sys.modules))"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert told.stdout == "set()\n"


def test_the_file_is_where_it_is_said_to_be(home: Home) -> None:
    start_scheduler(home.scheduler())
    assert (home.path / FILE_NAME).is_file()
