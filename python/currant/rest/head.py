"""Owns HEAD: what is there to GET has the same answer without its body (RFC 9110, 9.3.2).

Handlers know GET alone. Inside the guard, around the application. What is mounted (`/mcp`) answers for
itself.
"""

import asyncio
from collections.abc import Awaitable, Callable, Container, MutableMapping
from contextlib import suppress
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class Head:
    """Asks `app` with GET for a HEAD, and sends on the headers."""

    def __init__(self, app: App, *, apart: Container[str] = ()) -> None:
        """`apart`: paths that are left alone."""
        self._app = app
        self._apart = apart

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD" or scope["path"] in self._apart:
            await self._app(scope, receive, send)
            return
        told = asyncio.Event()

        async def headers_alone(message: Message) -> None:
            if message["type"] == "http.response.start":
                await send(message)
                await send({"type": "http.response.body", "body": b"", "more_body": False})
                told.set()

        # A copy: the server looks at the method of its own to leave out the body.
        inner = {**scope, "method": "GET"}
        work = asyncio.ensure_future(self._app(inner, receive, headers_alone))
        waiting = asyncio.ensure_future(told.wait())
        try:
            await asyncio.wait((work, waiting), return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
            # An event stream would go on for as long as nobody says that it has been heard.
            work.cancel()
            with suppress(asyncio.CancelledError):
                await work
            if "route" in inner:  # for the log and the metrics
                scope["route"] = inner["route"]
