"""The processor of upkeep: its times, its bound, its statistics, and what it really does to an index."""

import ctypes
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import apsw
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from currant.clock import ManualClock, SystemClock
from currant.errors import StoreUnavailableError
from currant.maintenance import BackgroundProcessor, BackgroundTask, ProcessorConfig, ServiceTarget, TaskStats
from currant.maintenance import machine as machines
from currant.maintenance.machine import Memory, eviction
from currant.maintenance.target import GROWN_BYTES, MANY, PAUSE, Relief
from currant.service import Service

T = BackgroundTask
PLENTY = Memory(100, 90)


class Project:
    """A target that writes down what it was asked for."""

    def __init__(self, name: str = "one") -> None:
        self.name = name
        self.calls: list[str] = []
        self.fails: set[str] = set()
        self.gate: Callable[[], object] = lambda: None

    def _called(self, what: str) -> dict[str, Any]:
        self.calls.append(what)
        self.gate()
        if what.split()[0] in self.fails:
            raise ValueError(f"{what} went wrong")
        return {"ok": True, "did": what}

    def optimize(self, budget_s: float, cancelled: Callable[[], bool]) -> dict[str, Any]:
        return self._called(f"optimize {budget_s:g}")

    def cleanup_connections(self) -> dict[str, Any]:
        return self._called("cleanup")

    def evict(self, fraction: float) -> dict[str, Any]:
        return self._called(f"evict {fraction:g}")

    def refresh_cache(self) -> dict[str, Any]:
        return self._called("refresh_cache")

    def audit(self, check: Callable[[], None]) -> dict[str, Any]:
        return self._called("audit")

    def health(self) -> dict[str, Any]:
        return self._called("health")

    def metrics(self) -> dict[str, Any]:
        return self._called("metrics")


class Tables:
    """The one table, in memory; `broken` makes writing fail."""

    def __init__(self) -> None:
        self.connection = apsw.Connection(":memory:")
        self.connection.execute(
            "CREATE TABLE task_stats (task TEXT PRIMARY KEY, last_run REAL, run_count INTEGER, error_count"
            " INTEGER, total_seconds REAL, skipped INTEGER, last_error TEXT, last_error_at REAL) STRICT"
        )
        self.broken = False
        self.writes = 0
        self._lock = threading.Lock()

    @contextmanager
    def write(self) -> Iterator[apsw.Connection]:
        if self.broken:
            raise StoreUnavailableError("no")
        self.writes += 1
        with self._lock, self.connection:
            yield self.connection

    @contextmanager
    def read(self) -> Iterator[apsw.Connection]:
        with self._lock:
            yield self.connection


class Runs:
    """Runs begin when the test says so; in between they are under way."""

    def __init__(self) -> None:
        self.under_way: list[tuple[str, Callable[[], None]]] = []

    def spawn(self, work: Callable[[], None], name: str) -> threading.Thread:
        self.under_way.append((name, work))
        over = threading.Thread()
        over.start()
        over.join()
        return over

    def finish(self, index: int = 0) -> str:
        name, work = self.under_way.pop(index)
        work()
        return name


class Kit:
    def __init__(self, tables: Tables | None = None, clock: ManualClock | None = None, **config: Any) -> None:
        self.clock = clock or ManualClock()
        self.runs = Runs()
        self.project = Project()
        self.memory = PLENTY
        self.targets = [self.project]
        self.processor = BackgroundProcessor(
            ProcessorConfig(**config),
            lambda: self.targets,
            tables,
            self.clock,
            memory=lambda: self.memory,
            spawn=self.runs.spawn,
        )
        self.processor.prepare()

    def stats(self, task: T) -> TaskStats:
        return next(one for one in self.processor.get_stats() if one.task == task.value)

    def run(self, seconds: float) -> list[str]:
        """Let time pass as the thread would; the calls made, each run over at once."""
        end = self.clock.monotonic() + seconds
        while True:
            wait = self.processor.turn()
            while self.runs.under_way:
                self.runs.finish()
                self.processor.turn()
            assert wait is not None
            left = end - self.clock.monotonic()
            if left <= 0:
                calls, self.project.calls = self.project.calls, []
                return calls
            self.clock.advance(min(wait, left) if wait > 0 else min(0.001, left))


