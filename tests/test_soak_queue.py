"""The kernel's queue made short for one watcher: whatever ends the moment, the limit is as before."""

import signal
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from currant.clock import SystemClock
from currant.soak.generate import Generator
from currant.soak.lab import Lab
from currant.soak.plan import Plan
from currant.soak.queue import SHORT, Queue
from currant.soak.report import Report
from currant.soak.steps import Step, step
from currant.soak.surroundings import fresh_directory


@pytest.fixture
def limit(tmp_path: Path) -> Path:
    path = tmp_path / "max_queued_events"
    path.write_text("16384\n")
    return path


@pytest.fixture
def record(tmp_path: Path) -> Path:
    return tmp_path / "record"


def inside(limit: Path, record: Path, then: str) -> subprocess.CompletedProcess[str]:
    """A process that does something in the middle of the moment."""
    script = (
        "import os, signal\nfrom pathlib import Path\nfrom currant.soak.queue import Queue\n"
        f"with Queue(Path({str(limit)!r}), Path({str(record)!r})).lowered():\n    {then}\n"
    )
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)


def test_the_limit_is_low_inside_and_as_before_afterwards(limit: Path, record: Path) -> None:
    queue = Queue(limit, record)
    assert queue.refusal() == ""
    with queue.lowered():
        assert queue.length() == SHORT
        assert record.read_text().split() == ["16384", str(SHORT)]
        assert record.stat().st_mode & 0o777 == 0o600
    assert queue.length() == 16_384
    assert record.read_text() == ""
    with pytest.raises(ZeroDivisionError), queue.lowered():
        _ = 1 // 0
    assert queue.length() == 16_384


def test_what_a_killed_run_left_is_put_back_by_the_next(limit: Path, record: Path) -> None:
    ended = inside(limit, record, "os.kill(os.getpid(), signal.SIGKILL)")
    assert ended.returncode == -signal.SIGKILL
    assert limit.read_text() == f"{SHORT}\n"
    assert Queue(limit, record).refusal() == ""
    assert limit.read_text() == "16384\n"


def test_a_killed_run_is_no_reason_to_lower_it_for_good(limit: Path, record: Path) -> None:
    inside(limit, record, "os.kill(os.getpid(), signal.SIGKILL)")
    with Queue(limit, record).lowered():
        assert record.read_text().split()[0] == "16384"
    assert limit.read_text() == "16384\n"


def test_what_somebody_else_has_set_since_stays(limit: Path, record: Path) -> None:
    inside(limit, record, "os.kill(os.getpid(), signal.SIGKILL)")
    limit.write_text("65536\n")
    Queue(limit, record).recover()
    assert limit.read_text() == "65536\n"
    assert record.read_text() == ""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_that_ends_the_run_waits_for_the_end_of_the_moment(
    limit: Path, record: Path, number: signal.Signals
) -> None:
    ended = inside(limit, record, f"os.kill(os.getpid(), {int(number)})")
    assert ended.returncode == -number
    assert limit.read_text() == "16384\n"


def test_one_at_a_time_is_inside(limit: Path, record: Path) -> None:
    """The other waits, and then lowers what was put back, not what was lowered."""
    queue = Queue(limit, record)
    command = (
        "from pathlib import Path\nfrom currant.soak.queue import Queue\n"
        f"queue = Queue(Path({str(limit)!r}), Path({str(record)!r}))\nprint('here', flush=True)\n"
        f"with queue.lowered():\n    print(Path({str(record)!r}).read_text())\n"
    )
    with queue.lowered():
        other = subprocess.Popen([sys.executable, "-c", command], stdout=subprocess.PIPE, text=True)
        assert other.stdout is not None
        assert other.stdout.readline() == "here\n"
    assert other.communicate()[0].split()[0] == "16384"
    assert limit.read_text() == "16384\n"


def test_a_limit_that_cannot_be_lowered_is_said(limit: Path, tmp_path: Path) -> None:
    assert "nowhere" in Queue(tmp_path / "nowhere", tmp_path / "record").refusal()
    assert "nowhere" in Queue(limit, tmp_path / "nowhere/record").refusal()
    (tmp_path / "link").symlink_to(limit)
    assert "link" in Queue(limit, tmp_path / "link").refusal(), "a link is not followed"
    limit.write_text("512\n")
    assert "512" in Queue(limit, tmp_path / "record").refusal()


def test_a_watcher_with_a_short_queue_loses_what_a_long_one_keeps(tmp_path: Path) -> None:
    """On a machine that lets us; elsewhere it is a watcher like any other."""
    with fresh_directory(tmp_path, keep=False) as directory:
        lab = Lab(directory, clock=SystemClock(), source="inotify")
        before, lowers = lab.queue.length(), not lab.queue.refusal()
        with lab:
            for short in (True, False):
                start = step("!start", *(["queue=short"] if short else []))
                for one in (start, step("!sync"), step("!stop"), step("fill", "a", "b", SHORT)):
                    assert lab.do(one), one
                assert lab.queue.length() == before
                assert lab.settle().fresh
                assert lab.watcher is not None
                assert lab.watcher.short == (short and lowers)
                assert lab.ask("status")["engine"]["overflows"] == (short and lowers)
                assert lab.do(step("!end"))


def planned(tmp_path: Path, queue: Queue, **given: str) -> tuple[Plan, list[Step]]:
    """A plan, and the steps that it will tell; nothing is done."""
    told: list[Step] = []
    lab = Lab(tmp_path, clock=SystemClock(), source=given.get("source", "auto"), queue=queue)
    generator = Generator(lab.hands, 1, files=10, record=lambda _step: None)
    generator.begin()

    def do(one: Step) -> bool:
        told.append(one)
        return True

    unlowered = given.get("unlowered", "")
    plan = Plan(lab, generator, Random(1), do, adversity=True, unlowered=unlowered)
    for _ in range(60):
        plan.round(3)
    lab.hands.close()
    return plan, told


def test_most_overflows_are_those_of_a_short_queue(limit: Path, record: Path, tmp_path: Path) -> None:
    plan, told = planned(tmp_path, Queue(limit, record))
    assert plan.unlowered == ""
    assert sum(plan.forced.values()) == plan.counts["overflow"]
    assert plan.forced["short queue"] > plan.forced["flood"] > 0
    assert sum(b"queue=short" in one.args for one in told) == plan.forced["short queue"]


@pytest.mark.parametrize("given", [{"unlowered": "--no-lower"}, {"source": "poll"}, {}])
def test_the_queue_is_flooded_where_it_cannot_be_short(
    limit: Path, tmp_path: Path, given: dict[str, str]
) -> None:
    plan, told = planned(tmp_path, Queue(limit, tmp_path / "nowhere/record"), **given)
    assert given.get("unlowered", given.get("source", "nowhere")) in plan.unlowered
    assert plan.forced == {"flood": plan.counts["overflow"]}
    assert not any(b"queue=short" in one.args for one in told)
    assert Report(1, "auto", "inside", forced=plan.forced, unlowered=plan.unlowered).as_dict()["forced"]
    assert plan.unlowered in "\n".join(
        Report(1, "", "", forced=plan.forced, unlowered=plan.unlowered).lines()
    )


def test_a_kernel_without_the_setting_forces_no_overflow(tmp_path: Path) -> None:
    plan, _ = planned(tmp_path, Queue(tmp_path / "nowhere", tmp_path / "record"))
    assert plan.forced == {}
    assert "overflow" not in plan.counts
