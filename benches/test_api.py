"""What a caller waits for, with pytest-benchmark: questions, and the way of a save through the debounce."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import currant
from harness.trees import generated


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[currant.Index]:
    """2,000 modules, 40,000 definitions."""
    root = tmp_path_factory.mktemp("api") / "root"
    generated(root, 2_000)
    with currant.open(root, sync_ms=0) as opened:
        opened.sync(120)
        yield opened


def test_find_exact(benchmark: Any, index: currant.Index) -> None:
    assert benchmark(lambda: index.find("name_77_3", exact=True))


def test_find_part(benchmark: Any, index: currant.Index) -> None:
    assert benchmark(lambda: index.find("name_77", limit=20))


def test_show(benchmark: Any, index: currant.Index) -> None:
    assert benchmark(lambda: index.show("p0/d0/m7.py"))


def test_sync_with_nothing_to_do(benchmark: Any, index: currant.Index) -> None:
    """The barrier alone."""
    benchmark(lambda: index.sync(10))


def test_a_save_and_the_barrier(benchmark: Any, index: currant.Index) -> None:
    """Written, told, debounced, hashed, outlined, committed."""
    path, numbers = Path(index.root) / "p0/d0/m7.py", iter(range(10**9))

    def save() -> None:
        path.write_text(f"def saved_{next(numbers)}(): pass\n")
        index.sync(10)

    benchmark(save)
