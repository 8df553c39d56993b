"""Upkeep of an open index: statistics, merges, free pages, readers that nobody uses, the cache."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from currant.cache import MetadataCache
from currant.clock import ManualClock, SystemClock
from currant.idle import REST, IdleWork
from currant.model import Item, Record, Remove
from currant.service import Service
from currant.store import Store, upkeep
from store_kit import opened, query, record, upsert


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with opened(tmp_path) as store:
        yield store


def fill(store: Store, count: int, names: int = 3) -> None:
    """`count` files in small commits, as saves make them."""
    for start in range(0, count, 20):
        items: list[Item] = [
            upsert(b"%d.py" % number, number, names=tuple(f"name_{number}_{one}" for one in range(names)))
            for number in range(start, min(count, start + 20))
        ]
        store.commit(items, 1.0)


def segments(store: Store) -> int:
    with store.snapshot() as connection:
        return int(connection.execute("SELECT count(DISTINCT segid) FROM terms_idx").get)


# --- the store's steps ------------------------------------------------------------------------------------


def test_statistics_are_made_once_and_are_no_damage(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        fill(store, 100)
        assert {"files", "results"} <= set(store.tend(upkeep.unanalyzed))
        for table in upkeep.PLANNED:
            store.tend(lambda connection, table=table: upkeep.analyze(connection, table))
        with store.snapshot() as connection:
            known: list[tuple[str]] = connection.execute("SELECT DISTINCT tbl FROM sqlite_stat1").fetchall()
        assert {("files",), ("results",)} <= set(known)
    with opened(tmp_path) as store:
        assert store.opened.how == "existing"
        assert not {"files", "results"} & set(store.tend(upkeep.unanalyzed))
        assert [one.path for one in query(store).find("name_7_1", exact=True)] == ["7.py"]


def test_merging_ends_and_changes_no_answer(store: Store) -> None:
    fill(store, 400)
    before = segments(store)
    steps = 0
    while store.tend(lambda connection: upkeep.merge(connection, "terms")):
        steps += 1
        assert steps < 1_000
    assert segments(store) < before
    assert [one.path for one in query(store).find("name_399_2", exact=True)] == ["399.py"]


def test_free_pages_are_given_back_in_steps(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "FREE_LEAST", 50)
    fill(store, 600, names=40)
    store.commit([Remove(b"%d.py" % number, "event") for number in range(600)], 2.0)
    store.collect(0, 600)
    full = store.figures()
    assert full.shrinks
    assert full.free_pages > upkeep.FREE_PAGES
    freed = []
    while step := store.tend(upkeep.free):
        freed.append(step)
    assert max(freed) <= upkeep.FREE_PAGES
    left = store.figures()
    # With them go the pages that say what the others are for: one in front of each 204.
    maps = [-(-(one.pages - 1) // (one.page_bytes // 5 + 1)) for one in (full, left)]
    assert left.pages == full.pages - sum(freed) - (maps[0] - maps[1])
    assert left.free_pages < max(50, upkeep.FREE_SHARE * left.pages)
    store.tend(upkeep.checkpoint)
    assert store.path.stat().st_size == left.pages * left.page_bytes
    assert store.problem() is None  # that was us


def test_few_free_pages_are_left_for_what_comes_next(store: Store) -> None:
    fill(store, 100)
    store.commit([Remove(b"%d.py" % number, "event") for number in range(50)], 2.0)
    store.collect(0, 100)
    assert store.figures().free_pages
    assert store.tend(upkeep.free) == 0


def test_a_checkpoint_waits_for_no_reader(store: Store) -> None:
    fill(store, 20)
    with store.snapshot() as reader:
        assert reader.execute("SELECT count(*) FROM files").get == 20
        fill(store, 200)
        logged, moved = store.tend(upkeep.checkpoint)
        assert 0 <= moved < logged
    logged, moved = store.tend(upkeep.checkpoint)
    assert moved == logged


def test_readers_that_nobody_used_for_a_whole_round_are_closed(store: Store) -> None:
    with store.snapshot(), store.snapshot(), store.snapshot():
        assert store.readers() == (0, 3)
    assert store.readers() == (3, 0)
    assert store.trim_readers() == 0  # used since the start
    with store.snapshot(), store.snapshot():
        pass
    assert store.trim_readers() == 1
    assert store.trim_readers() == 1  # one stays for the next question
    assert store.readers() == (1, 0)
    assert store.trim_readers(keep=0) == 1
    assert query(store).show("nothing") is None


# --- the cache --------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.integers(0, 30), st.booleans()), max_size=60), st.floats(0, 1))
def test_shrinking_drops_the_part_that_was_asked_for(puts: list[tuple[int, bool]], fraction: float) -> None:
    cache = MetadataCache(100_000)
    one: Record = record("a")
    for number, again in puts:
        cache.put(number, one, 100)
        if again:
            assert cache.get(number) is one
    before = cache.stats()["bytes"]
    dropped = cache.shrink(fraction)
    after = cache.stats()["bytes"]
    assert after == before - dropped
    assert dropped >= int(before * fraction)
    assert dropped < before * fraction + 600  # at most one entry more
    assert (cache.stats()["entries"] == 0) == (after == 0)


def test_what_was_used_lately_is_dropped_last() -> None:
    cache = MetadataCache(100_000)
    for number in range(10):
        cache.put(number, record("a"), 100)
    for number in range(5):
        cache.get(number)
    cache.shrink(0.5)
    assert [number for number in range(10) if cache.get(number)] == [0, 1, 2, 3, 4]
    assert cache.shrink(1.0) > 0
    assert cache.stats()["bytes"] == cache.stats()["entries"] == 0


def test_what_nobody_asked_for_since_the_last_time_ages_away() -> None:
    cache = MetadataCache(100_000)
    for number in range(10):
        cache.put(number, record("a"), 100)
    for number in range(5):
        cache.get(number)
    before = cache.stats()["bytes"]
    assert cache.age() == before / 2
    cache.get(3)
    assert cache.age() == before * 4 / 10
    assert cache.age() == before / 10
    assert cache.stats()["bytes"] == cache.stats()["entries"] == 0


# --- the writer's idle time -------------------------------------------------------------------------------


class Asking:
    """`IdleWork.ask` on a thread of its own."""

    def __init__(
        self,
        idle: IdleWork,
        step: Callable[[], bool],
        timeout: float = 60.0,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> None:
        self.woken = threading.Event()
        self.answer: bool | BaseException | None = None
        idle.wake = self.woken.set
        self._idle, self._step, self._timeout, self._cancelled = idle, step, timeout, cancelled
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            self.answer = self._idle.ask(self._step, self._timeout, self._cancelled)
        except ValueError as error:
            self.answer = error

    def result(self) -> bool | BaseException | None:
        self._thread.join(60)
        assert not self._thread.is_alive()
        return self.answer


def test_regular_work_keeps_its_times_and_what_is_asked_for_comes_in_between() -> None:
    clock = ManualClock()
    regular: list[float] = []
    idle = IdleWork(lambda now: regular.append(now) or 30.0, clock)
    assert idle.step(clock.now()) == 30.0
    left = [True, True, False]

    def step() -> bool:
        clock.advance(1.0)
        return left.pop(0)

    asking = Asking(idle, step)
    assert asking.woken.wait(60)
    assert idle.step(clock.now()) == REST  # a second of work, so many of rest
    assert idle.step(clock.now()) == REST
    assert idle.step(clock.now()) == 28.0
    assert asking.result() is True
    assert len(regular) == 1
    clock.advance(27.0)
    assert idle.step(clock.now()) == 30.0
    assert len(regular) == 2


def test_a_writer_that_is_never_idle_and_a_step_that_fails_are_told() -> None:
    idle = IdleWork(None, ManualClock())
    assert idle.ask(lambda: False, 0.0) is False
    assert idle.step(1.0) == 3_600.0  # it was withdrawn

    def fails() -> bool:
        raise ValueError("no")

    asking = Asking(idle, fails)
    assert asking.woken.wait(60)
    idle.step(1.0)
    assert isinstance(asking.result(), ValueError)


def test_whoever_waits_for_a_busy_writer_can_be_told_to_go() -> None:
    told = threading.Event()
    idle = IdleWork(None, ManualClock())
    asking = Asking(idle, lambda: True, cancelled=told.is_set)
    assert asking.woken.wait(60)
    told.set()
    assert asking.result() is False
    assert idle.step(1.0) == 3_600.0


def test_closing_lets_everybody_go() -> None:
    idle = IdleWork(None, ManualClock())
    asking = Asking(idle, lambda: True)
    assert asking.woken.wait(60)
    idle.step(1.0)
    idle.close()
    assert asking.result() is False
    assert idle.ask(lambda: False, 60.0) is False


def test_a_running_service_does_what_is_asked_for_on_its_writer(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("def first(): pass\n")
    threads = []

    def step(store: Store) -> bool:
        threads.append(threading.current_thread().name)
        store.tend(upkeep.unanalyzed)
        return len(threads) < 3

    with Service(tmp_path, clock=SystemClock()) as service:
        assert service.sync(60).fresh
        assert service.when_idle(step, 60)
        (tmp_path / "b.py").write_text("def second(): pass\n")
        assert service.sync(60).fresh
        assert [one.path for one in service.query.find("second")] == ["b.py"]
        assert service.store.problem() is None
    assert threads == ["currant-writer"] * 3
