"""What a service says of itself: status, progress, what is worse than it should be.

Owns: the assembled answers and the one word for the phase. Does not own: the judgement (`currant.report`) or
what is counted (each part).
"""

import os
import threading
from typing import Any, Final

from currant import report
from currant.errors import ClosedError, StoreDamagedError
from currant.model import CommitInfo, Degraded, Progress
from currant.service.barrier import Barrier
from currant.service.life import Life
from currant.service.partset import PartSet

_NO_COUNTS: Final[dict[str, Any]] = {"files": 0, "failed": 0, "results": 0, "symbols": 0, "by_language": {}}
"""Of an index that is being made anew."""


class Answers:
    """Looks at the parts and changes none. Thread-safe."""

    def __init__(self, parts: PartSet, life: Life, barrier: Barrier) -> None:
        self._parts = parts
        self._basis = parts.basis
        self._life = life
        self._barrier = barrier
        self._observer = report.Observer()
        self._looking = threading.Lock()  # of the observer; held for a few assignments
        parts.committed.append(self._committed)

    def is_running(self) -> bool:
        """True while changes are worked on, or the index is being made anew to that end."""
        controller, guard = self._parts.controller, self._life.guard
        if self._life.on and guard.final is None and guard.trouble():
            return self._basis.settings.scheduler.enabled
        return controller is not None and controller.is_running()

    def progress(self) -> Progress:
        """How much of how much has been brought up to date since the start."""
        stats = self._basis.status.get_stats()
        engine, pending = self._engine()
        done = stats["processed_count"] + stats["failed_count"]
        rate = stats["recent_files_per_second"]
        phase = self._phase(pending, engine)
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

    def status(self) -> dict[str, Any]:
        """A snapshot for people and machines; docs/status.md has its keys."""
        parts, life = self._parts, self._life
        store, query = parts.store, parts.query
        if store is None and not life.guard.trouble():
            store, query = life.part(lambda: parts.store), life.part(lambda: parts.query)  # raises
        controller = parts.controller
        stats = self._basis.status.get_stats()
        engine, pending = self._engine()
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
            "root": str(self._basis.root),
            "pid": os.getpid(),
            "clock": self._barrier.reached if store is None else store.clock(),
            "fresh": (
                bool(engine.get("fresh", False))
                and pending == 0
                and self._barrier.engine_error() is None
                and not engine.get("root_missing")
                and view.lost is None
            ),
            "pending": pending,
            "phase": self._phase(pending, engine),
            "engine": engine,
            "cache": {} if parts.cache is None else parts.cache.stats(),
            "index": counts,
            "extractors": self._uses(),
            "collection": {} if parts.collection is None else parts.collection.status(),
            "shared_cache": {} if parts.shared is None else parts.shared.status(),
            "upgrade": {} if parts.upgrader is None else parts.upgrader.status(),
            "audit": {} if parts.ledger is None else parts.ledger.as_dict(),
            "llm": {} if parts.llm is None else parts.llm.status(),
            "degraded": [dict(entry.as_dict()) for entry in report.degraded(view)],
            "notes": [
                dict(entry.as_dict())
                for entry in (*report.notes(view), *(() if parts.llm is None else parts.llm.notes()))
            ],
        }

    def degraded(self) -> list[str]:
        """Short names of what works worse than it should: what every answer carries. Cheap."""
        query = self._parts.query
        engine, pending = self._engine()
        try:
            failed = 0 if query is None else query.failed()
        except (StoreDamagedError, ClosedError):
            failed = 0
        return report.codes(list(report.degraded(self._view(engine, pending, failed))))

    # --- inside -----------------------------------------------------------------------------------------

    def _engine(self) -> tuple[dict[str, Any], int]:
        """What the core says of itself, and how many changes wait: of the same moment. Asked for one after
        the other, a scan that ends between the two looks like an index in which nothing is left to do."""
        engine = self._parts.engine_status()
        return engine, int(engine.get("pending", 0))

    def _phase(self, pending: int, engine: dict[str, Any]) -> str:
        """One word: stopped, disabled, failed, rebuilding, scanning, indexing, watching, (not live) idle."""
        guard, controller = self._life.guard, self._parts.controller
        if guard.final is not None:
            return "failed"
        if self._life.on and guard.trouble():
            return "rebuilding"
        if controller is None:
            return "disabled" if self._parts.store is not None else "stopped"
        if self._barrier.engine_error() is not None:
            return "failed"
        if not controller.is_running():
            return "stopped"
        if engine.get("starting"):
            return "scanning"
        if pending:
            return "indexing"
        return "watching" if self._basis.live else "idle"

    def _uses(self) -> list[dict[str, Any]]:
        """Every extractor with its counts, and the plug-ins that were refused."""
        extractors = self._parts.extractors
        return [] if extractors is None else [use.as_dict() for use in extractors.uses()]

    def _view(self, engine: dict[str, Any], pending: int, failed: int) -> report.View:
        """What `report` judges. Also remembers what it takes two looks to see."""
        basis, parts, guard = self._basis, self._parts, self._life.guard
        store, controller = parts.store, parts.controller
        guard.ask()
        with self._looking:
            waited, overflowed = self._observer.look(
                basis.clock.monotonic(), pending, int(engine.get("overflows", 0))
            )
        return report.View(
            root=str(basis.root),
            source=basis.settings.monitor.source,
            live=basis.live,
            enabled=basis.settings.scheduler.enabled,
            engine=engine,
            engine_error=self._barrier.engine_error(),
            rebuilt=None if store is None else store.opened.message,
            lost=guard.trouble(),
            commits=None if controller is None else controller.writer.degraded(),
            failed_files=failed,
            extractors=self._uses(),
            shared=None if parts.shared is None else parts.shared.problem,
            worker_deaths=int(basis.status.get_stats()["worker_deaths"]),
            waited=waited,
            overflowed=overflowed,
            drift=None if parts.ledger is None else parts.ledger.degraded(basis.clock.now()),
            llm=() if parts.llm is None else tuple(parts.llm.degraded()),
            throttled=self._given_up(),
        )

    def _given_up(self) -> tuple[Degraded, ...]:
        """What the budget of the process takes from this index. Where no model is asked anyway, nothing is
        worse for want of one."""
        parts = self._parts
        asked = parts.llm is not None and parts.llm.works
        return tuple(one for one in parts.throttle.states if asked or one.code != "budget_llm")

    def _committed(self, _commit: CommitInfo) -> None:
        with self._looking:
            self._observer.committed()