def test_each_task_runs_at_its_own_interval() -> None:
    kit = Kit(eviction_interval=60)
    kit.run(0)
    calls = kit.run(10 + 7200)
    count = {what: sum(one.startswith(what) for one in calls) for what in ("opt", "clean", "health", "metr")}
    assert count == {"opt": 3, "clean": 25, "health": 121, "metr": 241}
    assert kit.stats(T.CacheEviction).run_count == 121
    assert not [one for one in calls if one.startswith("evict")]  # there was memory enough


def test_an_interval_of_zero_is_only_when_asked_for() -> None:
    kit = Kit(metrics_interval=0)
    assert "metrics" not in kit.run(3_600)
    assert kit.stats(T.MetricsCollection).next_run is None
    assert kit.processor.schedule_task(T.MetricsCollection)
    assert "metrics" in kit.run(0)


def test_a_restart_does_not_begin_the_hour_anew() -> None:
    tables = Tables()
    first = Kit(tables)
    first.run(20)
    for _ in range(8):
        first.clock.advance(300)
        later = Kit(tables, first.clock)
        assert not any(one.startswith("optimize") for one in later.run(100))
    first.clock.advance(380)
    later = Kit(tables, first.clock)
    assert any(one.startswith("optimize") for one in later.run(20))
    assert later.stats(T.OptimizeIndex).run_count == 2


def test_a_clock_that_was_set_back_puts_nothing_off_for_longer_than_its_interval() -> None:
    tables = Tables()
    first = Kit(tables)
    first.run(20)
    first.clock.set_wall(first.clock.now() - 365 * 86_400)
    assert any(one.startswith("optimize") for one in Kit(tables, first.clock).run(3_600))


def test_after_a_long_sleep_there_is_one_run_and_not_many() -> None:
    kit = Kit()
    kit.run(20)
    kit.clock.advance(86_400)
    assert kit.run(0).count("health") == 1


def test_never_two_of_the_same_and_the_others_count_as_skipped() -> None:
    kit = Kit()
    assert kit.processor.schedule_task(T.HealthCheck)
    assert not kit.processor.schedule_task(T.HealthCheck)  # it waits
    kit.processor.turn()
    assert not kit.processor.schedule_task(T.HealthCheck)  # it runs
    assert kit.processor.run_now(T.HealthCheck) is None
    kit.clock.advance(60)
    kit.processor.turn()  # and now it is due as well
    assert [name for name, _ in kit.runs.under_way].count("currant-health_check") == 1
    assert kit.stats(T.HealthCheck).skipped == 4
    assert kit.stats(T.HealthCheck).running is not None
    kit.runs.finish()
    assert kit.stats(T.HealthCheck).running is None
    assert kit.processor.schedule_task(T.HealthCheck)


def test_at_most_so_many_at_once_and_the_rest_wait_in_order() -> None:
    kit = Kit(max_concurrent_tasks=2)
    for task in T:
        assert kit.processor.schedule_task(task)
    kit.processor.turn()
    assert len(kit.runs.under_way) == 2
    order = []
    while kit.runs.under_way:
        order.append(kit.runs.finish())
        kit.processor.turn()
        assert len(kit.runs.under_way) <= 2
    assert order == [f"currant-{task.value}" for task in T]


def test_statistics_outlive_the_process() -> None:
    tables = Tables()
    kit = Kit(tables)
    kit.project.gate = lambda: kit.clock.advance(3.0)
    kit.processor.run_now(T.HealthCheck)
    kit.project.fails = {"health"}
    kit.processor.run_now(T.HealthCheck)
    at = kit.clock.now() - 3.0
    found = next(one for one in Kit(tables, kit.clock).processor.get_stats() if one.task == "health_check")
    assert (found.run_count, found.error_count, found.mean_seconds, found.skipped) == (2, 1, 3.0, 0)
    assert (found.last_run, found.last_error_at) == (at, at)
    assert found.last_error == "one: health went wrong"


def test_statistics_of_what_runs_often_are_written_together_and_at_the_end() -> None:
    """Each write wakes whoever follows jobs.db, in every process."""
    tables = Tables()
    kit = Kit(tables, optimization_interval=0)
    kit.run(1_800.0)
    assert 6 <= tables.writes <= 13  # one for each cleanup, and as many for the sixty and sixty others
    runs = kit.stats(T.MetricsCollection).run_count
    assert runs >= 59
    kit.processor.run_now(T.MetricsCollection)
    assert kit.processor.stop()
    assert Kit(tables, kit.clock).stats(T.MetricsCollection).run_count == runs + 1


