"""The real clients (boto3, urllib3) against a server that speaks the real protocols, well and badly."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from currant.config import LlmSettings
from currant.errors import ConfigError
from currant.llm import prompt
from currant.llm.wire import Client, Misconfigured, Rejected, Reply, Throttled, Unavailable, connect
from llm_server import (
    DESCRIBED,
    OUTPUT_TOKENS,
    Behaviour,
    Call,
    Cut,
    Good,
    Hang,
    LlmServer,
    Raw,
    Status,
    input_tokens,
)

PROTOCOLS = ("bedrock", "openai")
SOURCE = "def add(a, b):\n    return a + b\n"


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Made up; and no way to any others."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_BEARER_TOKEN_BEDROCK", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(params=PROTOCOLS)
def protocol(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def ask(protocol: str) -> Iterator[Callable[..., Reply]]:
    """One call to a server that behaves as told."""
    clients: list[Client] = []
    servers: list[LlmServer] = []

    def once(what: Behaviour, **more: Any) -> Reply:
        server = LlmServer(lambda _call: what).__enter__()
        servers.append(server)
        settings = LlmSettings(provider=protocol, base_url=server.url, model="m-1", **more)  # type: ignore[arg-type]
        client = connect(settings)
        clients.append(client)
        return client.ask(prompt.question("python", SOURCE, settings))

    yield once
    for client in clients:
        client.close()
    for server in servers:
        server.__exit__()


def test_an_answer_comes_back_with_its_usage(ask: Callable[..., Reply]) -> None:
    reply = ask(Good())
    assert prompt.parse(reply.text) == prompt.parse(json.dumps(DESCRIBED).encode())
    assert reply.tokens is not None
    assert reply.tokens[1] == OUTPUT_TOKENS
    assert not reply.cut_off


def test_what_is_sent_is_the_content_and_the_schema_and_no_path(protocol: str) -> None:
    with LlmServer() as server:
        settings = LlmSettings(provider=protocol, base_url=server.url, model="m-1")  # type: ignore[arg-type]
        client = connect(settings)
        client.ask(prompt.question("python", SOURCE, settings))
        client.close()
    (call,) = server.calls
    assert (call.protocol, call.model) == (protocol, "m-1")
    assert SOURCE in call.text
    assert str(settings.max_output_tokens) in json.dumps(call.body)
    assert '"intent"' in json.dumps(call.body)


def test_no_usage_or_one_that_cannot_be_true_is_told_as_unknown(
    ask: Callable[..., Reply], protocol: str
) -> None:
    first, second = (
        ("inputTokens", "outputTokens") if protocol == "bedrock" else ("prompt_tokens", "completion_tokens")
    )
    for usage in (None, {first: 0, second: 1}, {first: 10**9, second: 1}, {first: 500, second: -1}):
        assert ask(Good(usage=usage)).tokens is None
    true = input_tokens(SOURCE) + 500
    assert ask(Good(usage={first: true, second: 7})).tokens == (true, 7)


def test_an_answer_that_reaches_the_limit_on_output_says_so(ask: Callable[..., Reply], protocol: str) -> None:
    assert ask(Good(stop="max_tokens" if protocol == "bedrock" else "length")).cut_off


def test_throttling_says_for_how_long(ask: Callable[..., Reply]) -> None:
    with pytest.raises(Throttled) as caught:
        ask(Status(429, "ThrottlingException", {"Retry-After": "7"}))
    assert caught.value.retry_after == 7.0
    assert not caught.value.charged
    with pytest.raises(Throttled) as caught:
        ask(Status(429, "ThrottlingException", {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}))
    assert caught.value.retry_after is None


def test_throttling_of_bedrock_is_known_by_its_name_too() -> None:
    with LlmServer(lambda _call: Status(400, "ThrottlingException")) as server:
        settings = LlmSettings(provider="bedrock", base_url=server.url)
        client = connect(settings)
        with pytest.raises(Throttled):
            client.ask(prompt.question("python", SOURCE, settings))
        client.close()


@pytest.mark.parametrize("what", [Status(500, "InternalServerException"), Status(503, "x"), Cut()])
def test_errors_of_the_server_may_pass_and_may_have_been_charged(
    ask: Callable[..., Reply], what: Behaviour
) -> None:
    with pytest.raises(Unavailable) as caught:
        ask(what)
    assert caught.value.charged


def test_a_server_that_does_not_answer_is_given_up(ask: Callable[..., Reply]) -> None:
    with pytest.raises(Unavailable, match=r"(?i)time"):
        ask(Hang(), timeout_seconds=1)


def test_an_answer_that_is_no_json_is_an_error_or_an_empty_text(ask: Callable[..., Reply]) -> None:
    for body in (b"not json at all", b"[" * 100_000, b"{}", b"[]", b'{"output": {}, "choices": []}'):
        try:
            assert ask(Raw(body)).text == b""
        except Unavailable:
            continue


@pytest.mark.parametrize("status", [401, 403, 404])
def test_what_is_wrong_with_the_settings_is_not_the_files_fault(
    ask: Callable[..., Reply], status: int
) -> None:
    with pytest.raises(Misconfigured):
        ask(Status(status, "AccessDeniedException"))


def test_a_request_that_is_refused_is_the_files_fault(ask: Callable[..., Reply]) -> None:
    with pytest.raises(Rejected):
        ask(Status(400, "ValidationException"))


def test_each_failure_is_one_call(protocol: str) -> None:
    """Retries are the queue's: a client that tries again by itself spends what nobody has reserved."""
    for what in (Status(500, "x"), Status(429, "ThrottlingException"), Cut()):
        with LlmServer(lambda _call, what=what: what) as server:  # type: ignore[misc]
            settings = LlmSettings(provider=protocol, base_url=server.url)  # type: ignore[arg-type]
            client = connect(settings)
            with pytest.raises((Unavailable, Throttled)):
                client.ask(prompt.question("python", SOURCE, settings))
            client.close()
            assert len(server.calls) == 1


