"""The workflows of GitHub cannot run here. What can be held to them: they are YAML, run files that exist, and
ask for what the project says it supports."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

PROJECT = Path(__file__).resolve().parent.parent
WORKFLOWS = PROJECT / ".github" / "workflows"

pytestmark = pytest.mark.skipif(not WORKFLOWS.exists(), reason="a source distribution has none")


def load(name: str) -> dict[Any, Any]:
    loaded: dict[Any, Any] = yaml.safe_load((WORKFLOWS / name).read_text())
    return loaded


def steps(name: str) -> list[dict[str, Any]]:
    return [step for job in load(name)["jobs"].values() for step in job["steps"]]


@pytest.mark.parametrize("name", ["ci.yml", "release.yml"])
def test_what_they_run_is_there(name: str) -> None:
    lines = "\n".join(step.get("run", "") for step in steps(name))
    named = re.findall(r"(?:^|python )((?:\.ci|tools|benches|tests)/[\w./]+)", lines, re.M)
    assert named
    assert [path for path in named if not (PROJECT / path).exists()] == []


@pytest.mark.parametrize("name", ["ci.yml", "release.yml"])
def test_they_may_only_read_and_no_token_stays_in_a_checkout(name: str) -> None:
    assert load(name)["permissions"] == {"contents": "read"}
    for step in steps(name):
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


def test_the_oldest_of_everything_is_tested() -> None:
    ci = load("ci.yml")["jobs"]
    rust = tomllib.loads((PROJECT / "rust" / "Cargo.toml").read_text())["package"]["rust-version"]
    assert ci["oldest-rust"]["steps"][1]["with"]["toolchain"] == rust
    python = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["requires-python"]
    assert python == f">={ci['tests']['strategy']['matrix']['python'][0]}"


def test_every_platform_has_a_wheel() -> None:
    targets = {
        entry["target"] for entry in load("release.yml")["jobs"]["wheels"]["strategy"]["matrix"]["include"]
    }
    linux = {f"{cpu}-unknown-linux-{libc}" for cpu in ("x86_64", "aarch64") for libc in ("gnu", "musl")}
    assert targets == linux | {"x86_64-apple-darwin", "aarch64-apple-darwin", "x86_64-pc-windows-msvc"}


def test_nothing_is_published_but_by_a_tag_and_without_a_secret() -> None:
    publish = load("release.yml")["jobs"]["publish"]
    assert publish["if"] == "startsWith(github.ref, 'refs/tags/v')"
    assert publish["permissions"]["id-token"] == "write"
    assert "secrets." not in (WORKFLOWS / "release.yml").read_text()
