"""The files of an index are removed, replaced, cut or written to while a process owns it: the owner notices
by itself, says so, makes the index anew from the files, and nothing is called fresh before it is."""

import os
import shutil
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

import currant
from conftest import GitRepo
from currant.errors import LockedError, StoreError
from currant.ipc.client import Client
from currant.lock import owner_of
from oracle import git_files
from watcher import Watcher


def run(*command: str | os.PathLike[str]) -> None:
    """Whoever opens and closes an index file within its owner's process takes the owner's locks with it."""
    subprocess.run([os.fspath(word) for word in command], check=True, capture_output=True)


def overwrite(path: Path, skip: int, blocks: int) -> None:
    run("dd", "if=/dev/urandom", f"of={path}", "bs=512", f"seek={skip}", f"count={blocks}", "conv=notrunc")


def names(repo: GitRepo) -> list[str]:
    return [os.fsdecode(name) for name in git_files(repo.root)]


def replaced_by(path: Path, content: bytes) -> None:
    other = path.with_name("other")
    other.write_bytes(content)
    os.replace(other, path)


LOSSES: dict[str, Callable[[Path], object]] = {
    "index.db removed": lambda state: os.unlink(state / "index.db"),
    "log removed": lambda state: os.unlink(state / "index.db-wal"),
    "shared memory removed": lambda state: os.unlink(state / "index.db-shm"),
    "everything removed": shutil.rmtree,
    "moved away": lambda state: os.rename(state, state.with_name("elsewhere")),
    "another file in its place": lambda state: replaced_by(state / "index.db", b"no database at all"),
    "an older copy in its place": lambda state: os.replace(state / "older", state / "index.db"),
    "an older copy written over it": lambda state: run("cp", state / "older", state / "index.db"),
    "cut to nothing": lambda state: os.truncate(state / "index.db", 0),
    "log cut to nothing": lambda state: os.truncate(state / "index.db-wal", 0),
    "garbage in the index": lambda state: overwrite(state / "index.db", 30, 12),
    "garbage in the log": lambda state: overwrite(state / "index.db-wal", 3, 5),
}  # fmt: skip


@pytest.fixture
def repo(git_repo: GitRepo) -> GitRepo:
    git_repo.write({f"d{number % 3}/f{number}.py": f"def f{number}(): pass\n" for number in range(40)})
    git_repo.write({".git/info/exclude": "elsewhere\n"})
    # An index with pages in the file itself, and an older copy of it.
    with currant.open(git_repo.root, live=False) as index:
        index.sync()
    run("cp", git_repo.root / ".currant/index.db", git_repo.root / ".currant/older")
    git_repo.write({"since.py": "def since(): pass\n"})
    return git_repo


@pytest.mark.parametrize("what", LOSSES)
def test_a_lost_index_is_made_anew_while_it_is_in_use(repo: GitRepo, what: str) -> None:
    state = repo.root / ".currant"
    with currant.open(repo.root) as index:
        clock = index.sync()
        first = index.owner["pid"]
        LOSSES[what](state)
        repo.write({"later.py": "def later(): pass\n"})
        index.sync(30)
        assert index.files() == names(repo)
        assert index.last.fresh
        assert [found.path for found in index.find("later", exact=True)] == ["later.py"]
        assert [found.path for found in index.find("f39", exact=True)] == ["d0/f39.py"]
        assert {row.path for row in index.changes(clock)} == set(names(repo))
        assert index.fresh_instance  # the old clock counts in an index that is gone
        [told] = [entry for entry in index.status()["degraded"] if entry["code"] == "index_rebuilt"]
        assert "in use" in told["what"]
        repo.write({"d0/f0.py": "def changed(): pass\n"})
        index.sync(30)
        assert [found.path for found in index.find("changed", exact=True)] == ["d0/f0.py"]
        assert index.verify().ok
        assert index.owner["pid"] == first == owner_of(state)
        # The socket is where others look for it.
        with Client.connect(state) as other:
            assert other.call("ping").result == "pong"
    assert (state / ".gitignore").read_text() == "*\n"
    with currant.open(repo.root, live=False) as index:
        assert index.service.store.opened.how == "existing"
        index.sync()
        assert index.verify().ok


