"""Owns who may ask: host, origin, token, size and rate, in front of everything the service answers.

Plain ASGI, around the whole application, so that a route that is added later (the page, MCP) is behind it as
well. In this order: the host name (DNS rebinding), the origin (other sites in the same browser), the token,
rates, the size of the body. What is refused here reaches no handler.
"""

import asyncio
from collections.abc import Awaitable, Callable, Container, Iterable, Mapping, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from starlette.responses import RedirectResponse, Response

from currant.clock import Clock
from currant.rest import denied, problems, secret
from currant.rest.problems import Problem
from currant.rest.rates import Bucket

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
OPEN: Final = frozenset({"/healthz", "/readyz"})
"""Asked by supervisors, which have no token; they tell nothing but a word."""

BODY_SECONDS: Final = 10.0
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_COOKIE_SECONDS: Final = 30 * 86_400
_HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
    (
        b"content-security-policy",
        b"default-src 'self'; img-src 'self' data:; style-src 'self'; script-src 'self'; "
        b"base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    ),
)
_WRONG_TOKEN: Final = "this is not the token: "
_NO_TOKEN: Final = (
    "give the token of this installation as `Authorization: Bearer TOKEN`; "
    "`currant serve --show-token` prints it"
)


class Guard:
    """Lets through to `app` what may pass. For one event loop."""

    def __init__(
        self,
        app: App,
        *,
        token: str,
        clock: Clock,
        hosts: Iterable[str] = (),
        max_body: int = 1 << 20,
        reads: float = 1_000,
        writes: float = 20,
        at_once: int = 1_000,
        reading: Container[str] = (),
    ) -> None:
        """`hosts` besides the loopback's names; `max_body` in bytes; `reads` and `writes` a second, twice
        as many in a burst; `at_once`: requests under way, streams not counted; `reading`: paths whose every
        method counts as a read."""
        self._app = app
        self._token = token
        self._cookie = secret.cookie_value(token)
        self._clock = clock
        self._hosts = LOOPBACK | {host.lower() for host in hosts}
        self._max_body = max_body
        self._reads = Bucket(reads, 2 * reads)
        self._writes = Bucket(writes, 2 * writes)
        self._strangers = Bucket(10, 50)
        self._at_once = at_once
        self._reading = reading
        self._under_way = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            # There is no WebSocket here; refused before it is accepted.
            await receive()
            await send({"type": "websocket.close", "code": 1008})
            return
        send = _with_headers(send)
        answer = self._examine(scope)
        if answer is None and self._under_way >= self._at_once:
            answer = Problem(
                problems.BUSY, f"{self._under_way} requests are under way", retry_after=1.0
            ).response(instance=_instance(scope))
        if answer is not None:
            await answer(scope, receive, send)
            return
        self._under_way += 1
        try:
            body = await self._body(scope, receive)
            if isinstance(body, Problem):
                await body.response(instance=_instance(scope))(scope, receive, send)
                return
            scope["currant.release"] = self._release_once()
            await self._app(scope, body, send)
        finally:
            release = scope.get("currant.release")
            if release is None:
                self._under_way -= 1
            else:
                release()

    def _release_once(self) -> Callable[[], None]:
        """What a stream calls when it begins: from then on it is bounded by the number of streams."""
        held = True

        def release() -> None:
            nonlocal held
            if held:
                held = False
                self._under_way -= 1

        return release

    # --- who --------------------------------------------------------------------------------------------

    def _examine(self, scope: Scope) -> Response | None:
        """None when the request may pass."""
        headers = _headers(scope)
        instance = _instance(scope)
        host = headers.get("host", [])
        name = _host_name(host[0]) if len(host) == 1 else None
        if name not in self._hosts:
            shown = host[0][:200] if host else ""
            detail = f"{shown!r} is not a name of this service: serve.allowed_hosts adds names"
            return Problem(problems.WRONG_HOST, detail).response(instance=instance)
        if (refused := self._origin(scope, headers, host[0])) is not None:
            return Problem(problems.WRONG_ORIGIN, refused).response(instance=instance)
        now = self._clock.monotonic()
        if scope["path"] not in OPEN and (answer := self._authenticate(scope, headers, now)) is not None:
            return answer
        reads = scope["method"] in _SAFE or scope["path"] in self._reading
        bucket = self._reads if reads else self._writes
        if wait := bucket.take(now):
            detail = f"more than {bucket.rate:g} requests a second"
            return Problem(problems.RATE_LIMITED, detail, retry_after=wait).response(instance=instance)
        return None

    def _origin(self, scope: Scope, headers: Mapping[str, list[str]], host: str) -> str | None:
        """Why the origin is refused; None when it is not. Another port of this host is another site."""
        for origin in headers.get("origin", []):
            try:
                parts = urlsplit(origin)
                ours = parts.scheme in ("http", "https") and parts.netloc.lower() == host.lower()
            except ValueError:  # as of "http://["
                ours = False
            if not ours:
                return f"{origin[:200]!r} is another site"
        site = headers.get("sec-fetch-site", ["none"])[0]
        # A link on another site may lead to the page, which then asks for itself; nothing else.
        leads_here = scope["method"] == "GET" and headers.get("sec-fetch-mode") == ["navigate"]
        if site not in ("none", "same-origin") and not leads_here:
            return f"the browser says that this comes from another site ({site[:40]})"
        return None

    def _authenticate(self, scope: Scope, headers: Mapping[str, list[str]], now: float) -> Response | None:
        if scope["path"] == "/" and scope["method"] == "GET":
            given = parse_qs(scope["query_string"].decode("latin-1")).get("token")
            if given is not None:
                if len(given) == 1 and secret.same(given[0], self._token):
                    return self._login(scope)
                return self._refuse(scope, headers, now, wrong=True)
        bearer = headers.get("authorization", [])
        if bearer:
            kind, _, token = bearer[0].partition(" ")
            if len(bearer) == 1 and kind.lower() == "bearer" and secret.same(token.strip(), self._token):
                return None
            return self._refuse(scope, headers, now, wrong=True)
        if secret.same(_cookie(headers, cookie_name(scope)), self._cookie):
            return self._same_page(scope, headers)
        return self._refuse(scope, headers, now)

    def _same_page(self, scope: Scope, headers: Mapping[str, list[str]]) -> Response | None:
        """A cookie comes by itself; what changes something must also say that our own page sent it."""
        if scope["method"] in _SAFE or "origin" in headers:  # an origin that is not ours was refused above
            return None
        if headers.get("sec-fetch-site") == ["same-origin"]:
            return None
        detail = "a request with the page's cookie needs an Origin header: other programs give the token"
        return Problem(problems.WRONG_ORIGIN, detail).response(instance=_instance(scope))

    def _login(self, scope: Scope) -> Response:
        """The cookie, and an address without the token: it stays in no history and in no log."""
        answer = RedirectResponse("/", 303)
        answer.set_cookie(
            cookie_name(scope),
            self._cookie,
            max_age=_COOKIE_SECONDS,
            path="/",
            httponly=True,
            samesite="strict",
            secure=scope.get("scheme") == "https",
        )
        return answer

    def _refuse(
        self, scope: Scope, headers: Mapping[str, list[str]], now: float, *, wrong: bool = False
    ) -> Response:
        """`wrong`: a token was given."""
        if wait := self._strangers.take(now):
            detail = "too many requests without the token"
            return Problem(problems.RATE_LIMITED, detail, retry_after=wait).response(
                instance=_instance(scope)
            )
        if scope["path"] == "/" and "text/html" in headers.get("accept", [""])[0]:
            return denied.answer(wrong=wrong)
        return Problem(problems.UNAUTHENTICATED, (_WRONG_TOKEN if wrong else "") + _NO_TOKEN).response(
            instance=_instance(scope)
        )

    # --- how much ---------------------------------------------------------------------------------------

    async def _body(self, scope: Scope, receive: Receive) -> Receive | Problem:
        """A `receive` that has the whole body already, or why it is refused."""
        headers = _headers(scope)
        told = headers.get("content-length")
        if told is None and "transfer-encoding" not in headers:
            return receive
        too_large = Problem(problems.TOO_LARGE, f"a body has at most {self._max_body} bytes")
        if told is not None and told[0].isdigit() and int(told[0][:20]) > self._max_body:
            return too_large
        parts: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(BODY_SECONDS):
                while True:
                    message = await receive()
                    if message["type"] != "http.request":
                        break
                    parts.append(message.get("body", b""))
                    size += len(parts[-1])
                    if size > self._max_body:
                        return too_large
                    if not message.get("more_body", False):
                        break
        except TimeoutError:
            return Problem(problems.TOO_SLOW, f"the body did not arrive within {BODY_SECONDS:g} s")
        whole: Message | None = {"type": "http.request", "body": b"".join(parts), "more_body": False}

        async def again() -> Message:
            nonlocal whole
            if whole is None:
                return await receive()
            message, whole = whole, None
            return message

        return again