def test_statistics_that_cannot_be_written_are_written_later() -> None:
    tables = Tables()
    kit = Kit(tables)
    tables.broken = True
    kit.processor.run_now(T.HealthCheck)
    kit.processor.run_now(T.MetricsCollection)
    assert kit.stats(T.HealthCheck).run_count == 1
    tables.broken = False
    kit.processor.run_now(T.MetricsCollection)
    later = Kit(tables, kit.clock)
    assert later.stats(T.HealthCheck).run_count == 1
    assert later.stats(T.MetricsCollection).run_count == 2


def test_one_project_that_fails_does_not_keep_the_others_from_their_turn() -> None:
    kit = Kit()
    kit.targets = [Project("bad"), kit.project]
    kit.targets[0].fails = {"health"}
    run = kit.processor.run_now(T.HealthCheck)
    assert run is not None
    assert run.error == "bad: health went wrong"
    assert run.results == {"one": {"ok": True, "did": "health"}}
    health = kit.processor.health()
    assert health["ok"] is False
    assert health["at"] == run.started_at


def test_a_listener_and_a_list_of_projects_that_fail_are_survived() -> None:
    kit = Kit()
    kit.processor.on_run.append(lambda run: 1 // 0)
    kit.targets = None  # type: ignore[assignment]  # cannot be gone through
    run = kit.processor.run_now(T.HealthCheck)
    assert run is not None
    assert run.error is not None
    assert kit.processor.run_now(T.HealthCheck) is not None


@pytest.mark.parametrize(
    ("memory", "fraction"),
    [
        (Memory(100, 50), 0.0),
        (Memory(100, 10), 0.0),
        (Memory(100, 9), 0.5),
        (Memory(100, 5), 0.5),
        (Memory(100, 4), 1.0),
        (Memory(100, 50, stalled=10.0), 1.0),
        (Memory(100, 50, stalled=9.9), 0.0),
        (Memory(0, 0), 0.0),
    ],
)
def test_caches_are_given_back_by_how_short_memory_is(memory: Memory, fraction: float) -> None:
    assert eviction(memory, 10.0)[0] == fraction
    kit = Kit()
    kit.memory = memory
    kit.processor.run_now(T.CacheEviction)
    assert kit.project.calls == ([f"evict {fraction:g}"] if fraction else [])


def test_the_control_group_counts_when_it_has_less(tmp_path: Path) -> None:
    own = Path("/proc/self/cgroup").read_text().split("::", 1)[1].strip().lstrip("/")
    group = tmp_path / own
    group.mkdir(parents=True, exist_ok=True)
    (group / "memory.max").write_text("1000000\n")
    (group / "memory.current").write_text("990000\n")
    (group / "memory.stat").write_text("anon 5\ninactive_file 40000\n")
    pressure = tmp_path / "pressure"
    pressure.write_text("some avg10=12.50 avg60=1.00 avg300=0.10 total=1\nfull avg10=0.00\n")
    assert machines.memory(pressure, tmp_path) == Memory(1_000_000, 50_000, 12.5)
    (group / "memory.max").write_text("max\n")
    found = machines.memory(tmp_path / "nothing", tmp_path)
    assert found.stalled is None
    assert found.total > 1_000_000


def test_metrics_are_kept_up_to_a_bound() -> None:
    kit = Kit(metrics_kept=3)
    for _ in range(5):
        kit.clock.advance(30)
        kit.processor.run_now(T.MetricsCollection)
    found = kit.processor.metrics()
    assert len(found) == 3
    assert found[-1]["at"] == kit.clock.now()
    assert found[-1]["projects"] == {"one": {"ok": True, "did": "metrics"}}
    assert found[-1]["process"]["rss_bytes"] > 1_000_000


class Machine(RuleBasedStateMachine):
    """Any order of time, requests and ends of runs, against what must hold of the counts."""

    def __init__(self) -> None:
        super().__init__()
        self.kit = Kit(max_concurrent_tasks=2, metrics_interval=7, health_check_interval=11)
        self.begun = dict.fromkeys(T, 0)
        self.refused = dict.fromkeys(T, 0)
        self.finished = dict.fromkeys(T, 0)

    def _turn(self) -> None:
        before = len(self.kit.runs.under_way)
        self.kit.processor.turn()
        for name, _ in self.kit.runs.under_way[before:]:
            self.begun[T(name.removeprefix("currant-"))] += 1

    @rule(seconds=st.sampled_from([0.0, 1.0, 7.0, 60.0, 4_000.0]))
    def wait(self, seconds: float) -> None:
        self.kit.clock.advance(seconds)
        self._turn()

    @rule(task=st.sampled_from(list(T)))
    def ask(self, task: T) -> None:
        if not self.kit.processor.schedule_task(task):
            self.refused[task] += 1
        self._turn()

    @rule(index=st.integers(0, 1))
    def finish(self, index: int) -> None:
        if index < len(self.kit.runs.under_way):
            name = self.kit.runs.finish(index)
            self.finished[T(name.removeprefix("currant-"))] += 1
            self._turn()

    @invariant()
    def bounded_and_counted(self) -> None:
        names = [name for name, _ in self.kit.runs.under_way]
        assert len(names) == len(set(names)) <= 2
        for task in T:
            stats = self.kit.stats(task)
            assert stats.run_count == self.finished[task]
            assert (stats.running is not None) == (self.begun[task] > self.finished[task])
            assert stats.skipped >= self.refused[task]


TestMachine = Machine.TestCase
TestMachine.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)


