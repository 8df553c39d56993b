"""What one change leads to: read once, hash, reuse or extract, hand on.

Owns: the decision for each kind of change and each way a reading can end, and that one content is extracted
once however many workers meet it. Does not own: threads (`workers`), reading (`reading`), the meaning of a
content (`extract`), committing (`writer`).
"""

import logging
import os
import random
import threading
from collections.abc import Callable
from typing import Final, Protocol

from msgspec.structs import replace

from currant import failpoint
from currant.changes import DONE, FAILED, GONE, NEVER, backoff_seconds
from currant.clock import Clock
from currant.extract import ExtractionError, Registry, provisional
from currant.extract.annotate import cost_of
from currant.extract.contain import BadRecordError, checked
from currant.model import (
    MAX_HASHED_BYTES,
    ChangeType,
    Failure,
    FileChange,
    FileStat,
    Item,
    MoveTree,
    Record,
    Remove,
    RemoveTree,
    ResultKey,
    Upsert,
)
from currant.reading import ByteBudget, Gone, Reader, ReadFile, Torn
from currant.status import StatusReporter
from currant.writer import Submission

log = logging.getLogger(__name__)

CONTENT_BYTES: Final = 64 << 20
"""Bytes of file content that all workers together hold."""
PARSED_BYTES: Final = 8 << 20
"""Bytes of content in all extractions under way: a syntax tree takes fifty times its source."""
MAX_EXTRACTIONS: Final = 5
"""The same content gives the same result; after so many tries a refusal is final until the file changes."""


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

    def handed_on(self, key: ResultKey) -> None:
        """The result is with the writer."""
        with self._changed:
            # Unless the commit was quicker than this call.
            if key in self._handed_on:
                self._handed_on[key] = True
            self._changed.notify_all()

    def release(self, key: ResultKey) -> None:
        """The result is stored, or there is none: the next worker has to ask the store."""
        with self._changed:
            self._handed_on.pop(key, None)
            self._changed.notify_all()

    def __len__(self) -> int:
        with self._changed:
            return len(self._handed_on)


class Shared(Protocol):
    """What is used of `SharedResults`."""

    def get(self, key: ResultKey) -> Record | None: ...
    def refuse(self) -> None: ...
    def offer(self, key: ResultKey, record: Record) -> None: ...


