"""`AsyncIndex` and `offloop` under asyncio and trio: what is cancelled ends, and nothing is left behind."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
import trio

import currant
from currant import offloop
from currant.errors import ClosedError

Run = Callable[[Callable[[], Awaitable[None]]], None]
WAIT_MS = 60_000


def on_asyncio(main: Callable[[], Any]) -> None:
    asyncio.run(main())


def on_trio(main: Callable[[], Any]) -> None:
    trio.run(main)


@pytest.fixture(params=[on_asyncio, on_trio])
def run(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Run:
    # Trio keeps a thread that has ended its work for ten seconds; here nobody waits for that.
    monkeypatch.setattr("trio._core._thread_cache.IDLE_TIMEOUT", 0.01)
    chosen: Run = request.param
    return chosen


@pytest.fixture
def root(tmp_path: Path) -> Path:
    tree = tmp_path / "repo"
    tree.mkdir()
    (tree / "one.py").write_text("def one(): pass\n")
    (tree / ".git").mkdir()
    return tree


def test_every_kind_of_call(run: Run, root: Path) -> None:
    async def main() -> None:
        async with currant.aopen(root, sync_ms=WAIT_MS) as index:
            clock = await index.sync()
            assert [found.path for found in await index.find("one")] == ["one.py"]
            (root / "two.py").write_text("def two(): pass\n")
            assert [row.path async for row in index.changes(clock)] == ["two.py"]
        with pytest.raises(RuntimeError, match="async with"):
            await index.sync()

    run(main)


def test_following_ends_with_its_scope(run: Run, root: Path) -> None:
    async def main() -> None:
        async with currant.aopen(root, sync_ms=WAIT_MS) as index, anyio.create_task_group() as group:
            clock = await index.sync()
            (root / "two.py").write_text("def two(): pass\n")
            async for row in index.follow(clock):
                assert row.path == "two.py"
                group.cancel_scope.cancel()

    run(main)


def test_a_call_that_is_cancelled_is_abandoned_and_the_index_is_closed(run: Run, root: Path) -> None:
    """The call waits for something that never comes but with the closing of the index."""
    begun, closed = threading.Event(), threading.Event()
    opened: list[currant.Index] = []

    async def main() -> None:
        with anyio.CancelScope() as scope:
            async with currant.aopen(root, sync_ms=WAIT_MS) as index, anyio.create_task_group() as group:
                opened.append(index.index)
                usual = index.index.close

                def close() -> None:
                    usual()
                    closed.set()

                def wait() -> None:
                    begun.set()
                    closed.wait()

                index.index.close = close  # type: ignore[method-assign]
                group.start_soon(index._run, wait)
                await anyio.to_thread.run_sync(begun.wait)
                scope.cancel()
        assert scope.cancelled_caught

    run(main)
    with pytest.raises(ClosedError):
        opened[0].status()
    with currant.open(root) as again:  # nobody holds the lock
        assert again.service is not None


def test_cancelled_while_it_opens(run: Run, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from currant.api import asynchronous

    begun, go_on = threading.Event(), threading.Event()
    usual = asynchronous.open_index

    def slowly(*args: Any, **kwargs: Any) -> Any:
        begun.set()
        go_on.wait()
        return usual(*args, **kwargs)

    monkeypatch.setattr(asynchronous, "open_index", slowly)

    async def main() -> None:
        async def opening() -> None:
            async with currant.aopen(root):
                raise AssertionError("cancelled before it was open")

        async with anyio.create_task_group() as group:
            group.start_soon(opening)
            await anyio.to_thread.run_sync(begun.wait)
            group.cancel_scope.cancel()
            go_on.set()

    run(main)
    with currant.open(root) as again:
        assert again.service is not None


def test_many_indexes_in_one_process(run: Run, tmp_path: Path) -> None:
    async def one(number: int) -> None:
        root = tmp_path / str(number)
        root.mkdir()
        (root / "module.py").write_text(f"def only_{number}(): pass\n")
        async with currant.aopen(root, sync_ms=WAIT_MS) as index:
            assert [found.name for found in await index.find("only")] == [f"only_{number}"]

    async def main() -> None:
        async with anyio.create_task_group() as group:
            for number in range(8):
                group.start_soon(one, number)

    run(main)


# --- offloop -----------------------------------------------------------------------------------------------


def test_what_a_cancelled_call_brought_is_undone(run: Run) -> None:
    begun, told = threading.Event(), threading.Event()
    undone: list[str] = []

    def call() -> str:
        begun.set()
        told.wait()
        return "what it brought"

    async def main() -> None:
        async with anyio.create_task_group() as group:

            async def calling() -> None:
                await offloop.finish(call, cancel=told.set, undo=undone.append)

            group.start_soon(calling)
            await anyio.to_thread.run_sync(begun.wait)
            group.cancel_scope.cancel()

    run(main)
    assert undone == ["what it brought"]


def test_an_error_of_the_call_is_the_callers(run: Run) -> None:
    async def main() -> None:
        with pytest.raises(ZeroDivisionError):
            await offloop.finish(lambda: 1 // 0, cancel=lambda: None)

    run(main)


def test_waiting_for_abandoned_calls_has_an_end(run: Run) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def call() -> None:
        begun.set()
        go_on.wait()

    async def main() -> None:
        limiter = anyio.CapacityLimiter(2)
        async with anyio.create_task_group() as group:

            async def calling() -> None:
                await offloop.run(call, limiter)

            group.start_soon(calling)
            await anyio.to_thread.run_sync(begun.wait)
            group.cancel_scope.cancel()
        assert not await offloop.idle(limiter, 0.01)
        go_on.set()
        assert await offloop.idle(limiter, 60.0)

    run(main)
