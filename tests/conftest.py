"""What every test gets: an environment of its own, guards against leaks, and git repositories.

The guards are automatic. A test that leaves a thread or a file descriptor behind fails, by name:
for a program that runs for weeks, that is a bug like any other.
"""

import gc
import os
import random
import signal
import subprocess
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

# A thread that was told to stop gets this long to do so. Only a test that fails waits for it.
JOIN_SECONDS = 5.0

# The seed of tests that try another one each time: one for all processes of a run, which must agree on
# the names of the tests.
os.environ.setdefault("CURRANT_TEST_ANY_SEED", str(random.randrange(1 << 32)))

# Other people's tests, which `test_watch_upstream.py` runs in a copy.
collect_ignore = ["watchfiles_suite"]

# Native threads of the core carry this name; Python does not know of them.
CORE_THREADS = "currant"


def heed_interrupts() -> None:
    """Take the signals of a terminal, and have the programs that tests start take them.

    A shell without job control starts what it puts into the background with these ignored, and that is
    inherited: a program that a test interrupts would never end.
    """
    for number, action in ((signal.SIGINT, signal.default_int_handler), (signal.SIGQUIT, signal.SIG_DFL)):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, action)


heed_interrupts()


def _leave(process: "subprocess.Popen[Any]", kind: type[BaseException] | None, *rest: Any) -> None:
    """As `Popen.__exit__`, which waits for the program for ever, also when the test timed out."""
    if kind is not None:
        process.kill()
    _wait(process, kind, *rest)


_wait = subprocess.Popen.__exit__
subprocess.Popen.__exit__ = _leave  # type: ignore[method-assign]


@pytest.fixture(scope="session")
def _empty_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    (home / "gitconfig").touch()
    return home


@pytest.fixture(autouse=True)
def _environment(_empty_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the user, of git or of Currant reaches a test."""
    isolate(monkeypatch, _empty_home)


def isolate(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    """The environment of every test; a fixture that outlives one test calls this for itself."""
    for name in list(os.environ):
        if name.startswith(("CURRANT_", "GIT_", "XDG_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(home / "gitconfig"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("GIT_TERMINAL_PROMPT", "0")
    # Commits must not depend on the day: their names are part of what a test may compare.
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "A Tester")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "tester@example.org")
        monkeypatch.setenv(f"GIT_{role}_DATE", "2026-01-01T00:00:00+0000")


@pytest.fixture(autouse=True)
def _no_leaks() -> Iterator[None]:
    """Fail a test that leaves threads or file descriptors behind."""
    threads = set(threading.enumerate())
    native = core_threads()
    files = open_files()
    yield
    left = [thread for thread in threading.enumerate() if thread not in threads]
    for thread in left:
        thread.join(JOIN_SECONDS)
    names = sorted(thread.name for thread in left if thread.is_alive())
    # A file object in a reference cycle is the collector's business, not the test's.
    if open_files() - files:
        gc.collect()
    leaks = {
        "threads": names,
        "threads of the core": sorted((core_threads() - native).elements()),
        "open files": sorted((open_files() - files).elements()),
    }
    found = "; ".join(f"{what}: {', '.join(which)}" for what, which in leaks.items() if which)
    if found:
        pytest.fail(f"left behind by this test: {found}", pytrace=False)


def core_threads() -> Counter[str]:
    """Names of the native threads of the core that are alive now; empty where there is no /proc."""
    names: Counter[str] = Counter()
    try:
        tasks = os.listdir("/proc/self/task")
    except FileNotFoundError:
        return names
    for task in tasks:
        try:
            name = Path(f"/proc/self/task/{task}/comm").read_text().strip()
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended meanwhile
        if name.startswith(CORE_THREADS):
            names[name] += 1
    return names


def open_files() -> Counter[str]:
    """What the open file descriptors point at; empty where there is no /proc."""
    targets: Counter[str] = Counter()
    try:
        descriptors = os.listdir("/proc/self/fd")
    except FileNotFoundError:
        return targets
    for descriptor in descriptors:
        try:
            targets[os.readlink(f"/proc/self/fd/{descriptor}")] += 1
        except FileNotFoundError:
            continue  # the listing itself
    return targets


@dataclass
class Tree:
    """A directory that a test fills. Contents may be text or bytes, names `str` or `bytes`."""

    root: Path

    def write(self, files: Mapping[str | bytes, str | bytes] | None = None, /, **more: str | bytes) -> "Tree":
        """Write files, making the directories above them. A name that ends in "/" is a directory."""
        for name, content in {**(files or {}), **more}.items():
            path = self.path(name)
            if os.fsencode(name).endswith(b"/"):
                path.mkdir(parents=True, exist_ok=True)
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return self

    def path(self, name: str | bytes) -> Path:
        """Where a name of this tree is on disk."""
        return self.root / os.fsdecode(name)


@dataclass
class GitRepo(Tree):
    """A git repository that a test builds. `git init` has been done."""

    branch: str = "main"
    _commits: int = field(default=0, init=False)

    def git(self, *arguments: str | bytes) -> bytes:
        """Run git here; its output. Raises `CalledProcessError`, with what git said, when it fails."""
        command = ["git", *arguments]
        try:
            return subprocess.run(
                command, cwd=self.root, check=True, stdin=subprocess.DEVNULL, capture_output=True
            ).stdout
        except subprocess.CalledProcessError as error:
            error.add_note(error.stderr.decode(errors="replace"))
            raise

    def commit(self, message: str | None = None) -> str:
        """Commit everything that is not ignored; the commit's id."""
        self._commits += 1
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", message or f"Commit {self._commits}")
        return self.git("rev-parse", "HEAD").decode().strip()

    def files(self) -> list[bytes]:
        """What git would index: tracked or untracked, not ignored, regular files; sorted bytewise."""
        listed = self.git("ls-files", "-coz", "--exclude-standard").split(b"\0")
        kept = {name for name in listed if name}
        return sorted(name for name in kept if self.path(name).is_file() and not self.path(name).is_symlink())


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """An empty directory to fill."""
    root = tmp_path / "tree"
    root.mkdir()
    return Tree(root)


@pytest.fixture
def make_repo(tmp_path: Path) -> Callable[[str], GitRepo]:
    """Makes git repositories: `make_repo("name")`, below the test's directory."""

    def make(name: str) -> GitRepo:
        root = tmp_path / name
        root.mkdir(parents=True)
        repo = GitRepo(root)
        repo.git("init", "--quiet", f"--initial-branch={repo.branch}")
        return repo

    return make


@pytest.fixture
def git_repo(make_repo: Callable[[str], GitRepo]) -> GitRepo:
    """An empty git repository."""
    return make_repo("repo")
