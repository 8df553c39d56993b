"""The parts, with pytest-benchmark: ``pytest benches --benchmark-only``.

Times say something only beside each other and on one machine; nothing here asserts one.
"""

import os
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import xxhash

from currant import _core
from currant.clock import SystemClock
from currant.model import FileStat, Record, ResultKey, Symbol, Upsert
from currant.store import Store

STDLIB = Path(sysconfig.get_path("stdlib"))
SOURCES = [path.read_bytes() for path in sorted(STDLIB.glob("*.py"))[:100]]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "state", clock=SystemClock()) as opened:
        yield opened


def test_walk_of_the_standard_library(benchmark: Any) -> None:
    """List, filter and stat every kept file, one thread."""
    files, _, _ = benchmark(_core.walk, str(STDLIB), state_dir=str(STDLIB / ".none"))
    assert files


@pytest.mark.parametrize("language", ["python", "c"])
def test_outline(benchmark: Any, language: str) -> None:
    """100 modules of the standard library; as C they only exercise the scanner."""
    benchmark(lambda: [_core.outline(language, source) for source in SOURCES])


def test_hash(benchmark: Any) -> None:
    benchmark(lambda: [xxhash.xxh3_128_digest(source) for source in SOURCES])


def test_commit_of_one_file(benchmark: Any, store: Store) -> None:
    """What one saved file costs the writer: a new content with 40 definitions each time."""
    symbols = [Symbol(f"name_{n}", "function", None, n, n, f"def name_{n}()", "") for n in range(1, 41)]
    numbers = iter(range(10**9))

    def commit() -> None:
        number = next(numbers)
        store.commit(
            [
                Upsert(
                    path=b"pkg/module.py",
                    stat=FileStat(size=1, mtime_ns=number, ctime_ns=number, ino=1),
                    key=ResultKey(number.to_bytes(16, "big"), "python", "outline/1"),
                    record=Record("python", symbols, []),
                    old_path=None,
                    cause="event",
                    seen_at=0.0,
                    attempts=0,
                    racy=False,
                )
            ],
            float(number),
        )

    benchmark(commit)
    assert os.stat(store.path).st_size > 0
