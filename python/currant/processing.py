"""What one change leads to: read once, hash, reuse or extract, hand on.

Owns: the decision for each kind of change and each way a reading can end, and in which order the changes of a
batch are taken. Does not own: threads (`workers`), reading (`reading`, many files at once: `lookahead`), the
meaning of a content (`extract`), committing (`writer`).
"""

import logging
import os
import random
from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from functools import partial
from typing import Final, Protocol

from msgspec.structs import replace

from currant import failpoint
from currant.changes import DONE, FAILED, GONE, NEVER, backoff_seconds
from currant.clock import Clock
from currant.extract import ExtractionError, Registry, provisional
from currant.extract.annotate import cost_of
from currant.extract.contain import BadRecordError, checked
from currant.lookahead import FindResults, Known, LookAhead, UnderWay, is_of_a_file
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
from currant.writer import Submission, WriterStopped

log = logging.getLogger(__name__)

CONTENT_BYTES: Final = 64 << 20
"""Bytes of file content that all workers together hold."""
PARSED_BYTES: Final = 8 << 20
"""Bytes of content in all extractions under way: a syntax tree takes fifty times its source."""
MOST_WAIT_SECONDS: Final = 0.02
"""How long a finished change waits for company on its way to the writer."""
MAX_EXTRACTIONS: Final = 5
"""The same content gives the same result; after so many tries a refusal is final until the file changes."""


class Sink(Protocol):
    """What is used of `Writer`."""

    def submit(self, *submissions: Submission) -> None: ...


