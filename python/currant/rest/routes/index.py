"""What can be asked of a project's index. Every answer has its clock and freshness in front."""

import os
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal
from urllib.parse import unquote_to_bytes

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from currant.errors import CurrantError
from currant.rest import answers, problems, schemas
from currant.rest.asking import Ask, Cursor, Limit
from currant.rest.describe import told

router: Final = APIRouter(tags=["index"])

_ERRORS: Final = (problems.NO_SUCH_PROJECT, problems.NOT_READY, problems.STORE)
_FILE_ERRORS: Final = (*_ERRORS, problems.NO_SUCH_FILE)
_FRESH: Final[dict[str, Any]] = {
    "clock": "c:0a1b2c3d:42",
    "fresh": True,
    "outstanding": [],
    "degraded": [],
    "progress": None,
}
_DEFINITION: Final = {
    "path": "src/config.py",
    "name": "parse_config",
    "kind": "function",
    "language": "python",
    "parent": None,
    "start": 12,
    "end": 40,
    "signature": "parse_config(path)",
    "doc": "Read the configuration.",
    "match": "exact",
    "snippet": None,
}
_LISTED: Final = {"path": "src/config.py", "size": 1834, "state": "ok", "language": "python"}

FilePath = Annotated[
    str,
    Path(
        description="From the root, with `/`; bytes that are not UTF-8 as `%NN`.", examples=["src/config.py"]
    ),
]


Kind = Literal["dead", "anchor", "name", "older", "header"]


class NoSuchFile(CurrantError):
    """The index holds no such file."""

    def __init__(self, path: str) -> None:
        super().__init__(f"the index holds no file {path!r}: `files` lists those it holds")


def exact_path(request: Request) -> str:
    """The path behind ``/projects/ID/WORD/``, byte by byte: what the framework decodes loses what is not
    UTF-8."""
    raw: bytes = request.scope["raw_path"]
    return os.fsdecode(unquote_to_bytes(raw.split(b"/", 4)[4]))


def _named(name: str, path: str, value: Any) -> Mapping[str, Any]:
    if value is None:
        raise NoSuchFile(path)
    return {name: value}


@router.get(
    "/projects/{project}/find",
    summary="Find definitions",
    **told(schemas.Found, {**_FRESH, "definitions": [_DEFINITION], "more": False}, errors=_ERRORS),
)
async def find(
    ask: Ask,
    q: Annotated[
        str, Query(max_length=1_000, description="A name or a part of it, or words.", examples=["config"])
    ],
    kind: Annotated[str | None, Query(max_length=100, description="`function`, `class`, ...")] = None,
    language: Annotated[str | None, Query(max_length=100, description="`python`, `rust`, ...")] = None,
    exact: Annotated[bool, Query(description="The name itself, in this letter case.")] = False,
    path: Annotated[str | None, Query(max_length=1_000, description="A glob over paths.")] = None,
    documentation: Annotated[
        bool | None, Query(description="Search documentation too; absent: when no name is it.")
    ] = None,
    limit: Limit = 50,
) -> Response:
    """Definitions whose name contains `q`, the best match first; then names that are nearly it, and those
    whose documentation has its words. There is no next page: narrow the question instead (`more`)."""
    params: dict[str, Any] = {"name": q, "kind": kind, "language": language, "exact": exact, "path": path}
    params |= {"documentation": documentation, "limit": limit + 1}
    return await ask.answer(
        "find", params, lambda rows: {"definitions": rows[:limit], "more": len(rows) > limit}
    )


@router.get(
    "/projects/{project}/files",
    summary="List files",
    **told(schemas.Files, {**_FRESH, "files": [_LISTED], "next": "WyJzcmMvY29uZmlnLnB5Il0"}, errors=_ERRORS),
)
async def files(
    ask: Ask,
    under: Annotated[str, Query(max_length=4_096, description="Only below this directory.")] = "",
    cursor: Cursor = None,
    limit: Limit = 200,
) -> Response:
    """Every file kept, in the order of its bytes, a page at a time."""
    after = "" if cursor is None else answers.key_of(cursor, str)[0]
    params = {"under": under, "after": after, "limit": limit + 1}

    def shape(rows: list[dict[str, Any]]) -> Mapping[str, Any]:
        more = len(rows) > limit
        return {"files": rows[:limit], "next": answers.cursor([rows[limit - 1]["path"]]) if more else None}

    return await ask.answer("listing", params, shape)


