"""The resource contract: the ladder, its order, that it does not swing; the kernel's files; what is done."""

import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import Tree
from currant.budget import Contract, Enforcer, Sample, State, contract, decide, steps_of
from currant.budget.decide import MOST_REST, MOST_REST_FOR_OTHERS, TOP, over, relaxed
from currant.budget.enforcer import told
from currant.budget.family import cpu_seconds, descendants_bytes
from currant.budget.machine import Meter, group_limits, stalled
from currant.budget.watches import LEAST, grant, need
from currant.clock import ManualClock, SystemClock
from currant.config import BudgetSettings, Settings
from currant.maintenance.machine import resident
from currant.model import Throttle
from currant.service import Service

MIB = 1 << 20
LIMITS = Contract(memory=100 * MIB, cpu=0.5, watches=1_000, busy=0.8)
CALM = Sample(rss=10 * MIB)


def after(state: State, sample: Sample, seconds: int, *, start: int = 0) -> tuple[State, list[int]]:
    """One look a second; the state then, and every level on the way."""
    levels = []
    for now in range(start, start + seconds):
        state = decide(state, sample, LIMITS, now, raise_after=10, lower_after=60)
        levels.append(state.level)
    return state, levels


def test_it_steps_back_one_step_at_a_time_in_one_order() -> None:
    _, levels = after(State(), Sample(rss=110 * MIB), 60)
    assert levels == [0] * 10 + [1] * 10 + [2] * 10 + [3] * 10 + [4] * 20
    asked = [steps_of(State(level=level, rest=1.0)) for level in range(TOP + 1)]
    assert [one.llm_paused for one in asked] == [False, True, True, True, True]
    assert [one.cache_share for one in asked] == [1, 1, 0.25, 0.25, 0.25]
    assert [one.workers for one in asked] == [None, None, None, 1, 1]
    assert [one.rest for one in asked] == [0, 0, 0, 1, 1]
    assert [one.collect_s for one in asked] == [0, 0, 0, 0, 5]


def test_far_over_its_memory_it_does_not_wait() -> None:
    _, levels = after(State(), Sample(rss=130 * MIB), 6)
    assert levels == [1, 2, 3, 4, 4, 4]


def test_steps_are_taken_back_slowly_and_only_well_below() -> None:
    state, _ = after(State(), Sample(rss=110 * MIB), 60)
    near, levels = after(state, Sample(rss=95 * MIB), 1_000, start=60)
    assert set(levels) == {4}  # below the limit, but not well below: nothing changes
    _, levels = after(near, CALM, 300, start=1_060)
    assert [levels.index(level) for level in (3, 2, 1, 0)] == [60, 120, 180, 240]


def test_what_comes_and_goes_changes_nothing() -> None:
    state = State()
    for now in range(1_000):
        sample = Sample(rss=110 * MIB) if now % 10 else CALM
        state = decide(state, sample, LIMITS, now, raise_after=10, lower_after=60)
    assert state.level == 0


def test_others_cost_throughput_and_not_freshness() -> None:
    busy = Sample(others=0.95, cpu_stalled=50.0)
    state, levels = after(State(), busy, 600)
    assert max(levels) == 3
    assert state.rest == MOST_REST_FOR_OTHERS
    assert [cause.of for cause in state.causes] == ["busy"]
    assert not list(over(Sample(others=0.95, cpu_stalled=3.0), LIMITS))  # busy, and nobody waits
    assert list(over(Sample(others=0.95), LIMITS))  # no such figure here
    assert [cause.of for cause in over(Sample(memory_stalled=30.0), LIMITS)] == ["stalled"]
    assert not list(over(busy, Contract()))


def test_a_rest_grows_until_the_cpu_is_within_its_limit_and_shrinks_again() -> None:
    state, _ = after(State(), Sample(cpu=1.0), 41)
    assert (state.level, state.rest) == (4, 1.0)
    state, _ = after(state, Sample(cpu=1.0), 20, start=41)
    assert state.rest == 4.0
    state, _ = after(state, CALM, 70, start=61)
    assert state.level == 3
    state, _ = after(state, CALM, 60, start=131)
    assert (state.level, state.rest) == (3, 2.0)


samples = st.builds(
    Sample,
    rss=st.sampled_from([10, 84, 86, 99, 101, 130]).map(lambda mib: mib * MIB),
    cpu=st.sampled_from([0.0, 0.4, 0.45, 0.6, 2.0]),
    others=st.sampled_from([0.0, 0.7, 0.9]),
    cpu_stalled=st.sampled_from([None, 0.0, 50.0]),
    memory_stalled=st.sampled_from([None, 0.0, 9.0, 50.0]),
)


