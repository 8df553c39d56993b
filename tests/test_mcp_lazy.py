"""The MCP application that is made when somebody asks."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from currant.mcp.lazy import LazyApp


class App:
    """Counts requests; knows in which task it was begun and ended."""

    def __init__(self) -> None:
        self.requests = 0
        self.tasks: list[Any] = []

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        self.tasks.append(asyncio.current_task())
        try:
            yield
        finally:
            self.tasks.append(asyncio.current_task())

    async def __call__(self, _scope: Any, _receive: Any, _send: Any) -> None:
        self.requests += 1


async def nothing(*_arguments: Any) -> Any:
    return {}


def test_it_is_made_once_by_the_first_request_and_ended_where_it_began() -> None:
    made: list[App] = []

    def make() -> App:
        made.append(App())
        return made[-1]

    async def story() -> None:
        lazy = LazyApp(make)
        async with lazy.running():
            assert made == []
            await asyncio.gather(*(lazy({}, nothing, nothing) for _ in range(5)))
            await lazy({}, nothing, nothing)

    asyncio.run(story())
    [app] = made
    assert app.requests == 6
    begun, ended = app.tasks
    assert begun is ended


def test_nobody_asks_and_nothing_is_made() -> None:
    async def story() -> None:
        async with LazyApp(lambda: pytest.fail("made for nobody")).running():
            pass

    asyncio.run(story())


def test_what_could_not_be_made_is_tried_again() -> None:
    tries: list[int] = []

    def make() -> App:
        tries.append(1)
        if len(tries) == 1:
            raise ImportError("no such library")
        return App()

    async def story() -> None:
        lazy = LazyApp(make)
        async with lazy.running():
            with pytest.raises(ImportError):
                await lazy({}, nothing, nothing)
            await lazy({}, nothing, nothing)

    asyncio.run(story())
    assert len(tries) == 2


def test_the_sdk_is_not_imported_before_that() -> None:
    code = "import sys, currant.mcp.lazy; sys.exit('mcp' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
