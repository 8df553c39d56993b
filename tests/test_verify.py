"""The differential: what counts as a difference, what is only moving, and what a failure on record means."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
import xxhash
from hypothesis import given
from hypothesis import strategies as st

from currant.verify import Report, Row, agrees, look, verify


class FakeIndex:
    """Rows by path; `on_settle` runs at each barrier, as the rest of the world would between two looks."""

    def __init__(self, rows: dict[str, Row], on_settle: Callable[[], None] = lambda: None) -> None:
        self.stored = rows
        self.on_settle = on_settle
        self.fresh = True

    def settle(self) -> bool:
        self.on_settle()
        return self.fresh

    def rows(self) -> Iterable[Row]:
        return list(self.stored.values())

    def row(self, path: str) -> Row | None:
        return self.stored.get(path)


def row_of(path: str, content: bytes) -> Row:
    return Row(path, "ok", xxhash.xxh3_128_hexdigest(content))


def check(root: Path, index: FakeIndex) -> Report:
    return verify(root, index, state_dir=root / ".currant")


def fill(root: Path, files: dict[str, bytes]) -> dict[str, Row]:
    for path, content in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
    return {path: row_of(path, content) for path, content in files.items()}


CONTENTS = st.dictionaries(st.sampled_from(["a", "b", "d/c", "d/e/f"]), st.binary(max_size=3))


@given(disk=CONTENTS, held=CONTENTS)
def test_the_differences_are_exactly_those_of_the_two_sets(
    disk: dict[str, bytes], held: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("root")
    fill(root, disk)
    report = check(root, FakeIndex({path: row_of(path, content) for path, content in held.items()}))
    expected = dict.fromkeys(disk.keys() - held.keys(), "missing")
    expected |= dict.fromkeys(held.keys() - disk.keys(), "extra")
    expected |= {path: "different" for path in disk.keys() & held.keys() if disk[path] != held[path]}
    assert {found.path: found.kind for found in report.differences} == expected
    assert report.ok == (not expected)
    assert report.files == len(disk)


def test_a_file_that_the_index_catches_up_with_is_no_difference(tmp_path: Path) -> None:
    rows = fill(tmp_path, {"a": b"old"})
    settled = 0

    def change() -> None:
        nonlocal settled
        settled += 1
        if settled == 1:  # written after the barrier, before it is read
            (tmp_path / "a").write_bytes(b"new")
        else:
            rows["a"] = row_of("a", b"new")

    assert check(tmp_path, FakeIndex(rows, change)).ok
    assert settled == 2


def test_a_file_that_never_stands_still_is_moving_not_different(tmp_path: Path) -> None:
    rows = fill(tmp_path, {"log": b"0"})
    lines = iter(range(100))
    index = FakeIndex(rows, lambda: (tmp_path / "log").write_text(f"line {next(lines)}") and None)
    report = check(tmp_path, index)
    assert report.ok
    assert report.moving == ["log"]


def test_a_file_that_comes_and_goes_is_moving_even_if_it_is_never_seen(tmp_path: Path) -> None:
    rows = fill(tmp_path, {"t": b"x"})

    def come_and_go() -> None:
        before = tmp_path.stat().st_ctime_ns
        while tmp_path.stat().st_ctime_ns == before:  # some kernels' clocks tick only every few milliseconds
            (tmp_path / "t").write_bytes(b"x")
            (tmp_path / "t").unlink()

    report = check(tmp_path, FakeIndex(rows, come_and_go))
    assert report.ok
    assert report.moving == ["t"]


def test_an_index_that_does_not_settle_gets_no_verdict(tmp_path: Path) -> None:
    index = FakeIndex(fill(tmp_path, {"a": b"x"}))
    index.fresh = False
    assert not check(tmp_path, index).ok


def test_failures_are_listed_and_count_only_when_they_speak_of_another_version(tmp_path: Path) -> None:
    fill(tmp_path, {"a": b"x"})
    ctime = (tmp_path / "a").stat().st_ctime_ns
    index = FakeIndex({"a": Row("a", "failed", None, "parser crashed", ctime)})
    report = check(tmp_path, index)
    assert report.ok
    assert report.failed == [("a", "parser crashed")]
    index.stored["a"] = Row("a", "failed", None, "parser crashed", ctime - 1)
    assert [found.kind for found in check(tmp_path, index).differences] == ["different"]


def test_a_name_that_is_not_utf8_and_a_link(tmp_path: Path) -> None:
    name = os.fsdecode(b"\xff\xfe.c")
    rows = fill(tmp_path, {name: b"x"})
    (tmp_path / "link").symlink_to(name)
    assert check(tmp_path, FakeIndex(rows)).ok


def test_only_regular_files_are_looked_at(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/etc/passwd")
    (tmp_path / "dir").mkdir()
    for name in ("pipe", "link", "dir", "none"):
        assert look(str(tmp_path), name) is None


def test_agreement_about_nothing() -> None:
    assert agrees(None, None)
    assert not agrees(Row("a", "ok", "00"), None)
