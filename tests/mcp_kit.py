"""Clients of `currant mcp`, for its tests: the official one over a pipe, and one that says exactly what it is
told."""

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from mcp import Client, StdioServerParameters

# Quick to react, so that nothing waits for the rest of a batch.
SETTINGS = ("--set", "monitor.debounce_ms=5", "--set", "monitor.max_delay_ms=50")
CLIENT = {"name": "a test", "version": "1"}
META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": CLIENT,
    "io.modelcontextprotocol/clientCapabilities": {},
}


def command(root: Path, *options: str) -> list[str]:
    """What starts a server."""
    return [sys.executable, "-m", "currant", "mcp", "--root", os.fspath(root), *SETTINGS, *options]


@asynccontextmanager
async def connected(root: Path, *options: str, **environment: str) -> AsyncIterator[Client]:
    """The official client, with a server that is a process of its own; `environment` is added to its own."""
    words = command(root, *options)
    environment |= {name: os.environ[name] for name in ("PYTHONPATH", "HOME") if name in os.environ}
    server = StdioServerParameters(command=words[0], args=words[1:], env=environment)
    async with Client(server) as client:
        yield client


async def told(client: Client, tool: str, /, **arguments: Any) -> dict[str, Any]:
    """A tool's answer. Its text and its structure must be the same; the client itself holds the structure
    against the schema."""
    result = await client.call_tool(tool, arguments)
    text = result.content[0].text  # type: ignore[union-attr]
    assert not result.is_error, text
    assert json.loads(text) == result.structured_content
    answer: dict[str, Any] = json.loads(text)
    return answer


async def fresh(client: Client, tool: str, /, **arguments: Any) -> dict[str, Any]:
    """The first answer that is fresh. Each waits a while by itself, on a busy machine not for long enough."""
    while not (answer := await told(client, tool, **arguments))["fresh"]:
        pass
    return answer


async def refused(client: Client, tool: str, /, **arguments: Any) -> str:
    """What a tool says that cannot do what it was asked for."""
    result = await client.call_tool(tool, arguments)
    assert result.is_error, result.content
    text: str = result.content[0].text  # type: ignore[union-attr]
    return text


class Server:
    """A server whose client is the test itself, line by line."""

    def __init__(self, root: Path, *options: str, environment: Mapping[str, str] | None = None) -> None:
        self.process = subprocess.Popen(
            command(root, *options),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **(environment or {})},
        )

    def send(self, *lines: Any) -> None:
        """Messages, or bytes as they are."""
        assert self.process.stdin is not None
        for line in lines:
            text = line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n"
            self.process.stdin.write(text)
        self.process.stdin.flush()

    def receive(self) -> dict[str, Any]:
        """The next message. Blocks until there is one."""
        assert self.process.stdout is not None
        message: dict[str, Any] = json.loads(self.process.stdout.readline())
        return message

    def ask(
        self, method: str, params: Mapping[str, Any] | None = None, asked: str | int = 1
    ) -> dict[str, Any]:
        """The answer to one request, which must be the next message."""
        self.send(request(method, params, asked))
        answer = self.receive()
        assert answer["id"] == asked, answer
        return answer

    def end(self) -> tuple[int, bytes, bytes]:
        """Close its input; its status, what else it wrote, and what it said on standard error."""
        out, err = self.process.communicate()
        return self.process.returncode, out, err

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()
        self.process.wait()


def request(method: str, params: Mapping[str, Any] | None = None, asked: str | int = 1) -> dict[str, Any]:
    """One request."""
    message = {"jsonrpc": "2.0", "id": asked, "method": method}
    return message if params is None else {**message, "params": dict(params)}


def initialize(version: str = "2025-06-18", asked: str | int = 0) -> dict[str, Any]:
    """The first request of a handshake."""
    return request(
        "initialize", {"protocolVersion": version, "capabilities": {}, "clientInfo": CLIENT}, asked
    )


INITIALIZED = {"jsonrpc": "2.0", "method": "notifications/initialized"}