@given(st.lists(st.tuples(samples, st.integers(1, 30)), max_size=60))
def test_whatever_comes_the_ladder_holds(looks: list[tuple[Sample, int]]) -> None:
    state, now = State(), 0
    for sample, seconds in looks:
        now += seconds
        before, state = state, decide(state, sample, LIMITS, now, raise_after=10, lower_after=60)
        assert 0 <= state.level <= TOP
        assert abs(state.level - before.level) <= 1
        if state.level > before.level:
            assert list(over(sample, LIMITS))
            assert state.level <= max(cause.highest for cause in state.causes)
        if state.level < before.level:
            assert relaxed(sample, LIMITS)
            assert now - before.changed >= 60
        assert 0 <= state.rest <= MOST_REST
        assert (state.rest >= 1) == (state.level >= 3)
        assert len(list(told(state))) == state.level
        assert all(one.fix and one.what for one in told(state))


@given(samples)
def test_over_and_relaxed_exclude_each_other(sample: Sample) -> None:
    assert not (list(over(sample, LIMITS)) and relaxed(sample, LIMITS)) or (
        # Only the kernel's figure for CPUs is looked at on one side alone.
        {cause.of for cause in over(sample, LIMITS)} == set()
    )


def test_the_control_group_counts_where_it_is_tighter() -> None:
    settings = BudgetSettings(memory_mb=200, cpu_percent=150)
    assert contract(settings, None, None) == Contract(200 * MIB, 1.5, None, 0.8)
    assert contract(settings, 100 * MIB, 1.0) == Contract(80 * MIB, 0.9, None, 0.8)
    assert contract(settings, 1_000 * MIB, 8.0) == Contract(200 * MIB, 1.5, None, 0.8)
    assert contract(BudgetSettings(busy_percent=0), None, None) == Contract()


def test_limits_of_control_groups_are_read(tmp_path: Path) -> None:
    proc, groups = tmp_path / "proc", tmp_path / "cgroup"
    (proc / "self").mkdir(parents=True)
    inner = groups / "user.slice" / "serve"
    inner.mkdir(parents=True)
    (proc / "self" / "cgroup").write_text("1:cpu:/legacy\n0::/user.slice/serve\n")
    assert group_limits(proc, groups) == (None, None)
    (inner / "memory.max").write_text("max\n")
    (inner / "cpu.max").write_text("max 100000\n")
    assert group_limits(proc, groups) == (None, None)
    (groups / "user.slice" / "memory.max").write_text("1000000\n")
    (inner / "cpu.max").write_text("50000 100000\n")
    (groups / "cpu.max").write_text("200000 100000\n")
    assert group_limits(proc, groups) == (1_000_000, 0.5)
    (inner / "memory.max").write_text("900000")
    assert group_limits(proc, groups)[0] == 900_000
    for odd in ("", "many", "-1", "1 2 3"):
        (inner / "cpu.max").write_text(odd)
        (inner / "memory.max").write_text(odd)
        assert group_limits(proc, groups) == (1_000_000, 2.0)
    (proc / "self" / "cgroup").write_text("0::/../../../etc\n")
    assert group_limits(proc, groups) == (None, None)
    assert group_limits(tmp_path / "none", groups) == (None, None)


def test_limits_of_control_groups_of_version_1_are_read_too(tmp_path: Path) -> None:
    proc, groups = tmp_path / "proc", tmp_path / "cgroup"
    (proc / "self").mkdir(parents=True)
    # A container sees its own group as the top of the mount, and its path as the host has it.
    (proc / "self" / "cgroup").write_text(
        "4:memory:/docker/a/b\n3:cpu,cpuacct:/docker/a\n1:name=systemd:/x\n0::/\n"
    )
    memory, cpu = groups / "memory", groups / "cpu,cpuacct" / "docker" / "a"
    memory.mkdir(parents=True)
    cpu.mkdir(parents=True)
    assert group_limits(proc, groups) == (None, None)
    (memory / "memory.limit_in_bytes").write_text("9223372036854771712\n")
    (cpu / "cpu.cfs_period_us").write_text("100000\n")
    (cpu / "cpu.cfs_quota_us").write_text("-1\n")
    assert group_limits(proc, groups) == (None, None)
    (memory / "memory.limit_in_bytes").write_text("700000\n")
    (cpu / "cpu.cfs_quota_us").write_text("150000\n")
    assert group_limits(proc, groups) == (700_000, 1.5)
    (memory / "docker" / "a" / "b").mkdir(parents=True)
    (memory / "docker" / "a" / "b" / "memory.limit_in_bytes").write_text("600000\n")
    (groups / "memory.max").write_text("650000\n")  # and one of version 2 beside them
    assert group_limits(proc, groups) == (600_000, 1.5)


