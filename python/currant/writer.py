"""The one thread that writes: collects finished files, commits them in groups, then acknowledges.

Owns: how large a group may grow and how long it may wait, the order commit -> acknowledge, what happens
when a commit fails. Does not own: SQL (`store`), the meaning of an item (`workers`).

Committed or pending: a ticket is given back after the commit that holds it, never before. A commit that
fails keeps its items here and is tried again; nothing is acknowledged meanwhile, and the bound on the
backlog makes the workers wait, so that the engine keeps what they cannot take.
"""

import contextlib
import logging
import os
import random
import threading
from collections.abc import Callable, Sequence
from typing import Final, Protocol

import msgspec

from currant import failpoint
from currant.changes import AGAIN, FAILED, Ack, ChangeDetectionQueue, backoff_seconds
from currant.clock import Clock
from currant.config import IN_HAND
from currant.errors import StoreDamagedError, StoreFullError, StoreUnavailableError
from currant.model import Degraded, Failure, FileStat, Item, Upsert
from currant.status import StatusReporter

log = logging.getLogger(__name__)

GROUP_BYTES: Final = 16 << 20
GROUP_SECONDS: Final = 0.1
# Twice a group: the workers fill the next one while this one is being committed.
BACKLOG_ITEMS: Final = IN_HAND
GROUP_ITEMS: Final = BACKLOG_ITEMS // 2
BACKLOG_BYTES: Final = 2 * GROUP_BYTES
_RECHECK_SECONDS: Final = 0.01
_ISOLATE_AFTER: Final = 3
_RETRY_CAP: Final = 30.0


class CommitTarget(Protocol):
    """What is used of `Store`."""

    @property
    def last_missing(self) -> Sequence[bytes]: ...

    def commit(self, items: Sequence[Item], now: float) -> str: ...


class Submission(msgspec.Struct, frozen=True):
    """One finished change: what to commit, and what to tell the engine afterwards.

    `cost` is about how many bytes it takes; `error` is why it failed, if it did; `release` is called once
    the submission has left the writer, committed or not.
    """

    path: str
    ticket: int
    items: tuple[Item, ...]
    outcome: str
    stat: FileStat | None = None
    retry_seconds: float = 0.0
    cost: int = 0
    error: str | None = None
    release: Callable[[], None] | None = None


class WriterStopped(Exception):
    """The writer takes nothing more; what was not submitted stays pending in the engine."""


def seconds_until_due(items: int, size: int, age: float, *, idle: bool) -> float:
    """How long a group may still grow: 0 means commit now.

    `age` is the seconds since its first item came, `idle` that nothing else is on its way: then waiting
    could only make the answer later, not the group larger.
    """
    if items >= GROUP_ITEMS or size >= GROUP_BYTES or idle:
        return 0.0
    return max(0.0, GROUP_SECONDS - age)


