"""The upkeep of one project whose index this process owns.

Owns the order of the steps of an optimization and its budget. The steps are the store's (`store.upkeep`), and
the thread that does them the writer's, while it has nothing to commit: no search waits, and no commit for
longer than one step.
"""

import gc
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any, Final

from currant.clock import Clock, SystemClock
from currant.errors import CurrantError
from currant.maintenance.machine import resident, return_memory
from currant.service import Service
from currant.store import Store, upkeep

PATIENCE: Final = 10.0
"""The writer rests between the steps, so a budget takes longer by the clock: so many times, and 5 s more to
begin."""
_BEGIN_SECONDS: Final = 5.0
_RELEASE_SECONDS: Final = 1.0
MANY: Final = 500
"""Files; so many leave memory behind that is worth to be given back."""
GROWN_BYTES: Final = 1 << 20
"""So much more than was left the last time is worth to be given back,"""
PAUSE: Final = 10.0
"""but not more often than that."""
LEAST_FREE_BYTES: Final = 256 << 20
"""With less room than this on the disk of the index a project is not well."""


def release_pages(service: Service) -> None:
    """Have an index give back the pages of its file that its connections keep, when its writer has nothing to
    commit. Nothing happens when it is busy, or just being closed or made anew."""

    def step(store: Store) -> bool:
        store.release_memory()
        return False

    with suppress(CurrantError):
        service.when_idle(step, _RELEASE_SECONDS)


