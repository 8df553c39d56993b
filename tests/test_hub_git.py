"""git as the service runs it, against real repositories and servers."""

import base64
import http.server
import os
import select
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from conftest import GitRepo
from currant.clock import SystemClock
from currant.errors import GitError
from currant.hub.git import Git
from currant.hub.source import parse_url


def git(tmp_path: Path, **more: Any) -> Git:
    more.setdefault("stall_s", 60.0)
    return Git(tmp_path / "turn", clock=SystemClock(), **more)


class _Files(http.server.SimpleHTTPRequestHandler):
    """Serves files, to whoever knows the password; remembers what it was shown."""

    password: str | None = None
    shown: list[str]
    elsewhere: str | None = None

    def do_GET(self) -> None:
        self.shown.append(self.headers.get("Authorization", ""))
        if self.elsewhere is not None:
            self.send_response(302)
            self.send_header("Location", self.elsewhere + self.path)
            self.end_headers()
            return
        wanted = "Basic " + base64.b64encode(f"me:{self.password}".encode()).decode()
        if self.password is not None and self.shown[-1] != wanted:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="a"')
            self.end_headers()
            return
        super().do_GET()

    def log_message(self, *_arguments: object) -> None:
        pass


@contextmanager
def served(
    directory: Path, *, secret: str | None = None, sent_to: str | None = None
) -> Iterator[tuple[str, list[str]]]:
    """A server of the files in a directory: (address without scheme, credentials that it was shown)."""
    seen: list[str] = []

    class Handler(_Files):
        password = secret
        shown = seen
        elsewhere = sent_to

    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), partial(Handler, directory=os.fspath(directory))
    )
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}", seen
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def origin(make_repo: Callable[[str], GitRepo]) -> GitRepo:
    repo = make_repo("served/origin")
    repo.write({f"f{number}.py": f"def f{number}(): pass\n" for number in range(50)})
    repo.commit()
    repo.write({"a.py": "x = 1\n"}).commit()
    repo.git("update-server-info")
    return repo


def test_a_clone_tells_how_far_it_is(tmp_path: Path, origin: GitRepo) -> None:
    told: list[tuple[float, str]] = []
    it = git(tmp_path, told=lambda share, message: told.append((share, message)))
    head = it.clone(parse_url(origin.root.as_uri()), tmp_path / "clone", depth=1)
    assert head == origin.git("rev-parse", "HEAD").decode().strip()
    assert (tmp_path / "clone" / "a.py").exists()
    assert subprocess.check_output(["git", "-C", tmp_path / "clone", "rev-list", "--count", "HEAD"]) == b"1\n"
    assert told
    assert [share for share, _ in told] == sorted(share for share, _ in told)
    assert any(message.startswith("Receiving objects: 100%") for _, message in told)


def test_a_server_of_plain_files_is_cloned_whole(tmp_path: Path, origin: GitRepo) -> None:
    """The dumb protocol cannot cut history; the depth is given up, not the clone."""
    with served(origin.root) as (address, _shown):
        url = parse_url(f"http://{address}/.git")
        it = git(tmp_path)
        it.clone(url, tmp_path / "clone", depth=1)
        origin.write({"b.py": "y = 1\n"})
        head = origin.commit()
        origin.git("update-server-info")
        assert it.update(tmp_path / "clone", url, depth=1)[1] == head


def test_a_password_gets_in_and_nowhere_else(tmp_path: Path, origin: GitRepo) -> None:
    with served(origin.root, secret="S3cr3t") as (address, shown):
        url = parse_url(f"http://me:S3cr3t@{address}/.git")
        git(tmp_path).clone(url, tmp_path / "clone")
        assert any(shown)
        kept = [path for path in (tmp_path / "clone").rglob("*") if path.is_file()]
        assert not [path for path in kept if b"S3cr3t" in path.read_bytes()]
        with pytest.raises(GitError) as refused:
            git(tmp_path).clone(parse_url(f"http://me:wrong@{address}/.git"), tmp_path / "other")
        assert "wrong" not in str(refused.value)
        assert not (tmp_path / "other").exists()
        with pytest.raises(GitError, match="git clone failed"):  # and nobody is asked
            git(tmp_path).clone(parse_url(f"http://{address}/.git"), tmp_path / "other")


def test_a_password_is_for_one_server_alone(tmp_path: Path, origin: GitRepo) -> None:
    with (
        served(origin.root, secret="S3cr3t") as (elsewhere, shown),
        served(origin.root, sent_to=f"http://{elsewhere}") as (address, _),
        pytest.raises(GitError),
    ):
        git(tmp_path).clone(parse_url(f"http://me:S3cr3t@{address}/.git"), tmp_path / "clone")
    assert shown
    assert not any(shown)


