"""Owns the shape of an answer on the way out: bytes of JSON, freshness in front, keyset pages, ETags.

Handlers give bytes to the response, so that FastAPI neither copies nor validates what the index has already
made; `tests/test_rest_contract.py` holds the bytes against the published schemas instead.
"""

import base64
import binascii
import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from currant import jsontext
from currant.errors import UsageError

JSON: Final = "application/json"
_LONGEST_CURSOR: Final = 8_192


def encoded(value: Any) -> bytes:
    """JSON of plain values; what the index gives is plain already."""
    return jsontext.dumps(value)


def json(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A response of plain values, dataclasses or Structs."""
    return Response(
        jsontext.dumps(msgspec.to_builtins(value, enc_hook=str, str_keys=True)),
        status,
        dict(headers or {}),
        JSON,
    )


def tagged(request: Request, value: Any) -> Response:
    """As `json`, with an ETag of the bytes; 304 without a body when the caller has these already."""
    body = jsontext.dumps(msgspec.to_builtins(value, enc_hook=str))
    tag = f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if _matches(request.headers.get("if-none-match", ""), tag):
        return Response(status_code=304, headers=headers)
    return Response(body, 200, headers, JSON)


def _matches(given: str, tag: str) -> bool:
    """Weak comparison, as RFC 9110 has it for If-None-Match."""
    return given.strip() == "*" or any(
        part.strip().removeprefix("W/") == tag for part in given.split(",") if part.strip()
    )


def cursor(key: Any) -> str:
    """An opaque text for the last key of a page. A key holds texts and numbers."""
    return base64.urlsafe_b64encode(jsontext.dumps(key)).decode("ascii").rstrip("=")


def key_of(text: str, *kinds: type) -> list[Any]:
    """The key of a cursor that `cursor` made. Raises UsageError for anything else."""
    try:
        if len(text) > _LONGEST_CURSOR:
            raise ValueError
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        key = jsontext.loads(raw)
        if not isinstance(key, list) or [type(part) for part in key] != list(kinds):
            raise ValueError
    except (ValueError, TypeError, RecursionError, binascii.Error):
        raise UsageError("this cursor was not made here: leave it out to begin anew") from None
    return list(key)


def page(
    rows: Sequence[Any],
    key: Callable[[Any], tuple[Any, ...]],
    kinds: Sequence[type],
    after: str | None,
    limit: int,
) -> tuple[list[Any], str | None]:
    """Up to `limit` of the rows, which are in the order of their keys, behind the cursor `after`; and the
    cursor of the next page, None behind the last one. What came or went meanwhile moves no page."""
    start = 0
    if after is not None:
        last = tuple(key_of(after, *kinds))
        low, high = 0, len(rows)
        while low < high:
            middle = (low + high) // 2
            if key(rows[middle]) <= last:
                low = middle + 1
            else:
                high = middle
        start = low
    taken = list(rows[start : start + limit])
    more = start + limit < len(rows)
    return taken, cursor(list(key(taken[-1]))) if more and taken else None
