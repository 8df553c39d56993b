"""Composition root: builds the parts of one root, starts and stops them in order, says how they are.

Owns: who is made from what, the order of starting and stopping, the assembled status. Does not own: any
part's behaviour.

Starting: lock, store, engine with the rows of the index, writer, workers, engine threads. Stopping is the
reverse: no new changes, the file in hand of each worker, the last commit, the store, the lock. What was not
committed by then was never acknowledged, so the next start finds it again. An index that is lost while it is
in use is made anew by both in turn, without giving up the lock.
"""

import contextlib
import logging
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from currant import failpoint, parts, report, statedir
from currant.audit import Auditor, Ledger, Run
from currant.cache import MetadataCache
from currant.changes import ChangeDetectionQueue, EngineLike
from currant.clock import Clock, SystemClock
from currant.collection import Collection
from currant.config import Settings
from currant.errors import (
    ClosedError,
    EngineError,
    StoreDamagedError,
    StoreError,
    StoreLostError,
    UsageError,
)
from currant.extract import Registry
from currant.idle import IdleWork
from currant.llm.switch import Switch
from currant.lock import RootLock
from currant.model import ChangeType, CommitInfo, FileChange, FileView, Progress, SyncResult, Throttle
from currant.query import Query
from currant.recovery import Guard
from currant.status import StatusReporter
from currant.store import SharedResults, Store
from currant.upgrade import Upgrader
from currant.workers import SchedulerController, WorkerThreadPool
from currant.writer import Writer

log = logging.getLogger(__name__)

_Part = TypeVar("_Part")
_REBUILD_SECONDS: Final = 2.0
"""How long a question waits for an index that is just being opened again, before it is told so."""

_STOP_SECONDS: Final = 10.0
"""How long a worker may take over the file in hand before it is left behind (a read that hangs)."""


_NO_COUNTS: Final[dict[str, Any]] = {"files": 0, "failed": 0, "results": 0, "symbols": 0, "by_language": {}}
"""Of an index that is being made anew."""


