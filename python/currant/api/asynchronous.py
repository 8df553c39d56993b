"""`AsyncIndex`: the same index for asyncio and trio. Each call runs in a thread, of which an index has a few,
so a slow barrier never holds up the event loop, nor others who want a thread.

A call that is cancelled is abandoned: its thread ends when the answer is there, which nobody gets. Leaving
the ``async with`` closes the index, whatever ends it, and waits for what was abandoned.
"""

import functools
import os
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from typing import Any, Final, Self, TypeVar

import anyio

from currant import offloop
from currant.api.index import SYNC_MS, Index, open_index
from currant.graph import Drift, References
from currant.model import ChangeRow, Definition, FailureRow, FileView, Freshness, Provenance
from currant.projects import Skills, TaskProgress
from currant.record import Document
from currant.verify import Report

_T = TypeVar("_T")
_THREADS: Final = 4
_BATCH: Final = 200
_LEAVING_SECONDS: Final = 10.0
"""How long an abandoned call may take to notice that the index is closed."""


def open_async(
    path: str | os.PathLike[str],
    *,
    flags: Mapping[str, Any] | None = None,
    live: bool = True,
    create: bool = True,
    sync_ms: int = SYNC_MS,
    wide: bool = False,
) -> "AsyncIndex":
    """As `currant.open`, for ``async with`` under asyncio or trio; opening happens there, in a thread."""
    return AsyncIndex(
        functools.partial(open_index, path, flags=flags, live=live, create=create, sync_ms=sync_ms, wide=wide)
    )


class AsyncIndex:
    """An index whose reads are awaited. Enter it with ``async with``; `Index` says what each call means."""

    def __init__(self, opener: Callable[[], Index]) -> None:
        self._opener = opener
        self._index: Index | None = None
        self._limiter: anyio.CapacityLimiter | None = None

    async def __aenter__(self) -> Self:
        # Opening cannot be interrupted; what it opened must not outlive us.
        self._index = await offloop.finish(self._opener, cancel=lambda: None, undo=Index.close)
        self._limiter = anyio.CapacityLimiter(_THREADS)
        return self

    async def __aexit__(self, *_error: object) -> None:
        index, limiter = self._index, self._limiter
        self._index = self._limiter = None
        if index is not None and limiter is not None:
            with anyio.CancelScope(shield=True):
                await offloop.run(index.close, anyio.CapacityLimiter(1))
            await offloop.idle(limiter, _LEAVING_SECONDS)

    @property
    def index(self) -> Index:
        """The index itself, for what has no awaitable here. RuntimeError outside ``async with``."""
        if self._index is None:
            raise RuntimeError("open the index with `async with`")
        return self._index

    @property
    def last(self) -> Freshness:
        """How fresh the latest answer was."""
        return self.index.last

    @property
    def clock(self) -> str:
        """Where the latest iteration over `changes` got to."""
        return self.index.clock

    async def sync(self, timeout: float = 30.0, paths: Iterable[str | os.PathLike[str]] | None = None) -> str:
        """See `Index.sync`."""
        return await self._run(self.index.sync, timeout, paths)

    async def find(
        self,
        name: str,
        *,
        kind: str | None = None,
        language: str | None = None,
        exact: bool = False,
        path: str | None = None,
        documentation: bool | None = None,
        limit: int = 100,
        sync_ms: int | None = None,
    ) -> list[Definition]:
        """See `Index.find`."""
        return await self._run(
            functools.partial(self.index.find, kind=kind, language=language, exact=exact, path=path),
            name,
            documentation=documentation,
            limit=limit,
            sync_ms=sync_ms,
        )

    async def show(self, path: str, *, sync_ms: int | None = None) -> FileView | None:
        """See `Index.show`."""
        return await self._run(self.index.show, path, sync_ms=sync_ms)

    async def record(self, path: str, *, sync_ms: int | None = None) -> Document | None:
        """See `Index.record`."""
        return await self._run(self.index.record, path, sync_ms=sync_ms)

    async def why(self, path: str, *, sync_ms: int | None = None) -> Provenance | None:
        """See `Index.why`."""
        return await self._run(self.index.why, path, sync_ms=sync_ms)

    async def task_progress(
        self, path: str = "", *, tasks: str = "none", sync_ms: int | None = None
    ) -> TaskProgress:
        """See `Index.task_progress`."""
        return await self._run(self.index.task_progress, path, tasks=tasks, sync_ms=sync_ms)

    async def skills(self, *, sync_ms: int | None = None) -> Skills:
        """See `Index.skills`."""
        return await self._run(self.index.skills, sync_ms=sync_ms)

    async def files(
        self,
        pattern: str | None = None,
        *,
        after: str = "",
        limit: int | None = None,
        sync_ms: int | None = None,
    ) -> list[str]:
        """See `Index.files`."""
        return await self._run(self.index.files, pattern, after=after, limit=limit, sync_ms=sync_ms)

    async def refs(self, path: str, *, sync_ms: int | None = None) -> References | None:
        """See `Index.refs`."""
        return await self._run(self.index.refs, path, sync_ms=sync_ms)

    async def drift(
        self, *, kinds: Iterable[str] = (), ignore: Iterable[str] = (), sync_ms: int | None = None
    ) -> Drift:
        """See `Index.drift`."""
        return await self._run(self.index.drift, kinds=kinds, ignore=ignore, sync_ms=sync_ms)

    async def failures(self, limit: int = 100, *, sync_ms: int | None = None) -> list[FailureRow]:
        """See `Index.failures`."""
        return await self._run(self.index.failures, limit, sync_ms=sync_ms)

    async def status(self) -> dict[str, Any]:
        """See `Index.status`."""
        return await self._run(self.index.status)

    async def llm_plan(self, *, sync_ms: int | None = None) -> dict[str, Any]:
        """See `Index.llm_plan`."""
        return await self._run(self.index.llm_plan, sync_ms=sync_ms)

    async def llm_ledger(self, limit: int = 100) -> dict[str, Any] | None:
        """See `Index.llm_ledger`."""
        return await self._run(self.index.llm_ledger, limit)

    async def llm_retry(self, path: str | None = None) -> int:
        """See `Index.llm_retry`."""
        return await self._run(self.index.llm_retry, path)

    async def verify(self) -> Report:
        """See `Index.verify`."""
        return await self._run(self.index.verify)

    async def changes(
        self, since: str | None = None, *, sync_ms: int | None = None
    ) -> AsyncIterator[ChangeRow]:
        """See `Index.changes`."""
        rows = self.index.changes(since, sync_ms=sync_ms)

        def batch() -> list[ChangeRow]:
            return [row for _, row in zip(range(_BATCH), rows, strict=False)]

        while some := await self._run(batch):
            for row in some:
                yield row

    async def follow(self, since: str | None = None) -> AsyncIterator[ChangeRow]:
        """See `Index.follow`. Ends when the iteration is closed or its task is cancelled."""
        with await self._run(self.index.follow, since) as follower:
            # A thread of its own: it waits for most of its life.
            limiter = anyio.CapacityLimiter(1)
            try:
                while (
                    row := await offloop.run(functools.partial(next, follower, None), limiter)
                ) is not None:
                    yield row
            finally:
                follower.close()
                await offloop.idle(limiter, _LEAVING_SECONDS)

    async def _run(self, call: Callable[..., _T], *args: Any, **kwargs: Any) -> _T:
        if self._limiter is None:
            raise RuntimeError("open the index with `async with`")
        return await offloop.run(functools.partial(call, *args, **kwargs), self._limiter)
