"""End to end: in a state that is worse than perfect every answer says so, and none claims to be fresh that is
not."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import currant
from conftest import Tree
from currant import doctor
from currant.cli import run
from currant.errors import RootMissingError, UsageError
from currant.model import Failure
from watcher import Watcher

QUICK = {"monitor.debounce_ms": 5, "monitor.max_delay_ms": 50}


def codes(index: currant.Index) -> list[str]:
    """What the status says."""
    return [trouble["code"] for trouble in index.status()["degraded"]]


def test_without_its_root_no_answer_is_fresh_and_each_says_why(tree: Tree, tmp_path: Path) -> None:
    tree.write({"a.py": "def here(): pass\n"})
    flags = {**QUICK, "state_dir": str(tmp_path / "state")}
    with currant.open(tree.root, flags=flags) as index:
        index.sync()
        assert index.last.degraded == []
        shutil.rmtree(tree.root)
        assert index.files() == []
        assert not index.last.fresh
        assert index.last.degraded == ["root_missing"]
        assert codes(index) == ["root_missing"]
        assert index.status()["fresh"] is False
        with pytest.raises(RootMissingError, match="put it back"):
            index.sync()
        tree.root.mkdir()
        tree.write({"b.py": "def back(): pass\n"})
        index.sync()
        assert index.files() == ["b.py"]
        assert (index.last.fresh, index.last.degraded) == (True, [])


def test_a_renamed_root_is_told_by_the_watcher_that_still_has_it(
    tree: Tree, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tree.write({"a.py": "def here(): pass\n"})
    with Watcher(tree.root) as watcher:
        watcher.ready()
        tree.root.rename(tmp_path / "elsewhere")
        command = ["--root", str(tmp_path / "elsewhere")]
        assert run(["find", "here", *command]) == 0
        told = capsys.readouterr().err
        assert "NOT fresh" in told
        assert "degraded: root_missing" in told
        assert run(["files", "--json", *command]) == 0
        answer = json.loads(capsys.readouterr().out)
        assert (answer["fresh"], answer["degraded"]) == (False, ["root_missing"])
        assert run(["sync", *command]) == 5
        assert f"the root {tree.root} is not there" in capsys.readouterr().err


def test_an_index_file_that_was_removed_is_noticed(tree: Tree) -> None:
    tree.write({"a.py": "def here(): pass\n"})
    with currant.open(tree.root, flags=QUICK) as index:
        index.sync()
        tree.path(".currant/index.db").unlink()
        assert index.files() == ["a.py"]
        assert index.last.fresh
        assert index.last.degraded == ["index_rebuilt"]


def test_a_watch_limit_is_in_every_answer(tree: Tree) -> None:
    tree.write({f"d{number}/a.py": "def here(): pass\n" for number in range(6)})
    with currant.open(tree.root, flags={**QUICK, "monitor.max_watches": 3}) as index:
        index.sync()
        assert index.last.degraded == ["unwatched"]
        index.find("here")
        assert (index.last.fresh, index.last.degraded) == (True, ["unwatched"])


def test_a_file_that_failed_and_a_worker_that_died_are_in_every_answer(tree: Tree) -> None:
    tree.write({"a.py": "def here(): pass\n", "b.py": ""})
    with currant.open(tree.root, flags=QUICK) as index:
        index.sync()
        service: Any = index.service
        service.store.commit([Failure(b"a.py", None, "it cannot be read", 1, None, "test")], 1.0)
        assert (index.files(), index.last.degraded) == (["a.py", "b.py"], ["failed_files"])
        service.status_reporter.count_worker_death()
        assert (index.files(), index.last.degraded) == (["a.py", "b.py"], ["failed_files", "workers_died"])


NO_INSTANCE = """
echo 0 > /proc/sys/user/max_inotify_instances || exit 3
exec "$@"
"""
ASK = """
import sys, currant
with currant.open(sys.argv[1]) as index:
    index.sync(60)
    print(index.status()["engine"]["source"], *index.last.degraded)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="inotify")
def test_polling_for_want_of_an_inotify_instance_is_in_every_answer(tree: Tree) -> None:
    tree.write({"a.py": "def here(): pass\n"})
    ask = [sys.executable, "-c", ASK, str(tree.root)]
    command = ["unshare", "--user", "--map-root-user", "sh", "-c", NO_INSTANCE, "sh", *ask]
    found = subprocess.run(command, capture_output=True, text=True, check=False, env=dict(os.environ))
    assert (found.stdout, found.returncode) == ("poll polled\n", 0), found.stderr


def test_an_owner_of_another_root_is_not_asked(
    tree: Tree, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two roots with one state directory: the answers would be about the other one."""
    tree.write({"a.py": "def here(): pass\n"})
    (tmp_path / "other").mkdir()
    state = ["--state-dir", str(tmp_path / "state")]
    with Watcher(tree.root, f"state_dir={tmp_path / 'state'}") as watcher:
        watcher.ready()
        assert run(["files", "--root", str(tree.root), *state]) == 0
        assert capsys.readouterr().out == "a.py\n"
        for command in ("files", "status", "sync"):
            assert run([command, "--root", str(tmp_path / "other"), *state]) == 2
            told = capsys.readouterr()
            assert told.out == ""
            assert f"process {watcher.process.pid} keeps the index of {tree.root}" in told.err
        with pytest.raises(UsageError, match="state directory of its own"):
            currant.open(tmp_path / "other", flags={"state_dir": str(tmp_path / "state")})


def test_the_doctor_lists_what_the_owner_says_of_itself(tree: Tree) -> None:
    tree.write({f"d{number}/a.py": "" for number in range(6)})
    with currant.open(tree.root, flags={**QUICK, "monitor.max_watches": 3}) as index:
        index.sync()
        found = {check.name: check for check in doctor.owner(index.state_dir)}
    assert "monitor.max_watches" in found["degraded, unwatched"].fix
