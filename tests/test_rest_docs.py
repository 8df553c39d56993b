"""docs/rest.md and docs/metrics.md against the program: routes, types of problems, settings, metrics."""

import re
from pathlib import Path
from typing import get_args

import msgspec
from prometheus_client.parser import text_string_to_metric_families

import hub_kit
from conftest import Tree
from currant import graph
from currant.config import ServeSettings
from currant.rest import create_app, problems
from currant.rest.routes import index
from rest_kit import serving

DOCS = Path(__file__).resolve().parent.parent / "docs"


def words(document: str) -> set[str]:
    """What stands in backticks."""
    return set(re.findall(r"`([^`\n]+)`", (DOCS / document).read_text()))


def test_every_route_is_documented_and_no_other(tmp_path: Path) -> None:
    with hub_kit.running(tmp_path / "home") as hub:
        described = create_app(hub).openapi()["paths"]
    there = {f"{method.upper()} {path}" for path, methods in described.items() for method in methods}
    named = {word for word in words("rest.md") if re.match(r"(GET|POST|DELETE|PUT) /", word)}
    assert named - {"GET /openapi.json", "POST /mcp"} == there


def test_every_type_of_problem_is_documented_with_its_status() -> None:
    rows = re.findall(r"^\| (`[a-z-]+`.*?) \| ([0-9, ]+) \|", (DOCS / "rest.md").read_text(), re.M)
    named = {
        slug: {int(code) for code in codes.split(",")}
        for slugs, codes in rows
        for slug in re.findall(r"`([a-z-]+)`", slugs)
    }
    assert {kind.slug for kind in problems.KINDS} == named.keys()
    for kind in problems.KINDS:
        assert kind.status in named[kind.slug], kind


def test_every_setting_of_the_service_is_documented() -> None:
    named = words("service.md")
    assert {f"serve.{field.name}" for field in msgspec.structs.fields(ServeSettings)} - named == set()


def test_every_metric_is_documented_and_no_other(tmp_path: Path, tree: Tree) -> None:
    tree.write({"a.py": "x = 1\n"})
    with serving(tmp_path / "home") as service:
        service.add(tree.root)
        service.get("/projects")
        text = service.client.get("/metrics").text
    there = set()
    for family in text_string_to_metric_families(text):
        there.add(family.name + ("_total" if family.type == "counter" else ""))
    named = {word for word in words("metrics.md") if re.fullmatch(r"(currant|process)_[a-z_]+", word)}
    assert there == named


def test_every_kind_of_drift_can_be_asked_for() -> None:
    assert set(get_args(index.Kind)) == set(graph.KINDS)
