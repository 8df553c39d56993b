"""A million files: whether they are indexed at all, what the tree in memory takes, and a restart."""

import json
import shutil
import subprocess
import time
from functools import partial

from harness import programs, watchman
from harness.background import Process, watch
from harness.bench import Bench
from harness.programs import CURRANT, run
from harness.result import Line, Row, median
from harness.trees import committed, generated


def measure(bench: Bench) -> Row | None:
    """None when the plan leaves it out: it takes a quarter of an hour and some gigabytes."""
    count = bench.plan.million
    if not count:
        return None
    row = Row("million", f"{count:,} generated files")
    root, state = bench.scratch / "million", bench.scratch / "million-state"
    generated(root, count, definitions=1)
    committed(root)
    ours = [*CURRANT, "index", str(root), "--state-dir", str(state), "--json"]
    row.commands["currant"] = programs.said(ours, {str(root): "TREE", str(bench.scratch): "SCRATCH"})
    first = run(ours)
    row.lines.append(Line("first index", first.seconds, "s"))
    row.lines.append(Line("first index, largest resident set", first.peak_mb, "MB"))
    again = {
        "currant": partial(run, ours),
        "git status": partial(run, ["git", "-C", str(root), "status", "--porcelain"]),
    }
    found = programs.alternate(2, again)
    row.samples = {"first": programs.plain({"currant": [first]})["currant"], **programs.plain(found)}
    walls = {name: median([cost.seconds for cost in costs]) for name, costs in found.items()}
    row.against("restart", walls.pop("currant"), walls, "s", "million restart", "git status")
    with watch(root, state) as process:
        told = subprocess.run(
            [*CURRANT, "status", "--json", "--root", str(root), "--state-dir", str(state)],
            check=True, capture_output=True, text=True,
        ).stdout  # fmt: skip
        held = json.loads(told)["engine"]["tree_bytes"] / 1e6
        row.lines.append(Line("tree in memory", held, "MB", goal="million tree"))
        ours_mb, theirs_mb = process.memory_mb(), None
    if programs.find("watchman"):
        with watchman.running(bench.scratch / "million-watchman") as server:
            began = time.perf_counter()
            server.watch(root)
            row.lines.append(Line("watchman: first listing", time.perf_counter() - began, "s"))
            theirs_mb = Process(server.process.pid).memory_mb()
    else:
        row.missing.append(programs.missing("watchman"))
    row.lines.append(Line("resident set while watching", ours_mb, "MB", theirs_mb, "watchman"))
    shutil.rmtree(root)
    shutil.rmtree(state)
    return row
