"""The application: routes, errors, the page's files, and the layers around them.

From outside in: `observe` (log, metrics), `guard` (who may ask), FastAPI. Imports the web framework; only the
service imports this.
"""

import logging
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response
from starlette.routing import Route, compile_path

from currant import __version__
from currant.errors import CurrantError
from currant.rest import describe, problems
from currant.rest.asking import Context
from currant.rest.guard import Guard
from currant.rest.head import Head
from currant.rest.metrics import Metrics
from currant.rest.observe import Observe
from currant.rest.problems import Problem
from currant.rest.routes import events, health, index, jobs, projects, service
from currant.rest.schemas import NewProject
from currant.rest.tracing import build as build_tracing

if TYPE_CHECKING:
    from currant.hub import Hub
    from currant.rest.waiting import Ended

log = logging.getLogger(__name__)


def build(hub: "Hub", mounts: Mapping[str, Any], ended: "Ended | None" = None) -> FastAPI:
    """See `currant.rest.create_app`. `ended` listens to the jobs already, and hands over what it heard."""
    settings = hub.settings.serve
    metrics = Metrics(__version__)
    # No pages of FastAPI's own: they load scripts from elsewhere.
    app = FastAPI(
        title="Currant", version=__version__, docs_url=None, redoc_url=None, lifespan=_around(mounts.values())
    )
    context = app.state.context = Context(hub, hub.clock, metrics)
    tracing = app.state.tracing = build_tracing(settings.otel)
    hub.jobs.on_change.append(tracing.job_changed)
    if ended is None:
        hub.jobs.on_change.append(metrics.job_changed)
    else:
        ended.hand_over(metrics.job_changed)
    for routes in (health, projects, jobs, events, service, index):
        app.include_router(routes.router)
    describe.also(NewProject)
    _tell_errors(app)
    for path, mounted in mounts.items():
        app.router.routes.append(Route(path, mounted, include_in_schema=False))
    _page(app)
    app.openapi = lambda: _document(app)  # type: ignore[method-assign]
    app.add_middleware(Head, apart=mounts)
    app.add_middleware(
        Guard,
        token=hub.home.token(),
        clock=hub.clock,
        hosts=settings.allowed_hosts,
        max_body=settings.max_body_kb << 10,
        reads=settings.reads_per_second,
        writes=settings.writes_per_second,
        reading=mounts,
    )
    app.add_middleware(Observe, metrics=metrics, clock=hub.clock, span=tracing.span)
    context.max_streams = settings.max_streams
    return app


def _around(mounted: Iterable[Any]) -> Any:
    """The life of what is mounted."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for one in mounted:
                if hasattr(one, "running"):
                    await stack.enter_async_context(one.running())
            yield

    return lifespan


def _document(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        app.openapi_schema = describe.document(app, __version__)
    return app.openapi_schema


def _tell_errors(app: FastAPI) -> None:
    def instance(request: Request) -> str:
        return str(request.scope.get("currant.request", ""))

    async def on_purpose(request: Request, error: Exception) -> Response:
        assert isinstance(error, CurrantError)
        problem = problems.of(error)
        if problem.kind is problems.FAULT:
            log.error("a fault", exc_info=error, extra={"request": instance(request)})
        return problem.response(instance=instance(request))

    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        wrong = [
            {"where": ".".join(str(part) for part in one["loc"]), "message": one["msg"]}
            for one in error.errors()
        ]
        detail = "; ".join(f"{one['where']}: {one['message']}" for one in wrong[:5])
        return Problem(problems.BAD_REQUEST, detail, extra={"errors": wrong[:20]}).response(
            instance=instance(request)
        )

    async def by_status(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        headers = {name.title(): value for name, value in (error.headers or {}).items()}
        if error.status_code == 405:  # the framework names those of one route; a path may have several
            headers["Allow"] = ", ".join(_allowed(app, request.url.path)) or headers.get("Allow", "")
        return problems.of_status(error.status_code, str(error.detail)).response(
            instance=instance(request), headers=headers
        )

    app.add_exception_handler(CurrantError, on_purpose)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, by_status)


def _allowed(app: FastAPI, path: str) -> list[str]:
    """The methods of a path: those described, and HEAD beside GET."""
    paths = app.openapi()["paths"]
    matching = [path] if path in paths else [one for one in paths if compile_path(one)[0].match(path)]
    methods = {method.upper() for template in matching for method in paths[template]}
    return sorted(methods | ({"HEAD"} if "GET" in methods else set()))


def _page(app: FastAPI) -> None:
    """The web page's files, each with a route of its own: none hides a route, and nothing else is reached."""
    place = Path(str(files("currant.rest"))) / "page"
    for file in sorted(place.rglob("*")) if place.is_dir() else ():
        if file.is_file():
            name = file.relative_to(place).as_posix()
            for path in (f"/{name}", "/") if name == "index.html" else (f"/{name}",):
                app.router.routes.append(Route(path, _sends(file), include_in_schema=False))


def _sends(file: Path) -> Callable[[Request], Response]:
    def send(request: Request) -> Response:
        # Asked about each time: after an upgrade no browser has a part of the old page.
        answer = FileResponse(file, headers={"Cache-Control": "private, no-cache"}, stat_result=file.stat())
        tag = answer.headers["etag"]
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers={"ETag": tag, "Cache-Control": "private, no-cache"})
        return answer

    return send
