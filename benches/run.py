"""Currant beside its rivals, row by row: ``python benches/run.py [--full] [--kernel DIR] [--rows a,b]``.

Everything in one run, the contenders taking turns. Without `--kernel` (or CURRANT_BENCH_KERNEL) the tree is
a copy of Python's standard library. Prints Markdown; `--save NAME` writes NAME.json, NAME.md and NAME.svg to
benches/results. Rivals that are not installed are named. Scratch files go to a directory below `--scratch`
(CURRANT_BENCH_DIR, or the place for temporary files), which is removed at the end.
"""

import argparse
import compileall
import dataclasses
import datetime
import importlib
import os
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import currant
from harness import chart, draw, machine, programs, report
from harness.bench import Bench
from harness.plan import FULL, SHORT
from harness.result import Row
from harness.trees import Tree, standard_library

ROWS = (
    *("walk", "cold", "restart", "hash", "outline", "query", "arming"),
    *("appended", "saved", "proportion", "idle", "million", "starts"),
)
RESULTS = Path(__file__).parent / "results"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--full", action="store_true", help="large trees and many rounds; hours at most")
    parser.add_argument("--kernel", type=Path, metavar="DIR",
                        default=os.environ.get("CURRANT_BENCH_KERNEL") or None,
                        help="a tree to compare on: a git work tree, which is only read")  # fmt: skip
    parser.add_argument("--rows", default=",".join(ROWS), help=f"of {', '.join(ROWS)}")
    parser.add_argument(
        "--set", action="append", default=[], metavar="FIELD=VALUE", help="a field of the plan"
    )
    parser.add_argument(
        "--folder", action="append", default=[], type=Path, help="more sources for the outlines"
    )
    parser.add_argument("--scratch", type=Path, default=os.environ.get("CURRANT_BENCH_DIR") or None)
    parser.add_argument(
        "--save", metavar="NAME", help="write NAME.json, NAME.md, NAME.svg to benches/results"
    )
    return parser.parse_args()


def main() -> int:
    told = arguments()
    plan = FULL if told.full else SHORT
    for setting in told.set:
        name, _, value = setting.partition("=")
        now = getattr(plan, name)
        made = tuple(map(int, value.split(","))) if isinstance(now, tuple) else type(now)(value)
        plan = dataclasses.replace(plan, **{name: made})
    chosen = told.rows.split(",")
    if unknown := set(chosen) - set(ROWS):
        raise SystemExit(f"no such row: {', '.join(sorted(unknown))}")
    scratch = Path(tempfile.mkdtemp(prefix="currant-bench-", dir=told.scratch)).resolve()
    # As an installer leaves it: without, each start would compile what it imports.
    compileall.compile_dir(Path(currant.__file__).parent, quiet=2)
    # Nothing of the user's own configuration or service takes part.
    for variable in ("XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        os.environ[variable] = str(scratch / variable.lower())
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that everything is removed
    when = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC")
    about = machine.describe(scratch)
    rows: list[Row] = []
    failed = False
    try:
        if told.kernel:
            tree = Tree(Path(told.kernel).resolve().name, Path(told.kernel).resolve(), scratch)
        else:
            tree = Tree("Python's standard library", standard_library(scratch / "tree"), scratch)
        tree.ready()
        bench = Bench(plan, tree, scratch, tree.warm() / 1e6, told.folder)
        title = programs.output(["git", "-C", str(tree.root), "log", "-1", "--format=%s"])
        about["tree"] = {
            "name": tree.name,
            "megabytes": round(bench.megabytes, 1),
            "git": title.decode(errors="replace").strip()[:80],
        }
        for name in chosen:
            began = time.perf_counter()
            print(f"{name} ...", end="", flush=True, file=sys.stderr)
            try:
                row = importlib.import_module(f"harness.rows.{name}").measure(bench)
            except Exception as error:  # the other rows are still worth having
                failed = True
                row = Row(name, f"{name}: failed", notes=[f"{type(error).__name__}: {error}"])
            print(f" {time.perf_counter() - began:.0f} s", flush=True, file=sys.stderr)
            if row is not None:
                rows.append(row)
            if told.save:  # after each row: what was measured stays, whatever comes
                save(told.save, rows, about, plan.name, when)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    print(report.markdown(rows, about))
    return 1 if failed else 0


def save(name: str, rows: list[Row], about: dict[str, Any], plan: str, when: str) -> None:
    RESULTS.mkdir(exist_ok=True)
    revision = programs.output(["git", "rev-parse", "--short", "HEAD"], cwd=RESULTS).decode().strip()
    (RESULTS / f"{name}.json").write_text(report.raw(rows, about, plan, when, revision))
    (RESULTS / f"{name}.md").write_text(report.markdown(rows, about))
    (RESULTS / f"{name}.svg").write_text(chart.svg(draw.groups(rows)))


if __name__ == "__main__":
    sys.exit(main())
