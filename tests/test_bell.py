"""Being told that something happened in a directory: what is told, to whom, and that it ends."""

import os
import sys
import threading
from pathlib import Path

import pytest

from currant import bell
from currant.bell import Listening, listen

PATIENCE = 60.0  # seconds after which a test fails; nothing waits for it
pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="inotify")


def heard(directory: Path, *, writes: bool = False) -> tuple[Listening, threading.Event]:
    event = threading.Event()
    listening = listen(directory, event.set, writes=writes)
    assert listening is not None
    return listening, event


def test_names_that_come_and_go_are_told(tmp_path: Path) -> None:
    listening, event = heard(tmp_path)
    file = tmp_path / "a"
    for happens in (
        file.touch,
        lambda: file.rename(tmp_path / "b"),
        lambda: (tmp_path / "b").write_text("x"),
        lambda: (tmp_path / "b").chmod(0o600),
        (tmp_path / "b").unlink,
    ):
        event.clear()
        happens()
        assert event.wait(PATIENCE)
    listening.close()


def test_writes_are_told_to_who_asked_for_them(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb", buffering=0) as file:
        names, told_names = heard(tmp_path)
        writes, told_writes = heard(tmp_path, writes=True)
        file.write(b"x")
        assert told_writes.wait(PATIENCE)
        names.close()
        told_names.clear()
        told_writes.clear()
        file.write(b"x")
        assert told_writes.wait(PATIENCE)
        assert not told_names.is_set()
        writes.close()


def test_a_directory_that_goes_is_told_as_the_last_thing(tmp_path: Path) -> None:
    for number, goes in enumerate((Path.rmdir, lambda one: one.rename(tmp_path / "other"))):
        directory = tmp_path / str(number)
        directory.mkdir()
        listening, event = heard(directory)
        assert listening.works
        goes(directory)
        assert event.wait(PATIENCE)
        while listening.works:  # a name may be told first
            event.clear()
            assert event.wait(PATIENCE)
        listening.close()


def test_what_cannot_be_listened_to_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert listen(tmp_path / "nowhere", lambda: None) is None
    (tmp_path / "file").touch()
    assert listen(tmp_path / "file", lambda: None) is None

    def refused() -> int:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(bell, "_open_inotify", refused)
    assert listen(tmp_path, lambda: None) is None


def test_nothing_is_left_when_nobody_listens(tmp_path: Path) -> None:
    for _ in range(3):
        before = set(os.listdir("/proc/self/fd"))
        several = [heard(tmp_path)[0] for _ in range(3)]
        assert [thread.name for thread in threading.enumerate()].count("currant-bell") == 1
        for listening in several:
            listening.close()
            listening.close()
        assert not [thread for thread in threading.enumerate() if thread.name == "currant-bell"]
        assert set(os.listdir("/proc/self/fd")) == before


def test_a_forked_child_hears_nothing_and_takes_nothing_away(tmp_path: Path) -> None:
    listening, event = heard(tmp_path)
    child = os.fork()
    if child == 0:
        try:
            listening.close()
            os._exit(0 if not listening.works else 1)
        except BaseException:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    event.clear()
    (tmp_path / "a").touch()
    assert event.wait(PATIENCE)
    listening.close()
