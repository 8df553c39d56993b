"""The composition root of `currant serve`: what it is made of, in which order it starts and stops.

Owns the keepers of the projects and the thread that compares them with the ledger, so that a project added or
removed by a command beside the service is taken up. Does not own what the parts do.

Starting: the home's lock, jobs.db, projects, workers, upkeep, schedules. Stopping: nothing new is claimed,
running jobs end or are handed back, then the reverse. A service that is killed at any point starts again from
jobs.db: its jobs run again, its projects are opened again.
"""

import contextlib
import logging
import os
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from currant.api import Index
from currant.bell import listen
from currant.budget import Enforcer
from currant.budget.watches import Shares
from currant.clock import Clock, SystemClock
from currant.config import Settings
from currant.errors import ClosedError, ProjectNotReady, RootRefusedError, UsageError
from currant.hub import health
from currant.hub.events import Bus
from currant.hub.handlers import Handlers, remove_clone
from currant.hub.home import Home
from currant.hub.keeper import Keeper
from currant.hub.ledger import Ledger, Project
from currant.hub.plain import plain, plain_job
from currant.hub.source import looks_like_url
from currant.jobs import Database, Discard, Enqueued, Job, JobManager, JobQueueManager, JobWorker, RateLimiter
from currant.maintenance import BackgroundProcessor, BackgroundTask, ServiceTarget, TaskRun
from currant.maintenance.chores import Chores
from currant.model import Degraded
from currant.periodic.container import Container, set_container
from currant.service import Service

if TYPE_CHECKING:
    from currant.periodic.scheduler import GuardedScheduler

log = logging.getLogger(__name__)

_BEAT_SECONDS: Final = 1.0
_GATHER_SECONDS: Final = 0.1
_TOLD_BEAT_SECONDS: Final = 60.0
"""How often jobs.db is looked at where the kernel tells when somebody writes to it."""
_CLOSE_SECONDS: Final = 10.0
_PROJECT_ID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")


