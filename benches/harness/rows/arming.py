"""From the call until everything is watched, on the tree itself, which is only read."""

import os
import shutil
import time

import watch_rivals
from harness import programs, watchman
from harness.bench import Bench
from harness.result import Row, median

NAMES = ("currant", "currant, gitignore", "watchfiles", "watchdog")


def measure(bench: Bench) -> Row:
    tree = bench.tree
    directories = sum(1 for _ in os.walk(tree.root))
    row = Row("arming", f"arming {directories:,} directories of {tree.name}")
    names = [*NAMES, "watchman"] if programs.find("watchman") else list(NAMES)
    if "watchman" not in names:
        row.missing.append(programs.missing("watchman"))
    found: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(bench.plan.rounds):
        for name in names:
            if name == "watchman":
                folder = bench.scratch / "watchman"
                with watchman.running(folder) as server:
                    began = time.perf_counter()
                    server.watch(tree.root)
                    found[name].append(time.perf_counter() - began)
                shutil.rmtree(folder)
            else:
                with watch_rivals.watcher(name, tree.root) as one:
                    found[name].append(one.armed["seconds"])
    row.samples = {name: [round(one, 5) for one in times] for name, times in found.items()}
    each = {name: median(times) / directories * 1e6 for name, times in found.items()}
    pruned = each.pop("currant, gitignore")
    row.against("each directory", each.pop("currant"), each, "us", "arming", "watchfiles")
    row.against(
        "each directory, with gitignore", pruned, {"watchfiles": each["watchfiles"]}, "us", None, "watchfiles"
    )
    row.notes.append("currant takes the stat of every file besides; watchfiles and watchdog list directories")
    return row
