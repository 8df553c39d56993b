"""What the command line says when it cannot do what it was told: one line and the status in docs/cli.md, as a
real process with real pipes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import apsw
import pytest

from conftest import Tree
from currant import cli
from currant.cli import run


def currant(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "currant", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True)


def one_line(done: subprocess.CompletedProcess[str], status: int, *words: str) -> None:
    assert done.returncode == status, done
    assert done.stdout == ""
    [line] = done.stderr.splitlines()
    assert line.startswith("currant: ")
    assert all(word in line for word in words), line


def test_a_state_directory_that_cannot_be_made(tree: Tree) -> None:
    tree.write({"file": ""})
    done = currant("index", "--state-dir", "file/state", cwd=tree.root)
    one_line(done, 6, "file/state", "Not a directory", "--state-dir")


@pytest.mark.parametrize("command", ["index", "plan", "files", "watch"])
def test_a_root_that_may_not_be_read(
    tree: Tree, command: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    tree.write({"closed/": ""})
    # Tests may run as root, to whom nothing is forbidden.
    monkeypatch.setattr(os, "access", lambda path, _mode: os.path.basename(path) != "closed")
    monkeypatch.chdir(tree.root)
    assert run([command, "--root", "closed"]) == 2
    assert capfd.readouterr().err.endswith("closed may not be read by this user\n")


def test_a_source_that_nobody_knows(tree: Tree) -> None:
    done = currant("watch", "--set", "monitor.source=fanotify", cwd=tree.root)
    assert done.returncode == 2
    assert "monitor.source" in done.stderr
    assert "inotify" in done.stderr, "it says what can be chosen"
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("option", [[], ["-0"], ["--json"]])
def test_a_reader_that_went_away_is_status_141(tree: Tree, option: list[str]) -> None:
    tree.write({"file": ""})
    assert currant("index", cwd=tree.root).returncode == 0
    command = [sys.executable, "-m", "currant", "files", *option]
    with subprocess.Popen(command, cwd=tree.root, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        child.stdout.close()
        assert child.stderr.read() == b""
    assert child.returncode == 141


def test_status_names_what_failed_also_without_a_watcher(tree: Tree) -> None:
    tree.write({"good.py": "x = 1\n"})
    assert currant("index", cwd=tree.root).returncode == 0
    database = apsw.Connection(os.fspath(tree.root / ".currant/index.db"))
    database.execute("UPDATE files SET state = 'failed', reason = 'for a test', result_id = NULL")
    database.close()
    (tree.root / ".currant/index.seal").unlink()  # or the next start would know that it was changed
    done = currant("status", cwd=tree.root)
    assert "failed: good.py: for a test" in done.stdout, done
    told = json.loads(currant("status", "--json", cwd=tree.root).stdout)
    [[path, _at, reason]] = told["stats"]["recent_failures"]
    assert (path, reason) == ("good.py", "for a test")


def test_a_fault_is_status_70_and_says_so(
    tree: Tree, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("for a test")

    monkeypatch.setattr(cli.cli, "main", broken)
    assert run(["status", "--json"]) == 70
    told = capfd.readouterr()
    assert json.loads(told.out)["error"]["exit_code"] == 70
    assert "ZeroDivisionError" in told.err
    assert "fault in Currant" in told.err