# --- for real ---------------------------------------------------------------------------------------------


def test_it_starts_runs_and_stops_on_threads_of_its_own() -> None:
    project, ran = Project(), threading.Event()
    processor = BackgroundProcessor(ProcessorConfig(), lambda: [project], None, SystemClock())
    processor.on_run.append(lambda run: ran.set())
    processor.start()
    processor.start()
    assert processor.is_alive()
    assert processor.schedule_task(T.HealthCheck)
    assert ran.wait(60)
    assert processor.stop(60)
    assert not processor.is_alive()
    assert project.calls == ["health"]
    assert not processor.schedule_task(T.HealthCheck)
    assert processor.stop(60)


def test_stopping_waits_for_what_runs_and_says_when_it_did_not_end() -> None:
    project, entered, leave = Project(), threading.Event(), threading.Event()
    project.gate = lambda: (entered.set(), leave.wait(60))
    processor = BackgroundProcessor(ProcessorConfig(), lambda: [project], None, SystemClock())
    processor.start()
    processor.schedule_task(T.OptimizeIndex)
    assert entered.wait(60)
    assert not processor.stop(0.0)
    leave.set()
    assert processor.stop(60)


def test_the_real_upkeep_of_a_running_index(tmp_path: Path) -> None:
    root = tmp_path / "tree"
    root.mkdir()
    for number in range(60):
        (root / f"m{number}.py").write_text(f"def function_{number}():\n    '''Words {number}.'''\n")
    with Service(root) as service:
        assert service.sync(60).fresh
        kit = Kit(optimize_budget_s=60)
        kit.targets = [ServiceTarget("tree", service)]  # type: ignore[list-item]
        results = {}
        for task in T:
            kit.memory = Memory(100, 1)
            run = kit.processor.run_now(task)
            assert run is not None
            assert run.error is None
            results[task] = run.results["tree"]
        assert results[T.OptimizeIndex]["complete"]
        assert results[T.OptimizeIndex]["analyzed"] > 0
        assert results[T.OptimizeIndex]["checkpointed_pages"] > 0
        assert results[T.HealthCheck] == {"ok": True, "problems": [], "degraded": []}
        assert results[T.MetricsCollection]["counts"]["files"] == 60
        assert results[T.MetricsCollection]["readers"]["in_use"] == 0
        assert results[T.CacheEviction]["readers_closed"] >= 1
        assert service.query.find("function_7", exact=True)[0].path == "m7.py"
        (root / "m0.py").write_text("def renewed(): pass\n")
        assert service.sync(60).fresh
        assert service.query.find("renewed")
        assert service.store.problem() is None


