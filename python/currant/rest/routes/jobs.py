"""The ledger of jobs: what waits, runs and ended; retry and cancel. GET never writes."""

from typing import Annotated, Any, Final

import msgspec
from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from currant.errors import JobConflict, NoSuchJob
from currant.jobs import JobStatus, JobType
from currant.rest import answers, problems, schemas, schemas_service
from currant.rest.asking import Cursor, Limit, Shared
from currant.rest.describe import told

router: Final = APIRouter(tags=["jobs"])

_ID: Final = "0199f3c2-7d1c-7c31-9d4e-0b9d6d4e8a11"
JOB: Final[dict[str, Any]] = {
    **{"id": _ID, "type": "refresh", "project_id": "p1", "client": "local", "trigger": "manual"},
    **{"status": "pending", "priority": 2, "created_at": 1764000000.0, "run_at": 1764000000.0},
    **{
        "started_at": None,
        "finished_at": None,
        "attempt": 0,
        "max_attempts": 3,
        "retry_count": 0,
        "rescued": 0,
    },
    **{"progress": None, "message": None, "args": {}, "result": None, "error": None, "errors": []},
    **{"unique_key": "refresh:p1", "worker": None, "lease_until": None, "cancel_requested": False},
    **{"timeout_s": None, "fence": 0, "revision": 17},
}
_STATE: Final = {
    **{"id": _ID, "type": "project_processing", "status": "completed", "project_id": "p1"},
    **{"created_at": "2026-01-01T12:00:00Z", "started_at": "2026-01-01T12:00:05Z"},
    **{"completed_at": "2026-01-01T12:00:09Z", "result": {"tasks_count": 15, "progress_percentage": 65.5}},
    **{"error": None, "retry_count": 0, "progress": 1.0, "message": None, "attempt": 1, "max_attempts": 3},
    "cancel_requested": False,
}

QUEUE: Final[dict[str, Any]] = {
    **{"pending": 1, "processing": 1, "completed": 40, "failed": 0, "cancelled": 2, "total": 44},
    **{"delayed": 0, "oldest_pending_age_s": 0.4, "by_type": {}, "running": [], "paused": []},
    **{"by_priority": {"low": 0, "normal": 1, "high": 0}},
    **{"throughput_1m": 2, "throughput_5m": 9, "throughput_15m": 30},
}

JobId = Annotated[str, Path(max_length=100, description="The id of a job.", examples=[_ID])]


class JobFinal(JobConflict):
    """The job has ended: there is nothing to cancel."""

    def __init__(self, job_id: str, status: str) -> None:
        super().__init__(f"job {job_id} is {status}: there is nothing to cancel")


def job_json(job: Any) -> dict[str, Any]:
    """A job as it is told."""
    return dict(msgspec.to_builtins(job))


