"""Owns how an error is told over HTTP: problem details (RFC 9457), one `type` for each thing a caller can do.

`type` is ``urn:currant:problem:<slug>``; docs/rest.md lists the slugs. The body also has `error`, the class
in `currant.errors`, and what the error knows: `retry_after` in seconds, `outstanding` paths, the live `job`.
"""

import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from starlette.responses import Response

from currant import errors, jsontext
from currant.errors import CurrantError

URN: Final = "urn:currant:problem:"
MEDIA_TYPE: Final = "application/problem+json"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Kind:
    """One `type`: its last part, the status it has unless the problem says otherwise, and a title."""

    slug: str
    status: int
    title: str


BAD_REQUEST: Final = Kind("bad-request", 422, "The request cannot be understood")
UNAUTHENTICATED: Final = Kind("unauthenticated", 401, "The token is missing or wrong")
WRONG_HOST: Final = Kind("wrong-host", 421, "This host name is not served here")
WRONG_ORIGIN: Final = Kind("wrong-origin", 403, "Another site may not ask this service")
NOT_FOUND: Final = Kind("not-found", 404, "There is no such thing")
NO_SUCH_PROJECT: Final = Kind("no-such-project", 404, "There is no such project")
NO_SUCH_JOB: Final = Kind("no-such-job", 404, "There is no such job")
NO_SUCH_FILE: Final = Kind("no-such-file", 404, "The index holds no such file")
NOT_ALLOWED: Final = Kind("method-not-allowed", 405, "Not with this method")
TOO_SLOW: Final = Kind("request-timeout", 408, "The request did not arrive in time")
CONFLICT: Final = Kind("conflict", 409, "The state does not permit this")
TOO_LARGE: Final = Kind("too-large", 413, "The request is too large")
RATE_LIMITED: Final = Kind("rate-limited", 429, "Too many requests")
NOT_READY: Final = Kind("not-ready", 503, "Not now: try again later")
STORE: Final = Kind("store", 503, "The index cannot be read or written")
BUSY: Final = Kind("busy", 503, "Too many requests at the same time")
FAULT: Final = Kind("fault", 500, "A fault in Currant")

KINDS: Final = tuple(value for value in list(globals().values()) if isinstance(value, Kind))

# By name, for some of them live in packages above; the nearest class in the order of inheritance counts.
_BY_ERROR: Final[Mapping[str, Kind]] = {
    "UsageError": BAD_REQUEST,
    "ClosedError": NOT_READY,
    "NoSuchProject": NO_SUCH_PROJECT,
    "NoSuchJob": NO_SUCH_JOB,
    "JobConflict": CONFLICT,
    "ProjectConflict": CONFLICT,
    "NoSuchFile": NO_SUCH_FILE,
    "NoSuchTask": NOT_FOUND,
    "ProjectNotReady": NOT_READY,
    "RateLimited": RATE_LIMITED,
    "NoIndexError": NOT_READY,
    "LockedError": NOT_READY,
    "RetryError": NOT_READY,
    "StoreError": STORE,
    "ProtocolError": NOT_READY,
    "CurrantError": FAULT,
}

_BY_STATUS: Final[Mapping[int, Kind]] = {
    **{kind.status: kind for kind in (NOT_FOUND, NOT_ALLOWED, TOO_LARGE, UNAUTHENTICATED, WRONG_ORIGIN)},
    400: BAD_REQUEST,
}

# What an error may tell besides its message, when it has it.
_TOLD: Final = ("outstanding", "state", "live", "project")

_RETRY_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Problem:
    """One error as the caller gets it. `extra` are further members of the body."""

    kind: Kind
    detail: str
    status: int = 0
    extra: Mapping[str, Any] = field(default_factory=dict)
    retry_after: float | None = None

    def response(self, *, instance: str = "", headers: Mapping[str, str] | None = None) -> Response:
        """The response; `instance` is the id of the request, which the log has too."""
        status = self.status or self.kind.status
        body: dict[str, Any] = {
            "type": URN + self.kind.slug,
            "title": self.kind.title,
            "status": status,
            "detail": self.detail,
        }
        if instance:
            body["instance"] = f"urn:currant:request:{instance}"
        body |= self.extra
        told = dict(headers or {})
        if self.retry_after is not None:
            body["retry_after"] = round(self.retry_after, 3)
            told["Retry-After"] = str(max(1, math.ceil(self.retry_after)))
        if status == 401:
            told["WWW-Authenticate"] = 'Bearer realm="currant"'
        return Response(jsontext.dumps(body), status, told, MEDIA_TYPE)


def of(error: CurrantError) -> Problem:
    """The problem that an error on purpose is."""
    kind = next(_BY_ERROR[base.__name__] for base in type(error).__mro__ if base.__name__ in _BY_ERROR)
    extra: dict[str, Any] = {"error": type(error).__name__}
    for name in _TOLD:
        value = getattr(error, name, None)
        if value not in (None, "", []):
            extra[name] = value
    after = getattr(error, "retry_after_s", None)
    if after is None and kind in (NOT_READY, STORE):
        after = _RETRY_SECONDS
    if isinstance(error, errors.StoreFullError):
        return Problem(kind, str(error), 507, extra, after)
    return Problem(kind, str(error), extra=extra, retry_after=after)


def of_status(status: int, detail: str) -> Problem:
    """The problem for a status that the framework chose."""
    kind = _BY_STATUS.get(status, BAD_REQUEST if status < 500 else FAULT)
    return Problem(kind, detail, status=422 if status == 400 else status)
