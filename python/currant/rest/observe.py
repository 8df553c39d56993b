"""Owns what is noted of each request: an id, a line in the log, the metrics, and a span when tracing is on.

The outermost layer, so that what the guard refuses is counted too. The log has the route and never the query,
which may hold the token or what somebody looks for.
"""

import logging
import secrets
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final

from currant.clock import Clock
from currant.rest import problems
from currant.rest.guard import App, Message, Receive, Scope, Send
from currant.rest.metrics import Metrics
from currant.rest.problems import Problem

log = logging.getLogger("currant.rest.access")

Span = Callable[[str, Scope], AbstractContextManager[Any]]
_STREAM: Final = b"text/event-stream; charset=utf-8"
_NO_ROUTE: Final = "none"
_FAULT: Final = "please report this with the lines that the service's log has under this id"


def no_span(_name: str, _scope: Scope) -> AbstractContextManager[Any]:
    """Tracing is off."""
    return nullcontext()


class Observe:
    """Around everything."""

    def __init__(self, app: App, *, metrics: Metrics, clock: Clock, span: Span = no_span) -> None:
        self._app = app
        self._metrics = metrics
        self._clock = clock
        self._span = span

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = secrets.token_hex(8)
        scope["currant.request"] = request
        status = 0
        streams = False

        async def noted(message: Message) -> None:
            nonlocal status, streams
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = list(message.get("headers", ()))
                streams = any(
                    name == b"content-type" and value.startswith(b"text/event-stream")
                    for name, value in headers
                )
                message["headers"] = [*headers, (b"x-request-id", request.encode())]
            await send(message)

        began = self._clock.monotonic()
        try:
            with self._span(scope["method"], scope):
                await self._app(scope, receive, noted)
        except Exception as error:
            # What it was is in the log, under the same id; nobody else is told of paths and lines.
            log.error("a fault", exc_info=error, extra={"request": request, "route": route_of(scope)})
            if status:
                raise  # too late for another answer: the connection breaks, and so nobody takes it for whole
            await Problem(problems.FAULT, _FAULT).response(instance=request)(scope, receive, noted)
        finally:
            seconds = self._clock.monotonic() - began
            route = route_of(scope)
            self._metrics.requests.labels(scope["method"], route, str(status)).inc()
            if not streams:
                self._metrics.request_seconds.labels(route).observe(seconds)
            log.info(
                "%s %s %d",
                scope["method"],
                route,
                status,
                extra={
                    **{"request": request, "method": scope["method"], "route": route, "status": status},
                    "milliseconds": round(seconds * 1_000, 3),
                },
            )


def route_of(scope: Scope) -> str:
    """The route as it was declared: names and paths of projects are no labels of metrics."""
    path = getattr(scope.get("route"), "path", None)
    return path if isinstance(path, str) and path else _NO_ROUTE