class Service:
    """Everything that keeps the index of `root` true. Only one process can have one for a root.

    `live=False` scans once and sets no watch. `engine_factory`, `registry` and `clock` are for tests.
    """

    def __init__(
        self,
        root: Path | str,
        settings: Settings | None = None,
        *,
        live: bool = True,
        clock: Clock | None = None,
        engine_factory: parts.EngineFactory | None = None,
        registry: Registry | None = None,
    ) -> None:
        # Resolved once: the engine, the reader and the socket must mean the same directory for ever.
        self.root = Path(os.path.realpath(root))
        self.settings = settings if settings is not None else Settings()
        self.state_dir = self.settings.state_path(self.root)
        self.live = live
        self._clock = clock or SystemClock()
        self._engine_factory = engine_factory
        self._registry = registry
        self._lifecycle = threading.Lock()
        self._pid = 0
        self._started = False
        self._stopped = False
        self._lock = RootLock(self.state_dir, str(self.root))
        self._observer = report.Observer()
        self._looking = threading.Lock()  # of the observer; held for a few assignments
        self.status_reporter = StatusReporter(self._clock)
        self.on_commit: list[Callable[[CommitInfo], None]] = []
        """Called after each commit on the writer's thread, whichever store it is in."""
        self.guard = Guard(self._lost, self._make_anew, clock=self._clock)
        self.guard.endings.append(self._tell_listeners)
        self._generation = 0
        self._last_clock = ""
        self._store: Store | None = None
        self._query: Query | None = None
        self._cache: MetadataCache | None = None
        self._engine: EngineLike | None = None
        self._queue: ChangeDetectionQueue | None = None
        self._controller: SchedulerController | None = None
        self._ledger: Ledger | None = None
        self._auditor: Auditor | None = None
        self._llm: Switch | None = None
        self._extractors: Registry | None = None
        self._upgrader: Upgrader | None = None
        self._collection: Collection | None = None
        self._shared: SharedResults | None = None
        self._idle: IdleWork | None = None
        self._throttle = Throttle()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # --- parts ------------------------------------------------------------------------------------------

    @property
    def store(self) -> Store:
        """Raises ClosedError before `start` and after `stop`."""
        return self._part(self._store, lambda: self._store)

    @property
    def query(self) -> Query:
        """Raises ClosedError before `start` and after `stop`."""
        return self._part(self._query, lambda: self._query)

    @property
    def cache(self) -> MetadataCache:
        """The decoded records in memory. Raises ClosedError before `start` and after `stop`."""
        return self._part(self._cache, lambda: self._cache)

    @property
    def engine(self) -> EngineLike:
        """Raises ClosedError before `start` and after `stop`."""
        return self._part(self._engine, lambda: self._engine)

    def is_running(self) -> bool:
        """True while changes are worked on, or the index is being made anew to that end."""
        controller = self._controller
        if self._started and not self._stopped and self.guard.final is None and self.guard.trouble():
            return self.settings.scheduler.enabled
        return controller is not None and controller.is_running()

    # --- life -------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Take the root, open the index, and begin to bring it up to date. Idempotent.

        Raises LockedError naming the owner's process, UsageError if `root` is no directory or the service
        was stopped, and what the store and the engine raise; then nothing is left open.
        """
        with self._lifecycle:
            if self._stopped:
                raise ClosedError("this service was stopped: make a new one")
            if self._started:
                self._check_process()
                return
            if not self.root.is_dir():
                raise UsageError(f"{self.root} is not a directory: name the directory to index")
            failpoint.check()
            if self.live:
                Switch.check(self.settings)
            self._pid = os.getpid()
            try:
                self._take_root()
                self._build()
            except BaseException:
                self._close()
                raise
            self._started = True
            self.guard.start()

    def _take_root(self) -> None:
        statedir.prepare(self.state_dir)  # the lock file needs it, before the store does
        try:
            self._lock.acquire()
        except OSError as error:
            raise StoreError(
                f"the state directory {self.state_dir} cannot be used ({error.strerror or error}): make it "
                "writable and give it room, or name another one with --state-dir"
            ) from error

    def _build(self, discard: str | None = None) -> None:
        """All parts, the lock being held. `discard` says what is wrong with the index that may be there."""
        if self.settings.scheduler.enabled:
            # The disk is read while this thread reads the index; nothing is handed out before both are known.
            self._engine = parts.engine(
                self.root, self.state_dir, self.settings, live=self.live, factory=self._engine_factory
            )
            self._engine.start(rows_later=True)
        # Kept when the index is made anew: it counts since the start.
        registry = self._extractors = (
            self._extractors or self._registry or parts.registry(self.settings.extract)
        )
        store, held = self._open_store(registry, discard)
        cache = self._cache = MetadataCache(self.settings.cache.max_mb << 20)
        self._query = Query(store, cache, current=registry.is_current)
        store.on_commit.append(self._committed)
        store.on_damage.append(self.guard.report)
        if self._ledger is None:  # what it counts outlives an index that is made anew
            self._ledger = Ledger(self.state_dir)
        engine = self._engine
        live = self.live and engine is not None
        self._llm = Switch(
            self.root, self.state_dir, self.settings, self._query, clock=self._clock, live=live
        )
        store.on_commit.append(self._llm.committed)
        if engine is None:
            return
        engine.load(held.rows)
        # Before there are workers: it may write, and nobody else does yet.
        upgrader = self._upgrader = parts.upgrader(store, registry, engine, hidden=held.hidden)
        del held  # a hundred bytes per file that nobody needs any more
        shared = self._shared = parts.shared_results(self.root, self.settings.extract)
        if shared is not None:
            store.on_commit.append(lambda _commit: shared.flush())
        queue = self._queue = ChangeDetectionQueue(engine, self._clock)
        collection = self._collection = Collection(store, self.settings.store.keep_unused_days)
        # Whoever only asks one question does not write for another purpose.
        idle = self._idle = IdleWork(collection.step, self._clock) if self.live else None
        writer = Writer(
            store,
            queue,
            status=self.status_reporter,
            clock=self._clock,
            idle=None if idle is None else idle.step,
        )
        if idle is not None:
            idle.wake = writer.wake_idle
        pool = WorkerThreadPool(
            queue,
            writer,
            parts.processors(
                self.root,
                store,
                registry,
                status=self.status_reporter,
                clock=self._clock,
                shared=shared,
            ),
            workers=self.settings.scheduler.worker_threads,
            batch_size=self.settings.scheduler.batch_size,
            status=self.status_reporter,
            clock=self._clock,
        )
        controller = self._controller = SchedulerController(queue, pool, writer, self.status_reporter)
        self._apply_throttle()
        controller.start()
        self._auditor = parts.auditor(
            self.root,
            self.state_dir,
            self.settings.monitor,
            query=self._query,
            engine=engine,
            ledger=self._ledger,
            clock=self._clock,
            live=self.live,
        )
        self._query.on_read += [upgrader.asked, self._llm.asked]
        if self.live:
            self._auditor.start()
            upgrader.start()
        self._llm.start()

    def _open_store(self, registry: Registry, discard: str | None) -> tuple[Store, parts.Rows]:
        """The store and all its rows. Reading them is part of the check of the index at start: what turns out
        damaged is set aside by opening once more."""
        store = self._store = Store.open(self.state_dir, clock=self._clock, discard=discard)
        try:
            return store, parts.rows(store, registry)
        except StoreDamagedError:
            store.close()
        store = self._store = Store.open(self.state_dir, clock=self._clock)
        return store, parts.rows(store, registry)

    def stop(self) -> None:
        """Finish what is in hand, commit, close everything. Idempotent, from any thread; in a forked child
        it does nothing, because nothing there is the child's."""
        if self._started and os.getpid() != self._pid:
            return
        self._stopped = True
        self.guard.stop()
        with self._lifecycle:
            self._close()

    shutdown = stop

    def _close(self) -> None:
        self._close_parts()
        if self._extractors is not None:
            self._extractors.close()  # not earlier: what is being parsed would count as refused
        self._lock.release()

    def _close_parts(self) -> None:
        """Each step even if the one before it failed: the lock must not outlive the service."""
        for step in self._closing_steps():
            try:
                step()
            except Exception:
                log.exception("while stopping")
        self._store, self._query, self._cache = None, None, None

    def _closing_steps(self) -> Iterator[Callable[[], object]]:
        controller, shared = self._controller, self._shared
        if self._idle is not None:
            yield self._idle.close
        if controller is not None:
            yield controller.worker_pool.request_stop
        auditor = self._auditor
        if auditor is not None:
            yield auditor.request_stop
        upgrader = self._upgrader
        if upgrader is not None:
            yield upgrader.request_stop
        if self._engine is not None:
            yield self._engine.stop  # wakes the workers that wait for changes, and an audit's barrier
        if auditor is not None:
            yield lambda: auditor.join(_STOP_SECONDS)
        if upgrader is not None:
            yield lambda: upgrader.join(_STOP_SECONDS)
        if controller is not None:
            yield lambda: controller.stop(_STOP_SECONDS)
        if shared is not None:
            yield shared.close
        if self._llm is not None:
            yield self._llm.stop
        if self._store is not None:
            yield self._store.close

    # --- an index that is lost while it is in use -------------------------------------------------------

    def _lost(self) -> str | None:
        """What is wrong with the files of the index, None while they are as this process left them."""
        if not self.root.is_dir():
            return None  # they went with it, and come back with it; `root_missing` says so
        store = self._store
        found = None if store is None else store.problem()
        if found is not None:
            return found
        return None if self._lock.in_place() else "the lock file was removed or replaced"

    def _make_anew(self, reason: str) -> None:
        """Take everything down, set aside what is left of the index, and start with an empty one: the scan
        that every start makes fills it. On the guard's thread.

        Raises LockedError when the root belongs to another process now, and what a start raises."""
        with self._lifecycle:
            if self._stopped:
                return
            if not self.root.is_dir():
                raise StoreLostError(f"the root {self.root} is not there")
            self._generation += 1
            try:
                if not self._lock.in_place():
                    self._lock.release()
                    self._take_root()
                    if self._store is not None and self._store.problem() is None:
                        return  # the index itself is as it was
                self._close_parts()
                self._engine = self._queue = self._controller = None
                self._take_root()
                self._build(discard=reason)
            except BaseException:
                self._close_parts()
                self._engine = self._queue = self._controller = None
                raise

    # --- what one can ask and tell it -------------------------------------------------------------------

    def sync(self, timeout: float, paths: Iterable[str | os.PathLike[str]] | None = None) -> SyncResult:
        """Wait until everything written before this call is in the index, at most `timeout` seconds.

        With `paths` (from the root unless absolute), look at those alone and wait for nothing else; a
        directory stands for everything below it. `fresh` False: not in time, and `outstanding` has up to 20
        of the paths still pending. Raises EngineError when the engine has failed, for then nothing will
        become fresh any more, LockedError when another process took the
        root, and UsageError for a path outside the root.
        """
        if self._started:
            self._check_process()
        deadline = self._clock.monotonic() + timeout
        wanted = None if paths is None else list(paths)
        while True:
            left = max(0.0, deadline - self._clock.monotonic())
            if not self.guard.settle(left):
                return SyncResult(self._last_clock, fresh=False)
            generation = self._generation
            try:
                reached = self._sync(left, wanted)
            except (ClosedError, EngineError):
                # The parts that were asked are gone, and there are others.
                if self._stopped or (generation == self._generation and self.guard.ask() is None):
                    raise
            else:
                if generation == self._generation and self.guard.ask() is None:
                    return reached
            if self._clock.monotonic() >= deadline:
                return SyncResult(self._last_clock, fresh=False)

    def _sync(self, timeout: float, paths: list[str | os.PathLike[str]] | None) -> SyncResult:
        store, engine, controller = self.store, self._engine, self._controller
        self._raise_engine_error()
        if engine is None:
            return SyncResult(store.clock(), fresh=False)
        named = None if paths is None else [self._relative_or_root(path) for path in paths]
        if named is not None and "" in named:
            named = None
        if controller is not None:
            controller.writer.retry_now()
        with (
            controller.worker_pool.awaited() if controller else contextlib.nullcontext(),
            self._engine_errors(),
        ):
            outstanding = engine.sync(timeout, named)
        self._raise_engine_error()
        # Nothing is pending without a root, and yet the rows are not what is on disk.
        fresh = outstanding is None and not self.root_missing()
        self._last_clock = store.clock()
        return SyncResult(self._last_clock, fresh=fresh, outstanding=outstanding or [])

    def audit(self, *, whole: bool = False) -> Run:
        """Compare a sample of the tree with the index now (`whole`: all of it, by size, times and inode), and
        repair what has drifted. Raises EngineError, StoreError."""
        auditor = self._part(self._auditor, lambda: self._auditor)
        self._raise_engine_error()
        with self._engine_errors():
            return auditor.run_once(whole=whole)

    def acknowledge_drift(self) -> int:
        """End the notice of the drift found so far; returns of how much."""
        return self._part(self._ledger, lambda: self._ledger).acknowledge(self._clock.now())

    def force_process_file(self, path: str | os.PathLike[str]) -> bool:
        """Have one file read again now. `path` counts from the root unless absolute; False when the rules
        ignore it. Raises UsageError when it lies outside the root."""
        queue = self._part(self._queue, lambda: self._queue)
        relative = self.relative(path)
        change = FileChange(relative, ChangeType.MODIFIED, self._clock.now(), cause="request")
        with self._engine_errors():
            return queue.add_change(change)

    def upgrade(self, count: int) -> dict[str, int]:
        """Have up to `count` files read again whose records are by extractors that are not in use any more:
        ``handed_over`` says how many (0: there is none left), with what `status` says of them."""
        if not self.settings.scheduler.enabled:
            return {"handed_over": 0, "outdated": 0, "replaced": 0}
        upgrader = self._part(self._upgrader, lambda: self._upgrader)
        # More at once would have the engine forget which files of a directory they were.
        most = max(1, min(count, self.settings.scheduler.max_queue_size // 4))
        with self._engine_errors():
            return {"handed_over": upgrader.hand_over(most), **upgrader.status()}

    def throttle(self, throttle: Throttle) -> None:
        """Step back as far as this says, from now on, also when the index is made anew. The same again costs
        nothing. Questions are answered as before, and a barrier does not wait for anybody's rest."""
        if throttle != self._throttle:
            self._throttle = throttle
            self._apply_throttle()

    def _apply_throttle(self) -> None:
        told = self._throttle
        cache, llm, controller = self._cache, self._llm, self._controller
        if cache is not None:
            cache.resize(int((self.settings.cache.max_mb << 20) * told.cache_share))
        if llm is not None:
            llm.hold(told.llm_paused)
        if controller is not None:
            controller.worker_pool.limit(told.workers, rest=told.rest, collect_s=told.collect_s)

    def outdated(self) -> int:
        """How many files have a record by an extractor that is not in use any more, and wait for another."""
        upgrader = self._upgrader
        return 0 if upgrader is None else upgrader.status()["outdated"]

    def when_idle(
        self,
        step: Callable[[Store], bool],
        timeout: float,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> bool:
        """Have short steps of upkeep done on the writer's thread, while there is nothing to commit, until
        `step` returns False; see `IdleWork.ask`. False for a service that is not live."""
        store, idle = self.store, self._idle
        return idle is not None and idle.ask(lambda: step(store), timeout, cancelled)

    def clear_queue(self) -> int:
        """Forget what is pending; the next scan finds it again. Returns how many were forgotten."""
        queue = self._part(self._queue, lambda: self._queue)
        with self._engine_errors():
            return queue.clear()

    def relative(self, path: str | os.PathLike[str]) -> str:
        """`path` as the index names it. Raises UsageError when it lies outside the root."""
        text = os.fspath(path)
        try:
            bad = b"\0" in os.fsencode(text)
        except UnicodeEncodeError:
            bad = True
        if bad:
            raise UsageError(f"{text!r} cannot be a path: name a file below {self.root}")
        # Only the directory is resolved: a link that lies in the root is a name of its own.
        whole = os.path.normpath(os.path.join(self.root, text))
        folder, name = os.path.split(whole)
        resolved = os.path.relpath(os.path.join(os.path.realpath(folder), name), self.root)
        if resolved == os.curdir or resolved.split(os.sep, 1)[0] == os.pardir:
            raise UsageError(f"{text!r} does not lie below {self.root}: name a file inside it")
        return resolved.replace(os.sep, "/")

    def _relative_or_root(self, path: str | os.PathLike[str]) -> str:
        """As `relative`, but the root is the empty path."""
        whole = os.path.realpath(os.path.join(self.root, os.fspath(path)))
        return "" if whole == os.fspath(self.root) else self.relative(path)

    def show(self, path: str) -> FileView | None:
        """Everything about one file, with what a model said of its content. Raises StoreError."""
        view = self.query.show(path)
        if view is None:
            return None
        return self.llm.enriched(view)

    @property
    def llm(self) -> Switch:
        """The expensive tier, on or off. Raises ClosedError before `start` and after `stop`."""
        return self._part(self._llm, lambda: self._llm)

    def progress(self) -> Progress:
        """How much of how much has been brought up to date since the start."""
        stats = self.status_reporter.get_stats()
        pending = 0 if self._queue is None else self._queue.size()
        done = stats["processed_count"] + stats["failed_count"]
        rate = stats["recent_files_per_second"]
        phase = self._phase(pending, {} if self._engine is None else self._engine.status())
        # While the first scan runs nobody knows how much there will be.
        known = phase != "scanning" and rate > 0
        return Progress(
            done=done,
            total=done + pending,
            bytes=stats["bytes_hashed"],
            files_per_second=rate,
            eta_seconds=pending / rate if known else None,
            phase=phase,
        )

    def get_status(self) -> dict[str, Any]:
        """A snapshot for people and machines; docs/status.md has its keys."""
        store, query = self._store, self._query
        if store is None and not self.guard.trouble():
            store, query = self.store, self.query  # raises
        controller, queue = self._controller, self._queue
        stats = self.status_reporter.get_stats()
        engine = {} if self._engine is None else self._engine.status()
        pending = 0 if queue is None else queue.size()
        try:
            counts = _NO_COUNTS if query is None else query.counts()
        except (StoreDamagedError, ClosedError):  # it is being made anew, and this answer says so
            counts = _NO_COUNTS
        view = self._view(engine, pending, counts["failed"])
        return {
            "running": self.is_running(),
            "queue_size": pending,
            "active_workers": 0 if controller is None else controller.worker_pool.active_count(),
            "current_files": [] if controller is None else controller.worker_pool.current_tasks(),
            "processed_files": stats["processed_count"],
            "failed_files": stats["failed_count"],
            "stats": stats,
            "root": str(self.root),
            "pid": os.getpid(),
            "clock": self._last_clock if store is None else store.clock(),
            "fresh": (
                bool(engine.get("fresh", False))
                and pending == 0
                and self._engine_error() is None
                and not engine.get("root_missing")
                and view.lost is None
            ),
            "pending": pending,
            "phase": self._phase(pending, engine),
            "engine": engine,
            "cache": {} if self._cache is None else self._cache.stats(),
            "index": counts,
            "extractors": self._uses(),
            "collection": {} if self._collection is None else self._collection.status(),
            "shared_cache": {} if self._shared is None else self._shared.status(),
            "upgrade": {} if self._upgrader is None else self._upgrader.status(),
            "audit": {} if self._ledger is None else self._ledger.as_dict(),
            "llm": {} if self._llm is None else self._llm.status(),
            "degraded": [dict(entry.as_dict()) for entry in report.degraded(view)],
            "notes": [
                dict(entry.as_dict())
                for entry in (*report.notes(view), *(() if self._llm is None else self._llm.notes()))
            ],
        }

    def degraded(self) -> list[str]:
        """Short names of what works worse than it should: what every answer carries. Cheap."""
        engine = {} if self._engine is None else self._engine.status()
        pending = 0 if self._queue is None else self._queue.size()
        try:
            failed = 0 if self._query is None else self._query.failed()
        except (StoreDamagedError, ClosedError):
            failed = 0
        return report.codes(list(report.degraded(self._view(engine, pending, failed))))

    def root_missing(self) -> bool:
        """Whether the root was not there when last looked for; each sync looks."""
        return self._engine is not None and bool(self._engine.status().get("root_missing"))

    # --- inside -----------------------------------------------------------------------------------------

    def _phase(self, pending: int, engine: dict[str, Any]) -> str:
        """One word: stopped, disabled, failed, rebuilding, scanning, indexing, watching, (not live) idle."""
        if self.guard.final is not None:
            return "failed"
        if self._started and not self._stopped and self.guard.trouble():
            return "rebuilding"
        if self._controller is None:
            return "disabled" if self._store is not None else "stopped"
        if self._engine_error() is not None:
            return "failed"
        if not self._controller.is_running():
            return "stopped"
        if engine.get("starting"):
            return "scanning"
        if pending:
            return "indexing"
        return "watching" if self.live else "idle"

    def _uses(self) -> list[dict[str, Any]]:
        """Every extractor with its counts, and the plug-ins that were refused."""
        return [] if self._extractors is None else [use.as_dict() for use in self._extractors.uses()]

    def _view(self, engine: dict[str, Any], pending: int, failed: int) -> report.View:
        """What `report` judges. Also remembers what it takes two looks to see."""
        monitor, store = self.settings.monitor, self._store
        self.guard.ask()
        with self._looking:
            waited, overflowed = self._observer.look(
                self._clock.monotonic(), pending, int(engine.get("overflows", 0))
            )
        return report.View(
            root=str(self.root),
            source=monitor.source,
            live=self.live,
            enabled=self.settings.scheduler.enabled,
            engine=engine,
            engine_error=self._engine_error(),
            rebuilt=None if store is None else store.opened.message,
            lost=self.guard.trouble(),
            commits=None if self._controller is None else self._controller.writer.degraded(),
            failed_files=failed,
            extractors=self._uses(),
            shared=None if self._shared is None else self._shared.problem,
            worker_deaths=int(self.status_reporter.get_stats()["worker_deaths"]),
            waited=waited,
            overflowed=overflowed,
            drift=None if self._ledger is None else self._ledger.degraded(self._clock.now()),
            llm=() if self._llm is None else tuple(self._llm.degraded()),
            throttled=self._throttle.states,
        )

    def _committed(self, commit: CommitInfo) -> None:
        with self._looking:
            self._observer.committed()
        if self._upgrader is not None:
            self._upgrader.committed()
        for listener in list(self.on_commit):
            listener(commit)

    def _tell_listeners(self) -> None:
        """There will be no further commit: whoever waits for one is to look why."""
        nothing = CommitInfo(self._last_clock, 0, 0, 0, frozenset())
        for listener in list(self.on_commit):
            listener(nothing)

    def _engine_error(self) -> str | None:
        if self.guard.final is not None:
            return str(self.guard.final)
        return None if self._controller is None else self._controller.worker_pool.engine_error

    def _raise_engine_error(self) -> None:
        if self.guard.final is not None:
            raise self.guard.final
        error = self._engine_error()
        if error is not None:
            raise EngineError(f"{error}: start again; the index is as of the last commit")

    @contextlib.contextmanager
    def _engine_errors(self) -> Iterator[None]:
        """The native module's error as one of ours. By its base class: it is not imported for a double."""
        try:
            yield
        except RuntimeError as error:
            if self._stopped:
                raise ClosedError("the service was stopped during the call: make a new one") from error
            raise EngineError(f"{error}: start again; the index is as of the last commit") from error

    def _check_process(self) -> None:
        if os.getpid() != self._pid:
            # Threads do not survive a fork; waiting for them would be for ever.
            raise ClosedError(f"this service belongs to process {self._pid}: open one after the fork")

    def _part(self, part: _Part | None, again: Callable[[], _Part | None] = lambda: None) -> _Part:
        """`part`; while the index is being made anew, what `again` gives once it is there."""
        if part is None and self._started and not self._stopped:
            self._check_process()
            if self.guard.settle(_REBUILD_SECONDS):
                part = again()
            if part is None:
                trouble = self.guard.trouble() or "it is being opened"
                raise StoreLostError(f"the index of {self.root} is being made anew ({trouble}): ask again")
        if part is None:
            raise ClosedError("the service is not running: start it, or make a new one after `stop`")
        self._check_process()
        return part
