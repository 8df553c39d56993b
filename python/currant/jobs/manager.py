"""Owns the operations on one job: make it, look at it, cancel it, try it again; and telling of changes.

Thread-safe. Reads wait for nobody; each write is one short transaction, and may be part of a larger one of
the caller's (`Database.write`).
"""

import logging
from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from currant.clock import Clock
from currant.config import JobsSettings
from currant.errors import JobConflict, NoSuchJob, UsageError
from currant.jobs import limits, transitions
from currant.jobs.database import Database
from currant.jobs.model import Cancelled, Enqueued, Job, JobPage, JobStatus, JobType, Priority, Trigger
from currant.jobs.transitions import COLUMNS

log = logging.getLogger(__name__)

MAX_PAGE: Final = 1000
_MAX_NAME: Final = 500
# Of so many jobs it is known what was told. More than change between two looks at the table.
_REMEMBERED: Final = 4096


class JobManager:
    """The jobs of one database. `on_change`: called with each job as it is after a change, when that is
    committed; one call at a time, and never with an older state of a job after a newer one. Changes of other
    processes are told of too while a worker of this manager follows the table."""

    def __init__(
        self, database: Database, settings: JobsSettings | None = None, clock: Clock | None = None
    ) -> None:
        """`clock` None: the database's, which does not step back."""
        self.database = database
        self.settings = settings or JobsSettings()
        self.clock = clock or database.clock
        self.on_change: list[Callable[[Job], None]] = []
        self._told: OrderedDict[str, int] = OrderedDict()  # job -> revision

    def create_job(
        self,
        type: JobType | str,
        project_id: str | None = None,
        *,
        client: str = "local",
        priority: Priority = Priority.NORMAL,
        trigger: Trigger = "manual",
        args: Mapping[str, Any] | None = None,
        unique_key: str | None = None,
        max_attempts: int | None = None,
        run_at: float | None = None,
        timeout_s: float | None = None,
        limit: tuple[str, str] | None = None,
    ) -> Enqueued:
        """A new job, or the live one with this `unique_key`. `limit` is (action, client): what counts against
        a rate limit, together with the job or not at all; a duplicate costs nothing.

        Raises UsageError for what cannot be stored, RateLimited, StoreError.
        """
        kind = _type_of(type)
        for what, text in (("project", project_id), ("client", client), ("unique key", unique_key)):
            _check_name(what, text)
        if max_attempts is not None and max_attempts < 1:
            raise UsageError(f"max_attempts = {max_attempts}: must be at least 1")
        if timeout_s is not None and not timeout_s > 0:
            raise UsageError(f"timeout_s = {timeout_s}: must be more than 0")
        if timeout_s is None and kind is JobType.MAINTENANCE:
            timeout_s = self.settings.maintenance_timeout_s
        with self.database.write() as connection:
            now = self.clock.now()
            if unique_key is not None and (live := transitions.live(connection, unique_key)) is not None:
                return Enqueued(live, False)
            if limit is not None:
                action, who = limit
                most, window_s = limits.limit_of(self.settings, action)
                limits.take(connection, who, action, most=most, window_s=window_s, now=now)
            try:
                made = transitions.enqueue(
                    connection,
                    now=now,
                    type=kind,
                    project_id=project_id,
                    client=client,
                    trigger=trigger,
                    priority=Priority(priority),
                    args=args or {},
                    unique_key=unique_key,
                    max_attempts=max_attempts or self._attempts(kind),
                    run_at=now if run_at is None else run_at,
                    timeout_s=timeout_s,
                )
            except ValueError as error:
                raise UsageError(f"the arguments of the job cannot be stored: {error}") from error
            self.announce(made.job)
        return made

    def get_job(self, job_id: str) -> Job | None:
        """The job, or None."""
        if _odd(job_id):
            return None
        with self.database.read() as connection:
            return transitions.get(connection, job_id)

    def list_jobs(
        self,
        project_id: str | None = None,
        status: JobStatus | str | None = None,
        type: JobType | str | None = None,
        before: str | None = None,
        limit: int = 50,
    ) -> JobPage:
        """Jobs, newest first, at most `limit` (up to 1000). Raises UsageError for an unknown status or
        type."""
        conditions: list[str] = []
        values: list[Any] = []
        for column, value in (
            ("project_id", project_id),
            ("status", None if status is None else str(_status_of(status))),
            ("type", None if type is None else str(_type_of(type))),
        ):
            if value is not None:
                if _odd(value):
                    return JobPage([], None)
                conditions.append(f"{column} = ?")
                values.append(value)
        if before is not None:
            if _odd(before):
                raise UsageError("before: not an id of a job")
            conditions.append("id < ?")
            values.append(before)
        where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
        most = min(max(limit, 1), MAX_PAGE)
        with self.database.read() as connection:
            # One more than asked for tells whether there are more. By id: that is by the time of making.
            rows = connection.execute(
                f"SELECT {COLUMNS} FROM job {where} ORDER BY id DESC LIMIT ?", (*values, most + 1)
            ).fetchall()
        jobs = [transitions.job_of(row) for row in rows[:most]]
        return JobPage(jobs, jobs[-1].id if len(rows) > most else None)

    def get_project_jobs(self, project_id: str, limit: int = MAX_PAGE) -> list[dict[str, Any]]:
        """The jobs of a project, newest first, each as `get_job_status` tells of it."""
        return [status_of(job) for job in self.list_jobs(project_id, limit=limit).jobs]

    def get_job_status(self, job_id: str) -> dict[str, Any] | None:
        """The state of a job for a program that polls; None when there is no such job."""
        job = self.get_job(job_id)
        return None if job is None else status_of(job)

    def update_job_status(
        self,
        job_id: str,
        status: JobStatus | str,
        result: dict[str, Any] | None = None,
        error: str | None = None,
    ) -> Job:
        """End a job by hand: ``completed`` with a result, ``failed`` with an error, ``cancelled``; for work
        that is done elsewhere. A worker that has it loses it. Raises NoSuchJob, JobConflict for a job that is
        over or a status that is no end, UsageError."""
        wanted = _status_of(status)
        if wanted in (JobStatus.PENDING, JobStatus.PROCESSING):
            raise JobConflict(
                f"a job cannot be made {wanted} by hand: retry it, or wait for a worker", job_id
            )
        with self.database.write() as connection:
            try:
                job = transitions.end_by_hand(
                    connection, job_id, wanted, now=self.clock.now(), result=result, error=error
                )
            except ValueError as problem:
                raise UsageError(f"the result cannot be stored: {problem}") from problem
            if job is None:
                found = transitions.get(connection, job_id)
                if found is None:
                    raise NoSuchJob(job_id)
                raise JobConflict(f"job {job_id} is {found.status}: nothing to end")
            self.announce(job)
        return job

    def cancel(self, job_id: str) -> Cancelled:
        """``cancelled``: it had not begun. ``cancel_requested``: its handler is asked to stop. ``final``: it
        was over. Raises NoSuchJob, StoreError."""
        if _odd(job_id):
            raise NoSuchJob(job_id)
        with self.database.write() as connection:
            outcome, job = transitions.cancel(connection, job_id, now=self.clock.now())
            if job is None:
                raise NoSuchJob(job_id)
            if outcome != "final":
                self.announce(job)
        return outcome

    def cancel_project(self, project_id: str) -> int:
        """Cancel whatever is pending or in work for a project; how many."""
        with self.database.write() as connection:
            rows: list[Any] = connection.execute(
                "SELECT id FROM job WHERE project_id = ? AND status IN ('pending', 'processing')",
                (project_id,),
            ).fetchall()
            for (job_id,) in rows:
                self.cancel(job_id)
        return len(rows)

    def delete_project_jobs(self, project_id: str) -> int:
        """Forget all jobs of a project, its history too; how many. A run of one loses its row."""
        with self.database.write() as connection:
            connection.execute("DELETE FROM job WHERE project_id = ?", (project_id,))
            count = connection.changes()
            connection.execute("DELETE FROM refresh_history WHERE project_id = ?", (project_id,))
        return count

    def retry(self, job_id: str) -> Enqueued:
        """Put a failed or cancelled job into the queue again, from its first attempt. Raises NoSuchJob;
        JobConflict when it is not over or was completed, or when another job has its unique key by now
        (`live` is that job)."""
        if _odd(job_id):
            raise NoSuchJob(job_id)
        with self.database.write() as connection:
            job = transitions.get(connection, job_id)
            if job is None:
                raise NoSuchJob(job_id)
            if job.status not in (JobStatus.FAILED, JobStatus.CANCELLED):
                live = None if job.is_final else job.id
                raise JobConflict(f"job {job_id} is {job.status}: only what failed or was cancelled", live)
            if job.unique_key is not None:
                other = transitions.live(connection, job.unique_key)
                if other is not None:
                    raise JobConflict(f"job {other.id} does the same and is {other.status}", other.id)
            again = transitions.retry(connection, job_id, now=self.clock.now())
            assert again is not None  # looked at in this transaction
            self.announce(again)
        return Enqueued(again, True)

    def refresh_history(self, project_id: str, limit: int = 50) -> list[dict[str, Any]]:
        """What was asked for and what came of it, newest first: job_id, client, trigger, created_at,
        finished_at, outcome (None while it is not over)."""
        names = ("job_id", "client", "trigger", "created_at", "finished_at", "outcome")
        with self.database.read() as connection:
            rows = connection.execute(
                f"SELECT {', '.join(names)} FROM refresh_history WHERE project_id = ?"
                " ORDER BY id DESC LIMIT ?",
                (project_id, min(max(limit, 1), MAX_PAGE)),
            ).fetchall()
        return [dict(zip(names, row, strict=True)) for row in rows]

    def announce(self, job: Job) -> None:
        """Inside `Database.write`: tell of this change once it is committed."""
        self.database.after_commit(lambda: self._tell(job))

    def tell(self, job: Job) -> None:
        """Tell of a change that is committed, unless it was told of."""
        self.database.in_turn(lambda: self._tell(job))

    def _tell(self, job: Job) -> None:
        """One at a time: the database sees to that."""
        if self._told.get(job.id, 0) >= job.revision:
            return
        self._told[job.id] = job.revision
        self._told.move_to_end(job.id)
        if len(self._told) > _REMEMBERED:
            self._told.popitem(last=False)
        for listener in list(self.on_change):
            try:
                listener(job)
            except Exception:
                log.exception("a listener failed at job %s", job.id)

    def _attempts(self, kind: JobType) -> int:
        if kind is JobType.EXTRACTION:
            return self.settings.extraction_attempts
        return (
            self.settings.maintenance_attempts if kind is JobType.MAINTENANCE else self.settings.max_attempts
        )


