"""``currant scheduler`` as a person uses it, and what the schedules of a running hub lead to."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from conftest import Tree
from currant.cli import run
from currant.config import load_service_settings
from currant.hub import Address, Hub
from currant.periodic.tasks import run_task
from hub_kit import completed, finished, running, until
from rest_kit import serving


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def scheduler(home: Path, *arguments: str, capfd: pytest.CaptureFixture[str]) -> tuple[int, Any]:
    status = run(["scheduler", *arguments, "--home", str(home), "--json"])
    return status, json.loads(capfd.readouterr().out)


@contextmanager
def clock_alone(home: Path, *more: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "currant", "scheduler", "run", "--home", str(home), "--json", *more]
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def test_listing_triggering_and_pausing(home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    status, told = scheduler(home, "list", capfd=capfd)
    assert (status, told["run_by"]) == (0, None)
    assert {one["name"]: one["enabled"] for one in told["schedules"]} == dict.fromkeys(
        ("sync_projects", "cache_refresh", "cleanup_logs", "audit", "retention"), True
    )
    assert scheduler(home, "trigger", "audit", capfd=capfd)[1]["jobs_added"] == 1
    assert scheduler(home, "trigger", "audit", capfd=capfd) == (
        1,
        {"name": "audit", "jobs_added": 0, "served_by": None},
    )
    assert scheduler(home, "pause", "retention", capfd=capfd) == (0, {"name": "retention", "paused": True})
    assert scheduler(home, "pause", "retention", capfd=capfd)[0] == 1
    assert scheduler(home, "trigger", "retention", capfd=capfd)[0] == 0  # by hand all the same
    status, told = scheduler(home, "list", "--set", "periodic.audit=false", capfd=capfd)
    found = {one["name"]: one for one in told["schedules"]}
    assert (found["retention"]["paused"], found["audit"]["enabled"]) == (True, False)
    assert (found["audit"]["run_count"], found["audit"]["error_count"]) == (2, 0)
    assert scheduler(home, "resume", "retention", capfd=capfd)[1]["resumed"] is True
    assert scheduler(home, "resume", "retention", capfd=capfd)[0] == 1
    for command in ("trigger", "pause", "resume"):
        status, told = scheduler(home, command, "nothing", capfd=capfd)
        assert (status, told["error"]["type"]) == (2, "UsageError")


def test_the_list_is_that_of_the_service_that_runs(home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Its settings decide what is due and when, and need not be those of whoever asks."""
    with serving(home, periodic__retention_interval=7, periodic__audit=False) as service:
        service.hub.home.announce(Address(os.getpid(), service.port, 0.0))
        status, told = scheduler(home, "list", capfd=capfd)
        found = {one["name"]: one for one in told["schedules"]}
        assert (status, told["run_by"], found["retention"]["interval_s"]) == (0, os.getpid(), 7)
        assert (found["retention"]["enabled"], found["audit"]["enabled"]) == (True, False)
        assert run(["scheduler", "list", "--home", str(home)]) == 0
        assert "every 7 s" in capfd.readouterr().out
        status, told = scheduler(home, "list", "--set", "periodic.retention_interval=9", capfd=capfd)
        assert {one["name"]: one for one in told["schedules"]}["retention"]["interval_s"] == 9
    status, told = scheduler(home, "list", capfd=capfd)
    assert {one["name"]: one for one in told["schedules"]}["retention"]["interval_s"] == 3600


def test_the_lines_for_people(home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["scheduler", "pause", "audit", "--home", str(home)]) == 0
    assert run(["scheduler", "trigger", "audit", "--home", str(home)]) == 0
    assert run(["scheduler", "list", "--home", str(home)]) == 0
    out = capfd.readouterr().out
    assert "paused audit" in out
    assert "1 job(s) added" in out
    assert "audit            paused  every 6:00 h" in out
    assert "1 runs, 0 failed, 0 left out; last 20" in out


def test_the_clock_alone_runs_until_it_is_told_to_stop(home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with clock_alone(home) as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        assert set(ready["next_runs"]) == {
            "sync_projects",
            "cache_refresh",
            "cleanup_logs",
            "audit",
            "retention",
        }
        _status, told = scheduler(home, "list", capfd=capfd)
        assert told["run_by"] == process.pid
        assert {one["name"]: one["next_run"] for one in told["schedules"]} == ready["next_runs"]
        with clock_alone(home) as second:
            out, _ = second.communicate(timeout=60)
            assert (second.returncode, json.loads(out)["error"]["type"]) == (4, "LockedError")
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=60)
        assert (process.returncode, err) == (0, "stopped\n")
    _status, told = scheduler(home, "list", capfd=capfd)
    assert told["run_by"] is None
    assert {one["name"]: one["next_run"] for one in told["schedules"]} == ready["next_runs"]


def test_the_clock_alone_is_refused_while_the_service_runs_or_when_it_is_off(home: Path) -> None:
    with running(home), clock_alone(home) as process:
        out, _ = process.communicate(timeout=60)
        told = json.loads(out)["error"]
        assert (process.returncode, told["type"]) == (4, "AlreadyServing")
        assert str(os.getpid()) in told["message"]
    with clock_alone(home, "--set", "periodic.enabled=false") as process:
        out, _ = process.communicate(timeout=60)
        assert json.loads(out)["error"]["type"] == "UsageError"


def test_what_the_clock_alone_adds_the_service_does_later(home: Path) -> None:
    with clock_alone(home, "--set", "periodic.cleanup_logs_interval=1") as process:
        assert process.stdout is not None
        process.stdout.readline()
        wait_for_job(home)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    old = home / "log" / "currant.log.7"
    (home / "log" / "currant.log").write_text("now\n")
    old.write_text("then\n")
    long_ago = (datetime.now(UTC) - timedelta(days=100)).timestamp()
    os.utime(old, (long_ago, long_ago))
    with running(home) as hub:
        [job] = [one for one in hub.jobs.list_jobs().jobs if one.args == {"task": "cleanup_logs"}]
        assert completed(hub, job.id)["deleted"] == 1
        assert not old.exists()


def wait_for_job(home: Path) -> None:
    from currant.jobs import Database, JobManager
    from periodic_kit import wait_until

    database = Database(home / "jobs.db")
    try:
        jobs = JobManager(database)
        wait_until(lambda: bool(jobs.list_jobs().jobs))
    finally:
        database.close()


def test_every_schedule_of_a_hub_ends_in_a_job_that_succeeds(home: Path, tree: Tree) -> None:
    tree.write({"a.py": "def first(): pass\n"})
    with running(home) as hub:
        project, job = hub.add_project(str(tree.root))
        completed(hub, job.id)
        until(hub, lambda: hub.project(project.id).state == "ready")
        for name in ("sync_projects", "cache_refresh", "cleanup_logs", "audit", "retention"):
            before = {one.id for one in hub.jobs.list_jobs().jobs}
            assert run_task(name) == 1, name
            [made] = [one for one in hub.jobs.list_jobs().jobs if one.id not in before]
            told = completed(hub, made.id)
            assert told["status"] == "success", told
        assert told["deleted_jobs"] == 0
        odd = finished(hub, hub.jobs.create_job("maintenance", args={"task": "vacuum"}).job.id)
        assert "cleanup_logs" in str(odd.error)


def test_a_home_whose_schedules_somebody_has_is_not_served(home: Path) -> None:
    from currant.errors import LockedError

    with clock_alone(home) as process:
        assert process.stdout is not None
        process.stdout.readline()
        hub = Hub(home, load_service_settings(environ={}))
        with pytest.raises(LockedError, match=str(process.pid)):
            hub.start()
        hub.stop()
