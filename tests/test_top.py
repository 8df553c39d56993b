"""`currant top`: one snapshot for programs and for pipes, and what a person sees."""

import json
from pathlib import Path
from typing import Any

import pytest

from conftest import Tree
from currant import cli
from currant.cli.top import look, render
from currant.errors import RemoteError, ServiceUnreachable
from currant.hub import Address
from currant.rest.client import RestClient
from rest_kit import serving


def shown(told: dict[str, Any], trouble: str = "") -> str:
    from rich.console import Console

    console = Console(width=120, no_color=True)
    with console.capture() as caught:
        console.print(render(told, told["jobs"][0]["created_at"] + 61 if told["jobs"] else 0.0, trouble))
    return caught.get()


def test_a_service_is_shown_for_programs_and_for_people(
    tmp_path: Path, tree: Tree, capsys: pytest.CaptureFixture[str]
) -> None:
    tree.write({"a.py": "x = 1\n"})
    home = tmp_path / "home"
    with serving(home) as service:
        service.hub.home.announce(Address(1, service.port, 0.0))
        service.add(tree.root, name="shop")
        assert cli.run(["top", "--home", str(home), "--json"]) == 0
        told = json.loads(capsys.readouterr().out)
        assert told["projects"][0]["name"] == "shop"
        assert told["projects"][0]["index"]["files"] == 1
        assert {job["status"] for job in told["jobs"]} == {"completed"}
        assert cli.run(["top", "--home", str(home)]) == 0
        text = capsys.readouterr().out
        client = RestClient(home)
        assert shown(look(client)).count("shop") >= 2
        with pytest.raises(RemoteError, match="no project 'none'"):
            client.ask("/projects/none")
    assert "shop" in text
    assert "ready" in text
    assert "project_processing" in text


def test_without_a_service_it_says_how_to_start_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["top", "--home", str(tmp_path / "home"), "--json"]) == ServiceUnreachable.exit_code
    told = json.loads(capsys.readouterr().out)
    assert "currant serve" in told["error"]["message"]


def test_names_cannot_steer_the_terminal_and_trouble_is_on_top() -> None:
    index = {
        **{"fresh": False, "files": 10, "degraded": ["unwatched"], "files_per_second": 5.0},
        "progress": {"done": 3, "total": 10},
    }
    project = {"id": "1", "name": "a\x1b[2Jb", "state": "indexing", "error": None, "index": index}
    service = {
        **{"pid": 1, "uptime_seconds": 5.0, "phase": "running"},
        "queue": {"pending": 1, "processing": 0, "failed": 2, "oldest_pending_age_s": 90.0},
    }
    told = {"service": service, "projects": [project], "jobs": [], "maintenance": []}
    text = shown(told, "it went away")
    assert "\x1b[2J" not in text
    assert "\\x1b[2Jb" in text
    assert "NOT CURRENT: it went away" in text
    assert "3 of 10" in text
    assert "oldest 1:30 min" in text


def test_what_is_worse_than_perfect_is_on_lines_of_its_own() -> None:
    service = {
        **{"pid": 1, "uptime_seconds": 5.0, "phase": "running"},
        "queue": {"pending": 0, "processing": 0, "failed": 0},
        "degraded": [{"code": "budget_cache", "what": "the cache is small", "fix": "wait"}],
    }
    task = {"name": "HealthCheck", "last_error": "no \x1b[2J disk"}
    text = shown({"service": service, "projects": [], "jobs": [], "maintenance": [task]})
    lines = [line.strip(" │") for line in text.splitlines()]
    assert "the cache is small: wait" in lines
    assert "upkeep HealthCheck: no \\x1b[2J disk" in lines
