"""Jobs when the disk, the clock, other processes or the handlers do not behave."""

import logging
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import apsw
import pytest

from currant.clock import ManualClock
from currant.errors import (
    RateLimited,
    SchemaTooNewError,
    StoreDamagedError,
    StoreError,
    StoreUnavailableError,
)
from currant.jobs import (
    Database,
    JobManager,
    JobQueueManager,
    JobStatus,
    JobType,
    Priority,
    claim,
    transitions,
)
from currant.jobs.context import Stop
from currant.jobs.database import SteadyClock
from currant.jobs.follow import Follower
from currant.jobs.transitions import Run
from faulty_disk import faulty_disk
from jobs_kit import WAIT, Gate, Queue, queue, quick

PENDING, PROCESSING, COMPLETED = JobStatus.PENDING, JobStatus.PROCESSING, JobStatus.COMPLETED


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[Queue]:
    with queue(tmp_path) as found:
        yield found


# --- the disk -----------------------------------------------------------------------------------------


class History:
    """Some changes of the table, each one transaction, and what it holds after each."""

    def __init__(self, folder: Path) -> None:
        self.clock = ManualClock()
        self.database = Database(folder / "jobs.db", self.clock)
        self.manager = JobManager(self.database)
        with self.database.write() as connection:
            connection.pragma("wal_autocheckpoint", 12)
            connection.pragma("cache_size", 8)
        self.steps: list[Callable[[], Any]] = [
            lambda: self.manager.create_job("refresh", "p", unique_key="a", limit=("refresh", "ann")),
            lambda: self.manager.create_job("extraction", unique_key="b", args={"text": "x" * 9000}),
            lambda: self.take("a"),
            lambda: self.manager.create_job("maintenance", unique_key="c", priority=Priority.HIGH),
            lambda: self.say(transitions.complete, "a", now=5.0, result={"text": "y" * 9000}),
            lambda: self.take("b"),
            lambda: self.say(transitions.fail, "b", now=6.0, error="E" * 3000, delay_s=1.0),
            lambda: self.manager.cancel(self.id_of("c")),
            lambda: self.manager.retry(self.id_of("c")),
            lambda: JobQueueManager(self.database).pause("refresh"),
            lambda: self.manager.delete_project_jobs("p"),
        ]

    def id_of(self, key: str) -> str:
        with self.database.read() as connection:
            return str(connection.execute("SELECT id FROM job WHERE unique_key = ?", (key,)).get)

    def take(self, key: str) -> None:
        job_id = self.id_of(key)
        with self.database.write() as connection:
            assert transitions.claim(connection, job_id, "w", now=4.0, lease_s=60)

    def say(self, what: Callable[..., Any], key: str, **more: Any) -> None:
        job_id = self.id_of(key)
        with self.database.write() as connection:
            assert what(connection, Run(job_id, "w", 1), **more)

    def content(self) -> list[Any]:
        with self.database.read() as connection:
            found: list[Any] = []
            for table in ("meta", "job", "refresh_history", "taken", "pause"):
                rows = connection.execute(f"SELECT * FROM {table}")
                names = [column[0] for column in rows.description] if (first := rows.fetchone()) else []
                everything = [first, *rows.fetchall()] if first else []
                # Ids are made by chance.
                found.append(
                    [
                        {
                            name: value
                            for name, value in zip(names, row, strict=True)
                            if name not in ("id", "job_id")
                        }
                        for row in everything
                    ]
                )
            return found

    def run(self, start: int = 0) -> int:
        """Until one fails; how many are acknowledged."""
        for number in range(start, len(self.steps)):
            try:
                self.steps[number]()
            except StoreError:
                return number
        return len(self.steps)


