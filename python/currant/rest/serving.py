"""Owns the server under the application: uvicorn, set up so that the service stops when it is told to.

Event streams have no end of their own, and a server waits for what it answers: so they are ended first.
uvicorn looks ten times a second whether it is to end, and what the date is; this one is told, and is asked.
Signals are the hub's (`currant.hub.lifecycle`), the log is set up here, for as long as it serves.
"""

import asyncio
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from email.utils import formatdate
from typing import TYPE_CHECKING, Any, Final

import uvicorn
from fastapi import FastAPI
from uvicorn.server import ServerState

from currant.clock import Clock
from currant.rest import logs
from currant.rest.app import build

if TYPE_CHECKING:
    from currant.hub import Hub
    from currant.rest.waiting import Ended

GRACE_SECONDS: Final = 5


class _State(ServerState):
    """What the connections of a server share, the header `Date` among it: as of when it is asked for."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._second = -1
        self._headers: list[tuple[bytes, bytes]] = []
        super().__init__()

    @property
    def default_headers(self) -> list[tuple[bytes, bytes]]:
        """Of every answer, made once a second."""
        second = int(self._now())
        if second != self._second:
            self._headers = [(b"date", formatdate(second, usegmt=True).encode())]
            self._second = second
        return self._headers

    @default_headers.setter
    def default_headers(self, _headers: list[tuple[bytes, bytes]]) -> None:
        """Nobody else knows of any."""


class Server(uvicorn.Server):
    """One server on the loop of the thread that calls `run`."""

    def __init__(self, app: FastAPI, clock: Clock) -> None:
        self._app = app
        self._told: tuple[asyncio.AbstractEventLoop, asyncio.Event] | None = None
        super().__init__(
            uvicorn.Config(
                app,
                log_config=None,  # `logs` has set up the one stream
                access_log=False,  # its lines hold the query; `observe` writes them
                server_header=False,
                proxy_headers=False,
                timeout_keep_alive=30,
                timeout_graceful_shutdown=GRACE_SECONDS,
                h11_max_incomplete_event_size=256 << 10,  # of a request before its body
                lifespan="on",
                ws="none",
            )
        )
        self.server_state = _State(clock.now)

    async def main_loop(self) -> None:
        """Until `finish`, without a look in between."""
        end = asyncio.Event()
        self._told = asyncio.get_running_loop(), end
        # In this order: whoever says so after this look finds whom to tell.
        if not self.should_exit:
            await end.wait()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the caller's."""
        yield

    def finish(self) -> None:
        """Answer what was asked, end the streams, stop. From any thread, also before `run`."""
        self.should_exit = True
        if self._told is not None:
            loop, end = self._told
            with suppress(RuntimeError):  # it has ended
                loop.call_soon_threadsafe(end.set)
        self._app.state.context.stop_soon()


class Face:
    """The service over HTTP, on `listener`, which it closes at its end."""

    def __init__(
        self,
        hub: "Hub",
        listener: socket.socket,
        mounts: Mapping[str, Any],
        *,
        ended: "Ended | None" = None,
    ) -> None:
        """`ended`: see `currant.rest.app.build`."""
        self._hub = hub
        self._listener = listener
        self.app = build(hub, mounts, ended)
        self._server = Server(self.app, hub.clock)

    def serve(self) -> None:
        """Answer until `stop`."""
        settings = self._hub.settings.serve
        undo = logs.configure(
            self._hub.home.log, level=settings.log_level, max_mb=settings.log_max_mb, files=settings.log_files
        )
        try:
            self.answer()
        finally:
            undo()

    def answer(self) -> None:
        """The same for a caller who has set up the log."""
        try:
            self._server.run(sockets=[self._listener])
        finally:
            self._listener.close()
            self.app.state.tracing.close()

    def stop(self) -> None:
        """Make `serve` return soon. From any thread, also before `serve`."""
        self._server.finish()
