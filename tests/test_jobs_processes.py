"""Jobs across processes that are killed, stopped and continued, and that do the same at the same moment."""

import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw

from currant.clock import SystemClock
from currant.jobs import JobStatus, JobType
from jobs_kit import Gate, queue
from jobs_process import SETTINGS

SCRIPT = Path(__file__).with_name("jobs_process.py")


class Child:
    """A process of `jobs_process`."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(SCRIPT), str(folder), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.stdin, self.stdout = self.process.stdin, self.process.stdout
        self.lines: list[str] = []

    def read(self) -> str:
        line = self.stdout.readline().strip()
        self.lines.append(line)
        return line

    def until(self, word: str, count: int = 1) -> None:
        """Read until so many more lines begin with `word`."""
        while count:
            line = self.read()
            assert line, f"ended before {word!r}"
            count -= line.startswith(word)

    def go(self) -> None:
        self.stdin.write("go\n")
        self.stdin.flush()

    def rest(self) -> list[str]:
        """Everything until its end."""
        while self.read():
            pass
        self.lines.pop()
        return self.lines

    def end(self, signal_number: int = signal.SIGKILL) -> None:
        self.process.send_signal(signal_number)
        self.rest()
        self.process.wait()


@contextmanager
def child(folder: Path, *arguments: str) -> Iterator[Child]:
    one = Child(folder, *arguments)
    try:
        yield one
    finally:
        if one.process.poll() is None:
            one.process.kill()
        one.process.wait()
        one.stdin.close()
        one.stdout.close()


def started(lines: list[str]) -> list[str]:
    return [line.split()[1] for line in lines if line.startswith("start ")]


def test_kill_after_kill_loses_nothing_and_repeats_nothing_that_was_over(tmp_path: Path) -> None:
    chance = random.Random(7)
    with queue(tmp_path, SETTINGS, SystemClock()) as jobs:
        made = [
            jobs.add(project=f"p{number % 5}" if number % 3 else None, max_attempts=50).id
            for number in range(60)
        ]
        starts: Counter[str] = Counter()
        for _ in range(6):
            over = {job.id: job for job in jobs.manager.list_jobs(status="completed", limit=100).jobs}
            with child(tmp_path, "work", "quick") as one:
                one.until("start", chance.randrange(1, 9))
                one.end()
            again = started(one.lines)
            starts.update(again)
            assert not over.keys() & set(again)
            for job_id, job in over.items():
                assert jobs.get(job_id) == job
        with child(tmp_path, "work", "quick") as one:
            while jobs.queue.get_queue_status()["completed"] < len(made):
                one.until("completed")
            one.go()
            starts.update(started(one.rest()))
            assert one.process.wait() == 0
        assert jobs.queue.get_queue_status()["completed"] == len(made)
        rescued = 0
        for job_id in made:
            job = jobs.get(job_id)
            # A run that was killed between its claim and its first word said nothing.
            assert 1 <= starts[job_id] <= job.fence == job.attempt == 1 + job.rescued, job
            rescued += job.rescued
        assert rescued > 0


def test_killed_between_the_end_of_the_work_and_the_word_of_it(tmp_path: Path) -> None:
    with queue(tmp_path, SETTINGS, SystemClock()) as jobs:
        job = jobs.add(max_attempts=2)
        with child(tmp_path, "work", "die-before-the-end-is-written") as one:
            one.rest()
            assert one.process.wait() == -signal.SIGKILL
        assert jobs.get(job).status is JobStatus.PROCESSING
        with child(tmp_path, "work", "die-before-the-end-is-written") as one:
            one.until("completed")
            one.go()
            one.rest()
        done = jobs.get(job)
        assert (done.status, done.attempt, done.rescued) == (JobStatus.COMPLETED, 2, 1)


def test_who_was_stopped_and_goes_on_is_not_listened_to(tmp_path: Path) -> None:
    with queue(tmp_path, SETTINGS, SystemClock()) as jobs:
        job = jobs.add(max_attempts=5, unique_key="one")
        with child(tmp_path, "work", "stubborn") as other:
            other.until("start")
            stop_outside_of_a_transaction(other.process, tmp_path / "jobs.db")
            gate = Gate()
            gate.open.set()
            jobs.work(gate)
            done = jobs.until(job, JobStatus.COMPLETED)
            assert (done.rescued, done.fence, done.result) == (1, 2, {"done": job.id})
            other.process.send_signal(signal.SIGCONT)
            other.go()
            other.until("too late")
            assert jobs.get(job) == done
            other.end()


def stop_outside_of_a_transaction(process: subprocess.Popen[str], path: Path) -> None:
    """Its heartbeat may be writing when the signal comes, and a stopped process keeps its lock."""
    connection = apsw.Connection(str(path))
    try:
        connection.set_busy_timeout(100)
        while True:
            process.send_signal(signal.SIGSTOP)
            os.waitpid(process.pid, os.WUNTRACED)
            try:
                connection.execute("BEGIN IMMEDIATE")
                connection.execute("ROLLBACK")
            except apsw.BusyError:
                process.send_signal(signal.SIGCONT)
                continue
            return
    finally:
        connection.close()


def test_one_job_for_one_key_whoever_asks_at_the_same_moment(tmp_path: Path) -> None:
    lines = everybody(tmp_path, "enqueue", 60)
    jobs_of: dict[str, set[str]] = {}
    created: Counter[str] = Counter()
    for line in lines:
        number, job_id, made = line.split()
        jobs_of.setdefault(number, set()).add(job_id)
        created[number] += made == "True"
    assert len(jobs_of) == 60
    assert all(len(ids) == 1 for ids in jobs_of.values())
    assert set(created.values()) == {1}


def test_five_and_not_six_whoever_asks_at_the_same_moment(tmp_path: Path) -> None:
    lines = [line.split() for line in everybody(tmp_path, "refresh", 5)]
    assert Counter(word for word, _ in lines) == {"allowed": 5, "limited": 2 * 4 * 5 - 5}
    assert all(0 < float(after) <= 300 for word, after in lines if word == "limited")
    with queue(tmp_path, SETTINGS, SystemClock()) as jobs:
        assert len(jobs.manager.list_jobs(type=JobType.REFRESH).jobs) == 5


def everybody(folder: Path, *what: Any) -> list[str]:
    """What two processes say that begin at the same moment."""
    with child(folder, *map(str, what)) as one, child(folder, *map(str, what)) as two:
        for each in (one, two):
            each.until("ready")
        for each in (one, two):
            each.go()
        lines = [line for each in (one, two) for line in each.rest() if line != "ready"]
        assert [each.process.wait() for each in (one, two)] == [0, 0]
    return lines