FAULTS: dict[str, tuple[str, type[Exception], bool]] = {
    "no space for a write": ("write", apsw.FullError, False),
    "half a write, then no space": ("write", apsw.FullError, True),
    "a write fails": ("write", apsw.IOError, False),
    "a sync fails": ("sync", apsw.IOError, False),
    "a truncation fails": ("truncate", apsw.IOError, False),
    "a read fails": ("read", apsw.IOError, False),
}


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("lasting", [False, True], ids=["once", "from then on"])
@pytest.mark.parametrize("what", FAULTS)
def test_no_failing_operation_of_the_disk_loses_or_halves_a_change(
    tmp_path: Path, what: str, lasting: bool
) -> None:
    kind, error, torn = FAULTS[what]
    with faulty_disk() as disk:
        (tmp_path / "whole").mkdir()
        whole = History(tmp_path / "whole")
        disk.fail("none", 0, apsw.IOError)
        after = [whole.content()]
        for step in whole.steps:
            step()
            after.append(whole.content())
        count = disk.counts[kind]
        whole.database.close()
        hits = 0
        for at in range(1, count + 1, 1 + count // 14):
            folder = tmp_path / str(at)
            folder.mkdir()
            history = History(folder)
            disk.fail(kind, at, error, lasting=lasting, torn=torn)
            done = history.run()
            hits += disk.hits
            disk.heal()
            if done < len(history.steps):
                place = after.index(history.content())
                # One more when the log could not be moved into the file, after the commit itself.
                assert place in (done, done + 1), at
                done = place
                if at % 2:
                    assert history.run(done) == len(history.steps)
                    done = len(history.steps)
            history.database.close()
            again = History(folder)
            assert again.content() == after[done], at
            assert again.database._writer.execute("PRAGMA integrity_check").get == "ok"
            again.database.close()
            shutil.rmtree(folder)
    assert hits or not count


def test_an_end_that_cannot_be_written_is_written_later(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    told = threading.Event()

    class Told(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if "is not written" in record.getMessage():
                told.set()

    handler = Told()
    logging.getLogger("currant.jobs.worker").addHandler(handler)
    try:
        with faulty_disk() as disk, queue(tmp_path) as jobs:
            gate = Gate()
            job = jobs.add(max_attempts=1)
            jobs.work(gate)
            gate.wait_begun()
            disk.fail("write", 1, apsw.FullError, lasting=True)
            gate.open.set()
            assert told.wait(WAIT)
            assert jobs.get(job).status is PROCESSING
            disk.heal()
            assert jobs.until(job, COMPLETED).attempt == 1
            assert len(gate.runs) == 1
    finally:
        logging.getLogger("currant.jobs.worker").removeHandler(handler)


@pytest.mark.parametrize("how", ["noise", "foreign", "newer", "directory", "missing"])
def test_a_file_that_is_not_ours_is_left_as_it_is(tmp_path: Path, how: str) -> None:
    path = tmp_path / "jobs.db"
    kind: type[StoreError] = StoreError
    match how:
        case "noise":
            path.write_bytes(os.urandom(8192))
            kind = StoreDamagedError
        case "foreign":
            connection = apsw.Connection(str(path))
            connection.execute("CREATE TABLE theirs (a)")
            connection.close()
        case "newer":
            Database(path).close()
            connection = apsw.Connection(str(path))
            connection.pragma("user_version", 99)
            connection.close()
            kind = SchemaTooNewError
        case "directory":
            path.mkdir()
        case "missing":
            path = tmp_path / "nowhere" / "jobs.db"
            kind = StoreUnavailableError
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(kind, match=r"jobs\.db"):
        Database(path)
    if how == "noise":
        assert path.read_bytes() == before


def test_health_says_what_is_wrong(jobs: Queue) -> None:
    job = jobs.add()
    with jobs.database.write() as connection:
        transitions.claim(connection, job.id, "w", now=jobs.clock.now(), lease_s=60)
    assert jobs.queue.health()["status"] == "healthy"
    jobs.advance(31)  # two heartbeats are missed
    told = jobs.queue.health()
    assert (told["status"], told["stuck_jobs"], told["database_connected"]) == ("unhealthy", 1, True)
    other = apsw.Connection(str(jobs.database.path))
    other.execute("BEGIN IMMEDIATE")
    assert not jobs.database.is_writable(0.0)
    other.execute("ROLLBACK")
    other.close()
    assert jobs.database.is_writable(0.0)
    jobs.database.close()
    told = jobs.queue.health()
    assert (told["status"], told["database_connected"], told["queue_status"]) == ("unhealthy", False, None)


# --- the clock ----------------------------------------------------------------------------------------


def test_a_process_that_is_stopped_between_two_looks_at_the_clock_is_not_ahead_afterwards() -> None:
    class Stopped(ManualClock):
        step = 5.0

        def now(self) -> float:
            self.advance(self.step)
            return super().now()

        def monotonic(self) -> float:
            self.advance(self.step)
            return super().monotonic()

    clock = Stopped()
    steady = SteadyClock(clock)
    for _ in range(5):
        steady.now()
    clock.step = 0.0
    assert steady.now() == clock.now()


def test_an_hour_back_delays_nothing(jobs: Queue) -> None:
    clock = jobs.clock
    assert isinstance(clock, ManualClock)
    gate = Gate()
    gate.open.set()
    now, soon = jobs.add(), jobs.add(run_at=clock.now() + 30)
    clock.set_wall(clock.now() - 3600)
    jobs.work(gate)
    jobs.until(now, COMPLETED)
    assert jobs.get(soon).status is PENDING
    jobs.advance(30)
    jobs.until(soon, COMPLETED)
    late = jobs.add()
    assert late.created_at > soon.created_at
    assert jobs.until(late, COMPLETED).finished_at >= late.created_at  # type: ignore[operator]


def test_an_hour_back_between_two_processes_delays_nothing_either(tmp_path: Path) -> None:
    clock = ManualClock()
    with queue(tmp_path, clock=clock) as before:
        due, delayed = before.add(), before.add(run_at=clock.now() + 30)
        lost = before.add(priority=Priority.HIGH)
        for _ in range(5):
            before.manager.create_job("refresh", limit=("refresh", "ann"))
        with before.database.write() as connection:
            transitions.claim(connection, lost.id, "dead", now=clock.now(), lease_s=60)
    clock = ManualClock(clock.now() - 3600)
    gate = Gate()
    gate.open.set()
    with queue(tmp_path, clock=clock) as after:
        with pytest.raises(RateLimited) as limited:
            after.manager.create_job("refresh", limit=("refresh", "ann"))
        assert limited.value.retry_after_s == 300  # not an hour and five minutes
        after.work(gate)
        after.until(due, COMPLETED)
        assert after.get(delayed).status is PENDING
        after.advance(30)
        after.until(delayed, COMPLETED)
        # Its lease ends in an hour. But it says nothing.
        for _ in range(8):
            after.advance(15)
            beat = after.clock.now()
            while after.workers[0]._supervisor.last_beat < beat:  # type: ignore[union-attr]
                after.workers[0]._slots.pause(0.005)
        after.until(lost, lambda job: job.rescued == 1)


# --- other connections and processes ------------------------------------------------------------------


def test_what_others_do_to_the_table_is_noticed(jobs: Queue, tmp_path: Path) -> None:
    gate = Gate()
    job = jobs.add()
    jobs.work(gate)
    context = gate.wait_begun()
    with queue(tmp_path, clock=jobs.clock) as other:
        assert other.manager.cancel(job.id) == "cancel_requested"
        assert context.wait(WAIT)
        assert jobs.until(job, JobStatus.CANCELLED).worker is None
        jobs.queue.pause("refresh")
        waiting = other.add(JobType.REFRESH)
        added = other.add()
        gate.open.set()
        jobs.until(added, COMPLETED)
        with jobs.changed:
            assert jobs.changed.wait_for(lambda: jobs.history(waiting) == ["pending"], WAIT)
        other.queue.resume()
        jobs.until(waiting, COMPLETED)
        # What this process did itself is told once.
        told = [one.revision for one in jobs.seen]
        assert len(told) == len(set(told))


def test_a_transaction_has_the_file_to_itself_from_its_first_moment(jobs: Queue, tmp_path: Path) -> None:
    """One that began by reading could not go on to write once another process has written."""
    with queue(tmp_path, clock=jobs.clock) as other:
        with jobs.database.write():
            assert not other.database.is_writable(0.0)
        assert other.database.is_writable(0.0)


def test_following_the_table_reads_each_change_once(jobs: Queue) -> None:
    follower = Follower(jobs.database)
    try:
        assert follower.poll() == []
        assert follower.poll() is None
        job = jobs.add()
        assert follower.poll() == [job]
        jobs.queue.pause()
        assert follower.poll() == []
        jobs.manager.cancel(job.id)
        assert follower.poll() == [jobs.get(job)]
        assert follower.poll() is None
    finally:
        follower.close()


def test_a_job_that_is_deleted_in_the_middle_ends_quietly(
    jobs: Queue, caplog: pytest.LogCaptureFixture
) -> None:
    gate = Gate()
    jobs.work(gate)
    jobs.add(project="p")
    context = gate.wait_begun()
    assert jobs.manager.delete_project_jobs("p") == 1
    jobs.advance(15)
    assert context.wait(WAIT)
    assert context.why is Stop.LOST
    gate.open.set()
    jobs.until(jobs.add(project="p"), COMPLETED)
    assert not [one for one in caplog.records if one.levelno >= logging.ERROR]


@pytest.mark.parametrize("again", range(5))
def test_many_open_a_new_file_at_the_same_moment(tmp_path: Path, again: int) -> None:
    """Switching a new file to a log, and making its tables, are both moments in which others must wait."""
    begin = threading.Barrier(8)
    opened: list[Database] = []
    errors: list[Exception] = []

    def make() -> None:
        begin.wait()
        try:
            opened.append(Database(tmp_path / "jobs.db"))
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for database in opened:
        database.close()
    assert errors == []


def test_a_listener_that_fails_harms_nobody(jobs: Queue) -> None:
    jobs.manager.on_change.insert(0, lambda job: 1 / 0)  # type: ignore[arg-type,return-value]
    jobs.work(lambda context: None)
    jobs.until(jobs.add(), COMPLETED)


def test_a_handler_that_ends_the_thread_fails_its_job_alone(jobs: Queue) -> None:
    def leaves(context: Any) -> None:
        if context.job.type == JobType.REFRESH:
            raise SystemExit(3)

    worker = jobs.work(leaves, quick(workers=1))
    failed = jobs.until(jobs.add(JobType.REFRESH, max_attempts=1), JobStatus.FAILED)
    assert failed.error == "SystemExit: 3"
    jobs.until(jobs.add(), COMPLETED)
    assert worker.health()["alive"]


# --- many rows ----------------------------------------------------------------------------------------


def plan(connection: apsw.Connection, statement: str, values: Any = ()) -> str:
    rows = connection.execute(f"EXPLAIN QUERY PLAN {statement}", values)
    return " / ".join(str(row[3]) for row in rows)


def delay(connection: apsw.Connection, count: int) -> None:
    """So many jobs of the highest priority that are not due for long."""
    connection.execute(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
        " INSERT INTO job (id, type, client, trigger, status, priority, created_at, run_at, max_attempts,"
        " args, revision) SELECT printf('%036d', i), 'extraction', 'c', 'manual', 'pending', 2, 0,"
        " 1e12 + i, 1, '{}', i FROM n",
        (count,),
    )


@pytest.mark.parametrize("analyzed", [False, True])
def test_fifty_thousand_delayed_jobs_cost_the_next_one_nothing(jobs: Queue, analyzed: bool) -> None:
    job = jobs.add(priority=Priority.LOW)
    with jobs.database.write() as connection:
        delay(connection, 50_000)
        if analyzed:
            connection.execute("ANALYZE")
        steps = plan(connection, claim.NEXT, (2, "extraction", 1e9))
        assert "SEARCH job USING INDEX job_claim (priority=? AND type=? AND run_at<?)" in steps
        assert "SEARCH busy USING COVERING INDEX job_one_per_project (project_id=?)" in steps
        assert "TEMP B-TREE" not in steps
        work = 0

        def count() -> bool:
            nonlocal work
            work += 1
            return False

        connection.set_progress_handler(count, 1)
        found_id = claim.next_job(connection, list(JobType), now=jobs.clock.now(), aging_s=600)
        connection.set_progress_handler(None, 1)
        assert found_id == job.id
        assert work < 2000  # steps of SQLite's machine, for fifteen probes


@pytest.mark.parametrize("analyzed", [False, True])
def test_no_statement_looks_at_every_job(jobs: Queue, analyzed: bool) -> None:
    """Whatever the code says to SQLite in the life of a job finds its rows by an index."""
    with jobs.database.write() as connection:
        delay(connection, 500)
        if analyzed:
            connection.execute("ANALYZE")
    said: dict[str, Any] = {}

    def trace(_cursor: Any, statement: str, values: Any) -> bool:
        if "job" in statement:
            said[statement] = values
        return True

    with jobs.database.read() as reader, jobs.database.write() as writer:
        reader.set_exec_trace(trace)
        writer.set_exec_trace(trace)
    for end in (
        lambda run: transitions.complete(writer, run, now=9.0, result={}),
        lambda run: transitions.fail(writer, run, now=9.0, error="E", delay_s=1.0),
        lambda run: transitions.rescue(writer, run, now=9.0, delay_s=1.0),
        lambda run: transitions.hand_back(writer, run, now=9.0),
        lambda run: transitions.beat(writer, run, now=9.0, lease_s=60),
        lambda run: transitions.report(writer, run, 0.5, "m"),
    ):
        job = jobs.add(project="p", unique_key=f"k{len(said)}", priority=Priority.LOW)
        with jobs.database.write():
            claim.next_job(writer, list(JobType), now=jobs.clock.now(), aging_s=600)
            transitions.claim(writer, job.id, "w", now=8.0, lease_s=60)
            transitions.expired(writer, now=9.0)
            transitions.leases(writer)
            assert end(Run(job.id, "w", 1)) is not None
        jobs.manager.cancel(job.id)
        if jobs.get(job).status is PROCESSING:
            jobs.manager.update_job_status(job.id, "failed")
    jobs.manager.retry(job.id)
    for more in ({}, {"project_id": "p"}, {"status": "failed"}, {"before": job.id}):
        jobs.manager.list_jobs(**more)  # type: ignore[arg-type]
    jobs.manager.refresh_history("p")
    jobs.queue.get_queue_status()
    jobs.queue.cleanup_old_jobs(days=0)
    jobs.manager.cancel_project("p")
    jobs.manager.delete_project_jobs("p")
    with jobs.database.read() as reader, jobs.database.write() as writer:
        reader.set_exec_trace(None)
        writer.set_exec_trace(None)
        assert len(said) > 25
        for statement, values in said.items():
            steps = plan(writer, statement, values)
            # Only a page of all jobs goes through them in their order, and it ends with the page.
            if not statement.endswith("FROM job  ORDER BY id DESC LIMIT ?"):
                # Counting goes through an index, never through the rows with all they hold.
                assert "SCAN job" not in steps or "count(" in statement, (statement, steps)
                assert "SCAN job" not in steps or "USING COVERING INDEX" in steps, (statement, steps)
                assert "TEMP B-TREE" not in steps or "GROUP BY" in statement, (statement, steps)