@router.get(
    "/projects/{project}/files/{path:path}",
    summary="Show one file",
    **told(
        schemas.FileAnswer,
        {**_FRESH, "file": {"path": "src/config.py", "state": "ok", "language": "python"}},
        errors=_FILE_ERRORS,
    ),
)
async def file(ask: Ask, request: Request, path: FilePath) -> Response:
    """All that the index holds of one file: what `currant show --json` says, the published record
    included."""
    wanted = exact_path(request)
    return await ask.answer(
        "show", {"path": wanted, "full": True}, lambda found: _named("file", wanted, found)
    )


@router.get(
    "/projects/{project}/record/{path:path}",
    summary="The record of one file",
    **told(schemas.RecordAnswer, {**_FRESH, "record": None}, errors=_FILE_ERRORS),
)
async def record(ask: Ask, request: Request, path: FilePath) -> Response:
    """The record in the published shape: header, functions, classes, and what their documentation says."""
    wanted = exact_path(request)

    def shape(found: Any) -> Mapping[str, Any]:
        return {"record": _named("file", wanted, found)["file"]["document"]}

    return await ask.answer("show", {"path": wanted, "full": True}, shape)


@router.get(
    "/projects/{project}/refs/{path:path}",
    summary="References of one file",
    **told(
        schemas.RefsAnswer,
        {**_FRESH, "refs": {"path": "docs/a.md", "outgoing": [], "incoming": []}},
        errors=_FILE_ERRORS,
    ),
)
async def refs(ask: Ask, request: Request, path: FilePath) -> Response:
    """What one file names (links, includes, identifiers), and who names it."""
    wanted = exact_path(request)
    return await ask.answer("refs", {"path": wanted}, lambda found: _named("refs", wanted, found), slow=True)


@router.get(
    "/projects/{project}/why/{path:path}",
    summary="How a row came about",
    **told(
        schemas.WhyAnswer,
        {
            **_FRESH,
            "why": {
                **{
                    "path": "src/config.py",
                    "state": "ok",
                    "cause": "event",
                    "seen_at": 1764000000.0,
                    "attempts": 0,
                },
                **{"racy": False, "content": "9f", "language": "python", "extractor": "outline/3:py-1"},
                **{"extracted_at": 1764000000.0, "reused_from": None, "shared_with": 0, "reason": None},
                **{"retry_at": None, "clock": "c:0a1b2c3d:42", "outdated": False},
            },
        },
        errors=_FILE_ERRORS,
    ),
)
async def why(ask: Ask, request: Request, path: FilePath) -> Response:
    """What made the index read one file, when, and whose result it uses."""
    wanted = exact_path(request)
    return await ask.answer("why", {"path": wanted}, lambda found: _named("why", wanted, found))


@router.get(
    "/projects/{project}/drift",
    summary="What documents say that does not hold",
    **told(
        schemas.DriftAnswer,
        {
            **_FRESH,
            "drift": {"findings": [], "files": 12, "references": 40, "silenced": 0, "by_kind": {}},
            "next": None,
        },
        errors=_ERRORS,
    ),
)
async def drift(
    ask: Ask,
    kind: Annotated[list[Kind], Query(max_length=20, description="Only these kinds (docs/drift.md).")] = [],  # noqa: B006
    cursor: Cursor = None,
    limit: Limit = 200,
) -> Response:
    """Links, paths and names in documents and headers that lead to nothing. Takes seconds on a large tree."""

    def shape(result: dict[str, Any]) -> Mapping[str, Any]:
        rows = sorted(result["findings"], key=_finding_key)
        page, following = answers.page(rows, _finding_key, (str, int, str, str), cursor, limit)
        return {"drift": {**result, "findings": page}, "next": following}

    return await ask.answer("drift", {"kinds": kind}, shape, slow=True)


