"""The service against its own description: schemathesis over every operation, and what each must describe."""

import json
import os
import re
import subprocess
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

import hub_kit
from currant.rest import create_app
from rest_kit import Spawned, spawned

EXAMPLES = int(os.environ.get("CURRANT_TEST_CONTRACT_EXAMPLES", "4"))
PROBLEM = "application/problem+json"


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    with hub_kit.running(tmp_path_factory.mktemp("described") / "home") as hub:
        return create_app(hub).openapi()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Spawned]:
    place = tmp_path_factory.mktemp("contract")
    root = place / "shop"
    root.mkdir()
    (root / "a.py").write_text('"""Owns a."""\n\n\ndef alpha():\n    """See b."""\n')
    (root / "plan.md").write_text("- [x] one\n- [ ] two, in [b](b.py)\n")
    with spawned(place / "home", "serve.writes_per_second=1000") as served:
        added = served.trusted("POST", "/projects", json={"source": str(root)}).json()
        while served.trusted("GET", f"/jobs/{added['job']['id']}").json()["status"] != "completed":
            pass  # each look is a question to another process
        served.note = str(root)
        yield served


def operations(described: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def test_every_operation_says_what_it_is_for_and_gives_examples(described: dict[str, Any]) -> None:
    for path, method, operation in operations(described):
        where = f"{method} {path}"
        assert operation["summary"], where
        assert len(operation["description"]) > 10, where
        for parameter in operation.get("parameters", []):
            assert parameter.get("description"), (where, parameter["name"])
        good = [code for code in operation["responses"] if code.startswith("2")]
        assert good, where
        for media in operation["responses"][good[0]]["content"].values():
            assert "example" in media, where


def test_every_operation_describes_how_it_fails(described: dict[str, Any]) -> None:
    for path, method, operation in operations(described):
        codes = {code for code in operation["responses"] if code >= "400"}
        where = f"{method} {path}"
        if path in ("/healthz", "/readyz"):
            assert operation["security"] == []
            continue
        assert {"401", "403", "421", "429", "503"} <= codes, where
        if "{" in path or "parameters" in operation:
            assert "422" in codes, where
        for code in codes - {"503"}:
            assert PROBLEM in operation["responses"][code]["content"], (where, code)


def test_every_schema_that_is_named_is_there(described: dict[str, Any]) -> None:
    named: set[str] = set()

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            if isinstance(value.get("$ref"), str):
                named.add(value["$ref"].removeprefix("#/components/schemas/"))
            for part in value.values():
                walk(part)
        elif isinstance(value, list):
            for part in value:
                walk(part)

    walk(described)
    assert named <= described["components"]["schemas"].keys()


def test_the_examples_fit_their_schemas(described: dict[str, Any]) -> None:
    for path, method, operation in operations(described):
        for code, answer in operation["responses"].items():
            media = answer.get("content", {}).get("application/json", {})
            if "example" in media:
                schema = {**media["schema"], "components": described["components"]}
                found = [
                    error.message for error in Draft202012Validator(schema).iter_errors(media["example"])
                ]
                assert found == [], (path, method, code)


def undescribed(value: Any, schema: dict[str, Any], described: dict[str, Any], at: str) -> Iterator[str]:
    """Keys of a real answer that its schema does not name; objects that it leaves open are left alone."""
    while "$ref" in schema:
        schema = described["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    kind = {dict: "object", list: "array"}.get(type(value))
    if kind is None:
        return
    for one in schema.get("anyOf", ()):
        yield from undescribed(value, one, described, at)
    if schema.get("type") != kind:
        return
    if isinstance(value, list):
        for one in value:
            yield from undescribed(one, schema.get("items", {}), described, f"{at}[]")
        return
    known, others = schema.get("properties"), schema.get("additionalProperties")
    for key, one in value.items():
        if known is not None and key in known:
            yield from undescribed(one, known[key], described, f"{at}.{key}")
        elif isinstance(others, dict):
            yield from undescribed(one, others, described, f"{at}.*")
        elif known is not None:
            yield f"{at}.{key}"


def test_every_key_of_an_answer_is_described(described: dict[str, Any], service: Spawned) -> None:
    """A schema that names a part of an answer is satisfied by the whole, so nothing else sees this."""
    job = service.trusted("GET", "/jobs").json()["jobs"][0]["id"]
    fill = {"project": "shop", "job": job, "path": "a.py"}
    seen = 0
    for path, method, operation in operations(described):
        content = operation["responses"].get("200", {}).get("content", {})
        if method != "get" or "application/json" not in content:
            continue
        asked = re.sub(r"{(\w+)(?::\w+)?}", lambda found: fill[found[1]], path)
        answer = service.trusted("GET", asked, params={"q": "alpha"} if path.endswith("find") else None)
        assert answer.status_code == 200, (asked, answer.text)
        schema = content["application/json"]["schema"]
        assert sorted(set(undescribed(answer.json(), schema, described, path))) == []
        seen += 1
    assert seen >= 20


def test_no_answer_leaves_the_description(
    described: dict[str, Any], service: Spawned, tmp_path: Path
) -> None:
    """Positive and negative requests, made from the description; each answer is held against it: status,
    media type, headers, schema, and what a wrong method or a missing token gets."""
    (tmp_path / "openapi.json").write_text(json.dumps(narrowed(described, service)))
    # A project that is being removed or could not be opened is answered with a 503, as described.
    (tmp_path / "schemathesis.toml").write_text(
        '[checks.not_a_server_error]\nexpected-statuses = ["2xx", "3xx", "4xx", 503]\n'
    )
    program = os.path.join(sysconfig.get_path("scripts"), "schemathesis")
    done = subprocess.run(
        [
            *(program, "--config-file", "schemathesis.toml", "run", "openapi.json", "--url", service.url),
            *("--header", f"Authorization: Bearer {service.token}", "--max-examples", str(EXAMPLES)),
            *("--phases", "examples,coverage,fuzzing", "--generation-deterministic", "--no-color"),
            *("--exclude-path-regex", "events$", "--continue-on-failure"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=110,
    )
    assert done.returncode == 0, done.stdout[-6_000:] + done.stderr[-2_000:]
    assert int(re.findall(r"(\d+) generated", done.stdout)[-1]) > 500


def narrowed(described: dict[str, Any], service: Spawned) -> dict[str, Any]:
    """The description without what it cannot express. A cursor or a clock is a text that an earlier answer
    gave, so that no text that fits its schema is one; a source has to be on this machine."""
    told: dict[str, Any] = json.loads(json.dumps(described).replace("/srv/shop", service.note))
    for _path, _method, operation in operations(told):
        operation["parameters"] = [
            one for one in operation.get("parameters", []) if one["name"] not in ("cursor", "since")
        ]
    content = told["paths"]["/projects"]["post"]["requestBody"]["content"]["application/json"]
    del content["examples"]["git"]
    told["components"]["schemas"]["NewProject"]["properties"]["source"] = {"const": service.note}
    return told
