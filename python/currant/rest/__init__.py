"""The REST interface of `currant serve`: a FastAPI application over a `Hub`.

Importing this costs nothing; `create_app` imports FastAPI, which only the service needs, and what `server`
gives does when somebody asks. `client` is for commands that talk to a running service.
"""

import socket
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fastapi import FastAPI

    from currant.hub import Hub
    from currant.rest.waiting import WaitingFace


def create_app(hub: "Hub", *, mounts: Mapping[str, Any] | None = None) -> "FastAPI":
    """The application that serves `hub`, which the caller has started, and stops. `mounts`: further ASGI
    applications by their exact path (``/mcp``), behind the same guard; `running()` of one, an asynchronous
    context, is around all of its requests."""
    from currant.rest.app import build

    return build(hub, mounts or {})


def server(
    hub: "Hub", listener: socket.socket, *, mounts: Callable[[], Mapping[str, Any]] = dict
) -> "WaitingFace":
    """What answers on a socket that is bound already: `serve` in the main thread, `stop` from any other. The
    application, and what `mounts` gives, is made when the first connection comes."""
    from currant.rest.waiting import WaitingFace

    return WaitingFace(hub, listener, mounts)
