"""The service over the real store and a deterministic engine: life cycle, status, restart, refusal."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from currant.clock import ManualClock
from currant.component import BackgroundTaskSchedulerComponent
from currant.config import IN_HAND, SchedulerSettings, Settings
from currant.errors import (
    ClosedError,
    ComponentNotInitialized,
    EngineError,
    LockedError,
    StoreFullError,
    UsageError,
)
from currant.extract import OutlineExtractor, Registry
from currant.service import Service
from fake_engine import FakeEngine
from pipeline_double import outline_lines


class Factory:
    """Makes services on one root, and remembers the engines they were given."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.engines: list[FakeEngine] = []
        self.version = "1"
        self.max_file_mb = 1

    def engine(self, root: str, **options: Any) -> FakeEngine:
        self.engines.append(FakeEngine(root, **options))
        return self.engines[-1]

    def __call__(self, root: Path | None = None, settings: Settings | None = None, **options: Any) -> Service:
        registry = Registry(
            [OutlineExtractor(outline_lines, [("python", self.version)])], max_file_mb=self.max_file_mb
        )
        return Service(root or self.root, settings, engine_factory=self.engine, registry=registry, **options)


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Factory]:
    root = tmp_path / "root"
    root.mkdir()
    for name in ("a.py", "b/c.py", "b/d.toml"):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_bytes(f"def {name[0]}\n".encode())
        os.utime(root / name, ns=(10**18, 10**18))
    before = threading.active_count()
    yield Factory(root)
    assert threading.active_count() == before


def paths(service: Service) -> list[bytes]:
    return service.query.files()


def upgraded(service: Service) -> None:
    """Have every outdated record replaced."""
    while service.upgrade(100)["handed_over"]:
        pass
    service.sync(30)


def test_start_indexes_and_sync_says_when(make: Factory) -> None:
    with make() as service:
        result = service.sync(30)
        assert result.fresh
        assert result.outstanding == []
        assert result.clock == service.store.clock()
        assert paths(service) == [b"a.py", b"b/c.py", b"b/d.toml"]
        assert [found.path for found in service.query.find("a", exact=True)] == ["a.py"]


def test_status_has_the_keys_that_programs_rely_on(make: Factory) -> None:
    with make() as service:
        service.sync(30)
        status = service.get_status()
    assert status["running"] is True
    assert status["queue_size"] == status["pending"] == 0
    assert status["active_workers"] == 0
    assert status["processed_files"] == 3
    assert status["failed_files"] == 0
    assert {
        "processed_count",
        "failed_count",
        "uptime_seconds",
        "files_per_second",
        "recent_failures",
        "recent_successes",
        "extractor_calls",
        "reused_results",
        "bytes_hashed",
    } <= status["stats"].keys()
    assert status["stats"]["extractor_calls"] == 3
    assert status["root"] == str(make.root)
    assert status["pid"] == os.getpid()
    assert status["clock"].startswith("c:")
    assert status["fresh"] is True
    assert status["phase"] == "watching"
    assert status["index"]["files"] == 3
    assert status["degraded"] == []


def test_the_engine_gets_the_settings_it_is_configured_by(make: Factory) -> None:
    with make(live=False):
        options = make.engines[0].options
        assert make.engines[0].state_dir == str(make.root / ".currant")
    assert options["quiet_ms"] == 100
    assert options["max_delay_ms"] == 2000
    assert options["max_queue"] == 1000
    assert options["in_hand"] == IN_HAND


def test_a_second_service_on_a_root_is_refused_with_the_owner(make: Factory) -> None:
    with make():
        with pytest.raises(LockedError) as caught:
            make().start()
        assert caught.value.pid == os.getpid()
    with make():
        pass  # free again


def test_a_link_to_the_root_is_the_same_root(make: Factory, tmp_path: Path) -> None:
    os.symlink(make.root, tmp_path / "link")
    with make(), pytest.raises(LockedError):
        make(tmp_path / "link").start()


