"""The tools for agents, as the official client sees them over a pipe."""

import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client, StdioServerParameters


@pytest.fixture
def root(tmp_path: Path) -> Path:
    tree = tmp_path / "repo"
    (tree / "src").mkdir(parents=True)
    (tree / "src" / "rates.py").write_text(
        '"""Rate limits."""\n\n\ndef take_token(count):\n    """Take a token out of the bucket."""\n'
    )
    return tree


@asynccontextmanager
async def connected(root: Path) -> AsyncIterator[Client]:
    """A client whose server is a process of its own."""
    command = ["-m", "currant", "mcp", "--root", os.fspath(root)]
    environment = {name: os.environ[name] for name in ("PYTHONPATH", "HOME") if name in os.environ}
    async with Client(StdioServerParameters(command=sys.executable, args=command, env=environment)) as client:
        yield client


async def told(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    """A tool's answer; its text must be the same."""
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content
    text = result.content[0].text  # type: ignore[union-attr]
    assert json.loads(text) == result.structured_content
    answer: dict[str, Any] = json.loads(text)
    return answer


def test_a_definition_is_found_by_a_real_client(root: Path) -> None:
    async def talk() -> None:
        async with connected(root) as client:
            listed = await client.list_tools()
            assert len(listed.tools) <= 8
            found = await told(client, "find_symbol", name="take_tok")
            assert found["fresh"]
            assert found["hits"] == [
                {
                    **{"path": "src/rates.py", "line": 4, "end": 5, "name": "take_token", "kind": "function"},
                    **{"signature": "def take_token(count)", "doc": "Take a token out of the bucket."},
                    "match": "prefix",
                }
            ]

    anyio.run(talk)
