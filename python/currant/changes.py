"""The queue of changes, as the workers see it: a thin face on the engine.

Owns: the translation between the engine's changes and `FileChange`, the shape of an acknowledgement, and
the rule for when a failed path is tried again. Does not own: debouncing, ordering, deduplication, bounds;
all of that happens in the engine, where a path stays pending until it is acknowledged after the commit.
"""

import random
from collections.abc import Iterable, Sequence
from typing import Any, Final, Protocol

import msgspec

from currant.clock import Clock
from currant.model import ChangeType, FileChange, FileStat

DONE: Final = "done"
GONE: Final = "gone"
FAILED: Final = "failed"
AGAIN: Final = "again"

BACKOFF_BASE: Final = 1.0
BACKOFF_CAP: Final = 300.0
NEVER: Final = -1.0
"""For `Ack.retry_seconds`: not before it changes, or the next start."""

_NO_STAT: Final = FileStat(0, 0, 0, 0)


class EngineChange(Protocol):
    """`currant._core.Change`, read-only."""

    @property
    def ticket(self) -> int: ...
    @property
    def kind(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def old_path(self) -> str | None: ...
    @property
    def is_dir(self) -> bool: ...
    @property
    def attempts(self) -> int: ...
    @property
    def cause(self) -> str: ...


class EngineLike(Protocol):
    """What is used of `currant._core.Engine`; see its stub for what each call promises."""

    def load(self, rows: Iterable[tuple[bytes, int, int, int, int, int]] | Iterable[bytes]) -> int: ...
    def start(self, *, rows_later: bool = False) -> None: ...
    def stop(self) -> None: ...
    def next_batch(self, max_changes: int, timeout: float) -> Sequence[EngineChange] | None: ...
    def wait(self, timeout: float) -> bool: ...
    def ack(self, done: Sequence[tuple[int, str, int, int, int, int, float]]) -> None: ...
    def sync(self, timeout: float, paths: Sequence[str] | None = None) -> list[str] | None: ...
    def touch(self, path: str) -> bool: ...
    def rescan(self, path: str = "") -> None: ...
    def clear(self) -> int: ...
    def pending(self) -> int: ...
    def queued(self) -> int: ...
    def status(self) -> dict[str, Any]: ...


class Ack(msgspec.Struct, frozen=True, gc=False):
    """One ticket given back. `stat` is what was committed; `retry_seconds` counts for ``failed`` only."""

    ticket: int
    outcome: str
    stat: FileStat | None = None
    retry_seconds: float = 0.0

    def as_tuple(self) -> tuple[int, str, int, int, int, int, float]:
        """The shape that `Engine.ack` takes."""
        stat = self.stat or _NO_STAT
        return (
            self.ticket,
            self.outcome,
            stat.size,
            stat.mtime_ns,
            stat.ctime_ns,
            stat.ino,
            self.retry_seconds,
        )


def backoff_seconds(
    attempts: int, source: random.Random, *, base: float = BACKOFF_BASE, cap: float = BACKOFF_CAP
) -> float:
    """How long to wait after the `attempts`-th failure in a row (1 is the first).

    Doubles from `base` to `cap` seconds; the upper half of each wait is drawn from `source`, so that many
    paths that failed together do not come back together.
    """
    if attempts < 1:
        raise ValueError(f"attempts count from 1: {attempts}")
    # Beyond 2**30 every base is past every cap; the bound keeps the power from growing without limit.
    full = min(cap, base * float(2 ** min(attempts - 1, 30)))
    return full / 2 + source.uniform(0.0, full / 2)


class ChangeDetectionQueue:
    """Thread-safe; every path is in it at most once, oldest first, and leaves it by `ack` alone."""

    def __init__(self, engine: EngineLike, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._stopped = False

    @property
    def stopped(self) -> bool:
        """True once the engine has said that no change will come any more."""
        return self._stopped

    def add_change(self, change: FileChange) -> bool:
        """Have this path looked at now, whatever is said to have happened to it.

        The kind of the change is not taken on trust: the disk decides. False when the rules ignore the
        path, in which case nothing happens.
        """
        touched = self._engine.touch(change.path)
        if change.old_path is not None:
            touched = self._engine.touch(change.old_path) or touched
        return touched

    def get_next_batch(self, batch_size: int, timeout: float = 0.0) -> list[FileChange]:
        """Up to `batch_size` changes, waiting up to `timeout` seconds for the first; ``[]`` if none came
        or the engine was stopped (then `stopped` is true). Raises CoreError when the engine failed."""
        batch = self._engine.next_batch(batch_size, timeout)
        if batch is None:
            self._stopped = True
            return []
        now = self._clock.now()
        return [
            FileChange(
                path=change.path,
                change_type=ChangeType(change.kind),
                timestamp=now,
                old_path=change.old_path,
                is_dir=change.is_dir,
                ticket=change.ticket,
                attempts=change.attempts,
                cause=change.cause,
            )
            for change in batch
        ]

    def wait_for_changes(self, timeout: float) -> bool:
        """True as soon as a batch is ready, False after `timeout` seconds without."""
        return self._engine.wait(timeout)

    def ack(self, acks: Iterable[Ack]) -> None:
        """Give tickets back to the engine."""
        tuples = [ack.as_tuple() for ack in acks]
        if tuples:
            self._engine.ack(tuples)

    def size(self) -> int:
        """Changes not yet acknowledged: queued, in work, or waiting for their quiet period."""
        return self._engine.pending()

    def ready(self) -> int:
        """Changes that wait for nothing but a worker."""
        return self._engine.queued()

    def handed_out(self) -> int:
        """Changes that a worker has or may take now, not yet acknowledged."""
        count: int = self._engine.status()["in_flight"]
        return count

    def clear(self) -> int:
        """Forget what is pending; the next scan finds it again. Returns how many were forgotten."""
        return self._engine.clear()
