"""One owner for each root, whatever happens to it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from currant.errors import LockedError
from currant.lock import RootLock, owner_of

HOLDER = """
import sys
from pathlib import Path
from currant.lock import RootLock
lock = RootLock(Path(sys.argv[1]))
lock.acquire()
print("held", flush=True)
sys.stdin.read()
"""


def hold(state: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(state)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def end(process: subprocess.Popen[str]) -> None:
    process.communicate()


def test_the_second_one_is_told_who_the_first_is(tmp_path: Path) -> None:
    process = hold(tmp_path)
    with pytest.raises(LockedError, match=str(process.pid)) as caught:
        RootLock(tmp_path, "/some/root").acquire()
    assert caught.value.pid == process.pid
    assert "/some/root" in str(caught.value)
    assert owner_of(tmp_path) == process.pid
    end(process)
    lock = RootLock(tmp_path)
    lock.acquire()
    lock.release()


def test_a_killed_owner_leaves_nothing_behind(tmp_path: Path) -> None:
    process = hold(tmp_path)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert owner_of(tmp_path) is None
    lock = RootLock(tmp_path)
    lock.acquire()
    assert owner_of(tmp_path) == os.getpid()
    lock.release()


def test_the_same_process_is_refused_too(tmp_path: Path) -> None:
    first, second = RootLock(tmp_path), RootLock(tmp_path)
    first.acquire()
    first.acquire()  # the holder itself may ask again
    with pytest.raises(LockedError) as caught:
        second.acquire()
    assert caught.value.pid == os.getpid()
    assert not second.held
    first.release()
    first.release()
    second.acquire()
    second.release()


def test_nobody_holds_what_was_never_locked(tmp_path: Path) -> None:
    assert owner_of(tmp_path) is None
    assert owner_of(tmp_path / "absent") is None


def test_an_unreadable_pid_is_zero(tmp_path: Path) -> None:
    process = hold(tmp_path)
    (tmp_path / "lock").write_text("")
    with pytest.raises(LockedError, match="another process"):
        RootLock(tmp_path).acquire()
    end(process)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_child_does_not_keep_the_lock_alive(tmp_path: Path) -> None:
    """The owner forks, releases, and the child lives on: the lock is free, and was held until then."""
    lock = RootLock(tmp_path)
    lock.acquire()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(writer)
        os.read(reader, 1)  # until the parent closes its end
        os._exit(0 if not lock.held else 1)
    os.close(reader)
    with pytest.raises(LockedError):  # the child's start has not unlocked it
        RootLock(tmp_path).acquire()
    lock.release()
    other = RootLock(tmp_path)
    other.acquire()
    other.release()
    os.close(writer)
    assert os.waitpid(child, 0)[1] == 0
