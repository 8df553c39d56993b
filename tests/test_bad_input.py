"""Input that no reasonable program writes, through the real one: put down under a running watcher, and found
by an index made anew.

After each: the index is what git says (where git can say it), `currant verify` finds no difference, what
could not be done is a state of its own path, and memory has stayed bounded. What hangs is ended in the end.
Sizes that a shared machine has no time for were measured by hand; docs/security.md has the figures.
"""

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import currant
from conftest import GitRepo
from currant.api import Index
from oracle import git_files
from watcher import Watcher

SECONDS = 120
MEMORY_MB = 1000
"""Resident at most. Idle it is about 60; a file of 7 MB that has nothing but definitions takes it to 700."""


def index_anew(root: Path, memory_mb: int = MEMORY_MB) -> dict[str, Any]:
    """What ``currant index --json`` says of a tree without an index. Bounded in time and memory."""
    shutil.rmtree(root / ".currant", ignore_errors=True)
    command = [sys.executable, "-m", "currant", "index", "--json", "--root", os.fspath(root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        killer = threading.Timer(SECONDS, process.kill)
        killer.start()
        assert process.stdout is not None
        assert process.stderr is not None
        told, complaints = process.stdout.read(), process.stderr.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        killer.cancel()
        killer.join()
    assert process.returncode == 0, complaints.decode()
    assert used.ru_maxrss < memory_mb << 10, f"{used.ru_maxrss >> 10} MB"
    answer: dict[str, Any] = json.loads(told)
    assert answer["fresh"], answer
    return {**answer, "rss_mb": used.ru_maxrss >> 10}


def peak_mb(pid: int) -> int:
    """The most memory that a process ever had."""
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) >> 10 for line in status.splitlines() if line.startswith("VmHWM"))


def agrees(index: Index, wanted: list[bytes]) -> None:
    """The index has these paths, and each with its present content."""
    assert [os.fsencode(path) for path in index.files()] == wanted
    report = index.verify()
    assert report.ok, report


Put = Callable[[GitRepo], None]
CASES: dict[str, Put] = {}


def case(put: Put) -> Put:
    CASES[put.__name__] = put
    return put


