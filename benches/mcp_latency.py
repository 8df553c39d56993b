"""How soon `currant mcp` answers, how long its calls take and how long its answers are:
``python benches/mcp_latency.py [DIRECTORY] [--calls N] [--starts N]``.

On a copy of DIRECTORY (by default Python's standard library, without site-packages). Starts are timed by a
client of a few lines, from the creation of the process to each answer; calls by the official client, over
standard input and output and over HTTP to `currant serve`. Names, paths and words are drawn from the index
itself, with a fixed seed. A token is four characters. Prints Markdown tables.
"""

import argparse
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx2
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

from currant.api import open_index

WORDS = (
    "socket",
    "timeout",
    "parse",
    "header",
    "thread",
    "lock",
    "encode",
    "string",
    "file",
    "path",
    "error",
)
HANDSHAKE = {
    "jsonrpc": "2.0",
    "id": 0,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "bench", "version": "1"},
    },
}


def command(root: Path) -> list[str]:
    return [sys.executable, "-m", "currant", "mcp", "--root", os.fspath(root)]


def copy(source: Path, target: Path) -> None:
    skip = shutil.ignore_patterns("site-packages", "__pycache__", ".git", ".currant")
    shutil.copytree(source, target, ignore=skip, symlinks=True)


class Started:
    """A server, and a client that says what it is told to."""

    def __init__(self, root: Path) -> None:
        self.begun = time.perf_counter()
        self.process = subprocess.Popen(command(root), stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, message: dict[str, Any]) -> tuple[float, dict[str, Any]]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(message).encode() + b"\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return (time.perf_counter() - self.begun) * 1_000, answer

    def call(self, name: str, /, **arguments: Any) -> tuple[float, dict[str, Any]]:
        message = {"jsonrpc": "2.0", "id": 2, "method": "tools/call"}
        after, answer = self.ask({**message, "params": {"name": name, "arguments": arguments}})
        return after, answer["result"]["structuredContent"]

    def end(self) -> None:
        self.process.communicate()


def cpu(pid: int) -> float:
    """Milliseconds of processor that a process has used: the part of a start that no busy machine changes."""
    spent = [Path(task, "schedstat").read_text().split()[0] for task in Path(f"/proc/{pid}/task").iterdir()]
    return sum(map(int, spent)) / 1e6


def memory(pid: int) -> float:
    text = Path(f"/proc/{pid}/status").read_text()
    return int(text.split("VmRSS:")[1].split()[0]) / 1024


def start(root: Path) -> dict[str, float]:
    server = Started(root)
    times = {"initialize": server.ask(HANDSHAKE)[0]}
    times["CPU"] = cpu(server.process.pid)
    times["tools/list"] = server.ask({"jsonrpc": "2.0", "id": 1, "method": "tools/list"})[0]
    times["first find_symbol"], answer = server.call("find_symbol", name="OrderedDict")
    times["(fresh)"] = float(answer["fresh"])
    while not answer["fresh"]:
        times["fresh"], answer = server.call("find_symbol", name="OrderedDict")
    times.setdefault("fresh", times["first find_symbol"])
    times["MiB"] = memory(server.process.pid)
    server.end()
    return times


