"""The small barrier, for named paths, and what a barrier says that ran out of time.

A worker that stands at a fail point keeps one path pending for as long as the test wants."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

import currant
from catalogue.kit import Live, watching
from conftest import GitRepo
from currant.errors import SyncTimeout, UsageError

QUICK = {"monitor.debounce_ms": 5, "monitor.max_delay_ms": 50}
_SHORT = 0.2  # seconds, of barriers that are to run out of time
_PATIENCE = 60.0


@contextmanager
def stuck(repo: GitRepo, name: str) -> Iterator[Live]:
    """A watcher one of whose two workers stands still with the file `name`, until the block ends."""
    there, gate = repo.root.parent / "there", repo.root.parent / "gate"
    os.mkfifo(there)
    os.mkfifo(gate)
    point = f"fp_read_then_fstat@{len(repo.files()) + 1}"  # those that are there are read first
    with watching(repo, points={point: f"echo there >{there}; cat {gate} >{os.devnull}"}) as live:
        live.sync()
        repo.write({name: "def stuck(): pass\n"})
        assert there.read_text() == "there\n"
        try:
            yield live
        finally:
            gate.write_text("go on\n")
        live.settle()


def test_at_its_timeout_a_sync_names_what_is_outstanding(git_repo: GitRepo) -> None:
    with stuck(git_repo, "slow/one.py") as live:
        for _ in range(2):
            with pytest.raises(SyncTimeout) as told:
                live.index.sync(_SHORT)
            assert list(told.value.outstanding) == ["slow/one.py"]
        # A reader is answered with what there is, and told that it is not all.
        assert live.index.find("stuck", exact=True, sync_ms=50) == []
        assert not live.index.last.fresh
        assert list(live.index.last.outstanding) == ["slow/one.py"]


def test_named_paths_do_not_wait_for_what_is_stuck_elsewhere(git_repo: GitRepo) -> None:
    git_repo.write({"d/old.py": "", "d/gone.py": "", "d/same.py": ""})
    with stuck(git_repo, "slow/one.py") as live:
        git_repo.write({"d/old.py": "def newer(): pass\n", "d/new.py": "def fresh(): pass\n"})
        git_repo.path("d/gone.py").unlink()
        live.index.sync(_PATIENCE, paths=["d/old.py", "d/new.py", "d/gone.py", "d/same.py"])
        assert live.index.find("newer", exact=True, sync_ms=-1)
        assert live.index.find("fresh", exact=True, sync_ms=-1)
        assert "d/gone.py" not in live.rows()
        git_repo.path("d/new.py").rename(git_repo.path("d/renamed.py"))
        live.index.sync(_PATIENCE, paths=["d/new.py", "d/renamed.py"])
        assert {"d/old.py", "d/renamed.py", "d/same.py"} == {path for path in live.rows() if path[0] == "d"}
        # Not for ever: what is stuck itself runs out of time, and is named.
        with pytest.raises(SyncTimeout) as told:
            live.index.sync(_SHORT, paths=["slow/one.py", "d/same.py"])
        assert list(told.value.outstanding) == ["slow/one.py"]


def test_named_paths_that_have_no_row_are_settled(git_repo: GitRepo) -> None:
    git_repo.write({".gitignore": "ignored*\n", "ignored.py": "", "f": "", "ignored_d/f": ""})
    git_repo.path("link").symlink_to("f")
    os.mkfifo(git_repo.path("pipe"))
    with currant.open(git_repo.root, flags=QUICK) as index:
        index.sync(_PATIENCE)
        names = [
            "no",
            "no/such/file",
            "ignored.py",
            "ignored_d/f",
            "link",
            "pipe",
            ".git/HEAD",
            "f/below",
            "./f",
        ]
        for name in names:
            index.sync(_PATIENCE, paths=[name])
        index.sync(_PATIENCE, paths=names)
        index.sync(_PATIENCE, paths=[])
        index.sync(_PATIENCE, paths=[git_repo.path("f")])
        assert index.files() == [".gitignore", "f"]


@pytest.mark.parametrize("name", ["../outside", "/etc/passwd", "a/../../b"])
def test_a_named_path_outside_the_root_is_refused(git_repo: GitRepo, name: str) -> None:
    with (
        currant.open(git_repo.root, flags=QUICK) as index,
        pytest.raises(UsageError, match="outside"),
    ):
        index.sync(_PATIENCE, paths=["f", name])


def test_a_named_directory_stands_for_everything_in_it(git_repo: GitRepo) -> None:
    git_repo.write({"d/f.py": "", "d/s/g.py": ""})
    with currant.open(git_repo.root, flags=QUICK) as index:
        for number in range(50):
            git_repo.write({f"d/s/g{number % 9}.py": f"def inner{number}(): pass\n"})
            git_repo.write({f"new{number}/deep/x.py": f"def deep{number}(): pass\n"})
            index.sync(_PATIENCE, paths=["d", f"new{number}"])
            assert index.find(f"inner{number}", exact=True, sync_ms=-1)
            assert index.find(f"deep{number}", exact=True, sync_ms=-1)
        git_repo.path("d").rename(git_repo.path("e"))
        index.sync(_PATIENCE, paths=["d", "e"])
        assert [name for name in index.files(sync_ms=-1) if name.startswith("d")] == []
        assert "e/f.py" in index.files(sync_ms=-1)
        assert index.verify().ok


def test_a_hundred_times_one_path_is_what_was_written(git_repo: GitRepo) -> None:
    git_repo.write({f"other/{n}": "" for n in range(200)})
    with currant.open(git_repo.root, flags=QUICK) as index:
        index.sync(_PATIENCE)
        for number in range(300):
            name = f"d{number % 3}/f{number % 7}.py"
            git_repo.write({name: f"def version{number}(): pass\n"})
            index.sync(_PATIENCE, paths=[name])
            assert [row.path for row in index.find(f"version{number}", exact=True, sync_ms=-1)] == [name]
        index.sync(_PATIENCE)
        assert index.verify().ok


def test_a_path_named_while_the_disk_is_read_for_the_first_time(git_repo: GitRepo) -> None:
    git_repo.write({f"d{n % 30}/{n}.py": f"def f{n}(): pass\n" for n in range(600)})
    with currant.open(git_repo.root, flags=QUICK) as index:
        git_repo.write({"d7/mine.py": "def mine(): pass\n"})
        index.sync(_PATIENCE, paths=["d7/mine.py"])
        assert index.find("mine", exact=True, sync_ms=-1)


def test_what_is_written_after_the_source_was_drained_belongs_to_the_next_sync(git_repo: GitRepo) -> None:
    """A sync does not wait for what comes during it, and does not lose it."""
    script = f"echo 'def during(): pass' > {git_repo.root}/during.py"
    with watching(git_repo, points={"fp_sync_drained_then_fired@2": script}) as live:
        git_repo.write({"before.py": "def before(): pass\n"})
        live.sync()
        assert live.index.find("before", exact=True, sync_ms=-1)
        live.settle()
        assert live.index.find("during", exact=True)


def test_a_change_between_a_commit_and_its_acknowledgement_is_read_again(git_repo: GitRepo) -> None:
    git_repo.write({"f.py": "def one(): pass\n"})
    script = f"echo 'def two(): pass' > {git_repo.root}/f.py"
    with watching(git_repo, points={"fp_commit_then_ack": script}) as live:
        live.settle()
        assert live.index.find("two", exact=True)
        assert live.index.find("one", exact=True) == []