def test_no_redirect_takes_a_content_elsewhere() -> None:
    with LlmServer() as elsewhere:
        moved = Status(307, "x", {"Location": f"{elsewhere.url}/v1/chat/completions"})
        with LlmServer(lambda _call: moved) as server:
            settings = LlmSettings(provider="openai", base_url=server.url)
            client = connect(settings)
            with pytest.raises(Misconfigured):
                client.ask(prompt.question("python", SOURCE, settings))
            client.close()
    assert elsewhere.calls == []


def test_the_key_comes_from_the_variable_that_the_settings_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "k-123")
    for name, expected in (("MY_KEY", "Bearer k-123"), ("NO_SUCH_KEY", None)):
        with LlmServer() as server:
            settings = LlmSettings(provider="openai", base_url=f"{server.url}/v1/", api_key_env=name)
            client = connect(settings)
            client.ask(prompt.question("python", SOURCE, settings))
            client.close()
            assert server.calls[0].headers.get("Authorization") == expected


@pytest.mark.parametrize("base", [None, "", "ftp://x", "127.0.0.1:80"])
def test_an_address_that_is_none_is_refused(base: str | None) -> None:
    with pytest.raises(ConfigError, match=r"llm\.base_url"):
        connect(LlmSettings(provider="openai", base_url=base))


def test_no_credentials_are_a_matter_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    settings = LlmSettings(provider="bedrock", base_url="http://127.0.0.1:9")
    client = connect(settings)
    with pytest.raises(Misconfigured):
        client.ask(prompt.question("python", SOURCE, settings))
    client.close()


def test_calls_are_counted_in_the_order_in_which_they_come() -> None:
    def behave(call: Call) -> Behaviour:
        return Good() if call.number else Status(500)

    with LlmServer(behave) as server:
        settings = LlmSettings(provider="openai", base_url=server.url)
        client = connect(settings)
        with pytest.raises(Unavailable):
            client.ask(prompt.question("python", SOURCE, settings))
        assert client.ask(prompt.question("python", SOURCE, settings)).tokens is not None
        client.close()
