"""A deterministic stand-in for `currant._core.Engine`: one dict, one queue, no watches, no debouncing.

It keeps the contract of the stub that the workers rely on (a path is handed out to one worker at a time, a
ticket stays pending until it is acked, a change during the work comes back after it) and lets a test say what
happened by `change`, `move_dir` and `remove_dir`. The disk decides what a change is, as in the engine.
"""

import os
import stat as stat_bits
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

Stat = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class FakeChange:
    ticket: int
    kind: str
    path: str
    old_path: str | None = None
    is_dir: bool = False
    attempts: int = 0
    cause: str = "event"


def unpacked(
    rows: Iterable[tuple[bytes, int, int, int, int, int]] | Iterable[bytes],
) -> Iterator[tuple[bytes, int, int, int, int, int]]:
    """One by one, whichever of the two shapes they come in."""
    for some in rows:
        if isinstance(some, tuple):
            yield some
            continue
        for row in some.split(b"\0")[:-1]:
            *numbers, path = row.split(b" ", 5)
            size, mtime_ns, ctime_ns, ino, attempts = map(int, numbers)
            yield path, size, mtime_ns, ctime_ns, ino % (1 << 64), attempts


class FakeEngine:
    def __init__(self, root: str, *, state_dir: str, live: bool = True, **options: Any) -> None:
        self.root = root
        self.state_dir = state_dir
        self.options = options
        self.tree: dict[str, Stat] = {}
        self.attempts: dict[str, int] = {}
        self.acks: list[tuple[int, str, int, int, int, int, float]] = []
        self.handed_out: list[FakeChange] = []
        self.retries: dict[str, float] = {}
        self.failure: BaseException | None = None
        self._queue: OrderedDict[str, FakeChange] = OrderedDict()
        self._in_flight: dict[int, FakeChange] = {}
        # Changes of whole subtrees: handed out alone, when nothing else is out.
        self._ops: list[FakeChange] = []
        self._dirty_again: dict[str, set[str]] = {}
        self._rows_later = False
        self._next_ticket = 1
        self._stopped = False
        self._fresh = True
        self._changed = threading.Condition()

    # --- what a test says -------------------------------------------------------------------------------

    def change(self, *paths: str, cause: str = "event") -> None:
        """Something may have happened to these paths."""
        with self._changed:
            for path in paths:
                self._look(path, cause)
            self._changed.notify_all()

    def rename(self, old: str, new: str) -> None:
        """A file was renamed."""
        with self._changed:
            self.tree.pop(old, None)
            self._put(FakeChange(self._ticket(), "renamed", new, old_path=old))
            self._changed.notify_all()

    def move_dir(self, old: str, new: str) -> None:
        """A directory was renamed: every row moves, nothing is read.

        What was queued below it moves behind it under its new name. What a worker has in hand may have
        been read before or after, so both names are looked at once it comes back."""
        with self._changed:
            queued = [path for path in self._queue if path.startswith(old + "/")]
            for path in queued:
                del self._queue[path]
            for change in self._in_flight.values():
                if change.path.startswith(old + "/"):
                    moved = new + change.path[len(old) :]
                    self._dirty_again.setdefault(change.path, set()).update({change.path, moved})
            for path in [path for path in self.tree if path.startswith(old + "/")]:
                self.tree[new + path[len(old) :]] = self.tree.pop(path)
            self._ops.append(FakeChange(self._ticket(), "renamed", new, old_path=old, is_dir=True))
            for path in queued:
                self._look(new + path[len(old) :], "event", force=True)
            self._changed.notify_all()

    def remove_dir(self, path: str) -> None:
        """A directory is gone."""
        with self._changed:
            for below in [below for below in self.tree if below.startswith(path + "/")]:
                del self.tree[below]
            self._ops.append(FakeChange(self._ticket(), "deleted", path, is_dir=True))
            self._changed.notify_all()

    def fire_retries(self) -> None:
        """The retry times have come."""
        with self._changed:
            for path in self.retries:
                self._look(path, "retry", force=True)
            self.retries.clear()
            self._changed.notify_all()

    def fail(self, error: BaseException) -> None:
        """The engine thread broke."""
        with self._changed:
            self.failure = error
            self._changed.notify_all()

    # --- the contract -----------------------------------------------------------------------------------

    def load(self, rows: Iterable[tuple[bytes, int, int, int, int, int]] | Iterable[bytes]) -> int:
        count = 0
        for path, size, mtime_ns, ctime_ns, ino, attempts in unpacked(rows):
            self.tree[os.fsdecode(path)] = (size, mtime_ns, ctime_ns, ino)
            if attempts:
                self.attempts[os.fsdecode(path)] = attempts
            count += 1
        if self._rows_later:
            self._rows_later = False
            self.rescan()
        return count

    def start(self, *, rows_later: bool = False) -> None:
        self._rows_later = rows_later
        if not rows_later:
            self.rescan()

    def stop(self) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def next_batch(self, max_changes: int, timeout: float) -> Sequence[FakeChange] | None:
        with self._changed:
            if not self._ready():
                self._changed.wait(timeout)
            if self.failure is not None:
                raise self.failure
            if self._stopped:
                return None
            batch = []
            if self._ops and not self._in_flight:
                batch.append(self._ops[0])
                self._in_flight[batch[0].ticket] = batch[0]
            while not self._ops and self._queue and len(batch) < max_changes:
                _, change = self._queue.popitem(last=False)
                self._in_flight[change.ticket] = change
                batch.append(change)
            self.handed_out += batch
            return batch

    def wait(self, timeout: float) -> bool:
        with self._changed:
            return self._changed.wait_for(self._ready, timeout)

    def ack(self, done: Sequence[tuple[int, str, int, int, int, int, float]]) -> None:
        with self._changed:
            for ack in done:
                self.acks.append(ack)
                ticket, outcome, size, mtime_ns, ctime_ns, ino, retry = ack
                change = self._in_flight.pop(ticket)
                if change.is_dir:
                    if outcome in ("done", "gone"):
                        self._ops.pop(0)
                elif outcome == "done":
                    self.tree[change.path] = (size, mtime_ns, ctime_ns, ino)
                    self.attempts.pop(change.path, None)
                elif outcome == "gone":
                    self.tree.pop(change.path, None)
                    self.attempts.pop(change.path, None)
                elif outcome == "failed":
                    self.attempts[change.path] = change.attempts + 1
                    self.tree[change.path] = (size, mtime_ns, ctime_ns, ino)
                    if retry >= 0:
                        self.retries[change.path] = retry
                elif outcome == "again":
                    self._queue[change.path] = FakeChange(
                        self._ticket(),
                        change.kind,
                        change.path,
                        change.old_path,
                        change.is_dir,
                        change.attempts,
                        change.cause,
                    )
                for path in self._dirty_again.pop(change.path, ()):
                    self._look(path, "event", force=True)
            self._changed.notify_all()

    def sync(self, timeout: float, paths: Sequence[str] | None = None) -> list[str] | None:
        with self._changed:
            if self._changed.wait_for(lambda: not self._outstanding() or self._stopped, timeout):
                return None if not self._outstanding() else self._outstanding()[:20]
            return self._outstanding()[:20]

    def touch(self, path: str) -> bool:
        if path.startswith(".currant"):
            return False
        with self._changed:
            self._look(path, "request", force=True)
            self._changed.notify_all()
        return True

    def rescan(self, path: str = "") -> None:
        found: set[str] = set()
        if path == os.path.basename(self.state_dir):
            return
        for folder, folders, files in os.walk(os.path.join(self.root, path) if path else self.root):
            if folder == self.root:
                folders[:] = [name for name in folders if name != os.path.basename(self.state_dir)]
            folders.sort()
            for name in sorted(files):
                below = os.path.relpath(os.path.join(folder, name), self.root)
                found.add(below)
        prefix = f"{path}/" if path else ""
        known = {below for below in self.tree if below.startswith(prefix)}
        self.change(*sorted(found | known), cause="scan")

    def clear(self) -> int:
        with self._changed:
            count = len(self._queue)
            self._queue.clear()
            self._fresh = False
            self._changed.notify_all()
            return count

    def pending(self) -> int:
        with self._changed:
            return len(self._outstanding())

    def queued(self) -> int:
        with self._changed:
            return 0 if self._ops else len(self._queue)

    def status(self) -> dict[str, Any]:
        with self._changed:
            ready = 0 if self._ops else len(self._queue)
            in_flight = len(self._in_flight) + ready
        pending = self.pending()
        return {
            **{"phase": "watching", "fresh": self._fresh and not pending},
            **{"pending": pending, "in_flight": in_flight},
        }

    # --- inside -----------------------------------------------------------------------------------------

    def _ready(self) -> bool:
        ready = not self._in_flight if self._ops else bool(self._queue)
        return ready or self._stopped or self.failure is not None

    def _outstanding(self) -> list[str]:
        ops = [op.path for op in self._ops if op.ticket not in self._in_flight]
        return [*ops, *self._queue, *(change.path for change in self._in_flight.values())]

    def _ticket(self) -> int:
        ticket, self._next_ticket = self._next_ticket, self._next_ticket + 1
        return ticket

    def _put(self, change: FakeChange) -> None:
        self._queue[change.path] = change

    def _look(self, path: str, cause: str, *, force: bool = False) -> None:
        if any(change.path == path for change in self._in_flight.values()):
            self._dirty_again.setdefault(path, set()).add(path)
            return
        known = self.tree.get(path)
        try:
            result = os.lstat(os.path.join(self.root, path))
            now = (result.st_size, result.st_mtime_ns, result.st_ctime_ns, result.st_ino)
            if not stat_bits.S_ISREG(result.st_mode):
                now = None
        except OSError:
            now = None
        attempts = self.attempts.get(path, 0)
        if now is None:
            if known is None and not force:
                return
            kind = "deleted"
        elif known is None:
            kind = "created"
        elif known != now or force or attempts:
            kind = "modified"
        else:
            return
        self._put(FakeChange(self._ticket(), kind, path, attempts=attempts, cause=cause))
