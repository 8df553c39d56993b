"""The deciding parts of the expensive tier: prices, pace, what is sent, the shape of an answer."""

import json
import random
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from currant.config import LlmSettings, load_settings
from currant.errors import ConfigError
from currant.extract.secrets import Secrets
from currant.llm import prices, prompt
from currant.llm.decide import Rules
from currant.llm.leaks import leak
from currant.llm.pace import Pace, backoff
from llm_server import DESCRIBED


def test_a_token_of_nova_lite_is_counted_in_whole_nano_dollars() -> None:
    price = prices.price_of(LlmSettings(provider="bedrock"))
    assert price.cost(1_000_000, 1_000_000) == round(0.30 * prices.NANO)
    assert price.cost(1, 0) == 60


def test_a_model_without_a_price_is_refused_unless_it_costs_nothing() -> None:
    for settings in (
        LlmSettings(provider="bedrock", model="somebody.big-model"),
        LlmSettings(provider="openai", base_url="https://models.example.org/v1"),
        LlmSettings(provider="bedrock", price_input_per_million=1.0),
    ):
        with pytest.raises(ConfigError, match="price"):
            prices.price_of(settings)
    assert (
        prices.price_of(LlmSettings(provider="openai", base_url="http://[::1]:8080")).cost(10**6, 10**6) == 0
    )
    told = LlmSettings(provider="bedrock", model="x", price_input_per_million=2, price_output_per_million=4)
    assert prices.price_of(told).cost(1_000_000, 500_000) == 4 * prices.NANO


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://127.0.0.1:8080/v1", True),
        ("http://localhost/v1", True),
        ("http://[::1]:1/", True),
        ("http://127.0.0.1.example.org/", False),
        ("http://10.0.0.7:8080", False),
        ("https://example.org", False),
        ("http://[::1", False),
        (None, False),
    ],
)
def test_only_the_loopback_interface_counts_as_this_machine(url: str | None, local: bool) -> None:
    assert prices.is_local(LlmSettings(provider="openai", base_url=url)) is local


# --- pace ------------------------------------------------------------------------------------------------


@given(st.integers(1, 60), st.integers(0, 2**32))
def test_a_pause_grows_with_the_failures_and_is_bounded(attempts: int, seed: int) -> None:
    ceiling = min(300.0, 2.0 ** (attempts - 1))
    assert ceiling / 4 <= backoff(attempts, random.Random(seed)) <= ceiling


def test_one_burst_of_throttled_calls_halves_once_and_successes_win_it_back() -> None:
    pace = Pace(8, random.Random(1))
    for _ in range(8):
        pace.throttled(10.0, began=9.0)
    assert pace.allowed == 4
    assert pace.wait(10.0) > 0
    pace.throttled(20.0, began=15.0)
    assert pace.allowed == 2
    for _ in range(100):
        pace.succeeded()
    assert pace.allowed == 8


def test_nobody_begins_before_the_server_said() -> None:
    pace = Pace(4, random.Random(1))
    pace.throttled(100.0, began=99.0, retry_after=40.0)
    assert 40.0 <= pace.wait(100.0) < 41.0
    assert pace.wait(141.0) == 0.0


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 5)), max_size=200))
def test_whatever_happens_at_least_one_call_and_at_most_the_limit_may_run(
    steps: list[tuple[bool, float]],
) -> None:
    pace, now = Pace(6, random.Random(3)), 0.0
    for good, passed in steps:
        now += passed
        if good:
            pace.succeeded()
        else:
            pace.throttled(now, began=now - 1)
        assert 1 <= pace.allowed <= 6


# --- what may be sent --------------------------------------------------------------------------------------


def test_rules_name_the_one_that_fails() -> None:
    settings = LlmSettings(include=("src/*",), exclude=("*/generated/*",), max_file_kb=1)
    rules = Rules(settings, Secrets())
    assert rules.barred("src/a.py", "python", 10) is None
    assert rules.barred("doc/a.py", "python", 10) == "not in llm.include"
    assert rules.barred("src/x/generated/a.py", "python", 10) == "in llm.exclude"
    assert rules.barred("src/a.md", "markdown", 10) == "language"
    assert rules.barred("src/a.bin", None, 10) == "language"
    assert rules.barred("src/a.py", "python", 1025) == "larger than llm.max_file_kb"
    assert rules.barred("src/a.py", "python", 0) == "empty"


def test_a_secret_is_never_sent_even_when_it_is_extracted() -> None:
    rules = Rules(LlmSettings(languages=("python", "shell")), Secrets("extract", ["deploy.py"]))
    for path, extractor in (
        ("a/.env", "outline/2"),
        ("deploy.py", "outline/2"),
        ("a.py", "outline/2+secret"),
        ("b.py", "secret/1:00000000"),
    ):
        assert rules.barred(path, "shell", 10, extractor) == "secret", path


