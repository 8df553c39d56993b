"""The jobs of the service: a table in ``jobs.db``, and the threads that work it off.

At least once: a job whose worker dies is given to another one, so what a job does has to be fit to be done
again. Nobody's late word counts: every run has a number of its own (`fence`), and what a run says of its job
is taken only while that number is the row's.

- `model`: what a job is; `ids`: its id
- `schema`, `database`: the file, its one writer, its readers, time that does not go back
- `transitions`: every change of a row's status, each one statement; `claim`: which row is next
- `retry`, `limits`, `retention`: when to try again, who may ask how often, what is kept how long
- `manager`, `queue`: the faces: one job; all of them
- `worker`, `run`, `context`: threads, leases, time limits, cancelling, stopping

No queue library: docs/jobs.md has the reasons and what holds instead.
"""

from currant.jobs.context import JobContext
from currant.jobs.database import Database
from currant.jobs.limits import RateLimiter
from currant.jobs.manager import JobManager
from currant.jobs.model import (
    Cancelled,
    Discard,
    Enqueued,
    Job,
    JobCancelled,
    JobPage,
    JobStatus,
    JobType,
    Priority,
    Snooze,
)
from currant.jobs.queue import JobQueueManager
from currant.jobs.worker import Handler, JobWorker

__all__ = [
    "Cancelled",
    "Database",
    "Discard",
    "Enqueued",
    "Handler",
    "Job",
    "JobCancelled",
    "JobContext",
    "JobManager",
    "JobPage",
    "JobQueueManager",
    "JobStatus",
    "JobType",
    "JobWorker",
    "Priority",
    "RateLimiter",
    "Snooze",
]
