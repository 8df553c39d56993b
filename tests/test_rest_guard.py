"""Who may ask: combinations of host, origin, token and cookie, sizes and rates, against `currant serve`."""

import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from currant.clock import ManualClock
from currant.rest import guard, secret
from currant.rest.rates import Bucket
from rest_kit import Spawned, serving, spawned

URN = "urn:currant:problem:"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Spawned]:
    home = tmp_path_factory.mktemp("guard") / "home"
    with spawned(home, 'serve.allowed_hosts=["box.example"]', "serve.max_body_kb=1") as served:
        yield served


def cookie(service: Spawned) -> dict[str, str]:
    """What the page has after it was opened with the token."""
    answer = service.ask("GET", "/", params={"token": service.token})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    told = answer.headers["set-cookie"]
    assert re.search(r"; HttpOnly\b", told)
    assert re.search(r"; SameSite=strict\b", told, re.I)
    assert service.token not in told
    return {"Cookie": told.split(";")[0]}


@pytest.mark.parametrize(
    ("host", "passes"),
    [
        ("127.0.0.1:{port}", True),
        ("localhost:{port}", True),
        ("LOCALHOST:1", True),  # a tunnel has another port
        ("[::1]:{port}", True),
        ("box.example", True),
        ("evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("localhost.evil.example:{port}", False),
        ("evil.example@127.0.0.1", False),
        ("127.0.0.1:port", False),
        ("127.0.0.1/path", False),
        ("[::1", False),
        ("", False),
    ],
)
@pytest.mark.parametrize("path", ["/projects", "/healthz", "/"])
def test_only_names_of_this_service_are_served(service: Spawned, host: str, passes: bool, path: str) -> None:
    headers = {"Host": host.format(port=service.port), "Authorization": f"Bearer {service.token}"}
    answer = service.ask("GET", path, headers)
    assert answer.status_code == (200 if passes else 421), answer.text
    if not passes:
        assert answer.json()["type"] == f"{URN}wrong-host"


@pytest.mark.parametrize(
    ("origin", "passes"),
    [
        (None, True),
        ("http://127.0.0.1:{port}", True),
        ("http://localhost:{port}", False),  # not the host that was asked
        ("http://127.0.0.1:1", False),
        ("http://127.0.0.1", False),
        ("https://evil.example", False),
        ("null", False),
        ("", False),
        ("file://", False),
        ("http://[", False),
    ],
)
@pytest.mark.parametrize("way", ["token", "cookie"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_another_origin_gets_nothing(
    service: Spawned, origin: str | None, passes: bool, way: str, method: str
) -> None:
    headers = {"Authorization": f"Bearer {service.token}"} if way == "token" else cookie(service)
    if origin is not None:
        headers["Origin"] = origin.format(port=service.port)
    answer = service.ask(method, "/projects", headers)
    if passes and (way, method, origin) == ("cookie", "POST", None):
        passes = False  # a form of another site in an old browser looks just like this
    assert (answer.status_code == 403) is not passes, answer.text
    if not passes:
        assert answer.json()["type"] == f"{URN}wrong-origin"
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    ("site", "mode", "path", "passes"),
    [
        ("same-origin", "cors", "/projects", True),
        ("none", "navigate", "/", True),
        ("cross-site", "navigate", "/", True),
        ("cross-site", "no-cors", "/projects", False),
        ("same-site", "cors", "/projects", False),
        ("same-site", "no-cors", "/events", False),
    ],
)
def test_what_the_browser_says_of_the_site_counts(
    service: Spawned, site: str, mode: str, path: str, passes: bool
) -> None:
    headers = {**cookie(service), "Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode}
    assert (service.ask("GET", path, headers).status_code == 200) is passes
    if site == "same-origin":
        assert service.ask("POST", "/projects", headers).status_code == 422  # and no token, no origin


@pytest.mark.parametrize(
    "path", ["/projects", "/jobs", "/events", "/metrics", "/openapi.json", "/none", "/", "/app.js"]
)
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Bearer"},
        {"Authorization": "Basic {token}"},
        {"Authorization": "Bearer {token}x"},
        {"Authorization": "Bearer \xff"},
        {"Cookie": "currant-{port}={token}"},  # the cookie is not the token
        {"Cookie": "currant-1={cookie}"},
        {"Cookie": "other=1; ="},
    ],
)
def test_without_the_token_there_is_nothing(service: Spawned, headers: dict[str, str], path: str) -> None:
    filled = {
        name: value.format(
            token=service.token, port=service.port, cookie=secret.cookie_value(service.token)
        ).encode("latin-1")
        for name, value in headers.items()
    }
    answer = service.ask("GET", path, filled)
    assert answer.status_code in (401, 429)
    if answer.status_code == 401:
        assert answer.headers["www-authenticate"] == 'Bearer realm="currant"'
        assert answer.json()["type"] == f"{URN}unauthenticated"
    assert service.token not in answer.text


def test_the_page_is_opened_with_the_token_and_then_with_its_cookie(service: Spawned) -> None:
    has = cookie(service)
    for path in ("/", "/app.js", "/projects"):
        assert service.ask("GET", path, has).status_code == 200
    assert service.ask("GET", "/?token=wrong", {}).status_code in (401, 429)
    assert service.ask("GET", "/?token=wrong", has).status_code in (401, 429)


def test_supervisors_need_no_token_and_learn_nothing(service: Spawned) -> None:
    assert service.ask("GET", "/healthz").json() == {"status": "ok"}
    assert service.ask("GET", "/readyz").json() == {"status": "ready", "reasons": []}


def test_every_answer_has_the_headers_of_a_careful_service(service: Spawned) -> None:
    for answer in (
        service.trusted("GET", "/projects"),
        service.trusted("GET", "/none"),
        service.ask("GET", "/healthz"),
    ):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"
        assert "default-src 'self'" in answer.headers["content-security-policy"]
        assert answer.headers["x-request-id"]
        assert "server" not in answer.headers


def test_a_body_is_bounded_whether_its_length_is_told_or_not(service: Spawned) -> None:
    told = service.trusted("POST", "/projects", content=b"x" * 1_025)
    assert (told.status_code, told.json()["type"]) == (413, f"{URN}too-large")

    head = f"POST /projects HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {service.token}\r\n"
    with socket.create_connection(("127.0.0.1", service.port), timeout=30) as untold:
        untold.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
        untold.sendall((b"200\r\n" + b"x" * 512 + b"\r\n") * 3)  # and no end of it
        assert untold.recv(100).startswith(b"HTTP/1.1 413")
    assert service.trusted("POST", "/projects", content=b"x" * 1_024).status_code == 422


def test_no_websocket_is_opened(service: Spawned) -> None:
    with socket.create_connection(("127.0.0.1", service.port), timeout=30) as raw:
        raw.sendall(
            b"GET /events HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        assert raw.recv(100)[9:12] in (b"401", b"429")


def test_a_browser_with_a_wrong_token_is_told_that_it_is_wrong(tmp_path: Path) -> None:
    with spawned(tmp_path / "home") as service:  # not slowed down yet for asking without one
        _told_what_is_wrong(service)


def _told_what_is_wrong(service: Spawned) -> None:
    html = {"Accept": "text/html"}
    plain = service.ask("GET", "/", html)
    wrong = service.ask("GET", "/?token=wrong", html)
    assert (plain.status_code, wrong.status_code) == (401, 401)
    assert "is not the token" not in plain.text
    assert "is not the token" in wrong.text
    old = service.ask("GET", "/", {**html, "Authorization": "Bearer old"})
    assert "is not the token" in old.text
    as_json = service.ask("GET", "/projects", {"Authorization": "Bearer old"}).json()["detail"]
    assert as_json.startswith("this is not the token")


def test_what_is_no_http_ends_the_connection_and_nothing_else(service: Spawned) -> None:
    with socket.create_connection(("127.0.0.1", service.port), timeout=30) as raw:
        raw.sendall(b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n")
        assert raw.recv(100).startswith(b"HTTP/1.1 400")
    assert service.ask("GET", "/healthz").status_code == 200


def test_a_client_that_runs_wild_is_slowed_down_and_others_are_told_when(tmp_path: Path) -> None:
    with serving(tmp_path / "home", serve__writes_per_second=1, serve__reads_per_second=5) as service:
        wrote = [service.client.delete("/jobs/none").status_code for _ in range(12)]
        assert wrote[:2] == [404, 404]
        assert 429 in wrote
        answer = service.client.delete("/jobs/none")
        assert answer.json()["type"] == f"{URN}rate-limited"
        assert int(answer.headers["retry-after"]) >= 1
        assert service.client.get("/projects").status_code == 200  # reads have a bucket of their own


@given(
    rate=st.floats(0.1, 1_000),
    burst=st.floats(1, 100),
    steps=st.lists(st.one_of(st.floats(0, 20), st.none()), max_size=60),
)
def test_a_bucket_never_gives_more_than_its_rate_and_says_when_there_is_more(
    rate: float, burst: float, steps: list[float | None]
) -> None:
    """None: wait for as long as the bucket says."""
    bucket, now, given_out, wait = Bucket(rate, burst), 0.0, 0, 0.0
    for step in steps:
        waited = step is None and wait > 0
        now += (wait * 1.001 + 1e-6) if step is None else step
        wait = bucket.take(now)
        assert wait == 0 or not waited
        given_out += wait == 0
        assert given_out <= burst + rate * now + 1e-6
    assert bucket.take(now - 1e6) >= 0  # a clock that steps back does no harm


def test_strangers_cannot_keep_the_owner_out() -> None:
    clock = ManualClock()
    door = guard.Guard(lambda *_: None, token="t" * 40, clock=clock)  # type: ignore[arg-type,return-value]

    def scope(token: str) -> guard.Scope:
        headers = [(b"host", b"localhost"), (b"authorization", f"Bearer {token}".encode())]
        return {"type": "http", "method": "GET", "path": "/jobs", "query_string": b"", "headers": headers}

    answers = [door._examine(scope("wrong")) for _ in range(100)]
    assert [answer.status_code for answer in answers if answer is not None][-1] == 429
    assert door._examine(scope("t" * 40)) is None
