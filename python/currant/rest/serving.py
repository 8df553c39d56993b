"""Owns the server under the application: uvicorn, set up so that the service stops when it is told to.

Event streams have no end of their own, and a server waits for what it answers: so they are ended first.
Signals are the hub's (`currant.hub.lifecycle`), the log is set up here, for as long as it serves.
"""

import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import uvicorn
from fastapi import FastAPI

from currant.rest import logs
from currant.rest.app import build

if TYPE_CHECKING:
    from currant.hub import Hub

GRACE_SECONDS: Final = 5


class Server(uvicorn.Server):
    """One server on the loop of the thread that calls `run`."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app
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

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the caller's."""
        yield

    def finish(self) -> None:
        """Answer what was asked, end the streams, stop. From any thread, also before `run`."""
        self.should_exit = True
        self._app.state.context.stop_soon()


class Face:
    """The service over HTTP, on `listener`, which it closes at its end."""

    def __init__(self, hub: "Hub", listener: socket.socket, mounts: Mapping[str, Any]) -> None:
        self._hub = hub
        self._listener = listener
        self.app = build(hub, mounts)
        self._server = Server(self.app)

    def serve(self) -> None:
        """Answer until `stop`."""
        settings = self._hub.settings.serve
        undo = logs.configure(
            self._hub.home.log, level=settings.log_level, max_mb=settings.log_max_mb, files=settings.log_files
        )
        try:
            self._server.run(sockets=[self._listener])
        finally:
            self._listener.close()
            self.app.state.tracing.close()
            undo()

    def stop(self) -> None:
        """Make `serve` return soon. From any thread, also before `serve`."""
        self._server.finish()
