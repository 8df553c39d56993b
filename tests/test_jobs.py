"""What a queue of jobs must do, whatever engine is under it: order, uniqueness, retries, cancelling, limits
of time, rescue, retention. One process, a clock that the test moves; the other files have the adversity."""

import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from currant.clock import ManualClock
from currant.errors import JobConflict, NoSuchJob, RateLimited, UsageError
from currant.jobs import (
    Discard,
    Job,
    JobCancelled,
    JobContext,
    JobStatus,
    JobType,
    Priority,
    RateLimiter,
    Snooze,
    transitions,
)
from currant.jobs.context import Stop
from currant.jobs.ids import uuid7
from jobs_kit import WAIT, Gate, Queue, queue, quick

PENDING, PROCESSING = JobStatus.PENDING, JobStatus.PROCESSING
COMPLETED, FAILED, CANCELLED = JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[Queue]:
    with queue(tmp_path) as found:
        yield found


def nothing(context: JobContext) -> None:
    return None


# --- enqueue ------------------------------------------------------------------------------------------


def test_a_new_job_is_pending_and_its_file_private(jobs: Queue, tmp_path: Path) -> None:
    job = jobs.add(JobType.REFRESH, "p1", args={"path": "a\ud800\0b"}, client="ann", priority=Priority.HIGH)
    assert (job.status, job.attempt, job.priority, job.client) == (PENDING, 0, Priority.HIGH, "ann")
    assert job.args == {"path": "a\ud800\0b"}
    assert jobs.get(job) == job
    for path in tmp_path.glob("jobs.db*"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_ids_are_uuids_of_version_7_and_sort_by_time() -> None:
    made = [uuid7(1000.0 - number / 7) for number in range(50)] + [uuid7(2e9), uuid7(2e9), uuid7(3e9)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)
    assert all(len(one) == 36 and one[14] == "7" and one[19] in "89ab" for one in made)
    assert int(made[-1].replace("-", "")[:12], 16) == 3_000_000_000_000


def test_a_duplicate_gives_the_live_job_until_that_is_over(jobs: Queue) -> None:
    job = jobs.add(unique_key="refresh:p")
    assert jobs.manager.create_job(JobType.EXTRACTION, unique_key="refresh:p") == (job, False)
    gate = Gate()
    jobs.work(gate)
    gate.wait_begun()
    again = jobs.manager.create_job(JobType.EXTRACTION, unique_key="refresh:p")
    assert (again.job.id, again.job.status, again.created) == (job.id, PROCESSING, False)
    gate.open.set()
    jobs.until(job, COMPLETED)
    assert jobs.manager.create_job(JobType.EXTRACTION, unique_key="refresh:p").created


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": "paint"},
        {"type": "refresh", "args": {"when": float("nan")}},
        {"type": "refresh", "args": {"much": "x" * (1 << 20)}},
        {"type": "refresh", "unique_key": "a\0b"},
        {"type": "refresh", "client": "\ud800"},
        {"type": "refresh", "max_attempts": 0},
        {"type": "refresh", "timeout_s": 0},
        {"type": "refresh", "limit": ("dance", "ann")},
    ],
    ids=lambda wrong: next(iter(set(wrong) - {"type"}), "type"),
)
def test_what_cannot_be_stored_is_refused_and_nothing_is_made(jobs: Queue, wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        jobs.manager.create_job(**wrong)
    assert jobs.manager.list_jobs().jobs == []


# --- order --------------------------------------------------------------------------------------------


def order_of(jobs: Queue, settings: Any = None) -> list[str]:
    """The ids in the order in which one thread does them."""
    done: list[str] = []
    count = jobs.queue.get_queue_status()["pending"]
    finished = threading.Semaphore(0)

    def note(context: JobContext) -> None:
        done.append(context.job.id)
        finished.release()

    jobs.work(note, settings or quick(workers=1))
    for _ in range(count):
        assert finished.acquire(timeout=WAIT)
    return done


def test_urgent_first_then_first_come_first_served(jobs: Queue) -> None:
    made = []
    for priority in (Priority.NORMAL, Priority.LOW, Priority.HIGH, Priority.NORMAL, Priority.HIGH):
        made.append(jobs.add(JobType.EXTRACTION if len(made) % 2 else JobType.REFRESH, priority=priority).id)
        jobs.advance(1)
    assert order_of(jobs) == [made[2], made[4], made[0], made[3], made[1]]


def test_what_has_waited_long_is_not_starved(jobs: Queue) -> None:
    old = jobs.add(priority=Priority.LOW)
    jobs.advance(700)
    urgent = [jobs.add(priority=Priority.HIGH).id for _ in range(3)]
    assert order_of(jobs) == [old.id, *urgent]


def test_a_delayed_job_runs_when_it_is_due(jobs: Queue) -> None:
    late = jobs.add(run_at=jobs.clock.now() + 100, priority=Priority.HIGH)
    early = jobs.add()
    jobs.work(nothing)
    jobs.until(early, COMPLETED)
    assert jobs.get(late).status is PENDING
    jobs.advance(100)
    jobs.until(late, COMPLETED)


def test_a_project_has_one_job_in_work_at_a_time(jobs: Queue) -> None:
    gate = Gate()
    first, second = jobs.add(project="p"), jobs.add(JobType.REFRESH, "p", priority=Priority.LOW)
    other = jobs.add(project="q", priority=Priority.LOW)
    jobs.work(gate)
    gate.wait_begun()
    gate.wait_begun()
    assert {jobs.get(job).status for job in (first, other)} == {PROCESSING}
    assert jobs.get(second).status is PENDING
    gate.open.set()
    jobs.until(second, COMPLETED)


# --- ends ---------------------------------------------------------------------------------------------


def test_result_progress_and_times_are_kept(jobs: Queue) -> None:
    gate = Gate()
    job = jobs.add(JobType.REFRESH, "p")
    jobs.work(gate)
    gate.wait_begun().set_progress(0.25, "a quarter")
    halfway = jobs.until(job, lambda one: one.progress == 0.25)
    assert halfway.message == "a quarter"
    jobs.clock.advance(3)  # type: ignore[attr-defined]
    gate.open.set()
    done = jobs.until(job, COMPLETED)
    assert done.result == {"done": job.id}
    assert (done.progress, done.message, done.error, done.attempt) == (1.0, None, None, 1)
    assert done.started_at is not None
    assert done.finished_at == done.started_at + 3
    [entry] = jobs.manager.refresh_history("p")
    assert (entry["job_id"], entry["outcome"], entry["finished_at"]) == (
        job.id,
        "completed",
        done.finished_at,
    )


def test_failures_are_tried_again_later_and_later_and_in_the_end_no_more(jobs: Queue) -> None:
    attempts: list[int] = []

    def fail(context: JobContext) -> None:
        attempts.append(context.job.attempt)
        raise ValueError(f"attempt {context.job.attempt} \ud800\0")

    jobs.work(fail)
    job = jobs.add(max_attempts=3)
    for number, (low, high) in enumerate(((0.5, 1), (1, 2)), start=1):
        waiting = jobs.until(job, lambda one, number=number: one.status is PENDING and one.attempt == number)
        assert low <= waiting.run_at - jobs.clock.now() <= high
        jobs.advance(high)
    failed = jobs.until(job, FAILED)
    assert attempts == [1, 2, 3]
    assert failed.error == "ValueError: attempt 3 ?\ufffd"
    assert [one["attempt"] for one in failed.errors] == [1, 2, 3]
    assert "in fail" in failed.errors[0]["traceback"]
    assert jobs.history(job) == [*["pending", "processing"] * 3, "failed"]


def test_a_snooze_costs_no_attempt_and_a_discard_ends_at_once(jobs: Queue) -> None:
    runs: list[str] = []

    def handler(context: JobContext) -> None:
        runs.append(context.job.type)
        if context.job.type == JobType.REFRESH:
            raise Discard("no such branch")
        if runs.count(context.job.type) < 3:
            raise Snooze(5)

    jobs.work(handler)
    snoozed, discarded = jobs.add(max_attempts=1), jobs.add(JobType.REFRESH)
    for number in (1, 2):
        jobs.until(snoozed, lambda one, number=number: one.status is PENDING and one.fence == number)
        jobs.advance(5)
    done = jobs.until(snoozed, COMPLETED)
    assert (done.attempt, done.fence, done.error) == (1, 3, None)
    failed = jobs.until(discarded, FAILED)
    assert (failed.error, failed.attempt) == ("no such branch", 1)


def test_a_result_that_cannot_be_stored_fails_the_job(jobs: Queue) -> None:
    jobs.work(lambda context: {"nan": float("nan")})
    assert "cannot be stored" in str(jobs.until(jobs.add(), FAILED).error)


def test_retry_by_hand_begins_anew_and_keeps_what_happened(jobs: Queue) -> None:
    gate = Gate()
    gate.open.set()
    jobs.work({JobType.REFRESH: gate, JobType.EXTRACTION: lambda context: 1 / 0})  # type: ignore[dict-item,return-value]
    failed = jobs.until(jobs.add(max_attempts=1, unique_key="k"), FAILED)
    again = jobs.manager.retry(failed.id).job
    assert (again.id, again.attempt, again.retry_count, again.trigger) == (failed.id, 0, 1, "retry")
    assert jobs.until(failed, lambda one: one.status is FAILED and one.retry_count == 1).errors
    assert len(jobs.get(failed).errors) == 2

    other = jobs.add(JobType.REFRESH, unique_key="k", run_at=jobs.clock.now() + 10)
    with pytest.raises(JobConflict) as conflict:
        jobs.manager.retry(failed.id)
    assert conflict.value.live == other.id
    with pytest.raises(JobConflict) as conflict:
        jobs.manager.retry(other.id)
    assert conflict.value.live == other.id
    with pytest.raises(NoSuchJob):
        jobs.manager.retry("nobody")
    assert not jobs.queue.retry_failed_job(failed.id)


# --- cancelling and limits of time --------------------------------------------------------------------


def test_cancelling_what_waits_runs_and_is_over(jobs: Queue) -> None:
    gate = Gate()
    running, waiting = jobs.add(project="p"), jobs.add(project="p", unique_key="w")
    jobs.work(gate)
    context = gate.wait_begun()
    assert jobs.manager.cancel(waiting.id) == "cancelled"
    assert jobs.get(waiting).status is CANCELLED
    assert jobs.manager.cancel(running.id) == "cancel_requested"
    assert context.cancelled()
    assert jobs.until(running, CANCELLED).cancel_requested
    assert jobs.manager.cancel(running.id) == "final"
    with pytest.raises(NoSuchJob):
        jobs.manager.cancel("nobody")
    gate.open.set()
    jobs.manager.retry(running.id)
    assert not jobs.until(running, COMPLETED).cancel_requested


def test_one_that_is_being_cancelled_is_no_answer_to_who_asks_anew(jobs: Queue) -> None:
    gate = Gate(stubborn=True)
    old = jobs.add(project="p", unique_key="refresh:p")
    jobs.work(gate)
    gate.wait_begun()
    jobs.manager.cancel(old.id)
    new = jobs.add(project="p", unique_key="refresh:p")
    assert jobs.get(new).status is PENDING
    gate.open.set()
    jobs.until(new, COMPLETED)


def test_a_handler_that_finishes_all_the_same_has_finished(jobs: Queue) -> None:
    gate = Gate(stubborn=True)
    job = jobs.add()
    jobs.work(gate)
    gate.wait_begun()
    jobs.manager.cancel(job.id)
    gate.open.set()
    assert jobs.until(job, COMPLETED).result == {"stubborn": True}


@pytest.mark.parametrize(
    ("timeout_s", "what"), [(30, "took longer than 30 s"), (None, "no progress for 600 s")]
)
def test_what_is_out_of_time_is_asked_to_stop_and_tried_again(
    jobs: Queue, timeout_s: float | None, what: str
) -> None:
    gate = Gate()
    job = jobs.add(timeout_s=timeout_s, max_attempts=2)
    jobs.work(gate)
    gate.wait_begun()
    jobs.advance(timeout_s or 600)
    late = jobs.until(job, PENDING)
    assert (late.error, late.attempt) == (what, 1)


def test_progress_keeps_a_job_without_a_limit_alive(jobs: Queue) -> None:
    gate = Gate()
    job = jobs.add()
    jobs.work(gate)
    context = gate.wait_begun()
    for step in range(1, 5):
        jobs.advance(599)
        context.set_progress(step / 5)
        jobs.until(job, lambda one, step=step: one.progress == step / 5)
    gate.open.set()
    jobs.until(job, COMPLETED)


def test_one_that_is_claimed_while_the_dead_are_looked_for_is_none_of_them(
    jobs: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, look, made = Gate(), transitions.expired, list[Job]()

    def expired(connection: Any, *, now: float) -> Any:
        if not made:  # the claim, and then a machine that sleeps, in the middle of the supervisor's look
            made.append(jobs.add())
            gate.wait_begun()
            assert isinstance(jobs.clock, ManualClock)
            jobs.clock.advance(599)
        else:
            gate.open.set()
        return look(connection, now=jobs.clock.now())

    monkeypatch.setattr(transitions, "expired", expired)
    jobs.work(gate)
    with jobs.changed:
        assert jobs.changed.wait_for(lambda: made, WAIT)
    assert jobs.until(made[0], COMPLETED).attempt == 1


def test_one_that_does_not_stop_fails_and_its_thread_is_replaced(jobs: Queue) -> None:
    gate = Gate(stubborn=True)
    worker = jobs.work({JobType.EXTRACTION: gate, JobType.REFRESH: nothing}, quick(workers=1))
    job, other = jobs.add(timeout_s=30, max_attempts=5), jobs.add(JobType.REFRESH)
    context = gate.wait_begun()
    jobs.advance(30)
    assert context.wait(WAIT)
    assert jobs.get(job).status is PROCESSING
    jobs.advance(30)
    failed = jobs.until(job, FAILED)
    assert failed.error == "took longer than 30 s, and does not stop when asked to"
    jobs.until(other, COMPLETED)  # by the thread in its place
    assert worker.health()["abandoned"] == 1
    gate.open.set()  # what it says now is too late
    for thread in worker._threads[:1]:
        thread.join(WAIT)
    assert jobs.get(job) == failed


# --- leases -------------------------------------------------------------------------------------------


def test_a_lease_is_renewed_while_the_handler_computes(jobs: Queue) -> None:
    gate = Gate(stubborn=True)
    job = jobs.add(timeout_s=10_000)
    jobs.work(gate)
    gate.wait_begun()
    for _ in range(3):
        jobs.advance(50)
        until = jobs.clock.now() + 60
        with jobs.changed:
            # A renewal is announced to nobody.
            while jobs.get(job).lease_until != until:
                jobs.changed.wait(0.01)
    assert jobs.get(job).rescued == 0
    gate.open.set()
    jobs.until(job, COMPLETED)


def test_a_beat_counts_from_before_it_is_written(jobs: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    late: list[float] = []
    beat = transitions.beat

    def slow(*arguments: Any, **named: Any) -> Any:
        """Time goes by during the first one that is due."""
        answer = beat(*arguments, **named)
        if moved.is_set() and not late:
            jobs.clock.advance(50)  # type: ignore[attr-defined]
            late.append(jobs.clock.now())
        return answer

    moved = threading.Event()
    monkeypatch.setattr(transitions, "beat", slow)
    gate = Gate(stubborn=True)
    job = jobs.add(timeout_s=10_000)
    jobs.work(gate)
    gate.wait_begun()
    moved.set()
    jobs.advance(50)
    with jobs.changed:
        # The lease was renewed 50 seconds ago, so it is time for the next beat.
        while not late or jobs.get(job).lease_until != late[0] + 60:
            jobs.changed.wait(0.01)
    gate.open.set()
    jobs.until(job, COMPLETED)


def test_a_lost_worker_costs_an_attempt_and_in_the_end_the_job(jobs: Queue) -> None:
    job = jobs.add(max_attempts=2)
    with jobs.database.write() as connection:
        from currant.jobs import transitions

        transitions.claim(connection, job.id, "dead", now=jobs.clock.now(), lease_s=60)
    worker = jobs.work({})
    jobs.advance(61)
    lost = jobs.until(job, PENDING)
    assert (lost.rescued, lost.attempt, lost.error) == (1, 1, "worker lost (dead)")
    with jobs.database.write() as connection:
        transitions.claim(connection, job.id, "dead", now=jobs.clock.now(), lease_s=60)
    jobs.advance(61)
    failed = jobs.until(job, FAILED)
    assert (failed.rescued, failed.attempt, failed.error) == (2, 2, "worker lost (dead)")
    worker.stop()


def test_a_stop_hands_back_what_does_not_end(tmp_path: Path) -> None:
    with queue(tmp_path) as jobs:
        polite, stubborn = Gate(), Gate(stubborn=True)
        worker = jobs.work({JobType.REFRESH: polite, JobType.EXTRACTION: stubborn})
        first, second = jobs.add(JobType.REFRESH, max_attempts=1), jobs.add(max_attempts=1)
        waiting = jobs.add()
        polite.wait_begun()
        stubborn.wait_begun()
        assert not worker.stop(0, 0)
        for job in (first, second):
            back = jobs.get(job)
            assert (back.status, back.attempt, back.errors) == (PENDING, 0, [])
        assert jobs.get(waiting) == waiting
        stubborn.open.set()
        for thread in worker._threads:
            thread.join(WAIT)
        assert worker.stop()
        assert jobs.get(second).status is PENDING
        polite.open.set()
        with queue(tmp_path) as later:
            later.work({JobType.REFRESH: polite, JobType.EXTRACTION: stubborn})
            assert later.until(first, COMPLETED).attempt == 1
            later.until(second, COMPLETED)


@pytest.mark.parametrize("error", [JobCancelled, ValueError], ids=["polite", "its files were closed"])
def test_who_ends_because_of_a_shutdown_is_as_if_not_begun(jobs: Queue, error: type[Exception]) -> None:
    begun = threading.Event()

    def handler(context: JobContext) -> None:
        begun.set()
        assert context.wait(WAIT)
        raise error

    worker = jobs.work(handler)
    job = jobs.add(max_attempts=1)
    assert begun.wait(WAIT)
    assert worker.stop(0, WAIT)
    back = jobs.get(job)
    assert (back.status, back.attempt, back.errors, back.run_at) == (PENDING, 0, [], jobs.clock.now())


def test_a_wish_to_cancel_counts_for_more_than_other_reasons_to_stop(jobs: Queue) -> None:
    context = JobContext(jobs.add(), jobs.clock, stall_s=600)
    told = []
    for why in (
        Stop.SHUTDOWN,
        Stop.TIMEOUT,
        Stop.SHUTDOWN,
        Stop.CANCEL,
        Stop.TIMEOUT,
        Stop.LOST,
        Stop.CANCEL,
    ):
        context.stop(why)
        told.append(context.why)
    assert told == [Stop.SHUTDOWN, *[Stop.TIMEOUT] * 2, *[Stop.CANCEL] * 2, *[Stop.LOST] * 2]


def test_a_second_signal_does_not_wait(jobs: Queue) -> None:
    gate = Gate(stubborn=True)
    worker = jobs.work(gate)
    job = jobs.add()
    gate.wait_begun()
    stopping = threading.Thread(target=worker.stop, args=(1e6, 2e6))
    stopping.start()
    worker.now()
    stopping.join(WAIT)
    assert not stopping.is_alive()
    assert jobs.get(job).status is PENDING
    gate.open.set()


def test_nothing_is_begun_once_it_is_to_stop(jobs: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    worker = jobs.work(nothing, quick(workers=1))
    write = jobs.database.write

    def just_then() -> Any:
        if threading.current_thread() in worker._threads:
            worker._slots.closing = True
        return write()

    monkeypatch.setattr(jobs.database, "write", just_then)
    job = jobs.add()
    worker._threads[0].join(WAIT)
    assert jobs.get(job).status is PENDING


def test_a_wish_to_cancel_in_the_first_moment_is_not_missed(jobs: Queue) -> None:
    def at_once(job: Job) -> None:
        if job.status is PROCESSING and not job.cancel_requested:
            assert jobs.manager.cancel(job.id) == "cancel_requested"

    jobs.manager.on_change.append(at_once)
    jobs.work(Gate())
    jobs.until(jobs.add(), CANCELLED)


# --- looking ------------------------------------------------------------------------------------------


def test_pages_of_jobs_are_whole_and_newest_first(jobs: Queue) -> None:
    made = [jobs.add(project=f"p{number % 2}").id for number in range(7)]
    pages, before = [], None
    while True:
        page = jobs.manager.list_jobs(before=before, limit=3)
        pages.append([job.id for job in page.jobs])
        if (before := page.next) is None:
            break
    assert [len(page) for page in pages] == [3, 3, 1]
    assert [one for page in pages for one in page] == made[::-1]
    assert [job.id for job in jobs.manager.list_jobs("p1").jobs] == made[5::-2]
    jobs.manager.cancel(made[0])
    assert [job.id for job in jobs.manager.list_jobs(status="cancelled").jobs] == [made[0]]
    assert jobs.manager.list_jobs(type="refresh").jobs == []
    assert jobs.manager.list_jobs("p\0").jobs == []
    with pytest.raises(UsageError):
        jobs.manager.list_jobs(status="lost")


def test_the_status_has_the_shape_that_pollers_know(jobs: Queue) -> None:
    job = jobs.add(JobType.PROJECT_PROCESSING, "p")
    told = jobs.manager.get_job_status(job.id)
    assert told is not None
    assert told["status"] == "queued"
    assert told["created_at"] == "2023-11-14T22:13:20.000Z"
    assert told["started_at"] is told["completed_at"] is told["result"] is told["error"] is None
    assert jobs.manager.get_project_jobs("p") == [told]
    assert jobs.manager.get_job_status("nobody") is None
    ended = jobs.manager.update_job_status(job.id, "completed", {"tasks_count": 15})
    assert (ended.status, ended.result) == (COMPLETED, {"tasks_count": 15})
    with pytest.raises(JobConflict):
        jobs.manager.update_job_status(job.id, "failed", error="late")
    with pytest.raises(JobConflict):
        jobs.manager.update_job_status(job.id, "processing")


def test_the_state_of_the_queue(jobs: Queue) -> None:
    gate = Gate()
    running = jobs.add(project="p")
    jobs.work({JobType.EXTRACTION: gate})
    gate.wait_begun()
    jobs.add(JobType.REFRESH, "p", priority=Priority.HIGH)
    jobs.add(run_at=jobs.clock.now() + 1000)
    jobs.advance(10)
    told = jobs.queue.get_queue_status()
    assert (told["pending"], told["processing"], told["total"], told["delayed"]) == (2, 1, 3, 1)
    assert told["oldest_pending_age_s"] == 10.0
    assert told["by_priority"] == {"low": 0, "normal": 1, "high": 1}
    assert told["by_type"]["refresh"]["pending"] == 1
    [now] = told["running"]
    assert (now["id"], now["project_id"], now["age_s"]) == (running.id, "p", 10.0)
    assert jobs.queue.health()["status"] == "healthy"
    gate.open.set()
    jobs.until(running, COMPLETED)
    assert jobs.queue.get_queue_status()["throughput_1m"] == 1
    jobs.advance(100)
    assert jobs.queue.get_queue_status()["throughput_1m"] == 0
    assert jobs.queue.get_queue_status()["throughput_5m"] == 1


def test_a_pause_holds_what_has_not_begun(jobs: Queue) -> None:
    jobs.work(nothing)
    jobs.queue.pause("refresh", by="ann")
    paused, other = jobs.add(JobType.REFRESH), jobs.add()
    jobs.until(other, COMPLETED)
    assert jobs.get(paused).status is PENDING
    assert [(one["kind"], one["by"]) for one in jobs.queue.paused()] == [("refresh", "ann")]
    jobs.queue.resume("refresh")
    jobs.until(paused, COMPLETED)
    jobs.queue.pause()
    everything = jobs.add()
    assert jobs.queue.get_queue_status()["paused"] == ["*"]
    jobs.queue.resume()
    jobs.until(everything, COMPLETED)


# --- limits and retention -----------------------------------------------------------------------------


def test_five_refreshes_in_five_minutes_and_when_the_next_may_be(jobs: Queue) -> None:
    def refresh(number: int, client: str = "ann") -> Any:
        return jobs.manager.create_job(
            "refresh", f"p{number}", client=client, unique_key=f"refresh:p{number}", limit=("refresh", client)
        )

    for number in range(5):
        assert refresh(number).created
        jobs.advance(10)
    with pytest.raises(RateLimited) as limited:
        refresh(5)
    assert limited.value.retry_after_s == 250
    assert not refresh(4).created  # a duplicate costs nothing and is never refused
    assert refresh(6, "bob").created
    assert jobs.manager.get_project_jobs("p5") == []
    jobs.advance(249.5)
    with pytest.raises(RateLimited):
        refresh(5)
    jobs.advance(0.5)
    assert refresh(5).created
    with pytest.raises(RateLimited) as limited:
        refresh(7)
    assert limited.value.retry_after_s == 10


def test_what_is_rolled_back_does_not_count(jobs: Queue) -> None:
    limiter = RateLimiter(jobs.database, jobs.settings)

    def fails() -> None:
        with jobs.database.write():
            limiter.check("ann", "create_project")
            raise ZeroDivisionError

    for _ in range(20):
        with pytest.raises(ZeroDivisionError):
            fails()
    for _ in range(10):
        limiter.check("ann", "create_project")
    with pytest.raises(RateLimited):
        limiter.check("ann", "create_project")


def test_what_is_over_for_long_is_deleted_in_batches(jobs: Queue) -> None:
    jobs.queue.pause()
    for number in range(1201):
        job = jobs.add(project=f"p{number % 3}")
        if number % 400:
            jobs.manager.cancel(job.id)
    commits: list[int] = []

    def committed(_connection: Any) -> bool:
        commits.append(jobs.database._writer.changes())
        return False

    jobs.advance(24 * 3600 + 1)
    recent = jobs.add()
    jobs.manager.cancel(recent.id)
    jobs.database._writer.set_commit_hook(lambda: committed(None))
    assert jobs.queue.cleanup_old_jobs() == 1197
    assert max(commits) == 500
    left = jobs.queue.get_queue_status()
    assert (left["pending"], left["cancelled"]) == (4, 1)
    assert jobs.queue.cleanup_old_jobs(days=0.0) == 0  # not older than now
    jobs.advance(1)
    assert jobs.queue.cleanup_old_jobs(days=0) == 1


def test_listeners_hear_of_what_is_committed_and_of_nothing_else(jobs: Queue) -> None:
    def fails() -> None:
        with jobs.database.write():
            jobs.add()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    assert jobs.seen == []
    with jobs.database.write():
        job = jobs.add()
        jobs.manager.cancel(job.id)
        assert jobs.seen == []
    assert jobs.history(job) == ["pending", "cancelled"]
    assert {one.id for one in jobs.seen} == {job.id}


def test_a_handler_may_cancel_itself(jobs: Queue) -> None:
    def give_up(context: JobContext) -> None:
        raise JobCancelled

    jobs.work(give_up)
    jobs.until(jobs.add(), CANCELLED)
