"""What upkeep costs those who search, and those who save.

    python benches/maintenance.py TREE --state-dir DIR [--seconds 20] [--saves 300]

TREE is changed (a line at the end of some files is added and taken away again): take a copy. DIR holds the
index, which is made when it is not there. Prints the tables of benches/maintenance.md.

Phases alternate, so that what else the machine does falls on both: searches alone, then searches while every
task of upkeep runs over and over with nothing between two runs, thousands of times as often as by default.
"""

import argparse
import random
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from currant.config import MaintenanceSettings, Settings
from currant.maintenance import BackgroundProcessor, BackgroundTask, ServiceTarget
from currant.model import Record
from currant.service import Service
from currant.store import upkeep

COLUMNS = "runs | p50 ms | p99 ms | p99.9 ms | max ms |\n|---|---|---|---|---|---|"


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))] if values else float("nan")


def line(name: str, values: list[float]) -> str:
    shares = " | ".join(f"{percentile(values, share) * 1e3:.2f}" for share in (0.5, 0.99, 0.999))
    return f"| {name} | {len(values):,} | {shares} | {max(values) * 1e3:.1f} |"


Timed = tuple[str, float]
"""What was done, and how long it took in seconds."""


def table(name: str, without: list[Timed], with_it: list[Timed]) -> None:
    print(f"\n| {name} | {COLUMNS}")
    for kind in sorted({kind for kind, _ in without}):
        print(line(kind, [seconds for one, seconds in without if one == kind]))
        print(line(f"{kind}, with upkeep", [seconds for one, seconds in with_it if one == kind]))


