"""What `RustNotify` tells of a tree that changes: every kind of change, and that nothing is lost."""

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from currant.watching import Renamed, RustNotify
from currant.watching.fold import ADDED, DELETED, MODIFIED, Fold
from currant.watching.notify import Answer

Watching = Callable[..., RustNotify]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    (root / "dir" / "deep").mkdir(parents=True)
    (root / "dir" / "f").write_text("f")
    (root / "dir" / "deep" / "g").write_text("g")
    (root / "top").write_text("top")
    return root


@pytest.fixture
def watching(root: Path) -> Iterator[Watching]:
    made: list[RustNotify] = []

    def start(*paths: Path | str, recursive: bool = True, polling: bool = False, **added: bool) -> RustNotify:
        asked = [str(path) for path in paths or (root,)]
        made.append(RustNotify(asked, False, polling, 20, recursive, False, quiet_ms=20, **added))
        return made[-1]

    yield start
    for notify in made:
        notify.close()


def expect(notify: RustNotify, root: Path, *expected: tuple[int, str]) -> None:
    """These changes are told, relative to `root`, in one batch or, on a busy machine, in several; what comes
    too much comes here or is found by the next call."""
    fold = Fold()
    note = {ADDED: fold.created, MODIFIED: fold.modified, DELETED: fold.deleted}
    while (found := relative(fold.changes(), root)) != set(expected):
        answer = notify.watch(1_600, 20, 20_000, None)
        assert not isinstance(answer, str), f"{answer}; so far {found}"
        for item in answer:
            assert not isinstance(item, Renamed)
            note[item[0]](item[1])


def relative(changes: Answer, root: Path) -> set[tuple[int, str]]:
    return {
        (item[0], os.path.relpath(item[1], root) if item[1].startswith(str(root)) else item[1])
        for item in changes
        if not isinstance(item, str | Renamed)
    }


def all_of(change: int, *paths: str) -> set[tuple[int, str]]:
    return {(change, path) for path in paths}


def test_files(root: Path, watching: Watching) -> None:
    notify = watching()
    (root / "new").write_text("x")
    expect(notify, root, (ADDED, "new"))
    (root / "new").write_text("y")
    (root / "top").chmod(0o600)
    expect(notify, root, (MODIFIED, "new"), (MODIFIED, "top"))
    (root / "new").rename(root / "dir" / "old")
    (root / "top").unlink()
    expect(notify, root, (DELETED, "new"), (ADDED, "dir/old"), (DELETED, "top"))


def test_directories_are_told_of_like_files(root: Path, watching: Watching) -> None:
    notify = watching()
    (root / "a" / "b").mkdir(parents=True)
    (root / "a" / "b" / "f").write_text("at once")
    expect(notify, root, (ADDED, "a"), (ADDED, "a/b"), (ADDED, "a/b/f"))
    (root / "a" / "b").chmod(0o700)
    expect(notify, root, (MODIFIED, "a/b"))
    (root / "a").rename(root / "c")
    expect(notify, root, *all_of(DELETED, "a", "a/b", "a/b/f"), *all_of(ADDED, "c", "c/b", "c/b/f"))
    subprocess.run(["rm", "-r", root / "c"], check=True)
    expect(notify, root, (DELETED, "c"), (DELETED, "c/b"), (DELETED, "c/b/f"))


def test_a_tree_that_is_moved_in_or_out_is_told_of_path_by_path(root: Path, watching: Watching) -> None:
    notify = watching()
    outside = root.parent / "outside"
    (root / "dir").rename(outside)
    paths = ("dir", "dir/f", "dir/deep", "dir/deep/g")
    expect(notify, root, *all_of(DELETED, *paths))
    (outside / "f").write_text("nobody looks")
    outside.rename(root / "dir")
    expect(notify, root, *all_of(ADDED, *paths))


def test_links_pipes_and_sockets_are_told_of_and_not_followed(root: Path, watching: Watching) -> None:
    notify = watching()
    (root / "link").symlink_to("dir")
    (root / "dangling").symlink_to("nowhere")
    os.mkfifo(root / "pipe")
    expect(notify, root, (ADDED, "link"), (ADDED, "dangling"), (ADDED, "pipe"))
    (root / "dir" / "f").write_text("told of once")
    expect(notify, root, (MODIFIED, "dir/f"))
    (root.parent / "other").symlink_to("top")
    (root.parent / "other").rename(root / "link")
    expect(notify, root, (MODIFIED, "link"))