def test_pressure_is_read(tmp_path: Path) -> None:
    file = tmp_path / "memory"
    assert stalled(file) is None
    file.write_text(
        "some avg10=12.50 avg60=1.00 avg300=0.00 total=1\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n"
    )
    assert stalled(file) == 12.5
    for odd in ("", "some", "some avg10=", "some avg10=x", "full avg10=1.00"):
        file.write_text(odd)
        assert stalled(file) is None


def test_this_process_is_measured() -> None:
    clock = ManualClock()
    meter = Meter(clock, lambda: 7)
    first = meter.sample()
    assert (first.cpu, first.others, first.watches) == (0.0, 0.0, 7)
    assert MIB < first.rss < 1 << 40
    assert first.rss == pytest.approx(resident(), rel=0.5)
    sum(number * number for number in range(2_000_000))
    clock.advance(10)
    second = meter.sample()
    assert 0 < second.cpu < 10
    assert 0 <= second.others <= 1


_WORKS = """
import os, subprocess, sys
ballast = bytearray(b"x" * (64 << 20))
inner = [sys.executable, "-c", "while True: pass"]
child = subprocess.Popen(inner) if "again" in sys.argv else None
while os.times().user < 0.3: pass
print("worked", flush=True)
sys.stdin.read()
if child: child.kill(), child.wait()
"""


@pytest.mark.parametrize("depth", [[], ["again"]])
def test_what_our_own_processes_use_is_not_the_use_of_others(depth: list[str]) -> None:
    """git that unpacks a clone, a parser at a large source: ours while they run and after their end."""
    command = [sys.executable, "-c", _WORKS, *depth]
    before, memory = cpu_seconds(), descendants_bytes()
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == b"worked\n"
        assert cpu_seconds() - before >= 0.29
        assert descendants_bytes() - memory >= 64 * MIB
        running = cpu_seconds()
        process.stdin.close()
    assert cpu_seconds() >= running - 0.05  # nothing but parts of a tick is forgotten
    assert descendants_bytes() < memory + 64 * MIB


