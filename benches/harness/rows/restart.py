"""A start with nothing changed beside `git status`: both look at every file and read none."""

from functools import partial

from harness import programs
from harness.bench import Bench
from harness.programs import CURRANT, run
from harness.result import Row, median


def measure(bench: Bench) -> Row:
    tree = bench.tree
    bench.indexed()
    row = Row("restart", f"restart on {tree.name} with nothing changed")
    git = programs.find("git")
    commands = {"currant": [*CURRANT, "index", str(tree.root), "--state-dir", str(tree.state), "--json"]}
    if git:
        commands["git status"] = [git, "-C", str(tree.root), "status", "--porcelain"]
    else:
        row.missing.append(programs.missing("git"))
    found = programs.alternate(
        bench.plan.rounds, {name: partial(run, one, env=tree.git) for name, one in commands.items()}
    )
    row.samples = programs.plain(found)
    row.commands = {name: programs.said(one, tree.hidden) for name, one in commands.items()}
    for what, part, goal in (("wall clock", "seconds", "restart"), ("processor time", "cpu", None)):
        figures = {
            name: median([getattr(cost, part) for cost in costs]) * 1e3 for name, costs in found.items()
        }
        row.against(f"restart, {what}", figures.pop("currant"), figures, "ms", goal, "git status")
    return row
