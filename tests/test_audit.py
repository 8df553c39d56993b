"""The audit over the real store and an engine that is told nothing: each change is one nobody reported."""

import os
import random
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from currant.audit import Run
from currant.audit.decide import Looked, Suspect, agree, cause_of, judge
from currant.audit.ledger import RECENT_SECONDS, Drift, Ledger
from currant.clock import SystemClock
from currant.config import MonitorSettings, Settings
from currant.extract import OutlineExtractor, Registry
from currant.model import FileStat, Held, Remove, ResultKey, Upsert
from currant.service import Service
from fake_engine import FakeEngine
from pipeline_double import outline_lines

STAT = FileStat(1, 2, 3, 4)
LATER = FileStat(1, 9, 9, 4)
ROW = Held("a", STAT, "ok", "00")
HERE = Looked(STAT)
GONE = Looked(None, evidence=((1, 1, 1),))


# --- deciding -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("suspect", "row", "disk", "verdict"),
    [
        (Suspect("a", ROW, Looked(LATER)), ROW, Looked(LATER), "stale"),
        (Suspect("a", ROW, Looked(LATER)), Held("a", LATER, "ok", "01"), Looked(LATER), None),  # on its way
        (Suspect("a", ROW, Looked(LATER)), ROW, HERE, None),  # moved once more
        (Suspect("a", None, HERE), None, HERE, "missing"),
        (Suspect("a", None, HERE), ROW, HERE, None),
        (Suspect("a", None, HERE), None, HERE._replace(evidence=((2, 2, 2),)), None),  # moved along
        (Suspect("a", ROW, GONE), ROW, GONE, "extra"),
        (Suspect("a", ROW, GONE), None, GONE, None),
        (Suspect("a", ROW, GONE), ROW, GONE._replace(evidence=((2, 2, 2),)), None),  # may have come and gone
        (Suspect("a", ROW, GONE), ROW, Looked(None, known=False), None),
    ],
)  # fmt: skip
def test_only_what_stood_still_and_still_disagrees_is_drift(
    suspect: Suspect, row: Held | None, disk: Looked, verdict: str | None
) -> None:
    assert judge(suspect, row, disk, None, True) == verdict


def test_a_content_counts_when_it_was_read_twice_alike() -> None:
    suspect = Suspect("a", ROW, HERE, content="ff")
    assert judge(suspect, ROW, HERE, "ff", True) == "stale"
    assert judge(suspect, ROW, HERE, "fe", True) is None
    assert judge(suspect, Held("a", STAT, "ok", "ff"), HERE, "ff", True) is None


def test_a_row_of_a_file_that_the_rules_hide_is_extra_unless_the_rules_changed_meanwhile() -> None:
    suspect = Suspect("a", ROW, HERE, kept=False)
    assert judge(suspect, ROW, HERE, None, False) == "extra"
    assert judge(suspect, ROW, HERE, None, True) is None
    assert judge(suspect, None, HERE, None, False) is None


def test_what_cannot_be_looked_at_is_not_held_against_the_row() -> None:
    assert agree(ROW, Looked(None, known=False))
    assert agree(Held("a", FileStat(0, 0, -1, 0), "failed", None), HERE)
    assert not agree(Held("a", FileStat(0, 0, 1, 0), "failed", None), HERE)


@pytest.mark.parametrize(
    ("disk", "engine", "cause"),
    [
        (Looked(LATER, links=2), {}, "hard link"),
        (Looked(LATER), {"unwatched_paths": ["d"]}, "could not be watched"),
        (Looked(LATER), {"remote_paths": [""]}, "does not report"),
        (Looked(LATER), {"denied_paths": ["d"]}, "may not be read"),
        (Looked(LATER), {"unwatched_paths": ["d2"]}, "unknown"),
        (Looked(STAT), {}, "same size and times"),
    ],
)
def test_causes(disk: Looked, engine: dict[str, Any], cause: str) -> None:
    assert cause in cause_of("d/a", "stale", Held("d/a", STAT, "ok", "00"), disk, engine)


# --- the ledger -----------------------------------------------------------------------------------------

