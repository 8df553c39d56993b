"""The tools for agents, as the official client sees them: what they answer, and what they refuse."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import anyio
import jsonschema
import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError

from currant.api import Index, open_index
from currant.mcp import catalogue
from currant.mcp.server import build
from currant.mcp.shapes import ProjectLine
from currant.mcp.source import One
from mcp_kit import connected, fresh, refused, told

ODD = os.fsdecode(b"src/\xff odd.py")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    tree = tmp_path / "repo"
    (tree / "src").mkdir(parents=True)
    (tree / "docs").mkdir()
    (tree / "src" / "rates.py").write_text(
        '"""Rate limits for everybody."""\n\n\n'
        'def take_token(count):\n    """Take a token out of the bucket."""\n\n\n'
        "class Bucket:\n    def refill(self):\n        pass\n"
    )
    (tree / "src" / "other.py").write_text("def take_none():\n    pass\n")
    (tree / "docs" / "guide.md").write_text(
        "# Guide\n\nSee [the code](../src/rates.py) and [this](gone.md).\n"
    )
    (tree / ODD).write_text("def odd_one():\n    pass\n")
    return tree


@pytest.fixture
def index(root: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    monkeypatch.setattr("currant.mcp.answers._SYNC_MS", 60_000)  # on a busy machine 2 s are not enough
    flags = {"monitor.debounce_ms": 5, "monitor.max_delay_ms": 50}
    with open_index(root, flags=flags) as opened:
        opened.sync(60)
        yield opened


class Opened:
    """A source of one index that is open."""

    several = False

    def __init__(self, index: Index) -> None:
        self._index = index

    def index(self, project: str) -> Index:
        return self._index

    def projects(self) -> list[ProjectLine]:
        return []

    def refresh(self, project: str) -> str:
        return ""

    def worse(self, project: str) -> list[str]:
        return []


@asynccontextmanager
async def beside(index: Index, budget: int = 2_000) -> AsyncIterator[Client]:
    """A client in this process."""
    async with Client(build(Opened(index), budget=budget)) as client:
        yield client


def talk(index: Index, words: Callable[[Client], Awaitable[None]], **options: Any) -> None:
    """Run a conversation."""

    async def run() -> None:
        async with beside(index, **options) as client:
            await words(client)

    anyio.run(run)


def test_over_a_pipe(root: Path) -> None:
    async def run() -> None:
        async with connected(root) as client:
            found = await fresh(client, "find_symbol", name="take_tok")
            (hit,) = found["hits"]
            assert (hit["path"], hit["line"], hit["match"]) == ("src/rates.py", 4, "prefix")
            # A change is in the next answer, without a word about it.
            (root / "src" / "new.py").write_text("def just_written():\n    pass\n")
            assert [
                hit["path"] for hit in (await told(client, "find_symbol", name="just_written"))["hits"]
            ] == ["src/new.py"]

    anyio.run(run)


def test_at_most_eight_tools_each_with_schemas_and_hints(index: Index) -> None:
    async def words(client: Client) -> None:
        tools = (await client.list_tools()).tools
        assert 0 < len(tools) <= 8
        for tool in tools:
            jsonschema.Draft202012Validator.check_schema(tool.input_schema)
            assert tool.output_schema is not None
            jsonschema.Draft202012Validator.check_schema(tool.output_schema)
            assert tool.input_schema["type"] == tool.output_schema["type"] == "object"
            assert tool.annotations is not None
            assert tool.annotations.read_only_hint
            assert "project" not in tool.input_schema["properties"]
            assert tool.description
            assert len(tool.description) < 320

    talk(index, words)


def test_find_symbol(index: Index) -> None:
    async def words(client: Client) -> None:
        found = await told(client, "find_symbol", name="take_")
        assert [hit["name"] for hit in found["hits"]] == ["take_none", "take_token"]
        found = await told(client, "find_symbol", name="take_", path="src/rates.py")
        assert [hit["name"] for hit in found["hits"]] == ["take_token"]
        found = await told(client, "find_symbol", name="refill", kind="method", language="python")
        assert found["hits"][0]["parent"] == "Bucket"
        found = await told(client, "find_symbol", name="odd_one", exact=True)
        assert found["hits"][0]["path"] == "src/\\xff odd.py"
        found = await told(client, "find_symbol", name="take_tokn")
        assert found["hits"][0]["match"] == "typo"
        found = await told(client, "find_symbol", name="no such thing")
        assert found["hits"] == []
        assert "No definition" in found["note"]

    talk(index, words)


def test_search_reads_documentation_and_headers(index: Index) -> None:
    async def words(client: Client) -> None:
        found = await told(client, "search", query="token bucket")
        assert [(hit["name"], hit["match"]) for hit in found["hits"]] == [("take_token", "documentation")]
        found = await told(client, "search", query="limits everybody")
        assert [(hit["path"], hit["kind"]) for hit in found["hits"]] == [("src/rates.py", "file")]

    talk(index, words)


def test_search_finds_files_by_their_path(index: Index) -> None:
    async def words(client: Client) -> None:
        found = await told(client, "search", query="RATES", kind="path")
        assert [(hit["path"], hit["name"], hit["kind"]) for hit in found["hits"]] == [
            ("src/rates.py", "rates.py", "path")
        ]
        found = await told(client, "search", query="src/*.py", kind="path", limit=1)
        assert (len(found["hits"]), found["next_offset"]) == (1, 1)
        found = await told(client, "search", query="*.nothing", kind="path")
        assert found["hits"] == []
        assert "No indexed file" in found["note"]

    talk(index, words)


def test_file_record(index: Index, root: Path) -> None:
    async def words(client: Client) -> None:
        record = await told(client, "file_record", path="src/rates.py")
        assert record["header"]["intent"] == "Rate limits for everybody."
        assert [one["name"] for one in record["definitions"]] == ["take_token", "Bucket", "refill"]
        assert await told(client, "file_record", path=str(root / "src" / "rates.py")) == record
        assert await told(client, "file_record", path="docs/../src/./rates.py") == record
        odd = await told(client, "file_record", path="src/\\xff odd.py")
        assert [one["name"] for one in odd["definitions"]] == ["odd_one"]

    talk(index, words)


def test_a_name_that_looks_like_an_escaped_one_is_itself(index: Index, root: Path) -> None:
    (root / "a\\xff.py").write_text("def literally():\n    pass\n")

    async def words(client: Client) -> None:
        record = await told(client, "file_record", path="a\\xff.py")
        assert [one["name"] for one in record["definitions"]] == ["literally"]

    talk(index, words)


def test_references_both_ways(index: Index) -> None:
    async def words(client: Client) -> None:
        code = await told(client, "references", path="src/rates.py")
        assert [(one["path"], one["line"]) for one in code["incoming"]] == [("docs/guide.md", 3)]
        guide = await told(client, "references", path="docs/guide.md", direction="out")
        assert "incoming" not in guide
        assert [(one["target"], one["state"]) for one in guide["outgoing"]] == [
            ("../src/rates.py", "file"),
            ("gone.md", "missing"),
        ]

    talk(index, words)


def test_changes_since(index: Index, root: Path) -> None:
    async def words(client: Client) -> None:
        start = await told(client, "changes_since")
        assert "changes" not in start
        (root / "src" / "new.py").write_text("def new():\n    pass\n")
        (root / "src" / "other.py").unlink()
        page = await told(client, "changes_since", clock=start["clock"])
        assert {(one["path"], one["change"]) for one in page["changes"]} == {
            ("src/new.py", "created"),
            ("src/other.py", "deleted"),
        }
        assert "changes" not in await told(client, "changes_since", clock=page["clock"])
        # One at a time leads to the same end.
        seen, clock = set(), start["clock"]
        while changes := (page := await told(client, "changes_since", clock=clock, limit=1)).get("changes"):
            seen |= {one["path"] for one in changes}
            clock = page["clock"]
        assert seen == {"src/new.py", "src/other.py"}
        unknown = await told(client, "changes_since", clock="c:00000000:1")
        assert unknown["reset"]
        assert "changes" not in unknown
        assert unknown["clock"] == clock

    talk(index, words)


def test_status_and_refresh(index: Index, root: Path) -> None:
    async def words(client: Client) -> None:
        status = await told(client, "status")
        assert (status["files"], status["total"], status["percent"]) == (4, 4, 100.0)
        assert status["owner_pid"] == os.getpid()
        assert status["root"] == str(root)
        (root / "new.py").write_text("")
        assert (await told(client, "refresh", paths=["new.py"], wait_seconds=30))["fresh"]
        assert (await told(client, "refresh"))["fresh"]
        assert (await told(client, "status"))["files"] == 5

    talk(index, words)


def test_drift(index: Index) -> None:
    async def words(client: Client) -> None:
        told_all = await told(client, "drift")
        assert [(one["path"], one["target"]) for one in told_all["findings"]] == [
            ("docs/guide.md", "gone.md")
        ]
        assert told_all["by_kind"] == {"dead": 1}
        assert (await told(client, "drift", path="docs"))["total"] == 1
        assert "total" not in await told(client, "drift", path="src")
        assert "total" not in await told(client, "drift", kinds=["anchor"])

    talk(index, words)


@pytest.mark.parametrize(
    ("tool", "arguments", "says"),
    [
        ("find_symbol", {}, "missing required field `name`. It takes: name (required), "),
        ("find_symbol", {"name": ""}, "name: "),
        ("find_symbol", {"name": "x" * 501}, "name: "),
        ("find_symbol", {"name": "x", "limit": 0}, "limit: "),
        ("find_symbol", {"name": "x", "limit": "many"}, "limit: "),
        ("find_symbol", {"name": "x", "wrong": 1}, "unknown field `wrong`"),
        ("find_symbol", {"name": "x", "project": "p"}, "one root"),
        ("file_record", {"path": "src/rates.py\0"}, "NUL"),
        ("file_record", {"path": "../../etc/passwd"}, "is not below"),
        ("file_record", {"path": "/etc/passwd"}, "is not below"),
        ("file_record", {"path": "."}, "name a file"),
        ("file_record", {"path": "src"}, "not in the index"),
        ("file_record", {"path": "lib/rates.py"}, "there is src/rates.py"),
        ("references", {"path": "nowhere.py"}, "not in the index"),
        ("references", {"path": "src/rates.py", "direction": "up"}, "direction: "),
        ("drift", {"kinds": ["silly"]}, "there are: "),
        ("refresh", {"paths": ["/etc"]}, "is not below"),
        ("refresh", {"wait_seconds": 3_600}, "wait_seconds: "),
        ("changes_since", {"clock": 5.5}, "clock: "),
    ],
)
def test_what_cannot_be_answered_is_an_error_with_the_way_out(
    index: Index, tool: str, arguments: dict[str, Any], says: str
) -> None:
    async def words(client: Client) -> None:
        text = await refused(client, tool, **arguments)
        assert says in text
        assert "Traceback" not in text
        assert len(text) < 600

    talk(index, words)


def test_a_tool_that_is_not_there_is_an_error_of_the_protocol(index: Index) -> None:
    async def words(client: Client) -> None:
        with pytest.raises(MCPError, match="there are: find_symbol"):
            await client.call_tool("read_file", {"path": "/etc/passwd"})

    talk(index, words)


def test_what_clients_are_known_to_send_is_forgiven(index: Index) -> None:
    async def words(client: Client) -> None:
        found = await told(client, "find_symbol", name="take_", limit="1", exact="false", kind=None)
        assert len(found["hits"]) == 1
        assert (await told(client, "refresh", paths='["src/rates.py"]'))["fresh"]
        assert (await told(client, "refresh", paths="src/rates.py"))["fresh"]

    talk(index, words)


def test_a_fault_of_ours_is_told_without_its_insides(
    index: Index, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise KeyError("a secret of ours")

    monkeypatch.setattr(index, "ask", broken)

    async def words(client: Client) -> None:
        text = await refused(client, "find_symbol", name="x")
        assert "fault in Currant" in text
        assert "secret" not in text

    talk(index, words)
    assert "a secret of ours" in caplog.text


def test_an_index_that_cannot_be_opened_is_an_error_of_each_tool(tmp_path: Path) -> None:
    """The server itself starts: a client shows what a tool says, of a dead server only that it is dead."""

    async def run() -> None:
        async with connected(tmp_path, "--set", "monitor.debounce_ms=wrong") as client:
            assert (await client.list_tools()).tools
            assert "monitor.debounce_ms" in await refused(client, "status")

    anyio.run(run)


def test_every_tool_has_a_function() -> None:
    from currant.mcp.answers import _TOOLS

    assert _TOOLS.keys() == catalogue.TOOLS.keys()
    assert One(cast("Any", None)).projects() == []
