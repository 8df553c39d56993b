"""Much, and often: whole trees that come and go, and what is left behind when the same thing happens twenty
times (sections A and D of docs/guarantees.md)."""

import os
import shutil
import tarfile
from pathlib import Path

import pytest

from catalogue.kit import SOURCES, exchange, watching
from catalogue.repeats import leaves_nothing_behind
from conftest import GitRepo, Tree

sources = pytest.mark.parametrize("source", SOURCES)


def archive(path: Path, directories: int, files: int) -> Path:
    """A tar of so many directories in three levels, and so many files in each."""
    tree = Tree(path.with_suffix(""))
    tree.root.mkdir()
    for number in range(directories):
        base = f"top{number % 10}/mid{number % 50}/d{number}"
        tree.write({f"{base}/f{file}.py": f"def f{number % 40}_{file}(): pass\n" for file in range(files)})
    with tarfile.open(path, "w") as tar:
        tar.add(tree.root, arcname="tree")
    shutil.rmtree(tree.root)
    return path


def unpack(path: Path, into: Path) -> None:
    """``tar x``, in a fraction of the time that Python takes."""
    with tarfile.open(path) as tar:
        tar.extractall(into, filter="data")


def test_a_tree_of_a_thousand_directories_arrives_and_vanishes_whole(
    git_repo: GitRepo, tmp_path: Path
) -> None:
    packed = archive(tmp_path / "big.tar", 1000, 2)
    with watching(git_repo) as live:
        before = live.engine()
        with live.frozen():
            unpack(packed, git_repo.root)
        live.settle()
        assert live.engine()["overflows"] == before["overflows"]
        assert len(live.rows()) == 2000
        # Files that are equal are parsed once.
        assert live.extractor_calls() == 80
        clock = live.sync()
        shutil.rmtree(git_repo.path("tree"))
        live.settle()
        assert live.rows() == {}
        assert live.kernel_watches() == 1
        # Told once for each file, however many of its directories were seen vanishing.
        gone = [change.path for change in live.index.changes(clock)]
        assert len(gone) == len(set(gone)) == 2000
        assert live.extractor_calls() == 80


@pytest.mark.parametrize("source", ["inotify", "notify"])
def test_what_is_made_while_events_are_lost_is_followed_afterwards(git_repo: GitRepo, source: str) -> None:
    git_repo.write({"one": "1", "two": "2"})
    # Not less than what kernels have: a soak beside this test may have lowered it for a moment.
    limit = max(int(Path("/proc/sys/fs/inotify/max_queued_events").read_text()), 16_384)
    with watching(git_repo, source) as live:
        with live.frozen():
            for number in range(limit + 100):  # by turns: equal neighbours would be merged
                os.utime(git_repo.path("one" if number % 2 else "two"), ns=(number, number))
            git_repo.write({"a/b/c/f": "not told"})
        live.settle()
        git_repo.write({"a/b/c/g": "told again", "a/b/d/h": "too"})
        live.settle()


@sources
def test_trees_unpacked_under_the_watchers_eyes_are_complete_each_time(
    git_repo: GitRepo, tmp_path: Path, source: str
) -> None:
    packed = archive(tmp_path / "some.tar", 80, 2)
    with watching(git_repo, source) as live:
        for number in range(6):
            place = git_repo.path(f"copy{number}")
            unpack(packed, place)
            if number % 2:
                shutil.rmtree(git_repo.path(f"copy{number - 1}"))
            live.sync()
            assert live.rows() == live.oracle()
        live.settle()


def comes_and_goes(place: Tree) -> None:
    place.write({"a/b/c/f": "x"})
    shutil.rmtree(place.path("a"))


def moves_to_and_fro(place: Tree) -> None:
    place.path("kept").rename(place.path("moved"))
    place.path("moved").rename(place.path("kept"))


def leaves_and_returns(place: Tree) -> None:
    aside = place.root.parent.parent / "aside"
    place.path("kept").rename(aside)
    aside.rename(place.path("kept"))


def changes_places(place: Tree) -> None:
    exchange(place.path("kept"), place.path("other"))


def changes_kind(place: Tree) -> None:
    place.path("file").unlink()
    place.write({"file/g": "x"})
    shutil.rmtree(place.path("file"))
    place.write({"file": "x"})


def saves_by_rename(place: Tree) -> None:
    place.write({"f.tmp": "saved"}).path("f.tmp").replace(place.path("file"))


def hides_and_shows(place: Tree) -> None:
    place.write({".gitignore": "kept/\n"})
    place.path(".gitignore").unlink()


def fails_and_recovers(place: Tree) -> None:
    place.path("file").unlink()
    os.mkfifo(place.path("file"))
    place.path("file").unlink()
    place.write({"file": "x"})


CHEAP = [
    comes_and_goes,
    moves_to_and_fro,
    leaves_and_returns,
    changes_places,
    changes_kind,
    saves_by_rename,
    hides_and_shows,
    fails_and_recovers,
]


@sources
def test_twenty_repeats_of_anything_leave_nothing_behind(
    git_repo: GitRepo, tmp_path: Path, source: str
) -> None:
    """Descriptors, threads, watches, memory, nodes of the tree: as many as before."""
    place = Tree(git_repo.path("place"))
    place.write({"kept/in/f": "1", "other/g": "2", "file": "3"})

    with watching(git_repo, source) as live:

        def round_of() -> None:
            for recipe in CHEAP:
                recipe(place)
                live.sync()

        leaves_nothing_behind(live, round_of)
