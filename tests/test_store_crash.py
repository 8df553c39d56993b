"""Killed anywhere, failing anywhere: what was committed is there, and what was not is not there at all."""

import os
import random
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw
import pytest

from currant.errors import StoreError
from currant.model import MoveTree, Remove
from store_kit import opened, query, upsert

WRITER = """
import sys
from pathlib import Path
sys.path[:0] = sys.argv[3:]
from currant.model import Remove
from store_kit import opened, upsert
store = opened(Path(sys.argv[1]))
number = int(sys.argv[2])
print("ready", flush=True)
while True:
    names = tuple(f"name{number}x{i}" for i in range(30))
    group = [upsert(b"%d/%d" % (number, i), (number, i), names=names) for i in range(5)]
    clock = store.commit(group + [Remove(b"%d/0" % (number - 3), "event")], 1.0)
    print(f"{number} {clock}:", flush=True)  # the last colon tells a whole line from a cut one
    number += 1
"""


WHOLE = re.compile(r"\d+ c:[0-9a-f]{8}:\d+:")


def parsed(line: str) -> tuple[int, int]:
    """(group, row of the feed) of a line of the writer."""
    group, clock = line.split()
    return int(group), int(clock.split(":")[2])


def test_kill_dash_nine_in_a_loop_keeps_every_committed_clock(tmp_path: Path) -> None:
    chance = random.Random(int(os.environ.get("CURRANT_TEST_SEED", "7")))
    here = [str(Path(__file__).parent), *sys.path]
    number, said, last_seq = 0, -1, 0
    for _ in range(12):
        command = [sys.executable, "-c", WRITER, str(tmp_path), str(number), *here]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            assert writer.stdout.readline() == "ready\n"
            for _ in range(chance.randrange(12)):
                said, last_seq = parsed(writer.stdout.readline())
            writer.kill()
            # What it said before it died counts as said.
            for line in writer.stdout.read().splitlines():
                if WHOLE.fullmatch(line):
                    said, last_seq = parsed(line)
        with opened(tmp_path) as store:
            assert store.opened.how in ("existing", "created")
            reader = query(store)
            assert int(store.clock().rpartition(":")[2]) >= last_seq
            files = reader.files()
            for group in range(said + 1):
                there = [path for path in files if path.startswith(b"%d/" % group)]
                assert len(there) in ((4,) if group <= said - 3 else (4, 5))
            # Groups are whole: everything listed can be found by name, and the tally agrees.
            assert reader.counts()["files"] == len(files)
            for path in files[-5:]:
                name = "name" + os.fsdecode(path).partition("/")[0] + "x7"
                assert os.fsdecode(path) in {one.path for one in reader.find(name, exact=True)}
            store._writer.execute("INSERT INTO terms (terms) VALUES ('integrity-check')")
            assert store._writer.execute("PRAGMA integrity_check").get == "ok"
            number = max([int(path.partition(b"/")[0]) for path in files], default=-1) + 1


class _Disk(apsw.VFS):
    """The default file system, on which the operation number `fail_at` and all later ones fail."""

    def __init__(self) -> None:
        self.count = 0
        self.fail_at: int | None = None
        self._base = apsw.vfs_names()[0]
        super().__init__("failing", self._base, makedefault=True)

    def xOpen(self, name: Any, flags: list[int]) -> "_File":
        return _File(self, self._base, name, flags)

    def tick(self) -> None:
        self.count += 1
        if self.fail_at is not None and self.count >= self.fail_at:
            raise apsw.IOError("planted fault")


class _File(apsw.VFSFile):
    def __init__(self, disk: _Disk, base: str, name: Any, flags: list[int]) -> None:
        self._disk = disk
        super().__init__(base, name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:
        self._disk.tick()
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:
        self._disk.tick()
        super().xSync(flags)

    def xTruncate(self, size: int) -> None:
        self._disk.tick()
        super().xTruncate(size)


@contextmanager
def failing_disk() -> Iterator[_Disk]:
    disk = _Disk()
    try:
        yield disk
    finally:
        disk.unregister()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_disk_that_fails_at_any_operation_leaves_before_or_after(tmp_path: Path) -> None:
    items = [upsert(b"new/%d" % i, i, names=tuple(f"n{i}x{j}" for j in range(20))) for i in range(30)]
    items_after = [*items, Remove(b"old/0", "event"), MoveTree(b"old", b"moved", "event")]
    faults = 0
    for fail_at in range(1, 400):
        state = tmp_path / str(fail_at)
        with failing_disk() as disk, opened(state) as store:
            before_clock = store.commit([upsert(b"old/%d" % i, -i - 1) for i in range(5)], 1.0)
            before = query(store).files()
            disk.count, disk.fail_at = 0, fail_at
            try:
                store.commit(items_after, 2.0)
                failed = False
            except StoreError:
                failed = True
                assert store.clock() == before_clock
            disk.fail_at = None
            if failed:
                faults += 1
                assert query(store).files() == before
                store.commit(items_after, 3.0)  # the same commit, once the disk works again
            after = query(store).files()
        with opened(state) as store:
            assert store.opened.how == "existing"
            assert query(store).files() == after
            assert len(after) == 34
            assert store._writer.execute("PRAGMA integrity_check").get == "ok"
        if not failed:
            break
    assert faults > 5
