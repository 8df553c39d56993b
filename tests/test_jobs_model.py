"""The table of jobs against a model in plain Python, by random sequences of everything that may happen to it:
workers that die, come back and speak too late, time that passes, people who cancel and try again.

The test is tested: each of the planted faults below has to be found by the same machine.
"""

import random
import types
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import apsw
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from currant.clock import ManualClock
from currant.config import JobsSettings
from currant.errors import StoreError
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
from currant.jobs.retention import prune_jobs

LEASE_S = 60.0
AGING_S = 600.0
FINAL = ("completed", "failed", "cancelled")
TYPES = (JobType.REFRESH, JobType.EXTRACTION)
WALKS = 100
# Counted from the newest.
RECENT = st.integers(0, 5)


@dataclass
class Row:
    """What a job should be."""

    id: str
    type: str
    project: str | None
    key: str | None
    priority: int
    created_at: float
    run_at: float
    most: int
    status: str = "pending"
    attempt: int = 0
    fence: int = 0
    rescued: int = 0
    retries: int = 0
    errors: int = 0
    cancel: bool = False
    run: "transitions.Run | None" = None
    lease_until: float | None = None
    started_at: float | None = None
    finished_at: float | None = None
    progress: float | None = None

    def end(self, status: str, now: float) -> None:
        self.status, self.finished_at = status, now
        self.run = self.lease_until = None

    def again(self, run_at: float, now: float) -> None:
        if self.cancel:
            self.end("cancelled", now)
        else:
            self.status = "pending"
            self.run = self.lease_until = None
        self.run_at = run_at

    def fail(self, now: float, delay_s: float | None) -> None:
        self.errors += 1
        if delay_s is None or self.attempt >= self.most:
            self.end("failed", now)
        else:
            self.again(now + delay_s, now)


@dataclass
class Model:
    rows: dict[str, Row] = field(default_factory=dict)
    paused: set[str] = field(default_factory=set)

    def live(self, key: str | None) -> Row | None:
        found = [
            row for row in self.rows.values() if row.key == key and row.status not in FINAL and not row.cancel
        ]
        assert len(found) <= 1 or key is None
        return found[0] if found and key is not None else None

    def next(self, now: float) -> Row | None:
        """Which job is to be taken."""
        if "*" in self.paused:
            return None
        busy = {row.project for row in self.rows.values() if row.status == "processing"} - {None}
        free = [
            row
            for row in self.rows.values()
            if row.status == "pending" and row.run_at <= now
            and row.type not in self.paused and row.project not in busy
        ]  # fmt: skip
        if not free:
            return None
        aged = [row for row in free if row.run_at <= now - AGING_S]
        if aged:
            return min(aged, key=lambda row: (row.run_at, row.id))
        return min(free, key=lambda row: (-row.priority, row.run_at, row.id))