def test_health_says_when_the_index_is_lost(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    with Service(tmp_path) as service:
        assert service.sync(60).fresh
        target = ServiceTarget("a", service)
        assert target.health()["ok"]
        found = service.store.problem
        service.store.problem = lambda: "index.db was removed while it was in use"  # type: ignore[method-assign]
        try:
            told = target.health()
        finally:
            service.store.problem = found  # type: ignore[method-assign]
        assert not told["ok"]
        assert "removed" in told["problems"][0]


def test_an_optimization_that_is_told_to_end_does(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    with Service(tmp_path) as service:
        assert service.sync(60).fresh
        report = ServiceTarget("a", service).optimize(60, lambda: True)
        assert report["steps"] == 0
        assert not report["complete"]


def test_pages_that_indexing_left_in_memory_are_given_back(tmp_path: Path) -> None:
    for number in range(300):
        (tmp_path / f"m{number}.py").write_text(f"def f{number}(): pass\n" * 40)
    with Service(tmp_path) as service:
        assert service.sync(60).fresh

        def kept() -> int:
            connection: apsw.Connection = service.store._writer
            return int(connection.status(apsw.SQLITE_DBSTATUS_CACHE_USED)[0])

        before = kept()
        ServiceTarget("a", service).cleanup_connections()
        assert kept() < before / 4
        assert service.query.find("f299", exact=True)


class Process:
    """A process whose memory is as a test says, and a service in it that has nothing to do."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.told: list[str] = []
        self.bytes = 100 << 20
        self.given_back = 0
        """Bytes that a call of the C library gives back."""
        self.aged = 0
        self.cache = self
        monkeypatch.setattr("currant.maintenance.target.return_memory", self._trim)
        monkeypatch.setattr("currant.maintenance.target.resident", lambda: self.bytes)

    def when_idle(self, step: Callable[[Any], bool], _seconds: float) -> bool:
        assert step(self) is False
        return True

    def release_memory(self) -> None:
        self.told.append("pages")

    def age(self) -> int:
        return self.aged

    def _trim(self) -> None:
        self.told.append("heap")
        self.bytes -= self.given_back


def test_after_many_files_memory_is_given_back_once(monkeypatch: pytest.MonkeyPatch) -> None:
    process = Process(monkeypatch)
    told = process.told
    relief, service = Relief(ManualClock()), cast(Service, process)
    assert [relief.look(service, done) for done in (0, 0, MANY - 1, MANY, MANY + 1, 3 * MANY)] == [
        *(True, False, False, True, False, True)
    ]
    assert told == ["pages", "heap"] * 3
    assert relief.look(None, 9 * MANY)  # another process has the index
    assert told[6:] == ["heap"]


def test_what_was_in_use_at_the_end_of_the_work_is_given_back_a_while_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    process, clock = Process(monkeypatch), ManualClock()
    relief, service = Relief(clock), cast(Service, process)
    assert relief.again_s == PAUSE  # after the start
    assert relief.look(service, MANY)
    assert not relief.look(service, MANY)
    assert relief.again_s == PAUSE
    clock.advance(PAUSE)
    process.given_back = 30 << 20
    assert relief.look(service, MANY)
    clock.advance(PAUSE)
    process.given_back = 0
    assert relief.look(service, MANY)  # the last one was worth it
    assert relief.again_s is None  # and left nothing
    for _ in range(10):
        clock.advance(PAUSE)
        assert not relief.look(service, MANY)
    assert process.told == ["pages", "heap"] * 3


def test_a_process_that_grows_gives_back_but_not_all_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    process, clock = Process(monkeypatch), ManualClock()
    relief, service = Relief(clock), cast(Service, process)
    for _ in range(3):
        relief.look(service, 0)
        clock.advance(PAUSE)
    assert not relief.look(service, 0)
    process.bytes += GROWN_BYTES - 1
    assert not relief.look(service, 0)
    process.bytes += 1
    process.given_back = process.aged = 1  # next to nothing, but records were dropped
    assert relief.look(service, 0)
    process.bytes += GROWN_BYTES
    assert not relief.look(service, 0)
    clock.advance(PAUSE)
    process.aged = 0
    assert relief.look(service, 0)
    clock.advance(PAUSE)
    assert not relief.look(service, 0)  # what is there now is in use


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallinfo2"), reason="glibc's")
def test_what_is_large_is_mapped_by_itself_also_after_something_larger_was_given_back() -> None:
    """Else it lies in the pools from then on, between small things that stay, and its pages are not given
    back when it is: 10 MB after the kernel was indexed."""
    code = """
import ctypes
from currant.maintenance.machine import few_arenas
few_arenas()
libc = ctypes.CDLL(None)
class Info(ctypes.Structure):
    _fields_ = [("before", ctypes.c_size_t * 3), ("hblks", ctypes.c_size_t), ("after", ctypes.c_size_t * 6)]
libc.mallinfo2.restype = Info
libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
libc.free.argtypes = [ctypes.c_void_p]
libc.free(libc.malloc(8 << 20))
before = libc.mallinfo2().hblks
kept = libc.malloc(1 << 20)
print(libc.mallinfo2().hblks - before)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "1\n", done.stderr
