"""A million files: whether they are indexed at all, what the tree in memory takes, and a restart."""

import json
import os
import shutil
import subprocess
import time
from functools import partial
from pathlib import Path

from currant.doctor import held_watches
from currant.plan import watch_limit
from harness import programs, watchman
from harness.background import Process, watch
from harness.bench import Bench
from harness.programs import CURRANT, run
from harness.result import Line, Row, median
from harness.trees import FILES_EACH, imported, monorepo

FILE_BYTES = 6_500  # on the disk, with its part of the index and of the repository


def measure(bench: Bench) -> Row | None:
    """None when the plan leaves it out: it takes a quarter of an hour and some gigabytes."""
    count = bench.plan.million
    if not count:
        return None
    require_room(bench.scratch, count)
    root, state = bench.scratch / "million", bench.scratch / "million-state"
    row = Row("million", f"{count:,} generated files in {monorepo(root, count):,} directories")
    imported(root)
    ours = [*CURRANT, "index", str(root), "--state-dir", str(state), "--json"]
    row.commands["currant"] = programs.said(ours, {str(root): "TREE", str(bench.scratch): "SCRATCH"})
    first = run(ours)
    row.lines.append(Line("first index", first.seconds, "s"))
    row.lines.append(Line("first index, processor time", first.cpu, "s"))
    row.lines.append(Line("first index, largest resident set", first.peak_mb, "MB"))
    on_disk = sum(file.stat().st_size for file in state.iterdir() if file.is_file()) / 1e6
    row.lines.append(Line("index on disk", on_disk, "MB"))
    again = {
        "currant": partial(run, ours),
        "git status": partial(run, ["git", "-C", str(root), "status", "--porcelain"]),
    }
    found = programs.alternate(bench.plan.long_rounds, again)
    row.samples = {"first": programs.plain({"currant": [first]})["currant"], **programs.plain(found)}
    for what, unit, of in (
        ("restart", "s", lambda cost: cost.seconds),
        ("restart, processor time", "s", lambda cost: cost.cpu),
        ("restart, largest resident set", "MB", lambda cost: cost.peak_mb),
    ):
        values = {name: median([of(cost) for cost in costs]) for name, costs in found.items()}
        goal = "million restart" if what == "restart" else None
        row.against(what, values.pop("currant"), values, unit, goal, "git status")
    began = time.perf_counter()
    with watch(root, state) as process:
        armed = time.perf_counter() - began
        told = subprocess.run(
            [*CURRANT, "status", "--json", "--root", str(root), "--state-dir", str(state)],
            check=True, capture_output=True, text=True,
        ).stdout  # fmt: skip
        engine = json.loads(told)["engine"]
        row.lines.append(Line("tree in memory", engine["tree_bytes"] / 1e6, "MB", goal="million tree"))
        if engine["unwatched"]:
            row.notes.append(f"{engine['unwatched']:,} directories could not be watched, and were polled")
        ours_mb = process.memory_mb()
    theirs, theirs_mb = None, None
    if programs.find("watchman"):
        with watchman.running(bench.scratch / "million-watchman") as server:
            began = time.perf_counter()
            server.watch(root)
            theirs = time.perf_counter() - began
            theirs_mb = Process(server.process.pid).memory_mb()
    else:
        row.missing.append(programs.missing("watchman"))
    row.lines.append(Line("from the start until all is watched", armed, "s", theirs, "watchman"))
    row.lines.append(Line("resident set while watching", ours_mb, "MB", theirs_mb, "watchman"))
    shutil.rmtree(root)
    shutil.rmtree(state)
    return row


def require_room(scratch: Path, files: int) -> None:
    """Raise RuntimeError when there cannot be an end, before the first minutes are spent on it."""
    disk, directories = os.statvfs(scratch), round(files / FILES_EACH * 1.1)
    if disk.f_bavail * disk.f_frsize < files * FILE_BYTES:
        raise RuntimeError(f"{scratch} needs {files * FILE_BYTES / 1e9:.1f} GB free: --scratch names another")
    if disk.f_files and disk.f_favail < files + 2 * directories:  # git has a file for each, too
        raise RuntimeError(f"{scratch} needs {files + 2 * directories:,} inodes free")
    limit = watch_limit()
    if limit is not None and (left := limit - held_watches()) < directories:
        raise RuntimeError(
            f"{directories:,} directories are to be watched, and this user may watch {left:,} more: "
            f"sysctl fs.inotify.max_user_watches={limit - left + directories}"
        )
