"""Owns event streams: from the hub's bus and a project's change feed to `text/event-stream`.

A stream holds no queue: the bus has a ring and the feed is on disk, so a slow reader costs nobody memory. The
bus only wakes it. Streams are counted apart from requests, and end when the service is to stop.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Final

from fastapi import Request
from starlette.responses import Response, StreamingResponse

from currant import jsontext
from currant.errors import CurrantError, UsageError
from currant.rest import problems
from currant.rest.asking import Asking, Context

PING_SECONDS: Final = 15.0
PAGE: Final = 500
ELSEWHERE_SECONDS: Final = 2.0
"""How often a feed is looked at whose index another process owns: the bus does not tell of its commits."""

_PING: Final = b": ping\n\n"
_HEADERS: Final = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


def respond(shared: Context, request: Request, events: AsyncIterator[bytes]) -> Response:
    """The response that sends `events`. 503 when there are too many, or the service stops."""
    if shared.stopping or shared.streams >= shared.max_streams:
        why = "the service stops" if shared.stopping else f"{shared.streams} event streams are open"
        return problems.Problem(problems.BUSY, why, retry_after=5.0).response()
    release: Callable[[], None] = request.scope.get("currant.release", lambda: None)
    release()
    return StreamingResponse(_counted(shared, events), media_type="text/event-stream", headers=_HEADERS)


async def _counted(shared: Context, events: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    shared.streams += 1
    shared.metrics.streams.inc()
    try:
        async for event in events:
            yield event
    finally:
        shared.streams -= 1
        shared.metrics.streams.dec()
        await events.aclose()  # type: ignore[attr-defined]  # an async generator


def event(kind: str, data: Any, event_id: str | None = None) -> bytes:
    """One event on the wire. JSON has no line breaks, so `data` is one line."""
    head = f"id: {event_id}\n" if event_id is not None else ""
    return head.encode() + f"event: {kind}\ndata: ".encode() + jsontext.dumps(data) + b"\n\n"


@contextmanager
def _woken(shared: Context, project: str | None) -> Iterator[asyncio.Event]:
    """An event that is set by what comes on the bus of this project (None: by everything), and when the
    service stops."""
    loop = asyncio.get_running_loop()
    wake = asyncio.Event()

    def ring(one: Any) -> None:
        if project is None or of_project(one) == project:
            with suppress(RuntimeError):  # the loop has ended, and so has this stream
                loop.call_soon_threadsafe(wake.set)

    def end() -> None:
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(wake.set)

    silence = shared.hub.events.listen(ring)
    shared.on_stop.add(end)
    try:
        yield wake
    finally:
        shared.on_stop.discard(end)
        silence()


async def _sleep(wake: asyncio.Event, seconds: float = PING_SECONDS) -> bool:
    """Until woken; False after `seconds` of silence."""
    try:
        async with asyncio.timeout(seconds):
            await wake.wait()
    except TimeoutError:
        return False
    wake.clear()
    return True


# --- the service ------------------------------------------------------------------------------------------


def after(last: str | None) -> int | None:
    """The event that a stream of the service goes on behind; None: from now on. Raises UsageError."""
    if last is None or last == "":
        return None
    if not last.isascii() or not last.isdigit() or len(last) > 18:
        raise UsageError(f"Last-Event-ID {last!r} is not one of this stream's: leave it out to begin now")
    return int(last)


async def service_events(shared: Context, project: str | None, last: int | None) -> AsyncIterator[bytes]:
    """Everything on the bus behind the event `last`, of `project` alone when it is given."""
    subscription = shared.hub.events.subscribe(last)
    try:
        with _woken(shared, project) as wake:
            yield event("hello", {"resumed": last is not None})
            while not shared.stopping:
                for one in _waiting(subscription):
                    if one.kind == "reset" or project is None or of_project(one) == project:
                        yield event(one.kind, one.data, str(one.id))
                if not await _sleep(wake):
                    yield _PING
    finally:
        subscription.close()


def _waiting(subscription: Any) -> Iterable[Any]:
    while (found := subscription.get(0)) is not None:
        yield found


def of_project(one: Any) -> str | None:
    """Which project an event of the bus is about; None for one of the service."""
    found = one.data.get("id" if one.kind == "project" else "project_id")
    return None if found is None else str(found)


# --- one project ------------------------------------------------------------------------------------------


async def first_page(asking: Asking, since: str) -> Mapping[str, Any]:
    """What changed since a clock. Raises UsageError for what is none, before anything was sent."""
    return await asking.read(lambda index: _page(index, since))


def _page(index: Any, since: str) -> Mapping[str, Any]:
    result: Mapping[str, Any] = index.ask("changes", {"since": since, "limit": PAGE}, sync_ms=-1).result
    return result


async def project_events(
    shared: Context, asking: Asking, project: str, page: Mapping[str, Any]
) -> AsyncIterator[bytes]:
    """The feed from `page` on, and between its events those of the bus that are about this project."""
    subscription = shared.hub.events.subscribe(None)
    try:
        elsewhere = await asking.read(lambda index: index.service is None)
        pause = ELSEWHERE_SECONDS if elsewhere else PING_SECONDS
        with _woken(shared, project) as wake:
            yield event("hello", {"clock": page["clock"]})
            while not shared.stopping:
                if page["fresh_instance"]:
                    yield event("reset", {"reason": "this clock means nothing here: all files follow"})
                if page["changes"] or page["fresh_instance"]:
                    told = {"clock": page["clock"], "changes": page["changes"], "more": page["more"]}
                    yield event("commit", told, page["clock"])
                if not page["more"]:
                    for one in _waiting(subscription):
                        # Commits come from the feed itself; ids of the bus would spoil the resume.
                        if one.kind not in ("commit", "reset") and of_project(one) == project:
                            yield event(one.kind, one.data)
                    if not await _sleep(wake, pause):
                        yield _PING
                since = page["clock"]
                try:
                    page = await asking.read(lambda index, since=since: _page(index, since))  # type: ignore[misc]
                except CurrantError as error:
                    # Removed, or the index is made anew: the client comes again, and is told then.
                    yield event("project", {"id": project, "error": str(error)})
                    return
    finally:
        subscription.close()