def test_every_name_of_a_file_is_told_of(root: Path, watching: Watching) -> None:
    os.link(root / "top", root / "dir" / "same")
    notify = watching()
    (root / "top").write_text("through one name")
    expect(notify, root, (MODIFIED, "top"), (MODIFIED, "dir/same"))


def test_a_new_name_alone_changes_no_other_name(root: Path, watching: Watching) -> None:
    notify = watching()
    os.link(root / "top", root / "dir" / "same")
    expect(notify, root, (ADDED, "dir/same"))
    (root / "last").touch()
    expect(notify, root, (ADDED, "last"))


def test_reading_and_closing_changes_nothing(root: Path, watching: Watching) -> None:
    notify = watching()
    (root / "top").read_text()
    (root / "top").open("a").close()
    (root / "last").touch()
    expect(notify, root, (ADDED, "last"))


def test_names_that_are_not_utf8(root: Path, watching: Watching) -> None:
    name = os.fsdecode(b"caf\xe9")
    notify = watching()
    (root / name).mkdir()
    (root / name / name).write_text("x")
    expect(notify, root, (ADDED, name), (ADDED, f"{name}/{name}"))


def test_not_recursive(root: Path, watching: Watching) -> None:
    notify = watching(recursive=False)
    (root / "dir" / "f").write_text("not looked at")
    (root / "dir" / "new").write_text("not looked at")
    (root / "made").mkdir()
    (root / "made" / "f").write_text("not looked at")
    (root / "top").write_text("x")
    expect(notify, root, (ADDED, "made"), (MODIFIED, "top"))
    (root / "made" / "f").unlink()
    (root / "made").rename(root / "renamed")
    expect(notify, root, (DELETED, "made"), (ADDED, "renamed"))
    subprocess.run(["rm", "-r", root / "renamed", root / "dir"], check=True)
    expect(notify, root, (DELETED, "renamed"), (DELETED, "dir"))


def test_what_git_ignores_when_asked(root: Path, watching: Watching) -> None:
    (root / ".gitignore").write_text("*.log\nbuild/\n")
    (root / ".git").mkdir()
    everything, kept = watching(), watching(gitignore=True)
    (root / "build").mkdir()
    (root / "build" / "out").write_text("x")
    (root / "a.log").write_text("x")
    (root / ".git" / "HEAD").write_text("x")
    (root / "a.py").write_text("x")
    ignored = ("build", "build/out", "a.log", ".git/HEAD")
    expect(everything, root, (ADDED, "a.py"), *all_of(ADDED, *ignored))
    expect(kept, root, (ADDED, "a.py"))
    (root / ".gitignore").write_text("")
    expect(kept, root, (MODIFIED, ".gitignore"), *all_of(ADDED, "a.log", "build", "build/out"))


def test_a_root_that_is_removed_and_made_again(root: Path, watching: Watching) -> None:
    notify = watching()
    aside = root.rename(root.parent / "aside")
    paths = (".", "dir", "dir/f", "dir/deep", "dir/deep/g", "top")
    expect(notify, root, *all_of(DELETED, *paths))
    (aside / "top").write_text("not ours any more")
    root.mkdir()
    expect(notify, root, (ADDED, "."))
    (root / "new").write_text("x")
    expect(notify, root, (ADDED, "new"))


def test_polling(root: Path, watching: Watching) -> None:
    notify = watching(polling=True)
    (root / "new").write_text("x")
    (root / "dir" / "deep").rename(root / "deep")
    deleted = all_of(DELETED, "dir/deep", "dir/deep/g")
    expect(notify, root, *deleted, *all_of(ADDED, "new", "deep", "deep/g"))


def test_several_roots_also_one_inside_the_other(root: Path, watching: Watching) -> None:
    other = root.parent / "other"
    other.mkdir()
    notify = watching(root, root / "dir", other)
    (root / "dir" / "f").write_text("once")
    (other / "f").write_text("x")
    expect(notify, root.parent, (MODIFIED, "tree/dir/f"), (ADDED, "other/f"))


