"""The queue's face on the engine."""

from pathlib import Path

import pytest

from currant.changes import Ack, ChangeDetectionQueue
from currant.clock import ManualClock
from currant.model import ChangeType, FileChange, FileStat
from fake_engine import FakeEngine


@pytest.fixture
def engine(tmp_path: Path) -> FakeEngine:
    (tmp_path / "a.py").write_bytes(b"1")
    (tmp_path / "b.py").write_bytes(b"2")
    return FakeEngine(str(tmp_path), state_dir=str(tmp_path / ".currant"))


def test_a_batch_carries_everything_and_the_time_it_was_taken(engine: FakeEngine) -> None:
    queue = ChangeDetectionQueue(engine, ManualClock(1000.0))
    engine.change("a.py")
    [change] = queue.get_next_batch(10)
    assert change == FileChange("a.py", ChangeType.CREATED, 1000.0, ticket=change.ticket, cause="event")
    assert change.ticket


def test_a_path_is_pending_until_it_is_acknowledged(engine: FakeEngine) -> None:
    queue = ChangeDetectionQueue(engine, ManualClock())
    engine.change("a.py", "a.py", "b.py")
    assert queue.size() == 2
    assert queue.wait_for_changes(0.0)
    [first] = queue.get_next_batch(1)
    [second] = queue.get_next_batch(10)
    assert [first.path, second.path] == ["a.py", "b.py"]
    assert queue.size() == 2
    queue.ack([Ack(first.ticket, "done", FileStat(1, 2, 3, 4)), Ack(second.ticket, "gone")])
    assert queue.size() == 0
    assert engine.acks == [
        (first.ticket, "done", 1, 2, 3, 4, 0.0),
        (second.ticket, "gone", 0, 0, 0, 0, 0.0),
    ]


def test_a_change_made_by_hand_is_looked_at_whatever_it_claims(engine: FakeEngine) -> None:
    queue = ChangeDetectionQueue(engine, ManualClock())
    assert queue.add_change(FileChange("a.py", ChangeType.DELETED, 0.0))
    [change] = queue.get_next_batch(10)
    assert change.change_type is ChangeType.CREATED  # the disk decides
    assert change.cause == "request"


def test_a_rename_made_by_hand_looks_at_both_names(engine: FakeEngine) -> None:
    queue = ChangeDetectionQueue(engine, ManualClock())
    queue.add_change(FileChange("b.py", ChangeType.RENAMED, 0.0, old_path="a.py"))
    assert {change.path for change in queue.get_next_batch(10)} == {"a.py", "b.py"}


def test_an_ignored_path_is_refused(engine: FakeEngine) -> None:
    queue = ChangeDetectionQueue(engine, ManualClock())
    assert not queue.add_change(FileChange(".currant/index.db", ChangeType.MODIFIED, 0.0))
    assert queue.size() == 0


def test_clear_forgets_what_waits_and_says_how_many(engine: FakeEngine) -> None:
    queue = ChangeDetectionQueue(engine, ManualClock())
    engine.change("a.py", "b.py")
    assert queue.clear() == 2
    assert queue.get_next_batch(10) == []
    assert not queue.stopped


def test_a_stopped_engine_gives_nothing_and_says_so(engine: FakeEngine) -> None:
    queue = ChangeDetectionQueue(engine, ManualClock())
    engine.stop()
    assert queue.get_next_batch(10) == []
    assert queue.stopped
