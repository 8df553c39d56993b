"""The composition root: one root's service under its public names.

Owns: what is public, and which room answers it. The rooms are in this package, their map in its `__init__`.
"""

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from currant.cache import MetadataCache
from currant.changes import EngineLike
from currant.clock import Clock, SystemClock
from currant.config import Settings
from currant.extract import Registry
from currant.llm.switch import Switch
from currant.model import ChangeType, CommitInfo, FileChange, FileView, Progress, SyncResult, Throttle
from currant.outset import EngineFactory, Outset
from currant.query import Query
from currant.recovery import Guard
from currant.service import paths as naming
from currant.service.answers import Answers
from currant.service.barrier import Barrier
from currant.service.life import Life
from currant.service.partset import Basis, PartSet
from currant.status import StatusReporter
from currant.store import Store

if TYPE_CHECKING:
    from currant.audit import Run


class Service:
    """Everything that keeps the index of `root` true. Only one process can have one for a root.

    `live=False` scans once and sets no watch. `outset` may have taken the root and begun already: it is this
    service's from now on. `engine_factory`, `registry` and `clock` are for tests.
    """

    def __init__(
        self,
        root: Path | str,
        settings: Settings | None = None,
        *,
        live: bool = True,
        clock: Clock | None = None,
        engine_factory: EngineFactory | None = None,
        registry: Registry | None = None,
        outset: Outset | None = None,
    ) -> None:
        # Resolved once: the engine, the reader and the socket must mean the same directory for ever.
        self.root = Path(os.path.realpath(root))
        self.settings = settings if settings is not None else Settings()
        self.state_dir = self.settings.state_path(self.root)
        self.live = live
        self._clock = clock or SystemClock()
        self.status_reporter = StatusReporter(self._clock)
        self.on_commit: list[Callable[[CommitInfo], None]] = []
        """Called after each commit on the writer's thread, whichever store it is in."""
        self._parts = PartSet(
            Basis(
                root=self.root,
                state_dir=self.state_dir,
                settings=self.settings,
                live=live,
                clock=self._clock,
                status=self.status_reporter,
                outset=outset
                or Outset(self.root, self.state_dir, self.settings, live=live, factory=engine_factory),
                registry=registry,
            )
        )
        self._life = Life(self._parts)
        self._barrier = Barrier(self._parts, self._life)
        self._answers = Answers(self._parts, self._life, self._barrier)
        self._parts.committed.append(self._tell_listeners)
        self._life.guard.endings.append(self._tell_of_the_end)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # --- life -------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Take the root, open the index, and begin to bring it up to date. Idempotent.

        Raises LockedError naming the owner's process, UsageError if `root` is no directory or the service
        was stopped, and what the store and the engine raise; then nothing is left open.
        """
        self._life.start()

    def stop(self) -> None:
        """Finish what is in hand, commit, close everything. Idempotent, from any thread; in a forked child
        it does nothing, because nothing there is the child's."""
        self._life.stop()

    shutdown = stop

    # --- parts ------------------------------------------------------------------------------------------

    @property
    def guard(self) -> Guard:
        """What notices that the index is lost while it is in use."""
        return self._life.guard

    @property
    def store(self) -> Store:
        """Raises ClosedError before `start` and after `stop`."""
        return self._life.part(lambda: self._parts.store)

    @property
    def query(self) -> Query:
        """Raises ClosedError before `start` and after `stop`."""
        return self._life.part(lambda: self._parts.query)

    @property
    def cache(self) -> MetadataCache:
        """The decoded records in memory. Raises ClosedError before `start` and after `stop`."""
        return self._life.part(lambda: self._parts.cache)

    @property
    def engine(self) -> EngineLike:
        """Raises ClosedError before `start` and after `stop`."""
        return self._life.part(lambda: self._parts.engine)

    @property
    def llm(self) -> Switch:
        """The expensive tier, on or off. Raises ClosedError before `start` and after `stop`."""
        return self._life.part(lambda: self._parts.llm)

    # --- what one can ask it ----------------------------------------------------------------------------

    def sync(self, timeout: float, paths: Iterable[str | os.PathLike[str]] | None = None) -> SyncResult:
        """Wait until everything written before this call is in the index, at most `timeout` seconds.

        With `paths` (from the root unless absolute), look at those alone and wait for nothing else; a
        directory stands for everything below it. `fresh` False: not in time, and `outstanding` has up to 20
        of the paths still pending. Raises EngineError when the engine has failed, for then nothing will
        become fresh any more, LockedError when another process took the
        root, and UsageError for a path outside the root.
        """
        return self._barrier.sync(timeout, paths)

    def show(self, path: str) -> FileView | None:
        """Everything about one file, with what a model said of its content. Raises StoreError."""
        view = self.query.show(path)
        if view is None:
            return None
        return self.llm.enriched(view)

    def relative(self, path: str | os.PathLike[str]) -> str:
        """`path` as the index names it. Raises UsageError when it lies outside the root."""
        return naming.relative(self.root, path)

    def is_running(self) -> bool:
        """True while changes are worked on, or the index is being made anew to that end."""
        return self._answers.is_running()

    def progress(self) -> Progress:
        """How much of how much has been brought up to date since the start."""
        return self._answers.progress()

    def get_status(self) -> dict[str, Any]:
        """A snapshot for people and machines; docs/status.md has its keys."""
        return self._answers.status()

    def degraded(self) -> list[str]:
        """Short names of what works worse than it should: what every answer carries. Cheap."""
        return self._answers.degraded()

    def root_missing(self) -> bool:
        """Whether the root was not there when last looked for; each sync looks."""
        return self._barrier.root_missing()

    def outdated(self) -> int:
        """How many files have a record by an extractor that is not in use any more, and wait for another."""
        upgrader = self._parts.upgrader
        return 0 if upgrader is None else upgrader.status()["outdated"]

    # --- what one can tell it ---------------------------------------------------------------------------

    def audit(self, *, whole: bool = False) -> "Run":
        """Compare a sample of the tree with the index now (`whole`: all of it, by size, times and inode), and
        repair what has drifted. Raises EngineError, StoreError."""
        auditor = self._life.part(lambda: self._parts.auditor)
        self._barrier.raise_engine_error()
        with self._barrier.engine_errors():
            return auditor.run_once(whole=whole)

    def acknowledge_drift(self) -> int:
        """End the notice of the drift found so far; returns of how much."""
        return self._life.part(lambda: self._parts.ledger).acknowledge(self._clock.now())

    def force_process_file(self, path: str | os.PathLike[str]) -> bool:
        """Have one file read again now. `path` counts from the root unless absolute; False when the rules
        ignore it. Raises UsageError when it lies outside the root."""
        queue = self._life.part(lambda: self._parts.queue)
        relative = self.relative(path)
        change = FileChange(relative, ChangeType.MODIFIED, self._clock.now(), cause="request")
        with self._barrier.engine_errors():
            return queue.add_change(change)

    def upgrade(self, count: int) -> dict[str, int]:
        """Have up to `count` files read again whose records are by extractors that are not in use any more:
        ``handed_over`` says how many (0: there is none left), with what `status` says of them."""
        if not self.settings.scheduler.enabled:
            return {"handed_over": 0, "outdated": 0, "replaced": 0}
        upgrader = self._life.part(lambda: self._parts.upgrader)
        # More at once would have the engine forget which files of a directory they were.
        most = max(1, min(count, self.settings.scheduler.max_queue_size // 4))
        with self._barrier.engine_errors():
            return {"handed_over": upgrader.hand_over(most), **upgrader.status()}

    def throttle(self, throttle: Throttle) -> None:
        """Step back as far as this says, from now on, also when the index is made anew. The same again costs
        nothing. Questions are answered as before, and a barrier does not wait for anybody's rest."""
        self._parts.step_back(throttle)

    def when_idle(
        self,
        step: Callable[[Store], bool],
        timeout: float,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> bool:
        """Have short steps of upkeep done on the writer's thread, while there is nothing to commit, until
        `step` returns False; see `IdleWork.ask`. False for a service that is not live."""
        store, idle = self.store, self._parts.idle
        return idle is not None and idle.ask(lambda: step(store), timeout, cancelled)

    def clear_queue(self) -> int:
        """Forget what is pending; the next scan finds it again. Returns how many were forgotten."""
        queue = self._life.part(lambda: self._parts.queue)
        with self._barrier.engine_errors():
            return queue.clear()

    # --- inside -----------------------------------------------------------------------------------------

    def _tell_listeners(self, commit: CommitInfo) -> None:
        for listener in list(self.on_commit):
            listener(commit)

    def _tell_of_the_end(self) -> None:
        """There will be no further commit: whoever waits for one is to look why."""
        self._tell_listeners(CommitInfo(self._barrier.reached, 0, 0, 0, frozenset()))
