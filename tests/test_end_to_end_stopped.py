"""A watcher that cannot keep up: SIGSTOP stops it, the tree changes meanwhile, SIGCONT lets it go on.

The kernel's queue then holds a long history at once, whose names are mostly wrong by the time they are read,
or has overflowed. Afterwards ``currant sync`` and ``currant verify`` exit with 0 and the files are git's.
"""

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import currant
from conftest import GitRepo
from currant.cli import run
from oracle import Storm, definitions, git_files
from watcher import Watcher

ANY_SEED = int(os.environ.get("CURRANT_TEST_SEED") or os.environ["CURRANT_TEST_ANY_SEED"])


@pytest.fixture
def watched(git_repo: GitRepo) -> Iterator[tuple[GitRepo, Watcher]]:
    """A repository of 60 files in 12 directories, and its watcher."""
    for number in range(60):
        git_repo.write({f"top{number % 3}/d{number % 4}/m{number}.py": f"def f{number}(): pass\n"})
    with Watcher(git_repo.root) as watcher:
        yield git_repo, watcher.ready()


def overflow(root: Path) -> None:
    """More events than the kernel's queue holds."""
    with open("/proc/sys/fs/inotify/max_queued_events") as file:
        limit = int(file.read())
    # By turns, because the kernel merges an event into an equal one before it.
    pair = [root / "top0/d0/m0.py", root / "top1/d1/m1.py"]
    for number in range(limit + 100):
        os.utime(pair[number % 2], ns=(number, number))


def burst(repo: GitRepo) -> None:
    """Much at once, no name for long."""
    Storm(repo.root, 3, links=False).blow(400)


def overflow_and_more(repo: GitRepo) -> None:
    """What follows an overflow leaves no event at all."""
    overflow(repo.root)
    (repo.root / "top2").rename(repo.root / "unseen")
    repo.write({"unseen/late/late.py": "def late(): pass\n", ".gitignore": "d3/\n"})
    Storm(repo.root, 4).blow(100)


def overflow_that_hides_a_swap(repo: GitRepo) -> None:
    """Two directories have changed places, with new watches' worth of directories below them."""
    overflow(repo.root)
    (repo.root / "top0").rename(repo.root / "aside")
    (repo.root / "top1").rename(repo.root / "top0")
    (repo.root / "aside").rename(repo.root / "top1")
    repo.write({"top1/d0/fresh/x.py": "def fresh(): pass\n"})


def directory_renames(repo: GitRepo) -> None:
    """Events of the files carry names of directories that are gone; new ones have taken the old names."""
    repo.write({"top0/d0/before.py": "def before(): pass\n"})
    (repo.root / "top0").rename(repo.root / "moved")
    repo.write({"moved/d0/after.py": "def after(): pass\n", "top0/d0/other.py": "def other(): pass\n"})
    (repo.root / "top1").rename(repo.root / "moved/d0/deep")
    (repo.root / "moved/d0/deep/d1").rename(repo.root / "top1")
    with open(repo.root / "top1/m1.py", "a") as file:
        file.write("def appended(): pass\n")


def rule_edits(repo: GitRepo) -> None:
    """Rules change before, between and after the changes of what they speak of."""
    repo.write({".gitignore": "d1/\n", "top0/d1/hidden.py": "def hidden(): pass\n"})
    repo.write({"top1/.gitignore": "!d1/\n*.tmp\n", "top1/d1/new.py": "def new(): pass\n", "top1/x.tmp": ""})
    repo.write({".gitignore": "d2/\n", "top0/d1/shown.py": "def shown(): pass\n"})
    repo.write({".git/info/exclude": "m1*.py\n"})
    (repo.root / "top2").rename(repo.root / "top1/new")
    shutil.rmtree(repo.root / "top1/d2")
    (repo.root / "top1/new").rename(repo.root / "top1/d2")


def everything_goes(repo: GitRepo) -> None:
    """The tree is emptied and filled again."""
    repo.commit()
    for number in range(3):
        shutil.rmtree(repo.root / f"top{number}")
    repo.git("checkout", "--quiet", "--", "top1")


SCENARIOS: list[Callable[[GitRepo], None]] = [burst, directory_renames, rule_edits, everything_goes]
OVERFLOWS = [overflow_and_more, overflow_that_hides_a_swap] if sys.platform == "linux" else []


@pytest.mark.parametrize("scenario", [*SCENARIOS, *OVERFLOWS])
def test_what_happened_while_it_was_stopped(
    watched: tuple[GitRepo, Watcher],
    scenario: Callable[[GitRepo], None],
    monkeypatch: pytest.MonkeyPatch,
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    repo, watcher = watched
    monkeypatch.chdir(repo.root)
    watcher.freeze()
    scenario(repo)
    watcher.thaw()
    assert run(["sync", "--timeout", "60"]) == 0
    assert run(["verify"]) == 0, capfdbinary.readouterr().out
    capfdbinary.readouterr()
    assert run(["files", "-0"]) == 0
    wanted = git_files(repo.root)
    assert capfdbinary.readouterr().out == b"".join(name + b"\0" for name in wanted)
    with currant.open(repo.root) as index:
        assert index.owner["pid"] == watcher.process.pid
        assert index.status()["engine"]["overflows"] == (1 if scenario in OVERFLOWS else 0)
        found = {(one.path, one.name) for one in index.find("", language="python", limit=100_000)}
    assert found == definitions(repo.root, wanted)


@pytest.mark.parametrize("seed", [1, ANY_SEED])
def test_storms_while_it_was_stopped(git_repo: GitRepo, seed: int) -> None:
    print(f"seed {seed}: CURRANT_TEST_SEED={seed} runs it again")
    storm = Storm(git_repo.root, seed, links=False)
    storm.blow(60)
    with Watcher(git_repo.root) as watcher:
        watcher.ready()
        with currant.open(git_repo.root) as index:
            for turn in range(12):
                before = len(storm.log)
                watcher.freeze()
                storm.blow(storm.chance.choice((3, 5, 10, 30, 100)))
                watcher.thaw()
                index.sync(60)
                wanted = [os.fsdecode(name) for name in git_files(git_repo.root)]
                assert index.files() == wanted, (seed, turn, storm.log[before:])
                report = index.verify()
                assert report.ok, (seed, turn, report, storm.log[before:])


def test_a_renamed_directory_costs_no_extractor_call(watched: tuple[GitRepo, Watcher]) -> None:
    repo, _ = watched
    with currant.open(repo.root) as index:
        before = index.status()["stats"]["extractor_calls"]
        (repo.root / "top0").rename(repo.root / "renamed")
        index.sync()
        assert index.status()["stats"]["extractor_calls"] == before
        assert index.status()["engine"]["moved_dirs"] >= 1
        assert [one.path for one in index.find("f0", exact=True)] == ["renamed/d0/m0.py"]


def test_a_write_through_a_name_that_is_gone_reaches_the_other_names(git_repo: GitRepo) -> None:
    git_repo.write({"short/one.py": "def before(): pass\n", "lasting/": ""})
    os.link(git_repo.path("short/one.py"), git_repo.path("lasting/two.py"))
    with Watcher(git_repo.root) as watcher:
        watcher.ready().freeze()
        git_repo.write({"short/one.py": "def after(): pass\n"})  # in place: the same inode
        shutil.rmtree(git_repo.path("short"))
        watcher.thaw()
        with currant.open(git_repo.root) as index:
            index.sync(60)
            assert [one.path for one in index.find("after", exact=True)] == ["lasting/two.py"]
            assert index.verify().ok
