"""`currant.watch` beside watchfiles and watchdog: ``python benches/watch_rivals.py [TREE] [--rounds N]``.

Each watcher is a process of its own; all get the same work, turn by turn, in one run. Measured:

- arming: from the call until it watches, on TREE (which is only read), else on 5,000 generated directories
- appending to 20,000 files, 100 in each directory: processor time of the watcher, and paths never told of
- a tree of 2,000 directories and 10,000 files that is unpacked at once: paths never told of
- the same appending while the watcher is stopped, so that the kernel's queue overflows: paths never told of

watchfiles and `currant.watch` are asked through the same call, ``RustNotify.watch(1600, 50, ...)``, without a
filter. watchdog: its default Observer, recursive, a handler that notes the path of each event of a change.
"""

import argparse
import contextlib
import json
import os
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

NAMES = ("currant", "currant, gitignore", "watchfiles", "watchdog")
IDLE = 3.0
"""Seconds without a further path after which what is missing is counted as lost."""


# --- a watcher's process ------------------------------------------------------------------------------------


def used() -> float:
    spent = resource.getrusage(resource.RUSAGE_SELF)
    return spent.ru_utime + spent.ru_stime


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def notified(name: str, root: str, seen: set[str]) -> None:
    if name == "watchfiles":
        from watchfiles._rust_notify import RustNotify

        added: dict[str, Any] = {}
    else:
        from currant.watching import RustNotify  # type: ignore[assignment]

        added = {"gitignore": True} if "gitignore" in name else {}
    before = used(), time.perf_counter(), resident()
    watcher = RustNotify([root], False, False, 300, True, False, **added)
    armed(*before)
    while True:
        answer = watcher.watch(1_600, 50, 1_000, None)
        if not isinstance(answer, str):
            seen.update(path for _, path in answer)


def observed(root: str, seen: set[str]) -> None:
    from watchdog.events import FileSystemEvent, FileSystemEventHandler
    from watchdog.observers import Observer

    class Noting(FileSystemEventHandler):
        def on_any_event(self, event: FileSystemEvent) -> None:
            if event.event_type not in ("opened", "closed", "closed_no_write"):
                seen.update(str(path) for path in (event.src_path, event.dest_path) if path)

    before = used(), time.perf_counter(), resident()
    observer = Observer()
    observer.schedule(Noting(), root, recursive=True)
    observer.start()
    armed(*before)
    observer.join()


def armed(cpu: float, clock: float, memory: int) -> None:
    told = {"seconds": time.perf_counter() - clock, "cpu": used() - cpu, "bytes": resident() - memory}
    print(json.dumps(told), flush=True)


def answers(seen: set[str]) -> None:
    """A line in: a line out, of what was seen. At the end of the input the process ends."""
    for line in sys.stdin:
        told: dict[str, Any] = {"count": len(seen), "cpu": used()}
        if line.startswith("paths"):
            told["paths"] = sorted(seen.copy())
        print(json.dumps(told), flush=True)
    os._exit(0)


def child(name: str, root: str) -> None:
    seen: set[str] = set()
    threading.Thread(target=answers, args=(seen,), daemon=True).start()
    if name == "watchdog":
        observed(root, seen)
    else:
        notified(name, root, seen)


# --- the run ------------------------------------------------------------------------------------------------


