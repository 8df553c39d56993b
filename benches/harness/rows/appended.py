"""Many files appended to at once: from the events to a batch, and what is never told of.

The watchers are those of `watch_rivals.py`, each a process of its own; watchman is added here.
"""

import shutil
import tempfile
import time
from pathlib import Path

import watch_rivals
from harness import programs, watchman
from harness.bench import Bench
from harness.result import Line, Row, median

IDLE = 3.0
NAMES = ("currant", "watchfiles", "watchdog")


def measure(bench: Bench) -> Row:
    count = bench.plan.appended
    row = Row("appended", f"{count:,} appended files, events to batches")
    names = [*NAMES, "watchman"] if programs.find("watchman") else list(NAMES)
    if "watchman" not in names:
        row.missing.append(programs.missing("watchman"))
    found: dict[str, list[tuple[float, float, float]]] = {name: [] for name in names}
    for _ in range(min(3, bench.plan.rounds)):
        for name in names:
            root = Path(tempfile.mkdtemp(dir=bench.scratch))
            paths = watch_rivals.generate(root, count // 100, 100)
            take = by_watchman if name == "watchman" else by_child
            found[name].append(take(name, root, paths))
            shutil.rmtree(root)
    row.samples = {
        name: [{"cpu": round(cpu, 4), "lost": lost, "seconds": round(took, 3)} for cpu, lost, took in runs]
        for name, runs in found.items()
    }
    cpu = {name: median([one[0] for one in runs]) * 1e3 for name, runs in found.items()}
    row.against("processor time of the watcher", cpu.pop("currant"), cpu, "ms", "appended", "watchfiles")
    took = {name: median([one[2] for one in runs]) * 1e3 for name, runs in found.items()}
    row.against("first append to last path told", took.pop("currant"), took, "ms", None, "watchfiles")
    for name, runs in found.items():
        lost = max(one[1] for one in runs)
        ours = name == "currant"
        row.lines.append(
            Line(f"never told of, {name}", lost, "paths", goal="appended lost" if ours else None)
        )
    return row


def by_child(name: str, root: Path, paths: list[Path]) -> tuple[float, float, float]:
    """(processor seconds, paths never told of, seconds)."""
    with watch_rivals.watcher(name, root) as found:
        before, began = found.ask("count")["cpu"], time.perf_counter()
        watch_rivals.append(paths)
        count, since = -1, time.perf_counter()
        while time.perf_counter() < since + IDLE and count < len(paths):
            time.sleep(0.01)
            if (now := found.ask("count")["count"]) != count:
                count, since = now, time.perf_counter()
        answer = found.ask("paths")
        lost = len({str(path) for path in paths} - set(answer["paths"]))
        return answer["cpu"] - before, lost, since - began


def by_watchman(name: str, root: Path, paths: list[Path]) -> tuple[float, float, float]:
    with watchman.running(root.with_suffix(".watchman")) as server:
        server.watch(root)
        server.ask("subscribe", str(root), "all", {"fields": ["name"], "expression": ["type", "f"]})
        while server.next_told(0.5):
            pass
        before, began, since = server.cpu(), time.perf_counter(), time.perf_counter()
        watch_rivals.append(paths)
        seen: set[str] = set()
        wanted = {str(path.relative_to(root)) for path in paths}
        while seen != wanted and (told := server.next_told(IDLE)):
            seen |= wanted & set(told["files"])
            since = time.perf_counter()
        used = server.cpu() - before
    shutil.rmtree(root.with_suffix(".watchman"))
    return used, len(wanted - seen), since - began
