"""The tools over HTTP: several projects behind one address, as the official client sees them."""

import json
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx2
import jsonschema
import pytest
import uvicorn
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from starlette.applications import Starlette
from starlette.routing import Route

import hub_kit
from currant.hub import Hub, lifecycle
from currant.mcp import http_app
from mcp_kit import fresh, initialize, refused, told


@contextmanager
def serving(hub: Hub) -> Iterator[str]:
    """A server of nothing but the tools; its address."""
    app = http_app(hub)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with app.running():
            yield

    listener = lifecycle.listen(0)
    config = uvicorn.Config(
        Starlette(routes=[Route("/mcp", app)], lifespan=lifespan),
        log_config=None,
        access_log=False,
        ws="none",
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="test-mcp")
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/mcp"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


@pytest.fixture(scope="module")
def trees(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    made = {}
    for name in ("red", "blue"):
        root = tmp_path_factory.mktemp("trees") / name
        root.mkdir()
        (root / "a.py").write_text(f"def in_{name}():\n    pass\n")
        made[name] = root
    return made


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setattr("currant.mcp.answers._SYNC_MS", 60_000)  # on a busy machine 2 s are not enough
    with hub_kit.running(tmp_path / "home") as running:
        yield running


def add(hub: Hub, root: Path) -> str:
    """A project that is ready; its id."""
    project, job = hub.add_project(str(root))
    hub_kit.completed(hub, job.id)
    hub_kit.until(hub, lambda: hub.project(project.id).state == "ready")
    return project.id


def talk(hub: Hub, words: Callable[[Client], Awaitable[None]], mode: Any = "auto") -> None:
    """Run a conversation."""

    async def run(url: str) -> None:
        async with (
            httpx2.AsyncClient(trust_env=False) as http,
            Client(streamable_http_client(url, http_client=http), mode=mode) as client,
        ):
            await words(client)

    with serving(hub) as url:
        anyio.run(run, url)


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_each_project_by_its_name_and_nothing_of_the_others(
    hub: Hub, trees: dict[str, Path], mode: str
) -> None:
    ids = {name: add(hub, root) for name, root in trees.items()}

    async def words(client: Client) -> None:
        tools = (await client.list_tools()).tools
        assert 0 < len(tools) <= 8
        for tool in tools:
            assert "project" in tool.input_schema["properties"]
            jsonschema.Draft202012Validator.check_schema(tool.input_schema)
        hints = {tool.name: tool.annotations for tool in tools}
        assert [name for name, hint in hints.items() if hint and hint.open_world_hint] == ["refresh"]

        listed = await told(client, "status")
        assert {(one["id"], one["name"], one["state"]) for one in listed["projects"]} == {
            (ids[name], name, "ready") for name in trees
        }
        for name in trees:
            for project in (name, ids[name]):
                found = await told(client, "find_symbol", name="in_", project=project)
                assert found["fresh"]
                assert [hit["name"] for hit in found["hits"]] == [f"in_{name}"]
        assert (await told(client, "status", project="red"))["root"] == str(trees["red"])
        text = await refused(client, "find_symbol", name="in_")
        assert "give one as project (red, blue)" in text
        assert "green" in await refused(client, "find_symbol", name="in_", project="green")

    talk(hub, words, mode)


def test_the_only_project_needs_no_name_and_changes_are_in_the_next_answer(
    hub: Hub, trees: dict[str, Path]
) -> None:
    add(hub, trees["red"])

    async def words(client: Client) -> None:
        assert (await told(client, "find_symbol", name="in_red"))["hits"]
        (trees["red"] / "b.py").write_text("def written_now():\n    pass\n")
        assert (await told(client, "find_symbol", name="written_now"))["hits"]
        answer = await told(client, "refresh")
        assert answer["fresh"]
        assert "job" not in answer

    talk(hub, words)


def test_without_a_project_the_way_to_one_is_told(hub: Hub) -> None:
    async def words(client: Client) -> None:
        assert "currant project add" in (await told(client, "status"))["note"]
        assert "none yet" in await refused(client, "drift")

    talk(hub, words)


def test_a_project_from_git_is_fetched_by_refresh(hub: Hub, make_repo: Callable[[str], Any]) -> None:
    repo = make_repo("origin")
    repo.write({"a.py": "def first():\n    pass\n"}).commit()
    project = add(hub, f"file://{repo.root}")  # type: ignore[arg-type]
    repo.write({"b.py": "def second():\n    pass\n"}).commit()

    async def words(client: Client) -> None:
        assert not (await told(client, "find_symbol", name="second"))["hits"]
        job = (await told(client, "refresh", project=project))["job"]
        await anyio.to_thread.run_sync(hub_kit.completed, hub, job)
        assert (await told(client, "find_symbol", name="second"))["hits"]
        # More often than the limit allows: the tool says when.
        for _ in range(hub.settings.jobs.refresh_limit - 1):
            job = (await told(client, "refresh", project=project))["job"]
            await anyio.to_thread.run_sync(hub_kit.finished, hub, job)
        assert "again in" in await refused(client, "refresh", project=project)

    talk(hub, words)


def test_it_answers_only_while_it_runs(hub: Hub) -> None:
    app = http_app(hub)

    async def run() -> None:
        with pytest.raises(RuntimeError, match="not running"):
            await app({"type": "http"}, None, None)  # type: ignore[arg-type]
        for _ in range(2):  # and again, in a service that is started twice
            async with app.running():
                pass

    anyio.run(run)


def test_an_answer_does_not_wait_for_an_acknowledgement() -> None:
    """Headers and body are two writes: with Nagle's algorithm each answer took 44 ms instead of 4."""
    with lifecycle.listen(0) as listener, socket.create_connection(listener.getsockname()):
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@pytest.fixture
def service(tmp_path: Path, trees: dict[str, Path]) -> Iterator[tuple[str, str]]:
    """`currant serve` in a process of its own with one project: address and token."""
    home = tmp_path / "service"
    words = [sys.executable, "-m", "currant"]
    add = [*words, "project", "add", str(trees["blue"]), "--home", str(home)]
    subprocess.run(add, check=True, capture_output=True)
    serve = [*words, "serve", "--port", "0", "--json", "--home", str(home)]
    with subprocess.Popen(serve, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        url = json.loads(process.stdout.readline())["url"].rstrip("/")
        yield f"{url}/mcp", (home / "token").read_text().strip()
        process.terminate()
        assert process.wait() == 0


def test_the_service_asks_for_token_host_and_origin(service: tuple[str, str]) -> None:
    url, token = service
    bearer = {"Authorization": f"Bearer {token}"}
    body = initialize()
    accept = {"Accept": "application/json, text/event-stream"}
    with httpx2.Client(trust_env=False, headers=accept) as http:
        for headers, status in (
            ({}, 401),
            ({"Authorization": "Bearer wrong"}, 401),
            ({**bearer, "Host": "evil.example"}, 421),
            ({**bearer, "Origin": "https://evil.example"}, 403),
            (bearer, 200),
        ):
            assert http.post(url, json=body, headers=headers).status_code == status, headers

    async def talk() -> None:
        async with (
            httpx2.AsyncClient(trust_env=False, headers=bearer) as http,
            Client(streamable_http_client(url, http_client=http)) as client,
        ):
            while (await told(client, "status"))["projects"][0]["state"] != "ready":
                await told(client, "refresh", wait_seconds=30)
            assert (await fresh(client, "find_symbol", name="in_blue"))["hits"]

    anyio.run(talk)


def test_a_clone_that_cannot_be_fetched_is_not_stale_in_silence(hub: Hub, trees: dict[str, Path]) -> None:
    project = add(hub, trees["red"])
    with hub.database.write() as connection:
        connection.execute("UPDATE project SET kind = 'git'")
    hub.ledger.fetched(project, "git fetch failed")

    async def words(client: Client) -> None:
        found = await client.call_tool("find_symbol", {"name": "in_red"})
        assert found.structured_content is not None
        assert "origin_unreachable" in found.structured_content["degraded"]

    talk(hub, words)