def test_hooks_and_templates_of_nobody_run(
    tmp_path: Path, origin: GitRepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in ("template", "hooks"):
        hook = tmp_path / place / ("hooks" if place == "template" else "") / "post-checkout"
        hook.parent.mkdir(parents=True, exist_ok=True)
        hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
        hook.chmod(0o755)
    monkeypatch.setenv("GIT_TEMPLATE_DIR", str(tmp_path / "template"))
    config = tmp_path / "gitconfig"
    config.write_text(
        f"[core]\n\thooksPath = {tmp_path}/hooks\n[init]\n\ttemplateDir = {tmp_path}/template\n"
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    url = parse_url(origin.root.as_uri())
    git(tmp_path).clone(url, tmp_path / "clone")
    origin.write({"b.py": "y = 1\n"}).commit()
    git(tmp_path).update(tmp_path / "clone", url)
    assert (tmp_path / "clone" / "b.py").exists()
    assert not (tmp_path / "ran").exists()


class _Enough(Exception):
    pass


def _mute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A git that says nothing, has a child that ignores SIGTERM, and writes down both numbers."""
    program = tmp_path / "bin" / "git"
    program.parent.mkdir()
    pids = tmp_path / "pids"
    program.write_text(
        f"#!/bin/sh\n(trap '' TERM; sleep 600) &\necho $$ $! > {pids}.new\nmv {pids}.new {pids}\nwait\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    return pids


def _gone(pids: Path) -> bool:
    """Whether every process of the file ends: what was killed takes a moment to die."""
    for pid in pids.read_text().split():
        with suppress(ProcessLookupError):
            handle = os.pidfd_open(int(pid))
            try:
                if not select.select([handle], [], [], 30)[0]:
                    return False
            finally:
                os.close(handle)
    return True


def test_a_git_that_is_not_wanted_any_more_goes_with_its_children(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pids = _mute(tmp_path, monkeypatch)

    def check() -> None:
        if pids.exists():
            raise _Enough

    with pytest.raises(_Enough):
        git(tmp_path, check=check).clone(parse_url("file:///nowhere"), tmp_path / "clone")
    assert _gone(pids)


def test_a_git_that_says_nothing_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pids = _mute(tmp_path, monkeypatch)
    with pytest.raises(GitError, match=r"said nothing for 0\.5 s"):
        git(tmp_path, stall_s=0.5).clone(parse_url("file:///nowhere"), tmp_path / "clone")
    assert _gone(pids)


def test_a_git_that_outlived_its_service_is_ended_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its lock is held by the process, not by whoever started it."""
    pids = _mute(tmp_path, monkeypatch)
    seen = threading.Event()

    def check() -> None:
        if pids.exists():
            seen.set()

    first = git(tmp_path, check=check)
    ended: list[BaseException] = []

    def work() -> None:
        try:
            with first.turn():
                first.clone(parse_url("file:///nowhere"), tmp_path / "clone")
        except BaseException as error:
            ended.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        assert seen.wait(30)
        os.close(first._fd)  # as the end of the service would
        first._fd = os.open(tmp_path / "other", os.O_CREAT | os.O_RDWR)
        with pytest.raises(BlockingIOError), git(tmp_path).turn():
            pass
        assert _gone(pids)  # it was told to end
    finally:
        with suppress(ProcessLookupError):
            os.killpg(int(pids.read_text().split()[0]), signal.SIGKILL)
        thread.join()
    with git(tmp_path).turn():
        pass


def test_what_a_killed_git_left_is_no_hindrance(tmp_path: Path, origin: GitRepo) -> None:
    url = parse_url(origin.root.as_uri())
    it = git(tmp_path)
    it.clone(url, tmp_path / "clone", depth=1)
    for name in ("index.lock", "shallow.lock", "HEAD.lock", "refs/remotes/origin/currant.lock"):
        (tmp_path / "clone" / ".git" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "clone" / ".git" / name).touch()
    origin.write({"b.py": "y = 1\n"})
    head = origin.commit()
    with it.turn():
        assert it.update(tmp_path / "clone", url, depth=1)[1] == head


def test_a_default_branch_that_is_renamed_is_followed(tmp_path: Path, origin: GitRepo) -> None:
    url = parse_url(origin.root.as_uri())
    it = git(tmp_path)
    it.clone(url, tmp_path / "clone", depth=1)
    origin.git("branch", "-m", "main", "trunk")
    origin.write({"b.py": "y = 1\n"})
    head = origin.commit()
    assert it.update(tmp_path / "clone", url, depth=1)[1] == head
    assert it.head(tmp_path / "clone") == head


def test_an_empty_repository_is_one_too(tmp_path: Path, make_repo: Callable[[str], GitRepo]) -> None:
    empty = make_repo("empty")
    url = parse_url(empty.root.as_uri())
    it = git(tmp_path)
    assert it.clone(url, tmp_path / "clone", depth=1) == ""
    assert it.update(tmp_path / "clone", url, depth=1) == ("", "")
    empty.write({"a.py": "x = 1\n"})
    head = empty.commit()
    assert it.update(tmp_path / "clone", url, depth=1) == ("", head)
    assert (tmp_path / "clone" / "a.py").exists()