class Outbox:
    """Finished changes on their way to the writer, several at a time."""

    def __init__(self, sink: Sink, under_way: UnderWay, clock: Clock) -> None:
        self._sink = sink
        self._under_way = under_way
        self._clock = clock
        self._held: list[Submission] = []
        self._keys: list[ResultKey] = []
        self._since = 0.0

    def put(self, submission: Submission, key: ResultKey | None = None) -> None:
        """Take one; `key` is that of the result which comes with it."""
        if not self._held:
            self._since = self._clock.monotonic()
        self._held.append(submission)
        if key is not None:
            self._keys.append(key)

    def holds(self, key: ResultKey) -> bool:
        """Whether this result is here."""
        return key in self._keys

    def flush_if_due(self) -> None:
        """Hand over what has waited for long: those behind it may take their time."""
        if self._held and self._clock.monotonic() - self._since >= MOST_WAIT_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Hand over everything. Raises WriterStopped, and whatever was here is not committed."""
        held, self._held = self._held, []
        keys, self._keys = self._keys, []
        try:
            if held:
                self._sink.submit(*held)
        except BaseException:
            self._under_way.release(*keys)
            raise
        if keys:
            self._under_way.handed_on(*keys)


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
        find_results: FindResults,
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
        self._find_results = find_results
        self._ahead = LookAhead(
            reader, registry, find_results, under_way, budget, status, examine=shared is None
        )
        self._under_way = under_way
        self._budget = budget
        self._parsed = parsed or ByteBudget(PARSED_BYTES)
        self._status = status
        self._clock = clock
        self._random = source

    def steps(
        self, changes: Sequence[FileChange], sink: Sink
    ) -> Generator[tuple[FileChange, Callable[[], bool]]]:
        """A batch: each change with what brings it up to date as far as the writer, in the order in which
        that is to be called; it answers False when the change must be queued again instead.

        What was called has been handed over at the end, even if that comes early.
        """
        self._reader.refresh()
        out = Outbox(sink, self._under_way, self._clock)
        try:
            for change in changes:
                if not is_of_a_file(change):
                    yield change, partial(self.process, change, out)
            files = [change for change in changes if is_of_a_file(change)]
            while files:
                with self._ahead.at(files) as ahead:
                    files = files[len(ahead.known) + len(ahead.alone) :]
                    alone = ahead.alone
                    for change, found in ahead.known:
                        if isinstance(found, Known) and found.claimed is None:
                            if out.holds(found.key):
                                out.flush()
                            [found.claimed] = self._under_way.claim_now([found.key])
                            if found.claimed is None:
                                alone.append(change)
                                continue
                            found.stored = found.claimed and bool(self._find_results([found.key]))
                        yield change, partial(self._found, change, found, out)
                        out.flush_if_due()
                    # Before the claims are let go: those that are with the writer are no claims any more.
                    out.flush()
                for change in alone:  # no claim is held, so these may wait for one
                    yield change, partial(self.process, change, out)
                    out.flush()
            out.flush()
        finally:
            with suppress(WriterStopped):
                out.flush()

    def rest(self) -> None:
        """Nothing is to be done for a while: give back what this thread keeps for the next file."""
        self._reader.rest()

    def close(self) -> None:
        """Let go of the root."""
        self._reader.close()

    def process(self, change: FileChange, out: Outbox) -> bool:
        """Bring one path up to date as far as the writer; False when it must be queued again instead."""
        path, old = _paths(change)
        if change.is_dir and change.change_type is ChangeType.RENAMED and old is not None:
            out.put(Submission(change.path, change.ticket, (MoveTree(old, path, change.cause),), DONE))
            return True
        if change.change_type is ChangeType.DELETED:
            gone = RemoveTree(path, change.cause) if change.is_dir else Remove(path, change.cause)
            out.put(Submission(change.path, change.ticket, (gone,), GONE))
            return True
        size = self._reader.size(change.path)
        self._budget.acquire(size)
        try:
            return self._process_file(change, out)
        finally:
            self._budget.release(size)

    def _process_file(self, change: FileChange, out: Outbox) -> bool:
        reading = self._reader.read(change.path)
        if isinstance(reading, Torn):
            return False
        if isinstance(reading, Gone):
            return self._found(change, reading, out)
        if not isinstance(reading, ReadFile):
            out.put(self._failure(change, reading.reason, reading.stat))
            return True
        if reading.stat.size <= MAX_HASHED_BYTES:
            self._status.count_bytes(reading.stat.size)
        failpoint.hit("fp_hash_then_commit")
        choice = self._registry.choose(change.path, reading.head, reading.stat.size)
        found = Known(reading, choice, ResultKey(reading.digest, choice.language or "", choice.identity))
        # Claimed before the store is asked: the other order could miss a commit between the two.
        found.claimed = self._under_way.claim(found.key)
        try:
            found.stored = found.claimed and bool(self._find_results([found.key]))
            return self._found(change, found, out)
        finally:
            if found.claimed:
                self._under_way.release(found.key)

    def _found(self, change: FileChange, found: Known | Gone, out: Outbox) -> bool:
        """What a reading leads to. A claim that is not held any more afterwards is marked so."""
        path, old = _paths(change)
        if isinstance(found, Gone):
            out.put(
                Submission(change.path, change.ticket, (*_before(change), Remove(path, change.cause)), GONE)
            )
            return True
        reading, choice, key, made = found.reading, found.choice, found.key, found.made
        upsert = Upsert(
            path=path,
            stat=reading.stat,
            key=key,
            record=None if made is None else made.made,
            old_path=old,
            cause=change.cause,
            seen_at=reading.at,
            attempts=change.attempts,
            racy=reading.racy,
        )
        if not found.claimed or found.stored:
            self._status.count_reuse()
            out.put(_submission(change, upsert))
            return True
        if made is not None:
            self._status.count_extraction()
            if choice.at_once is not None:
                choice.at_once.count()
            self._hand_on(change, upsert, made.cost, found, out)
            return True
        source = reading.content if reading.content is not None else reading.head
        shared = self._shared if self._registry.may_share(choice.identity) else None
        if shared is not None and (known := self._known(shared, key, choice.language, source)):
            self._status.count_shared()
            cost = cost_of(known) + 300 * len(known.symbols)
            self._hand_on(change, replace(upsert, record=known), cost, found, out)
            return True
        self._status.count_extraction()
        self._parsed.acquire(len(source))
        try:
            extraction = choice.run(source)
        except ExtractionError as error:
            out.put(self._failure(change, str(error), reading.stat, final=True))
            return True
        except Exception as error:
            # An extractor of somebody else's making may raise anything; it is about this content.
            log.exception("extractor %s broke on %r", choice.identity, change.path)
            reason = f"{choice.identity} broke: {type(error).__name__}: {error}"
            out.put(self._failure(change, reason, reading.stat, final=True))
            return True
        finally:
            self._parsed.release(len(source))
        upsert = replace(upsert, record=extraction.made)
        if extraction.provisional:
            # Not what the key promises: nobody may take it over, and the next start makes it again.
            upsert = replace(upsert, key=replace(key, extractor=provisional(key.extractor)))
            out.put(_submission(change, upsert, cost=extraction.cost))
            return True
        if shared is not None:
            shared.offer(key, extraction.record)
        self._hand_on(change, upsert, extraction.cost, found, out)
        return True

    def _hand_on(self, change: FileChange, upsert: Upsert, cost: int, found: Known, out: Outbox) -> None:
        """A result is on its way to the writer, and so is the claim to it."""
        key = found.key
        found.claimed = False
        out.put(_submission(change, upsert, cost=cost, release=lambda: self._under_way.release(key)), key)

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
        final: bool = False,
    ) -> Submission:
        before = _before(change)
        return failure(
            change, reason, stat, now=self._clock.now(), source=self._random, before=before, final=final
        )


def _paths(change: FileChange) -> tuple[bytes, bytes | None]:
    """The path and the old one, as bytes."""
    return os.fsencode(change.path), None if change.old_path is None else os.fsencode(change.old_path)


def _before(change: FileChange) -> tuple[Item, ...]:
    """A rename whose file is gone or unreadable still leaves the old name without one."""
    return () if change.old_path is None else (Remove(os.fsencode(change.old_path), change.cause),)


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