ODD = os.fsdecode(b"caf\xe9 \n")


def test_drift_is_told_for_an_hour_or_until_it_is_acknowledged(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    assert ledger.degraded(1_000.0) is None
    ledger.ran(1_000.0, 5, 1, 1, [Drift(ODD, 1_000.0, "stale", "hard link", True)])
    told = ledger.degraded(1_000.0 + RECENT_SECONDS - 1)
    assert told is not None
    assert (told.code, told.count) == ("drift", 1)
    assert "hard link" in told.what
    assert "--acknowledge" in told.fix
    assert ledger.degraded(1_000.0 + RECENT_SECONDS) is None
    ledger.ran(5_000.0, 5, 1, 1, [Drift("b", 5_000.0, "extra", "unknown", False)])
    told = ledger.degraded(5_001.0)
    assert told is not None
    assert "not repaired" in told.what
    assert "start it again" in told.fix
    assert ledger.acknowledge(5_002.0) == 1
    assert ledger.degraded(5_003.0) is None


def test_what_was_found_survives_a_restart_and_the_counts_of_runs_do_not(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    found = [Drift(ODD, float(number), "stale", "unknown", True) for number in range(30)]
    ledger.ran(30.0, 5, 1, 1, found)
    told = Ledger(tmp_path).as_dict()
    assert (told["drift_found_total"], told["runs"]) == (30, 0)
    assert told["last_drift"] == ledger.as_dict()["last_drift"]
    assert len(told["last_drift"]) == 20
    assert told["last_drift"][-1]["path"] == ODD


def test_a_ledger_that_cannot_be_read_is_begun_anew(tmp_path: Path) -> None:
    for text in ("", "[]", '{"total": 3}', '{"total": 1, "acknowledged": 0, "drift": [{"x": 1}]}'):
        (tmp_path / "audit.json").write_text(text)
        assert Ledger(tmp_path).as_dict()["drift_found_total"] == 0


def test_a_run_that_finds_nothing_writes_nothing(tmp_path: Path) -> None:
    Ledger(tmp_path).ran(1.0, 5, 1, 1, [])
    assert list(tmp_path.iterdir()) == []


# --- runs -----------------------------------------------------------------------------------------------


class Ahead(SystemClock):
    """A minute ahead of the file system: everything on disk was there before the run."""

    def now(self) -> float:
        return super().now() + 60.0


class Blind(FakeEngine):
    """Is told of nothing. `at_barrier` is what happens at the next one; `large` has a run take a sample."""

    at_barrier: Callable[[], object] | None = None
    large = False
    state: dict[str, Any]

    def sync(self, timeout: float, paths: Sequence[str] | None = None) -> list[str] | None:
        happen, self.at_barrier = self.at_barrier, None
        if happen is not None:
            happen()
        return super().sync(timeout, paths)

    def status(self) -> dict[str, Any]:
        return {**super().status(), "files": 10**6 if self.large else 0, **getattr(self, "state", {})}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    for name in ("a.py", "d/b.py", "d/c.toml", "d/e/f.py"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(f"def {name[-4]}\n")
        os.utime(root / name, ns=(10**18, 10**18))
    return root


def make(root: Path, *, files: int) -> Service:
    registry = Registry([OutlineExtractor(outline_lines, [("python", "1")])], max_file_mb=1)
    settings = Settings(monitor=MonitorSettings(audit_interval_s=0, audit_files=files))
    return Service(root, settings, clock=Ahead(), engine_factory=Blind, registry=registry)


@pytest.fixture
def service(root: Path) -> Iterator[Service]:
    with make(root, files=200) as service:
        assert service.sync(30).fresh
        yield service


def engine_of(service: Service) -> Blind:
    engine = service.engine
    assert isinstance(engine, Blind)
    return engine


def kinds(run: Run) -> dict[str, str]:
    assert all(found.repaired for found in run.drift)
    return {found.path: found.kind for found in run.drift}


def rewrite(path: Path, text: str) -> None:
    path.write_text(text)


def test_an_index_that_is_right_has_no_suspects(service: Service) -> None:
    for engine_of(service).large in (False, True):
        run = service.audit()
        assert (run.suspects, run.drift, run.settled) == (0, [], True)
        assert run.files >= 4
        assert run.contents >= 4
    told = service.get_status()
    assert told["audit"]["runs"] == 2
    assert told["degraded"] == []


@pytest.mark.parametrize("large", [False, True], ids=["whole", "sample"])
def test_what_nobody_reported_is_found_repaired_and_told(service: Service, root: Path, large: bool) -> None:
    engine_of(service).large = large
    (root / "d/b.py").write_text("def changed\n")
    (root / "d/c.toml").unlink()
    (root / "d/new.py").write_text("def new\n")
    assert kinds(service.audit()) == {"d/b.py": "stale", "d/c.toml": "extra", "d/new.py": "missing"}
    assert service.query.find("changed", exact=True)
    assert service.query.find("new", exact=True)
    assert service.query.files() == [b"a.py", b"d/b.py", b"d/e/f.py", b"d/new.py"]
    status = service.get_status()
    assert status["audit"]["drift_found_total"] == 3
    assert [trouble["code"] for trouble in status["degraded"]] == ["drift"]
    assert service.degraded() == ["drift"]
    assert service.audit().drift == []
    service.acknowledge_drift()
    assert service.degraded() == []


def test_what_arrives_with_the_barrier_is_no_drift(service: Service, root: Path) -> None:
    engine = engine_of(service)
    (root / "a.py").write_text("def changed\n")
    (root / "d/e/f.py").unlink()
    (root / "d/new.py").write_text("def new\n")
    engine.at_barrier = lambda: engine.change("a.py", "d/e/f.py", "d/new.py")
    run = service.audit()
    assert (run.suspects, run.drift) == (3, [])


def test_a_file_that_changes_during_the_run_is_no_drift(service: Service, root: Path) -> None:
    engine = engine_of(service)
    (root / "a.py").write_text("def changed\n")
    engine.at_barrier = lambda: rewrite(root / "a.py", "def changed_again\n")
    assert service.audit().drift == []
    assert kinds(service.audit()) == {"a.py": "stale"}


def test_a_directory_that_is_moved_away_and_back_during_the_run_is_no_drift(
    service: Service, root: Path
) -> None:
    """The files in it keep size, times and inode; their rows may be on their way."""
    (root / "d").rename(root / "moved")

    def there_and_back() -> None:
        (root / "moved").rename(root / "away")
        (root / "away").rename(root / "moved")

    engine_of(service).at_barrier = there_and_back
    run = service.audit()
    assert run.suspects == 6
    assert {found.path for found in run.drift if found.path.startswith("moved/")} == set()
    run = service.audit()
    assert {path for path, kind in kinds(run).items() if kind == "missing"} == {
        "moved/b.py",
        "moved/c.toml",
        "moved/e/f.py",
    }


def test_a_directory_that_nobody_knew_is_found_by_sampling(service: Service, root: Path) -> None:
    engine_of(service).large = True
    (root / "unseen/deep").mkdir(parents=True)
    (root / "unseen/deep/x.py").write_text("def x\n")
    (root / "empty").mkdir()
    run = service.audit()
    assert kinds(run) == {"unseen": "missing"}
    assert run.drift[0].cause == "directory that was not known"
    assert service.query.find("x", exact=True)


def test_a_row_that_was_lost_is_found(service: Service) -> None:
    service.store.commit([Remove(b"d/e/f.py", "test"), Remove(b"a.py", "test")], 1.0)
    assert kinds(service.audit(whole=True)) == {"a.py": "missing", "d/e/f.py": "missing"}


def test_a_directory_that_became_a_link_has_no_files(service: Service, root: Path, tmp_path: Path) -> None:
    """The same inodes with the same times are still there, behind a link that is not followed."""
    (root / "d").rename(tmp_path / "elsewhere")
    (root / "d").symlink_to(tmp_path / "elsewhere")
    assert set(kinds(service.audit())) == {"d/b.py", "d/c.toml", "d/e/f.py"}
    assert service.query.files() == [b"a.py"]


def test_content_under_the_same_size_and_times_is_found(service: Service, root: Path) -> None:
    """No program can set a change time back, so the row is what is made wrong: the content of another."""
    row = service.query.held("a.py")
    other = service.query.held("d/b.py")
    assert row is not None
    assert other is not None
    extractor = "outline/1"
    with service.store.snapshot() as connection:
        (extractor,) = connection.execute("SELECT name FROM extractors WHERE name LIKE '%py%'").fetchone()
    assert other.content is not None
    key = ResultKey(bytes.fromhex(other.content), "python", extractor)
    service.store.commit([Upsert(b"a.py", row.stat, key, None, None, "test", 0.0, 0, False)], 1.0)
    run = service.audit()
    assert kinds(run) == {"a.py": "stale"}
    assert run.drift[0].cause == "content changed under the same size and times"
    assert service.query.held("a.py") == row


def test_while_the_index_is_not_there_yet_or_its_root_is_not_nothing_is_judged(
    service: Service, root: Path
) -> None:
    (root / "a.py").write_text("def changed\n")
    for state in ({"starting": True}, {"root_missing": True}):
        engine_of(service).state = state
        run = service.audit()
        assert (run.settled, run.files, run.drift) == (False, 0, [])


def test_an_index_that_does_not_catch_up_is_not_judged(service: Service, root: Path) -> None:
    engine = engine_of(service)
    (root / "a.py").write_text("def changed\n")
    engine.sync = lambda timeout, paths=None: ["a.py"]  # type: ignore[method-assign]
    run = service.audit()
    assert (run.settled, run.suspects, run.drift) == (False, 1, [])


def test_drift_that_the_engine_does_not_mend_is_told_as_such(service: Service, root: Path) -> None:
    engine = engine_of(service)
    (root / "a.py").write_text("def changed\n")
    engine.touch = lambda path: True  # type: ignore[method-assign]
    [found] = service.audit().drift
    assert not found.repaired
    assert "start it again" in service.get_status()["degraded"][0]["fix"]


def test_each_row_is_reached_some_time_by_going_on_in_order(root: Path) -> None:
    for number in range(90):
        (root / f"n{number:02}.py").write_text("def same\n")
    with make(root, files=20) as service:
        assert service.sync(30).fresh
        engine_of(service).large = True
        (root / "n89.py").write_text("def another\n")
        runs = [service.audit() for _ in range(5)]
    assert [run.files for run in runs] == [20, 20, 20, 20, 14]
    assert [found.path for run in runs for found in run.drift] == ["n89.py"]


def test_the_thread_runs_by_itself_and_ends_with_the_service(root: Path) -> None:
    settings = Settings(monitor=MonitorSettings(audit_interval_s=1))
    before = threading.active_count()
    with Service(root, settings, engine_factory=Blind) as service:
        assert service.sync(30).fresh
        done = threading.Event()
        ledger: Any = service._parts.ledger
        ran = ledger.ran

        def told(*arguments: Any) -> None:
            ran(*arguments)
            done.set()

        ledger.ran = told
        assert done.wait(60)
        assert service.get_status()["audit"]["runs"] >= 1
    assert threading.active_count() == before


def test_names_in_a_directory_are_its_files_and_the_directories_with_files(
    service: Service, root: Path
) -> None:
    assert service.query.names_in("") == {"a.py", "d"}
    assert service.query.names_in("d") == {"d/b.py", "d/c.toml", "d/e"}
    assert service.query.names_in("d/e") == {"d/e/f.py"}
    assert service.query.names_in("x") == set()
    chance = random.Random(7)
    names = {f"{chance.choice('dw')}/{chance.choice('pq')}{number % 9}/{number}" for number in range(400)}
    names |= {f"w/{chance.randrange(10**6)}.py" for _ in range(250)}
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("x")
    service.engine.rescan()
    assert service.sync(60).fresh
    every = [os.fsdecode(path) for path in service.query.files()]
    for folder in ("", "d", "w", "w/p1", "d/e"):
        prefix = f"{folder}/" if folder else ""
        below = {prefix + path[len(prefix) :].split("/")[0] for path in every if path.startswith(prefix)}
        assert service.query.names_in(folder) == below
