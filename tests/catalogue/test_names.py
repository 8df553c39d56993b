"""Names that break programs which take them for text, lines or arguments (section E of docs/guarantees.md).
The invariants of `kit.Live.settle` follow each recipe."""

import os
from pathlib import Path

import pytest

from catalogue.kit import SOURCES, Live, watching
from conftest import GitRepo

HARD = [
    "new\nline.py",
    "tab\tand\rreturn",
    "'single' \"double\" `back`",
    "-rf",
    "--help",
    ".hidden",
    "...",
    " leading and trailing ",
    "back\\slash",
    "*?[glob]!{a,b}",
    "#comment",
    "!negated",
    "$HOME;&|<>",
    "\x1b[31mred\x7f",
    "\N{RIGHT-TO-LEFT OVERRIDE}gpj.py",
    "\N{PILE OF POO}",
    "n" * 255,
    "\N{EURO SIGN}" * 85,
    os.fsdecode(b"bad\xff.py"),
    os.fsdecode(b"\x80\xfe"),
]
"""As names of files and of directories."""


def test_names_that_are_not_utf8_are_bytes_like_any_other(live: Live) -> None:
    place = live.place("bytes").write({b"bad\xff.py": "def bad(): pass\n", "ok.py": "1"})
    live.settle()
    assert [os.fsencode(name) for name in live.below(place)] == [b"bad\xff.py", b"ok.py"]
    found = live.index.find("bad", exact=True)
    assert [os.fsencode(os.path.basename(one.path)) for one in found] == [b"bad\xff.py"]
    place.path(b"bad\xff.py").rename(place.path(b"worse\xfe\xff.py"))
    live.settle()
    place.path(b"worse\xfe\xff.py").unlink()
    live.settle()
    assert live.below(place) == ["ok.py"]


def test_every_name_that_the_file_system_takes_is_kept(live: Live) -> None:
    place = live.place("hard_names").write({name: f"first {name!a}" for name in HARD})
    live.settle()
    assert sorted(live.below(place)) == sorted(HARD)
    for name in HARD:
        place.path(name).rename(place.path("_" + name[1:]))
    live.settle()
    assert len(live.below(place)) == len(HARD)


def test_every_name_that_the_file_system_takes_names_a_directory(live: Live) -> None:
    place = live.place("hard_directories").write({f"{name}/in/f": f"below {name!a}" for name in HARD})
    live.settle()
    assert len(live.below(place)) == len(HARD)
    place.path("moved").mkdir()
    with live.frozen():
        for name in HARD:
            place.path(name).rename(place.path(f"moved/{name}"))
            place.write({f"moved/{name}/late": "late"})
    live.settle()
    assert len(live.below(place)) == 2 * len(HARD)


@pytest.mark.parametrize("source", SOURCES)
def test_a_path_too_long_for_the_system_is_named_and_hides_nothing_else(
    git_repo: GitRepo, source: str
) -> None:
    git_repo.write({"shallow.py": "def shallow(): pass\n", "beside/f": "1"})
    handle = os.open(git_repo.root, os.O_RDONLY)
    for _ in range(25):  # 25 times 200 are more than the 4,096 bytes that a path may have
        os.mkdir("d" * 200, dir_fd=handle)
        below = os.open("d" * 200, os.O_RDONLY, dir_fd=handle)
        os.close(handle)
        handle = below
    try:
        os.close(os.open("deep.py", os.O_CREAT | os.O_WRONLY, dir_fd=handle))
        with watching(git_repo, source) as live:
            live.degraded = ("too long", "cannot be watched") if source == "inotify" else ("too long",)
            live.exact_watches = False
            live.settle()
            git_repo.write({"beside/g": "2", "d" * 200 + "/reachable": "3"})
            live.settle()
            assert live.below(git_repo) == ["beside/f", "beside/g", "d" * 200 + "/reachable", "shallow.py"]
            # Moved up, it is within reach, and nothing is degraded any more.
            (git_repo.root / Path(*["d" * 200] * 12)).rename(git_repo.root / "up")
            live.degraded = ()
            live.settle()
            assert "up/" + "/".join(["d" * 200] * 13) + "/deep.py" in live.rows()
    finally:
        os.close(handle)


def test_a_rename_that_changes_only_the_case_is_a_rename(live: Live) -> None:
    place = live.place("case").write({"foo.py": "def foo(): pass\n", "Dir/Sub/f": "x"})
    live.settle()
    with live.frozen():
        place.path("foo.py").rename(place.path("Foo.py"))
        place.path("Dir").rename(place.path("dir"))
    live.settle()
    assert live.below(place) == ["Foo.py", "dir/Sub/f"]
    place.write({"foo.py": "another one"})
    live.settle()
    assert live.below(place) == ["Foo.py", "dir/Sub/f", "foo.py"]


def test_two_spellings_of_a_letter_are_two_names(live: Live) -> None:
    composed, decomposed = "caf\N{LATIN SMALL LETTER E WITH ACUTE}", "cafe\N{COMBINING ACUTE ACCENT}"
    place = live.place("spellings").write({composed: "one", decomposed: "two", f"{composed}_/f": "three"})
    live.settle()
    assert sorted(live.below(place)) == sorted([composed, decomposed, f"{composed}_/f"])
    place.path(decomposed).rename(place.path(f"{decomposed}_"))
    place.path(composed).unlink()
    live.settle()
    assert sorted(live.below(place)) == sorted([f"{composed}_/f", f"{decomposed}_"])
