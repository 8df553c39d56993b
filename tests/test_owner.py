"""An owner that cannot answer is named with the way out, at once; one that is starting is waited for."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import currant
from conftest import GitRepo, Tree
from currant import doctor
from currant.cli import run
from currant.doctor import Grade
from currant.errors import NoIndexError, OwnerSuspendedError
from currant.lock import RootLock
from currant.owner import Patience, lock_holder, suspended
from watcher import Watcher


def process(proc: Path, pid: int, state: str, cgroup: str = "0::/\n") -> None:
    """What the kernel would say of a process."""
    (proc / str(pid)).mkdir(parents=True)
    (proc / str(pid) / "stat").write_text(f"{pid} (a (strange) name) {state} 1 1 1\n")
    (proc / str(pid) / "cgroup").write_text(cgroup)


def test_the_lock_holder_is_found_without_asking_for_the_lock(tmp_path: Path) -> None:
    assert lock_holder(tmp_path / "lock") is None
    lock = RootLock(tmp_path)
    lock.acquire()
    try:
        assert lock_holder(tmp_path / "lock") == os.getpid()
    finally:
        lock.release()
    assert lock_holder(tmp_path / "lock") is None


@pytest.mark.parametrize(
    ("state", "said"), [("S", None), ("R", None), ("D", None), ("T", "kill -CONT 42"), ("t", "debugger")]
)
def test_the_state_of_a_process_says_whether_it_is_stopped(
    tmp_path: Path, state: str, said: str | None
) -> None:
    process(tmp_path, 42, state)
    found = suspended(42, tmp_path, tmp_path)
    assert (found is None) if said is None else (found is not None and said in found)


def test_a_frozen_control_group_is_named_with_the_file_that_thaws_it(tmp_path: Path) -> None:
    groups = tmp_path / "groups"
    (groups / "box").mkdir(parents=True)
    (groups / "freezer" / "old").mkdir(parents=True)
    process(tmp_path, 1, "S", "0::/box\n")
    process(tmp_path, 2, "S", "3:cpu,freezer:/old\n0::/\n")
    (groups / "box" / "cgroup.events").write_text("populated 1\nfrozen 0\n")
    (groups / "freezer" / "old" / "freezer.state").write_text("THAWED\n")
    assert suspended(1, tmp_path, groups) is None
    assert suspended(2, tmp_path, groups) is None
    (groups / "box" / "cgroup.events").write_text("populated 1\nfrozen 1\n")
    (groups / "freezer" / "old" / "freezer.state").write_text("FROZEN\n")
    assert f"{groups}/box/cgroup.freeze" in str(suspended(1, tmp_path, groups))
    assert f"{groups}/freezer/old/freezer.state" in str(suspended(2, tmp_path, groups))


def test_a_process_that_cannot_be_seen_is_not_suspended(tmp_path: Path) -> None:
    assert suspended(0) is None
    assert suspended(7, tmp_path) is None
    assert suspended(os.getpid()) is None


def test_one_look_at_a_stopped_process_is_not_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = iter(["is stopped", None, "is stopped", "is stopped"])
    monkeypatch.setattr("currant.owner.suspended", lambda _pid: next(seen))
    patience = Patience(9)
    for _ in range(3):
        patience.look()
    with pytest.raises(OwnerSuspendedError, match="process 9"):
        patience.look()


@pytest.fixture
def stopped(git_repo: GitRepo, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watcher]:
    """A watcher that was stopped when it was live."""
    git_repo.write({"a.py": "def a(): pass\n"})
    monkeypatch.chdir(git_repo.root)
    with Watcher(git_repo.root) as watcher:
        watcher.ready().freeze()
        yield watcher


def test_a_command_says_that_the_owner_is_stopped(
    stopped: Watcher, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["find", "a"]) == 5
    assert f"kill -CONT {stopped.process.pid}" in capsys.readouterr().err
    stopped.thaw()
    assert run(["find", "a"]) == 0


def test_an_owner_that_is_stopped_during_a_question_is_named_too(git_repo: GitRepo) -> None:
    with Watcher(git_repo.root) as watcher:
        watcher.ready()
        with currant.open(git_repo.root) as index:
            watcher.freeze()
            with pytest.raises(OwnerSuspendedError) as caught:
                index.files()
            assert caught.value.exit_code == 5
            watcher.thaw()


def test_the_status_of_a_stopped_owner_is_suspended(
    stopped: Watcher, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["status", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["phase"], told["fresh"], told["running"]) == ("suspended", False, False)
    assert told["pid"] == stopped.process.pid
    assert [trouble["code"] for trouble in told["degraded"]] == ["suspended"]
    assert run(["status"]) == 0
    assert f"kill -CONT {stopped.process.pid}" in capsys.readouterr().out


def test_the_doctor_finds_that_the_owner_is_stopped(stopped: Watcher) -> None:
    root = Path.cwd()
    [check] = [check for check in doctor.owner(root / ".currant") if check.grade is Grade.FAIL]
    assert check.name == "owner"
    assert f"kill -CONT {stopped.process.pid}" in check.fix


def test_a_second_watcher_is_told_that_the_first_is_stopped(
    stopped: Watcher, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["watch"]) == 5
    assert f"kill -CONT {stopped.process.pid}" in capsys.readouterr().err


STARTING = """
import sys
from currant.lock import RootLock
from pathlib import Path
state = Path(sys.argv[1]); state.mkdir()
lock = RootLock(state); lock.acquire()
print("held", flush=True)
sys.stdin.readline()
lock.release()
from currant.api import open_index
with open_index(sys.argv[2]) as index:
    print("open", flush=True)
    sys.stdin.readline()
"""


def test_an_owner_that_is_still_starting_is_waited_for(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before it has made its index; the release of its lock and the taking by the service are one moment too,
    in which a command may look."""
    tree.write({"a.py": "def a(): pass\n"})
    command = [sys.executable, "-c", STARTING, str(tree.root / ".currant"), str(tree.root)]
    owner = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert owner.stdin is not None
    assert owner.stdout is not None
    try:
        assert owner.stdout.readline() == "held\n"
        asked: list[str] = []

        def look(lock: Path) -> int | None:
            """The holder, and the sign to go on for it: a command has seen it starting."""
            holder = lock_holder(lock) or owner.pid
            if not asked:
                asked.append("once")
                owner.stdin.write("go on\n")  # type: ignore[union-attr]
                owner.stdin.flush()  # type: ignore[union-attr]
            return holder

        monkeypatch.setattr("currant.api.backend.lock_holder", look)
        assert run(["sync", "--root", str(tree.root)]) == 0
        assert asked
    finally:
        owner.communicate("end\n", timeout=60)


def test_without_an_owner_a_missing_index_is_refused_at_once(tree: Tree) -> None:
    with pytest.raises(NoIndexError):
        currant.open(tree.root, create=False)
    assert not tree.path(".currant").exists()
    assert run(["sync", "--root", str(tree.root)]) == 3