@router.get(
    "/jobs",
    summary="List jobs",
    **told(schemas.Jobs, {"jobs": [JOB], "next": None}, errors=(problems.NO_SUCH_PROJECT,)),
)
async def list_jobs(
    shared: Shared,
    project: Annotated[str | None, Query(max_length=200, description="The id or name of a project.")] = None,
    status: Annotated[JobStatus | None, Query(description="Only these.")] = None,
    type: Annotated[JobType | None, Query(description="Only these.")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """Jobs, the newest first."""
    return await _page(shared, project, status, type, cursor, limit)


@router.get(
    "/projects/{project}/jobs",
    summary="Jobs of one project",
    **told(schemas.Jobs, {"jobs": [JOB], "next": None}, errors=(problems.NO_SUCH_PROJECT,)),
)
async def project_jobs(
    shared: Shared,
    project: Annotated[str, Path(max_length=200, description="The id of a project, or its name.")],
    status: Annotated[JobStatus | None, Query(description="Only these.")] = None,
    type: Annotated[JobType | None, Query(description="Only these.")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """The jobs of one project, the newest first."""
    return await _page(shared, project, status, type, cursor, limit)


async def _page(
    shared: Shared,
    project: str | None,
    status: JobStatus | None,
    type: JobType | None,
    cursor: str | None,
    limit: int,
) -> Response:
    before = None if cursor is None else answers.key_of(cursor, str)[0]

    def work() -> bytes:
        project_id = None if project is None else shared.hub.project(project).id
        page = shared.hub.jobs.list_jobs(
            project_id=project_id, status=status, type=type, before=before, limit=limit
        )
        following = None if page.next is None else answers.cursor([page.next])
        return answers.encoded({"jobs": [job_json(job) for job in page.jobs], "next": following})

    return Response(await shared.with_jobs(work), media_type=answers.JSON)


@router.get(
    "/jobs/queue-status",
    summary="The queue",
    **told(schemas_service.QueueStatus, QUEUE),
)
async def queue_status(shared: Shared) -> Response:
    """How many jobs are in each state, what runs, how old the oldest that waits is, and how many ended within
    the last minutes."""
    return answers.json(await shared.with_jobs(shared.hub.queue.get_queue_status))


@router.get("/jobs/{job}", summary="One job", **told(schemas.JobEntry, JOB, errors=(problems.NO_SUCH_JOB,)))
async def job(shared: Shared, job: JobId) -> Response:
    """One job with all its fields."""

    def work() -> dict[str, Any]:
        found = shared.hub.jobs.get_job(job)
        if found is None:
            raise NoSuchJob(job)
        return job_json(found)

    return answers.json(await shared.with_jobs(work))


@router.get(
    "/jobs/{job}/status",
    summary="The state of one job",
    **told(
        schemas.JobState,
        _STATE,
        errors=(problems.NO_SUCH_JOB,),
        also={304: (None, "As in the answer with the ETag given in If-None-Match.")},
    ),
)
async def job_status(shared: Shared, request: Request, job: JobId) -> Response:
    """For who polls: small, and with an ETag, so that a poll that brings nothing new is a 304."""

    def work() -> dict[str, Any]:
        found: dict[str, Any] | None = shared.hub.jobs.get_job_status(job)
        if found is None:
            raise NoSuchJob(job)
        return found

    return answers.tagged(request, await shared.with_jobs(work))


@router.post(
    "/jobs/{job}/retry",
    summary="Retry a job",
    **told(
        schemas.Queued,
        {"job_id": _ID, "status": "queued", "message": "Job queued again", "created": True, "job": JOB},
        status=202,
        text="It waits for its turn again.",
        errors=(problems.NO_SUCH_JOB, problems.CONFLICT),
    ),
)
async def retry(shared: Shared, job: JobId) -> Response:
    """Run a failed or cancelled job again. 409 when it is neither, another one does the same already,
    or its project was removed."""

    def work() -> dict[str, Any]:
        if shared.hub.jobs.get_job(job) is None:
            raise NoSuchJob(job)
        return queued(shared.hub.ledger.retry(job), "Job queued again")

    told = await shared.with_jobs(work)
    return answers.json(told, 202, {"Location": f"/jobs/{told['job_id']}/status"})


def queued(enqueued: Any, message: str) -> dict[str, Any]:
    """The answer to whoever asked for work."""
    job, created = enqueued
    return {
        "job_id": job.id,
        "status": "queued" if str(job.status) == "pending" else str(job.status),
        "message": message,
        "created": created,
        "job": job_json(job),
    }


@router.delete(
    "/jobs/{job}",
    summary="Cancel a job",
    **told(
        schemas.Cancelled,
        {"outcome": "cancelled", "job": {**JOB, "status": "cancelled", "finished_at": 1764000002.0}},
        text="It was waiting, and is cancelled.",
        errors=(problems.NO_SUCH_JOB, problems.CONFLICT),
        also={202: (schemas.Cancelled, "It is running, and was asked to stop.")},
    ),
)
async def cancel(shared: Shared, job: JobId) -> Response:
    """Cancel what waits, ask what runs to stop. 409 when it has ended; the row stays either way."""

    def work() -> dict[str, Any]:
        if shared.hub.jobs.get_job(job) is None:
            raise NoSuchJob(job)
        outcome = shared.hub.jobs.cancel(job)
        found = shared.hub.jobs.get_job(job)
        if found is None:
            raise NoSuchJob(job)
        if outcome == "final":
            raise JobFinal(job, str(found.status))
        return {"outcome": outcome, "job": job_json(found)}

    told = await shared.with_jobs(work)
    return answers.json(told, 202 if told["outcome"] == "cancel_requested" else 200)
