"""The root itself: removed, renamed, replaced, owned by somebody else, changed while nobody watched (section
C of docs/guarantees.md). The state directory is outside of the root where the root goes away."""

import os
import shlex
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from catalogue.kit import SOURCES, Live, watching
from catalogue.namespaces import inside, mounted
from conftest import GitRepo
from currant.cli import run
from currant.errors import LockedError
from currant.service import Service


@pytest.fixture(params=SOURCES)
def apart(git_repo: GitRepo, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Live]:
    """A watcher on a small repository, whose state is not inside of it."""
    git_repo.write({"f": "1", "d/e/g": "2"})
    with watching(git_repo, request.param, state_dir=tmp_path / "state") as live:
        live.settle()
        yield live


def test_a_root_that_was_removed_has_no_rows_until_it_is_made_again(apart: Live) -> None:
    shutil.rmtree(apart.root)
    apart.until_missing()
    apart.repo.root.mkdir()
    apart.repo.git("init", "--quiet")
    apart.repo.write({"f": "again", "new/h": "3"})
    apart.until_there()
    apart.settle()
    assert apart.below(apart.repo) == ["f", "new/h"]
    apart.repo.write({"new/i": "4"})
    apart.settle()


def test_nothing_from_a_root_that_was_renamed_is_taken_for_the_old_name(apart: Live) -> None:
    moved = apart.root.with_name("moved")
    apart.root.rename(moved)
    (moved / "f").write_text("written under another name")
    (moved / "late").write_text("too")
    apart.until_missing()
    assert "late" not in apart.rows()
    moved.rename(apart.root)
    apart.until_there()
    apart.settle()
    assert apart.below(apart.repo) == ["d/e/g", "f", "late"]


@pytest.mark.parametrize("source", SOURCES)
def test_a_renamed_directory_above_the_root_is_noticed(
    make_repo: Callable[[str], GitRepo], tmp_path: Path, source: str
) -> None:
    repo = make_repo("parent/repo").write({"f": "1"})
    with watching(repo, source, state_dir=tmp_path / "state") as live:
        live.settle()
        (tmp_path / "parent").rename(tmp_path / "elsewhere")
        live.until_missing()
        (tmp_path / "elsewhere/repo/f").write_text("2")
        (tmp_path / "elsewhere").rename(tmp_path / "parent")
        live.until_there()
        live.settle()


def test_another_directory_in_the_place_of_the_root_is_what_is_indexed(apart: Live, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    GitRepo(other).git("init", "--quiet")
    GitRepo(other).write({"f": "of the other", "d/only_here": "2"})
    with apart.frozen():
        apart.root.rename(tmp_path / "old")
        other.rename(apart.root)
    apart.settle()
    assert apart.below(apart.repo) == ["d/only_here", "f"]
    (tmp_path / "old/d/e/g").write_text("no longer ours")
    apart.repo.write({"d/late": "3"})
    apart.settle()


def test_a_second_watcher_is_told_who_owns_the_index(
    git_repo: GitRepo, capfd: pytest.CaptureFixture[str]
) -> None:
    git_repo.write({"f": "1"})
    with watching(git_repo) as live:
        with pytest.raises(LockedError, match=str(live.pid)):
            Service(git_repo.root).start()
        assert run(["watch", "--root", str(git_repo.root)]) == LockedError.exit_code
        assert str(live.pid) in capfd.readouterr().err
        live.settle()


@pytest.mark.parametrize("source", SOURCES)
def test_an_index_inside_of_an_indexed_tree_stays_out_of_it(git_repo: GitRepo, source: str) -> None:
    git_repo.write({"f": "1", "sub/g": "2"})
    inner = GitRepo(git_repo.path("sub"))
    with watching(git_repo, source) as live, watching(inner, source) as below:
        inner.write({"h": "3"})
        below.sync()
        assert sorted(below.rows()) == ["g", "h"]
        live.settle()
        assert live.below(git_repo) == ["f", "sub/g", "sub/h"]


def edits(repo: GitRepo) -> None:
    repo.write({"edited": "longer than it was"})


def deletions(repo: GitRepo) -> None:
    repo.path("deleted").unlink()
    shutil.rmtree(repo.path("dir"))


def renames(repo: GitRepo) -> None:
    repo.path("renamed").rename(repo.path("now"))
    repo.path("dir").rename(repo.path("dir2"))


def an_edit_of_the_same_size_and_time(repo: GitRepo) -> None:
    old = repo.path("same").stat()
    repo.write({"same": "BBBB"})
    os.utime(repo.path("same"), ns=(old.st_atime_ns, old.st_mtime_ns))


def a_replacement_of_the_same_size_and_time(repo: GitRepo) -> None:
    old = repo.path("same").stat()
    repo.write({"fresh": "CCCC"})
    os.utime(repo.path("fresh"), ns=(old.st_atime_ns, old.st_mtime_ns))
    repo.path("fresh").replace(repo.path("same"))


def rules(repo: GitRepo) -> None:
    repo.write({".gitignore": "dir/\nsame\n"})


DOWNTIME = [
    edits,
    deletions,
    renames,
    an_edit_of_the_same_size_and_time,
    a_replacement_of_the_same_size_and_time,
    rules,
]


@pytest.mark.parametrize("change", DOWNTIME, ids=lambda change: change.__name__)
def test_what_changed_while_no_watcher_ran_is_found_at_the_next_start(
    git_repo: GitRepo, change: Callable[[GitRepo], None]
) -> None:
    git_repo.write({"edited": "1", "deleted": "2", "renamed": "3", "same": "AAAA", "dir/in/f": "4"})
    with watching(git_repo) as live:
        live.settle()
        live.watcher.kill()  # nothing is told, written or closed any more
    change(git_repo)
    with watching(git_repo) as live:
        live.settle()


@pytest.mark.parametrize("source", SOURCES)
def test_what_was_mounted_and_is_unmounted_leaves_no_rows(git_repo: GitRepo, source: str) -> None:
    git_repo.write({"m/under": "covered by the mount", "k": "1"})
    place = shlex.quote(str(git_repo.path("m")))
    with watching(git_repo, source, prefix=mounted(f"mount -t tmpfs none {place}; mkdir {place}/in")) as live:
        inside(live, "echo mounted >$R/m/in/f; echo too >$R/m/g", mounts=True)
        live.sync()
        assert sorted(live.rows()) == ["k", "m/g", "m/in/f"]
        inside(live, "umount $R/m", mounts=True)
        live.settle()
        git_repo.write({"m/late": "2"})
        live.settle()
        assert live.below(git_repo) == ["k", "m/late", "m/under"]