class Hub:
    """The running service of one home. Thread-safe."""

    def __init__(self, home: Path, settings: Settings, *, clock: Clock | None = None) -> None:
        self.home = Home(home)
        self.settings = settings
        self.clock = clock or SystemClock()
        self.events = Bus(self.clock)
        self.started_at = 0.0
        self._begun = 0.0
        self._lifecycle = threading.Lock()
        self._running = False
        self._stopping = threading.Event()
        self._beat = threading.Event()
        self._anew = False  # the projects are to be looked at whoever changed them
        self._keeping = threading.Lock()  # of the keepers; held for no I/O
        self._keepers: dict[str, Keeper] = {}
        self._shares = Shares()  # of watches; with `_keeping` held
        self._tidying = threading.Lock()  # one thread at a time compares
        self._thread: threading.Thread | None = None
        self._undo = contextlib.ExitStack()

    database: Database
    jobs: JobManager
    queue: JobQueueManager
    limiter: RateLimiter
    worker: JobWorker
    ledger: Ledger
    maintenance: BackgroundProcessor
    chores: Chores
    budget: Enforcer
    scheduler: "GuardedScheduler | None" = None
    """None when `periodic.enabled` is false."""

    # --- life -------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Become the service of this home and go on where the last one ended. Raises AlreadyServing naming
        the other process, StoreError; then nothing is left open."""
        with self._lifecycle:
            if self._stopping.is_set():
                raise ClosedError("this hub was stopped: make a new one")
            if self._running:
                return
            self.home.prepare()
            with contextlib.ExitStack() as undo:
                self.home.acquire()
                undo.callback(self.home.release)
                self._build(undo)
                self._undo = undo.pop_all()
            self._running = True

    def _build(self, undo: contextlib.ExitStack) -> None:
        self.started_at, self._begun = self.clock.now(), self.clock.monotonic()
        self.database = Database(self.home.database, self.clock)
        undo.callback(self.database.close)
        self.jobs = JobManager(self.database, self.settings.jobs)
        self.queue = JobQueueManager(self.database, self.settings.jobs, manager=self.jobs)
        self.limiter = RateLimiter(self.database, self.settings.jobs)
        self.ledger = Ledger(self.database, self.jobs, self.home)
        self.jobs.on_change.append(self._job_changed)
        self.ledger.on_change.append(self._project_changed)
        self.worker = JobWorker(self.jobs, Handlers(self).table())
        self.maintenance = BackgroundProcessor(
            self.settings.maintenance, self._targets, self.database, self.clock
        )
        self.maintenance.on_run.append(self._kept_up)
        self.chores = Chores(
            self.maintenance,
            self._targets,
            log_dir=self.home.log,
            retention=self.queue.cleanup_old_jobs,
            clock=self.clock,
        )
        self.budget = Enforcer(self.settings.budget, self._services, self.clock, watches=self._count_watches)
        undo.callback(self.events.close)
        undo.callback(self._stop_keepers)
        self._recover()
        self._reconcile()
        thread = self._thread = threading.Thread(target=self._watch, name="currant-hub", daemon=True)
        thread.start()
        undo.callback(self._join)
        self.maintenance.start()
        undo.callback(self.maintenance.stop)
        if self.settings.periodic.enabled:
            self._start_schedules(undo)
        self.worker.start()
        undo.callback(self.stop_jobs)

    def _start_schedules(self, undo: contextlib.ExitStack) -> None:
        # APScheduler and SQLAlchemy, which `currant project` has no use for.
        from currant.periodic.scheduler import build_scheduler, start_scheduler

        set_container(Container(self.settings, self.database, self.jobs))
        undo.callback(set_container, None)
        self.scheduler = build_scheduler(self.settings, self.home.path, clock=self.clock)
        undo.callback(self.scheduler.shutdown, timeout_s=_CLOSE_SECONDS)
        start_scheduler(self.scheduler)

    def stop_jobs(self) -> None:
        """Claim nothing more; running jobs are asked to end after `serve.soft_stop_s` and handed back after
        `serve.hard_stop_s`. Idempotent."""
        self._stopping.set()
        if self.scheduler is not None:
            self.scheduler.shutdown(timeout_s=_CLOSE_SECONDS)
        self.worker.stop(self.settings.serve.soft_stop_s, self.settings.serve.hard_stop_s)

    def stop(self) -> None:
        """Stop everything, in order. Idempotent, from any thread."""
        self._stopping.set()
        with self._lifecycle:
            self._running = False
            self._undo.close()

    def second_signal(self) -> None:
        """Hand running jobs back now instead of waiting for them."""
        self.worker.now()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _join(self) -> None:
        self._stopping.set()
        self._beat.set()
        if self._thread is not None:
            self._thread.join()

    def _stop_keepers(self) -> None:
        with self._keeping:
            keepers = list(self._keepers.values())
        for keeper in keepers:
            keeper.request_stop()
        deadline = self.clock.monotonic() + _CLOSE_SECONDS
        for keeper in keepers:
            if not keeper.join(max(0.0, deadline - self.clock.monotonic())):
                log.error(
                    "project %s: its disk does not answer, its index is left as it is", keeper.project.name
                )

    # --- projects ---------------------------------------------------------------------------------------

    def projects(self) -> list[Project]:
        """All projects, the oldest first."""
        return self.ledger.projects()

    def project(self, wanted: str) -> Project:
        """The project of this id or name. Raises NoSuchProject."""
        return self.ledger.get(wanted)

    def add_project(
        self, source: str, *, name: str | None = None, client: str = "local"
    ) -> tuple[Project, Job]:
        """See `Ledger.add`. A directory by its absolute path: the service's own directory means nothing to
        who asks."""
        if not looks_like_url(source.strip()) and not os.path.isabs(os.path.expanduser(source)):
            raise RootRefusedError(f"{source!r} is not an absolute path")
        return self.ledger.add(source, name=name, client=client)

    def remove_project(self, wanted: str, *, delete_clone: bool = True) -> Project:
        """Remove a project: its jobs are cancelled, its index is closed, a clone of ours is deleted. A
        directory that the user named stays as it is, with its index. Returns at once; a ``project`` event
        with the state ``removed`` says the end.
        """
        return self.ledger.mark_removing(wanted, delete_clone=delete_clone)

    def refresh(self, wanted: str, *, client: str = "local") -> Enqueued:
        """See `Ledger.refresh`."""
        return self.ledger.refresh(wanted, client=client)

    def index(self, wanted: str) -> Index:
        """The open index of a project, kept true while this runs: not the caller's to close. Raises
        NoSuchProject, ProjectNotReady with the state."""
        project = self.ledger.get(wanted)
        with self._keeping:
            keeper = self._keepers.get(project.id)
        if keeper is None or project.state == "removing":
            raise ProjectNotReady(project.name, project.state, project.error or "")
        return keeper.index()

    def keeper(self, project: Project) -> Keeper:
        """The keeper of a project, started if it was not."""
        with self._keeping:
            if self._stopping.is_set():
                raise ProjectNotReady(project.name, "closed", "the service stops")
            keeper = self._keepers.get(project.id)
            if keeper is None:
                keeper = self._keepers[project.id] = Keeper(
                    project,
                    self.ledger,
                    self.events,
                    self.clock,
                    throttle=self.budget.throttle,
                    most_watches=lambda: self._grant_watches(project.id),
                )
                keeper.start()
            return keeper

    def overview(self) -> list[dict[str, Any]]:
        """Every project with what its keeper saw last; asks no index, so it is quick and never waits."""
        with self._keeping:
            looked = {project_id: keeper.looked() for project_id, keeper in self._keepers.items()}
        origins = self.ledger.origins()
        return [
            plain(project) | {"index": looked.get(project.id) or None, "origin": origins.get(project.id)}
            for project in self.projects()
        ]

    def status(self) -> dict[str, Any]:
        """How the service is, in plain values; docs/service.md has the keys."""
        overview = self.overview()
        states: dict[str, int] = {}
        for one in overview:
            states[one["state"]] = states.get(one["state"], 0) + 1
        return {
            "pid": os.getpid(),
            "home": os.fspath(self.home.path),
            "phase": "stopping" if self._stopping.is_set() else "running",
            "started_at": self.started_at,
            "uptime_seconds": self.clock.monotonic() - self._begun,
            "states": states,
            "projects": overview,
            "queue": self.queue.get_queue_status(),
            "budget": self.budget.status(),
            "degraded": [dict(one.as_dict()) for one in self._degraded(overview)],
        }

    def _degraded(self, overview: list[dict[str, Any]]) -> Iterator[Degraded]:
        """What works worse than it should in the service as a whole; each project has a list of its own."""
        yield from health.of_projects(overview)
        yield from health.of_threads(
            self.worker.health(), None if self.scheduler is None else self.scheduler.health()
        )
        yield from self.budget.degraded()

    def run_maintenance(self, task: str, check: Callable[[], None]) -> dict[str, Any]:
        """See `currant.hub.handlers.Surroundings`."""
        try:
            return self.chores.run(task, check)
        except UsageError as error:
            raise Discard(str(error)) from None

    def _targets(self) -> list[ServiceTarget]:
        """The projects whose indexes this process owns: others are kept up by their owners."""
        return [ServiceTarget(project.name, service, self.clock) for project, service in self._own()]

    def _services(self) -> list[Service]:
        return [service for _, service in self._own()]

    def _own(self) -> list[tuple[Project, Service]]:
        with self._keeping:
            keepers = list(self._keepers.values())
        found = [(keeper.project, keeper.service()) for keeper in keepers]
        return [(project, service) for project, service in found if service is not None]

    # --- watches ----------------------------------------------------------------------------------------

    def _count_watches(self) -> int:
        return sum(health.watches(service) for service in self._services())

    def _grant_watches(self, project_id: str) -> int | None:
        """How many watches a project may set that is about to be opened; None: as many as it likes."""
        limit = self.settings.budget.watches
        if limit is None:
            return None
        now = {project.id: health.watches(service) for project, service in self._own()}
        there = [one.id for one in self.projects() if one.state not in ("missing", "removing")]
        with self._keeping:
            kept = set(self._keepers)
            return self._shares.grant(limit, project_id, kept, now, there)

    # --- the ledger against the keepers -----------------------------------------------------------------

    def _recover(self) -> None:
        """What a service that was killed left: nobody else works on its jobs, nobody needs half a clone."""
        with self.database.write() as connection:
            connection.execute("UPDATE job SET lease_until = 0 WHERE status = 'processing'")
        known = {project.id for project in self.projects()}
        for entry in os.scandir(self.home.clones):
            if _PROJECT_ID.fullmatch(entry.name) and entry.name not in known:
                shutil.rmtree(entry.path, ignore_errors=True)
        for project in self.projects():
            if project.state in ("new", "cloning", "indexing"):
                self.ledger.process(project, trigger="start")

    def _watch(self) -> None:
        """Follow jobs.db: what another process wrote there is noticed when the kernel tells, or within a
        beat."""
        reader = self.database.reader()
        bell = listen(self.database.path.parent, self._beat.set, writes=True)
        seen = None
        try:
            while not self._stopping.is_set():
                self._beat.clear()  # what comes from here on is for the next round
                anew, self._anew = self._anew, False
                try:
                    version = reader.pragma("data_version")
                    if version != seen or anew:
                        # What is not over yet is looked at again, but not before the next beat.
                        seen = version if self._reconcile() else None
                except Exception:
                    log.exception("while comparing the projects with jobs.db")
                try:
                    if self.budget.turn():
                        self.events.publish("health", {"budget": self.budget.status()})
                except Exception:
                    log.exception("while looking at what is used")
                told = bell is not None and bell.works and seen is not None
                rung = False
                if not self._stopping.is_set():
                    rung = self._beat.wait(self._budget_beat() if told else _BEAT_SECONDS)
                if rung and not self._anew:  # the next write is on its way, as like as not
                    self._stopping.wait(_GATHER_SECONDS)
        finally:
            reader.close()
            if bell is not None:
                bell.close()

    def _budget_beat(self) -> float:
        budget = self.settings.budget
        wanted = budget.interval_s if budget.enabled else _TOLD_BEAT_SECONDS
        return max(_BEAT_SECONDS, min(wanted, _TOLD_BEAT_SECONDS))

    def _reconcile(self) -> bool:
        """Open what is new, end what is being removed or gone; whether all of that is done."""
        with self._tidying:
            projects = {project.id: project for project in self.projects()}
            for project in projects.values():
                if project.state != "removing":
                    with contextlib.suppress(ProjectNotReady):
                        self.keeper(project)
            with self._keeping:
                ending = [
                    keeper
                    for project_id, keeper in self._keepers.items()
                    if project_id not in projects or projects[project_id].state == "removing"
                ]
            for keeper in ending:
                keeper.request_stop()
            removing = [project for project in projects.values() if project.state == "removing"]
            left = [project for project in removing if not self._remove(project)]
            return not left

    def _remove(self, project: Project) -> bool:
        """One step of a removal, and whether it was the last: nothing may be at work in a directory that is
        deleted."""
        if self.ledger.cancel_jobs(project):
            return False
        with self._keeping:
            keeper = self._keepers.get(project.id)
        if keeper is not None:
            keeper.request_stop()
            if not keeper.join(0.0 if self._stopping.is_set() else _BEAT_SECONDS):
                return False
            with self._keeping:
                self._keepers.pop(project.id, None)
        if not self.ledger.keeps_clone(project):
            remove_clone(self.home, project)
        self.ledger.erase(project)
        self.events.publish("project", plain(project) | {"state": "removed"})
        return True

    # --- telling ----------------------------------------------------------------------------------------

    def _job_changed(self, job: Job) -> None:
        self.events.publish("job", plain_job(job))

    def _kept_up(self, run: TaskRun) -> None:
        if run.task == BackgroundTask.HealthCheck.value:
            self.events.publish("health", self.maintenance.health())

    def _project_changed(self, project: Project) -> None:
        self.events.publish("project", plain(project))
        if project.state in ("new", "removing"):
            self._anew = True
            self._beat.set()
        elif project.state in ("indexing", "failed"):
            with self._keeping:
                keeper = self._keepers.get(project.id)
            if keeper is not None and project.state == "indexing":
                keeper.nudge()