class Machine(RuleBasedStateMachine):
    """`t` and `c` are `currant.jobs.transitions` and `claim`, or one of them with a fault."""

    t: ClassVar[types.ModuleType] = transitions
    c: ClassVar[types.ModuleType] = claim
    database: ClassVar[Database]
    clock: ClassVar[ManualClock]

    @initialize()
    def empty(self) -> None:
        self.model = Model()
        self.jobs: list[str] = []
        self.runs: list[transitions.Run] = []
        self.manager = JobManager(self.database, JobsSettings())
        self.queue = JobQueueManager(self.database, manager=self.manager)
        with self.database.write() as connection:
            connection.execute("DELETE FROM job; DELETE FROM refresh_history; DELETE FROM pause")

    @property
    def now(self) -> float:
        return self.database.now()

    @rule(
        type=st.sampled_from(TYPES),
        project=st.sampled_from((None, "p", "q")),
        key=st.sampled_from((None, None, "a", "b")),
        priority=st.sampled_from(Priority),
        delay=st.sampled_from((0, 0, 0, 5, 100)),
        most=st.integers(1, 3),
    )
    def enqueue(
        self, type: JobType, project: str | None, key: str | None, priority: Priority, delay: int, most: int
    ) -> None:
        with self.database.write() as connection:
            now = self.now
            made = self.t.enqueue(
                connection, now=now, type=type, project_id=project, client="c", trigger="manual",
                priority=priority, args={}, unique_key=key, max_attempts=most, run_at=now + delay,
                timeout_s=None,
            )  # fmt: skip
        live = self.model.live(key)
        assert made.created == (live is None)
        if live is not None:
            assert made.job.id == live.id
        else:
            job_id = made.job.id
            self.model.rows[job_id] = Row(job_id, type, project, key, priority, now, now + delay, most)
        self.jobs.append(made.job.id)

    @rule(worker=st.sampled_from(("w1", "w2")))
    def claim_next(self, worker: str) -> None:
        with self.database.write() as connection:
            now = self.now
            found = self.c.next_job(connection, TYPES, now=now, aging_s=AGING_S)
            expected = self.model.next(now)
            assert found == (expected.id if expected else None)
            if expected is None:
                return
            job = self.t.claim(connection, found, worker, now=now, lease_s=LEASE_S)
        run = transitions.Run(expected.id, worker, job.fence)
        expected.status, expected.run, expected.lease_until = "processing", run, now + LEASE_S
        expected.started_at = now
        expected.attempt += 1
        expected.fence += 1
        expected.progress = None
        self.runs.append(run)

    @precondition(lambda self: self.runs)
    @rule(
        which=RECENT,
        what=st.sampled_from(("complete", "fail", "fail", "hand back", "cancelled", "beat", "report")),
        delay=st.sampled_from((None, 0.0, 3.0, 50.0)),
    )
    def says(self, which: int, what: str, delay: float | None) -> None:
        """A run, of now or of long ago, says something of its job."""
        run = self.runs[-1 - which % len(self.runs)]
        row = self.model.rows.get(run.id)
        if row is not None and row.run != run:
            row = None  # and so it is not to be taken
        with self.database.write() as connection:
            now = self.now
            match what:
                case "complete":
                    job = self.t.complete(connection, run, now=now, result={"of": run.fence})
                case "fail":
                    job = self.t.fail(connection, run, now=now, error="E", delay_s=delay)
                case "hand back":
                    job = self.t.hand_back(connection, run, now=now, delay_s=delay or 0.0)
                case "cancelled":
                    job = self.t.end_cancelled(connection, run, now=now)
                case "report":
                    job = self.t.report(connection, run, 0.5, "so far")
                case _:
                    job = self.t.beat(connection, run, now=now, lease_s=LEASE_S)
        assert (job is not None) == (row is not None), (job, row)
        if row is None:
            return
        match what:
            case "complete":
                assert job.result == {"of": run.fence}
                row.end("completed", now)
                row.progress = 1.0
            case "fail":
                row.fail(now, delay)
            case "hand back":
                row.attempt -= 1
                row.again(now + (delay or 0.0), now)
            case "cancelled":
                row.end("cancelled", now)
            case "report":
                row.progress = 0.5
            case _:
                assert job == row.cancel
                row.lease_until = now + LEASE_S

    @precondition(lambda self: self.jobs)
    @rule(which=RECENT)
    def claim_too_late(self, which: int) -> None:
        """Somebody takes a job that he saw pending a moment ago."""
        row = self.model.rows.get(self.jobs[-1 - which % len(self.jobs)])
        if row is not None and row.status != "pending":
            with self.database.write() as connection:
                assert self.t.claim(connection, row.id, "w3", now=self.now, lease_s=LEASE_S) is None

    @rule()
    def silence(self) -> None:
        """Nobody says anything for longer than a lease."""
        self.clock.advance(LEASE_S + 1)
        self.rescue()

    @rule()
    def rescue(self) -> None:
        with self.database.write() as connection:
            now = self.now
            lost = self.t.expired(connection, now=now)
            expected = [
                row
                for row in self.model.rows.values()
                if row.status == "processing" and row.lease_until is not None and row.lease_until < now
            ]
            assert {run.id for run in lost} == {row.id for row in expected}
            for run in lost:
                assert self.t.rescue(connection, run, now=now, delay_s=1.0) is not None
        for row in expected:
            row.rescued += 1
            if row.cancel:
                row.end("cancelled", now)
            else:
                row.fail(now, 1.0)

    @precondition(lambda self: self.jobs)
    @rule(which=RECENT)
    def cancel(self, which: int) -> None:
        job_id = self.jobs[-1 - which % len(self.jobs)]
        with self.database.write() as connection:
            now = self.now
            outcome, _ = self.t.cancel(connection, job_id, now=now)
        row = self.model.rows.get(job_id)
        if row is None or row.status in FINAL:
            assert outcome == "final"
        elif row.status == "pending":
            assert outcome == "cancelled"
            row.end("cancelled", now)
        else:
            assert outcome == "cancel_requested"
            row.cancel = True

    @precondition(lambda self: self.jobs)
    @rule(which=RECENT)
    def retry(self, which: int) -> None:
        job_id = self.jobs[-1 - which % len(self.jobs)]
        row = self.model.rows.get(job_id)
        may = row is not None and row.status in ("failed", "cancelled")
        taken = row is not None and self.model.live(row.key) is not None
        try:
            with self.database.write() as connection:
                now = self.now
                job = self.t.retry(connection, job_id, now=now)
        except StoreError as error:
            cause = error.__cause__
            job = None
        else:
            cause = None
        assert isinstance(cause, apsw.ConstraintError) == (may and taken)
        assert (job is not None) == (may and not (may and taken))
        if row is not None and job is not None:
            row.status, row.attempt, row.run_at, row.cancel = "pending", 0, now, False
            row.started_at = row.finished_at = row.progress = None
            row.retries += 1

    @rule(kept=st.sampled_from((0.0, 90.0)))
    def prune(self, kept: float) -> None:
        now = self.now
        gone = {
            row.id
            for row in self.model.rows.values()
            if row.finished_at is not None and row.finished_at < now - kept
        }
        count = prune_jobs(self.database, dict.fromkeys(map(JobStatus, FINAL), kept), now=now, batch=2)
        assert count == len(gone)
        for one in gone:
            del self.model.rows[one]

    @rule(kind=st.sampled_from((None, *TYPES)), end=st.booleans())
    def pause(self, kind: JobType | None, end: bool) -> None:
        name = "*" if kind is None else str(kind)
        if not end:
            self.queue.pause(kind)
            self.model.paused.add(name)
        elif kind is None:
            self.queue.resume()
            self.model.paused.clear()
        else:
            self.queue.resume(kind)
            self.model.paused.discard(name)

    @rule(seconds=st.sampled_from((1, 30, 59, 60, 61, 700)))
    def advance(self, seconds: int) -> None:
        self.clock.advance(seconds)

    @rule(seconds=st.sampled_from((5, 3600)))
    def clock_goes_back(self, seconds: int) -> None:
        before = self.now
        self.clock.set_wall(self.clock.now() - seconds)
        assert self.now >= before

    @invariant()
    def rows_are_as_modelled(self) -> None:
        with self.database.read() as connection:
            stored = [
                transitions.job_of(row)
                for row in connection.execute(f"SELECT {transitions.COLUMNS} FROM job").fetchall()
            ]
        assert {job.id for job in stored} == set(self.model.rows)
        for job in stored:
            row = self.model.rows[job.id]
            run = None if job.worker is None else transitions.Run(job.id, job.worker, job.fence)
            assert (
                *(str(job.status), job.attempt, job.fence, job.rescued, job.retry_count, len(job.errors)),
                *(job.cancel_requested, run, job.lease_until, job.started_at, job.finished_at, job.progress),
            ) == (
                *(row.status, row.attempt, row.fence, row.rescued, row.retries, row.errors),
                *(row.cancel, row.run, row.lease_until, row.started_at, row.finished_at, row.progress),
            ), job
            if row.status == "pending":
                assert job.run_at == row.run_at
        assert len({job.revision for job in stored}) == len(stored)


