"""Save -> queryable, beside save -> reported by watchfiles: ``python benches/bench_save.py [FILES] [SAVES]``.

One generated tree, one process, the two turn by turn on the same files. Currant's time ends when a query
returns the new symbol; watchfiles' when its generator yields the path. watchfiles indexes nothing, so
the comparison is generous to it.
"""

import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import watchfiles

import currant


def tree(root: Path, files: int) -> list[Path]:
    paths = []
    for number in range(files):
        path = root / f"pkg{number // 100}" / f"module{number}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"def first_{number}(): pass\n")
        paths.append(path)
    return paths


def save(path: Path, text: str) -> float:
    with path.open("w") as file:
        file.write(text)
    return time.perf_counter()


def report(name: str, times: list[float]) -> None:
    ordered = sorted(times)
    p99 = ordered[min(len(ordered) - 1, round(len(ordered) * 0.99))]
    p50, p99 = statistics.median(ordered) * 1e3, p99 * 1e3
    print(f"{name:38} p50 {p50:7.1f} ms   p99 {p99:7.1f} ms   n {len(ordered)}")


def watched(root: Path) -> tuple[Callable[[Path, float], float], threading.Event]:
    """A watchfiles watcher on a thread; the returned function waits until it yields a path."""
    stop, seen, changed = threading.Event(), dict[str, float](), threading.Condition()

    def run() -> None:
        for batch in watchfiles.watch(root, stop_event=stop, watch_filter=None, step=50):
            with changed:
                now = time.perf_counter()
                seen.update((path, now) for _, path in batch)
                changed.notify_all()

    threading.Thread(target=run, daemon=True).start()

    def wait(path: Path, since: float) -> float:
        with changed:
            changed.wait_for(lambda: seen.get(str(path), 0.0) > since, timeout=10)
            return seen.get(str(path), float("inf"))

    return wait, stop


def main() -> None:
    files = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000
    saves = int(sys.argv[2]) if len(sys.argv) > 2 else 100
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        paths = tree(root, files)
        quiet, barrier, peer = list[float](), list[float](), list[float]()
        with currant.open(root, sync_ms=0) as index:
            index.sync(120)
            wait, stop = watched(root)
            wait(paths[0], save(paths[0], "def warm(): pass\n"))
            for number in range(saves):
                path, name = paths[(number * 37) % files], f"saved_{number}"
                closed = save(path, f"def {name}(): pass\n")
                while not index.find(name, exact=True):
                    pass
                quiet.append(time.perf_counter() - closed)
                peer.append(wait(path, closed - 1) - closed)
                closed = save(path, f"def again_{name}(): pass\n")
                index.sync(10)
                assert index.find(f"again_{name}", exact=True)
                barrier.append(time.perf_counter() - closed)
            stop.set()
    print(f"{files} files, {saves} saves")
    report("currant: save -> a query finds it", quiet)
    report("currant: save -> sync -> found", barrier)
    report("watchfiles: save -> yielded", peer)


if __name__ == "__main__":
    main()
