"""Reading one file once: what is a state of it, what is not, and where a path may lead."""

import errno
import os
import socket
import stat as stat_bits
from collections.abc import Iterator
from pathlib import Path

import pytest
import xxhash
from hypothesis import given, settings
from hypothesis import strategies as st

from currant.clock import ManualClock
from currant.model import FileStat
from currant.reading import (
    RACY_COARSE_NS,
    RACY_NS,
    Gone,
    Opener,
    Reader,
    ReadFile,
    Torn,
    Unreadable,
    file_stat,
    is_racy,
    open_by_component,
    openat2_opener,
)

LIMIT = 1 << 20
OPENERS = [opener for opener in (open_by_component, openat2_opener()) if opener is not None]


@pytest.fixture(params=OPENERS, ids=lambda opener: opener.__name__)
def reader(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Reader]:
    root = tmp_path / "root"
    root.mkdir()
    opener: Opener = request.param
    made = Reader(str(root), limit=LIMIT, clock=ManualClock(4e9), opener=opener)
    yield made
    made.close()


@pytest.mark.parametrize("size", [0, 1, 8191, 65_537, LIMIT, LIMIT + 1, 3 * LIMIT + 17])
def test_content_hash_and_stat_of_any_size(reader: Reader, tmp_path: Path, size: int) -> None:
    content = os.urandom(size)
    path = tmp_path / "root/a/b"
    path.parent.mkdir()
    path.write_bytes(content)
    got = reader.read("a/b")
    assert isinstance(got, ReadFile)
    assert got.digest == xxhash.xxh3_128_digest(content)
    assert got.head == content[:8192]
    assert got.content == (content if size <= LIMIT else None)
    assert got.stat == file_stat(path.stat())
    assert not got.racy


def test_what_is_no_regular_file_is_gone(reader: Reader, tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "dir").mkdir()
    (root / "file").write_bytes(b"x")
    os.mkfifo(root / "fifo")
    os.symlink("file", root / "link")
    with socket.socket(socket.AF_UNIX) as listener:
        folder = os.open(root, os.O_RDONLY)  # a short name: the path itself may be too long for a socket
        try:
            listener.bind(f"/proc/self/fd/{folder}/socket")
        finally:
            os.close(folder)
    for name in ("absent", "dir", "fifo", "link", "socket", "file/below", "absent/below"):
        assert reader.read(name) == Gone(), name


