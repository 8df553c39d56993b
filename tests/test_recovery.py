"""When a lost index is repaired, and how often: the guard on a clock that stands still."""

import os
import random
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import GitRepo
from currant.clock import ManualClock
from currant.errors import LockedError, StoreError
from currant.ipc.client import Client
from currant.recovery import (
    BEAT_SECONDS,
    CALM_SECONDS,
    FREE_REPAIRS,
    RETRY_CAP_SECONDS,
    Guard,
    seconds_of_patience,
)
from watcher import Watcher


class Bench:
    """A guard without its thread, over something that can be wrong."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.wrong: str | None = None
        self.errors: list[Exception] = []
        self.repairs: list[str] = []
        self.beats = 0
        self.guard = Guard(lambda: self.wrong, self.repair, clock=self.clock, source=random.Random(1))
        self.guard.beats.append(self.beat)

    def repair(self, reason: str) -> None:
        self.repairs.append(reason)
        if self.errors:
            raise self.errors.pop(0)
        self.wrong = None

    def beat(self) -> None:
        self.beats += 1


def test_all_is_well_until_something_is_wrong_and_then_it_is_repaired_at_once() -> None:
    bench = Bench()
    assert bench.guard.turn() == BEAT_SECONDS
    assert (bench.repairs, bench.beats, bench.guard.trouble()) == ([], 1, None)
    bench.wrong = "index.db was removed"
    assert bench.guard.ask() == "index.db was removed" == bench.guard.trouble()
    bench.guard.turn()
    assert (bench.repairs, bench.beats, bench.guard.trouble()) == (["index.db was removed"], 2, None)


def test_what_is_reported_is_repaired_though_no_look_finds_it() -> None:
    bench = Bench()
    bench.guard.report("page 7 is damaged")
    assert not bench.guard.settle(0.0)
    bench.guard.turn()
    assert bench.repairs == ["page 7 is damaged"]
    assert bench.guard.settle(0.0)


def test_a_repair_that_fails_is_said_and_tried_again_later_or_when_somebody_waits() -> None:
    bench = Bench()
    bench.wrong = "gone"
    bench.errors = [StoreError("no room"), StoreError("no room yet")]
    wait = bench.guard.turn()
    assert 0.0 < wait <= RETRY_CAP_SECONDS
    assert bench.guard.trouble() == "gone; making it anew failed: no room"
    assert bench.guard.turn() == pytest.approx(wait)
    assert len(bench.repairs) == 1
    assert not bench.guard.settle(0.0)  # somebody waits
    bench.guard.turn()
    assert bench.guard.trouble() == "gone; making it anew failed: no room yet"
    bench.clock.advance(RETRY_CAP_SECONDS)
    bench.guard.turn()
    assert (len(bench.repairs), bench.guard.trouble()) == (3, None)


def test_a_root_that_is_somebody_elses_is_not_tried_again() -> None:
    bench = Bench()
    bench.wrong = "gone"
    bench.errors = [LockedError(4711, "/r")]
    ended: list[bool] = []
    bench.guard.endings.append(lambda: ended.append(True))
    bench.guard.turn()
    assert bench.guard.final is not None
    assert ended == [True]
    with pytest.raises(LockedError, match="4711"):
        bench.guard.settle(60.0)


def test_repairs_that_do_not_last_are_spaced_out() -> None:
    bench = Bench()
    for _ in range(60):
        bench.wrong = "written to again"
        bench.guard.turn()
        bench.clock.advance(1.0)
    assert FREE_REPAIRS < len(bench.repairs) < 15
    bench.wrong = None
    bench.clock.advance(10 * CALM_SECONDS)
    bench.guard.turn()
    bench.wrong = "once more"
    bench.guard.turn()
    assert bench.repairs[-1] == "once more"


def test_patience_grows_and_has_an_end() -> None:
    chance = random.Random(2)
    waits = [seconds_of_patience(times, chance) for times in range(1, 40)]
    assert waits[0] <= 0.5
    assert max(waits) <= RETRY_CAP_SECONDS
    assert min(waits[10:]) >= RETRY_CAP_SECONDS / 2


def test_what_is_made_anew_is_private_whatever_the_umask(git_repo: GitRepo) -> None:
    git_repo.write({f"{at}.py": f"def f{at}(): pass\n" for at in range(20)})
    state = git_repo.root / ".currant"
    old = os.umask(0)
    try:
        watcher = Watcher(git_repo.root)
    finally:
        os.umask(old)
    with watcher:
        watcher.ready()
        for loss in ("index.db-wal", "index.db", ""):
            if loss:
                (state / loss).unlink()
            else:
                subprocess.run(["rm", "-r", os.fspath(state)], check=True)
            while not (watcher.next() or {}).get("fresh_instance"):
                assert watcher.process.poll() is None
            while not (state / "sock").exists():
                os.sched_yield()
            with Client.connect(state) as client:
                client.call("sync", {}, sync_ms=30_000)
            assert stat.S_IMODE(state.stat().st_mode) == 0o700
            assert modes(state) == dict.fromkeys(modes(state), 0o600)
            assert {"index.db", "index.db-wal", "index.db-shm", "lock", "sock", "index.seal"} <= modes(
                state
            ).keys()
    assert modes(state) == dict.fromkeys(modes(state), 0o600)


def modes(state: Path) -> dict[str, int]:
    """The rights of all files but the one that git reads."""
    return {
        path.name: stat.S_IMODE(path.lstat().st_mode) for path in state.iterdir() if path.name != ".gitignore"
    }


READ = """
import apsw, sys
connection = apsw.Connection(sys.argv[1])
assert connection.execute("SELECT count(*) FROM files").get == 20
connection.close()
"""


def test_whoever_only_looks_at_the_file_does_not_have_it_made_anew(git_repo: GitRepo) -> None:
    git_repo.write({f"{at}.py": f"def f{at}(): pass\n" for at in range(20)})
    state = git_repo.root / ".currant"
    with Watcher(git_repo.root) as watcher:
        watcher.ready()
        with Client.connect(state) as client:
            clock = client.call("sync", {}, sync_ms=30_000).clock
            subprocess.run([sys.executable, "-c", READ, os.fspath(state / "index.db")], check=True)
            doctor = [sys.executable, "-m", "currant", "doctor", "--root", os.fspath(git_repo.root)]
            subprocess.run(doctor, check=False, capture_output=True)
            subprocess.run(
                ["cp", "-r", os.fspath(state), os.fspath(git_repo.root.with_name("copy"))], check=True
            )
            assert client.call("sync", {}, sync_ms=30_000).clock == clock
            assert client.call("status").result["degraded"] == []
