"""What the tests of workers and writer share: a store in a dict, and the pipeline around a `FakeEngine`."""

import json
import os
import random
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from currant.changes import ChangeDetectionQueue
from currant.clock import Clock, SystemClock
from currant.extract import Registry
from currant.extract.outline import OutlineExtractor
from currant.lookahead import UnderWay
from currant.model import Failure, Item, MoveTree, Record, Remove, RemoveTree, ResultKey, Upsert
from currant.processing import CONTENT_BYTES, Processor
from currant.reading import ByteBudget, Reader
from currant.status import StatusReporter
from currant.workers import WorkerThreadPool
from currant.writer import Writer
from fake_engine import FakeEngine


class DictStore:
    """The rows and results that `Store` would hold, and errors on demand."""

    def __init__(self) -> None:
        self.rows: dict[bytes, Upsert | Failure] = {}
        self.results: dict[ResultKey, Record] = {}
        self.commits: list[list[Item]] = []
        self.last_missing: list[bytes] = []
        self.before_commit: Callable[[Sequence[Item]], None] = lambda items: None

    def find_results(self, keys: Iterable[ResultKey]) -> set[ResultKey]:
        return {key for key in keys if key in self.results}

    def commit(self, items: Sequence[Item], now: float) -> str:
        self.before_commit(items)
        self.commits.append(list(items))
        self.last_missing = []
        for item in items:
            match item:
                case Upsert():
                    if item.record is not None:
                        self.results.setdefault(item.key, item.record)
                    elif item.key not in self.results:
                        self.last_missing.append(item.path)
                        continue
                    if item.old_path is not None:
                        self.rows.pop(item.old_path, None)
                    self.rows[item.path] = item
                case Failure():
                    self.rows[item.path] = item
                case Remove():
                    self.rows.pop(item.path, None)
                case RemoveTree():
                    self.rows.pop(item.path, None)
                    for path in [path for path in self.rows if path.startswith(item.path + b"/")]:
                        del self.rows[path]
                case MoveTree():
                    for path in [path for path in self.rows if path.startswith(item.old + b"/")]:
                        self.rows[item.new + path[len(item.old) :]] = self.rows.pop(path)
        return f"c:double:{len(self.commits)}"


def outline_lines(language: str, source: bytes) -> bytes:
    """One symbol for each line that starts with ``def``."""
    symbols = [
        {
            "name": line[4:].decode(errors="replace"),
            "kind": "function",
            "parent": None,
            "start": number,
            "end": number,
            "signature": "",
            "doc": "",
        }
        for number, line in enumerate(source.split(b"\n"), 1)
        if line.startswith(b"def ")
    ]
    return json.dumps({"partial": None, "symbols": symbols}).encode()


class Pipeline:
    """Engine, queue, workers, writer and store of one root. `outline` and `between` may be set by tests."""

    def __init__(
        self, root: Path, *, workers: int = 2, batch_size: int = 20, clock: Clock | None = None
    ) -> None:
        self.root = root
        self.clock = clock or SystemClock()
        self.engine = FakeEngine(str(root), state_dir=str(root / ".currant"))
        self.queue = ChangeDetectionQueue(self.engine, self.clock)
        self.store = DictStore()
        self.status = StatusReporter(self.clock)
        self.outline: Callable[[str, bytes], bytes] = outline_lines
        self.between: Callable[[str], None] | None = None  # before the threads start
        self.under_way = UnderWay()
        self.budget = ByteBudget(CONTENT_BYTES)
        self.registry = Registry(
            [OutlineExtractor(lambda language, source: self.outline(language, source), [("python", "1")])],
            max_file_mb=1,
        )
        self.writer = Writer(
            self.store, self.queue, status=self.status, clock=self.clock, source=random.Random(1)
        )
        self.pool = WorkerThreadPool(
            self.queue,
            self.writer,
            self.processor,
            workers=workers,
            batch_size=batch_size,
            status=self.status,
            clock=self.clock,
            source=random.Random(2),
        )

    def processor(self) -> Processor:
        return Processor(
            Reader(
                str(self.root),
                limit=self.registry.limit,
                clock=self.clock,
                between=self.between,
            ),
            self.registry,
            lambda keys: self.store.find_results(keys),
            under_way=self.under_way,
            budget=self.budget,
            status=self.status,
            clock=self.clock,
            source=random.Random(3),
        )

    def __enter__(self) -> "Pipeline":
        self.writer.start()
        self.pool.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.engine.stop()
        assert self.pool.stop(30)
        assert self.writer.stop(30)
        assert not [thread for thread in threading.enumerate() if thread.name.startswith("currant-")]

    def write(self, path: str, content: bytes) -> str:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        self.engine.change(path)
        return path

    def settle(self) -> None:
        assert self.engine.sync(30) is None

    def names(self, path: str) -> list[str]:
        row = self.store.rows[os.fsencode(path)]
        assert isinstance(row, Upsert)
        return [symbol.name for symbol in self.store.results[row.key].symbols]
