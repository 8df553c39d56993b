"""A first index with definitions, committed and searchable, beside ctags and a tree-sitter pipeline."""

import os
import shlex
import shutil
import time
from functools import partial

from harness import programs
from harness.bench import Bench
from harness.programs import CURRANT, Cost, run
from harness.result import Line, Row, median


def measure(bench: Bench) -> Row:
    """Leaves the last index and the last tags file behind for the rows about restarts and questions."""
    tree, plan = bench.tree, bench.plan
    row = Row("cold", f"cold index of {tree.name}, with definitions")
    ours = [*CURRANT, "index", str(tree.root), "--state-dir", str(tree.state), "--json"]
    row.commands["currant"] = programs.said(ours, tree.hidden)

    def index() -> Cost:
        shutil.rmtree(tree.state, ignore_errors=True)
        return run(ours)

    work = {"currant": index}
    ctags = programs.find("ctags")
    if ctags:
        theirs = [ctags, "-R", "-f", str(tree.tags), str(tree.root)]
        row.commands["ctags"] = programs.said(theirs, tree.hidden)
        work["ctags"] = partial(run, theirs)
    else:
        row.missing.append(programs.missing("ctags"))
    found = programs.alternate(plan.long_rounds, work)
    if ctags:
        command = parallel(ctags, str(tree.root), str(tree.scratch / "parts"))
        row.commands["ctags, every processor"] = programs.said(command, tree.hidden)
        found["ctags, every processor"] = [run(command, allow=123)]
        shutil.rmtree(tree.scratch / "parts", ignore_errors=True)
    row.samples = programs.plain(found)
    walls = {name: median([cost.seconds for cost in costs]) for name, costs in found.items()}
    mine = walls.pop("currant")
    row.against("cold index, wall clock", mine, walls, "s", "cold", "ctags")
    used = {name: median([cost.cpu for cost in costs]) for name, costs in found.items()}
    row.against("cold index, processor time", used.pop("currant"), used, "s", None, "ctags")
    row.lines.append(
        Line(
            "largest resident set",
            median([cost.peak_mb for cost in found["currant"]]),
            "MB",
            goal="cold peak",
        )
    )
    index_mb = sum(entry.stat().st_size for entry in os.scandir(tree.state) if entry.is_file()) / 1e6
    row.lines.append(
        Line("size of the index", index_mb, "MB", tree_mb(row, tree.tags) or None, "the tags file")
    )
    sampled(bench, row)
    return row


def tree_mb(row: Row, tags: os.PathLike[str]) -> float:
    return os.path.getsize(tags) / 1e6 if os.path.exists(tags) else 0.0


def parallel(ctags: str, root: str, parts: str) -> str:
    """ctags by hand on every processor: parts of the list of files, then one sorted file of all."""
    one = f"{ctags} -f {parts}/$$.tags -L -"
    listed = f"find {shlex.quote(root)} -name .git -prune -o -type f -print"
    split = f"split -n r/{len(os.sched_getaffinity(0))} --filter={shlex.quote(one)} -"
    merged = f"LC_ALL=C sort -m {parts}/*.tags > {parts}/all"
    return f"rm -rf {parts}; mkdir -p {parts}; {listed} | {split}; {merged}"


def sampled(bench: Bench, row: Row) -> None:
    """tree-sitter's time for the whole tree, by its speed on a sample of it: it only parses, and walks."""
    try:
        import tree_sitter
        import tree_sitter_c
    except ImportError:
        row.missing.append("tree-sitter pipeline: not installed (PyPI: tree-sitter, tree-sitter-c)")
        return
    sources = bench.corpora().get("c", [])
    if not sources:
        return
    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_c.language()))
    done, began, definitions = 0, time.process_time(), 0
    for source in sources:
        if done > bench.plan.sample_mb * 1e6:
            break
        done += len(source)
        pending = [parser.parse(source).root_node]
        while pending:  # functions and types at any depth that is not inside of a function
            for child in pending.pop().children:
                definitions += child.type in ("function_definition", "struct_specifier", "preproc_def")
                if child.type != "function_definition":
                    pending.append(child)
    speed = done / 1e6 / (time.process_time() - began)
    row.notes.append(
        f"tree-sitter-c, its tree walked from Python, nothing stored: {speed:.1f} MB/s of one processor on "
        f"{done / 1e6:.1f} MB of C, {definitions} definitions; the tree has {bench.megabytes:,.0f} MB"
    )
    row.samples["tree-sitter sample"] = [{"megabytes": round(done / 1e6, 3), "mb_per_s": round(speed, 3)}]
