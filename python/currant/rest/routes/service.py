"""The service itself: its state, upkeep, schedules."""

from typing import Annotated, Any, Final, Literal

import msgspec
from fastapi import APIRouter, Path
from starlette.responses import Response

from currant.errors import CurrantError, RetryError, UsageError
from currant.rest import answers, problems, schemas
from currant.rest.asking import Shared
from currant.rest.describe import told

router: Final = APIRouter(tags=["service"])


class NoSuchTask(CurrantError):
    """There is no task or schedule of this name."""


@router.get("/status", summary="The service", **told(schemas.ServiceStatus, None))
async def status(shared: Shared) -> Response:
    """What the service is doing: projects, queue, budgets, what is degraded."""
    return answers.json(await shared.with_jobs(shared.hub.status))


def part(shared: Shared, name: str) -> Any:
    """A part of the hub. Raises RetryError when this service runs without it."""
    found = getattr(shared.hub, name, None)
    if found is None:
        raise RetryError(f"this service runs without {name}")
    return found


def _named(task: str) -> str:
    from currant.maintenance import BackgroundTask

    return BackgroundTask(task).name


@router.get("/maintenance", summary="Upkeep", **told(schemas.Maintenance, None))
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


@router.get("/schedules", summary="Schedules", **told(schemas.Schedules, None))
async def schedules(shared: Shared) -> Response:
    """What is done by the clock, and when next."""

    def work() -> dict[str, Any]:
        scheduler = getattr(shared.hub, "scheduler", None)
        return {"schedules": [] if scheduler is None else [_schedule(job) for job in scheduler.get_jobs()]}

    return answers.json(await shared.with_jobs(work))


@router.post(
    "/schedules/{name}/{action}",
    summary="Trigger, pause or resume a schedule",
    **told(
        schemas.Schedule,
        None,
        status=202,
        errors=(problems.NOT_FOUND, problems.NOT_READY),
    ),
)
async def change_schedule(
    shared: Shared,
    name: Annotated[str, Path(max_length=200, description="A name that `GET /schedules` lists.")],
    action: Annotated[Literal["trigger", "pause", "resume"], Path(description="What to do with it.")],
) -> Response:
    """`trigger`: run it now, and leave its times as they are. `pause` lasts across restarts until
    `resume`."""

    def work() -> dict[str, Any]:
        raise UsageError(f"{name} {action}")

    return answers.json(await shared.with_jobs(work), 202)


def _schedule(job: Any) -> dict[str, Any]:
    following = getattr(job, "next_run_time", None)
    return {
        "name": str(job.id),
        "trigger": str(job.trigger),
        "next_run": None if following is None else following.timestamp(),
        "paused": following is None,
    }