class Relief:
    """Gives back what work took and rest does not need: records that nobody asks for, pages of the file, and
    what the C library keeps for the next time. Asked now and then, on one thread."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._done = -MANY  # also after the start
        self._next = 0.0
        self._left = 0
        self._again = True

    def look(self, service: Service | None, done: int) -> bool:
        """When nothing is under way and `done` files have been worked through; whether it was time to give
        back. Without a service that is but the process's own.

        That is after many files, and again a while later: what was in use at the end of the work is not any
        more. And whenever the process has grown, by questions, an audit, or the sweep of old results."""
        now = self._clock.monotonic()
        many = done - self._done >= MANY
        if not many and (now < self._next or not (self._again or self._has_grown())):
            return False
        self._done = done
        before = resident()
        aged = 0
        if service is not None:
            aged = service.cache.age()
            release_pages(service)
        gc.collect()  # with it go the objects that the interpreter keeps to use again, in pages of their own
        return_memory()
        self._left = resident()
        self._next = now + PAUSE
        # It ends by itself: a process that gives nothing back has nothing to give back.
        self._again = many or aged > 0 or before - self._left >= GROWN_BYTES
        return True

    @property
    def again_s(self) -> float | None:
        """After how many seconds it wants to look again though nothing happens; None: no matter when."""
        return PAUSE if self._again else None

    def _has_grown(self) -> bool:
        return resident() - self._left >= GROWN_BYTES


class ServiceTarget:
    """A `currant.maintenance.MaintenanceTarget` over a running service."""

    def __init__(self, name: str, service: Service, clock: Clock | None = None) -> None:
        self._name = name
        self._service = service
        self._clock = clock or SystemClock()

    @property
    def name(self) -> str:
        """What people call it."""
        return self._name

    def optimize(self, budget_s: float, cancelled: Callable[[], bool]) -> dict[str, Any]:
        """See `MaintenanceTarget`. ``complete`` False: there is more to do, and the next run goes on;
        ``busy``: changes came all the time."""
        report: dict[str, Any] = {
            **{"analyzed": 0, "merges": 0, "freed_pages": 0, "checkpointed_pages": 0},
            **{"steps": 0, "seconds": 0.0, "longest_step_s": 0.0, "complete": False, "busy": False},
        }
        steps: Iterator[None] | None = None

        def step(store: Store) -> bool:
            nonlocal steps
            if cancelled():
                return False
            if steps is None:
                steps = _steps(store, report)
            before = self._clock.monotonic()
            more = next(steps, steps) is None
            taken = self._clock.monotonic() - before
            report["steps"] += 1
            report["seconds"] += taken
            report["longest_step_s"] = max(report["longest_step_s"], taken)
            report["complete"] = not more
            return more and report["seconds"] < budget_s

        patience = budget_s * PATIENCE + _BEGIN_SECONDS
        report["busy"] = not self._service.when_idle(step, patience, cancelled)
        return report

    def cleanup_connections(self) -> dict[str, Any]:
        """See `MaintenanceTarget`."""
        store = self._service.store
        closed = store.trim_readers()
        release_pages(self._service)
        idle, in_use = store.readers()
        return {"closed": closed, "idle": idle, "in_use": in_use}

    def evict(self, fraction: float) -> dict[str, Any]:
        """See `MaintenanceTarget`."""
        store = self._service.store
        dropped = self._service.cache.shrink(fraction)
        closed = store.trim_readers(keep=0)
        if fraction >= 1:
            closed += store.trim_readers(keep=0)  # also those that were used since the last time
        return {"dropped_bytes": dropped, "readers_closed": closed}

    def refresh_cache(self) -> dict[str, Any]:
        """See `MaintenanceTarget`."""
        return {
            "dropped_bytes": self._service.cache.age(),
            "readers_closed": self._service.store.trim_readers(),
        }

    def audit(self, check: Callable[[], None]) -> dict[str, Any]:
        """See `MaintenanceTarget`. One run of the audit, which cannot be ended on the way."""
        check()
        run = self._service.audit(whole=True)
        return {
            "files": run.files,
            "contents": run.contents,
            "suspects": run.suspects,
            "drift": len(run.drift),
            "settled": run.settled,
        }

    def health(self) -> dict[str, Any]:
        """See `MaintenanceTarget`."""
        service = self._service
        trouble = service.guard.trouble()
        if trouble:
            return {"ok": False, "problems": [f"index_lost: {trouble}"], "degraded": []}
        problems = []
        if not service.is_running():
            problems.append("not_running: changes are not worked on")
        if service.root_missing():
            problems.append("root_missing: the root is not there")
        found = service.store.problem()
        if found is not None:
            problems.append(f"index_lost: {found}")
        free = _free_bytes(service.state_dir)
        if free is not None and free < LEAST_FREE_BYTES:
            problems.append(f"disk_full: {free >> 20} MiB left for {service.state_dir}")
        return {"ok": not problems, "problems": problems, "degraded": service.degraded()}

    def metrics(self) -> dict[str, Any]:
        """See `MaintenanceTarget`."""
        service = self._service
        store = service.store
        progress, figures = service.progress(), store.figures()
        idle, in_use = store.readers()
        return {
            "phase": progress.phase,
            "pending": progress.total - progress.done,
            "done": progress.done,
            "files_per_second": progress.files_per_second,
            "counts": {key: value for key, value in service.query.counts().items() if key != "by_language"},
            "cache": service.cache.stats(),
            "index_bytes": figures.pages * figures.page_bytes,
            "free_bytes": figures.free_pages * figures.page_bytes,
            "log_bytes": _size(f"{store.path}-wal"),
            "readers": {"idle": idle, "in_use": in_use},
            "commits": store.generation,
        }


def _steps(store: Store, report: dict[str, Any]) -> Iterator[None]:
    """The steps of an optimization, the most useful first; each is one short transaction."""
    for table in store.tend(upkeep.unanalyzed):
        store.tend(partial(upkeep.analyze, table=table))
        report["analyzed"] += 1
        yield
    for searched in upkeep.SEARCHED:
        while store.tend(partial(upkeep.merge, table=searched)):
            report["merges"] += 1
            yield
    while freed := store.tend(upkeep.free):
        report["freed_pages"] += freed
        yield
    report["checkpointed_pages"] = store.tend(upkeep.checkpoint)[1]


def _free_bytes(path: os.PathLike[str]) -> int | None:
    try:
        found = os.statvfs(path)
    except (OSError, AttributeError):
        return None
    return found.f_bavail * found.f_frsize


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size  # never opened: that would drop SQLite's locks
    except OSError:
        return 0