def test_a_sample_counts_the_processes_that_we_started() -> None:
    clock = ManualClock()
    meter = Meter(clock)
    meter.sample()
    with subprocess.Popen(
        [sys.executable, "-c", _WORKS], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.readline()
        clock.advance(1)
        sample = meter.sample()
        assert sample.cpu >= 0.29
        assert sample.rss >= resident() / 2 + 64 * MIB
        process.stdin.close()


@given(st.integers(1, 10_000), st.lists(st.integers(0, 5_000), max_size=8))
def test_all_projects_together_keep_the_budget_of_watches(limit: int, sizes: list[int]) -> None:
    """Opened one after the other or all at once, beyond the least that everybody gets."""
    used: dict[str, int] = {}
    for number in range(len(sizes)):
        used[str(number)] = grant(limit, used, len(sizes) - number)
    assert all(count >= LEAST for count in used.values())
    assert sum(used.values()) <= max(limit, LEAST * len(sizes))
    for number, size in enumerate(sizes):
        assert need(used[str(number)], size) <= used[str(number)]


class _Machine:
    """A meter that says what it is told."""

    def __init__(self) -> None:
        self.now = CALM
        self.limits: tuple[int | None, float | None] = (None, None)

    def sample(self) -> Sample:
        return self.now

    def group(self) -> tuple[int | None, float | None]:
        return self.limits


class _Told:
    """A service that remembers."""

    def __init__(self) -> None:
        self.told: list[Throttle] = []

    def throttle(self, throttle: Throttle) -> None:
        if not self.told or throttle != self.told[-1]:
            self.told.append(throttle)


def test_it_is_done_and_said() -> None:
    clock, machine, service = ManualClock(), _Machine(), _Told()
    settings = BudgetSettings(memory_mb=100, watches=50, raise_after_s=10, lower_after_s=60)
    enforcer = Enforcer(settings, lambda: [service], clock, meter=machine)  # type: ignore[arg-type]

    def turns(count: int) -> list[bool]:
        out = []
        for _ in range(count):
            clock.advance(settings.interval_s)
            out.append(enforcer.turn())
        return out

    enforcer.turn()
    assert enforcer.degraded() == []
    machine.now = Sample(rss=110 * MIB, watches=60)
    assert sum(turns(12)) == 4
    assert [one.code for one in enforcer.degraded()] == [
        "budget_llm",
        "budget_cache",
        "budget_workers",
        "budget_watching",
        "budget_watches",
    ]
    last = service.told[-1]
    assert (last.llm_paused, last.cache_share, last.workers, last.collect_s) == (True, 0.25, 1, 5)
    assert [one.code for one in last.states] == [one.code for one in enforcer.degraded()][:4]
    assert "110 MiB are used of 100" in last.states[0].what
    assert "budget.memory_mb" in last.states[0].fix
    assert enforcer.status()["step"] == 4
    assert enforcer.throttle() == last
    machine.now = CALM
    assert sum(turns(60)) == 4
    assert service.told[-1] == Throttle()
    assert enforcer.degraded() == []


def test_it_looks_no_more_often_than_it_is_told_and_not_at_all_when_it_is_off() -> None:
    clock, machine = ManualClock(), _Machine()
    machine.limits = (10 * MIB, None)
    machine.now = Sample(rss=100 * MIB)
    enforcer = Enforcer(BudgetSettings(raise_after_s=0), lambda: [], clock, meter=machine)  # type: ignore[arg-type]
    assert not enforcer.turn()
    assert not enforcer.turn()
    clock.advance(5)
    assert enforcer.turn()
    assert not enforcer.turn()
    off = Enforcer(BudgetSettings(enabled=False), lambda: [], clock, meter=machine)  # type: ignore[arg-type]
    clock.advance(100)
    assert not off.turn()
    assert off.status()["step"] == 0


# --- a real service that steps back --------------------------------------------------------------------


def _throttled(level: int, rest: float = 1.0) -> Throttle:
    steps: dict[str, Any] = {
        name: getattr(steps_of(State(level=level, rest=rest)), name)
        for name in ("llm_paused", "cache_share", "workers", "rest", "collect_s")
    }
    return Throttle(**steps, states=tuple(told(State(level=level, rest=rest))))


def test_a_service_that_steps_back_stays_true_and_says_so(tree: Tree) -> None:
    tree.write({f"f{number}.py": f"def f{number}(): pass\n" for number in range(200)})
    with Service(tree.root, Settings()) as service:
        service.throttle(_throttled(4))
        assert service.sync(60).fresh  # a barrier waits for nobody's gathering
        assert service.query.counts()["files"] == 200
        assert service.cache.max_bytes == 8 * MIB
        codes = [one["code"] for one in service.get_status()["degraded"]]
        assert codes == ["budget_cache", "budget_workers", "budget_watching"]  # no model is asked anyway
        assert service.degraded() == codes
        for number in range(5):
            tree.write({"f0.py": f"def again{number}(): pass\n"})
            assert service.sync(60).fresh
            assert [one.path for one in service.query.find(f"again{number}", exact=True)] == ["f0.py"]
        service.throttle(Throttle())
        assert service.get_status()["degraded"] == []
        assert service.cache.max_bytes == 32 * MIB


def test_one_worker_works_when_one_may(tree: Tree) -> None:
    """The others wait, and go on when they may again."""
    from currant import workers

    tree.write({f"f{number}.py": "x = 1\n" for number in range(400)})
    seen: set[int] = set()
    take = workers.WorkerThreadPool._take

    def taken(pool: workers.WorkerThreadPool, worker_id: int, rest: Callable[[], None]) -> Any:
        batch = take(pool, worker_id, rest)
        if batch:
            seen.add(worker_id)
        return batch

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(workers.WorkerThreadPool, "_take", taken)
        service = Service(tree.root, Settings())
        service.throttle(_throttled(3, rest=0.01))
        with service:
            assert service.sync(60).fresh
            assert seen == {0}
            service.throttle(Throttle())
            for number in range(20):
                tree.write({f"f{one}.py": f"y{number} = 1\n" for one in range(400)})
                assert service.sync(60).fresh
                if len(seen) == 2:
                    break
            assert seen == {0, 1}


def test_stopping_waits_for_nobody_who_rests(tree: Tree) -> None:
    tree.write({"a.py": "x = 1\n"})
    clock = SystemClock()
    service = Service(tree.root, Settings(), clock=clock)
    service.throttle(_throttled(4, rest=MOST_REST))
    service.start()
    service.sync(60)
    stopped = threading.Event()
    threading.Thread(target=lambda: (service.stop(), stopped.set())).start()
    assert stopped.wait(20)  # a rest would be up to 30 s
