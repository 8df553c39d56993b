"""Projects: add, list, refresh, remove."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

import msgspec
from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from currant.errors import CurrantError, UsageError
from currant.rest import answers, problems, schemas
from currant.rest.asking import Context, Shared, project_json
from currant.rest.describe import told
from currant.rest.routes.jobs import JOB, job_json, queued

router: Final = APIRouter(tags=["projects"])

_INDEX: Final[dict[str, Any]] = {
    **{"clock": "c:0a1b2c3d:42", "fresh": True, "outstanding": [], "degraded": [], "progress": None},
    **{"phase": "watching", "files": 120, "failed": 0, "symbols": 900, "pending": 0},
    **{"by_language": {"python": 100, "": 20}, "files_per_second": 0.0},
}
PROJECT: Final[dict[str, Any]] = {
    **{"id": "0199f3c2-7d1c-7c31-9d4e-0b9d6d4e8a11", "name": "shop", "root": "/srv/shop"},
    **{"source": "/srv/shop", "kind": "path", "state": "ready", "error": None, "created_at": 1764000000.0},
    "index": _INDEX,
}
_ID = Annotated[str, Path(max_length=200, description="The id of a project, or its name.")]


def index_state(shared: Context, project_id: str) -> dict[str, Any] | None:
    """How the index of a project is at this moment; None when there is none to ask. Waits for nothing."""
    try:
        status: Mapping[str, Any] = shared.hub.index(project_id).status()
    except CurrantError:
        return None  # the project's own state says why
    stats, held = status.get("stats", {}), status.get("index", {})
    fresh = bool(status.get("fresh"))
    pending = int(status.get("pending") or 0)
    done = int(status.get("processed_files") or 0) + int(status.get("failed_files") or 0)
    rate = float(stats.get("recent_files_per_second") or 0.0)
    phase = str(status.get("phase"))
    progress = None
    if not fresh:
        progress = {
            **{"done": done, "total": done + pending, "bytes": int(stats.get("bytes_hashed") or 0)},
            **{"files_per_second": rate, "phase": phase},
            "eta_seconds": pending / rate if rate > 0 and phase != "scanning" else None,
        }
    return {
        "clock": status.get("clock") or "",
        "fresh": fresh,
        "outstanding": [],
        "degraded": [*(one["code"] for one in status.get("degraded", [])), *_behind(shared, project_id)],
        "progress": progress,
        "phase": phase,
        "files": int(held.get("files") or 0),
        "failed": int(held.get("failed") or 0),
        "symbols": int(held.get("symbols") or 0),
        "pending": pending,
        "by_language": held.get("by_language", {}),
        "files_per_second": rate,
    }


def _behind(shared: Context, project_id: str) -> list[str]:
    """A clone whose origin cannot be reached follows its disk, and is not what its origin is."""
    return ["origin_unreachable"] if shared.hub.ledger.is_behind(project_id) else []


@router.get("/projects", summary="List projects", **told(schemas.Projects, {"projects": [PROJECT]}))
async def list_projects(shared: Shared) -> Response:
    """All projects by name, each with the state of its index at this moment."""

    def work() -> bytes:
        found = sorted(shared.hub.projects(), key=lambda project: project.name)
        return answers.encoded(
            {"projects": [project_json(one, index_state(shared, one.id)) for one in found]}
        )

    return Response(await shared.with_jobs(work), media_type=answers.JSON)


@router.post(
    "/projects",
    summary="Add a project",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {"$ref": "#/components/schemas/NewProject"},
                    "examples": {
                        "path": {"summary": "A directory", "value": {"source": "/srv/shop"}},
                        "git": {
                            "summary": "A repository, with a name",
                            "value": {"source": "https://git.example.org/shop.git", "name": "shop"},
                        },
                    },
                }
            },
        }
    },
    **told(
        schemas.Added,
        {"project": {**PROJECT, "state": "new", "index": None}, "job": {**JOB, "type": "project_processing"}},
        status=202,
        text="It is known, and a job that clones and indexes it waits for its turn.",
        errors=(problems.CONFLICT, problems.STORE),
    ),
)
async def add_project(shared: Shared, request: Request) -> Response:
    """A directory of this machine, or the address of a git repository, which is cloned. At most 10 an
    hour."""
    wanted = new_project(await request.body())

    def work() -> tuple[bytes, str, str]:
        project, job = shared.hub.add_project(wanted.source, name=wanted.name)
        body = answers.encoded(
            {"project": project_json(project, index_state(shared, project.id)), "job": job_json(job)}
        )
        return body, project.id, job.id

    body, project_id, _job_id = await shared.with_jobs(work)
    return Response(body, 202, {"Location": f"/projects/{project_id}"}, answers.JSON)


def new_project(body: bytes) -> schemas.NewProject:
    """The body of `POST /projects`. Raises UsageError."""
    try:
        wanted = msgspec.json.decode(body, type=schemas.NewProject)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f'the body must be like {{"source": "/srv/shop"}}: {error}') from None
    if not wanted.source or "\0" in wanted.source or "\0" in (wanted.name or ""):
        raise UsageError("source is a directory or the address of a git repository, and holds no NUL")
    return wanted


@router.get(
    "/projects/{project}",
    summary="One project",
    **told(schemas.ProjectEntry, PROJECT, errors=(problems.NO_SUCH_PROJECT,)),
)
async def one_project(shared: Shared, project: _ID) -> Response:
    """One project, with the state of its index at this moment."""

    def work() -> bytes:
        found = shared.hub.project(project)
        return answers.encoded(project_json(found, index_state(shared, found.id)))

    return Response(await shared.with_jobs(work), media_type=answers.JSON)


@router.delete(
    "/projects/{project}",
    summary="Remove a project",
    **told(
        schemas.ProjectEntry,
        {**PROJECT, "state": "removing", "index": None},
        errors=(problems.NO_SUCH_PROJECT, problems.STORE),
    ),
)
async def remove_project(
    shared: Shared,
    project: _ID,
    delete_clone: Annotated[bool, Query(description="Of a git URL: also the clone and its index.")] = True,
) -> Response:
    """The service lets go of it and cancels its jobs. A directory of yours keeps its files and its index."""

    def work() -> bytes:
        return answers.encoded(
            project_json(shared.hub.remove_project(project, delete_clone=delete_clone), None)
        )

    return Response(await shared.with_jobs(work), media_type=answers.JSON)


@router.post(
    "/projects/{project}/refresh",
    summary="Refresh a project",
    **told(
        schemas.Queued,
        {
            **{"job_id": JOB["id"], "status": "queued", "message": "Project refresh queued successfully"},
            **{"created": True, "job": JOB},
        },
        status=202,
        text="It waits for its turn, before everything of normal priority.",
        errors=(problems.NO_SUCH_PROJECT, problems.CONFLICT),
        also={200: (schemas.Queued, "There is such a job already; it is this one.")},
    ),
)
async def refresh(shared: Shared, project: _ID) -> Response:
    """Fetch (of a git URL), look at the whole tree again, bring the index up to date. At most 5 in 300 s;
    `Retry-After` says when the next one may be."""

    def work() -> dict[str, Any]:
        enqueued = shared.hub.refresh(project)
        message = (
            "Project refresh queued successfully" if enqueued.created else "A refresh is under way already"
        )
        return queued(enqueued, message)

    told = await shared.with_jobs(work)
    return answers.json(told, 202 if told["created"] else 200, {"Location": f"/jobs/{told['job_id']}/status"})
