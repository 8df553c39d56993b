"""Results that no file has any more: kept for a while, then collected in short steps, while all is quiet."""

import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest

from currant.collection import Collection
from currant.model import Remove
from currant.store import Store, maintenance
from store_kit import key, opened, query, upsert
from test_writer import Bench

DAY = 86_400.0


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with opened(tmp_path) as store:
        yield store


def kept(store: Store, count: int) -> list[int]:
    return [number for number in range(count) if store.find_results([key(number)])]


def sweep(store: Store, now: float, keep_days: float = 30) -> int:
    """A whole sweep; how many were deleted."""
    deleted, at = 0, 0
    while True:
        swept = store.sweep(at, now, keep_days * DAY)
        deleted += swept.deleted
        if swept.at is None:
            return deleted
        at = swept.at


def test_a_result_without_a_file_is_kept_for_some_days_and_then_collected(store: Store) -> None:
    store.commit([upsert(b"a", 0, names=("before_it",)), upsert(b"b", 1)], 1.0)
    store.commit([upsert(b"a", 2, names=("after_it",))], 2.0)
    assert [sweep(store, day * DAY) for day in (0, 1, 29.9)] == [0, 0, 0]
    assert kept(store, 3) == [0, 1, 2]
    assert sweep(store, 30 * DAY) == 1
    assert kept(store, 3) == [1, 2]
    assert [found.name for found in query(store).find("_it")] == ["after_it"]
    assert sweep(store, 60 * DAY) == 0


def test_a_result_that_was_in_use_meanwhile_is_kept_from_then_on(store: Store) -> None:
    store.commit([upsert(b"a", 0)], 1.0)
    store.commit([upsert(b"a", 1)], 1.0)
    sweep(store, 0.0)
    # Between two sweeps: the branch was switched back, and away again.
    store.commit([upsert(b"a", 0, reuse=True)], 1.0)
    assert store.last_missing == []
    store.commit([upsert(b"a", 1, reuse=True)], 1.0)
    assert sweep(store, 30 * DAY) == 0
    assert sweep(store, 59 * DAY) == 0
    assert sweep(store, 60 * DAY) == 1


def test_a_sweep_is_made_of_short_steps_and_leaves_nothing_behind(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maintenance, "SWEEP_RESULTS", 7)
    monkeypatch.setattr(maintenance, "SWEEP_DELETES", 2)
    store.commit([upsert(b"%d" % number, number) for number in range(20)], 1.0)
    store.commit([Remove(b"%d" % number, "event") for number in range(0, 20, 2)], 1.0)
    steps, at = 0, 0
    while True:
        swept = store.sweep(at, 9.0, 0.0)
        assert swept.deleted <= 2
        steps += 1
        if swept.at is None:
            break
        assert swept.at > at
        at = swept.at
    assert steps >= 5
    assert kept(store, 20) == list(range(1, 20, 2))
    with store.snapshot() as connection:
        left = {
            table: connection.execute(f"SELECT count(*) FROM {table}").get
            for table in ("results", "records", "unused")
        }
    assert left == {"results": 10, "records": 10, "unused": 0}


def test_it_begins_a_while_after_the_start_and_comes_again_after_a_day(store: Store) -> None:
    collection = Collection(store, 1)
    assert collection.step(0.0) == 60.0  # the first index is not held up
    assert collection.status() == {"collected": 0, "unused": None, "last_sweep": None, "unlisted": 0}
    store.commit([upsert(b"a", 0), upsert(b"b", 1)], 1.0)
    store.commit([upsert(b"a", 2)], 1.0)
    assert collection.step(60.0) == DAY
    assert collection.status() == {"collected": 0, "unused": 1, "last_sweep": 60.0, "unlisted": 0}
    assert collection.step(90.0) == DAY - 30.0
    assert collection.step(60.0 + DAY) == DAY
    assert collection.status() == {"collected": 1, "unused": 0, "last_sweep": 60.0 + DAY, "unlisted": 0}
    # The next process goes on from there; a clock that was set back puts nothing off for ever.
    later = Collection(store, 1)
    later.step(0.0)
    assert later.step(DAY + 90.0) == DAY - 30.0
    assert Collection(store, 1).step(0.0) == 60.0


def test_a_store_that_cannot_be_written_puts_it_off(store: Store) -> None:
    collection = Collection(store, 1)
    collection.step(0.0)
    store.close()
    assert collection.step(60.0) == 3_600.0


def test_the_writer_does_other_work_only_while_nothing_is_to_be_committed(tmp_path: Path) -> None:
    bench = Bench(tmp_path, 1)
    asked: list[float] = []

    def step(now: float) -> float:
        asked.append(now)
        return 5.0

    bench.writer._idle = step
    bench.submit(0)
    while bench.writer.backlog():
        bench.clock.advance(1.0)
        bench.writer.turn()
    assert asked == []
    assert bench.writer.turn() == 5.0
    assert bench.writer.turn() == 5.0
    bench.clock.advance(2.0)
    assert bench.writer.turn() == 3.0
    assert len(asked) == 1
    bench.clock.advance(3.0)
    bench.writer.turn()
    assert len(asked) == 2
    assert bench.writer.stop()


def test_every_table_that_speaks_of_a_result_is_cleared_with_it(store: Store) -> None:
    """A row that was left would keep its result from being deleted, for ever."""
    with store.snapshot() as connection:
        tables = [
            name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
        ]
        speaking = {
            table
            for table in tables
            for row in connection.execute(f"PRAGMA foreign_key_list('{table}')")
            if row[2] == "results"
        }
    cleared = inspect.getsource(maintenance._delete)
    assert {table for table in speaking if f"FROM {table} WHERE result_id" not in cleared} == {"files"}
