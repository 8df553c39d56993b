"""The fixtures of the catalogue: a shared watcher for recipes that need nothing of their own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from catalogue.kit import SOURCES, Bench, Live


@pytest.fixture(scope="module", params=SOURCES)
def bench(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, _empty_home: Path
) -> Iterator[Bench]:
    """Watchers for the recipes of a module, one source after the other."""
    bench = Bench(tmp_path_factory.mktemp("bench"), _empty_home, request.param)
    yield bench
    bench.close()


@pytest.fixture(autouse=True)
def _no_leaks(_shared_watcher: None, _no_leaks: None) -> None:
    """As for every test, but what the shared watcher needs is there before the test begins."""


@pytest.fixture
def _shared_watcher(request: pytest.FixtureRequest) -> None:
    if "bench" in request.fixturenames:
        request.getfixturevalue("bench").live()


@pytest.fixture
def live(bench: Bench) -> Iterator[Live]:
    """The shared watcher. Every invariant is asserted when the recipe has ended."""
    live = bench.live()
    live.sound = False  # until the invariants held after this recipe
    yield live
    live.settle()