class Writer:
    """Start it, submit from any thread, stop it. `turn` is one step of its thread, for tests to call."""

    def __init__(
        self,
        store: CommitTarget,
        queue: ChangeDetectionQueue,
        *,
        status: StatusReporter,
        clock: Clock,
        source: random.Random | None = None,
        idle: Callable[[float], float] | None = None,
    ) -> None:
        """`idle` is called with the wall time while there is nothing to commit, for one short step of other
        writing, and says after how many seconds it wants to be called again."""
        self._store = store
        self._idle = idle
        self._idle_at = 0.0
        self._idle_asked = False
        self._queue = queue
        self._status = status
        self._clock = clock
        self._random = source or random.Random()
        self._changed = threading.Condition()
        self._group: list[Submission] = []
        self._items = 0
        self._bytes = 0
        self._paths = 0
        self._first_at = 0.0
        # The group being committed: still counts against the bound, still unacknowledged.
        self._committing: list[Submission] = []
        self._committing_items = 0
        self._committing_bytes = 0
        # Counts the wake-ups, so that one between a decision to wait and the wait is not lost.
        self._wakes = 0
        self._stopping = False
        self._engine_stops = False
        self._closed = False
        self._failures = 0
        self._retry_at = 0.0
        self._reason = ""
        self._thread: threading.Thread | None = None

    # --- for the workers --------------------------------------------------------------------------------

    def submit(self, *submissions: Submission) -> None:
        """Hand over finished changes, all or none. Waits while the backlog is full; raises WriterStopped
        after `stop`."""
        with self._changed:
            while not self._stopping and self._full():
                self._changed.wait()
            if self._stopping:
                raise WriterStopped
            first = not self._group
            if first:
                self._first_at = self._clock.monotonic()
            self._group += submissions
            for submission in submissions:
                self._items += len(submission.items)
                self._bytes += submission.cost
                self._paths += 1 + sum(
                    isinstance(item, Upsert) and item.old_path is not None for item in submission.items
                )
            # Waking the thread for each file would cost more than the file; `nudge` ends each batch.
            if first or self._items >= GROUP_ITEMS or self._bytes >= GROUP_BYTES:
                self._wake()

    def nudge(self) -> None:
        """Look again whether to commit: a worker has finished its batch."""
        with self._changed:
            self._wake()

    def retry_now(self) -> None:
        """Try a commit that failed again at once: somebody waits for it."""
        with self._changed:
            if self._failures:
                self._retry_at = 0.0
                self._wake()

    def wake_idle(self) -> None:
        """Have `idle` called as soon as there is nothing to commit, whenever it wanted to be called."""
        with self._changed:
            self._idle_asked = True
            self._wake()

    def backlog(self) -> int:
        """Submissions not yet acknowledged."""
        with self._changed:
            return len(self._group) + len(self._committing)

    def degraded(self) -> Degraded | None:
        """What is wrong while commits fail, else None."""
        with self._changed:
            if not self._failures:
                return None
            failures, reason = self._failures, self._reason
            waiting = len(self._group) + len(self._committing)
        return Degraded(
            code="commits_fail",
            what=f"commits fail: {reason} ({waiting} changes wait)",
            count=failures,
            fix="free disk space or repair the file system that holds the state directory; "
            "the commit is tried again by itself and nothing is lost",
        )

    # --- life -------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the thread."""
        self._thread = threading.Thread(target=self._run, name="currant-writer", daemon=True)
        self._thread.start()

    def engine_stops(self) -> None:
        """The engine is about to be stopped on purpose: from now on it need not take acknowledgements. What
        is submitted is committed as before."""
        self._engine_stops = True

    def request_stop(self) -> None:
        """Take nothing more: whoever waits for room gets WriterStopped."""
        with self._changed:
            self._stopping = True
            self._wake()

    def stop(self, timeout: float | None = None) -> bool:
        """Commit what was submitted, then end; False if that took longer than `timeout`. Idempotent.

        If the last commit fails, its changes stay unacknowledged: the next start finds them again.
        """
        self.request_stop()
        thread = self._thread
        if thread is None:
            self._finish()
            return True
        thread.join(timeout)
        return not thread.is_alive()

    def _run(self) -> None:
        while True:
            wakes = self._wakes
            try:
                wait = self.turn()
            except Exception:
                # Not a failing commit (`turn` keeps those) but a fault in our own code: say so, go on.
                log.exception("writer: unexpected error")
                self._note_failure("internal error, see the log")
                wait = 1.0
            with self._changed:
                if self._stopping:
                    break
                if self._wakes == wakes:
                    self._changed.wait(wait)
        self._finish()

    def _finish(self) -> None:
        """The last commit."""
        with self._changed:
            if self._closed:
                return
            self._closed = True
            self._retry_at = 0.0
        try:
            while self.backlog() and self._commit_group():
                pass
        except Exception:
            log.exception("writer: the last commit failed; its changes are found again at the next start")

    # --- one step ---------------------------------------------------------------------------------------

    def turn(self) -> float | None:
        """Commit if it is time to. Returns the seconds after which to look again, None for "when told"."""
        now = self._clock.monotonic()
        with self._changed:
            waiting = len(self._group) + len(self._committing)
            stopping = self._stopping
        if not waiting:
            return None if stopping else self._be_idle(now)
        with self._changed:
            if self._failures and now < self._retry_at:
                return self._retry_at - now
            retrying = bool(self._committing)
            items, size, age = self._items, self._bytes, now - self._first_at
            paths = self._paths
        if not retrying:
            # What is pending but not handed out does not count: it may be waiting for this very commit, as
            # the change of a subtree does, and everything behind it.
            idle = self._queue.handed_out() <= paths
            wait = seconds_until_due(items, size, age, idle=idle)
            if wait > 0:
                # The engine counts what was acknowledged with a little delay, so ask it again soon.
                return min(wait, _RECHECK_SECONDS)
        self._commit_group()
        return 0.0

    def _be_idle(self, now: float) -> float | None:
        """A step of other writing, when it is time."""
        if self._idle is None:
            return None
        with self._changed:
            asked, self._idle_asked = self._idle_asked, False
        if asked or now >= self._idle_at:
            self._idle_at = now + self._idle(self._clock.now())
        return max(0.0, self._idle_at - now)

    def _commit_group(self) -> bool:
        """Commit the oldest group; False when it failed and was kept."""
        with self._changed:
            if not self._committing:
                self._committing, self._group = self._group, []
                self._committing_items, self._items = self._items, 0
                self._committing_bytes, self._bytes = self._bytes, 0
                self._paths = 0
            group = self._committing
            failures = self._failures
        # From here on `_committing` belongs to this thread alone; the lock is free during the commit.
        try:
            if failures < _ISOLATE_AFTER:
                self._commit(group)
                left: list[Submission] = []
            else:
                left = self._isolate(group)
        except Exception as error:
            self._note_failure(_words(error))
            log.warning("commit of %d changes failed, kept for another try: %s", len(group), _words(error))
            return False
        with self._changed:
            self._committing = left
            self._committing_items = sum(len(submission.items) for submission in left)
            self._committing_bytes = sum(submission.cost for submission in left)
            if not left:
                self._failures = 0
            self._changed.notify_all()
        return not left

    def _commit(self, group: Sequence[Submission]) -> None:
        """One transaction, then the acknowledgements. Raises what the store raises."""
        items = [item for submission in group for item in submission.items]
        missing: set[bytes] = set()
        if items:
            self._store.commit(items, self._clock.now())
            missing = {os.fsencode(path) for path in self._store.last_missing}
        failpoint.hit("fp_commit_then_ack")
        acks: list[Ack] = []
        done: list[str] = []
        failed: list[tuple[str, str]] = []
        for submission in group:
            if submission.release is not None:
                submission.release()
            if missing and any(
                isinstance(item, Upsert) and item.path in missing for item in submission.items
            ):
                acks.append(Ack(submission.ticket, AGAIN))
                continue
            acks.append(Ack(submission.ticket, submission.outcome, submission.stat, submission.retry_seconds))
            if submission.error is not None:
                failed.append((submission.path, submission.error))
            else:
                done.append(submission.path)
        self._status.report(done, failed)
        try:
            self._queue.ack(acks)
        except Exception:
            # The rows are committed; an engine that has failed or stopped finds them so at its next start.
            if not (self._stopping or self._engine_stops):
                log.exception("the engine did not take %d acknowledgements", len(acks))

    def _isolate(self, group: Sequence[Submission]) -> list[Submission]:
        """Commit one by one, so that a change that can never be committed does not hold up the others.

        Returns those to keep. When the first few fail alike the store is at fault, not they: raises.
        """
        left: list[Submission] = []
        succeeded = False
        for index, submission in enumerate(group):
            try:
                self._commit([submission])
            except (StoreFullError, StoreDamagedError, StoreUnavailableError, OSError):
                if not succeeded:
                    raise
                # The disk filled up on the way: what follows must stay behind this one, in order.
                return [*left, *group[index:]]
            except Exception as error:
                with contextlib.suppress(Exception):
                    self._commit([self._as_failure(submission, error)])
                    log.exception("a change of %r cannot be committed", submission.path)
                    succeeded = True
                    continue
                left.append(submission)
                if not succeeded and len(left) >= min(_ISOLATE_AFTER, len(group)):
                    raise
                continue
            succeeded = True
        return left

    def _as_failure(self, submission: Submission, error: Exception) -> Submission:
        """What to commit in place of a change that the store refuses."""
        reason = f"cannot be stored: {_words(error)}"
        attempts = max(
            (item.attempts for item in submission.items if isinstance(item, Upsert | Failure)), default=0
        )
        retry = backoff_seconds(attempts + 1, self._random)
        failure = Failure(
            path=os.fsencode(submission.path),
            stat=submission.stat,
            reason=reason,
            attempts=attempts + 1,
            retry_at=self._clock.now() + retry,
            cause="retry",
        )
        return Submission(
            path=submission.path,
            ticket=submission.ticket,
            items=(failure,),
            outcome=FAILED,
            stat=submission.stat,
            retry_seconds=retry,
            error=reason,
            release=submission.release,
        )

    def _note_failure(self, reason: str) -> None:
        with self._changed:
            self._failures += 1
            self._reason = reason
            wait = backoff_seconds(self._failures, self._random, cap=_RETRY_CAP)
            self._retry_at = self._clock.monotonic() + wait

    def _wake(self) -> None:
        """Only with the lock held."""
        self._wakes += 1
        self._changed.notify_all()

    def _full(self) -> bool:
        return (
            self._items + self._committing_items >= BACKLOG_ITEMS
            or self._bytes + self._committing_bytes >= BACKLOG_BYTES
        )


def _words(error: BaseException) -> str:
    return str(error) or type(error).__name__