def status_of(job: Job) -> dict[str, Any]:
    """The state of a job for a program that polls. A pending one is ``queued`` here; times are ISO 8601,
    UTC."""
    return {
        "id": job.id,
        "type": job.type,
        "status": "queued" if job.status is JobStatus.PENDING else str(job.status),
        "project_id": job.project_id,
        "created_at": moment(job.created_at),
        "started_at": moment(job.started_at),
        "completed_at": moment(job.finished_at),
        "result": job.result,
        "error": job.error,
        "retry_count": job.retry_count,
        "progress": job.progress,
        "message": job.message,
        "attempt": job.attempt,
        "max_attempts": job.max_attempts,
        "cancel_requested": job.cancel_requested,
    }


def moment(seconds: float | None) -> str | None:
    """``2026-11-22T12:00:05.123Z``."""
    if seconds is None:
        return None
    text = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def _type_of(value: str) -> JobType:
    try:
        return JobType(value)
    except ValueError:
        raise UsageError(f"no such type of job: {value!r}; known: {', '.join(JobType)}") from None


def _status_of(value: str) -> JobStatus:
    try:
        return JobStatus(value)
    except ValueError:
        raise UsageError(f"no such status: {value!r}; known: {', '.join(JobStatus)}") from None


def _odd(text: str) -> bool:
    """Whether SQLite could not hold this text as it is."""
    return "\0" in text or any(0xD800 <= ord(char) <= 0xDFFF for char in text)


def _check_name(what: str, text: str | None) -> None:
    if text is not None and (_odd(text) or len(text) > _MAX_NAME):
        raise UsageError(f"the {what} of a job must be text of at most {_MAX_NAME} characters")
