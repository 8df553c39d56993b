"""What the tests of the schedules share: a home with its jobs, and a scheduler in it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from currant.clock import Clock, ManualClock, SystemClock
from currant.config import PeriodicSettings, Settings
from currant.jobs import Database, Job, JobManager
from currant.periodic import Container, set_container
from currant.periodic.scheduler import GuardedScheduler, build_scheduler

SECONDS = 60.0  # for what is waited for; only a test that fails takes so long


def settings(**periodic: Any) -> Settings:
    return Settings(periodic=PeriodicSettings(**periodic))


@dataclass
class Home:
    """A home whose jobs are open and are what tasks find."""

    path: Path
    settings: Settings
    database: Database
    jobs: JobManager
    clock: Clock
    schedulers: list[GuardedScheduler] = field(default_factory=list)

    def add_project(self, name: str, state: str = "ready") -> str:
        with self.database.write() as connection:
            connection.execute(
                "INSERT INTO project (id, name, root, source, kind, state, created_at)"
                " VALUES (?, ?, '/', '/', 'path', ?, 1.0)",
                (name, name, state),
            )
        return name

    def queued(self) -> list[Job]:
        return list(self.jobs.list_jobs().jobs)

    def scheduler(self, clock: Clock | None = None, **periodic: Any) -> GuardedScheduler:
        """Built, not started; stopped at the end of the test."""
        made = build_scheduler(
            settings(**periodic) if periodic else self.settings, self.path, clock=clock, busy_s=0.05
        )
        self.schedulers.append(made)
        return made


@contextmanager
def open_home(path: Path, clock: Clock | None = None, **periodic: Any) -> Iterator[Home]:
    path.mkdir(mode=0o700, exist_ok=True)
    database = Database(path / "jobs.db", clock or SystemClock())
    told = settings(**periodic)
    home = Home(path, told, database, JobManager(database), clock or ManualClock())
    set_container(Container(told, database, home.jobs))
    try:
        yield home
    finally:
        for scheduler in home.schedulers:
            scheduler.shutdown(wait=True, timeout_s=SECONDS)
        set_container(None)
        database.close()


class Events:
    """Waits for what APScheduler tells of, instead of for some time."""

    def __init__(self, scheduler: GuardedScheduler, mask: int) -> None:
        self._changed = threading.Condition()
        self.seen: list[Any] = []
        scheduler.add_listener(self._note, mask)

    def _note(self, event: Any) -> None:
        with self._changed:
            self.seen.append(event)
            self._changed.notify_all()

    def wait(self, count: int = 1) -> list[Any]:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.seen) >= count, SECONDS), self.seen
            return list(self.seen)


def make_due(scheduler: GuardedScheduler, name: str, seconds: float = 1.0) -> None:
    """Have a schedule be due since `seconds` ago."""
    scheduler.modify_job(name, next_run_time=datetime.now(UTC) - timedelta(seconds=seconds))


def wait_until(found: Callable[[], bool]) -> None:
    """For what tells nobody: look again and again, at most `SECONDS`."""
    pause, deadline = threading.Event(), SystemClock().monotonic() + SECONDS
    while not found():
        assert SystemClock().monotonic() < deadline
        pause.wait(0.005)
