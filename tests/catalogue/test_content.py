"""What is in a file: stamps that lie, writers that never close, saves that take many steps (section D of
docs/guarantees.md). The invariants of `kit.Live.settle` follow each recipe."""

import mmap
import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from catalogue.kit import Live, watching
from conftest import GitRepo, Tree


def test_an_edit_of_the_same_size_and_time_is_read(live: Live) -> None:
    place = live.place("same_stamp")
    for content in ("aaaa", "bbbb"):
        place.write(f=content)
        os.utime(place.path("f"), (1000, 1000))
        live.settle()


def test_an_edit_that_sets_the_time_back_is_read(live: Live) -> None:
    place = live.place("backwards").write(f="older and longer")
    live.settle()
    place.write(f="newer, says nobody")
    os.utime(place.path("f"), (915_148_800, 915_148_800))
    live.settle()
    place.write({"kept": "from an archive"})
    os.utime(place.path("kept"), (1, 1))
    place.path("kept").replace(place.path("f"))


def test_stores_through_a_map_are_read_when_it_is_unmapped(live: Live) -> None:
    place = live.place("mapped").write(f=b"." * 8192)
    live.settle()
    with open(place.path("f"), "r+b") as file:
        memory = mmap.mmap(file.fileno(), 0)
    memory[:4] = b"head"
    if live.source != "poll":
        live.sync()
        # The page is dirty already: this store changes no stamp, and only unmapping it is reported.
        memory[4:8] = b"more"
    memory.close()


def test_each_write_through_a_handle_that_stays_open_is_indexed(live: Live) -> None:
    place = live.place("open_handle").write({"log": ""})
    name = os.path.relpath(place.path("log"), live.root)
    live.settle()
    with open(place.path("log"), "ab", buffering=0) as file, live.index.follow() as changes:
        for number in range(8):
            file.write(b"line %d\n" % number)
            assert any(change.path == name for change in changes)


def test_a_file_that_is_never_quiet_is_indexed_while_it_is_written(live: Live) -> None:
    place = live.place("never_quiet").write({"log": ""})
    name = os.path.relpath(place.path("log"), live.root)
    live.settle()
    enough = threading.Event()

    def scribble() -> None:
        with open(place.path("log"), "ab", buffering=0) as file:
            while not enough.wait(0.001):
                file.write(b".")

    writer = threading.Thread(target=scribble)
    with live.index.follow() as changes:
        writer.start()
        try:
            # The third is not the file's beginning any more, nor its end.
            for _ in range(3):
                assert any(change.path == name for change in changes)
        finally:
            enough.set()
            writer.join()


def test_ten_thousand_writes_to_one_file_end_with_its_last_content(live: Live) -> None:
    place = live.place("storm").write(f="")
    live.settle()
    with open(place.path("f"), "ab", buffering=0) as file:
        for number in range(10_000):
            file.write(b"%d\n" % number)


@pytest.mark.parametrize("source", ["inotify", "poll", "notify"])
def test_the_empty_moment_of_a_save_is_not_indexed(git_repo: GitRepo, source: str) -> None:
    git_repo.write({"f.py": "def before(): pass\n"})
    slow = ("monitor.debounce_ms=10000", "monitor.max_delay_ms=60000")
    with watching(git_repo, source, *slow) as live:
        clock, calls = live.sync(), live.extractor_calls()
        with open(git_repo.path("f.py"), "w") as file:
            while live.status()["pending"] == 0:
                continue  # until the watcher knows that it is empty
            file.write("def after(): pass\n")
        live.settle()
        assert [(change.path, change.change_type) for change in live.index.changes(clock)] == [
            ("f.py", "modified")
        ]
        assert live.extractor_calls() == calls + 1


def test_a_change_of_mode_time_or_attributes_costs_no_extractor_call(live: Live) -> None:
    place = live.place("metadata").write({"f.py": "def f(): pass\n"})
    live.settle()
    calls, path = live.extractor_calls(), place.path("f.py")
    path.chmod(0o600)
    live.settle()
    os.utime(path, (5, 5))
    live.settle()
    os.setxattr(path, "user.note", b"nothing to see")
    live.settle()
    assert live.extractor_calls() == calls


