"""``currant jobs`` and its document."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from currant.cli import jobs as command
from currant.cli import run
from currant.clock import ManualClock, SystemClock
from currant.config import JobsSettings
from currant.jobs import Job, JobStatus, JobType, transitions
from jobs_kit import Gate, Queue, queue

Told = Callable[..., tuple[int, Any]]
DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "jobs.md"


@pytest.fixture
def told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Told:
    def call(*arguments: str, text: bool = False) -> tuple[int, Any]:
        status = run(["jobs", *arguments, "--home", str(tmp_path), *([] if text else ["--json"])])
        written = capsys.readouterr()
        return status, written.out + written.err if text else json.loads(written.out)

    return call


def some(jobs: Queue) -> list[Job]:
    made = [jobs.add(JobType.REFRESH, "p", unique_key="k"), jobs.add(project="q\x1b[31m", args={"path": "a"})]
    with jobs.database.write() as connection:
        transitions.claim(connection, made[0].id, "w", now=jobs.clock.now(), lease_s=60)
        gone = transitions.Run(made[0].id, "w", 1)
        transitions.fail(connection, gone, now=jobs.clock.now(), error="no route\nto host", delay_s=None)
    return made


def test_list_and_show(told: Told, tmp_path: Path) -> None:
    assert told("list") == (1, {"jobs": [], "next": None})
    with queue(tmp_path, clock=ManualClock()) as jobs:
        failed, waiting = some(jobs)
        status, answer = told("list", "--limit", "1")
        assert (status, [one["id"] for one in answer["jobs"]], answer["next"]) == (
            0,
            [waiting.id],
            waiting.id,
        )
        assert told("list", "--before", waiting.id)[1]["jobs"][0]["id"] == failed.id
        assert told("list", "--type", "maintenance")[0] == 1
        assert told("list", "--project", "nobody")[0] == 2
        status, answer = told("list", "--status", "failed")
        assert msgspec.convert(answer["jobs"][0], Job) == jobs.get(failed)
        assert told("show", failed.id)[1]["job"] == answer["jobs"][0]

        status, text = told("list", text=True)
        assert f"{failed.id}  failed" in text
        assert "no route\\x0ato host" in text
        assert "1 pending, 0 processing, 0 completed, 1 failed, 0 cancelled" in text
        assert "\x1b" not in text
        assert "attempts   1 of 3" in told("show", failed.id, text=True)[1]
        assert 'arguments  {"path":"a"}' in told("show", waiting.id, text=True)[1]


def test_retry_cancel_and_prune(told: Told, tmp_path: Path) -> None:
    with queue(tmp_path, clock=ManualClock()) as jobs:
        failed, waiting = some(jobs)
        jobs.manager.cancel(jobs.add().id)
        assert told("cancel", waiting.id) == (0, {"outcome": "cancelled"})
        assert told("cancel", waiting.id) == (1, {"outcome": "final"})
        status, answer = told("retry", failed.id)  # its project was removed
        assert (status, "was removed" in answer["error"]["message"]) == (5, True)
        with jobs.database.write() as connection:
            connection.execute(
                "INSERT INTO project (id, name, root, source, kind, state, created_at, data)"
                " VALUES ('p', 'p', '/p', '/p', 'path', 'ready', 0, '{}')"
            )
        status, answer = told("retry", failed.id)
        assert (status, answer["job"]["retry_count"], answer["served_by"]) == (0, 1, None)
        status, answer = told("retry", failed.id)
        assert (status, answer["error"]["type"]) == (5, "JobConflict")
        for what in ("show", "retry", "cancel"):
            status, answer = told(what, "nobody")
            assert (status, answer["error"]["type"]) == (2, "NoSuchJob"), what
        assert told("prune") == (0, {"deleted": 1})  # of 2023
        assert told("prune", "--days", "0") == (0, {"deleted": 1})
        assert [one["id"] for one in told("list")[1]["jobs"]] == [failed.id]


def test_a_running_worker_notices(told: Told, tmp_path: Path) -> None:
    with queue(tmp_path, clock=SystemClock()) as jobs:
        gate = Gate()
        job = jobs.add()
        jobs.work(gate)
        gate.wait_begun()
        assert told("cancel", job.id) == (0, {"outcome": "cancel_requested"})
        jobs.until(job, JobStatus.CANCELLED)
        assert told("pause")[1]["paused"][0]["kind"] == "*"
        told("retry", job.id)
        assert jobs.get(job).status is JobStatus.PENDING
        gate.open.set()
        assert "nothing is paused" in told("resume", text=True)[1]
        jobs.until(job, JobStatus.COMPLETED)


def test_pauses(told: Told) -> None:
    told("pause", "refresh")
    status, text = told("pause", "extraction", text=True)
    assert status == 0
    assert re.findall(r": (\w+)$", text, re.M) == ["extraction", "refresh"]
    assert [one["kind"] for one in told("resume", "refresh")[1]["paused"]] == ["extraction"]


def test_what_the_command_line_knows_is_all_there_is() -> None:
    assert tuple(JobStatus) == command._STATUSES
    assert tuple(JobType) == command._TYPES


def test_the_document_has_every_setting_key_and_default(tmp_path: Path) -> None:
    text = DOCUMENT.read_text()
    rows = re.findall(r"^\| ((?:`jobs\.\w+`(?:, )?)+) \| ([^|]+) \|", text, re.M)
    shown = {
        name: value
        for names, values in rows
        for name, value in zip(re.findall(r"jobs\.(\w+)", names), values.split(","), strict=True)
    }
    fields = {field.name: field.default for field in msgspec.structs.fields(JobsSettings)}
    assert {name: float(value) for name, value in shown.items()} == fields
    named = set(re.findall(r"`(\w+)`", text))
    assert set(Job.__struct_fields__) - named == set()
    assert {*JobStatus, *JobType} - named == set()
    with queue(tmp_path) as jobs:
        assert set(jobs.queue.get_queue_status()) - named == set()


def test_the_document_counts_the_statements() -> None:
    listed = re.findall(r"^    (\w+) +(?:->|pending|processing|failed)", str(transitions.__doc__), re.M)
    assert len(listed) == 11
    assert all(callable(getattr(transitions, name)) for name in listed)
    assert "eleven statements" in DOCUMENT.read_text()