@pytest.fixture(autouse=True)
def _database(tmp_path: Path) -> Iterator[None]:
    Machine.clock = ManualClock()
    Machine.database = Database(tmp_path / "jobs.db", Machine.clock)
    yield
    Machine.database.close()


def walk(machine: type[Machine], seed: int, steps: int = 60) -> None:
    """One random sequence. Hypothesis makes failures small, but it prefers short and even ones and takes ten
    times as long; what needs an unlikely row of things to happen is found here."""
    chance = random.Random(seed)
    one = machine()
    one.empty()
    for _ in range(steps):
        which = chance.randrange(6)
        match chance.choices(range(9), (5, 6, 8, 2, 1, 2, 2, 1, 3))[0]:
            case 0:
                one.enqueue(
                    chance.choice(TYPES),
                    chance.choice((None, "p", "q")),
                    chance.choice((None, None, "a", "b")),
                    chance.choice(tuple(Priority)),
                    chance.choice((0, 0, 0, 5, 100)),
                    chance.randint(1, 3),
                )
            case 1:
                one.claim_next(chance.choice(("w1", "w2")))
            case 2 if one.runs:
                what = chance.choice(("complete", "fail", "fail", "hand back", "cancelled", "beat", "report"))
                one.says(which, what, chance.choice((None, 0.0, 3.0, 50.0)))
            case 3 if one.jobs:
                one.cancel(which)
            case 4:
                one.silence()
            case 5 if one.jobs:
                one.retry(which)
                one.claim_too_late(which)
            case 6:
                one.advance(chance.choice((1, 30, 59, 60, 61, 700)))
            case 7:
                if chance.random() < 0.3:
                    one.prune(chance.choice((0.0, 90.0)))
                else:
                    one.pause(chance.choice((None, *TYPES)), chance.random() < 0.7)
            case _:
                one.rescue()
        one.rows_are_as_modelled()