def _finding_key(finding: Mapping[str, Any]) -> tuple[Any, ...]:
    return (finding["path"], finding["line"], finding["kind"], finding["target"])


@router.get(
    "/projects/{project}/progress",
    summary="Progress of plans",
    **told(
        schemas.ProgressAnswer,
        {
            **_FRESH,
            "task_progress": {
                **{"path": "", "done": 3, "total": 8, "percent": 37.5, "files": [], "directories": []},
                **{"projects": [], "tasks": [], "outdated": 0},
            },
        },
        errors=_ERRORS,
    ),
)
async def progress(
    ask: Ask,
    path: Annotated[str, Query(max_length=4_096, description="One document, or below one directory.")] = "",
    tasks: Annotated[Literal["none", "open", "all"], Query(description="Which tasks to list.")] = "none",
) -> Response:
    """How much of the task lists in documents is done."""
    return await ask.answer(
        "task_progress", {"path": path, "tasks": tasks}, lambda found: {"task_progress": found}, slow=True
    )


@router.get(
    "/projects/{project}/skills",
    summary="What the tree is made with",
    **told(
        schemas.SkillsAnswer,
        {
            **_FRESH,
            "skills": {
                "languages": [
                    {
                        **{"language": "python", "files": 120, "definitions": 900, "bytes": 300_000},
                        **{"files_percent": 92.3, "bytes_percent": 98.0},
                    }
                ],
                **{"frameworks": [], "tools": [], "requires": [], "dependencies": [], "packages": []},
                "outdated": 0,
            },
        },
        errors=_ERRORS,
    ),
)
async def skills(ask: Ask) -> Response:
    """Languages, frameworks, tools and dependencies."""
    return await ask.answer("skills", {}, lambda found: {"skills": found}, slow=True)


@router.get(
    "/projects/{project}/failures",
    summary="Files that could not be indexed",
    **told(
        schemas.FailuresAnswer,
        {
            **_FRESH,
            "failures": [
                {
                    "path": "a.bin",
                    "reason": "larger than 8 MiB",
                    "attempts": 1,
                    "retry_at": None,
                    "seen_at": 1.5,
                }
            ],
            "next": None,
        },
        errors=_ERRORS,
    ),
)
async def failures(ask: Ask, cursor: Cursor = None, limit: Limit = 100) -> Response:
    """Files that exist and could not be indexed, and why."""

    def shape(rows: list[dict[str, Any]]) -> Mapping[str, Any]:
        page, following = answers.page(
            rows, lambda row: (os.fsencode(row["path"]).hex(),), (str,), cursor, limit
        )
        return {"failures": page, "next": following}

    return await ask.answer("failures", {"limit": 1 << 31}, shape)


@router.get(
    "/projects/{project}/changes",
    summary="What changed since a clock",
    **told(
        schemas.ChangesAnswer,
        {
            **_FRESH,
            "changes": [
                {
                    **{"path": "src/config.py", "change_type": "modified", "old_path": None},
                    **{"at": 1764000000.0, "clock": "c:0a1b2c3d:42"},
                }
            ],
            "next": "c:0a1b2c3d:42",
            "more": False,
            "fresh_instance": False,
        },
        errors=_ERRORS,
    ),
)
async def changes(
    ask: Ask,
    since: Annotated[
        str | None, Query(max_length=10_000, description="A clock of an earlier answer; absent: everything.")
    ] = None,
    limit: Limit = 200,
) -> Response:
    """What changed since a clock, oldest first; go on with `since=` `next` while there is `more`."""

    def shape(page: dict[str, Any]) -> Mapping[str, Any]:
        return {
            "changes": page["changes"],
            "next": page["clock"],
            "more": page["more"],
            "fresh_instance": page["fresh_instance"],
        }

    return await ask.answer("changes", {"since": since, "limit": limit}, shape)


@router.get(
    "/projects/{project}/status",
    summary="What the index is doing",
    **told(schemas.StatusAnswer, {**_FRESH, "status": {"phase": "watching", "pending": 0}}, errors=_ERRORS),
)
async def status(ask: Ask) -> Response:
    """The status of the index, with the keys of docs/status.md."""
    return await ask.answer("status", {}, lambda found: {"status": found})