class Searches:
    """Symbol queries, each kind in turn, on some threads."""

    def __init__(self, service: Service, source: random.Random) -> None:
        self._service = service
        with service.store.snapshot() as connection:
            rows = connection.execute("SELECT path FROM files WHERE state = 'ok'").fetchall()
        self.paths = [path.decode() for (path,) in source.sample(rows, 400)]
        names = {symbol.name for path in self.paths for symbol in self._symbols(path)}
        self.names = source.sample(sorted(name for name in names if len(name) > 3), 400)

    def _symbols(self, path: str) -> list[Any]:
        view = self._service.query.show(path)
        record: Record | None = None if view is None else view.record
        return [] if record is None else record.symbols[:5]

    def one(self, number: int) -> str:
        """One query; its kind."""
        name = self.names[number % len(self.names)]
        match number % 3:
            case 0:
                self._service.query.find(name, exact=True)
                return "a symbol by its name"
            case 1:
                self._service.query.find(name[: max(4, len(name) - 2)], limit=20)
                return "a part of a name"
            case _:
                self._service.query.show(self.paths[number % len(self.paths)])
                return "a file's record"

    def during(self, seconds: float, threads: int = 2) -> list[Timed]:
        """Queries of so many threads, each of which rests 2 ms after a query."""
        taken: list[list[Timed]] = [[] for _ in range(threads)]

        def run(index: int) -> None:
            number, end = index * 7, time.monotonic() + seconds
            while time.monotonic() < end:
                began = time.perf_counter()
                kind = self.one(number)
                taken[index].append((kind, time.perf_counter() - began))
                number += threads
                time.sleep(0.002)

        workers = [threading.Thread(target=run, args=(index,)) for index in range(threads)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        return [one for some in taken for one in some]


class Saves:
    """Files that change: a line more, then a line less."""

    def __init__(self, service: Service, root: Path, paths: list[str]) -> None:
        self._service = service
        self._files = [root / path for path in paths if path.endswith((".c", ".h"))]
        self._number = 0

    def one(self) -> float:
        """Seconds from the write to the answer that has it."""
        self._number += 1
        path = self._files[self._number % len(self._files)]
        content = path.read_bytes()
        changed = content + b"\nint currant_bench_%d(void) { return 0; }\n" % self._number
        try:
            path.write_bytes(changed)
            began = time.perf_counter()
            if not self._service.sync(60, [path]).fresh:
                raise RuntimeError("not in time")
            return time.perf_counter() - began
        finally:
            path.write_bytes(content)

    def during(self, seconds: float) -> list[Timed]:
        taken, end = [], time.monotonic() + seconds
        while time.monotonic() < end:
            taken.append(("save to answer", self.one()))
            time.sleep(0.05)
        return taken


@contextmanager
def over_and_over(processor: BackgroundProcessor) -> Iterator[None]:
    """Every task again and again, each on a thread of its own."""
    ending = threading.Event()

    def run(task: BackgroundTask) -> None:
        while not ending.wait(0.01):
            processor.run_now(task)

    threads = [threading.Thread(target=run, args=(task,)) for task in BackgroundTask]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ending.set()
        for thread in threads:
            thread.join()


def alternate(
    rounds: int, seconds: float, measure: Callable[[float], list[Timed]], processor: BackgroundProcessor,
    prepare: Callable[[], object],
) -> tuple[list[Timed], list[Timed]]:  # fmt: skip
    without: list[Timed] = []
    with_it: list[Timed] = []
    for _ in range(rounds):
        prepare()
        without += measure(seconds / rounds)
        prepare()
        with over_and_over(processor):
            with_it += measure(seconds / rounds)
    return without, with_it


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("tree", type=Path)
    parser.add_argument("--state-dir", required=True)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--saves", type=int, default=300)
    given = parser.parse_args()
    source = random.Random(7)
    settings = Settings(state_dir=given.state_dir)
    with Service(given.tree, settings) as service:
        service.sync(3_600)
        counts = service.query.counts()
        print(f"{counts['files']:,} files, {counts['symbols']:,} definitions, {service.store.figures()}")
        searches = Searches(service, source)
        saves = Saves(service, given.tree, searches.paths)
        processor = BackgroundProcessor(
            MaintenanceSettings(enabled=False), lambda: [ServiceTarget("tree", service)]
        )
        statistics_report(service, searches, given.seconds)
        for _ in range(given.saves):  # so that there is something to merge
            saves.one()
        one_of_each(processor)
        some_saves = lambda: [saves.one() for _ in range(20)]  # noqa: E731
        table("searches", *alternate(given.rounds, given.seconds, searches.during, processor, some_saves))
        table("saves", *alternate(given.rounds, given.seconds, saves.during, processor, lambda: None))
        print("\n| task | runs | mean ms |\n|---|---|---|")
        for one in processor.get_stats():
            print(f"| {one.task} | {one.run_count:,} | {one.mean_seconds * 1e3:.2f} |")
            if one.error_count:
                print("FAILED", one.error_count, one.last_error)


def statistics_report(service: Service, searches: Searches, seconds: float) -> None:
    """Whether the planner's statistics change what a search costs: the same queries before and after."""
    numbers = range(1_200)

    def timed() -> list[float]:
        out = []
        for number in numbers:
            began = time.perf_counter()
            searches.one(number)
            out.append(time.perf_counter() - began)
        return out

    timed()
    before = timed()
    missing: list[str] = []
    service.when_idle(lambda store: bool(missing.extend(store.tend(upkeep.unanalyzed))), 60)
    spent: list[float] = []

    def analyze(table: str) -> None:
        def step(store: Any) -> bool:
            began = time.perf_counter()
            store.tend(lambda connection: upkeep.analyze(connection, table))
            spent.append(time.perf_counter() - began)
            return False

        service.when_idle(step, 60)

    for table in missing:
        analyze(table)
    service.store.trim_readers(keep=0)
    service.store.trim_readers(keep=0)  # connections that know the statistics
    timed()
    after = timed()
    print(f"\n| statistics ({', '.join(missing)}: {sum(spent) * 1e3:.1f} ms) | {COLUMNS}")
    print(line("before", before))
    print(line("after", after))
    print(f"mean {statistics.mean(before) * 1e3:.2f} ms before, {statistics.mean(after) * 1e3:.2f} ms after")


def one_of_each(processor: BackgroundProcessor) -> None:
    for task in BackgroundTask:
        run = processor.run_now(task)
        print(task.value, None if run is None else (round(run.seconds * 1e3, 2), run.results, run.error))


if __name__ == "__main__":
    main()