class Processor:
    """What one change leads to. One for each worker, because of its `Reader`."""

    def __init__(
        self,
        reader: Reader,
        registry: Registry,
        find_result: Callable[[ResultKey], int | None],
        *,
        under_way: UnderWay,
        budget: ByteBudget,
        parsed: ByteBudget | None = None,
        status: StatusReporter,
        clock: Clock,
        source: random.Random,
        shared: Shared | None = None,
    ) -> None:
        self._reader = reader
        self._shared = shared
        self._registry = registry
        self._find_result = find_result
        self._under_way = under_way
        self._budget = budget
        self._parsed = parsed or ByteBudget(PARSED_BYTES)
        self._status = status
        self._clock = clock
        self._random = source

    def begin_batch(self) -> None:
        """Before the first change of a batch."""
        self._reader.refresh()

    def close(self) -> None:
        """Let go of the root."""
        self._reader.close()

    def process(self, change: FileChange, submit: Callable[[Submission], None]) -> bool:
        """Bring one path up to date as far as the writer; False when it must be queued again instead."""
        path = os.fsencode(change.path)
        old = None if change.old_path is None else os.fsencode(change.old_path)
        if change.is_dir and change.change_type is ChangeType.RENAMED and old is not None:
            submit(Submission(change.path, change.ticket, (MoveTree(old, path, change.cause),), DONE))
            return True
        if change.change_type is ChangeType.DELETED:
            gone = RemoveTree(path, change.cause) if change.is_dir else Remove(path, change.cause)
            submit(Submission(change.path, change.ticket, (gone,), GONE))
            return True
        size = self._reader.size(change.path)
        self._budget.acquire(size)
        try:
            return self._process_file(change, path, old, submit)
        finally:
            self._budget.release(size)

    def _process_file(
        self, change: FileChange, path: bytes, old: bytes | None, submit: Callable[[Submission], None]
    ) -> bool:
        reading = self._reader.read(change.path)
        # A rename whose file is gone or unreadable still leaves the old name without one.
        before: tuple[Item, ...] = () if old is None else (Remove(old, change.cause),)
        if isinstance(reading, Torn):
            return False
        if isinstance(reading, Gone):
            submit(Submission(change.path, change.ticket, (*before, Remove(path, change.cause)), GONE))
            return True
        if not isinstance(reading, ReadFile):
            submit(self._failure(change, reading.reason, reading.stat, before=before))
            return True
        if reading.stat.size <= MAX_HASHED_BYTES:
            self._status.count_bytes(reading.stat.size)
        failpoint.hit("fp_hash_then_commit")
        choice = self._registry.choose(change.path, reading.head, reading.stat.size)
        key = ResultKey(reading.digest, choice.language or "", choice.identity)
        upsert = Upsert(
            path=path,
            stat=reading.stat,
            key=key,
            record=None,
            old_path=old,
            cause=change.cause,
            seen_at=self._clock.now(),
            attempts=change.attempts,
            racy=reading.racy,
        )
        # Claimed before the store is asked: the other order could miss a commit between the two.
        if not self._under_way.claim(key):
            self._status.count_reuse()
            submit(_submission(change, upsert))
            return True
        kept = False
        try:
            if self._find_result(key) is not None:
                self._status.count_reuse()
                submit(_submission(change, upsert))
                return True
            source = reading.content if reading.content is not None else reading.head
            shared = self._shared if self._registry.may_share(choice.identity) else None
            if shared is not None and (known := self._known(shared, key, choice.language, source)):
                self._status.count_shared()
                upsert = replace(upsert, record=known)
                submit(
                    _submission(
                        change,
                        upsert,
                        cost=cost_of(known) + 300 * len(known.symbols),
                        release=lambda: self._under_way.release(key),
                    )
                )
                kept = True
                self._under_way.handed_on(key)
                return True
            self._status.count_extraction()
            self._parsed.acquire(len(source))
            try:
                extraction = choice.run(source)
            except ExtractionError as error:
                submit(self._failure(change, str(error), reading.stat, before=before, final=True))
                return True
            except Exception as error:
                # An extractor of somebody else's making may raise anything; it is about this content.
                log.exception("extractor %s broke on %r", choice.identity, change.path)
                reason = f"{choice.identity} broke: {type(error).__name__}: {error}"
                submit(self._failure(change, reason, reading.stat, before=before, final=True))
                return True
            finally:
                self._parsed.release(len(source))
            upsert = replace(upsert, record=extraction.made)
            if extraction.provisional:
                # Not what the key promises: nobody may take it over, and the next start makes it again.
                upsert = replace(upsert, key=replace(key, extractor=provisional(key.extractor)))
                submit(_submission(change, upsert, cost=extraction.cost))
                return True
            if shared is not None:
                shared.offer(key, extraction.record)
            submit(
                _submission(
                    change, upsert, cost=extraction.cost, release=lambda: self._under_way.release(key)
                )
            )
            kept = True
            self._under_way.handed_on(key)
            return True
        finally:
            if not kept:
                self._under_way.release(key)

    def _known(self, shared: Shared, key: ResultKey, language: str | None, source: bytes) -> Record | None:
        """What another index found out about this content, if it can be true."""
        record = shared.get(key)
        if record is None:
            return None
        try:
            return checked(record, language, source)
        except BadRecordError as error:
            log.warning("a shared result of %s is refused: it %s", key.extractor, error)
            shared.refuse()
            return None

    def _failure(
        self,
        change: FileChange,
        reason: str,
        stat: FileStat | None,
        *,
        before: tuple[Item, ...] = (),
        final: bool = False,
    ) -> Submission:
        return failure(
            change, reason, stat, now=self._clock.now(), source=self._random, before=before, final=final
        )


def failure(
    change: FileChange,
    reason: str,
    stat: FileStat | None,
    *,
    now: float,
    source: random.Random,
    before: tuple[Item, ...] = (),
    final: bool = False,
) -> Submission:
    """The failure of one path, as data, with the time of the next try.

    `before` is committed along with it. `final`: the same content would fail again, so not for ever.
    """
    attempts = change.attempts + 1
    retry = backoff_seconds(attempts, source)
    never = final and attempts >= MAX_EXTRACTIONS
    item = Failure(
        path=os.fsencode(change.path),
        stat=stat,
        reason=reason,
        attempts=attempts,
        retry_at=None if never else now + retry,
        cause=change.cause,
    )
    return Submission(
        path=change.path,
        ticket=change.ticket,
        items=(*before, item),
        outcome=FAILED,
        stat=stat,
        retry_seconds=NEVER if never else retry,
        error=reason,
    )


def _submission(
    change: FileChange, upsert: Upsert, *, cost: int = 0, release: Callable[[], None] | None = None
) -> Submission:
    return Submission(
        path=change.path,
        ticket=change.ticket,
        items=(upsert,),
        outcome=DONE,
        # A racy file is acknowledged with a change time that none has: the next listing reads it again.
        stat=replace(upsert.stat, ctime_ns=-1) if upsert.racy else upsert.stat,
        cost=cost + len(upsert.path) + 128,
        release=release,
    )
