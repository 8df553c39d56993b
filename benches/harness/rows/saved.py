"""From the end of a save to the first answer that has the new name: idle, and during a checkout.

Beside it watchman with a trigger that runs ctags on the changed files, asked by looking at the tags file.
"""

import shutil
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import currant
from harness import programs, watchman
from harness.bench import Bench
from harness.result import Line, Row, median, quantile
from harness.trees import committed, generated, git, text

GIVE_UP = 20.0


def measure(bench: Bench) -> Row:
    files = max(2_000, bench.plan.checkout * 2)
    row = Row("saved", f"save to queryable, {files:,} files (M1)")
    root, state = bench.scratch / "saved", bench.scratch / "saved-state"
    paths = generated(root, files, definitions=5)
    changed, kept = paths[: bench.plan.checkout], paths[bench.plan.checkout :]
    committed(root)
    git(root, "checkout", "--quiet", "-b", "other")
    for number, path in enumerate(changed):
        path.write_text(text(30_000_000 + number, 5))
    git(root, "commit", "--quiet", "-am", "other")
    with currant.open(root, flags={"state_dir": str(state)}, sync_ms=0) as index:
        index.sync(600)

        def synced(path: Path, name: str) -> bool:
            index.sync(GIVE_UP, [path])
            return bool(index.find(name, exact=True))

        def alone(path: Path, name: str) -> bool:
            return bool(index.find(name, exact=True))

        idle = {"currant, sync and find": list[float](), "currant, find alone": list[float]()}
        for number in range(bench.plan.saves):
            path = kept[number * 37 % len(kept)]
            idle["currant, sync and find"].append(until(path, f"synced_{number}", synced))
            idle["currant, find alone"].append(until(path, f"found_{number}", alone))
        during = under_checkout(root, kept, synced, index)
        by_itself = under_checkout(root, kept, alone, index)
    if programs.find("watchman") and programs.find("ctags"):
        idle["watchman, ctags"] = list(by_trigger(bench, root, kept, min(30, bench.plan.saves)))
    else:
        row.missing += [programs.missing(name) for name in ("watchman", "ctags") if not programs.find(name)]
    shutil.rmtree(root)
    shutil.rmtree(state)
    row.samples = {name: [round(one * 1e3, 3) for one in times] for name, times in idle.items()}
    row.samples["currant, sync and find, checkout"] = [round(one * 1e3, 3) for one in during]
    row.samples["currant, find alone, checkout"] = [round(one * 1e3, 3) for one in by_itself]
    theirs = idle.pop("watchman, ctags", None)
    for name, times in idle.items():
        for label, at in (("p50", 0.5), ("p99", 0.99)):
            rival = quantile(theirs, at) * 1e3 if theirs else None
            goal = f"saved {label}" if "sync" in name or label == "p99" else None
            value = quantile(times, at) * 1e3
            row.lines.append(
                Line(f"{name}, {label}", value, "ms", rival, "watchman, ctags" if rival else "", goal)
            )
    for name, times in (("sync and find", during), ("find alone", by_itself)):
        what = f"currant, {name}, during a checkout of {bench.plan.checkout:,} files"
        row.lines.append(Line(f"{what}, p50", median(times) * 1e3, "ms"))
        row.lines.append(Line(f"{what}, p99", quantile(times, 0.99) * 1e3, "ms"))
        row.notes.append(f"{what}: {len(times)} saves until the index was up to date again")
    return row


def until(path: Path, name: str, there: Callable[[Path, str], bool]) -> float:
    """Save a file with a new name in it; seconds until `there` says that the name is found."""
    path.write_text(f"def {name}(first):\n    return first\n")
    closed = time.perf_counter()
    while not there(path, name):
        if time.perf_counter() - closed > GIVE_UP:
            return GIVE_UP
        time.sleep(0.001)
    return time.perf_counter() - closed


def under_checkout(
    root: Path, kept: list[Path], there: Callable[[Path, str], bool], index: currant.Index
) -> list[float]:
    """Saves from the start of a checkout to the end of indexing it, one after the other."""
    other = "main" if git(root, "branch", "--show-current").strip() == "other" else "other"
    done = threading.Event()

    def switch() -> None:
        # Saved files are no part of what differs, so git leaves them alone.
        subprocess.run(["git", "checkout", "--quiet", other], cwd=root, check=True)
        index.sync(600)
        done.set()

    worker = threading.Thread(target=switch)
    worker.start()
    times, number = list[float](), 0
    while not done.is_set():
        times.append(until(kept[number * 41 % len(kept)], f"during_{other}_{id(times)}_{number}", there))
        number += 1
        done.wait(0.02)
    worker.join()
    return times


def by_trigger(bench: Bench, root: Path, kept: list[Path], saves: int) -> list[float]:
    """The way without an index of its own: ctags --append for what changed, sorted as readtags needs it."""
    folder = bench.scratch / "trigger"
    with watchman.running(folder) as server:
        tags = folder / "tags"
        ctags = programs.find("ctags")
        subprocess.run([str(ctags), "-R", "-f", tags, root], check=True, stderr=subprocess.DEVNULL)
        server.watch(root)
        command = ["sh", "-c", f"cd {root} && {ctags} --append -f {tags} -L -"]
        trigger = {
            "name": "tags",
            "expression": ["suffix", "py"],
            "stdin": "NAME_PER_LINE",
            "command": command,
        }
        server.ask("trigger", str(root), trigger)
        time.sleep(2)  # it runs once for everything

        def there(path: Path, name: str) -> bool:
            try:
                return f"\n{name}\t".encode() in tags.read_bytes()
            except OSError:
                return False

        times = [until(kept[number * 53 % len(kept)], f"told_{number}", there) for number in range(saves)]
    shutil.rmtree(folder)
    return times