def test_another_set_of_rules_is_another_policy() -> None:
    assert Rules(LlmSettings(), Secrets()).policy == Rules(LlmSettings(model="other"), Secrets()).policy
    for other in (LlmSettings(exclude=("x",)), LlmSettings(languages=("c",)), LlmSettings(max_file_kb=3)):
        assert Rules(other, Secrets()).policy != Rules(LlmSettings(), Secrets()).policy


def made(*parts: str) -> bytes:
    """A text that looks like a secret, put together here so that this file does not look like one."""
    return ("a = 1\n\nkey = '" + "".join(parts) + "'\n").encode()


@pytest.mark.parametrize(
    "content",
    [
        made("-----BEGIN RSA ", "PRIVATE KEY-----"),
        made("AKIA", "ABCDEFGHIJKLMNOP"),
        made("ghp_", "a" * 36),
        made("xoxb-", "1234567890-abc"),
        made("AIza", "b" * 35),
        made("sk-", "c" * 40),
        made("postgres://user:", "hunter22@db.internal/x"),
        made("eyJhbGciOiJI", "UzI1NiJ9.eyJzdWIiOiIx", "MjM0In0.c2lnbmF0dXJl"),
    ],
)
def test_a_content_that_looks_as_if_it_held_a_secret_is_found_out(content: bytes) -> None:
    found = leak(content)
    assert found is not None
    assert found.startswith("line 3 looks like")


def test_ordinary_sources_hold_no_secrets() -> None:
    package = Path(__file__).resolve().parent.parent / "python" / "currant"
    flagged = {path.name: found for path in package.rglob("*.py") if (found := leak(path.read_bytes()))}
    assert flagged == {}


def test_a_file_of_the_tree_can_switch_it_off_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "currant.toml"
    file.write_text('[llm]\nprovider = "off"\n')
    environ = {"CURRANT_LLM_PROVIDER": "bedrock"}
    assert load_settings(tmp_path, environ=environ).llm.provider == "bedrock"
    assert load_settings(tmp_path, environ={}).llm.provider == "off"
    for line in (
        'provider = "openai"',
        'base_url = "http://evil.example.org"',
        "exclude = []",
        'include = ["*"]',
        "usd_per_day = 1000",
        "price_input_per_million = 0",
        'api_key_env = "HOME"',
    ):
        file.write_text(f"[llm]\n{line}\n")
        with pytest.raises(ConfigError, match="only switch this off"):
            load_settings(tmp_path, environ={})


# --- the answer --------------------------------------------------------------------------------------------


def test_the_schema_is_closed_and_names_every_part() -> None:
    schema = prompt.schema()
    assert schema["required"] == list(DESCRIBED)
    assert "$ref" not in json.dumps(schema)
    assert schema["properties"]["constraints"]["maxItems"] == 20
    assert "maxLength" not in json.dumps(schema)
    assert schema["properties"]["dependencies"]["items"]["properties"]["kind"]["enum"] == [
        "codebase",
        "system",
        "other",
    ]


def broken() -> list[dict[str, object]]:
    return [
        {},
        {**DESCRIBED, "intent": ""},
        {**DESCRIBED, "intent": "x" * 2001},
        {**DESCRIBED, "extra": 1},
        {**DESCRIBED, "constraints": "none"},
        {**DESCRIBED, "dependencies": [{"kind": "cloud", "name": "x"}]},
        {**DESCRIBED, "definitions": [{"name": "x", "doc": "y"}]},
        {**DESCRIBED, "design_principles": ["p"] * 21},
    ]


@pytest.mark.parametrize("answer", broken())
def test_an_answer_of_another_shape_is_refused(answer: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        prompt.parse(json.dumps(answer).encode())


@given(st.text(max_size=400))
def test_no_content_takes_more_tokens_than_were_reserved_for(content: str) -> None:
    """Bytes bound tokens from above, whatever the tokenizer: the least a token covers is one byte."""
    content = content.encode("utf-8", "replace").decode()
    settings = LlmSettings(max_output_tokens=100)
    inputs, outputs = prompt.most_tokens(prompt.question("python", content, settings))
    assert inputs > len(content.encode()) + 500
    assert outputs == 100


def test_equal_contents_ask_the_same_question() -> None:
    settings = LlmSettings()
    assert prompt.question("python", "x", settings) == prompt.question("python", "x", settings)
    assert prompt.identity(settings) != prompt.identity(LlmSettings(model="other"))
