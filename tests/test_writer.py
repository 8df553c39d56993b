"""The writer: when it commits, in which order it acknowledges, and what a failing commit costs."""

import random
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from currant.changes import ChangeDetectionQueue
from currant.clock import ManualClock
from currant.errors import StoreError, StoreFullError
from currant.model import Failure, FileStat, Item, Record, Remove, ResultKey, Upsert
from currant.status import StatusReporter
from currant.writer import (
    BACKLOG_ITEMS,
    GROUP_BYTES,
    GROUP_ITEMS,
    GROUP_SECONDS,
    Submission,
    Writer,
    WriterStopped,
    seconds_until_due,
)
from fake_engine import FakeEngine
from pipeline_double import DictStore

STAT = FileStat(1, 2, 3, 4)


class Bench:
    """A writer without a thread, over an engine that has `count` tickets out."""

    def __init__(self, tmp_path: Path, count: int) -> None:
        self.clock = ManualClock()
        self.engine = FakeEngine(str(tmp_path), state_dir=str(tmp_path / ".currant"))
        for number in range(count):
            (tmp_path / f"{number}").write_bytes(b"x")
        self.engine.change(*(f"{number}" for number in range(count)))
        self.changes = list(self.engine.next_batch(count, 0) or ())
        self.store = DictStore()
        self.status = StatusReporter(self.clock)
        self.writer = Writer(
            self.store,
            ChangeDetectionQueue(self.engine, self.clock),
            status=self.status,
            clock=self.clock,
            source=random.Random(7),
        )

    def submission(self, number: int, *, record: bool = True, cost: int = 10) -> Submission:
        change = self.changes[number]
        upsert = Upsert(
            path=change.path.encode(),
            stat=STAT,
            key=ResultKey(b"%16d" % number, "", "plain/1:1"),
            record=Record(None, [], []) if record else None,
            old_path=None,
            cause="event",
            seen_at=1.0,
            attempts=0,
            racy=False,
        )
        return Submission(change.path, change.ticket, (upsert,), "done", STAT, cost=cost)

    def submit(self, *numbers: int) -> None:
        for number in numbers:
            self.writer.submit(self.submission(number))

    def outcomes(self) -> list[str]:
        return [ack[1] for ack in self.engine.acks]


@settings(deadline=None)
@given(
    items=st.integers(0, 3 * GROUP_ITEMS),
    size=st.integers(0, 3 * GROUP_BYTES),
    age=st.floats(0, 10),
    idle=st.booleans(),
)
def test_a_group_is_due_when_full_old_or_alone(items: int, size: int, age: float, idle: bool) -> None:
    due = seconds_until_due(items, size, age, idle=idle) == 0.0
    assert due == (idle or items >= GROUP_ITEMS or size >= GROUP_BYTES or age >= GROUP_SECONDS)


def test_nothing_is_acknowledged_before_the_commit(tmp_path: Path) -> None:
    bench = Bench(tmp_path, 3)
    seen: list[int] = []
    bench.store.before_commit = lambda items: seen.append(len(bench.engine.acks))
    bench.submit(0, 1, 2)
    bench.writer.turn()
    assert seen == [0]
    assert bench.outcomes() == ["done"] * 3
    assert bench.engine.acks[0][2:6] == (1, 2, 3, 4)
    assert bench.status.get_processed_count() == 3


def test_waits_for_company_while_more_is_on_its_way_but_not_longer_than_the_limit(tmp_path: Path) -> None:
    bench = Bench(tmp_path, 3)
    bench.submit(0, 1)  # the third is still with a worker
    assert bench.writer.turn()
    assert bench.store.commits == []
    bench.clock.advance(GROUP_SECONDS)
    bench.writer.turn()
    assert [len(commit) for commit in bench.store.commits] == [2]
    bench.submit(2)  # nothing else is out: no reason to wait
    bench.writer.turn()
    assert [len(commit) for commit in bench.store.commits] == [2, 1]


