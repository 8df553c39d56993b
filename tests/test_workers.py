"""Workers: what each change leads to, in which order, and what happens when something breaks."""

import os
import random
import sys
import threading
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from currant import _core
from currant.changes import BACKOFF_CAP, NEVER, ChangeDetectionQueue, backoff_seconds
from currant.clock import ManualClock, SystemClock
from currant.lookahead import UnderWay
from currant.model import Failure, FileChange, Upsert
from currant.processing import MAX_EXTRACTIONS
from currant.reading import ByteBudget, Reader, ReadFile
from currant.workers import GIVES_WAY, MAX_DEATHS
from pipeline_double import Pipeline, outline_lines


def row(pipeline: Pipeline, path: str) -> Upsert | Failure:
    return pipeline.store.rows[os.fsencode(path)]


def test_a_created_changed_and_deleted_file_is_followed(tmp_path: Path) -> None:
    with Pipeline(tmp_path) as pipeline:
        pipeline.write("a/x.py", b"def one\n")
        pipeline.settle()
        assert pipeline.names("a/x.py") == ["one"]
        pipeline.write("a/x.py", b"def one\ndef two\n")
        pipeline.settle()
        assert pipeline.names("a/x.py") == ["one", "two"]
        (tmp_path / "a/x.py").unlink()
        pipeline.engine.change("a/x.py")
        pipeline.settle()
        assert pipeline.store.rows == {}
        assert pipeline.engine.tree == {}


@pytest.mark.skipif(sys.platform != "linux", reason="only there a thread has a niceness of its own")
def test_workers_give_way_to_the_writer_and_their_successors_no_more_than_they(tmp_path: Path) -> None:
    def nice() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    seen: list[int] = []

    def outline(language: str, source: bytes) -> bytes:
        seen.append(nice())
        if len(seen) == 1:
            raise SystemExit  # ends the worker, as nothing should
        return outline_lines(language, source)

    with Pipeline(tmp_path, workers=1) as pipeline:
        pipeline.outline = outline
        pipeline.write("x.py", b"def one\n")
        pipeline.settle()
        assert pipeline.names("x.py") == ["one"]
    assert seen == [min(19, nice() + GIVES_WAY)] * 2


