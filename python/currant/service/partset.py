"""Every part of one root: made in order, told in common, closed in order.

Owns: who is made from what and gets whom, the order of starting and of stopping. Does not own: which setting
goes where (`currant.parts`), when any of it happens (`life`), or any part's behaviour.

Starting: store, engine with the rows of the index, writer, workers, engine threads. Stopping is the reverse:
no new changes, the file in hand of each worker, the last commit, the store. What was not committed by then
was never acknowledged, so the next start finds it again.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from currant import parts
from currant.audit import Ledger
from currant.cache import MetadataCache
from currant.changes import ChangeDetectionQueue, EngineLike
from currant.clock import Clock
from currant.collection import Collection
from currant.config import Settings
from currant.errors import StoreDamagedError
from currant.extract import Registry
from currant.idle import IdleWork
from currant.llm.switch import Switch
from currant.model import CommitInfo, Throttle
from currant.outset import Outset
from currant.query import Query
from currant.status import StatusReporter
from currant.store import SharedResults, Store
from currant.upgrade import Upgrader
from currant.workers import SchedulerController, WorkerThreadPool
from currant.writer import Writer

if TYPE_CHECKING:
    from currant.audit import Auditor

log = logging.getLogger(__name__)

_STOP_SECONDS: Final = 10.0
"""How long a worker may take over the file in hand before it is left behind (a read that hangs)."""


class Basis(Struct, frozen=True):
    """What the parts are made from, the same for as long as the service lives.

    `live=False` scans once and sets no watch. `registry` is for tests."""

    root: Path
    state_dir: Path
    settings: Settings
    live: bool
    clock: Clock
    status: StatusReporter
    outset: Outset
    registry: Registry | None = None


class PartSet:
    """The parts, each None until it is made. `build` and `close` are for whoever holds the life's lock;
    any thread may look at a part, and has to expect that it is gone a moment later.

    Callables in `committed` run after each commit on the writer's thread, whichever store it is in, those in
    `damaged` when something met damage in the index."""

    def __init__(self, basis: Basis) -> None:
        self.basis = basis
        self.committed: list[Callable[[CommitInfo], None]] = []
        self.damaged: list[Callable[[str], None]] = []
        self.throttle = Throttle()
        self.store: Store | None = None
        self.query: Query | None = None
        self.cache: MetadataCache | None = None
        self.engine: EngineLike | None = None
        self.queue: ChangeDetectionQueue | None = None
        self.controller: SchedulerController | None = None
        self.ledger: Ledger | None = None
        self._auditor: Auditor | None = None
        self._make_auditor: Callable[[], Auditor] | None = None
        self._making = threading.Lock()  # of the auditor
        self.llm: Switch | None = None
        self.extractors: Registry | None = None
        self.upgrader: Upgrader | None = None
        self.collection: Collection | None = None
        self.shared: SharedResults | None = None
        self.idle: IdleWork | None = None

    # --- making -----------------------------------------------------------------------------------------

    def build(self, discard: str | None = None) -> None:
        """All parts, the lock being held. `discard` says what is wrong with the index that may be there.

        Raises what the store and the engine raise; what was made by then is left to `close`."""
        basis = self.basis
        # The disk is read while this thread reads the index; nothing is handed out before both are known.
        self.engine = basis.outset.engine()
        # Kept when the index is made anew: it counts since the start.
        registry = self.extractors = (
            self.extractors or basis.registry or parts.registry(basis.settings.extract)
        )
        store, held = self._open_store(registry, discard)
        query = self._build_readers(store, registry)
        if self.engine is None:
            return
        # Before there are workers: it may write, and nobody else does yet.
        upgrader = self.upgrader = parts.upgrader(
            store, registry, self.engine, hidden=held.hidden, policy=held.policy
        )
        self._build_pipeline(store, registry, self.engine)
        self._build_background(query, upgrader, self.engine)

    def _open_store(self, registry: Registry, discard: str | None) -> tuple[Store, parts.Rows]:
        """The store, the engine having got all its rows, and what looking at them has shown. Reading
        them is part of the check of the index at start: what turns out damaged is set aside by opening once
        more."""
        basis = self.basis
        store = self.store = Store.open(basis.state_dir, clock=basis.clock, discard=discard)
        try:
            return store, self._load(store, registry)
        except StoreDamagedError:
            store.close()
        store = self.store = Store.open(basis.state_dir, clock=basis.clock)
        return store, self._load(store, registry)

    def _load(self, store: Store, registry: Registry) -> parts.Rows:
        held = parts.rows(store, registry)
        if self.engine is None:
            deque(held.rows, maxlen=0)
            return held
        try:
            self.engine.load(held.rows)  # nothing of them, if one cannot be read
        except ValueError as error:  # numbers that are none
            raise store.damaged(str(error)) from error
        return held

    def _build_readers(self, store: Store, registry: Registry) -> Query:
        """What answers, also when nothing is brought up to date."""
        basis = self.basis
        cache = self.cache = MetadataCache(basis.settings.cache.max_mb << 20)
        query = self.query = Query(store, cache, current=registry.is_current)
        store.on_commit.append(self._committed)
        store.on_damage.append(self._damaged)
        if self.ledger is None:  # what it counts outlives an index that is made anew
            self.ledger = Ledger(basis.state_dir)
        live = basis.live and self.engine is not None
        self.llm = Switch(basis.root, basis.state_dir, basis.settings, query, clock=basis.clock, live=live)
        store.on_commit.append(self.llm.committed)
        return query

    def _build_pipeline(self, store: Store, registry: Registry, engine: EngineLike) -> None:
        """From a change to a commit, running at the end of this."""
        basis = self.basis
        shared = self.shared = parts.shared_results(basis.root, basis.settings.extract)
        if shared is not None:
            store.on_commit.append(lambda _commit: shared.flush())
        queue = self.queue = ChangeDetectionQueue(engine, basis.clock)
        collection = self.collection = Collection(store, basis.settings.store.keep_unused_days)
        # Whoever only asks one question does not write for another purpose.
        idle = self.idle = IdleWork(collection.step, basis.clock) if basis.live else None
        writer = Writer(
            store,
            queue,
            status=basis.status,
            clock=basis.clock,
            idle=None if idle is None else idle.step,
        )
        if idle is not None:
            idle.wake = writer.wake_idle
        pool = WorkerThreadPool(
            queue,
            writer,
            parts.processors(
                basis.root,
                store,
                registry,
                status=basis.status,
                clock=basis.clock,
                shared=shared,
            ),
            workers=basis.settings.scheduler.worker_threads,
            batch_size=basis.settings.scheduler.batch_size,
            status=basis.status,
            clock=basis.clock,
        )
        controller = self.controller = SchedulerController(queue, pool, writer, basis.status)
        self.apply_throttle()
        controller.start()

    def _build_background(self, query: Query, upgrader: Upgrader, engine: EngineLike) -> None:
        """What goes on beside the pipeline, and begins when that runs."""
        basis, ledger, llm = self.basis, self.ledger, self.llm
        assert ledger is not None
        assert llm is not None
        self._auditor = None
        self._make_auditor = lambda: parts.auditor(
            basis.root,
            basis.state_dir,
            basis.settings.monitor,
            query=query,
            engine=engine,
            ledger=ledger,
            clock=basis.clock,
            live=basis.live,
        )
        query.on_read += [upgrader.asked, llm.asked]
        if basis.live:
            auditor = self.auditor
            assert auditor is not None
            auditor.start()
            upgrader.start()
        llm.start()

    @property
    def auditor(self) -> "Auditor | None":
        """Made when it is first asked for: an index that is not live has none at work, and mostly no use for
        what it looks with."""
        with self._making:
            if self._auditor is None and self._make_auditor is not None:
                self._auditor = self._make_auditor()
            return self._auditor

    # --- all of them at once ----------------------------------------------------------------------------

    def step_back(self, throttle: Throttle) -> None:
        """As far as this says, from now on, also when the parts are made anew. The same again is free."""
        if throttle != self.throttle:
            self.throttle = throttle
            self.apply_throttle()

    def apply_throttle(self) -> None:
        """Tell the parts that are there what `throttle` says."""
        told = self.throttle
        cache, llm, controller = self.cache, self.llm, self.controller
        if cache is not None:
            cache.resize(int((self.basis.settings.cache.max_mb << 20) * told.cache_share))
        if llm is not None:
            llm.hold(told.llm_paused)
        if controller is not None:
            controller.worker_pool.limit(told.workers, rest=told.rest, collect_s=told.collect_s)

    def pending(self) -> int:
        """How many changes wait or are in work."""
        queue = self.queue
        return 0 if queue is None else queue.size()

    def engine_status(self) -> dict[str, Any]:
        """What the core says of itself; empty without one."""
        engine = self.engine
        return {} if engine is None else engine.status()

    def _committed(self, commit: CommitInfo) -> None:
        if self.upgrader is not None:
            self.upgrader.committed()
        for listener in list(self.committed):
            listener(commit)

    def _damaged(self, reason: str) -> None:
        for listener in list(self.damaged):
            listener(reason)

    # --- closing ----------------------------------------------------------------------------------------

    def close(self) -> None:
        """Close everything that an index needs. Each step even if the one before it failed: the lock must not
        outlive the service."""
        for step in self._closing_steps():
            try:
                step()
            except Exception:
                log.exception("while stopping")
        self.store, self.query, self.cache = None, None, None

    def forget(self) -> None:
        """After `close`, when the parts are to be made anew: nobody asks the old pipeline any more."""
        self.engine = self.queue = self.controller = None

    def close_extractors(self) -> None:
        """At the very end: what is being parsed would count as refused."""
        if self.extractors is not None:
            self.extractors.close()

    def _closing_steps(self) -> Iterator[Callable[[], object]]:
        controller, shared = self.controller, self.shared
        if self.idle is not None:
            yield self.idle.close
        if controller is not None:
            yield controller.writer.engine_stops
            yield controller.worker_pool.request_stop
        auditor = self._auditor
        if auditor is not None:
            yield auditor.request_stop
        upgrader = self.upgrader
        if upgrader is not None:
            yield upgrader.request_stop
        if self.engine is not None:
            yield self.engine.stop  # wakes the workers that wait for changes, and an audit's barrier
        if auditor is not None:
            yield lambda: auditor.join(_STOP_SECONDS)
        if upgrader is not None:
            yield lambda: upgrader.join(_STOP_SECONDS)
        if controller is not None:
            yield lambda: controller.stop(_STOP_SECONDS)
        if shared is not None:
            yield shared.close
        if self.llm is not None:
            yield self.llm.stop
        if self.store is not None:
            yield self.store.close