class Watcher:
    def __init__(self, name: str, root: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, __file__, "--child", name, str(root)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # watchdog tells of an overflow with a line of megabytes
            text=True,
        )
        self.armed = self.line()

    def line(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        told: dict[str, Any] = json.loads(self.process.stdout.readline())
        return told

    def ask(self, what: str) -> dict[str, Any]:
        assert self.process.stdin is not None
        self.process.stdin.write(what + "\n")
        self.process.stdin.flush()
        return self.line()

    def lost(self, expected: set[str]) -> set[str]:
        """Wait until all is told, or nothing more has been for a while."""
        count, since = -1, time.perf_counter()
        while count < len(expected) and time.perf_counter() < since + IDLE:
            time.sleep(0.05)
            if (now := self.ask("count")["count"]) != count:
                count, since = now, time.perf_counter()
        return expected - set(self.ask("paths")["paths"])


@contextlib.contextmanager
def watcher(name: str, root: Path) -> Iterator[Watcher]:
    found = Watcher(name, root)
    try:
        yield found
    finally:
        found.process.kill()
        found.process.communicate()


def generate(root: Path, directories: int, files: int) -> list[Path]:
    made = []
    for number in range(directories):
        directory = root / f"p{number // 50}" / f"d{number}"
        directory.mkdir(parents=True)
        for at in range(files):
            path = directory / f"f{at}.py"
            path.write_text("x\n")
            made.append(path)
    return made


def append(paths: list[Path]) -> None:
    for path in paths:
        with path.open("a") as file:
            file.write("y\n")


def arming(name: str, tree: Path) -> list[float]:
    with watcher(name, tree) as found:
        return [found.armed["seconds"], found.armed["cpu"], found.armed["bytes"]]


def appending(name: str, scratch: Path, *, stopped: bool) -> list[float]:
    paths = generate(scratch, 200, 100)
    with watcher(name, scratch) as found:
        before = found.ask("count")["cpu"]
        if stopped:
            found.process.send_signal(signal.SIGSTOP)
        append(paths)
        if stopped:
            found.process.send_signal(signal.SIGCONT)
        lost = found.lost({str(path) for path in paths})
        return [len(lost), found.ask("count")["cpu"] - before]


def unpacking(name: str, scratch: Path) -> list[float]:
    packed = scratch.parent / "packed"
    if not packed.exists():
        generate(packed, 2_000, 5)
    with watcher(name, scratch) as found:
        shutil.copytree(packed, scratch / "new")
        expected = {str(path) for path in (scratch / "new").rglob("*")}
        return [len(found.lost(expected)), len(expected)]


def each(rounds: int, work: Callable[[str], list[float]]) -> dict[str, list[float]]:
    """The median of each figure, the watchers taking turns."""
    found: dict[str, list[list[float]]] = {name: [] for name in NAMES}
    for _ in range(rounds):
        for name in NAMES:
            found[name].append(work(name))
    return {
        name: [statistics.median(figures) for figures in zip(*runs, strict=True)]
        for name, runs in found.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("tree", nargs="?", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--arming", action="store_true", help="measure that alone")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(*options.child)
        return
    with tempfile.TemporaryDirectory() as kept:
        place = Path(kept)
        tree = options.tree
        if tree is None:
            tree = place / "tree"
            generate(tree, 5_000, 10)
        directories = sum(1 for _ in os.walk(tree))

        def scratch(work: Callable[[str, Path], list[float]]) -> Callable[[str], list[float]]:
            def run(name: str) -> list[float]:
                root = Path(tempfile.mkdtemp(dir=place))
                found = work(name, root)
                shutil.rmtree(root)
                return found

            return run

        rows = {name: [name] for name in NAMES}
        for name, (seconds, cpu, held) in each(options.rounds, lambda name: arming(name, tree)).items():
            each_one = f"{seconds / directories * 1e6:.0f} us, {held / directories:.0f} B"
            rows[name] += [f"{seconds * 1e3:.0f} ms ({each_one})", f"{cpu * 1e3:.0f} ms"]
        if options.arming:
            print(*(" | ".join(row) for row in rows.values()), sep="\n")
            return
        calm = each(options.rounds, scratch(lambda name, root: appending(name, root, stopped=False)))
        for name, (lost, cpu) in calm.items():
            rows[name] += [f"{cpu * 1e3:.0f} ms", f"{lost:.0f}"]
        for name, (lost, among) in each(options.rounds, scratch(unpacking)).items():
            rows[name] += [f"{lost:.0f} of {among:.0f}"]
        held_up = each(options.rounds, scratch(lambda name, root: appending(name, root, stopped=True)))
        for name, (lost, _) in held_up.items():
            rows[name] += [f"{lost:.0f}"]
        head = [
            "",
            f"arming {directories} directories (each)",
            "its processor time",
            "20,000 appended: processor",
        ]
        head += ["lost", "unpacked: lost", "queue overflowed: lost"]
        for row in (head, ["---"] * len(head), *rows.values()):
            print("| " + " | ".join(row) + " |")


if __name__ == "__main__":
    main()
