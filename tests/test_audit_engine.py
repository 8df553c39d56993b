"""The audit beside the real engine: what no notification can tell is found, what one tells is left to it."""

import json
import mmap
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import GitRepo
from currant import errors
from currant.cli import run
from currant.config import MonitorSettings, Settings
from currant.model import Remove
from currant.service import Service
from oracle import Storm, git_files
from watcher import Watcher

QUICK = Settings(monitor=MonitorSettings(debounce_ms=5, max_delay_ms=50, audit_interval_s=0))


@pytest.fixture
def service(git_repo: GitRepo) -> Iterator[Service]:
    git_repo.write(
        {
            ".gitignore": "hidden/\n*.o\n",
            "a.py": "def a(): pass\n",
            "d/b.py": "def b(): pass\n",
            "hidden/": "",
        }
    )
    with Service(git_repo.root, QUICK) as service:
        assert service.sync(30).fresh
        yield service


def test_a_write_through_a_hard_link_that_is_ignored(service: Service, git_repo: GitRepo) -> None:
    """The kernel names the directory through which was written, and that one is not watched."""
    os.link(git_repo.path("a.py"), git_repo.path("hidden/link.py"))
    assert service.sync(30).fresh
    with open(git_repo.path("hidden/link.py"), "a") as file:
        file.write("def appended(): pass\n")
    assert service.sync(30).fresh
    assert service.query.find("appended", exact=True) == []  # nobody was told: this is what the audit is for
    run = service.audit()
    assert [(found.path, found.kind, found.repaired) for found in run.drift] == [("a.py", "stale", True)]
    assert run.drift[0].cause.startswith("hard link")
    assert service.query.find("appended", exact=True)
    assert service.degraded() == ["drift"]


def test_a_store_through_a_memory_map_that_stays_open(service: Service, git_repo: GitRepo) -> None:
    with open(git_repo.path("d/b.py"), "r+b") as file, mmap.mmap(file.fileno(), 0) as memory:
        memory[4:5] = b"z"
        assert service.sync(30).fresh
        assert service.query.find("z", exact=True) == []
        [found] = service.audit().drift
        assert (found.path, found.kind, found.repaired) == ("d/b.py", "stale", True)
        assert "memory map" in found.cause
        assert service.query.find("z", exact=True)


def test_a_row_that_was_lost_behind_the_engine_s_back(service: Service) -> None:
    service.store.commit([Remove(b"d/b.py", "test")], 1.0)
    [found] = service.audit().drift
    assert (found.path, found.kind, found.repaired) == ("d/b.py", "missing", True)
    assert service.query.files() == [b".gitignore", b"a.py", b"d/b.py"]


def test_what_the_rules_ignore_is_no_drift(service: Service, git_repo: GitRepo) -> None:
    git_repo.write({"x.o": "object", "hidden/deep/y.py": "def y(): pass\n", "d/z.o": "", "empty/": ""})
    assert service.sync(30).fresh
    for whole in (False, True):
        assert service.audit(whole=whole).drift == []
    assert service.query.files() == [b".gitignore", b"a.py", b"d/b.py"]


def test_an_edit_that_was_just_made_is_no_drift(service: Service, git_repo: GitRepo) -> None:
    for number in range(30):
        git_repo.write({"a.py": f"def a{number}(): pass\n", f"d/n{number}.py": ""})
        if number > 3:
            git_repo.path(f"d/n{number - 2}.py").unlink()
        assert service.audit().drift == []


@pytest.mark.parametrize("large", [False, True], ids=["whole", "sample"])
def test_a_storm_leaves_nothing_for_the_audit_to_find(git_repo: GitRepo, large: bool) -> None:
    """Runs while it blows repair what they take for drift, harmlessly; after it there is nothing to find."""
    files = 20 if large else 2_000
    monitor = MonitorSettings(debounce_ms=5, max_delay_ms=50, audit_interval_s=0, audit_files=files)
    storm = Storm(git_repo.root, 11, links=False)
    storm.blow(300)
    with Service(git_repo.root, Settings(monitor=monitor)) as service:
        assert service.sync(60).fresh
        blowing = threading.Thread(target=storm.blow, args=(600,))
        blowing.start()
        try:
            while blowing.is_alive():
                service.audit()
        finally:
            blowing.join()
        assert service.sync(60).fresh
        assert (service.audit(whole=True).drift, storm.log[-50:]) == ([], storm.log[-50:])
        assert service.query.files() == git_files(git_repo.root)


def test_the_command_asks_the_watcher_and_its_exit_status_says_what_was_found(
    git_repo: GitRepo, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    git_repo.write({".gitignore": "hidden/\n", "a.py": "def a(): pass\n", "hidden/": ""})
    os.link(git_repo.path("a.py"), git_repo.path("hidden/a.py"))
    monkeypatch.chdir(git_repo.root)
    with Watcher(git_repo.root) as watcher:
        watcher.ready()
        assert run(["audit"]) == 0
        git_repo.path("hidden/a.py").write_text("def other(): pass\n")
        assert run(["audit", "--json"]) == 1
        told = json.loads(capsys.readouterr().out.splitlines()[-1])
        assert [found["path"] for found in told["drift"]] == ["a.py"]
        assert (told["settled"], told["degraded"]) == (True, ["drift"])
        assert run(["find", "other"]) == 0
        assert "degraded: drift" in capsys.readouterr().err
        assert run(["audit", "--acknowledge"]) == 0
        assert run(["find", "other"]) == 0
        assert "degraded" not in capsys.readouterr().err
        watcher.kill()
    # What was found is remembered, and the command works without a watcher too.
    assert run(["status", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["audit"]["drift_found_total"] == 1
    assert run(["audit", "--all"]) == 0
    assert "0 drifted" in capsys.readouterr().out


def test_without_an_index_there_is_nothing_to_audit(tmp_path: Path) -> None:
    assert run(["audit", "--root", str(tmp_path)]) == errors.NoIndexError.exit_code
