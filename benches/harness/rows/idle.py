"""What keeping an index true costs while nothing happens: `currant watch`, `currant serve`, watchman."""

import contextlib
import json
import shutil
import subprocess
import time
from collections.abc import Iterator

from harness import programs, watchman
from harness.background import Process, started, watch
from harness.bench import Bench
from harness.programs import CURRANT
from harness.result import Line, Row

SETTLE = 5.0


def measure(bench: Bench) -> Row:
    """All of them at once, one after the other ready: idle processes do not disturb each other."""
    seconds = bench.plan.idle_s
    row = Row("idle", f"idle for {seconds:g} s, {bench.tree.name}")
    row.commands = {"watch": "currant watch TREE --state-dir SCRATCH", "serve": "currant serve, one project"}
    bench.indexed()
    with contextlib.ExitStack() as stack:
        running = {"currant watch": stack.enter_context(watch(bench.tree.root, bench.tree.state))}
        if small := stack.enter_context(service(bench)):
            running["currant serve"] = small
        if programs.find("watchman"):
            server = stack.enter_context(watchman.running(bench.scratch / "idle-watchman"))
            server.watch(bench.tree.root)
            running["watchman"] = Process(server.process.pid)
        else:
            row.missing.append(programs.missing("watchman"))
        time.sleep(SETTLE)
        before = {name: (one.cpu(), one.wakes()) for name, one in running.items()}
        time.sleep(seconds)
        for name, one in running.items():
            cpu, wakes = one.cpu() - before[name][0], one.wakes() - before[name][1]
            figures = {"memory_mb": one.memory_mb(), "cpu_s": cpu, "wakes": wakes, "seconds": seconds}
            row.samples[name] = [{key: round(value, 3) for key, value in figures.items()}]
    told = {name: samples[0] for name, samples in row.samples.items()}
    theirs = told.pop("watchman", None)
    for name, one in told.items():
        for what, key, unit, factor, goal in (
            ("resident set", "memory_mb", "MB", 1.0, "idle memory"),
            ("processor", "cpu_s", "%", 100 / seconds, "idle processor"),
            ("wake-ups", "wakes", "a second", 1 / seconds, "idle wakes"),
        ):
            rival = theirs[key] * factor if theirs else None
            row.lines.append(
                Line(f"{name}: {what}", one[key] * factor, unit, rival, "watchman" if theirs else "", goal)
            )
    row.notes.append("`currant serve` has a small project of its own: two services may not have one tree")
    return row


@contextlib.contextmanager
def service(bench: Bench) -> Iterator[Process]:
    """`currant serve` with one project, ready."""
    home, root = bench.scratch / "home", bench.scratch / "served"
    root.mkdir()
    for number in range(100):
        (root / f"m{number}.py").write_text(f"def served_{number}(): pass\n")
    place = ["--home", str(home)]
    with started([*CURRANT, "serve", "--port", "0", "--json", *place], ready='"url"') as process:
        subprocess.run([*CURRANT, "project", "add", str(root), *place], check=True, capture_output=True)
        for _ in range(600):
            listed = subprocess.run(
                [*CURRANT, "project", "list", "--json", *place], check=True, capture_output=True, text=True
            ).stdout
            if '"ready"' in json.dumps(json.loads(listed)):
                break
            time.sleep(0.1)
        yield process
    shutil.rmtree(home)
    shutil.rmtree(root)