def cookie_name(scope: Scope) -> str:
    """The page's cookie. Cookies know no ports, so the name has it: two services on one machine."""
    server = scope.get("server")
    return f"currant-{server[1] if server else 0}"


def _headers(scope: Scope) -> dict[str, list[str]]:
    told: dict[str, list[str]] = {}
    for name, value in scope["headers"]:
        told.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
    return told


def _cookie(headers: Mapping[str, list[str]], name: str) -> str:
    for line in headers.get("cookie", []):
        try:
            found = SimpleCookie(line).get(name)
        except CookieError:
            continue
        if found is not None:
            return found.value
    return ""


def _host_name(host: str) -> str | None:
    """The name in a Host header, without the port; None when it is none."""
    try:
        parts = urlsplit(f"//{host}")
        parts.port  # noqa: B018 - raises for a port that is none
        plain = parts.username is None and not parts.path and not parts.query and not parts.fragment
        return parts.hostname if plain else None
    except ValueError:
        return None


def _instance(scope: Scope) -> str:
    return str(scope.get("currant.request", ""))


def _with_headers(send: Send) -> Send:
    async def wrapped(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = list(message.get("headers", ()))
            had = {name.lower() for name, _ in headers}
            headers += [pair for pair in _HEADERS if pair[0] not in had]
            if b"cache-control" not in had:
                headers.append((b"cache-control", b"no-store"))
            message["headers"] = headers
        await send(message)

    return wrapped