def test_restart_with_nothing_changed_reads_nothing(make: Factory) -> None:
    with make() as service:
        service.sync(30)
        clock = service.store.clock()
    for row in ("a.py", "b/c.py", "b/d.toml"):
        assert make.engines[0].tree[row]
    with make() as service:
        service.sync(30)
        # The files are older than any tick of the clock, unless this machine made them just now.
        first = {path for path, ack in make.engines[0].tree.items() if ack[2] == -1}
        assert service.get_status()["stats"]["extractor_calls"] == 0
        assert {change.path for change in make.engines[1].handed_out} == first
        assert service.store.clock() == clock


def test_restart_reads_only_what_differs(make: Factory) -> None:
    with make() as service:
        service.sync(30)
    (make.root / "a.py").write_bytes(b"def changed\n")
    (make.root / "b/c.py").unlink()
    (make.root / "new.py").write_bytes(b"def new\n")
    with make() as service:
        service.sync(30)
        assert paths(service) == [b"a.py", b"b/d.toml", b"new.py"]
        assert service.query.find("changed", exact=True)
        assert service.get_status()["stats"]["extractor_calls"] == 2


def test_a_new_version_of_an_extractor_has_its_files_read_again_and_no_others(make: Factory) -> None:
    with make() as service:
        service.sync(30)
    make.version = "2"
    with make() as service:
        service.sync(30)
        upgraded(service)
        assert service.get_status()["stats"]["extractor_calls"] == 2  # the two Python files
        view = service.query.show("a.py")
        assert view is not None
        assert view.extractor == "outline/2:python-2"


def test_a_raised_size_limit_reaches_the_files_that_were_too_large(make: Factory) -> None:
    (make.root / "big.py").write_bytes(b"def big\n" + b"#" * (3 << 19))
    with make() as service:
        service.sync(30)
        view = service.query.show("big.py")
        assert view is not None
        assert view.record is not None
        assert view.record.notes == ["skipped: 1.5 MB > extract.max_file_mb 1"]
    make.max_file_mb = 2
    with make() as service:
        service.sync(30)
        upgraded(service)
        assert [found.path for found in service.query.find("big", exact=True)] == ["big.py"]


def test_force_process_file_reads_what_did_not_change(make: Factory) -> None:
    with make() as service:
        service.sync(30)
        before = service.get_status()["stats"]["bytes_hashed"]
        assert service.force_process_file("a.py")
        assert service.force_process_file(make.root / "b/c.py")
        service.sync(30)
        assert service.get_status()["stats"]["bytes_hashed"] > before
        assert service.get_status()["stats"]["extractor_calls"] == 3
        assert not service.force_process_file(".currant/index.db")
        for outside in ("../x", "/etc/passwd", ".", str(make.root)):
            with pytest.raises(UsageError, match="does not lie below"):
                service.force_process_file(outside)


def test_clear_queue_says_how_many(make: Factory) -> None:
    with make() as service:
        service.sync(30)
        assert service.clear_queue() == 0


