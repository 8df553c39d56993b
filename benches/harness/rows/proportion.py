"""One changed file among few and among many: time, and bytes written, of a running `currant watch`."""

import shutil
import time
from pathlib import Path

import currant
from harness.background import watch
from harness.bench import Bench
from harness.result import Line, Row, median
from harness.trees import generated, text

SAVES = 30


def measure(bench: Bench) -> Row:
    sizes = bench.plan.sizes
    row = Row("proportion", f"one changed file among {', '.join(f'{size:,}' for size in sizes)}")
    row.commands["currant"] = (
        "currant watch TREE --state-dir SCRATCH; a client that saves and calls Index.sync"
    )
    times, bytes_written = dict[int, float](), dict[int, float]()
    for size in sizes:
        root, state = bench.scratch / f"among-{size}", bench.scratch / f"among-{size}-state"
        paths = generated(root, size)
        took, written, changed = among(root, state, paths)
        shutil.rmtree(root)
        shutil.rmtree(state)
        times[size], bytes_written[size] = median(took) * 1e3, written / changed
        row.samples[str(size)] = [
            {"ms": [round(one * 1e3, 3) for one in took], "bytes_written": written, "bytes_changed": changed}
        ]
        row.lines.append(Line(f"save to in the index, among {size:,}", times[size], "ms"))
        row.lines.append(
            Line(f"bytes written / changed, among {size:,}", bytes_written[size], "", goal="proportion bytes")
        )
    first, last = sizes[0], sizes[-1]
    row.lines.append(
        Line(f"time among {last:,} / among {first:,}", times[last] / times[first], "x", goal="proportion")
    )
    row.notes.append(
        f"bytes written: what was passed to write calls (wchar of /proc/PID/io) over {SAVES} saves and the "
        "two seconds after them; all names in a saved file are new"
    )
    return row


def among(root: Path, state: Path, paths: list[Path]) -> tuple[list[float], int, int]:
    """(seconds of each save, bytes written, bytes changed)."""
    with watch(root, state) as process, currant.open(root, flags={"state_dir": str(state)}) as index:
        index.sync(3_600)
        for number in range(3):  # what is done once is done
            paths[number].write_text(text(10_000_000 + number))
            index.sync(60)
        before, changed, took = process.written(), 0, list[float]()
        for number in range(SAVES):
            path, content = paths[(number * 7919) % len(paths)], text(20_000_000 + number)
            path.write_text(content)
            closed = time.perf_counter()
            index.sync(60)
            took.append(time.perf_counter() - closed)
            changed += len(content)
        time.sleep(2)
        return took, process.written() - before, changed
