"""File systems that are mounted, unmounted and put over one another below the root (section I of
docs/guarantees.md).

The watcher has mounts of its own, made without root; the test looks at them through the watcher's eyes."""

import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import xxhash

from catalogue.kit import SOURCES, Live, watching
from catalogue.namespaces import inside, mounted
from conftest import GitRepo

TMPFS = "mount -t tmpfs none $R/m"


@pytest.fixture(params=SOURCES)
def live(request: pytest.FixtureRequest, git_repo: GitRepo) -> Iterator[Live]:
    """A repository with a directory to mount on."""
    git_repo.write({"m/under": "under\n", "top": "top\n"})
    with within(git_repo, str(request.param)) as live:
        yield live


@contextmanager
def within(repo: GitRepo, source: str = "inotify", *settings: str, script: str = ":") -> Iterator[Live]:
    """A watcher with mounts of its own; `script` makes some before it starts."""
    environment = {"R": os.fspath(repo.root), "OUT": os.fspath(repo.root.parent)}
    with watching(repo, source, *settings, prefix=mounted(script), environment=environment) as live:
        yield live


def mount(live: Live, script: str) -> None:
    """What the watcher's own machine does."""
    inside(live, f"OUT=$(dirname $R); {script}", mounts=True)


def seen(live: Live) -> tuple[dict[str, str], int]:
    """Files with their contents, and the number of directories, as the watcher sees them."""
    top = f"/proc/{live.pid}/root{live.root}"
    files, directories = {}, 0
    for at, below, names in os.walk(top):
        below[:] = [name for name in below if name not in (".git", ".currant")]
        directories += 1
        for name in names:
            path = os.path.join(at, name)
            files[os.path.relpath(path, top)] = xxhash.xxh3_128(Path(path).read_bytes()).hexdigest()
    return files, directories


def settle(live: Live) -> None:
    """The barrier, then what must hold: the index is what the watcher sees, and all of it is watched."""
    live.sync()
    files, directories = seen(live)
    assert live.rows() == files
    engine = live.at_rest()["engine"]
    assert engine["dirs"] == directories
    if live.source == "inotify":
        assert live.kernel_watches() == engine["watches"] == directories


def test_what_is_mounted_below_the_root_is_part_of_it_until_it_is_unmounted(live: Live) -> None:
    settle(live)
    mount(live, f"{TMPFS}; mkdir $R/m/s; echo 1 > $R/m/f; echo 2 > $R/m/s/g")
    settle(live)
    assert set(live.rows()) == {"top", "m/f", "m/s/g"}
    mount(live, "echo 3 > $R/m/f; mkdir $R/m/t; echo 4 > $R/m/t/h; mv $R/m/s $R/m/t/s")
    settle(live)
    mount(live, "umount $R/m")
    settle(live)
    assert set(live.rows()) == {"top", "m/under"}
    live.repo.write({"m/again": "5"})
    settle(live)


def test_a_mount_is_noticed_without_being_asked(live: Live) -> None:
    since = live.sync()
    mount(live, f"{TMPFS}; echo 1 > $R/m/f")
    with live.index.follow(since) as news:
        assert {next(news).path, next(news).path} == {"m/under", "m/f"}
    settle(live)
    since = live.sync()
    mount(live, "umount $R/m")
    with live.index.follow(since) as news:
        assert {next(news).path, next(news).path} == {"m/under", "m/f"}
    settle(live)


def test_a_file_system_replaced_by_its_like_is_read_anew(live: Live) -> None:
    """The same device numbers, the same inode numbers, perhaps; another file system all the same."""
    mount(live, f"{TMPFS}; mkdir $R/m/s; echo 1 > $R/m/s/f")
    settle(live)
    with live.frozen():
        mount(live, f"umount $R/m; {TMPFS}; mkdir $R/m/s; echo 2 > $R/m/s/f; echo 3 > $R/m/s/g")
    settle(live)
    mount(live, "echo 4 > $R/m/s/h; echo 5 > $R/m/s/f")
    settle(live)


def test_a_directory_bound_into_the_root_is_part_of_it(live: Live, tmp_path: Path) -> None:
    out = GitRepo(tmp_path / "out").write({"s/f": "1", "g": "2"})
    settle(live)
    mount(live, "mount --bind $OUT/out $R/m")
    settle(live)
    # Written through its other name: the inode tells.
    out.write({"s/f": "changed", "s/new": "3", "deep/er/f": "4"})
    settle(live)
    mount(live, "umount $R/m")
    settle(live)
    out.write({"s/f": "nobody's business"})
    settle(live)


def test_one_bound_directory_in_place_of_another_is_noticed(live: Live, tmp_path: Path) -> None:
    GitRepo(tmp_path / "one").write({"s/f": "1"})
    other = GitRepo(tmp_path / "two").write({"s/f": "2", "s/g": "3"})
    mount(live, "mount --bind $OUT/one $R/m")
    settle(live)
    with live.frozen():
        mount(live, "umount $R/m; mount --bind $OUT/two $R/m")
    settle(live)
    other.write({"s/f": "4", "s/h": "5"})
    settle(live)