def test_paths_are_told_under_the_name_given(
    root: Path, watching: Watching, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(root.parent)
    Path("way").symlink_to("tree")
    notify = watching("way/../tree/dir", "way", "./tree/top")
    (root / "dir" / "f").write_text("x")
    (root / "top").write_text("x")
    here = os.getcwd()
    shown = ("way/../tree/dir/f", "way/dir/f", "way/top", "./tree/top")
    expect(notify, Path("/nowhere"), *all_of(MODIFIED, *(f"{here}/{path}" for path in shown)))


OVERFLOWING = """
import sys
from currant.watching import RustNotify
watched, most = sys.argv[1], int(sys.argv[2])
seen = set()
with RustNotify([watched], False, False, 0, True, False) as notify:
    print("ready", flush=True)
    while len(seen) < most:
        seen |= {path for _, path in notify.watch(1600, 50, 0, None)}
print(len(seen), flush=True)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the queue of inotify")
def test_a_flood_that_overflows_the_queue_loses_nothing(root: Path) -> None:
    """While the watcher is stopped the kernel keeps what happens, up to its limit; a directory that is made
    after that is told to nobody."""
    files = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text()) // 3 + 500
    command = [sys.executable, "-c", OVERFLOWING, str(root), str(files + 2)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as watcher:
        assert watcher.stdout is not None
        assert watcher.stdout.readline() == "ready\n"
        watcher.send_signal(signal.SIGSTOP)
        for number in range(files):
            (root / "dir" / f"{number}").write_text("x")
        (root / "late").mkdir()
        (root / "late" / "f").write_text("x")
        watcher.send_signal(signal.SIGCONT)
        told, _ = watcher.communicate(timeout=60)
    assert told == f"{files + 2}\n"


# --- single files -----------------------------------------------------------------------------------------


def test_a_file_goes_on_being_watched_when_another_takes_its_place(root: Path, watching: Watching) -> None:
    notify = watching(root / "top")
    for number in range(3):
        (root / "beside").write_text(str(number))
        (root / "beside").rename(root / "top")
        expect(notify, root, (MODIFIED, "top"))
    (root / "top").unlink()
    expect(notify, root, (DELETED, "top"))
    (root / "top").write_text("again")
    expect(notify, root, (ADDED, "top"))


def test_a_file_behind_links(root: Path, watching: Watching) -> None:
    (root / "..first").mkdir()
    (root / "..first" / "settings").write_text("1")
    (root / "..data").symlink_to("..first")
    (root / "settings").symlink_to("..data/settings")
    notify = watching(root / "settings")
    (root / "..first" / "settings").write_text("2")
    expect(notify, root, (MODIFIED, "settings"))
    # As Kubernetes replaces a volume of settings.
    (root / "..second").mkdir()
    (root / "..second" / "settings").write_text("3")
    (root / "..data_tmp").symlink_to("..second")
    (root / "..data_tmp").rename(root / "..data")
    expect(notify, root, (MODIFIED, "settings"))


def test_a_directory_that_takes_the_place_of_a_watched_file(root: Path, watching: Watching) -> None:
    notify = watching(root / "top")
    (root / "top").unlink()
    (root / "top").mkdir()
    expect(notify, root, (MODIFIED, "top"))


# --- what cannot be watched --------------------------------------------------------------------------------


def test_a_path_that_is_not_there(root: Path, watching: Watching) -> None:
    with pytest.raises(FileNotFoundError, match="No such file or directory"):
        watching(root, root / "missing")


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is denied to root")
def test_a_directory_that_may_not_be_read(root: Path) -> None:
    (root / "dir").chmod(0)
    with pytest.raises(PermissionError) as raised:
        RustNotify([str(root)], False, False, 0, True, False)
    assert (raised.value.errno, raised.value.filename) == (errno.EACCES, str(root / "dir"))
    with RustNotify([str(root)], False, False, 0, True, True) as notify:
        (root / "top").write_text("the rest is watched")
        expect(notify, root, (MODIFIED, "top"))
        (root / "dir").chmod(0o700)
        expect(notify, root, *all_of(ADDED, "dir/f", "dir/deep", "dir/deep/g"), (MODIFIED, "dir"))


def test_closed(root: Path, watching: Watching) -> None:
    notify = watching()
    assert repr(notify) == f"RustNotify({root})"
    notify.close()
    notify.close()
    assert repr(notify) == "RustNotify(None)"
    with pytest.raises(RuntimeError, match="RustNotify watcher closed"):
        notify.watch(200, 50, 500, None)


# --- renames -----------------------------------------------------------------------------------------------


def test_renames_as_pairs(root: Path, watching: Watching) -> None:
    notify = watching(renames=True)
    (root / "top").rename(root / "between")
    (root / "between").rename(root / "bottom")
    (root / "dir").rename(root / "folder")
    at = str(root)
    # A step that a busy machine does not exceed between two renames: what comes later is another batch.
    assert notify.watch(30_000, 500, 30_000, None) == {
        Renamed(f"{at}/top", f"{at}/bottom"),
        Renamed(f"{at}/dir", f"{at}/folder"),
        Renamed(f"{at}/dir/f", f"{at}/folder/f"),
        Renamed(f"{at}/dir/deep", f"{at}/folder/deep"),
        Renamed(f"{at}/dir/deep/g", f"{at}/folder/deep/g"),
    }


paths = st.sampled_from("abcd")


@given(
    st.sets(paths),
    st.lists(st.tuples(st.sampled_from(("create", "write", "delete", "rename")), paths, paths), max_size=12),
)
def test_a_fold_is_the_difference_of_two_states(before: set[str], steps: list[tuple[str, str, str]]) -> None:
    """Oracle: a set of paths to which the steps are done one by one."""
    now, touched, fold = set(before), set[str](), Fold()
    for step, path, other in steps:
        if step == "create" and path not in now:
            fold.created(path)
            now.add(path)
        elif step == "write" and path in now:
            fold.modified(path)
        elif step == "delete" and path in now:
            fold.deleted(path)
            now.remove(path)
        elif step == "rename" and path in now and other not in now:
            fold.renamed(path, other)
            now.remove(path)
            now.add(other)
            touched.add(other)
        else:
            continue
        touched.add(path)
    expected = {
        *((ADDED, path) for path in now - before),
        *((DELETED, path) for path in before - now),
        *((MODIFIED, path) for path in now & before & touched),
    }
    assert fold.changes() == expected
    pairs = fold.changes(renames=True)
    apart = set[tuple[int, str]]()
    for item in pairs:
        apart |= {(DELETED, item.old), (ADDED, item.new)} if isinstance(item, Renamed) else {item}
    assert apart == expected


# --- nothing is lost ---------------------------------------------------------------------------------------

names = st.sampled_from(("a", "b", "c"))
places = st.lists(names, min_size=1, max_size=3).map("/".join)
steps = st.lists(
    st.tuples(st.sampled_from(("write", "mkdir", "remove", "rename", "link")), places, places), max_size=15
)


def state(root: Path) -> dict[str, bytes | None]:
    """Every path, with what it holds."""
    found: dict[str, bytes | None] = {}
    for path in root.rglob("*"):
        kept = os.readlink(path).encode() if path.is_symlink() else None
        found[str(path)] = path.read_bytes() if path.is_file() and kept is None else kept
    return found


def do(root: Path, step: tuple[str, str, str], number: int) -> None:
    what, one, two = step
    path, other = root / one, root / two
    try:
        if what == "write":
            path.write_text(str(number))
        elif what == "mkdir":
            path.mkdir(parents=True)
        elif what == "remove":
            subprocess.run(["rm", "-r", path], check=False, stderr=subprocess.DEVNULL)
        elif what == "rename":
            path.rename(other)
        else:
            path.symlink_to(two)
    except OSError:
        pass  # there is no such path, or something else is there


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rounds=st.lists(steps, min_size=1, max_size=3))
def test_what_is_told_leads_from_one_state_to_the_next(
    rounds: list[list[tuple[str, str, str]]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("random")
    with RustNotify([str(root)], False, False, 0, True, False, quiet_ms=5) as notify:
        for batch in rounds:
            before = state(root)
            for number, step in enumerate(batch):
                do(root, step, number)
            # The end of what is told of this round.
            marker = root / "end"
            marker.touch()
            after = state(root)
            known, changed = set(before), set[str]()
            while str(marker) not in changed or known != set(after):
                answer = notify.watch(1_600, 5, 20_000, None)
                assert not isinstance(answer, str), (answer, known ^ set(after))
                for change, path in (item for item in answer if not isinstance(item, Renamed)):
                    assert (path in known) == (change != ADDED), (change, path)
                    (known.discard if change == DELETED else known.add)(path)
                    changed.add(path)
            rewritten = {path for path in after if path in before and before[path] != after[path]}
            assert rewritten <= changed
            marker.unlink()
            expect(notify, root, (DELETED, "end"))
