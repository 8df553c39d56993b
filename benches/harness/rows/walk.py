"""Listing what a tree holds: our pruned walk, with the stat of every file, beside rg, fd and git status."""

from functools import partial

from currant import _core
from harness import programs
from harness.bench import Bench
from harness.programs import CURRANT, here, run
from harness.result import Row, median


def measure(bench: Bench) -> Row:
    """rg and fd do not stat; git status does, and compares besides."""
    tree = bench.tree
    row = Row("walk", f"pruned walk and stat of {tree.name}")
    root, nowhere = str(tree.root), str(tree.scratch / "none")
    commands = {
        "rg": [programs.find("rg"), "--files", root],
        "fd": [programs.find("fd"), "--type", "f", ".", root],
        "git": [programs.find("git"), "-C", root, "status", "--porcelain"],
    }
    row.missing = [programs.missing(name) for name, command in commands.items() if command[0] is None]
    usable = {name: [str(word) for word in command] for name, command in commands.items() if command[0]}

    def scan() -> None:
        engine = _core.Engine(root, state_dir=nowhere, live=False, witness=True)
        engine.start()
        engine.armed(600)
        engine.stop()

    plan = [*CURRANT, "plan", root, "--json", "--state-dir", nowhere]
    work = {
        "currant": partial(here, scan),
        "currant, one thread": partial(here, lambda: _core.walk(root, state_dir=nowhere)),
        "currant plan": partial(run, plan, allow=1),
        **{name: partial(run, command, env=tree.git) for name, command in usable.items()},
    }
    found = programs.alternate(bench.plan.rounds, work)
    row.samples = programs.plain(found)
    row.commands = {name: programs.said(command, tree.hidden) for name, command in usable.items()}
    row.commands |= {
        "currant": "_core.Engine(TREE, live=False, witness=True): start, armed, stop",
        "currant, one thread": "_core.walk(TREE)",
        "currant plan": programs.said(plan, tree.hidden),
    }
    walls = {name: median([cost.seconds for cost in costs]) * 1e3 for name, costs in found.items()}
    rivals = {name: walls[name] for name in usable}
    row.against("walk, stat, tree in memory", walls["currant"], rivals, "ms", "walk", "rg")
    for ours in ("currant, one thread", "currant plan"):
        row.against(ours, walls[ours], {n: v for n, v in rivals.items() if n == "rg"}, "ms", None, "rg")
    return row