def test_a_scan_that_ends_between_two_questions_is_not_the_end_of_the_work(
    make: Factory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The number of changes and the state of the scan are of one moment, or none left and no scan under way
    are found together that never were."""
    with make() as service:
        service.sync(30)
        engine = make.engines[-1]
        monkeypatch.setattr(engine, "pending", lambda: 0)  # before the scan's end
        monkeypatch.setattr(
            engine, "status", lambda: {"starting": False, "fresh": False, "pending": 2, "in_flight": 0}
        )
        progress = service.progress()
        assert (progress.phase, progress.total - progress.done) == ("indexing", 2)
        status = service.get_status()
        assert (status["phase"], status["pending"]) == ("indexing", 2)


def test_sync_names_what_is_outstanding(make: Factory) -> None:
    inside, go_on = threading.Event(), threading.Event()

    def wait(language: str, source: bytes) -> bytes:
        inside.set()
        assert go_on.wait(60)
        return outline_lines(language, source)

    registry = Registry([OutlineExtractor(wait, [("python", "1")])], max_file_mb=1)
    service = Service(make.root, engine_factory=make.engine, registry=registry)
    service.start()
    assert inside.wait(60)
    result = service.sync(0)
    assert not result.fresh
    assert "a.py" in result.outstanding
    progress = service.progress()
    assert progress.phase == "indexing"
    assert progress.total == 3
    go_on.set()
    assert service.sync(30).fresh
    assert service.progress().done == 3
    service.stop()


def test_stop_is_final_idempotent_and_leaves_a_committed_index(make: Factory) -> None:
    service = make()
    with pytest.raises(ClosedError):
        _ = service.query
    service.start()
    service.start()
    service.sync(30)
    service.stop()
    service.shutdown()
    for use in (lambda: service.sync(0), lambda: service.store, lambda: service.get_status(), service.start):
        with pytest.raises(ClosedError):
            use()


def test_stop_from_many_threads_at_once(make: Factory) -> None:
    service = make()
    service.start()
    threads = [threading.Thread(target=service.stop) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not service.is_running()


def test_a_stop_in_the_middle_of_a_commit_is_no_error(
    make: Factory, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    service = make()
    service.start()
    service.sync(30)
    engine, inside, stopped = make.engines[0], threading.Event(), threading.Event()
    commit, stop = service.store.commit, engine.stop

    def late(items: Any, now: float) -> str:
        inside.set()
        assert stopped.wait(60)
        return commit(items, now)

    def then() -> None:
        stop()
        stopped.set()

    def refuse(_: Any) -> None:
        raise RuntimeError("the engine was stopped")  # as the real one does

    monkeypatch.setattr(service.store, "commit", late)
    monkeypatch.setattr(engine, "stop", then)
    monkeypatch.setattr(engine, "ack", refuse)
    (make.root / "a.py").write_bytes(b"def later\n")
    engine.change("a.py")
    assert inside.wait(60)
    service.stop()
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []


def test_a_start_that_fails_leaves_nothing_open(make: Factory) -> None:
    def refuse(*_: Any, **__: Any) -> FakeEngine:
        raise OSError("no inotify here")

    with pytest.raises(OSError, match="no inotify"):
        Service(make.root, engine_factory=refuse, registry=Registry([], max_file_mb=1)).start()
    with make() as service:  # the lock is free
        service.sync(30)


def test_no_directory_no_service(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for path in ("absent", "file"):
        with pytest.raises(UsageError, match="not a directory"):
            Service(tmp_path / path).start()


def test_a_failed_engine_is_an_error_and_not_a_stale_answer(make: Factory) -> None:
    service = make()
    service.start()
    service.sync(30)
    make.engines[0].fail(RuntimeError("the watch thread broke"))
    for thread in threading.enumerate():
        if thread.name.startswith("currant-worker"):
            thread.join(30)
    with pytest.raises(EngineError, match="watch thread broke"):
        service.sync(0)
    status = service.get_status()
    assert status["phase"] == "failed"
    assert status["running"] is False
    assert status["fresh"] is False
    assert "watch thread broke" in status["degraded"][0]["what"]
    service.stop()


def test_a_disabled_scheduler_answers_from_the_index_and_says_that_it_is_not_fresh(make: Factory) -> None:
    with make() as service:
        service.sync(30)
    (make.root / "later.py").write_bytes(b"def later\n")
    with make(settings=Settings(scheduler=SchedulerSettings(enabled=False))) as service:
        assert not service.sync(0).fresh
        assert len(paths(service)) == 3
        status = service.get_status()
        assert status["phase"] == "disabled"
        assert status["fresh"] is False
        assert "scheduler.enabled" in status["degraded"][0]["fix"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_child_is_told_instead_of_waiting_for_ever(make: Factory) -> None:
    with make() as service:
        service.sync(30)
        child = os.fork()
        if child == 0:
            try:
                service.sync(60)
            except ClosedError:
                service.stop()  # nothing there is the child's
                os._exit(0)
            except BaseException:
                os._exit(2)
            os._exit(1)
        assert os.waitpid(child, 0)[1] == 0
        assert service.sync(30).fresh
        with pytest.raises(LockedError):
            make().start()


def test_the_component_s_life_cycle(make: Factory) -> None:
    component = BackgroundTaskSchedulerComponent(make)
    component.shutdown()
    for use in (component.start, component.stop, component.get_status, component.clear_queue):
        with pytest.raises(ComponentNotInitialized):
            use()
    assert not component.is_initialized
    component.initialize(make.root)
    assert component.is_initialized
    assert component.service.sync(30).fresh
    assert component.get_status()["running"] is True
    assert component.force_process_file("a.py")
    component.stop()
    component.stop()
    assert component.get_status()["running"] is False
    with pytest.raises(ComponentNotInitialized):
        component.clear_queue()
    component.start()
    assert component.service.sync(30).fresh
    component.shutdown()
    assert not component.is_initialized


def test_a_component_that_is_disabled_waits_for_start(make: Factory) -> None:
    component = BackgroundTaskSchedulerComponent(make)
    component.initialize(make.root, Settings(scheduler=SchedulerSettings(enabled=False)))
    assert component.is_initialized
    assert component.get_status()["running"] is False
    component.shutdown()


CORE_STATES: list[tuple[dict[str, Any], list[str]]] = [
    ({"root_missing": True}, ["root_missing"]),
    ({"unwatched": 1, "unwatched_paths": ["b"]}, ["unwatched"]),
    ({"remote": 1, "remote_paths": ["b"]}, ["remote"]),
    ({"denied": 2, "denied_paths": ["b"]}, ["denied"]),
    ({"problems": [("b", "too deep")]}, ["problem"]),
    ({"source": "poll"}, ["polled"]),
    ({"overflows": 1, "vcs_busy": True}, []),
]


@pytest.mark.parametrize(("told", "codes"), CORE_STATES, ids=[next(iter(told)) for told, _ in CORE_STATES])
def test_what_the_core_says_of_itself_is_in_the_status_and_beside_every_answer(
    make: Factory, told: dict[str, Any], codes: list[str]
) -> None:
    with make() as service:
        service.sync(30)
        engine = make.engines[0]
        before = engine.status
        engine.status = lambda: {**before(), **told}  # type: ignore[method-assign]
        assert service.degraded() == codes
        status = service.get_status()
        assert [trouble["code"] for trouble in status["degraded"]] == codes
        notes = ["overflowed", "vcs_busy"] if "overflows" in told else []
        assert [note["code"] for note in status["notes"]] == notes
        assert status["fresh"] is service.sync(30).fresh is ("root_missing" not in codes)


def test_changes_that_wait_and_are_not_committed_are_a_state(make: Factory) -> None:
    clock = ManualClock()
    with make(clock=clock) as service:
        service.sync(30)
        engine = make.engines[0]
        before = engine.status
        engine.status = lambda: {**before(), "pending": 3}  # type: ignore[method-assign]
        assert service.degraded() == []
        clock.advance(61)
        assert service.degraded() == ["stalled"]
        assert service.get_status()["fresh"] is False


def test_a_commit_that_fails_is_beside_every_answer_until_it_succeeds(
    make: Factory, monkeypatch: pytest.MonkeyPatch
) -> None:
    with make() as service:
        service.sync(30)
        commit = service.store.commit
        writer: Any = service._parts.controller.writer  # type: ignore[union-attr]
        note, full = writer._note_failure, threading.Event()

        def noted(reason: str) -> None:
            note(reason)
            full.set()

        def refuse(*_: Any) -> str:
            raise StoreFullError("no space left: free some")

        monkeypatch.setattr(writer, "_note_failure", noted)
        monkeypatch.setattr(service.store, "commit", refuse)
        (make.root / "a.py").write_bytes(b"def later\n")
        make.engines[0].change("a.py")
        assert full.wait(60)
        assert not service.sync(0).fresh
        assert service.degraded() == ["commits_fail"]
        monkeypatch.setattr(service.store, "commit", commit)
        assert service.sync(60).fresh
        assert service.degraded() == []
        assert service.query.find("later", exact=True)