def test_does_not_wait_for_what_waits_for_it(tmp_path: Path) -> None:
    """A change of a subtree, and all that is behind it, is handed out once nothing is in flight: what is
    pending then comes only after the commit."""
    bench = Bench(tmp_path, 2)
    bench.engine.move_dir("old", "new")
    bench.engine.change("later")
    bench.submit(0, 1)
    bench.writer.turn()
    assert bench.outcomes() == ["done"] * 2


def test_a_renamed_file_does_not_wait_for_its_own_old_name(tmp_path: Path) -> None:
    bench = Bench(tmp_path, 2)  # the engine counts both names until the change is acknowledged
    submission = bench.submission(0)
    [upsert] = submission.items
    assert isinstance(upsert, Upsert)
    bench.writer.submit(replace(submission, items=(replace(upsert, old_path=b"1"),)))
    bench.writer.turn()
    assert bench.outcomes() == ["done"]


@pytest.mark.parametrize("hours", [-9_000, 9_000])
def test_a_step_of_the_wall_clock_moves_no_deadline(tmp_path: Path, hours: int) -> None:
    bench = Bench(tmp_path, 2)
    bench.submit(0)
    bench.clock.set_wall(bench.clock.now() + hours * 3_600)
    assert bench.writer.turn()
    assert bench.outcomes() == []
    bench.clock.advance(GROUP_SECONDS)
    bench.writer.turn()
    assert bench.outcomes() == ["done"]


def test_a_full_group_is_committed_at_once(tmp_path: Path) -> None:
    bench = Bench(tmp_path, 3)
    bench.writer.submit(bench.submission(0, cost=GROUP_BYTES))
    bench.writer.turn()
    assert len(bench.store.commits) == 1


def test_a_failing_commit_loses_nothing_and_is_tried_again(tmp_path: Path) -> None:
    bench = Bench(tmp_path, 3)

    def full(items: Sequence[Item]) -> None:
        raise StoreFullError("no space left")

    bench.store.before_commit = full
    bench.submit(0, 1)
    bench.clock.advance(1)
    bench.writer.turn()
    assert bench.engine.acks == []
    assert bench.writer.backlog() == 2
    degraded = bench.writer.degraded()
    assert degraded is not None
    assert "no space left" in degraded.what
    wait = bench.writer.turn()
    assert wait is not None
    assert wait > 0  # not before its time
    bench.submit(2)
    for _ in range(10):  # long enough for the one-by-one tries as well
        bench.clock.advance(60)
        bench.writer.turn()
    assert bench.engine.acks == []
    bench.store.before_commit = lambda items: None
    bench.clock.advance(60)
    bench.writer.turn()
    bench.writer.turn()
    assert bench.outcomes() == ["done"] * 3
    assert set(bench.store.rows) == {b"0", b"1", b"2"}
    assert bench.writer.degraded() is None
    assert bench.status.get_failed_count() == 0


def test_a_change_that_can_never_be_stored_does_not_hold_up_the_others(tmp_path: Path) -> None:
    bench = Bench(tmp_path, 5)

    def poisoned(items: Sequence[Item]) -> None:
        if any(isinstance(item, Upsert) and item.path == b"2" for item in items):
            raise StoreError("constraint failed")

    bench.store.before_commit = poisoned
    bench.submit(0, 1, 2, 3, 4)
    for _ in range(5):
        bench.clock.advance(60)
        bench.writer.turn()
    assert bench.outcomes() == ["done", "done", "failed", "done", "done"]
    row = bench.store.rows[b"2"]
    assert isinstance(row, Failure)
    assert "constraint failed" in row.reason
    assert bench.writer.degraded() is None


def test_a_result_that_was_collected_meanwhile_is_made_again(tmp_path: Path) -> None:
    bench = Bench(tmp_path, 2)
    bench.writer.submit(bench.submission(0, record=False))
    bench.submit(1)
    bench.writer.turn()
    assert bench.outcomes() == ["again", "done"]
    assert set(bench.store.rows) == {b"1"}


