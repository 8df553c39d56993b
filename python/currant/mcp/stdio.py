"""Serving one root over standard input and output, for as long as the client keeps them open.

Owns the order of the start: the client is answered first (`front`), then the SDK is imported and the index
opened, and what came meanwhile is handed over. An index that is there is opened beside the import; one that
is to be made waits for it, since its workers would take the processor from what the client waits for.
"""

import functools
import json
import os
import signal
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, Final, Self, cast

from currant.mcp.budget import ANSWER_TOKENS
from currant.mcp.front import Front
from currant.mcp.source import One
from currant.mcp.wire import Wire

if TYPE_CHECKING:
    from currant.api import Index

_FIRST_SECONDS: Final = 0.2
"""How long the heavy work waits for the first message, which most clients have sent before we run."""


def serve(root: Path, flags: Mapping[str, Any], *, wide: bool = False, budget: int = ANSWER_TOKENS) -> None:
    """Serve until the client closes standard input, or SIGTERM or SIGINT. The second signal ends at once."""
    from currant import __version__

    wire = Wire()
    _stop_on_signals(wire)
    front = Front(wire, __version__)
    front.first(_FIRST_SECONDS)
    source = One(functools.partial(_open, root, flags, wide))
    there = _has_index(root, flags)
    if there:
        source.start()
    loading = _Loading(wire)
    loading.thread.start()
    try:
        front.serve(loading.done.is_set)
        loading.thread.join()
        if not there:
            source.start()
        if loading.error is not None:
            raise loading.error
        _serve_with_sdk(wire, front, source, budget)
    finally:
        source.close()


def _open(root: Path, flags: Mapping[str, Any], wide: bool) -> "Index":
    from currant.api import open_index

    return open_index(root, flags=flags, wide=wide)


def _has_index(root: Path, flags: Mapping[str, Any]) -> bool:
    """Whether there is one in the usual place. A wrong answer costs a moment at the start, nothing else."""
    folder = flags.get("state_dir") or os.environ.get("CURRANT_STATE_DIR") or ".currant"
    return os.path.exists(root / str(folder) / "index.db")


class _Loading:
    """The SDK, imported on a thread of its own."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self.done = threading.Event()
        self.error: BaseException | None = None
        self.thread = threading.Thread(target=self._run, name="currant-mcp-sdk", daemon=True)

    def _run(self) -> None:
        try:
            import currant.mcp.server  # noqa: F401
        except BaseException as error:  # raised where the result is waited for
            self.error = error
        finally:
            self.done.set()
            self._wire.interrupt()


def _serve_with_sdk(wire: Wire, front: Front, source: One, budget: int) -> None:
    import anyio

    anyio.run(_run_server, wire, front, source, budget)


async def _run_server(wire: Wire, front: Front, source: One, budget: int) -> None:
    from anyio import AsyncFile
    from mcp.server.stdio import stdio_server

    from currant.mcp.server import build

    server = build(source, budget=budget)
    reads = cast("AsyncFile[str]", _Input(wire, front.waiting, source.close))
    writes = cast("AsyncFile[str]", _Output(wire, front.answered))
    async with stdio_server(stdin=reads, stdout=writes) as (incoming, outgoing):
        await server.run(incoming, outgoing, server.create_initialization_options())


class _Input:
    """The lines for the SDK: those that waited, then those of the wire. At the end the index is let go of
    first, which wakes every call that waits for it; nobody is there to read the answers."""

    def __init__(self, wire: Wire, waiting: list[bytes], at_end: Callable[[], None]) -> None:
        self._wire = wire
        self._waiting = list(reversed(waiting))
        self._at_end = at_end

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> str:
        from anyio.to_thread import run_sync

        line = self._waiting.pop() if self._waiting else None
        while line is None:
            line = await run_sync(self._wire.read)
        if not line:
            await run_sync(self._at_end)
            raise StopAsyncIteration
        return line.decode(errors="replace")


class _Output:
    """Where the SDK writes. Its answers to what was answered before it was there are dropped."""

    def __init__(self, wire: Wire, answered: list[str | int]) -> None:
        self._wire = wire
        self._answered = answered

    async def write(self, line: str) -> None:
        """One line."""
        from anyio.to_thread import run_sync

        if self._answered and self._is_double(line):
            return
        with suppress(OSError):  # the client has gone; the input says so too
            await run_sync(self._wire.write, line.encode(errors="backslashreplace"))

    async def flush(self) -> None:
        """Nothing is held back."""

    def _is_double(self, line: str) -> bool:
        message = json.loads(line)
        if "method" in message or message.get("id") not in self._answered:
            return False
        self._answered.remove(message["id"])
        return True


def _stop_on_signals(wire: Wire) -> None:
    told = False

    def handle(number: int, _frame: FrameType | None) -> None:
        nonlocal told
        if told:
            os._exit(128 + number)  # the index survives that by design
        told = True
        wire.close()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, handle)