def starts(root: Path, count: int) -> None:
    print("| ms: median (best) | initialize | its CPU | tools/list | first find_symbol | first fresh | MiB |")
    print("|---|---|---|---|---|---|---|")

    def row(name: str, runs: list[dict[str, float]]) -> None:
        columns = ("initialize", "CPU", "tools/list", "first find_symbol", "fresh", "MiB")
        cells = []
        for column in columns:
            values = [run[column] for run in runs]
            best = f" ({min(values):,.0f})" if column not in ("CPU", "MiB") else ""
            cells.append(f"{statistics.median(values):,.0f}{best}")
        print(f"| {name} | {' | '.join(cells)} |", flush=True)

    cold = []
    for _ in range(max(1, count // 4)):
        shutil.rmtree(root / ".currant", ignore_errors=True)
        cold.append(start(root))
    row("no index yet", cold)
    row("an index, nobody owns it", [start(root) for _ in range(count)])
    owner = Started(root)
    owner.ask(HANDSHAKE)
    owner.call("refresh", wait_seconds=60)
    row("beside another one", [start(root) for _ in range(count)])
    print(f"\nThe one that owns the index and watches: {memory(owner.process.pid):,.0f} MiB.\n")
    owner.end()


def questions(root: Path, count: int) -> dict[str, list[dict[str, Any]]]:
    """What is asked, by tool."""
    draw = random.Random(7)
    with open_index(root, live=False, sync_ms=60_000) as index:
        index.sync(600)
        files = [path for path in index.files() if path.endswith((".py", ".txt", ".md", ".rst"))]
        symbols = [one.name for one in index.find("", limit=5_000)] + [
            symbol.name
            for path in draw.sample(files, min(200, len(files)))
            if (view := index.show(path)) is not None and view.record is not None
            for symbol in view.record.symbols
        ]
        clock = index.sync()
    names = draw.choices(symbols, k=count)
    return {
        "find_symbol": [{"name": name, "exact": at % 2 == 0} for at, name in enumerate(names)],
        "search": [{"query": " ".join(draw.sample(WORDS, 2))} for _ in range(count)],
        "file_record": [{"path": path} for path in draw.choices(files, k=count)],
        "references": [{"path": path} for path in draw.choices(files, k=count)],
        "changes_since": [{"clock": clock}] * count,
        "status": [{}] * count,
        "refresh": [{}] * count,
        "drift": [{}] * max(3, count // 20),
    }


async def calls(client: Client, asked: dict[str, list[dict[str, Any]]]) -> None:
    print("| tool | calls | p50 ms | p99 ms | tokens, median | p99 | most |")
    print("|---|---|---|---|---|---|---|")
    for tool, many in asked.items():
        times, sizes = [], []
        await client.call_tool(tool, many[0])
        for arguments in many:
            begun = time.perf_counter()
            result = await client.call_tool(tool, arguments)
            times.append((time.perf_counter() - begun) * 1_000)
            assert not result.is_error, result.content
            assert result.structured_content is not None
            assert result.structured_content["fresh"], result.structured_content
            sizes.append(len(result.content[0].text) // 4)  # type: ignore[union-attr]
        times.sort()
        sizes.sort()
        cells = [len(many), f"{statistics.median(times):.1f}", f"{times[int(len(times) * 0.99)]:.1f}"]
        cells += [f"{statistics.median(sizes):.0f}", sizes[int(len(sizes) * 0.99)], sizes[-1]]
        print(f"| {tool} | {' | '.join(map(str, cells))} |", flush=True)


async def over_stdio(root: Path, asked: dict[str, list[dict[str, Any]]]) -> None:
    words = command(root)
    environment = {name: os.environ[name] for name in ("PYTHONPATH", "HOME") if name in os.environ}
    async with Client(StdioServerParameters(command=words[0], args=words[1:], env=environment)) as client:
        tools = (await client.list_tools()).tools
        whole = sum(len(tool.model_dump_json(by_alias=True, exclude_none=True)) for tool in tools) // 4
        takes = (
            sum(len(f"{tool.name} {tool.description} {json.dumps(tool.input_schema)}") for tool in tools) // 4
        )
        print(
            f"{len(tools)} tools: {takes:,} tokens of names, descriptions and arguments, {whole:,} with the"
        )
        print("schemas of their answers.\n")
        await client.call_tool("refresh", {"wait_seconds": 60})
        await calls(client, asked)


@contextmanager
def service(home: Path, root: Path) -> Iterator[tuple[str, str]]:
    """A running `currant serve` with the tree as its project: address and token."""
    words = [sys.executable, "-m", "currant"]
    added = subprocess.run(
        [*words, "project", "add", os.fspath(root), "--home", os.fspath(home)],
        check=False,
        capture_output=True,
    )
    assert added.returncode == 0, added.stderr
    process = subprocess.Popen(
        [*words, "serve", "--home", os.fspath(home), "--port", "0", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        yield told["url"].rstrip("/"), (home / "token").read_text().strip()
    finally:
        process.terminate()
        process.communicate()


async def over_http(url: str, token: str, asked: dict[str, list[dict[str, Any]]]) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        httpx2.AsyncClient(trust_env=False, headers=headers, timeout=120) as http,
        Client(streamable_http_client(f"{url}/mcp", http_client=http)) as client,
    ):
        while True:
            result = await client.call_tool("refresh", {"wait_seconds": 60})
            if not result.is_error and (result.structured_content or {}).get("fresh"):
                break
            await anyio.sleep(0.2)
        await calls(client, asked)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", nargs="?", default=sysconfig.get_path("stdlib"))
    parser.add_argument("--calls", type=int, default=500)
    parser.add_argument("--starts", type=int, default=12)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        root = Path(place) / "tree"
        copy(Path(options.directory), root)
        count = sum(len(names) for _, _, names in os.walk(root))
        version = sys.version.split()[0]
        print(f"{count:,} files of {options.directory}, Python {version}, {os.cpu_count()} CPUs\n")
        starts(root, options.starts)
        asked = questions(root, options.calls)
        print("## Over standard input and output\n")
        anyio.run(over_stdio, root, asked)
        print("\n## Over HTTP, to `currant serve`\n")
        with service(Path(place) / "home", root) as (url, token):
            anyio.run(over_http, url, token, asked)


if __name__ == "__main__":
    main()
