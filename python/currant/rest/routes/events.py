"""Event streams: what happens in the service, and what changes in one project."""

from typing import Annotated, Final

from fastapi import APIRouter, Header, Path, Query, Request
from starlette.responses import Response, StreamingResponse

from currant.rest import problems, streams
from currant.rest.asking import SYNC_MS, Asking, Shared
from currant.rest.describe import told

router: Final = APIRouter(tags=["events"])

_LastId = Annotated[
    str | None, Header(alias="Last-Event-ID", max_length=1_000, description="The last `id` that was seen.")
]
_STREAM: Final = "text/event-stream"


@router.get(
    "/events",
    summary="Events of the service",
    response_class=StreamingResponse,
    **told(
        None,
        'id: 1764000000000000\nevent: job\ndata: {"id": "..."}\n\n',
        media_type=_STREAM,
        errors=(problems.NO_SUCH_PROJECT,),
    ),
)
async def events(
    shared: Shared,
    request: Request,
    project: Annotated[str | None, Query(max_length=200, description="Only those of this project.")] = None,
    last_event_id: _LastId = None,
) -> Response:
    """`job`, `project`, `progress`, `commit` and `health` events as they happen. With `Last-Event-ID` those
    that were missed come first; when they are not known any more, `reset` says to look anew."""
    last = streams.after(last_event_id)  # here, where there can still be another answer
    wanted = None
    if project is not None:
        wanted = (await shared.with_jobs(lambda: shared.hub.project(project))).id
    return streams.respond(shared, request, streams.service_events(shared, wanted, last))


@router.get(
    "/projects/{project}/events",
    summary="Events of one project",
    response_class=StreamingResponse,
    **told(
        None,
        'id: c:0a1b2c3d:43\nevent: commit\ndata: {"clock": "c:0a1b2c3d:43", "changes": []}\n\n',
        media_type=_STREAM,
        errors=(problems.NO_SUCH_PROJECT, problems.NOT_READY),
    ),
)
async def project_events(
    shared: Shared,
    request: Request,
    project: Annotated[str, Path(max_length=200, description="The id of a project, or its name.")],
    since: Annotated[str | None, Query(max_length=10_000, description="A clock to begin behind.")] = None,
    last_event_id: _LastId = None,
) -> Response:
    """The change feed of one project as `commit` events, whose ids are clocks, so that `Last-Event-ID` (or
    `since`) goes on exactly where a stream ended. `job`, `project` and `progress` events of the project come
    between them without an id. `reset`: that clock means nothing here; all files follow as created."""
    found = (await shared.with_jobs(lambda: shared.hub.project(project))).id
    asking = Asking(shared, found, SYNC_MS)
    begin = last_event_id or since
    if begin is None:
        begin = (await asking.reach()).clock
    first = await streams.first_page(asking, begin)
    return streams.respond(shared, request, streams.project_events(shared, asking, found, first))