def test_the_order_of_submissions_is_the_order_of_the_commit(tmp_path: Path) -> None:
    bench = Bench(tmp_path, 2)
    bench.submit(0)
    change = bench.changes[1]
    bench.writer.submit(Submission(change.path, change.ticket, (Remove(b"0", "event"),), "gone"))
    bench.writer.turn()
    assert bench.store.rows == {}


def test_a_full_backlog_makes_workers_wait_and_a_stop_lets_them_go(tmp_path: Path) -> None:
    bench = Bench(tmp_path, 1)
    item = Remove(b"x", "event")
    bench.writer.submit(Submission("x", 0, (item,) * BACKLOG_ITEMS, "gone"))
    outcome: list[str] = []

    def late() -> None:
        try:
            bench.writer.submit(Submission("y", 0, (item,), "gone"))
            outcome.append("taken")
        except WriterStopped:
            outcome.append("refused")

    thread = threading.Thread(target=late)
    thread.start()
    bench.store.before_commit = lambda items: (_ for _ in ()).throw(StoreFullError("no space left"))
    bench.writer.stop()
    thread.join(30)
    assert outcome == ["refused"]
    assert bench.engine.acks == []


def test_stop_commits_what_was_submitted(tmp_path: Path) -> None:
    bench = Bench(tmp_path, 3)
    bench.writer.start()
    bench.submit(0, 1)
    assert bench.writer.stop(30)
    assert bench.outcomes() == ["done", "done"]
    assert bench.writer.stop(30)
    with pytest.raises(WriterStopped):
        bench.submit(2)


@pytest.mark.parametrize("on_purpose", [False, True])
def test_acknowledgements_that_are_not_taken_are_told_unless_the_engine_is_being_stopped(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, on_purpose: bool
) -> None:
    def refuse(_: object) -> None:
        raise RuntimeError("the engine stopped")

    bench = Bench(tmp_path, 1)
    monkeypatch.setattr(bench.engine, "ack", refuse)
    if on_purpose:
        bench.writer.engine_stops()
    bench.submit(0)
    bench.writer.turn()
    assert len(bench.store.commits) == 1
    told = [record.message for record in caplog.records if record.levelname == "ERROR"]
    assert told == ([] if on_purpose else ["the engine did not take 1 acknowledgements"])


def test_a_last_commit_that_fails_leaves_its_changes_with_the_engine(tmp_path: Path) -> None:
    bench = Bench(tmp_path, 2)
    bench.store.before_commit = lambda items: (_ for _ in ()).throw(StoreFullError("no space left"))
    bench.writer.start()
    bench.submit(0, 1)
    assert bench.writer.stop(30)
    assert bench.engine.acks == []
    assert bench.engine.pending() == 2


@settings(deadline=None)
@given(st.lists(st.sampled_from(["submit", "turn", "break", "mend", "tick"]), max_size=60))
def test_every_ticket_is_acknowledged_once_and_only_when_stored(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str]
) -> None:
    bench = Bench(tmp_path_factory.mktemp("w"), 20)
    broken = False

    def maybe(items: Sequence[Item]) -> None:
        if broken:
            raise OSError(5, "Input/output error")

    bench.store.before_commit = maybe
    given_in = 0
    for step in steps:
        match step:
            case "submit" if given_in < 20:
                bench.submit(given_in)
                given_in += 1
            case "turn":
                bench.writer.turn()
            case "break":
                broken = True
            case "mend":
                broken = False
            case "tick":
                bench.clock.advance(40)
        tickets = [ack[0] for ack in bench.engine.acks]
        assert len(tickets) == len(set(tickets)) == len(bench.store.rows)
    broken = False
    for _ in range(8):
        bench.clock.advance(40)
        bench.writer.turn()
    assert len(bench.engine.acks) == given_in