@case
def one_line_of_10_mb(repo: GitRepo) -> None:
    for name, piece in {"a.js": b"f(1);", "a.py": b"x=1;", "a.json": b"[1,", "a.c": b"int x;"}.items():
        repo.write({name: piece * (10_000_000 // len(piece)), f"small-{name}": piece * 50_000})
    repo.write({"a.md": b"# " + b"x" * 10_000_000, "small.md": b"# " + b"y" * 1_000_000})


@case
def a_million_lines(repo: GitRepo) -> None:
    repo.write({"a.py": b"x\n" * 1_000_000, "a.c": b";\n" * 1_000_000, "a.txt": b"\n" * 1_000_000})


@case
def a_hundred_thousand_definitions(repo: GitRepo) -> None:
    repo.write({"a.py": b"".join(b"def f%d(): pass\n" % number for number in range(100_000))})


@case
def deep_nesting(repo: GitRepo) -> None:
    """The parsers have more of these of their own; here is what becomes of them on the way to a row."""
    deep = 100_000
    for extension in ("py", "js", "rs", "c", "sh", "json"):
        repo.write({f"open.{extension}": b"(" * deep, f"closed.{extension}": b"[" * deep + b"]" * deep})
    repo.write({"quotes.md": b"> " * deep, "lists.md": b"".join(b" " * n + b"- x\n" for n in range(1_000))})
    repo.write({"blocks.py": b"".join(b" " * n + b"if x:\n" for n in range(1_000))})


@case
def every_byte_and_broken_encodings(repo: GitRepo) -> None:
    every = bytes(range(256))
    code = "def größe(): pass\n# ende ✓\n"
    for extension in ("py", "js", "c", "md", "sh", "json", "none"):
        repo.write({
            f"every.{extension}": every * 16,
            f"no-nul.{extension}": every[1:] * 16,
            f"utf8-cut.{extension}": code.encode()[:-3],
            f"utf8-lone.{extension}": b"\x80\xbf\xc3\n" + code.encode(),
            f"utf16.{extension}": code.encode("utf-16"),
            f"utf16-cut.{extension}": code.encode("utf-16")[:-1],
            f"utf16-bare.{extension}": code.encode("utf-16-be"),
            f"utf32.{extension}": code.encode("utf-32"),
            f"latin1.{extension}": "def größe(): pass\n".encode("latin-1"),
            f"surrogates.{extension}": b"def \xed\xa0\x80(): pass\n",
            f"overlong.{extension}": b"\xc0\xaf\xf8\x88\x80\x80\x80\n",
            f"bom.{extension}": b"\xef\xbb\xbf" + code.encode(),
            f"empty.{extension}": b"",
            f"nul.{extension}": b"\0" * 4096,
        })  # fmt: skip


@case
def odd_names(repo: GitRepo) -> None:
    names: list[bytes] = [bytes([byte]) for byte in range(1, 256) if byte not in b"./"]
    names += [b"-", b"--", b"-rf", b" ", b"  lead", b"trail ", b"line\nbreak", b"cr\r", b"tab\t", b"'", b'"']
    names += [b"\\", b"a\\b", b"*", b"?", b"[a]", b"#hash", b"!bang", b"~", b"~root", b"$HOME", b"`id`", b";"]
    names += [
        b"x" * 255,
        b"\xff" * 255,
        "é".encode() * 127,
        b"nfc-\xc3\xa9",
        b"nfd-e\xcc\x81",
        b"CON",
        b"nul.py",
    ]
    names += [b"\xed\xa0\x80", b"\xf0\x9f\x98\x80", b"...", b"..a", b".a", b"a.", b"%00", b"a:b", b"C:\\x.py"]
    repo.write({name: b"def odd(): pass\n" + name for name in names})
    repo.write({b"dir\n" + name + b"/" + name: b"x" for name in names if len(name) < 200})


@case
def rules_by_the_thousand(repo: GitRepo) -> None:
    lines = [f"*.x{number}\n!keep.x{number}\n/d{number}/**/f?.[a-c]\n" for number in range(3_334)]
    repo.write({".gitignore": "".join(lines)})
    repo.write({f"d{number}/deep/fa.a": b"1" for number in range(200)})
    repo.write({f"a.x{number}": b"1" for number in range(200)})
    repo.write({f"keep.x{number}": b"1" for number in range(200)})


@case
def links_into_each_other(repo: GitRepo) -> None:
    """Followed, these would be ten to the power of the depth files."""
    for one in range(10):
        repo.write({f"d{one}/own.py": b"x = 1\n"})
        for other in range(10):
            repo.path(f"d{one}/to{other}").symlink_to(f"../d{other}")
        repo.path(f"d{one}/up").symlink_to("..")
        repo.path(f"d{one}/self").symlink_to("self")


@case
def holes(repo: GitRepo) -> None:
    for name, size in {"tera.py": 1 << 40, "two-giga.bin": 2 << 30, "nine-mega.py": 9 << 20}.items():
        with repo.path(name).open("wb") as file:
            file.write(b"def start(): pass\n")
            file.truncate(size)


@pytest.mark.parametrize("put", CASES.values(), ids=CASES)
def test_the_index_is_what_git_says(git_repo: GitRepo, put: Put) -> None:
    """Live first, then anew."""
    git_repo.write({"own.py": "def own(): pass\n"})
    with Watcher(git_repo.root).ready() as watcher, currant.open(git_repo.root, create=False) as index:
        put(git_repo)
        index.sync(SECONDS)
        wanted = git_files(git_repo.root)
        agrees(index, wanted)
        assert index.find("own", exact=True)
        failed = {one.path: one.reason for one in index.failures()}
        assert all(reason for reason in failed.values())
        told = index.status()
        assert told["index"]["failed"] == len(failed) or len(failed) == 100
        assert peak_mb(watcher.process.pid) < MEMORY_MB
    index_anew(git_repo.root)
    with currant.open(git_repo.root, live=False) as index:
        assert [os.fsencode(path) for path in index.files()] == wanted


# --- what git cannot say, or not here ---------------------------------------------------------------


def nest(root: Path, name: bytes, depth: int, *, file: bytes = b"deep.py") -> None:
    """`depth` directories in each other, and a file in the last one. By descriptors: no path is that long."""
    here = os.open(root, os.O_RDONLY)
    try:
        for _ in range(depth):
            os.mkdir(name, dir_fd=here)
            below = os.open(name, os.O_RDONLY, dir_fd=here)
            os.close(here)
            here = below
        os.close(os.open(file, os.O_WRONLY | os.O_CREAT, dir_fd=here))
    finally:
        os.close(here)


@pytest.fixture
def deep_root(git_repo: GitRepo) -> Iterator[GitRepo]:
    """A repository that is removed by ``rm``, which knows how to get down there."""
    yield git_repo
    subprocess.run(["rm", "-rf", git_repo.root], check=True)


def shown_as_problem(status: dict[str, Any], words: str) -> bool:
    """Whether `status` names a place below which it cannot look, and why."""
    return any(words in one["what"] for one in status["degraded"])


@pytest.mark.parametrize(
    ("name", "depth", "reached"),
    [(b"n" * 200, 15, True), (b"n" * 200, 25, False), (b"d", 10_000, False)],
    ids=["3000 bytes", "5000 bytes", "10000 directories"],
)
def test_paths_longer_than_the_kernel_takes_are_shown_in_status(
    deep_root: GitRepo, name: bytes, depth: int, reached: bool
) -> None:
    """Whatever is there is either in the index or told of; what is not so deep is not affected."""
    deep_root.write({"own.py": "def own(): pass\n"})
    path = os.fsdecode(b"/".join([name] * depth) + b"/deep.py")

    def holds(index: Index) -> None:
        index.sync(SECONDS)
        assert (path in index.files()) == reached
        assert [one.path for one in (*index.find("own"), *index.find("later"))] == ["own.py", "later.py"]
        status = index.status()
        assert status["fresh"]
        assert shown_as_problem(status, "too long") != reached, status["degraded"]

    with Watcher(deep_root.root).ready() as watcher, currant.open(deep_root.root, create=False) as index:
        nest(deep_root.root, name, depth)
        deep_root.write({"later.py": "def later(): pass\n"})
        holds(index)
        assert peak_mb(watcher.process.pid) < MEMORY_MB
    index_anew(deep_root.root)
    with currant.open(deep_root.root, live=False) as index:
        holds(index)


def test_many_files_in_one_directory(git_repo: GitRepo) -> None:
    """30,000 here; 100,000 by hand."""
    git_repo.write({"own.py": "def own(): pass\n"})
    count = int(os.environ.get("CURRANT_TEST_MANY", "30000"))
    with Watcher(git_repo.root).ready() as watcher, currant.open(git_repo.root, create=False) as index:
        drain = threading.Thread(target=lambda: all(iter(watcher.next, None)))
        drain.start()
        many = git_repo.root / "many"
        many.mkdir()
        for number in range(count):
            os.close(os.open(many / f"f{number}.py", os.O_WRONLY | os.O_CREAT))
        index.sync(SECONDS)
        wanted = git_files(git_repo.root)
        assert len(wanted) == count + 1
        assert [os.fsencode(path) for path in index.files()] == wanted
        assert peak_mb(watcher.process.pid) < MEMORY_MB
        watcher.process.kill()
        drain.join()
    found = index_anew(git_repo.root)
    assert found["index"]["files"] == count + 1


def test_a_file_that_grows_all_the_time_holds_nothing_up(git_repo: GitRepo) -> None:
    """Its writer never pauses. Others are indexed meanwhile, and it is itself once it stands still."""
    git_repo.write({"own.py": "def own(): pass\n", "log.py": "x = 0\n"})
    script = "while :; do echo 'x = 1' >> \"$0\"; done"
    with Watcher(git_repo.root).ready(), currant.open(git_repo.root, create=False) as index:
        with subprocess.Popen(["sh", "-c", script, git_repo.path("log.py")]) as writer:
            for number in range(8):
                git_repo.write({f"f{number}.py": f"def f{number}(): pass\n"})
                index.sync(SECONDS, paths=[f"f{number}.py"])
                assert index.find(f"f{number}", exact=True, sync_ms=None)
            writer.kill()
        index.sync(SECONDS)
        agrees(index, git_files(git_repo.root))