def test_whatever_happens_the_table_is_as_the_model() -> None:
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=500,
            stateful_step_count=25,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.parametrize("part", range(2))
def test_long_walks_too(part: int) -> None:
    for seed in range(WALKS):
        walk(Machine, seed + part * WALKS)


FENCED = "status = 'processing' AND worker = :worker AND fence = :fence"
IF_CANCELLED = (
    "\"status = iif(cancel_requested, 'cancelled', 'pending'),\"\n"
    '        " finished_at = iif(cancel_requested, :now, NULL), run_at = :run_at"'
)
CANCEL_PENDING = """"id = :id AND status = 'pending'",\n        {"id": job_id, "now": now}"""
CLAIM_PENDING = """"id = :id AND status = 'pending'",\n        {"id": job_id, "worker\""""

# Each is a fault that somebody might make: a piece of the source, and what stands there instead.
FAULTS = {
    "what a run says is taken whoever has the job": (transitions, FENCED, "status = 'processing'"),
    "a run is known by its worker alone": (transitions, " AND fence = :fence", ""),
    "the number of a run starts anew": (transitions, "attempt = 0, retry", "attempt = 0, fence = 0, retry"),
    "a run is known by its attempt": (transitions, "fence = fence + 1", "fence = attempt + 1"),
    "a rescue costs no attempt": (
        transitions,
        "rescued = rescued + :rescued, ",
        "rescued = rescued + :rescued, attempt = attempt - :rescued, ",
    ),
    "a retry goes on where it was": (transitions, "status = 'pending', attempt = 0,", "status = 'pending',"),
    "a claim costs no attempt": (transitions, "attempt = attempt + 1, fence", "fence"),
    "a snooze costs an attempt": (transitions, "attempt = attempt - 1, run_at", "run_at"),
    "a rescue forgets the wish to cancel": (transitions, "    if found:\n", "    if False:\n"),
    "a failure forgets the wish to cancel": (
        transitions,
        IF_CANCELLED,
        "\"status = 'pending', run_at = :run_at\"",
    ),
    "a retry remembers the wish to cancel": (transitions, "error = NULL, cancel_requested = 0", "error = 0"),
    "a job that is over is cancelled": (
        transitions,
        CANCEL_PENDING,
        CANCEL_PENDING.replace(" AND status = 'pending'", ""),
    ),
    "a completed job is tried again": (transitions, "('failed', 'cancelled')\"", "('failed', 'completed')\""),
    "attempts do not end": (transitions, "and attempt < most", ""),
    "one attempt too few": (transitions, "and attempt < most", "and attempt + 1 < most"),
    "a beat does not renew": (transitions, "max(lease_until, :until)", "lease_until"),
    "leases that are alive are rescued": (transitions, 'lease_until < ?"', 'lease_until < ? + 30"'),
    "leases that are over are not": (transitions, 'lease_until < ?"', 'lease_until < ? - 30"'),
    "a rescue is not counted": (transitions, "rescued = rescued + :rescued, ", ""),
    "a duplicate is made": (transitions, "if unique_key is not None and (found", "if False and (found"),
    "what is not due is claimed": (claim, "AND run_at <= ?\n", "AND ? IS NOT NULL\n"),
    "a busy project gets another job": (claim, "busy.project_id = job.project_id", "0"),
    "the last is served first": (claim, "ORDER BY run_at, id", "ORDER BY run_at DESC, id"),
    "priorities are upside down": (claim, "else -priority", "else priority"),
    "old jobs starve": (claim, "aged = run_at <= now - aging_s", "aged = False"),
    "a pause is for show": (claim, "sorted(set(map(str, types)) - paused)", "sorted(set(map(str, types)))"),
    "a pause of everything is for show": (claim, "[] if ALL in paused else ", ""),
    "a claim takes what others have": (
        transitions,
        CLAIM_PENDING,
        CLAIM_PENDING.replace(" AND status = 'pending'", ""),
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_machine_finds_planted_faults(fault: str) -> None:
    module, old, new = FAULTS[fault]
    text = Path(str(module.__file__)).read_text()
    assert old in text, "the fault has to be planted somewhere else by now"
    faulty = types.ModuleType("faulty")
    exec(compile(text.replace(old, new), "faulty", "exec"), faulty.__dict__)
    name = "t" if module is transitions else "c"
    planted = type("Planted", (Machine,), {name: faulty})
    for seed in range(2 * WALKS):
        try:
            walk(planted, seed)
        except Exception:  # whatever it trips over
            return
    pytest.fail("nobody noticed")