def test_no_directory_on_the_way_may_be_a_link(reader: Reader, tmp_path: Path) -> None:
    """Not even one that leads to where the file is: to the index it does not exist under that name."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/secret").write_bytes(b"secret")
    root = tmp_path / "root"
    (root / "real").mkdir()
    (root / "real/file").write_bytes(b"x")
    os.symlink(tmp_path / "outside", root / "out")
    os.symlink("../outside", root / "real/out")
    os.symlink("real", root / "inner")
    for name in ("out/secret", "real/out/secret", "inner/file"):
        assert reader.read(name) == Gone(), name
    assert isinstance(reader.read("real/file"), ReadFile)


def test_a_name_that_is_too_long_says_so(reader: Reader) -> None:
    got = reader.read("x" * 300)
    assert isinstance(got, Unreadable)
    assert "ENAMETOOLONG" in got.reason
    assert got.stat is None


@pytest.mark.parametrize("code", [errno.EACCES, errno.EIO, errno.EMFILE])
def test_an_error_is_data_with_what_can_be_known_of_the_file(tmp_path: Path, code: int) -> None:
    (tmp_path / "x").write_bytes(b"1234")

    def refuse(root: int, path: str, /) -> int:
        raise OSError(code, os.strerror(code))

    reader = Reader(str(tmp_path), limit=LIMIT, clock=ManualClock(), opener=refuse)
    got = reader.read("x")
    assert isinstance(got, Unreadable)
    assert errno.errorcode[code] in got.reason
    assert got.stat == file_stat((tmp_path / "x").stat())
    reader.close()


@pytest.mark.parametrize("times", [1, 2, 3])
@pytest.mark.parametrize("large", [False, True])
def test_a_change_during_the_reading_starts_it_again_up_to_three_times(
    tmp_path: Path, times: int, large: bool
) -> None:
    content = b"x" * (LIMIT + 5 if large else 5)
    (tmp_path / "x").write_bytes(content)
    left = times

    def append(path: str) -> None:
        nonlocal left, content
        if left:
            left -= 1
            content += b"y"
            with open(tmp_path / path, "ab") as file:
                file.write(b"y")

    reader = Reader(str(tmp_path), limit=LIMIT, clock=ManualClock(4e9), between=append)
    got = reader.read("x")
    if times == 3:
        assert got == Torn()
        got = reader.read("x")
    assert isinstance(got, ReadFile)
    assert got.digest == xxhash.xxh3_128_digest(content)
    reader.close()


def test_a_change_that_keeps_size_and_mtime_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"aaaa")
    os.utime(path, ns=(10**18, 10**18))
    left = 1

    def rewrite(_: str) -> None:
        nonlocal left
        if left:
            left = 0
            path.write_bytes(b"bbbb")
            os.utime(path, ns=(10**18, 10**18))

    reader = Reader(str(tmp_path), limit=LIMIT, clock=ManualClock(4e9), between=rewrite)
    got = reader.read("x")
    assert isinstance(got, ReadFile)
    assert got.content == b"bbbb"
    reader.close()


def test_a_root_that_was_replaced_is_read_and_not_the_one_moved_away(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "x").write_bytes(b"old")
    reader = Reader(str(root), limit=LIMIT, clock=ManualClock(4e9))
    root.rename(tmp_path / "elsewhere")
    reader.refresh()
    got = reader.read("x")
    assert isinstance(got, Unreadable)  # whether it is gone is for the engine to say
    assert "root" in got.reason
    root.mkdir()
    (root / "x").write_bytes(b"new")
    reader.refresh()
    got = reader.read("x")
    assert isinstance(got, ReadFile)
    assert got.content == b"new"
    reader.close()
    reader.close()


def test_descriptors_are_given_back(reader: Reader, tmp_path: Path) -> None:
    (tmp_path / "root/d").mkdir()
    (tmp_path / "root/d/x").write_bytes(b"x")
    before = len(os.listdir("/proc/self/fd"))
    for name in ("d/x", "d/absent", "absent/x", "d", "x" * 300, "d/x/y"):
        reader.read(name)
    assert len(os.listdir("/proc/self/fd")) == before


@settings(deadline=None)
@given(age=st.integers(0, 10**11), ctime=st.integers(1, 2 * 10**18), whole=st.booleans())
def test_racy_is_younger_than_the_step_of_the_time_stamps(age: int, ctime: int, whole: bool) -> None:
    if whole:
        ctime -= ctime % 10**9
    elif ctime % 10**9 == 0:
        ctime += 1
    window = RACY_COARSE_NS if whole else RACY_NS
    assert is_racy(FileStat(0, 0, ctime, 0), ctime + age) == (age < window)


def test_a_file_just_written_is_racy(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"x")
    clock = ManualClock((tmp_path / "x").stat().st_ctime_ns / 1e9 + 0.010)
    reader = Reader(str(tmp_path), limit=LIMIT, clock=clock)
    got = reader.read("x")
    assert isinstance(got, ReadFile)
    assert got.racy
    clock.advance(10)
    got = reader.read("x")
    assert isinstance(got, ReadFile)
    assert not got.racy
    reader.close()


def test_both_openers_agree_on_everything_in_a_tree(tmp_path: Path) -> None:
    """The differential: names, links and depths that a small tree can have, asked of both."""
    if len(OPENERS) < 2:
        assert [open_by_component] == OPENERS
        return
    (tmp_path / "a/b/c").mkdir(parents=True)
    (tmp_path / "a/b/c/f").write_bytes(b"deep")
    (tmp_path / "f").write_bytes(b"top")
    os.symlink("a/b", tmp_path / "l")
    os.symlink("/", tmp_path / "slash")
    os.symlink("l2", tmp_path / "l2")
    (tmp_path / os.fsdecode(b"\xff\xfe")).write_bytes(b"odd")
    names = ["f", "a", "a/b", "a/b/c/f", "l", "l/c/f", "slash/etc/passwd", "l2", "l2/x", "f/x", "no", "no/x"]
    names.append(os.fsdecode(b"\xff\xfe"))
    root = os.open(tmp_path, os.O_RDONLY)
    for name in names:
        results = []
        for opener in OPENERS:
            try:
                fd = opener(root, name)
            except OSError as error:
                results.append("gone" if error.errno in (2, 20, 40) else errno.errorcode[error.errno or 0])
            else:
                results.append(str((os.fstat(fd).st_ino, stat_bits.S_IFMT(os.fstat(fd).st_mode))))
                os.close(fd)
        assert results[0] == results[1], name
    os.close(root)
