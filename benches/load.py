"""Many readers on an index while a large checkout goes into it: ``python benches/load.py ROOT``.

ROOT is a git work tree that may be written to (a clone of its own). A branch with `--files` changed files is
made there once. `currant serve` runs as a user would start it; readers are connections that are kept, from
processes beside it, each asking for a definition by its exact name and then thinking for `--think`
milliseconds (0: at once again). First with nothing to do, then from the start of `git checkout` until the
service says that it is fresh again. What is answered within `--warm` seconds of the readers' arrival, all at
once, is not in the figures. Prints a Markdown table; exit status 1 when any answer was an error.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote
from urllib.request import ProxyHandler, Request, build_opener

BRANCH = "currant-load"


class Service:
    """`currant serve` over one root."""

    def __init__(self, home: Path) -> None:
        command = [sys.executable, "-m", "currant", "serve", "--json", "--port", "0", "--home", str(home)]
        for setting in ("serve.reads_per_second=1000000", "serve.log_level=warning"):
            command += ["--set", setting]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.url = json.loads(self.process.stdout.readline())["url"]
        self.token = (home / "token").read_text().strip()

    def ask(self, path: str, body: Any = None) -> Any:
        request = Request(self.url + path, headers={"Authorization": f"Bearer {self.token}"})
        if body is not None:
            request.data = json.dumps(body).encode()
        with build_opener(ProxyHandler({})).open(request, timeout=300) as answer:
            return json.loads(answer.read())

    def memory_mb(self) -> float:
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("VmRSS")) / 1024

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(120)


def git(root: Path, *arguments: str) -> str:
    command = ["git", "-c", "user.name=load", "-c", "user.email=load@example.org", *arguments]
    return subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout


def make_branch(root: Path, files: int) -> str:
    """A branch that differs from its one parent in so many source files; the id of the parent, which is
    checked out."""
    if git(root, "branch", "--list", BRANCH).strip():
        git(root, "checkout", "-q", f"{BRANCH}^")
        return git(root, "rev-parse", "HEAD").strip()
    here = git(root, "rev-parse", "HEAD").strip()
    names = [name for name in git(root, "ls-files", "*.c", "*.h", "*.py").splitlines() if '"' not in name]
    chosen = sorted(random.Random(7).sample(names, min(files, len(names))))
    git(root, "checkout", "-q", "-b", BRANCH)
    for number, name in enumerate(chosen):
        with open(root / name, "a", encoding="utf-8") as file:
            mark = "#" if name.endswith(".py") else "//"
            file.write(f"{mark} changed by benches/load.py, {number}\n")
    git(root, "commit", "-q", "-a", "-m", "load")
    git(root, "checkout", "-q", here)
    return here


async def reader(
    address: tuple[str, int], token: str, paths: Sequence[str], think: float, until: Any, out: list[Any]
) -> None:
    """One connection: (when, seconds, status, fresh) of each answer."""
    choose = random.Random(os.getpid() * 1_000_003 + id(out) + len(out))
    await asyncio.sleep(choose.random() * think)
    incoming, outgoing = await asyncio.open_connection(*address)
    head = f" HTTP/1.1\r\nHost: {address[0]}:{address[1]}\r\nAuthorization: Bearer {token}\r\n\r\n"
    while not until.is_set():
        began = time.monotonic()
        outgoing.write(f"GET {choose.choice(paths)}{head}".encode())
        told = (await incoming.readuntil(b"\r\n\r\n")).lower()
        length = int(told.split(b"content-length:")[1].split(b"\r\n")[0])
        body = await incoming.readexactly(length)
        status = int(told.split(b" ", 2)[1])
        out.append((began, time.monotonic() - began, status, b'"fresh":true' in body))
        if think:
            await asyncio.sleep(think * (0.5 + choose.random()))
    outgoing.close()


def readers(
    address: tuple[str, int], token: str, paths: Sequence[str], count: int, think: float, until: Any, out: Any
) -> None:
    """So many readers in one process, until they are told to stop."""

    async def main() -> list[Any]:
        seen: list[Any] = []
        done = await asyncio.gather(
            *(reader(address, token, paths, think, until, seen) for _ in range(count)), return_exceptions=True
        )
        seen += [(0.0, 0.0, 599, False) for one in done if isinstance(one, BaseException)]
        return seen

    out.put(asyncio.run(main()))


class Load:
    """`count` readers in two processes, from `start` to `stop`."""

    def __init__(self, service: Service, paths: Sequence[str], count: int, think: float) -> None:
        host, _, port = service.url.removeprefix("http://").partition(":")
        self.until = multiprocessing.Event()
        self.out: Any = multiprocessing.Queue()
        halves = [count // 2, count - count // 2]
        self.processes = [
            multiprocessing.Process(
                target=readers,
                args=((host, int(port)), service.token, paths, half, think, self.until, self.out),
            )
            for half in halves
        ]
        for process in self.processes:
            process.start()

    def stop(self) -> list[Any]:
        self.until.set()
        seen = [row for _ in self.processes for row in self.out.get(timeout=120)]
        for process in self.processes:
            process.join()
        return seen


def row(name: str, seen: list[Any], seconds: float) -> tuple[str, int]:
    """A line of the table, and how many errors there were."""
    errors = sum(status != 200 for _, _, status, _ in seen)
    took = sorted(one * 1_000 for _, one, status, _ in seen if status == 200)
    if len(took) < 2:
        return f"| {name} | {len(seen):,} | | | | | | {errors} | |", errors
    quantiles = statistics.quantiles(took, n=1_000, method="inclusive")
    fresh = 100 * sum(ok for *_, ok in seen) / len(seen)
    values = [quantiles[499], quantiles[949], quantiles[989], took[-1]]
    figures = " | ".join(f"{value:,.1f}" for value in values)
    return (
        f"| {name} | {len(seen):,} | {len(seen) / seconds:,.0f} | {figures} | {errors} | {fresh:.0f} % |",
        errors,
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("root", type=Path)
    parser.add_argument("--readers", type=int, default=200)
    parser.add_argument("--files", type=int, default=5_000)
    parser.add_argument("--think", type=float, default=1_000, help="milliseconds between two questions")
    parser.add_argument("--idle", type=float, default=30, help="seconds of readers alone")
    parser.add_argument("--warm", type=float, default=10, help="seconds that do not count")
    parser.add_argument("--home", type=Path, help="keep the service's state there")
    told = parser.parse_args()
    root = told.root.absolute()
    here = make_branch(root, told.files)
    with tempfile.TemporaryDirectory() as scratch:
        service = Service(told.home or Path(scratch) / "home")
        try:
            return measure(service, root, here, told)
        finally:
            service.stop()
            git(root, "checkout", "-q", here)


def measure(service: Service, root: Path, here: str, told: argparse.Namespace) -> int:
    known = {one["root"]: one["id"] for one in service.ask("/projects")["projects"]}
    project = known.get(str(root)) or service.ask("/projects", {"source": str(root)})["project"]["id"]
    base = f"/projects/{project}"
    began = time.monotonic()
    while True:
        one = service.ask(base)
        if one["state"] == "ready" and one["index"] and one["index"]["fresh"]:
            break
        time.sleep(0.5)
    ready = time.monotonic() - began
    names: set[str] = set()
    for part in ("probe", "init", "read", "alloc", "lock", "show", "dev", "net", "map", "irq"):
        found = service.ask(f"{base}/find?q={part}&limit=100&kind=function")["definitions"]
        names |= {definition["name"] for definition in found}
    paths = [f"{base}/find?exact=true&limit=20&q={quote(name)}" for name in sorted(names)]
    lines, errors = [], 0
    for think in (told.think / 1_000, 0.0):
        label = f"{think:g} s between two questions" if think else "as fast as they can"
        load = Load(service, paths, told.readers, think)
        time.sleep(told.warm)
        began = time.monotonic()
        time.sleep(told.idle)
        seen = [one for one in load.stop() if began <= one[0] <= began + told.idle or one[2] != 200]
        line, wrong = row(f"idle, {label}", seen, told.idle)
        lines.append(line)
        errors += wrong
        load = Load(service, paths, told.readers, think)
        time.sleep(told.warm)
        clock = service.ask(f"{base}/find?q=x&limit=1&sync_ms=60000")["clock"]
        began = time.monotonic()
        git(
            root,
            "checkout",
            "-q",
            BRANCH if git(root, "branch", "--show-current").strip() != BRANCH else here,
        )
        checked_out = time.monotonic() - began
        while not service.ask(f"{base}/find?q=x&limit=1&sync_ms=60000")["fresh"]:
            pass
        indexed = time.monotonic() - began
        seen = [one for one in load.stop() if began <= one[0] <= began + indexed or one[2] != 200]
        line, wrong = row(f"checkout, {label}", seen, indexed)
        lines.append(line)
        errors += wrong
        count = 0
        while True:
            page = service.ask(f"{base}/changes?since={clock}&limit=1000")
            count, clock = count + len(page["changes"]), page["next"]
            if not page["more"]:
                break
        lines.append(
            f"| | git {checked_out:.1f} s, fresh after {indexed:.1f} s, {count:,} changes | | | | | | | |"
        )
    files = service.ask(base)["index"]["files"]
    busy = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    print(f"{files:,} files, {told.readers} readers, {os.cpu_count()} processors, load {busy};", end=" ")
    print(f"opened in {ready:.0f} s, {service.memory_mb():.0f} MB at the end\n")
    print("| readers | answers | a second | p50 ms | p95 ms | p99 ms | longest ms | errors | fresh |")
    print("|---|---|---|---|---|---|---|---|---|")
    print("\n".join(lines))
    return 1 if errors else 0


if __name__ == "__main__":
    raise SystemExit(main())