def test_the_root_bound_to_another_place_is_written_through_either(live: Live, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    mount(
        live,
        "mount --bind $R $OUT/other; mkdir $OUT/other/d; echo 1 > $OUT/other/d/f; echo 2 > $OUT/other/top",
    )
    settle(live)
    assert "d/f" in live.rows()
    mount(live, "mv $OUT/other/d $OUT/other/e; echo 3 > $OUT/other/e/g")
    settle(live)


@pytest.mark.parametrize("source", ["inotify", "poll"])
def test_a_directory_that_is_in_the_tree_twice_hides_no_file(git_repo: GitRepo, source: str) -> None:
    """A bind mount of a directory of the tree into the tree: one inode, one watch, two places."""
    git_repo.write({"m/under": "", "a/f": "1", "a/s/g": "2"})
    with within(git_repo, source) as live:
        for change, script in (
            ({}, "mount --bind $R/a $R/m"),
            ({"a/f": "changed", "a/s/new": "3"}, ":"),
            ({}, "mv $R/m/s $R/m/t; echo 4 > $R/m/t/more"),
            ({}, "umount $R/m"),
        ):
            git_repo.write(change)
            mount(live, script)
            live.sync()
            assert live.rows() == seen(live)[0], script
        git_repo.write({"a/t/g": "changed", "m/again": "5"})
        settle(live)


def opened(live: Live) -> Counter[str]:
    """What the watcher has open, but for its pool of readers of the index, which has a bound of its own, and
    for the files that a scan or a worker holds for a moment."""
    found: Counter[str] = Counter()
    for entry in Path(f"/proc/{live.pid}/fd").iterdir():
        try:
            name = os.readlink(entry)
        except FileNotFoundError:
            continue  # closed meanwhile
        if os.fspath(live.root) not in name:
            found[re.sub(r"\d+", "", name)] += 1
    return found


def test_twenty_mounts_leave_no_watch_and_no_descriptor(live: Live) -> None:
    settle(live)
    before = opened(live)
    for number in range(20):
        mount(live, f"{TMPFS}; mkdir $R/m/s; echo {number} > $R/m/s/f")
        live.sync()
        assert live.rows() == seen(live)[0]
        mount(live, "umount $R/m")
        live.sync()
    settle(live)
    for _ in range(20_000):  # a source that was replaced lets go of what it had in its own time
        if opened(live) <= before:
            break
        live.sync()
    else:
        raise AssertionError(opened(live) - before)


def overlay(repo: GitRepo) -> str:
    """The script that puts an overlay on the root's directory m."""
    for name in ("lower", "upper", "work"):
        (repo.root.parent / name).mkdir()
    (repo.root.parent / "lower/low").write_text("low\n")
    return "mount -t overlay none -o lowerdir=$OUT/lower,upperdir=$OUT/upper,workdir=$OUT/work $R/m"


def test_writes_through_an_overlay_are_told(git_repo: GitRepo) -> None:
    git_repo.write({"m/": ""})
    with within(git_repo, script=overlay(git_repo)) as live:
        settle(live)
        mount(live, "echo up > $R/m/f; echo copied >> $R/m/low; mkdir $R/m/d; echo 1 > $R/m/d/g")
        settle(live)
        mount(live, "rm $R/m/low; mv $R/m/d $R/m/e; echo 2 > $R/m/e/h")
        settle(live)
        assert set(live.rows()) == {"m/f", "m/e/g", "m/e/h"}


def test_writes_below_an_overlay_are_found_when_it_is_polled(git_repo: GitRepo) -> None:
    git_repo.write({"m/": "", "k": ""})
    setting = 'monitor.poll_file_systems=["overlay"]'
    with within(git_repo, "inotify", setting, script=overlay(git_repo)) as live:
        settle(live)
        assert live.engine()["remote_paths"] == ["m"]
        (git_repo.root.parent / "upper/silent").write_text("nobody told\n")
        settle(live)
        assert "m/silent" in live.rows()
        since = live.sync()
        (git_repo.root.parent / "upper/later").write_text("nor of this\n")
        with live.index.follow(since) as news:
            assert next(news).path == "m/later"
        settle(live)


def test_a_file_system_of_a_polled_type_is_polled_as_far_as_it_reaches(git_repo: GitRepo) -> None:
    git_repo.write({"m/": "", "local/f": "1"})
    with within(git_repo, "inotify", 'monitor.poll_file_systems=["tmp*"]', script=TMPFS) as live:
        mount(live, "mkdir -p $R/m/s/t; echo 1 > $R/m/s/t/f")
        settle(live)
        assert sorted(live.engine()["remote_paths"]) == ["m", "m/s", "m/s/t"]
        assert any("poll" in entry["what"] for entry in live.status()["degraded"])
        mount(live, "umount $R/m")
        settle(live)
        assert live.engine()["remote"] == 0
        assert live.status()["degraded"] == []


@pytest.mark.parametrize("root", ["/proc/self/fdinfo", "/sys/kernel"])
def test_a_root_that_holds_no_files_is_refused(root: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "currant", "index", root, "--state-dir", os.fspath(tmp_path / "state")]
    ended = subprocess.run(command, capture_output=True, text=True)
    assert ended.returncode != 0
    assert "file system" in ended.stderr
    assert "Traceback" not in ended.stderr
