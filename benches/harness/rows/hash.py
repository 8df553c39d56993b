"""Walk, read, hash and commit without any extraction, beside git's list of files piped to xxhsum."""

import os
import shlex
import shutil
import sys
from pathlib import Path

from harness import programs
from harness.bench import Bench
from harness.programs import Cost, run
from harness.result import Row, median

ALONE = Path(__file__).parents[1] / "hashing.py"


def measure(bench: Bench) -> Row:
    """xxhsum gets every processor by xargs, and stores nothing."""
    tree = bench.tree
    row = Row("hash", f"walk, read, hash and commit {tree.name}, nothing extracted")
    state = tree.scratch / "hashed"
    ours = [sys.executable, str(ALONE), str(tree.root), str(state)]

    def index() -> Cost:
        shutil.rmtree(state, ignore_errors=True)
        return run(ours)

    work = {"currant": index}
    hidden = {**tree.hidden, str(ALONE.parents[2]): ".", sys.executable: "python"}
    row.commands["currant"] = programs.said(ours, hidden)
    git, xxhsum = programs.find("git"), programs.find("xxhsum")
    row.missing = [programs.missing(name) for name, found in (("git", git), ("xxhsum", xxhsum)) if not found]
    if git and xxhsum:
        cores = len(os.sched_getaffinity(0))
        pipe = (
            f"cd {shlex.quote(str(tree.root))} && {git} ls-files -z | xargs -0 -P{cores} -n 500 {xxhsum} -H3"
        )
        row.commands["xxhsum"] = programs.said(pipe, tree.hidden)
        work["xxhsum"] = lambda: run(pipe, env=tree.git, allow=123)  # 123: links that lead nowhere
    found = programs.alternate(bench.plan.long_rounds, work)
    shutil.rmtree(state, ignore_errors=True)
    row.samples = programs.plain(found)
    for what, part, goal in (("wall clock", "seconds", "hash"), ("processor time", "cpu", None)):
        figures = {name: median([getattr(cost, part) for cost in costs]) for name, costs in found.items()}
        row.against(what, figures.pop("currant"), figures, "s", goal, "xxhsum")
    return row
