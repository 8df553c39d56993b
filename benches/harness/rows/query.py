"""One question after another: where is this name defined? Beside rg over the tree, and readtags."""

import random
import time
from collections.abc import Callable
from pathlib import Path

import currant
from harness import programs
from harness.bench import Bench
from harness.programs import run
from harness.result import Line, Row, quantile

PARTS = ("init", "read", "get", "set", "parse", "open", "close", "lock", "name", "list", "map", "test")


def measure(bench: Bench) -> Row:
    """Ours: an index that this process keeps true, so that nothing has to be looked for on the disk before an
    answer (without watches each question would start a scan, and be measured beside it); readtags and rg are
    a process for each question."""
    tree = bench.tree
    bench.indexed()
    row = Row("query", f"where is it defined? on {tree.name}")
    flags = {"state_dir": str(tree.state)}
    with currant.open(tree.root, flags=flags) as index:
        index.sync(600)
        found = [one.name for part in PARTS for one in index.find(part, limit=300)]
        names = sorted({name for name in found if name.isidentifier()})
        asked = [random.Random(3).choice(names) for _ in range(bench.plan.queries)]
        exact = [timed(lambda name=name: index.find(name, exact=True)) for name in asked]
        part = [
            timed(lambda name=name: index.find(name[: max(4, len(name) // 2)], limit=20)) for name in asked
        ]
    row.samples["currant, exact"] = [round(one, 4) for one in exact]
    row.samples["currant, part of a name"] = [round(one, 4) for one in part]
    theirs = rivals(bench, row, asked[: max(5, bench.plan.rounds * 5)])
    for label, at in (("p50", 0.5), ("p99", 0.99)):
        goal = "query" if at == 0.99 else None
        row.lines.append(Line(f"exact name, {label}", quantile(exact, at), "ms", goal=goal))
        row.lines.append(Line(f"part of a name, 20 best, {label}", quantile(part, at), "ms", goal=goal))
        for name, found in theirs.items():
            row.lines.append(
                Line(f"exact name, {label}", quantile(exact, at), "ms", quantile(found, at), name)
            )
    return row


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1e3


def rivals(bench: Bench, row: Row, asked: list[str]) -> dict[str, list[float]]:
    tree, found = bench.tree, dict[str, list[float]]()
    readtags, rg = programs.find("readtags"), programs.find("rg")
    commands = {}
    if readtags and Path(tree.tags).exists():
        commands["readtags"] = [readtags, "-t", str(tree.tags), "-"]
    else:
        row.missing.append(programs.missing("readtags"))
    if rg:
        commands["rg -w"] = [rg, "-w", "--no-messages", "NAME", str(tree.root)]
    else:
        row.missing.append(programs.missing("rg"))
    for name, command in commands.items():
        some = asked if name == "readtags" else asked[:5]
        words = [[one if word in ("-", "NAME") else word for word in command] for one in some]
        row.commands[name] = programs.said(command, tree.hidden)
        found[name] = [run(one, allow=1).seconds * 1e3 for one in words]
        row.samples[name] = [round(one, 3) for one in found[name]]
    return found
