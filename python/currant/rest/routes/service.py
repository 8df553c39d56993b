"""The service itself: its state, upkeep, schedules."""

from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import msgspec
from fastapi import APIRouter, Path
from starlette.responses import Response

from currant.errors import CurrantError, RetryError
from currant.rest import answers, problems, schemas, schemas_service
from currant.rest.asking import Context, Shared
from currant.rest.describe import told
from currant.rest.routes.jobs import QUEUE

if TYPE_CHECKING:
    from currant.periodic.listing import Schedule

router: Final = APIRouter(tags=["service"])

_SCHEDULE: Final[dict[str, Any]] = {
    **{
        "name": "sync_projects",
        "what": "Fetch, and compare with the disk",
        "enabled": True,
        "interval_s": 900,
    },
    **{"source": "currant", "paused": False, "next_run": 1764000900.0, "last_run": 1764000000.0},
    **{"run_count": 12, "error_count": 0, "mean_seconds": 0.004, "skipped": 0, "last_error": None},
    **{"last_error_at": None, "problem": None},
}
_STATUS: Final[dict[str, Any]] = {
    **{"pid": 4711, "home": "/home/me/.local/state/currant", "phase": "running"},
    **{"started_at": 1764000000.0, "uptime_seconds": 86400.0, "states": {"ready": 1}},
    "projects": [
        {
            **{"id": "p1", "name": "shop", "root": "/srv/shop", "source": "/srv/shop", "kind": "path"},
            **{"state": "ready", "error": None, "created_at": 1764000000.0, "origin": None},
            "index": {
                **{"done": 120, "total": 120, "bytes": 987654, "files_per_second": 0.0},
                **{"eta_seconds": None, "phase": "watching", "owner": 4711},
            },
        }
    ],
    "queue": QUEUE,
    "budget": {
        **{"step": 0, "memory_bytes": 98000000, "memory_limit_bytes": None, "cpus": 0.01},
        **{"cpus_limit": None, "watches": 14, "watches_limit": None, "others_share": 0.2},
        **{"cpu_pressure": 0.0, "memory_pressure": 0.0, "llm_paused": False, "cache_share": 1.0},
        **{"workers": None, "rest": 0.0, "collect_seconds": 0.0},
    },
    "degraded": [],
}
_TASK: Final[dict[str, Any]] = {
    **{"name": "OptimizeIndex", "task": "optimize_index", "interval_s": 3600, "last_run": 1764000000.0},
    **{"run_count": 24, "error_count": 0, "mean_seconds": 0.2, "skipped": 1, "last_error": None},
    **{"last_error_at": None, "next_run": 1764003600.0, "running": None},
}


class NoSuchTask(CurrantError):
    """There is no task or schedule of this name."""


@router.get("/status", summary="The service", **told(schemas_service.ServiceStatus, _STATUS))
async def status(shared: Shared) -> Response:
    """What the service is doing: projects, queue, budgets, what is degraded."""
    return answers.json(await shared.with_jobs(shared.hub.status))


def part(shared: Context, name: str) -> Any:
    """A part of the hub. Raises RetryError when this service runs without it."""
    found = getattr(shared.hub, name, None)
    if found is None:
        raise RetryError(f"this service runs without {name}")
    return found


def _named(task: str) -> str:
    from currant.maintenance import BackgroundTask

    return BackgroundTask(task).name


@router.get("/maintenance", summary="Upkeep", **told(schemas_service.Maintenance, {"tasks": [_TASK]}))
async def maintenance(shared: Shared) -> Response:
    """The tasks of upkeep with their statistics, which are kept across restarts."""

    def work() -> dict[str, Any]:
        stats = part(shared, "maintenance").get_stats()
        return {"tasks": [{"name": _named(one.task), **msgspec.structs.asdict(one)} for one in stats]}

    return answers.json(await shared.with_jobs(work))


@router.post(
    "/maintenance/{task}",
    summary="Run upkeep now",
    **told(
        schemas.Word,
        {"status": "scheduled"},
        status=202,
        text="It runs as soon as there is room.",
        errors=(problems.NOT_FOUND, problems.NOT_READY),
    ),
)
async def run_maintenance(
    shared: Shared,
    task: Annotated[str, Path(max_length=100, description="A name that `GET /maintenance` lists.")],
) -> Response:
    """Run one task of upkeep now, besides its interval."""

    def work() -> None:
        from currant.maintenance import BackgroundTask

        processor = part(shared, "maintenance")
        known = {one.value: one for one in BackgroundTask} | {one.name: one for one in BackgroundTask}
        if task not in known:
            raise NoSuchTask(f"no task {task!r}; there are: {', '.join(one.value for one in BackgroundTask)}")
        processor.schedule_task(known[task])

    await shared.with_jobs(work)
    return answers.json({"status": "scheduled"}, 202)


@router.get("/schedules", summary="Schedules", **told(schemas_service.Schedules, {"schedules": [_SCHEDULE]}))
async def schedules(shared: Shared) -> Response:
    """What is done by the clock, how it did, and when next."""
    return answers.json({"schedules": await shared.with_jobs(lambda: _listed(shared))})


@router.post(
    "/schedules/{name}/{action}",
    summary="Trigger, pause or resume a schedule",
    **told(
        schemas_service.ScheduleChanged,
        {"schedule": _SCHEDULE, "added": 3},
        errors=(problems.NOT_FOUND, problems.NOT_READY),
    ),
)
async def change_schedule(
    shared: Shared,
    name: Annotated[str, Path(max_length=200, description="A name that `GET /schedules` lists.")],
    action: Annotated[Literal["trigger", "pause", "resume"], Path(description="What to do with it.")],
) -> Response:
    """`trigger`: put its jobs into the queue now, and leave its times as they are; `added` says how many
    (none while it is paused). `pause` lasts across restarts until `resume`."""

    def work() -> dict[str, Any]:
        from currant.periodic import listing, tasks

        hub = shared.hub
        if name not in {one.name for one in _listed(shared)}:
            raise NoSuchTask(f"there is no schedule {name!r}: `GET /schedules` lists them")
        added = 0
        if action == "pause":
            listing.pause(hub.settings, hub.database, name)
        elif action == "resume":
            listing.resume(hub.settings, hub.database, name)
        else:
            part(shared, "scheduler")  # without it the tasks have nothing to work with
            added = tasks.run_task(name)
        return {"schedule": next(one for one in _listed(shared) if one.name == name), "added": added}

    return answers.json(await shared.with_jobs(work))


def _listed(shared: Context) -> "list[Schedule]":
    from currant.periodic.listing import schedules

    hub = shared.hub
    following = {} if hub.scheduler is None else hub.scheduler.next_runs()
    return schedules(hub.settings, hub.database, following)