def test_a_watcher_that_nobody_asks_notices_too(repo: GitRepo) -> None:
    with Watcher(repo.root) as watcher:
        watcher.ready()
        shutil.rmtree(repo.root / ".currant")
        while not (line := watcher.next() or {}).get("fresh_instance"):
            assert line, watcher.process.communicate()
        # The files follow, as of a new index; a watcher that goes on is not one that started again.
        told = set()
        while told != set(names(repo)):
            line = watcher.next() or {}
            told.add(str(line["path"]))
        with currant.open(repo.root) as index:
            assert index.owner["pid"] == watcher.process.pid
            assert index.files() == names(repo)


def test_only_the_lock_file_removed_costs_no_index(repo: GitRepo) -> None:
    state = repo.root / ".currant"
    with currant.open(repo.root) as index:
        clock = index.sync()
        (state / "lock").unlink()
        repo.write({"later.py": "def later(): pass\n"})
        index.sync(30)
        assert [row.path for row in index.changes(clock)] == ["later.py"]
        assert not index.fresh_instance
        assert owner_of(state) == os.getpid()


def test_a_socket_that_was_removed_is_there_again(repo: GitRepo) -> None:
    with Watcher(repo.root) as watcher:
        watcher.ready()
        place = repo.root / ".currant/sock"
        with currant.open(repo.root) as kept:
            place.unlink()
            while not place.exists():
                assert watcher.process.poll() is None
                os.sched_yield()
            with currant.open(repo.root) as index:
                assert index.owner["pid"] == watcher.process.pid
            assert kept.files() == names(repo)


def test_the_owner_ends_with_a_reason_when_another_one_took_the_new_directory(repo: GitRepo) -> None:
    with Watcher(repo.root) as first:
        first.ready()
        first.freeze()
        shutil.rmtree(repo.root / ".currant")
        with Watcher(repo.root) as second:
            second.ready()
            first.thaw()
            _, said = first.process.communicate()
            assert first.process.returncode == LockedError.exit_code
            assert f"process {second.process.pid}" in said.decode()
            with currant.open(repo.root) as index:
                assert index.owner["pid"] == second.process.pid
                repo.write({"later.py": "def later(): pass\n"})
                index.sync(30)
                assert index.files() == names(repo)
                assert index.verify().ok


def test_nothing_is_fresh_while_the_index_cannot_be_made_anew_and_all_is_well_once_it_can(
    repo: GitRepo,
) -> None:
    state = repo.root / ".currant"
    with currant.open(repo.root) as index:
        index.sync()
        shutil.rmtree(state)
        state.write_text("in the way\n")
        answer = index.service.sync(0.0)
        assert not answer.fresh
        while not any("failed" in entry["what"] for entry in index.status()["degraded"]):
            index.service.sync(0.0)
        told = index.status()
        assert not told["fresh"]
        assert told["phase"] == "rebuilding"
        [lost] = [entry for entry in told["degraded"] if entry["code"] == "index_lost"]
        assert "Not a directory" in lost["what"] or "File exists" in lost["what"]
        with pytest.raises(StoreError, match="made anew"):
            index.find("f1", sync_ms=0)
        state.unlink()
        index.sync(30)
        assert index.files() == names(repo)
        assert index.status()["phase"] == "watching"


def test_an_index_that_went_away_with_its_root_is_not_made_anew(repo: GitRepo) -> None:
    away = repo.root.with_name("away")
    with currant.open(repo.root) as index:
        clock = index.sync()
        os.rename(repo.root, away)
        assert not index.service.sync(0.5).fresh
        assert not repo.root.exists()
        os.rename(away, repo.root)
        repo.write({"later.py": "def later(): pass\n"})
        index.sync(30)
        assert index.files() == names(repo)
        assert "later.py" in {row.path for row in index.changes(clock)}
        assert not index.fresh_instance


def test_damage_met_by_a_reader_is_an_error_and_repaired_by_itself(repo: GitRepo) -> None:
    with currant.open(repo.root) as index:
        index.sync()
        store, guard = index.service.store, index.service.guard
        # A reader of our own may meet it first: nothing is repaired before we have asked.
        asked, repair = threading.Event(), guard._repair
        guard._repair = lambda reason: (asked.wait(60), repair(reason))[1]
        with store.writing() as connection:  # as if the disk had returned something else
            connection.execute("UPDATE records SET stored = x'00'")
        with pytest.raises(StoreError, match="damaged"):
            index.find("f1", exact=True)
        asked.set()
        index.sync(30)
        assert [found.path for found in index.find("f1", exact=True)] == ["d1/f1.py"]
        assert index.verify().ok
        assert len(list((repo.root / ".currant").glob("index.db.damaged-*"))) == 1
