"""A real file system that is full or read-only: the state directory on a small one of its own.

Each case is a function here that runs in another process, as root of namespaces of its own, so that an
ordinary user can mount; what fails there fails here. Where there are no such namespaces these tests fail.
"""

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import currant
from conftest import Tree
from currant.errors import StoreError, StoreFullError
from store_kit import opened, query, upsert

HERE = Path(__file__).resolve().parent
QUICK = {"monitor.debounce_ms": 5, "monitor.max_delay_ms": 50}


class Small:
    """A tree whose state directory is a file system of `kib`."""

    def __init__(self, root: Path, kib: int) -> None:
        self.tree = Tree(root)
        self.state = root / ".currant"
        self.state.mkdir(mode=0o700)
        self.mount(f"size={kib}k", "-t", "tmpfs", "tmpfs")

    def mount(self, options: str, *words: str) -> None:
        subprocess.run(["mount", "-o", options, *words, os.fspath(self.state)], check=True)

    def resize(self, kib: int) -> None:
        self.mount(f"remount,size={kib}k")

    def fill(self) -> Path:
        """A file that takes all that is left."""
        ballast = self.state / "ballast"
        file = os.open(ballast, os.O_WRONLY | os.O_CREAT)
        with contextlib.suppress(OSError):
            while True:
                os.write(file, b"x" * 4096)
        os.close(file)
        return ballast

    def write(self, count: int, what: str) -> None:
        """Files with many names, a few KiB of index each."""
        for number in range(count):
            names = (f"def {what}_{number}_{other}(): pass\n" for other in range(40))
            self.tree.write({f"{number % 7}/{number}.py": "".join(names)})


def codes(index: currant.Index) -> list[str]:
    return [entry["code"] for entry in index.status()["degraded"]]


# --- the cases, in the other process -----------------------------------------------------------------------


def fills_while_indexing(root: Path) -> None:
    small = Small(root, 350)
    small.write(300, "first")
    with currant.open(root, flags=QUICK) as index:
        service: Any = index.service
        reached = service.sync(1.0)
        while "commits_fail" not in codes(index):
            assert not reached.fresh
            reached = service.sync(1.0)
        [trouble] = [entry for entry in index.status()["degraded"] if entry["code"] == "commits_fail"]
        assert "no space left" in trouble["what"]
        assert "free disk space" in trouble["fix"]
        held = index.files(sync_ms=-1)  # what is there can be asked
        assert held == sorted(held)
        assert index.find("first_1_1", sync_ms=200) is not None
        assert not index.last.fresh
        assert "commits_fail" in index.last.degraded
        small.resize(40_000)
        index.sync(60)
        assert index.verify().ok
        assert len(index.files()) == 300
        assert codes(index) == []
    with currant.open(root, live=False) as index:
        assert index.service is not None
        assert index.service.store.opened.how == "existing"
        index.sync()
        assert index.verify().ok


def full_at_the_start(root: Path) -> None:
    small = Small(root, 200)
    small.write(3, "first")
    for room in (0, 8, 40):  # no room for the lock, the empty file, the tables
        ballast = small.fill()
        os.truncate(ballast, ballast.stat().st_size - room * 1024)
        command = [sys.executable, "-m", "currant", "index", "--root", os.fspath(root)]
        told = subprocess.run(command, capture_output=True, text=True, check=False)
        assert told.returncode == StoreError.exit_code, told
        assert "o space left" in told.stderr, told
        assert "Traceback" not in told.stderr
        ballast.unlink()
    small.resize(20_000)
    with currant.open(root) as index:
        index.sync()
        assert index.verify().ok
        assert codes(index) == []


def full_while_the_log_is_moved(root: Path) -> None:
    small = Small(root, 700)
    with opened(small.state) as store:
        store._writer.pragma("wal_autocheckpoint", 30)
        done: list[bytes] = []

        def commit() -> None:
            for number in range(2_000):
                names = tuple(f"name{number}of{other}" for other in range(40))
                store.commit([upsert(b"%d" % number, number, names=names)], 1.0)
                done.append(b"%d" % number)

        with pytest.raises(StoreFullError, match="free some"):
            commit()
        expected = sorted(done)
        assert len(expected) > 5
        assert query(store).files() == expected
    # Closing could not move the log into the index; the next start does.
    with opened(small.state) as store:
        assert store.opened.how == "existing"
        assert query(store).files() == expected
        small.resize(40_000)
        store.commit([upsert(b"more", "more")], 2.0)
    with opened(small.state) as store:
        assert query(store).files() == sorted([*expected, b"more"])
        assert store._writer.execute("PRAGMA integrity_check").get == "ok"


def lost_on_a_full_disk(root: Path) -> None:
    small = Small(root, 4_000)
    small.write(30, "first")
    with currant.open(root, flags=QUICK) as index:
        service: Any = index.service
        index.sync()
        for name in ("index.db", "index.db-wal", "index.db-shm"):
            os.open(
                small.state / name, os.O_RDONLY
            )  # keeps the space; never closed, for the sake of the locks
        os.unlink(small.state / "index.db")
        ballast = small.fill()
        while not (lost := [entry for entry in index.status()["degraded"] if "failed" in entry["what"]]):
            assert not service.sync(0.2).fresh
        assert lost[0]["code"] == "index_lost"
        assert "pace left" in lost[0]["what"]
        assert not index.status()["fresh"]
        ballast.unlink()
        index.sync(30)
        assert index.verify().ok
        assert codes(index) == ["index_rebuilt"]


def read_only(root: Path) -> None:
    small = Small(root, 4_000)
    small.write(3, "first")
    with currant.open(root) as index:
        index.sync()
    small.mount("remount,ro")
    command = [sys.executable, "-m", "currant"]
    for arguments in (["index", "--root", os.fspath(root)], ["find", "first", "--root", os.fspath(root)]):
        told = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)
        assert told.returncode == StoreError.exit_code, told
        assert "ead-only file system" in told.stderr, told
        assert "--state-dir" in told.stderr, told
        assert "Traceback" not in told.stderr
    small.mount("remount,rw")
    with currant.open(root) as index:
        assert index.service is not None
        assert index.service.store.opened.how == "existing"
        index.sync()
        assert index.verify().ok


CASES: list[Callable[[Path], None]] = [
    fills_while_indexing,
    full_at_the_start,
    full_while_the_log_is_moved,
    lost_on_a_full_disk,
    read_only,
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_a_disk_without_room_costs_no_change(case: Callable[[Path], None], tree: Tree) -> None:
    body = "import sys, pathlib, test_full_disk as cases; "
    body += f"cases.{case.__name__}(pathlib.Path(sys.argv[1]))"
    command = ["unshare", "--user", "--map-root-user", "--mount", sys.executable, "-c", body, str(tree.root)]
    paths = os.pathsep.join([os.fspath(HERE), *sys.path])
    told = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": paths}
    )
    assert told.returncode == 0, told.stderr
