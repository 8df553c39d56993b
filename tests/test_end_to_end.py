"""The promise as a user sees it: after any storm of changes and a `sync`, the index is what git says.

Oracles that share nothing with Currant: ``git ls-files`` for the set of files, a regular expression for the
definitions, a replay of the change feed for the history. Seeds are fixed but one, which is printed;
``CURRANT_TEST_SEED`` sets it.
"""

import os
import sys
from pathlib import Path

import pytest

import currant
from conftest import GitRepo
from currant.api import Index
from currant.model import ChangeRow, ChangeType
from oracle import Storm, definitions, git_files

QUICK = {"monitor.debounce_ms": 5, "monitor.max_delay_ms": 50}
ANY_SEED = int(os.environ.get("CURRANT_TEST_SEED") or os.environ["CURRANT_TEST_ANY_SEED"])
SOURCES = ["inotify", "poll", "notify"] if sys.platform == "linux" else ["auto", "poll"]


def replayed(rows: list[ChangeRow]) -> set[str]:
    """The files that a reader of the feed believes in, who began with none."""
    files: set[str] = set()
    for row in rows:
        if row.old_path is not None:
            files.discard(row.old_path)
        if row.change_type == ChangeType.DELETED:
            files.discard(row.path)
        else:
            files.add(row.path)
    return files


def check(index: Index, storm: Storm, what: str) -> list[str]:
    """Everything that can be asked equals the oracle; the list of files."""
    index.sync(60)
    files = index.files()
    wanted = [os.fsdecode(name) for name in git_files(storm.root)]
    recent = "\n".join(storm.log[-30:])
    assert files == wanted, (
        f"{what}: missing {sorted(set(wanted) - set(files))}, extra {sorted(set(files) - set(wanted))}\n"
        f"{recent}\n{index.status()['engine']}"
    )
    assert index.last.fresh
    return files


def check_all(index: Index, storm: Storm, what: str) -> None:
    """`check`, and contents and definitions too."""
    files = check(index, storm, what)
    report = index.verify()
    assert report.ok, (what, report, storm.log[-30:])
    assert report.files == len(files)
    found = {(one.path, one.name) for one in index.find("f", language="python", limit=100_000)}
    assert found == definitions(storm.root, map(os.fsencode, files))


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("seed", [1, 2, ANY_SEED])
def test_after_any_storm_the_index_is_what_git_says(git_repo: GitRepo, source: str, seed: int) -> None:
    print(f"seed {seed}: CURRANT_TEST_SEED={seed} runs it again")
    storm = Storm(git_repo.root, seed, links=source == "poll")
    flags = {**QUICK, "monitor.source": source}
    history: list[ChangeRow] = []
    with currant.open(git_repo.root, flags=flags) as index:
        index.sync()
        start = since = index.last.clock
    for round_ in range(3):
        # From the second time on: what happened while nobody watched.
        storm.blow(10 if round_ else 0)
        with currant.open(git_repo.root, flags=flags) as index:
            for step in range(12):
                storm.blow(storm.chance.choice((1, 1, 2, 5, 20)))
                what = f"{source}, seed {seed}, round {round_}, step {step}"
                files = check(index, storm, what)
                news = list(index.changes(since))
                assert not index.fresh_instance
                since = index.clock
                history += news
                assert replayed(history) == set(files), (what, news)
            check_all(index, storm, what)
            assert replayed(list(index.changes(start))) == set(index.files())
            assert replayed(list(index.changes())) == set(index.files())


def test_a_first_index_in_the_middle_of_a_storm(git_repo: GitRepo) -> None:
    """Operations before, during and after the first scan: there is no moment in which one is lost."""
    storm = Storm(git_repo.root, 11, links=False)
    storm.blow(300)
    with currant.open(git_repo.root, flags=QUICK) as index:
        storm.blow(200)
        check_all(index, storm, "first scan")


def test_what_git_tracks_below_an_ignored_directory(git_repo: GitRepo) -> None:
    """Rules hide what is untracked; git lists what is tracked whatever they say. Here the rules decide."""
    git_repo.write({"kept.py": "def kept(): pass\n", "build/out.py": "def out(): pass\n"})
    git_repo.commit()
    git_repo.write({".gitignore": "build/\n"})
    with currant.open(git_repo.root, flags=QUICK) as index:
        assert index.files() == [".gitignore", "kept.py"]
        assert index.find("out", exact=True) == []


def test_two_spellings_of_the_root_are_one_index(git_repo: GitRepo, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(git_repo.root)
    git_repo.write({"x.py": "def through_a_link(): pass\n"})
    with currant.open(git_repo.root, flags=QUICK) as index, currant.open(link, flags=QUICK) as other:
        assert other.service is None
        assert other.owner["pid"] == index.owner["pid"]
        assert [one.path for one in other.find("through_a_link")] == ["x.py"]


def test_kinds_that_were_swapped_while_nobody_watched(git_repo: GitRepo) -> None:
    git_repo.write({"was/dir/x.py": "def x(): pass\n", "was_file": "", "k.py": ""})
    with currant.open(git_repo.root, flags=QUICK) as index:
        index.sync()
    git_repo.path("was/dir/x.py").unlink()
    git_repo.path("was/dir").rmdir()
    git_repo.path("was_file").unlink()
    git_repo.write({"was/dir": "", "was_file/y.py": "def y(): pass\n"})
    with currant.open(git_repo.root, flags=QUICK) as index:
        index.sync()
        assert index.files() == ["k.py", "was/dir", "was_file/y.py"]
        assert index.verify().ok
