"""Owns the OpenAPI document: schemas from the types in `schemas`, every error answer, examples, the token.

FastAPI describes paths and parameters. Bodies are msgspec's, so their schemas are put in here, under the
names of their types.
"""

import copy
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from currant.rest import problems, schemas
from currant.rest.problems import URN, Kind

_REF: Final = "#/components/schemas/{name}"
_METHODS: Final = frozenset({"get", "post", "put", "delete", "patch"})

_EVERYWHERE: Final = (
    problems.UNAUTHENTICATED,
    problems.WRONG_ORIGIN,
    problems.WRONG_HOST,
    problems.RATE_LIMITED,
    problems.BUSY,
)
_WITH_A_BODY: Final = (problems.TOO_SLOW, problems.TOO_LARGE)

# FastAPI drops every null of what it is given, also within examples: it gets a mark, and what that stands for
# is put there afterwards.
_MARK: Final = "x-told"
_whole: list[dict[int | str, dict[str, Any]]] = []
_described: dict[str, type] = {"ProblemBody": schemas.ProblemBody}

DESCRIPTION: Final = """\
The service of one machine: projects, their indexes, and the jobs that keep them true.

Every answer about an index says its `clock` and whether it is `fresh`. Reads wait for the index to catch up
for `sync_ms` at most; what was not there by then is named in `outstanding`, and while much is missing
`progress` says how much. Errors are problem details (RFC 9457). Lists go on with `cursor`, which a page gives
as `next`.
"""


def told(
    kind: type | None,
    example: Any = None,
    *,
    status: int = 200,
    text: str = "As asked.",
    errors: Sequence[Kind] = (),
    also: Mapping[int, tuple[type | None, str]] | None = None,
    media_type: str = "application/json",
) -> dict[str, Any]:
    """The keyword arguments of a route that say what it answers. `also`: other good statuses, each with its
    type (None: no body) and when it comes."""
    responses: dict[int | str, dict[str, Any]] = {status: _response(kind, text, example, media_type)}
    for other, (other_kind, why) in (also or {}).items():
        responses[other] = _response(other_kind, why, example if other_kind is kind else None, media_type)
    for problem in (problems.BAD_REQUEST, *errors):
        _add(responses, problem)
    _whole.append(responses)
    return {"status_code": status, "responses": {status: {"description": text, _MARK: len(_whole) - 1}}}


def also(kind: type) -> None:
    """Have the document describe this type too: it is named in one of its parts."""
    _described[kind.__name__] = kind


def _response(kind: type | None, text: str, example: Any, media_type: str) -> dict[str, Any]:
    if kind is None and media_type == "application/json":
        return {"description": text}
    content: dict[str, Any] = {"schema": {"type": "string"}}
    if kind is not None:
        _described[kind.__name__] = kind
        content = {"schema": {"$ref": _REF.format(name=kind.__name__)}}
    if example is not None:
        content["example"] = example
    return {"description": text, "content": {media_type: content}}


def _add(responses: dict[Any, dict[str, Any]], kind: Kind) -> None:
    """One more way to fail; several may share a status."""
    example = {
        "type": URN + kind.slug,
        "title": kind.title,
        "status": kind.status,
        "detail": f"{kind.title}.",
    }
    found = responses.get(kind.status)
    if found is None:
        found = responses[kind.status] = {
            "description": kind.title,
            "content": {
                problems.MEDIA_TYPE: {"schema": {"$ref": _REF.format(name="ProblemBody")}, "examples": {}}
            },
        }
    content = found.get("content", {}).get(problems.MEDIA_TYPE)
    if content is None:
        return  # a good answer has this status too (503 of /readyz)
    content["examples"][kind.slug] = {"summary": kind.title, "value": example}
    found["description"] = "; ".join(one["summary"] for one in content["examples"].values())


def document(app: FastAPI, version: str) -> dict[str, Any]:
    """The whole document."""
    told = get_openapi(title="Currant", version=version, description=DESCRIPTION, routes=app.routes)
    for path, operations in told["paths"].items():
        for method, operation in operations.items():
            if method in _METHODS:
                _complete(path, method, operation)
    _, components = msgspec.json.schema_components(list(_described.values()), ref_template=_REF)
    parts = told.setdefault("components", {})
    parts["schemas"] = {
        name: schema
        for name, schema in parts.get("schemas", {}).items()
        if name not in ("HTTPValidationError", "ValidationError")
    } | components
    parts["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer", "description": "The token of this installation."},
        "page": {"type": "apiKey", "in": "cookie", "name": "currant-PORT", "description": "Of the web page."},
    }
    told["security"] = [{"token": []}, {"page": []}]
    return told


def _complete(path: str, method: str, operation: dict[str, Any]) -> None:
    marks = [told[_MARK] for told in operation["responses"].values() if _MARK in told]
    whole: dict[Any, dict[str, Any]] = copy.deepcopy(_whole[marks[0]])
    if path in ("/healthz", "/readyz"):
        operation["security"] = []
    else:
        for kind in _EVERYWHERE:
            _add(whole, kind)
    if method == "post":
        for kind in _WITH_A_BODY:
            _add(whole, kind)
    if not operation.get("parameters") and "requestBody" not in operation:
        whole.pop(422, None)
    operation["responses"] = {str(status): whole[status] for status in sorted(whole, key=str)}