def test_a_name_that_is_not_utf8_survives(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9\xff.py")
    with Pipeline(tmp_path) as pipeline:
        pipeline.write(name, b"def one\n")
        pipeline.settle()
        assert list(pipeline.store.rows) == [b"caf\xe9\xff.py"]


def test_what_vanished_before_it_was_read_is_removed(tmp_path: Path) -> None:
    with Pipeline(tmp_path, workers=1) as pipeline:
        pipeline.write("x.py", b"def one\n")
        pipeline.settle()
    pipeline = Pipeline(tmp_path, workers=1)
    pipeline.write("x.py", b"def two\n")  # queued as created
    (tmp_path / "x.py").unlink()
    with pipeline:
        pipeline.settle()
        assert [ack[1] for ack in pipeline.engine.acks] == ["gone"]


def test_the_same_content_is_extracted_once_by_racing_workers(tmp_path: Path) -> None:
    """Eight workers meet 200 copies of four contents; the extractor blocks until several have met."""
    pipeline = Pipeline(tmp_path, workers=8, batch_size=5)
    for index in range(200):
        pipeline.write(f"d{index}/x.py", b"def f%d\n" % (index % 4))
    with pipeline:
        pipeline.settle()
    assert pipeline.status.get_stats()["extractor_calls"] == 4
    assert pipeline.status.get_stats()["reused_results"] == 196
    assert len(pipeline.store.rows) == 200
    assert len(pipeline.under_way) == 0


def test_a_waiting_worker_takes_over_when_the_extraction_it_waited_for_fails() -> None:
    """The claim of a key that is released without a result goes to the next in line."""
    under_way = UnderWay()
    key = object()
    assert under_way.claim(key)  # type: ignore[arg-type]
    got: list[bool] = []
    waiting = threading.Thread(target=lambda: got.append(under_way.claim(key)))  # type: ignore[arg-type]
    waiting.start()
    under_way.release(key)  # type: ignore[arg-type]
    waiting.join(30)
    assert got == [True]


def test_a_second_file_of_one_content_rides_behind_the_uncommitted_first() -> None:
    under_way = UnderWay()
    key = object()
    assert under_way.claim(key)  # type: ignore[arg-type]
    under_way.handed_on(key)  # type: ignore[arg-type]
    assert not under_way.claim(key)  # type: ignore[arg-type]
    under_way.release(key)  # type: ignore[arg-type]
    under_way.handed_on(key)  # type: ignore[arg-type]  # a commit that was quicker than the worker
    assert len(under_way) == 0


def test_a_renamed_file_costs_no_extractor_call(tmp_path: Path) -> None:
    with Pipeline(tmp_path) as pipeline:
        pipeline.write("old.py", b"def one\n")
        pipeline.settle()
        (tmp_path / "old.py").rename(tmp_path / "new.py")
        pipeline.engine.rename("old.py", "new.py")
        pipeline.settle()
        assert list(pipeline.store.rows) == [b"new.py"]
        item = row(pipeline, "new.py")
        assert isinstance(item, Upsert)
        assert item.old_path == b"old.py"
        assert item.record is None
        assert pipeline.status.get_stats()["extractor_calls"] == 1


def test_a_renamed_directory_reads_nothing(tmp_path: Path) -> None:
    with Pipeline(tmp_path) as pipeline:
        for index in range(30):
            pipeline.write(f"old/deep/{index}.py", b"def f%d\n" % index)
        pipeline.settle()
        read = pipeline.status.get_stats()["bytes_hashed"]
        (tmp_path / "old").rename(tmp_path / "new")
        pipeline.engine.move_dir("old", "new")
        pipeline.settle()
        assert sorted(pipeline.store.rows) == sorted(b"new/deep/%d.py" % index for index in range(30))
        assert pipeline.status.get_stats()["bytes_hashed"] == read
        assert pipeline.status.get_stats()["extractor_calls"] == 30


def test_a_directory_change_overtakes_nothing_and_is_overtaken_by_nothing(tmp_path: Path) -> None:
    """Files below a directory are in work while it moves away and a new one of its name appears."""
    pipeline = Pipeline(tmp_path, workers=4, batch_size=3)
    for index in range(40):
        pipeline.write(f"d/{index}.py", b"def old%d\n" % index)
    pipeline.engine.move_dir("d", "e")
    (tmp_path / "d").rename(tmp_path / "e")
    for index in range(0, 40, 2):
        pipeline.write(f"d/{index}.py", b"def new%d\n" % index)
    pipeline.engine.change(*(f"e/{index}.py" for index in range(40)))
    with pipeline:
        pipeline.settle()
    on_disk = {os.fsencode(str(path.relative_to(tmp_path))) for path in tmp_path.rglob("*.py")}
    assert set(pipeline.store.rows) == on_disk
    for path in on_disk:
        content = (tmp_path / os.fsdecode(path)).read_bytes()
        assert pipeline.names(os.fsdecode(path)) == [content[4:-1].decode()]
    batches = [item for commit in pipeline.store.commits for item in commit]
    move = next(index for index, item in enumerate(batches) if type(item).__name__ == "MoveTree")
    before = {item.path for item in batches[:move]}  # type: ignore[union-attr]
    assert not any(path.startswith(b"e/") for path in before)


def test_a_torn_read_is_queued_again_and_never_committed(tmp_path: Path) -> None:
    """The file grows under the first four attempts (three within one reading); no row mixes two states."""
    pipeline = Pipeline(tmp_path, workers=1)
    writes = iter(range(4))

    def write_meanwhile(path: str) -> None:
        if next(writes, None) is not None:
            with open(tmp_path / path, "ab") as file:
                file.write(b"def more\n")

    pipeline.between = write_meanwhile
    pipeline.write("x.py", b"def one\n")
    with pipeline:
        pipeline.settle()
    assert [ack[1] for ack in pipeline.engine.acks] == ["again", "done"]
    assert len(pipeline.store.commits) == 1
    assert pipeline.names("x.py") == ["one"] + ["more"] * 4


def test_a_racy_file_is_acknowledged_so_that_the_next_scan_reads_it_again(tmp_path: Path) -> None:
    clock = ManualClock()
    pipeline = Pipeline(tmp_path, workers=1, clock=clock)
    pipeline.write("x.py", b"def one\n")
    changed = (tmp_path / "x.py").stat().st_ctime_ns
    clock.set_wall(changed / 1e9 + 0.001)  # read in the millisecond of the write
    pipeline.pool.start()
    pipeline.writer.start()
    pipeline.settle()
    item = row(pipeline, "x.py")
    assert isinstance(item, Upsert)
    assert item.racy
    assert item.stat.ctime_ns == changed
    assert pipeline.engine.acks[-1][4] == -1
    clock.set_wall(changed / 1e9 + 5)
    pipeline.engine.rescan()
    pipeline.settle()
    assert pipeline.engine.acks[-1][4] == changed
    pipeline.engine.rescan()
    pipeline.settle()
    assert len(pipeline.engine.acks) == 2
    pipeline.close()


def test_an_unreadable_file_is_a_failure_with_its_reason(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path, workers=1)
    name = "n" * 300 + ".py"  # ENAMETOOLONG, which works for root too
    pipeline.engine._put(_created(pipeline, name))
    with pipeline:
        pipeline.settle()
        item = row(pipeline, name)
        assert isinstance(item, Failure)
        assert "ENAMETOOLONG" in item.reason
        assert item.attempts == 1
        assert item.retry_at is not None
        assert pipeline.status.get_failed_count() == 1
        assert 0.5 <= pipeline.engine.retries[name] <= 1.0


def _created(pipeline: Pipeline, path: str) -> object:
    from fake_engine import FakeChange

    return FakeChange(pipeline.engine._ticket(), "created", path)


def test_a_refused_content_is_retried_with_backoff_and_in_the_end_left_alone(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path, workers=1)

    def refuse(language: str, source: bytes) -> bytes:
        raise ValueError("no such thing")

    pipeline.outline = refuse
    pipeline.write("x.py", b"def one\n")
    with pipeline:
        for attempt in range(1, MAX_EXTRACTIONS + 1):
            pipeline.settle()
            item = row(pipeline, "x.py")
            assert isinstance(item, Failure)
            assert item.attempts == attempt
            assert "no such thing" in item.reason
            pipeline.engine.fire_retries()
        assert pipeline.engine.acks[-1][6] == NEVER
        assert item.retry_at is None
        pipeline.outline = outline_lines
        pipeline.write("x.py", b"def two\n")  # a change is always a new chance
        pipeline.settle()
        assert pipeline.names("x.py") == ["two"]


def test_a_dead_worker_is_replaced_and_loses_nothing(tmp_path: Path) -> None:
    """A `BaseException` of an extractor ends the thread that ran it."""
    pipeline = Pipeline(tmp_path, workers=2, batch_size=10)
    deaths = iter(range(2))

    class Killed(BaseException):
        pass

    def sometimes(language: str, source: bytes) -> bytes:
        if b"poison" in source and next(deaths, None) is not None:
            raise Killed("out of the blue")
        return outline_lines(language, source)

    pipeline.outline = sometimes
    for index in range(50):
        pipeline.write(f"{index}.py", b"def f%d\n" % index)
    pipeline.write("bad.py", b"def poison\n")
    with pipeline:
        pipeline.settle()
        assert pipeline.pool.alive_count() == 2
        assert len(pipeline.store.rows) == 51
        assert pipeline.names("bad.py") == ["poison"]
        assert pipeline.status.get_stats()["worker_deaths"] == 2
        assert pipeline.budget.held == 0


def test_a_path_that_keeps_killing_workers_becomes_a_failure(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path, workers=2)

    def always(language: str, source: bytes) -> bytes:
        if b"poison" in source:
            raise SystemExit("killer")
        return outline_lines(language, source)

    pipeline.outline = always
    pipeline.write("bad.py", b"def poison\n")
    pipeline.write("good.py", b"def fine\n")
    with pipeline:
        pipeline.settle()
        item = row(pipeline, "bad.py")
        assert isinstance(item, Failure)
        assert "killer" in item.reason
        assert pipeline.names("good.py") == ["fine"]
        assert pipeline.status.get_stats()["worker_deaths"] == MAX_DEATHS
        assert pipeline.pool.alive_count() == 2


def test_a_panic_of_the_core_is_a_failure_of_the_path_not_of_the_worker(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path, workers=1)
    panic = type("PanicException", (BaseException,), {})

    def break_down(language: str, source: bytes) -> bytes:
        raise panic("index out of bounds")

    pipeline.outline = break_down
    pipeline.write("x.py", b"def one\n")
    with pipeline:
        pipeline.settle()
        item = row(pipeline, "x.py")
        assert isinstance(item, Failure)
        assert "index out of bounds" in item.reason
        assert pipeline.status.get_stats()["worker_deaths"] == 0


def test_stopping_in_the_middle_leaves_everything_committed_or_pending(tmp_path: Path) -> None:
    """Stop while one worker is inside an extractor and 300 files wait; acked is exactly what is stored."""
    pipeline = Pipeline(tmp_path, workers=3, batch_size=20)
    inside = threading.Event()
    go_on = threading.Event()
    calls = iter(range(40))

    def slow(language: str, source: bytes) -> bytes:
        if next(calls, None) is None:
            inside.set()
            assert go_on.wait(60)
        return outline_lines(language, source)

    pipeline.outline = slow
    for index in range(300):
        pipeline.write(f"{index}.py", b"def f%d\n" % index)
    pipeline.writer.start()
    pipeline.pool.start()
    assert inside.wait(60)
    pipeline.engine.stop()
    assert not pipeline.pool.stop(0)  # they are busy
    go_on.set()
    pipeline.close()
    acked = {ack[0] for ack in pipeline.engine.acks if ack[1] == "done"}
    by_ticket = {change.ticket: change.path for change in pipeline.engine.handed_out}
    assert {os.fsencode(by_ticket[ticket]) for ticket in acked} == set(pipeline.store.rows)
    assert 40 <= len(acked) < 300
    assert pipeline.engine.pending() == 300 - len(acked)


def test_a_worker_rests_for_what_it_did_and_not_for_what_it_waited(tmp_path: Path) -> None:
    class Hurried(SystemClock):
        """On a machine where much time goes by between any two steps."""

        step = 1_000.0
        passed = 0.0

        def monotonic(self) -> float:
            self.passed += self.step
            return self.passed

    clock = Hurried()
    pipeline = Pipeline(tmp_path, workers=1, batch_size=1, clock=clock)
    pipeline.pool.limit(None, rest=1.0)
    with pipeline:
        for number in range(4):  # half a minute of rest for each would be more than `settle` waits
            pipeline.write(f"{number}.py", b"def f(): pass\n")
        pipeline.settle()
        assert len(pipeline.store.rows) == 4
        clock.step = 0.0


def test_a_worker_that_has_nothing_to_do_gives_back_what_it_keeps_once(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    waited: list[float] = []
    rests: list[int] = []

    class Quiet:
        stopped = False

        def size(self) -> int:
            return 0

        def get_next_batch(self, most: int, seconds: float) -> list[FileChange]:
            waited.append(seconds)
            self.stopped = len(waited) == 3
            return []

    pipeline.pool.queue = cast(ChangeDetectionQueue, Quiet())
    assert pipeline.pool._take(0, lambda: rests.append(len(waited))) is None
    assert rests == [1]
    assert waited[0] < waited[1] == waited[2]
    # What is kept is needed again after a rest.
    reader = Reader(str(tmp_path), limit=100, clock=pipeline.clock)
    (tmp_path / "f").write_bytes(b"text")
    for _ in range(2):
        reading = reader.read("f")
        assert isinstance(reading, ReadFile)
        assert reading.content == b"text"
        assert _core.examine("c", b"int f(void) { return 1; }\n", True, True, 64, 64) is not None
        reader.rest()
    reader.close()


def test_the_engine_s_failure_ends_the_work_and_is_told(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    with pipeline:
        pipeline.engine.fail(RuntimeError("the watch thread broke"))
        while pipeline.pool.alive_count():
            for thread in threading.enumerate():
                if thread.name.startswith("currant-worker"):
                    thread.join(30)
        assert pipeline.pool.engine_error == "the watch thread broke"
        assert not pipeline.pool.is_active()


def test_a_worker_says_what_it_has_in_hand(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path, workers=2)
    inside, go_on = threading.Event(), threading.Event()

    def wait(language: str, source: bytes) -> bytes:
        inside.set()
        assert go_on.wait(60)
        return outline_lines(language, source)

    pipeline.outline = wait
    pipeline.write("x.py", b"def one\n")
    with pipeline:
        assert inside.wait(60)
        assert pipeline.pool.current_tasks() == ["x.py"]
        assert pipeline.pool.active_count() == 1
        go_on.set()
        pipeline.settle()
    assert pipeline.pool.active_count() == 0


@settings(deadline=None)
@given(attempts=st.integers(1, 10_000), seed=st.integers())
def test_backoff_doubles_to_the_cap_and_keeps_half_of_it(attempts: int, seed: int) -> None:
    full = min(BACKOFF_CAP, 2.0 ** min(attempts - 1, 40))
    assert full / 2 <= backoff_seconds(attempts, random.Random(seed)) <= full


def test_backoff_numbers() -> None:
    class Top(random.Random):
        def uniform(self, a: float, b: float) -> float:
            return b

    assert [backoff_seconds(n, Top()) for n in range(1, 11)] == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300]
    with pytest.raises(ValueError, match="count from 1"):
        backoff_seconds(0, Top())


def test_the_byte_budget_makes_the_next_one_wait_but_never_a_lone_giant() -> None:
    budget = ByteBudget(100)
    budget.acquire(1_000)
    got: list[int] = []

    def second() -> None:
        budget.acquire(1)
        got.append(budget.held)

    thread = threading.Thread(target=second)
    thread.start()
    assert got == []
    budget.release(1_000)
    thread.join(30)
    assert got == [1]
