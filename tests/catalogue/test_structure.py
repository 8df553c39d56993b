"""Directories that come, go, move and change places: structure races (section A of docs/guarantees.md).

After each recipe the fixture asserts every invariant of `kit.Live.settle`; what stands in a recipe is what
that recipe alone is about."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from catalogue.kit import Live, exchange
from oracle import link_open_file


def test_a_file_written_right_after_its_directory_is_found(live: Live) -> None:
    place = live.place("deep")
    with live.frozen():
        place.write({"a/b/c/f": "x"})
    live.settle()
    assert live.below(place) == ["a/b/c/f"]
    place.write({"a/b/c/g": "y"})


def test_a_directory_renamed_inside_the_tree_takes_its_rows_along(live: Live) -> None:
    place = live.place("renamed").write({"a/s/f": "one\n", "a/s/t/kept": "k" * 100_000})
    live.settle()
    live.read_once_more(place, "a/s/f", "a/s/t/kept")
    before, hashed = live.kernel_watches(), live.hashed()
    with live.frozen():
        place.path("a").rename(place.path("b"))
        place.write({"b/s/f": "new\n"})
    live.settle()
    assert live.below(place) == ["b/s/f", "b/s/t/kept"]
    place.write({"b/s/g": "more\n"})
    live.settle()
    assert live.kernel_watches() == before
    if live.source == "inotify":
        # The two that were written (perhaps twice, so soon after it); what merely moved was not read again.
        assert live.hashed() - hashed < 100


def test_a_directory_renamed_out_of_the_tree_is_let_go(live: Live, tmp_path: Path) -> None:
    place = live.place("leaves").write({"a/s/f": "one\n", "stays": ""})
    live.settle()
    place.path("a").rename(tmp_path / "out")
    live.settle()  # as many watches as directories: the ones that left have none
    assert live.below(place) == ["stays"]
    (tmp_path / "out/s/f").write_text("outside\n")
    live.settle()
    assert live.below(place) == ["stays"]
    (tmp_path / "out").rename(place.path("a"))


def test_a_populated_directory_renamed_into_the_tree_is_read(live: Live, tmp_path: Path) -> None:
    place = live.place("enters")
    (tmp_path / "o/p/q").mkdir(parents=True)
    (tmp_path / "o/p/q/f").write_text("from outside\n")
    with live.frozen():
        (tmp_path / "o").rename(place.path("o"))
    live.settle()
    assert live.below(place) == ["o/p/q/f"]


def test_a_rename_over_a_file_shows_the_new_content(live: Live) -> None:
    place = live.place("over").write(f="A\n")
    live.settle()
    place.write({"f.tmp": "B\n"}).path("f.tmp").rename(place.path("f"))
    live.settle()
    assert live.below(place) == ["f"]


def test_two_directories_exchanged_keep_their_files_apart(live: Live) -> None:
    place = live.place("swap").write({"d1/a": "1", "d1/deep/x": "2", "d2/b": "3"})
    live.settle()
    with live.frozen():
        exchange(place.path("d1"), place.path("d2"))
        place.write({"d1/z": "4", "d2/y": "5"})
    live.settle()
    assert live.below(place) == ["d1/b", "d1/z", "d2/a", "d2/deep/x", "d2/y"]


def test_a_file_becomes_a_directory(live: Live) -> None:
    place = live.place("to_dir").write(f="file\n")
    live.settle()
    with live.frozen():
        place.path("f").unlink()
        place.write({"f/g": "x"})
    live.settle()
    assert live.below(place) == ["f/g"]


def test_a_directory_becomes_a_file(live: Live) -> None:
    place = live.place("to_file").write({"f/g/h": "x"})
    live.settle()
    with live.frozen():
        shutil.rmtree(place.path("f"))
        place.write(f="file\n")
    live.settle()
    assert live.below(place) == ["f"]


def a_link_takes_the_name_of_a_directory(root: Path) -> None:
    """bar is a directory with files; foo takes its place; then bar leads to foo."""
    (root / "bar").rename(root / "foo")
    (root / "bar").symlink_to("foo")


def a_link_to_itself_takes_the_name_of_a_file(root: Path) -> None:
    """The name of a file leads nowhere."""
    (root / "file").unlink()
    (root / "file").symlink_to("file")


def a_directory_takes_the_name_of_a_link(root: Path) -> None:
    """What led into a directory is one."""
    (root / "to_bar").unlink()
    (root / "bar").rename(root / "to_bar")


def a_directory_moves_below_its_old_neighbour(root: Path) -> None:
    """The path of the one is now below the other's."""
    (root / "bar").rename(root / "other" / "bar")
    (root / "other").rename(root / "bar")


