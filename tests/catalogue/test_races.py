"""Races made certain: something happens exactly between two steps of the watcher (sections A and D of
docs/guarantees.md). Each recipe has a watcher of its own, because a fail point is armed at its start."""

import shlex
from pathlib import Path

import pytest

from catalogue.kit import SOURCES, Trap, fail_points, watching
from conftest import GitRepo

sources = pytest.mark.parametrize("source", SOURCES)


def sh(path: Path) -> str:
    """A path as a word of the shell."""
    return shlex.quote(str(path))


@sources
@pytest.mark.parametrize("point", ["fp_add_watch_then_list", "fp_list_then_descend"])
def test_a_file_that_comes_while_its_directory_is_being_taken_in(
    git_repo: GitRepo, tmp_path: Path, source: str, point: str
) -> None:
    fresh = git_repo.path("a")
    trap = Trap(
        tmp_path,
        point,
        f"echo between >{sh(fresh)}/between; echo y >{sh(fresh)}/b/y",
        when=f"test -d {sh(fresh)}/b",
    )
    with watching(git_repo, source, environment=trap.environment) as live:
        with live.frozen():
            trap.arm()
            git_repo.write({"a/b/c/f": "x"})
        live.settle()
        trap.assert_fired()
        assert live.below(git_repo) == ["a/b/c/f", "a/b/y", "a/between"]


@sources
def test_a_directory_that_vanishes_before_it_is_watched_leaves_its_siblings_alone(
    git_repo: GitRepo, tmp_path: Path, source: str
) -> None:
    top = git_repo.path("t")
    trap = Trap(tmp_path, "fp_list_then_descend", f"rm -r {sh(top)}/b", when=f"test -d {sh(top)}/c/x")
    with watching(git_repo, source, environment=trap.environment) as live:
        with live.frozen():
            trap.arm()
            git_repo.write({"t/a/x/f": "1", "t/b/x/f": "2", "t/c/x/f": "3"})
        live.settle()
        trap.assert_fired()
        assert live.below(git_repo) == ["t/a/x/f", "t/c/x/f"]
        git_repo.write({"t/c/x/late": "4"})
        live.settle()


@sources
@pytest.mark.parametrize("step", [1, 2, 3])
def test_a_file_that_moves_during_the_first_scan_is_found_once(
    git_repo: GitRepo, source: str, step: int
) -> None:
    git_repo.write({"a/x": "moving", "b/y": "staying", "c/z": "too"})
    move = f"mv {sh(git_repo.path('a/x'))} {sh(git_repo.path('b/x'))}"
    with watching(git_repo, source, environment=fail_points({f"fp_list_then_descend@{step}": move})) as live:
        live.settle()
        assert live.below(git_repo) == ["b/x", "b/y", "c/z"]


@sources
@pytest.mark.parametrize(
    "point",
    [
        "fp_lstat_then_open",
        "fp_stat_then_read",
        "fp_read_then_fstat",
        "fp_hash_then_commit",
        "fp_commit_then_ack",
    ],
)
def test_a_write_in_the_middle_of_reading_is_read_again(
    git_repo: GitRepo, tmp_path: Path, source: str, point: str
) -> None:
    target = git_repo.path("f.py")
    trap = Trap(tmp_path, point, f"echo 'def tail(): pass' >>{sh(target)}", when=f"grep -q head {sh(target)}")
    git_repo.write({"f.py": "def old(): pass\n"})
    with watching(git_repo, source, environment=trap.environment) as live:
        calls = live.extractor_calls()
        trap.arm()
        git_repo.write({"f.py": "def head(): pass\n"})
        live.sync()
        trap.assert_fired()
        live.settle()  # the first barrier was asked for before the write in the middle
        assert [one.name for one in live.index.find("", language="python")] == ["head", "tail"]
        # Neither half of a file is a content of its own: what changed under the reader is not kept.
        torn = point in ("fp_stat_then_read", "fp_read_then_fstat", "fp_lstat_then_open")
        assert live.extractor_calls() - calls <= (1 if torn else 2)


@sources
def test_a_file_replaced_in_the_middle_of_reading_is_the_new_one(
    git_repo: GitRepo, tmp_path: Path, source: str
) -> None:
    target = git_repo.path("f.py")
    (tmp_path / "other.py").write_text("def other(): pass\n")
    trap = Trap(
        tmp_path,
        "fp_read_then_fstat",
        f"mv {sh(tmp_path / 'other.py')} {sh(target)}",
        when=f"grep -q head {sh(target)}",
    )
    git_repo.write({"f.py": "def old(): pass\n"})
    with watching(git_repo, source, environment=trap.environment) as live:
        trap.arm()
        git_repo.write({"f.py": "def head(): pass\n"})
        live.sync()
        trap.assert_fired()
        live.settle()  # the first barrier was asked for before the write in the middle
        assert [one.name for one in live.index.find("", language="python")] == ["other"]
