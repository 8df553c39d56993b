"""Health, for supervisors and people, and the metrics."""

from typing import TYPE_CHECKING, Any, Final

from fastapi import APIRouter
from starlette.responses import Response

from currant.errors import CurrantError
from currant.rest import answers, schemas, schemas_service
from currant.rest.asking import Context, Shared
from currant.rest.describe import told
from currant.rest.routes.jobs import QUEUE

if TYPE_CHECKING:
    from currant.hub import Hub

router: Final = APIRouter(tags=["health"])


@router.get("/healthz", summary="Alive", **told(schemas.Word, {"status": "ok"}))
async def healthz() -> Response:
    """The process answers. Needs no token."""
    return answers.json({"status": "ok"})


@router.get(
    "/readyz",
    summary="Ready",
    **told(
        schemas.Reasons,
        {"status": "ready", "reasons": []},
        also={503: (schemas.Reasons, "It is starting, stopping, or cannot work.")},
    ),
)
async def readyz(shared: Shared) -> Response:
    """The service takes work. Needs no token, so it says that something is wrong and not what."""
    health = await shared.with_jobs(lambda: _health(shared))
    ready = health["status"] == "healthy" and not shared.stopping
    reasons = [] if ready else ["stopping" if shared.stopping else "unhealthy: see /health/jobs"]
    return answers.json(
        {"status": "ready" if ready else "not ready", "reasons": reasons}, 200 if ready else 503
    )


@router.get(
    "/health/jobs",
    summary="Health of the jobs",
    **told(
        schemas_service.JobHealth,
        {
            **{
                "status": "healthy",
                "reasons": [],
                "queue_status": QUEUE,
                "stuck_jobs": 0,
            },
            "database_connected": True,
        },
        also={503: (schemas_service.JobHealth, "`reasons` says why.")},
    ),
)
async def health_jobs(shared: Shared) -> Response:
    """The queue, jobs that are stuck, and whether the database can be written."""
    health = await shared.with_jobs(lambda: _health(shared))
    return answers.json(health, 200 if health["status"] == "healthy" else 503)


def _threads(hub: "Hub") -> list[str]:
    """What of the service does not run any more."""
    reasons = []
    worker = hub.worker.health()
    if not worker["alive"]:
        reasons.append("the threads that work off the jobs have ended")
    if worker["abandoned"]:
        reasons.append(f"{worker['abandoned']} job(s) do not stop when they are told to")
    if hub.scheduler is not None:
        schedules = hub.scheduler.health()
        if not schedules["alive"]:
            reasons.append("the thread of the schedules has ended")
        elif not schedules["ok"]:
            reasons.append(f"the schedules stand still: {schedules['last_error'] or 'no tick for too long'}")
    if not hub.maintenance.is_alive():
        reasons.append("the thread of the upkeep has ended")
    return reasons


def _health(shared: Context) -> dict[str, Any]:
    try:
        told: dict[str, Any] = dict(shared.hub.queue.health(shared.clock.now()))
        reasons = [*told["reasons"], *_threads(shared.hub)]
        return {**told, "reasons": reasons, "status": "unhealthy" if reasons else "healthy"}
    except CurrantError as error:
        return {
            "status": "unhealthy",
            "reasons": [str(error)],
            "queue_status": None,
            "stuck_jobs": 0,
            "database_connected": False,
        }


@router.get(
    "/metrics",
    summary="Metrics",
    **told(None, "# HELP currant_up ...", media_type="text/plain"),
)
async def metrics(shared: Shared) -> Response:
    """In the text format of Prometheus; docs/metrics.md names them."""
    body, media_type = await shared.with_jobs(lambda: shared.metrics.exposition(shared.hub))
    return Response(body, media_type=media_type)