def three_change_places(root: Path) -> None:
    """bar, other and third, in turn."""
    for old, new in (("bar", "t"), ("other", "bar"), ("third", "other"), ("t", "third")):
        (root / old).rename(root / new)


FISHY = [
    a_link_takes_the_name_of_a_directory,
    a_link_to_itself_takes_the_name_of_a_file,
    a_directory_takes_the_name_of_a_link,
    a_directory_moves_below_its_old_neighbour,
    three_change_places,
]


@pytest.mark.parametrize("recipe", FISHY, ids=lambda recipe: recipe.__name__)
def test_names_that_change_hands_while_nobody_looks(live: Live, recipe: Callable[[Path], None]) -> None:
    place = live.place(recipe.__name__)
    place.write({"bar/in/x": "1", "bar/y": "2", "other/z": "3", "third/in/w": "4", "file": "5"})
    place.path("to_bar").symlink_to("bar")
    live.settle()
    with live.frozen():
        recipe(place.root)


def test_a_directory_deleted_and_made_again_is_watched_again(live: Live) -> None:
    place = live.place("again").write({"d/old": "0"})
    live.settle()
    with live.frozen():
        shutil.rmtree(place.path("d"))
        place.write({"d/f": "1"})
    live.settle()
    place.write({"d/g": "2"})
    live.settle()
    assert live.below(place) == ["d/f", "d/g"]


def test_what_lies_behind_a_linked_directory_keeps_its_one_name(live: Live) -> None:
    place = live.place("linked").write({"common/file.json": "{}", "tests/t1/": ""})
    live.settle()
    os.symlink("../../common", place.path("tests/t1/common"))
    live.settle()
    place.write({"common/file.json": "[1]"})
    live.settle()
    assert live.below(place) == ["common/file.json"]


def test_links_that_lead_in_circles_are_not_followed(live: Live) -> None:
    place = live.place("circles").write({"a/f": "x"})
    place.path("loop").symlink_to(".")
    place.path("a/up").symlink_to("..")
    place.path("self").symlink_to("self")
    for number in range(30):  # 2^30 paths for whoever follows
        for name in ("left", "right"):
            place.path(f"bomb{number}").mkdir(exist_ok=True)
            place.path(f"bomb{number}/{name}").symlink_to(f"../bomb{number + 1}")
    live.settle()
    assert live.below(place) == ["a/f"]


def test_a_link_that_is_pointed_elsewhere_changes_nothing(live: Live) -> None:
    place = live.place("retarget").write({"x/f": "1", "y/f": "2", "plain": "3"})
    place.path("l").symlink_to("x")
    place.path("file").symlink_to("plain")
    live.settle()
    calls = live.extractor_calls()
    for name, target in (("l", "y"), ("file", "x/f"), ("l", "/nowhere")):
        place.path("fresh").symlink_to(target)
        place.path("fresh").replace(place.path(name))
        live.settle()
    assert live.below(place) == ["plain", "x/f", "y/f"]
    assert live.extractor_calls() == calls


def test_a_file_takes_the_name_of_a_link_and_back(live: Live) -> None:
    place = live.place("link_to_file").write({"target": "t"})
    place.path("name").symlink_to("target")
    live.settle()
    with live.frozen():
        place.path("name").unlink()
        place.write(name="a file now")
    live.settle()
    assert live.below(place) == ["name", "target"]
    place.path("name").unlink()
    place.path("name").symlink_to("target")
    live.settle()
    assert live.below(place) == ["target"]


def test_a_write_through_one_name_reaches_the_other_names(live: Live) -> None:
    place = live.place("hard").write({"a/f": "1", "b/": ""})
    os.link(place.path("a/f"), place.path("b/g"))
    live.settle()
    place.write({"a/f": "22"})
    live.settle()
    assert live.row(place, "a/f") == live.row(place, "b/g")


def test_a_file_made_without_a_name_is_followed_after_it_got_one(live: Live) -> None:
    place = live.place("nameless")
    handle = os.open(place.root, os.O_TMPFILE | os.O_RDWR)
    try:
        os.write(handle, b"before ")
        link_open_file(handle, place.path("t"))
        live.sync()
        os.write(handle, b"after")
    finally:
        os.close(handle)
    live.settle()
    assert live.below(place) == ["t"]


def test_renames_that_interleave_end_where_the_disk_is(live: Live) -> None:
    place = live.place("interleaved")
    place.write({f"d{n}/in/f": str(n) for n in range(6)})
    live.settle()
    with live.frozen():
        # Six pairs of halves, no half next to its other one: each directory takes its neighbour's name.
        for n in range(6):
            place.path(f"d{n}").rename(place.path(f"t{n}"))
        for n in range(6):
            place.path(f"t{n}").rename(place.path(f"d{(n + 1) % 6}"))
