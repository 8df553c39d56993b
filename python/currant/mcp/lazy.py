"""The MCP application for a service that may never be asked for it: made when the first request comes.

The SDK is 25 MB of memory, a quarter of what an idle service may have. Owns when it is imported, and that
what was begun in one task is ended in that task, as its task groups demand.
"""

import asyncio
import importlib
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from typing import Any

_Message = MutableMapping[str, Any]


class LazyApp:
    """An ASGI application in front of the one that `make` gives, which has `running()` and is made once."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self._app: asyncio.Future[Any] | None = None
        self._end = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Around serving, in the lifespan of the application that mounts this one."""
        self._end = asyncio.Event()
        try:
            yield
        finally:
            self._end.set()
            task, self._task, self._app = self._task, None, None
            if task is not None:
                await task

    async def __call__(
        self,
        scope: _Message,
        receive: Callable[[], Awaitable[_Message]],
        send: Callable[[_Message], Awaitable[None]],
    ) -> None:
        """One request; the first ones wait until the application is there."""
        if self._app is None:
            self._app = asyncio.get_running_loop().create_future()
            self._task = asyncio.create_task(self._run(self._app))
        app = await asyncio.shield(self._app)
        await app(scope, receive, send)

    async def _run(self, told: "asyncio.Future[Any]") -> None:
        try:
            app = await asyncio.to_thread(self._make)
            async with app.running():
                told.set_result(app)
                await self._end.wait()
        except Exception as error:
            if told.done():
                raise
            told.set_exception(error)
            if self._app is told:
                self._app = None  # the next request tries again


def lazy_http_app(hub: Any) -> LazyApp:
    """The tools over every project of `hub`, once somebody asks for them."""
    return LazyApp(lambda: importlib.import_module("currant.mcp.http").http_app(hub))
