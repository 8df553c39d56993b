"""`currant serve` as a user runs it: one process, one lock, signals, what it says and leaves behind."""

import errno
import json
import os
import re
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from conftest import Tree
from currant.errors import StoreError, StoreFullError
from currant.hub import Home
from currant.hub.lifecycle import Nobody, Signals
from currant.lock import RootLock

PATIENCE = 60


def currant(*arguments: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
    """A command to its end."""
    done = subprocess.run(
        [sys.executable, "-m", "currant", *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert not check or done.returncode == 0, done.stderr
    return done


def told(*arguments: str) -> Any:
    return json.loads(currant(*arguments, "--json").stdout)


@contextmanager
def serving(*arguments: str) -> Iterator["subprocess.Popen[str]"]:
    """A service that has said where it listens; ended if the test did not."""
    process = subprocess.Popen(
        [sys.executable, "-m", "currant", "serve", "--port", "0", "--json", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line, process.stderr.read() if process.stderr else ""
            yield process
        finally:
            if process.poll() is None:
                process.kill()


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_cleanly(tmp_path: Path, tree: Tree, number: signal.Signals) -> None:
    tree.write({"a.py": "x = 1\n"})
    assert told("project", "add", str(tree.root))["served_by"] is None
    home = Home(tmp_path / "state" / "currant")
    with serving() as process:
        assert told("project", "list")["served_by"] == process.pid
        at = home.running()
        assert at is not None
        assert at.pid == process.pid
        second = currant("serve", check=False)
        assert second.returncode == 4
        assert f"process {process.pid} serves" in second.stderr
        process.send_signal(number)
        assert process.wait(PATIENCE) == 0
    assert home.running() is None
    assert home.served_by() is None
    assert stat.S_IMODE(home.path.stat().st_mode) == 0o700
    for file in home.path.iterdir():
        if file.is_file() and file.name != ".gitignore":
            assert stat.S_IMODE(file.stat().st_mode) == 0o600, file


def test_commands_work_without_a_service(tree: Tree) -> None:
    added = told("project", "add", str(tree.root), "--name", "mine")["project"]
    assert [one["name"] for one in told("project", "list")["projects"]] == ["mine"]
    assert told("project", "refresh", "mine")["created"]
    again = currant("project", "add", str(tree.root), check=False)
    assert again.returncode == 2
    assert "'mine'" in again.stderr
    assert told("project", "remove", added["id"])["project"]["state"] == "removing"
    assert told("project", "list")["projects"] == []
    assert currant("project", "remove", "mine", check=False).returncode == 2


def test_a_password_is_nowhere_to_be_seen(tmp_path: Path) -> None:
    done = currant("project", "add", "https://me:S3cr3t@127.0.0.1:9/app.git")
    listed = currant("project", "list", "--json")
    assert "S3cr3t" not in done.stdout + done.stderr + listed.stdout + listed.stderr
    refused = currant("project", "add", "ftp://me:S3cr3t@127.0.0.1:9/app.git", check=False)
    assert refused.returncode == 2
    assert "S3cr3t" not in refused.stdout + refused.stderr


def test_a_port_that_is_taken_is_said_before_anything_runs(tmp_path: Path) -> None:
    from currant.errors import UsageError
    from currant.hub.lifecycle import listen

    with listen(0) as first:
        port = first.getsockname()[1]
        with pytest.raises(UsageError, match="another port"):
            listen(port)


def test_the_token_is_made_once(tmp_path: Path) -> None:
    home = Home(tmp_path / "state" / "currant")
    home.prepare()
    token = home.token()
    assert len(token) >= 32
    assert Home(home.path).token() == token
    assert stat.S_IMODE((home.path / "token").stat().st_mode) == 0o600
    assert [name for name in os.listdir(home.path) if name.startswith("token")] == ["token"]
    (home.path / "token").write_text("")  # somebody emptied it: no token is not a token
    assert len(home.token()) >= 32


@pytest.mark.parametrize("content", [b"\xdf\x00\x93\n", b"a b\n", b"one\ntwo\n"])
def test_a_file_that_holds_no_token_is_named(tmp_path: Path, content: bytes) -> None:
    home = Home(tmp_path / "currant")
    home.prepare()
    (home.path / "token").write_bytes(content)
    with pytest.raises(StoreError, match="token holds no token: remove it"):
        home.token()
    (home.path / "token").unlink()
    (home.path / "token").mkdir()
    with pytest.raises(StoreError, match="cannot be used"):
        home.token()


@pytest.mark.parametrize(("number", "error"), [(errno.EROFS, StoreError), (errno.ENOSPC, StoreFullError)])
def test_a_home_that_takes_nothing_is_no_fault_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, error: type[StoreError]
) -> None:
    home = Home(tmp_path / "currant")
    home.prepare()

    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number), str(home.path / "serve.lock"))

    monkeypatch.setattr(RootLock, "acquire", refuse)
    with pytest.raises(error, match=re.escape(str(home.path))):
        home.acquire()
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="--home"):
        Home(tmp_path / "file").prepare()


class _Hub:
    """What `Signals` needs of a hub."""

    def __init__(self, stop: Callable[[], None], hurry: Callable[[], None]) -> None:
        self.calls: list[str] = []
        self._stop = stop
        self._hurry = hurry

    def stop_jobs(self) -> None:
        self.calls.append("stop_jobs")
        self._stop()

    def second_signal(self) -> None:
        self.calls.append("second_signal")
        self._hurry()


def test_the_second_signal_hands_back_and_leaves() -> None:

    left: list[int] = []
    handed_back: list[int] = []
    gone, stopping, hurried = threading.Event(), threading.Event(), threading.Event()

    def leave(status: int) -> None:
        left.append(status)
        gone.set()

    def stop() -> None:
        stopping.set()
        hurried.wait(PATIENCE)
        handed_back.append(len(left))

    hub, face = _Hub(stop, hurried.set), Nobody()
    signals = Signals(hub, leave=leave)  # type: ignore[arg-type]
    with signals.installed():
        signals.up(face)
        signals.handle(signal.SIGTERM)
        assert stopping.wait(PATIENCE)
        signals.handle(signal.SIGINT)
        assert gone.wait(PATIENCE)
        face.serve()
    assert left == [128 + signal.SIGTERM]
    assert hub.calls == ["stop_jobs", "second_signal"]
    assert handed_back == [0]  # before it left


def test_an_idle_service_does_not_hold_what_nobody_asked_for(tmp_path: Path) -> None:
    """The SDK of MCP, the web framework and rich are 55 MB of the 100 that it may have with a large index."""
    code = """if True:
        import signal, sys, threading
        from currant.cli.serve import serve

        web = "fastapi starlette pydantic uvicorn prometheus_client watchfiles"
        absent = {*"mcp rich greenlet".split(), *web.split()}

        def told(line, **_more):
            if line.startswith("serving"):
                found.append(", ".join(absent & sys.modules.keys()))
                signal.raise_signal(signal.SIGTERM)

        found = []
        sys.modules["currant.cli.serve"].echo = told
        serve.main(["--port", "0", "--home", sys.argv[1]], standalone_mode=False)
        sys.exit(found != [""] and repr(found) or 0)
    """
    command = [sys.executable, "-c", code, str(tmp_path / "home")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_second_signal_ends_it_and_nothing_is_lost(
    tmp_path: Path, tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job that does not end, deadlines that nobody has the patience for."""
    program, pids = tmp_path / "bin" / "git", tmp_path / "pids"
    program.parent.mkdir()
    program.write_text(
        f"#!/bin/sh\ntrap '' TERM\necho $$ > {pids}.new\nmv {pids}.new {pids}\nexec sleep 600\n"
    )
    program.chmod(0o755)
    with monkeypatch.context() as slow:
        slow.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
        patient = ("--set", "serve.hard_stop_s=600", "--set", "serve.soft_stop_s=600")
        with serving(*patient, "--set", "jobs.poll_ms=20") as process:
            job = told("project", "add", "file:///srv/endless")["job_id"]
            pause = threading.Event()
            while not pids.exists():
                pause.wait(0.05)
            # Two different ones: the kernel makes one of two that are the same and not yet heard.
            process.send_signal(signal.SIGTERM)
            process.send_signal(signal.SIGINT)
            assert process.wait(PATIENCE) in (128 + signal.SIGTERM, 128 + signal.SIGINT)
    [left] = told("jobs", "list")["jobs"]
    assert (left["id"], left["status"], left["attempt"]) == (job, "pending", 0)
    # The git that it left does not hold up the next one, which fails for a reason of its own.
    with serving("--set", "jobs.poll_ms=20", "--set", "jobs.backoff_base_s=0.01") as process:
        while told("jobs", "show", job)["job"]["status"] != "failed":
            pause.wait(0.05)
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
    assert not Path(f"/proc/{pids.read_text().strip()}").exists()
