"""docs/rest-reference.md: every route with its parameters and answers, from the service's OpenAPI description."""

import json
import tempfile
from pathlib import Path
from typing import Any

from currant.config import load_service_settings
from currant.hub import Hub
from currant.rest import create_app
from tools.references.words import GENERATED, default, kind, table

TOP = """# Every route

From the description that the service gives of itself, `GET /openapi.json`. [The REST interface](rest.md) says what holds
for all routes: the token, freshness, pages, errors, event streams. Every route may also answer with the problems listed
there; here is what each adds."""

# What the guard in front of all routes answers with is said once, in rest.md.
OF_ALL = {"401", "403", "408", "413", "421", "429", "500", "503"}


def described() -> dict[str, Any]:
    """The OpenAPI description, of a service that nobody asks anything."""
    with tempfile.TemporaryDirectory() as home:
        settings = load_service_settings(flags={"jobs.workers": 1, "serve.soft_stop_s": 0}, environ={})
        with Hub(Path(home) / "home", settings) as hub:
            api: dict[str, Any] = create_app(hub).openapi()
            return api


def page() -> str:
    """The whole page."""
    api = described()
    lines = [GENERATED, "", TOP, ""]
    for path, methods in api["paths"].items():
        for method, route in methods.items():
            lines += _route(method.upper(), path, route)
    lines += ["## Shapes", "", "What the answers are made of.", ""]
    for name, schema in sorted(api["components"]["schemas"].items()):
        lines += _shape(name, schema)
    return "\n".join(lines).rstrip() + "\n"


def _route(method: str, path: str, route: dict[str, Any]) -> list[str]:
    lines = [f"## {method} {path}", "", f"{route.get('summary', '').rstrip('.')}.", ""]
    if route.get("description"):
        lines += [route["description"].strip(), ""]
    parameters = [
        (
            f"`{one['name']}`",
            one["in"],
            kind(one["schema"]) + (", required" if one.get("required") and one["in"] != "path" else ""),
            default(one["schema"].get("default")),
            one.get("description", ""),
        )
        for one in route.get("parameters", [])
    ]
    lines += table(("parameter", "in", "type", "default", "meaning"), parameters)
    body = route.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    if body:
        lines += [f"The body is {kind(body)}.", ""]
    answers = []
    for code, answer in sorted(route["responses"].items()):
        if code in OF_ALL and code != "503":
            continue
        content = answer.get("content", {})
        shapes = [kind(one["schema"]) if one.get("schema") else mime for mime, one in content.items()]
        answers.append((code, answer["description"], ", ".join(shapes)))
    lines += table(("status", "meaning", "answer"), answers)
    example = _example(route)
    if example is not None:
        lines += ["```json", json.dumps(example, indent=2), "```", ""]
    return lines


def _example(route: dict[str, Any]) -> Any:
    for code, answer in sorted(route["responses"].items()):
        if code.startswith("2"):
            for one in answer.get("content", {}).values():
                if one.get("example") is not None:
                    return one["example"]
    return None


def _shape(name: str, schema: dict[str, Any]) -> list[str]:
    lines = [f"### {name}", ""]
    if schema.get("description"):
        lines += [" ".join(schema["description"].split()), ""]
    if "enum" in schema:
        return [*lines, "One of " + ", ".join(f"`{one}`" for one in schema["enum"]) + ".", ""]
    needed = set(schema.get("required", ()))
    keys = [
        (f"`{key}`", kind(one) + ("" if key in needed else ", may be absent") + _null(one))
        for key, one in schema.get("properties", {}).items()
    ]
    return lines + table(("key", "type"), keys)


def _null(schema: dict[str, Any]) -> str:
    return ", or null" if any(one.get("type") == "null" for one in schema.get("anyOf", ())) else ""
