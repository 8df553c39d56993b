"""The status of an index that nobody owns, from the file alone.

Owns: which states of an index can be told so, and that what is told has the keys of a service's. No service
is made for it: nothing is brought up to date, and most of what a service is made of is not even imported. The
rest (an index that was not closed, damage, a model's ledger) is told by a service that is started and does
nothing.
"""

from pathlib import Path
from typing import Any

from currant import report, statedir
from currant.audit.ledger import Ledger
from currant.cache import MetadataCache
from currant.clock import Clock
from currant.config import Settings
from currant.errors import LockedError, StoreError
from currant.extract import configured_registry
from currant.llm import OFF
from currant.lock import RootLock
from currant.status import StatusReporter
from currant.store import LLM_NAME, standing
from currant.store.closed import NotClosed, reading
from currant.store.commit import last_seq
from currant.store.connection import one
from currant.store.opening import INDEX_NAME
from currant.store.store import format_clock


def status(root: Path, settings: Settings, clock: Clock, failures: int) -> dict[str, Any] | None:
    """What a service of `root` would say that has just been started and does nothing; up to `failures` files
    that could not be indexed are in ``failures``. None when it takes a service to say it."""
    state_dir = settings.state_path(root)
    if settings.llm.provider != "off" or (state_dir / LLM_NAME).exists():
        return None
    if not (state_dir / INDEX_NAME).exists():
        return None  # nothing is to be made there
    lock = RootLock(state_dir, str(root))
    try:
        statedir.prepare(state_dir)
        lock.acquire()
    except (LockedError, StoreError, OSError):
        return None
    try:
        with reading(state_dir) as connection:
            counts = standing.counts(connection)
            failed = standing.failures(connection, failures)
            uuid = str(one(connection, "SELECT value FROM meta WHERE key = 'uuid'"))
            reached = format_clock(uuid, last_seq(connection))
        return _told(root, state_dir, settings, clock, counts, reached) | {"failures": failed}
    except NotClosed:
        return None
    finally:
        lock.release()


def _told(
    root: Path, state_dir: Path, settings: Settings, clock: Clock, counts: dict[str, Any], reached: str
) -> dict[str, Any]:
    registry = configured_registry(settings.extract)
    try:
        uses = [use.as_dict() for use in registry.uses()]
    finally:
        registry.close()
    ledger = Ledger(state_dir)
    view = report.View(
        root=str(root),
        source=settings.monitor.source,
        live=False,
        failed_files=counts["failed"],
        extractors=uses,
        drift=ledger.degraded(clock.now()),
    )
    nothing: dict[str, Any] = {}
    return {
        "running": False,
        "queue_size": 0,
        "active_workers": 0,
        "current_files": [],
        "processed_files": 0,
        "failed_files": 0,
        "stats": StatusReporter(clock).get_stats(),
        "root": str(root),
        "pid": None,
        "clock": reached,
        "fresh": False,
        "pending": 0,
        "phase": "no watcher",
        "engine": nothing,
        "cache": MetadataCache(settings.cache.max_mb << 20).stats(),
        "index": counts,
        "extractors": uses,
        "collection": nothing,
        "shared_cache": nothing,
        "upgrade": nothing,
        "audit": ledger.as_dict(),
        "llm": OFF,
        "degraded": [dict(entry.as_dict()) for entry in report.degraded(view)],
        "notes": [dict(entry.as_dict()) for entry in report.notes(view)],
    }
