"""A file system for SQLite that fails or loses power when a test says so.

`FaultyDisk` is a VFS over the real one. `fail` makes the n-th operation of a kind fail, once or from then on;
`cut` makes the n-th change the last one, and `after_the_cut` writes what the disk holds when the power is
back: everything that was synced, and of what was not, some sectors of some writes, drawn from a seed.

What it cannot reach: the shared memory and its locks (apsw does not hand these to Python), and removals of
whole files.
"""

import os
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apsw

SECTOR = 512
KINDS = ("read", "write", "sync", "truncate")


@dataclass
class _Image:
    """One file on a disk with a cache: what is certain, and what was written since the last sync."""

    synced: bytearray
    since: list[tuple[int, bytes] | int] = field(default_factory=list)
    """Writes as (offset, data), truncations as a size, in their order."""

    def settle(self) -> None:
        for change in self.since:
            _apply(self.synced, change)
        self.since.clear()

    def remains(self, chance: random.Random) -> bytes:
        """What a power cut leaves of the unsynced writes: the first ones, or each whole, torn by sectors or
        not at all, in any order."""
        content = bytearray(self.synced)
        changes = list(self.since)
        first = chance.randrange(len(changes) + 1) if chance.random() < 0.6 else 0
        if not first and chance.random() < 0.5:
            chance.shuffle(changes)
        for number, change in enumerate(changes):
            fate = chance.choice(("whole", "torn", "lost"))
            if first:
                fate = "whole" if number < first else "torn" if number == first else "lost"
            if fate == "whole" or (fate == "torn" and isinstance(change, int)):
                _apply(content, change)
            elif fate == "torn":
                offset, data = change  # type: ignore[misc]
                for start in range(0, len(data), SECTOR):
                    if chance.random() < 0.5:
                        _apply(content, (offset + start, data[start : start + SECTOR]))
        return bytes(content)


def _apply(content: bytearray, change: tuple[int, bytes] | int) -> None:
    if isinstance(change, int):
        del content[change:]
        return
    offset, data = change
    if len(content) < offset:
        content.extend(bytes(offset - len(content)))
    content[offset : offset + len(data)] = data


class FaultyDisk(apsw.VFS):
    """The default file system with faults. `counts` has the operations of each kind so far."""

    def __init__(self) -> None:
        self.counts = dict.fromkeys(KINDS, 0)
        self.on_sync: Callable[[str], None] = lambda name: None
        self.hits = 0
        self._kind = ""
        self._at = 0
        self._error: Callable[[], Exception] = apsw.IOError
        self._lasting = False
        self._torn = False
        self._changes_left: int | None = None
        self._images: dict[str, _Image] | None = None
        self._base = apsw.vfs_names()[0]
        super().__init__("faulty", self._base, makedefault=True)

    def fail(
        self, kind: str, at: int, error: Callable[[], Exception], *, lasting: bool = False, torn: bool = False
    ) -> None:
        """From now on the `at`-th operation of `kind` raises; with `lasting` all later ones, too. `torn`:
        half of a write gets there first."""
        self.counts = dict.fromkeys(KINDS, 0)
        self.hits = 0
        self._kind, self._at, self._error, self._lasting, self._torn = kind, at, error, lasting, torn

    def heal(self) -> None:
        """Everything works again."""
        self._at = 0

    def cut(self, changes: int, folder: Path) -> None:
        """The power goes after so many writes, syncs and truncations. What is in `folder` now is on disk."""
        self._images = {
            os.fspath(path): _Image(bytearray(path.read_bytes())) for path in folder.glob("index.db*")
        }
        self._changes_left = changes

    @property
    def dark(self) -> bool:
        """The power is off."""
        return self._changes_left is not None and self._changes_left <= 0

    def after_the_cut(self, folder: Path, seed: int) -> None:
        """Write what is left of the index files into `folder`."""
        assert self._images is not None
        chance = random.Random(seed)
        for name, image in sorted(self._images.items()):
            if not name.endswith("-shm"):  # memory
                (folder / Path(name).name).write_bytes(image.remains(chance))

    def xOpen(self, name: Any, flags: list[int]) -> "_File":
        return _File(self, self._base, name, flags)

    # --- for the files ----------------------------------------------------------------------------------

    def tick(self, kind: str) -> bool:
        """Count; True when half of this write is to get there before it fails. Raises the planted error."""
        self.counts[kind] += 1
        if kind != "read" and self._changes_left is not None:
            if self._changes_left <= 0:
                raise apsw.IOError("the power is off")
            self._changes_left -= 1
        number = self.counts[kind]
        if kind == self._kind and self._at and (number == self._at or (self._lasting and number > self._at)):
            self.hits += 1
            if self._torn and kind == "write":
                return True
            raise self._error()
        return False

    def torn(self) -> Exception:
        return self._error()

    def image(self, name: str) -> _Image | None:
        return None if self._images is None else self._images.setdefault(name, _Image(bytearray()))


class _File(apsw.VFSFile):
    def __init__(self, disk: FaultyDisk, base: str, name: Any, flags: list[int]) -> None:
        self._disk = disk
        self._name = name if isinstance(name, str) else name.filename() if name is not None else ""
        # A connection that only reads still tries to lock for writing when it closes; SQLite takes the
        # refusal as it is, apsw makes an error of it. So it is open for both, and SQLite is told otherwise.
        read_only = flags[0] & apsw.SQLITE_OPEN_READONLY
        inside = [flags[0] & ~read_only | apsw.SQLITE_OPEN_READWRITE, 0] if read_only else flags
        super().__init__(base, name, inside)
        flags[1] = flags[0] if read_only else inside[1]

    def xRead(self, amount: int, offset: int) -> bytes:
        self._disk.tick("read")
        return super().xRead(amount, offset)

    def xWrite(self, data: bytes, offset: int) -> None:
        if self._disk.tick("write"):
            super().xWrite(bytes(data[: len(data) // 2]), offset)
            raise self._disk.torn()
        super().xWrite(data, offset)
        if (image := self._disk.image(self._name)) is not None:
            image.since.append((offset, bytes(data)))

    def xSync(self, flags: int) -> None:
        self._disk.tick("sync")
        super().xSync(flags)
        if (image := self._disk.image(self._name)) is not None:
            image.settle()
        self._disk.on_sync(self._name)

    def xTruncate(self, size: int) -> None:
        self._disk.tick("truncate")
        super().xTruncate(size)
        if (image := self._disk.image(self._name)) is not None:
            image.since.append(size)


@contextmanager
def faulty_disk() -> Iterator[FaultyDisk]:
    """In this block SQLite works on a `FaultyDisk`; close what was opened before it ends."""
    disk = FaultyDisk()
    try:
        yield disk
    finally:
        disk.unregister()
