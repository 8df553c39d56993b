"""Owns how a route asks: which threads do it, how many at a time, and what goes in front of the answer.

Nothing that touches a database runs on the event loop. Quick reads, slow reads (drift, skills: seconds on a
large tree) and jobs have their own threads, so that a few slow questions hold up nobody who wants a symbol.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeVar

import msgspec
from anyio import CapacityLimiter, to_thread
from fastapi import Depends, Path, Query, Request
from starlette.responses import Response

from currant.api import Index
from currant.clock import Clock
from currant.rest import answers
from currant.rest.barrier import Barriers, Reached
from currant.rest.metrics import Metrics

if TYPE_CHECKING:
    from currant.hub import Hub, Project

SYNC_MS: Final = 100
"""How long a read waits for the index to catch up unless it says otherwise. A file that was just written is
there in a few; longer waits are for who needs them."""

LONGEST_SYNC_MS: Final = 60_000
READ_THREADS: Final = 8
SLOW_THREADS: Final = 2
JOB_THREADS: Final = 4
MAX_PAGE: Final = 1_000

T = TypeVar("T")


class Context:
    """What every route of one application shares. For one event loop."""

    def __init__(self, hub: "Hub", clock: Clock, metrics: Metrics) -> None:
        self.hub = hub
        self.clock = clock
        self.metrics = metrics
        self.barriers = Barriers(clock)
        self.reads = CapacityLimiter(READ_THREADS)
        self.slow = CapacityLimiter(SLOW_THREADS)
        self.ledger = CapacityLimiter(JOB_THREADS)
        self.stopping = False
        """No stream begins any more, and those that are open end."""
        self.on_stop: set[Callable[[], None]] = set()
        """What wakes the streams; safe from any thread."""
        self.streams = 0
        self.max_streams = 256

    async def with_jobs(self, work: Callable[[], T]) -> T:
        """Run what asks the hub or its ledger of jobs."""
        return await to_thread.run_sync(work, limiter=self.ledger)

    def stop_soon(self) -> None:
        """End the event streams, which would otherwise keep the server from stopping. From any thread, or a
        signal's handler."""
        self.stopping = True
        for stop in list(self.on_stop):
            stop()


def context(request: Request) -> Context:
    """The context of the application that this request came to."""
    found: Context = request.app.state.context
    return found


Shared = Annotated[Context, Depends(context)]

ProjectId = Annotated[str, Path(max_length=200, description="The id of a project, or its name.")]
SyncMs = Annotated[
    int,
    Query(
        ge=0,
        le=LONGEST_SYNC_MS,
        description="Wait for so many milliseconds at most until the index shows what is on disk.",
    ),
]
Limit = Annotated[int, Query(ge=1, le=MAX_PAGE, description="How many at most.")]
Cursor = Annotated[str | None, Query(max_length=8_192, description="`next` of the page before.")]


class Asking:
    """One question about the index of one project."""

    def __init__(self, shared: Context, project: str, sync_ms: int) -> None:
        self._shared = shared
        self._project = project
        self._sync_ms = sync_ms

    def index(self) -> Index:
        """The live index. Raises NoSuchProject, ProjectNotReady."""
        return self._shared.hub.index(self._project)

    async def reach(self) -> Reached:
        """The barrier alone."""
        return await self._shared.barriers.reach(self._project, self._sync_ms, self.index, self._worse)

    def _worse(self) -> list[str]:
        """What the index cannot know of: that a clone is as last fetched. It must not be stale in silence."""
        return ["origin_unreachable"] if self._shared.hub.ledger.is_behind(self._project) else []

    async def read(self, work: Callable[[Index], T], *, slow: bool = False) -> T:
        """Run `work` on a thread, with the index."""
        limiter = self._shared.slow if slow else self._shared.reads
        return await to_thread.run_sync(lambda: work(self.index()), limiter=limiter)

    async def answer(
        self,
        method: str,
        params: Mapping[str, Any],
        shape: Callable[[Any], Mapping[str, Any]],
        *,
        slow: bool = False,
    ) -> Response:
        """The barrier, then one question of `currant.ipc.methods`; `shape` makes its result the parts of the
        answer. It runs on the thread that asked."""
        reached = await self.reach()

        def work(index: Index) -> bytes:
            parts = shape(index.ask(method, params, sync_ms=-1).result)
            return answers.encoded({**reached.envelope(), **parts})

        return Response(await self.read(work, slow=slow), media_type=answers.JSON)


def asking(shared: Shared, project: ProjectId, sync_ms: SyncMs = SYNC_MS) -> Asking:
    """The dependency of routes about an index."""
    return Asking(shared, project, sync_ms)


Ask = Annotated[Asking, Depends(asking)]


def project_json(project: "Project", index: Mapping[str, Any] | None) -> dict[str, Any]:
    """A project as it is told, with the state of its index when that was asked for."""
    told: dict[str, Any] = msgspec.to_builtins(project)
    return {**told, "index": None if index is None else dict(index)}