def written_beside_and_renamed(tree: Tree, body: str) -> None:
    """VS Code with atomic saves, most agents, git itself."""
    fresh = tree.path(".f.py.tmp-1234")
    with open(fresh, "w") as file:
        file.write(body)
        os.fsync(file.fileno())
    fresh.chmod(0o644)
    fresh.replace(tree.path("f.py"))


def truncated_and_written(tree: Tree, body: str) -> None:
    """nano, and whoever writes in place."""
    tree.write({"f.py": body})


def as_vim_does(tree: Tree, body: str) -> None:
    """A probe file, the old file as backup, a new one in its place, the backup removed."""
    for probe in ("4913", "5036"):
        os.close(os.open(tree.path(probe), os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        tree.path(probe).unlink()
    tree.path("f.py").rename(tree.path("f.py~"))
    tree.write({"f.py": body, ".f.py.swp": "swap"})
    tree.path("f.py~").unlink()
    tree.path(".f.py.swp").unlink()


def as_emacs_does(tree: Tree, body: str) -> None:
    """A lock that is a link to nowhere, an autosave file, the save itself."""
    tree.path(".#f.py").symlink_to("user@host.1234:5678")
    tree.write({"#f.py#": body}).path("#f.py#").unlink()
    tree.write({"f.py": body})
    tree.path(".#f.py").unlink()


def as_jetbrains_does(tree: Tree, body: str) -> None:
    """Both the new and the old content have names of their own for a moment."""
    tree.write({"f.py___jb_tmp___": body})
    tree.path("f.py").rename(tree.path("f.py___jb_old___"))
    tree.path("f.py___jb_tmp___").rename(tree.path("f.py"))
    tree.path("f.py___jb_old___").unlink()


SAVES = [
    written_beside_and_renamed,
    truncated_and_written,
    as_vim_does,
    as_emacs_does,
    as_jetbrains_does,
]


@pytest.mark.parametrize("save", SAVES, ids=lambda save: save.__name__)
def test_an_editor_s_save_is_one_change(live: Live, save: Callable[[Tree, str], None]) -> None:
    place = live.place(save.__name__)
    place.write({"f.py": f"def before_{save.__name__}(): pass\n"})
    live.settle()
    clock, calls = live.sync(), live.extractor_calls()
    with live.frozen():
        save(place, f"def after_{save.__name__}(): pass\n")
    live.settle()
    assert live.below(place) == ["f.py"]
    assert live.extractor_calls() == calls + 1
    assert [change.change_type for change in live.index.changes(clock)] == ["modified"]
    # Once more with the watcher at its heels: what it sees in between is its business, the end is not.
    save(place, f"def again_{save.__name__}(): pass\n")


def test_a_file_deleted_and_made_again_at_once_is_there(live: Live) -> None:
    place = live.place("back_again").write(f="1")
    live.settle()
    with live.frozen():
        place.path("f").unlink()
        place.write(f="2")
    live.settle()
    assert live.below(place) == ["f"]


def test_a_file_made_and_deleted_at_once_leaves_nothing(live: Live) -> None:
    place = live.place("gone_again").write({"stays": ""})
    live.settle()
    calls = live.extractor_calls()
    with live.frozen():
        place.write(g="3").path("g").unlink()
    live.settle()
    assert live.below(place) == ["stays"]
    assert live.extractor_calls() == calls


def test_what_is_no_regular_file_is_not_opened(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    place = live.place("irregular").write({"was.py": "def was(): pass\n"})
    live.settle()
    os.mkfifo(place.path("x.py"))
    monkeypatch.chdir(place.root)  # the name of a socket may not be long
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("y.py")
        place.path("was.py").unlink()
        os.mkfifo(place.path("was.py"))
        live.settle()  # opening any of them would wait for ever
    assert live.below(place) == []
    for name in ("x.py", "y.py", "was.py"):
        place.path(name).unlink()
    place.write({"x.py": "def file(): pass\n"})
    live.settle()
    assert live.below(place) == ["x.py"]


def test_a_replacement_of_the_same_size_and_time_is_read(live: Live, tmp_path: Path) -> None:
    """A copy keeps the times of what it was copied from, and may be as long."""
    place = live.place("copied").write(f="original")
    live.settle()
    (tmp_path / "other").write_text("replaced")
    stat = place.path("f").stat()
    os.utime(tmp_path / "other", ns=(stat.st_atime_ns, stat.st_mtime_ns))
    (tmp_path / "other").replace(place.path("f"))
