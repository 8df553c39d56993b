"""The same tools as an ASGI application over a hub: ``currant serve`` mounts it at ``/mcp``.

Owns the session manager's life. Who may ask (token, Host, Origin) is decided by the application around it.
"""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any, Protocol

from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPASGIApp, StreamableHTTPSessionManager
from starlette.types import Receive, Scope, Send

from currant.api import Index
from currant.errors import UsageError
from currant.mcp.budget import ANSWER_TOKENS
from currant.mcp.server import build
from currant.mcp.shapes import ProjectLine


class Project(Protocol):
    """What is shown of a project of the hub."""

    @property
    def id(self) -> str:
        """Its id."""

    @property
    def name(self) -> str:
        """Its name, unique like the id."""

    @property
    def root(self) -> str:
        """The directory."""

    @property
    def kind(self) -> str:
        """``path`` or ``git``."""

    @property
    def state(self) -> str:
        """``ready`` and others."""


class Enqueued(Protocol):
    """A job that was asked for."""

    @property
    def job(self) -> Any:
        """With an `id`."""


class Ledger(Protocol):
    """The book of projects."""

    def is_behind(self, wanted: str) -> bool:
        """Whether this is a clone that could not be brought up to date."""


class Hub(Protocol):
    """What is needed of `currant.hub.Hub`."""

    @property
    def ledger(self) -> Ledger:
        """The book of projects."""

    def projects(self) -> Iterable[Project]:
        """Every project."""

    def project(self, id_or_name: str) -> Project:
        """One of them. Raises CurrantError."""

    def index(self, id_or_name: str) -> Index:
        """Its index. Raises CurrantError with the state when it is not ready."""

    def refresh(self, id_or_name: str, *, client: str = "local") -> Enqueued:
        """Have it fetched and indexed. Raises CurrantError, also when that was asked too often."""


class Many:
    """The projects of a hub as a `currant.mcp.source.Source`."""

    several = True

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def index(self, project: str) -> Index:
        """The index of a project; without a name that of the only one."""
        return self._hub.index(self._named(project))

    def projects(self) -> list[ProjectLine]:
        """Every project, as status shows it."""
        return [
            ProjectLine(id=one.id, name=one.name, root=str(one.root), state=str(one.state))
            for one in self._hub.projects()
        ]

    def refresh(self, project: str) -> str:
        """A project from git is fetched; the id of the job."""
        named = self._named(project)
        if self._hub.project(named).kind != "git":
            return ""
        return str(self._hub.refresh(named, client="mcp").job.id)

    def worse(self, project: str) -> list[str]:
        """A clone whose origin cannot be reached is not what its origin is."""
        return ["origin_unreachable"] if self._hub.ledger.is_behind(self._named(project)) else []

    def _named(self, project: str) -> str:
        if project:
            return project
        there = list(self._hub.projects())
        if len(there) == 1:
            return there[0].id
        names = ", ".join(one.name for one in there[:20]) or "none yet"
        raise UsageError(f"there are several projects: give one as project ({names})")


class McpApp:
    """The ASGI application. It answers inside of `running()`."""

    def __init__(self, server: Server[Any]) -> None:
        self._server = server
        self._app: StreamableHTTPASGIApp | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Around serving, in the lifespan of the application that mounts this one."""
        # Each call stands for itself: no session to lose at a restart, and none to fill the memory.
        manager = StreamableHTTPSessionManager(app=self._server, json_response=True, stateless=True)
        async with manager.run():
            self._app = StreamableHTTPASGIApp(manager)
            try:
                yield
            finally:
                self._app = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if self._app is None:
            raise RuntimeError("the MCP application is not running: enter running() in the lifespan")
        await self._app(scope, receive, send)


def http_app(hub: Hub, *, budget: int = ANSWER_TOKENS) -> McpApp:
    """The tools over every project of `hub`."""
    return McpApp(build(Many(hub), budget=budget))
