"""Owns what a job is: its values, and what a handler may raise. No database here."""

from enum import IntEnum, StrEnum
from typing import Any, Final, Literal, NamedTuple

import msgspec


class JobStatus(StrEnum):
    """Where a job is. The last three are final; only a retry by hand leads out of failed and cancelled."""

    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


FINAL: Final = (JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED)


class JobType(StrEnum):
    """What is to be done."""

    PROJECT_PROCESSING = "project_processing"
    SKILLS_EXTRACTION = "skills_extraction"
    EXTRACTION = "extraction"
    REFRESH = "refresh"
    MAINTENANCE = "maintenance"


class Priority(IntEnum):
    """Which goes first."""

    LOW = 0
    NORMAL = 1
    HIGH = 2


Trigger = Literal["manual", "schedule", "watch", "retry", "start"]
Cancelled = Literal["cancelled", "cancel_requested", "final"]


class Job(msgspec.Struct, frozen=True):
    """One row. Times are seconds since the epoch, UTC.

    `attempt`: runs that count against `max_attempts`; a snooze and a shutdown give theirs back. `fence`: runs
    in all; it names the present one. `retry_count`: retries by hand. `rescued`: times that a worker was lost.
    `error` is the last one, `errors` the last few, each ``{"attempt", "at", "error"}`` and perhaps
    ``traceback``. `revision` grows with every change of any job: what follows the table remembers the
    greatest.
    """

    id: str
    type: str
    project_id: str | None
    client: str
    trigger: str
    status: JobStatus
    priority: Priority
    created_at: float
    run_at: float
    started_at: float | None
    finished_at: float | None
    attempt: int
    max_attempts: int
    retry_count: int
    rescued: int
    progress: float | None
    message: str | None
    args: dict[str, Any]
    result: dict[str, Any] | None
    error: str | None
    errors: list[dict[str, Any]]
    unique_key: str | None
    worker: str | None
    lease_until: float | None
    cancel_requested: bool
    timeout_s: float | None
    fence: int
    revision: int

    @property
    def is_final(self) -> bool:
        """Whether nothing more happens to it by itself."""
        return self.status in FINAL


class Enqueued(NamedTuple):
    """`created` False: there was a live job with this unique key, and `job` is that one."""

    job: Job
    created: bool


class JobPage(NamedTuple):
    """Newest first. `next` goes into `before` of the next call; None at the end."""

    jobs: list[Job]
    next: str | None


# --- what a handler may raise ------------------------------------------------------------------------


class JobCancelled(Exception):
    """The handler saw that it is to stop, and stopped. `JobContext.check` raises it."""


class Snooze(Exception):
    """Not now: run again after `delay_s` seconds. Costs no attempt."""

    def __init__(self, delay_s: float) -> None:
        self.delay_s = max(0.0, delay_s)
        super().__init__(f"snoozed for {delay_s:g} s")


class Discard(Exception):
    """Trying again is of no use: fail at once."""
