"""What the tests of jobs share: a queue in a directory, with a clock that the test moves, and handlers that
wait for the test."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from currant.clock import Clock, ManualClock
from currant.config import JobsSettings
from currant.jobs import Database, Job, JobContext, JobManager, JobQueueManager, JobStatus, JobType, JobWorker
from currant.jobs.run import Handler

WAIT = 20.0
QUICK = JobsSettings(poll_ms=10, workers=2, backoff_base_s=1, backoff_max_s=60)


def quick(**changes: Any) -> JobsSettings:
    return msgspec.structs.replace(QUICK, **changes)


class Queue:
    """One process's view of a jobs.db, and its workers."""

    def __init__(self, folder: Path, settings: JobsSettings = QUICK, clock: Clock | None = None) -> None:
        self.clock = clock or ManualClock()
        self.settings = settings
        self.database = Database(folder / "jobs.db", self.clock)
        self.manager = JobManager(self.database, settings)
        self.queue = JobQueueManager(self.database, settings, manager=self.manager)
        self.workers: list[JobWorker] = []
        self.changed = threading.Condition()
        self.seen: list[Job] = []
        self.manager.on_change.append(self._saw)

    def _saw(self, job: Job) -> None:
        with self.changed:
            self.seen.append(job)
            self.changed.notify_all()

    def advance(self, seconds: float) -> None:
        assert isinstance(self.clock, ManualClock)
        self.clock.advance(seconds)
        for worker in self.workers:
            worker.wake()

    def work(
        self, handlers: Mapping[JobType, Handler] | Handler, settings: JobsSettings | None = None
    ) -> JobWorker:
        """Start a worker; one handler does every type."""
        told = handlers if isinstance(handlers, Mapping) else dict.fromkeys(JobType, handlers)
        worker = JobWorker(self.manager, told, settings)
        worker.start()
        self.workers.append(worker)
        return worker

    def add(self, type: JobType = JobType.EXTRACTION, project: str | None = None, **more: Any) -> Job:
        made = self.manager.create_job(type, project, **more)
        assert made.created
        return made.job

    def get(self, job: Job | str) -> Job:
        found = self.manager.get_job(job if isinstance(job, str) else job.id)
        assert found is not None
        return found

    def until(self, job: Job | str, wanted: Callable[[Job], bool] | JobStatus) -> Job:
        """The job, once it is as wanted."""
        fits = (lambda one: one.status is wanted) if isinstance(wanted, JobStatus) else wanted
        with self.changed:
            assert self.changed.wait_for(lambda: fits(self.get(job)), WAIT), self.get(job)
        return self.get(job)

    def history(self, job: Job) -> list[str]:
        """The statuses that were announced up to the present one, without repetitions."""
        now = self.get(job).revision
        with self.changed:
            assert self.changed.wait_for(lambda: any(one.revision == now for one in self.seen), WAIT)
        told = [str(one.status) for one in self.seen if one.id == job.id]
        return [one for at, one in enumerate(told) if not at or told[at - 1] != one]

    def close(self) -> None:
        for worker in self.workers:
            worker.stop(0, WAIT)
        self.database.close()


@contextmanager
def queue(folder: Path, settings: JobsSettings = QUICK, clock: Clock | None = None) -> Iterator[Queue]:
    found = Queue(folder, settings, clock)
    try:
        yield found
    finally:
        found.close()


class Gate:
    """A handler that says when it has begun, and goes on when it is told to."""

    def __init__(self, *, stubborn: bool = False) -> None:
        self.begun = threading.Semaphore(0)
        self.open = threading.Event()
        self.runs: list[JobContext] = []
        self._stubborn = stubborn

    def __call__(self, context: JobContext) -> dict[str, Any] | None:
        self.runs.append(context)
        self.begun.release()
        if self._stubborn:
            assert self.open.wait(WAIT)
            return {"stubborn": True}
        while not self.open.is_set():
            context.wait(0.005)
            context.check()
        return {"done": context.job.id}

    def wait_begun(self) -> JobContext:
        assert self.begun.acquire(timeout=WAIT)
        return self.runs[-1]
