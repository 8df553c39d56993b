"""A run of files before their turn comes: read together, claimed together, asked for together.

Owns: which content is somebody's to make, how far a worker looks ahead, and that what it claimed there is let
go whatever happens. Does not own: what a reading leads to (`processing`).

Each call of the core and each statement is a turn at the interpreter's lock; two workers and the writer that
take several turns for each file spend more time waiting for turns than at work. A claim is taken here without
waiting: whoever holds claims must never wait for another's.
"""

import logging
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import msgspec

from currant.extract import Registry
from currant.extract.base import Choice, Extraction
from currant.extract.together import examine_many
from currant.model import MAX_HASHED_BYTES, ChangeType, FileChange, ResultKey
from currant.reading import ByteBudget, Gone, Reader, ReadFile
from currant.status import StatusReporter

MOST_FILES: Final = 64
ROOM: Final = 512 << 10
"""Bytes of content that are read before any of it is looked at; up to twice as many with the last file."""

log = logging.getLogger(__name__)

FindResults = Callable[[Collection[ResultKey]], Collection[ResultKey]]
"""Those of the keys under which a result is stored."""


class UnderWay:
    """Contents whose result is being made, or was handed to the writer and is not committed yet."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._handed_on: dict[ResultKey, bool] = {}

    def claim(self, key: ResultKey) -> bool:
        """True: the caller makes this result and must call `handed_on` or `release`. False: another
        worker's result is with the writer, ahead of whatever the caller hands on now."""
        with self._changed:
            while self._handed_on.get(key) is False:
                self._changed.wait()
            if key in self._handed_on:
                return False
            self._handed_on[key] = False
            return True

    def claim_now(self, keys: Sequence[ResultKey]) -> list[bool | None]:
        """The same for each of several, but None, at once, for one that somebody is about to make."""
        told: list[bool | None] = []
        with self._changed:
            for key in keys:
                held = self._handed_on.get(key)
                if held is None:
                    self._handed_on[key] = False
                told.append(True if held is None else None if held is False else False)
        return told

    def handed_on(self, *keys: ResultKey) -> None:
        """These results are with the writer."""
        with self._changed:
            for key in keys:
                # Unless the commit was quicker than this call.
                if key in self._handed_on:
                    self._handed_on[key] = True
            self._changed.notify_all()

    def release(self, *keys: ResultKey) -> None:
        """These results are stored, or there are none: the next worker has to ask the store."""
        with self._changed:
            for key in keys:
                self._handed_on.pop(key, None)
            self._changed.notify_all()

    def __len__(self) -> int:
        with self._changed:
            return len(self._handed_on)


class Known(msgspec.Struct):
    """What is known of one file. `claimed` as `UnderWay.claim` says; None: to be claimed when its turn comes,
    by one who holds no claim. `made`: its record, if that was made with others."""

    reading: ReadFile
    choice: Choice
    key: ResultKey
    claimed: bool | None = None
    stored: bool = False
    made: Extraction | None = None


class Ahead(msgspec.Struct):
    """Changes that were looked at, in their order; `alone` are those of them that are to be taken one by one,
    after the others."""

    known: list[tuple[FileChange, Known | Gone]]
    alone: list[FileChange]


def is_of_a_file(change: FileChange) -> bool:
    """Whether it takes a reading to know what the change leads to."""
    return not change.is_dir and change.change_type is not ChangeType.DELETED


class LookAhead:
    """One for each worker, because of its `Reader`."""

    def __init__(
        self,
        reader: Reader,
        registry: Registry,
        find_results: FindResults,
        under_way: UnderWay,
        budget: ByteBudget,
        status: StatusReporter,
        *,
        examine: bool = True,
    ) -> None:
        """`examine` False: no record is made here, because somebody may have it."""
        self._examine = examine
        self._reader = reader
        self._registry = registry
        self._find_results = find_results
        self._under_way = under_way
        self._budget = budget
        self._status = status

    @contextmanager
    def at(self, changes: Sequence[FileChange]) -> Iterator[Ahead]:
        """Look at some of these changes of files, from the first on. Claims that were not handed on or
        released by the end are released then: set `claimed` to False for those that were."""
        self._budget.acquire(2 * ROOM)
        ahead = Ahead([], [])
        try:
            yield self._look(changes[:MOST_FILES], ahead)
        finally:
            held = [one.key for _, one in ahead.known if isinstance(one, Known) and one.claimed]
            if held:
                self._under_way.release(*held)
            ahead.known.clear()
            self._budget.release(2 * ROOM)

    def _look(self, changes: Sequence[FileChange], ahead: Ahead) -> Ahead:
        readings = self._reader.read_some([change.path for change in changes], ROOM)
        if not readings:
            ahead.alone += changes
            return ahead
        found: list[Known] = []
        for change, reading in zip(changes, readings, strict=False):
            if isinstance(reading, Gone):
                ahead.known.append((change, reading))
                continue
            known = self._known(change, reading) if isinstance(reading, ReadFile) else None
            if known is None:
                ahead.alone.append(change)
            else:
                found.append(known)
                ahead.known.append((change, known))
        for known, claimed in zip(
            found, self._under_way.claim_now([known.key for known in found]), strict=True
        ):
            known.claimed = claimed
        # Claimed before the store is asked: the other order could miss a commit between the two.
        mine = [known for known in found if known.claimed]
        stored = self._find_results([known.key for known in mine])
        for known in found:
            known.stored = known.key in stored
            if known.stored and known.claimed is None:  # our own claim
                known.claimed = False
        if self._examine:
            self._make([known for known in mine if not known.stored])
        sizes = (known.reading.stat.size for known in found)
        self._status.count_bytes(sum(size for size in sizes if size <= MAX_HASHED_BYTES))
        return ahead

    def _make(self, found: Sequence[Known]) -> None:
        """Make the records that are made in one call for all."""
        try:
            made = examine_many((known.choice.at_once, _source(known)) for known in found)
        except Exception:  # of one of them: when its turn comes, it is known which it was
            log.exception("%d records could not be made together", len(found))
            return
        for known, extraction in zip(found, made, strict=True):
            known.made = extraction

    def _known(self, change: FileChange, reading: ReadFile) -> Known | None:
        try:
            choice = self._registry.choose(change.path, reading.head, reading.stat.size)
        except Exception:  # of this file alone: when its turn comes, it is known which it was
            return None
        return Known(reading, choice, ResultKey(reading.digest, choice.language or "", choice.identity))


def _source(known: Known) -> bytes:
    """What is to be extracted."""
    reading = known.reading
    return reading.content if reading.content is not None else reading.head
