"""Killed at any moment, the next start converges: SIGKILL in a loop, under load, by seed.

Moments are chosen by what can be seen (operations done, bytes of the write-ahead log, the owner's number in
the lock file), never by time. After the kills nothing that was told is taken back, the file is sound, the
clock has not gone back, and the index is what git says. ``CURRANT_TEST_SEED`` moves all the seeds.
"""

import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import apsw
import pytest

import currant
from conftest import GitRepo
from currant.lock import owner_of
from currant.model import ChangeRow, ChangeType
from oracle import Storm, git_files
from watcher import Watcher

KILLS = 9
BASE = int(os.environ.get("CURRANT_TEST_SEED", "0"))
_PAGE = 4096


def position(clock: str) -> tuple[str, int]:
    """(index, row of the feed) of a clock."""
    _, index, row = clock.split(":")
    return index, int(row)


class Victim:
    """Starts owners of one index, and kills each."""

    def __init__(self, repo: GitRepo, seed: int) -> None:
        self.root = repo.root
        self.state = repo.root / ".currant"
        self.chance = random.Random(seed)
        self.storm = Storm(repo.root, seed)
        self.told: list[dict[str, Any]] = []
        """The changes that killed watchers said were committed."""
        self.kinds: list[Callable[[], None]] = [
            self._under_load, self._under_load, self._while_starting, self._in_a_first_scan, self._a_reader,
        ]  # fmt: skip

    def kill_one(self) -> str:
        """One owner, one kill; what kind it was."""
        kind = self.chance.choice(self.kinds)
        kind()
        return kind.__name__

    def _under_load(self) -> None:
        """A watcher, at some operation of a storm or soon after some commit."""
        with Watcher(self.root) as watcher:
            watcher.ready()
            enough = self._log_size() + self.chance.randrange(1, 40) * _PAGE
            for _ in range(self.chance.randrange(1, 150)):
                self.storm.blow(1)
                if self._log_size() > enough:
                    break
            self.told += [line for line in watcher.kill() if "change" in line]

    def _while_starting(self) -> None:
        """A watcher that has just taken the lock: it opens, migrates, loads, scans."""
        self.storm.blow(self.chance.randrange(40))
        with Watcher(self.root) as watcher:
            while owner_of(self.state) != watcher.process.pid:
                assert watcher.process.poll() is None, watcher.process.communicate()
            for _ in range(self.chance.randrange(3_000)):
                os.sched_yield()
            self.told += [line for line in watcher.kill() if "change" in line]

    def _in_a_first_scan(self) -> None:
        """``currant index`` with much to do, after some bytes of its log."""
        for number in range(300):
            path = self.root / f"many{self.chance.randrange(3)}" / f"{number}.py"
            path.parent.mkdir(exist_ok=True)
            path.write_text(f"def many{self.chance.randrange(1 << 30)}(): pass\n")
        command = [sys.executable, "-m", "currant", "index", "--root", os.fspath(self.root)]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            while owner_of(self.state) != process.pid and process.poll() is None:
                os.sched_yield()
            enough = self._log_size() + self.chance.randrange(60) * _PAGE
            while process.poll() is None and self._log_size() < enough:
                os.sched_yield()
            process.kill()

    def _a_reader(self) -> None:
        """``currant find``, which owns the index for the length of its question."""
        self.storm.blow(self.chance.randrange(60))
        command = [sys.executable, "-m", "currant", "find", "main", "--root", os.fspath(self.root)]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            while owner_of(self.state) != process.pid and process.poll() is None:
                os.sched_yield()
            for _ in range(self.chance.randrange(6_000)):
                os.sched_yield()
            process.kill()

    def _log_size(self) -> int:
        try:
            return (self.state / "index.db-wal").stat().st_size
        except FileNotFoundError:
            return 0


def require_sound(state: Path) -> None:
    """What SQLite itself says of the file that the killed owner left; nobody else has it open now."""
    # Read only: the last one who may write moves the log into the index, and an index without its log counts
    # as damaged while its seal says that it was not closed.
    with apsw.Connection(os.fspath(state / "index.db"), flags=apsw.SQLITE_OPEN_READONLY) as database:
        assert database.execute("PRAGMA integrity_check").get == "ok"
    database.close()


def replayed(rows: list[ChangeRow]) -> set[str]:
    """The files that a reader of the feed believes in, who began with none."""
    files: set[str] = set()
    for row in rows:
        files.discard(row.old_path or "")
        (files.discard if row.change_type == ChangeType.DELETED else files.add)(row.path)
    return files


@pytest.mark.parametrize("seed", range(BASE, BASE + 6))
def test_killed_at_any_moment_the_next_start_converges(git_repo: GitRepo, seed: int) -> None:
    victim = Victim(git_repo, seed)
    with currant.open(git_repo.root, live=False) as index:
        start = clock = index.sync()
    kills = 0
    while kills < KILLS:
        kinds = [victim.kill_one() for _ in range(victim.chance.choice((1, 1, 2, 3)))]
        kills += len(kinds)
        what = f"seed {seed}, kill {kills}: {kinds}"
        require_sound(victim.state)
        with currant.open(git_repo.root, live=False, create=False) as index:
            assert index.service is not None, what
            assert index.service.store.opened.how == "existing", what
            # Before anything new is committed: where it stands is not behind what anybody was told.
            told = [position(line["clock"]) for line in victim.told]
            now = position(index.status()["clock"])
            assert now >= max([position(clock), *told]), what
            assert {name for name, _ in told} <= {now[0]}, what
            clock = index.sync(60)
            assert position(clock) >= now, what
            files = index.files()
            assert files == [os.fsdecode(name) for name in git_files(git_repo.root)], what
            report = index.verify()
            assert report.ok, (what, report)
            feed = list(index.changes(start))
            assert not index.fresh_instance
            assert replayed(feed) == set(files), what
            rows = {(row.clock, str(row.change_type), row.path) for row in feed}
            said = {(line["clock"], line["change"], line["path"]) for line in victim.told}
            assert said <= rows, (what, said - rows)
