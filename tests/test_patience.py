"""A question to a watcher that has a tree to read for the first time is answered, not held up."""

from typing import Any

import pytest

from currant.cli import reader
from currant.cli.patience import GLANCE_SECONDS, WATCHER_SECONDS, patience
from currant.cli.place import Place
from currant.ipc.client import Answer


def at(phase: str, done: int, total: int, eta: float | None) -> dict[str, Any]:
    return {"phase": phase, "done": done, "total": total, "eta_seconds": eta, "bytes": 0}


class Watched:
    """A watcher that says these things of itself, one after the other; a glance ends as `fresh`."""

    def __init__(self, *said: dict[str, Any], fresh: bool = False) -> None:
        self.said, self.fresh, self.waited = list(said), fresh, 0.0

    def look(self) -> dict[str, Any]:
        return self.said.pop(0) if len(self.said) > 1 else self.said[0]

    def glance(self, seconds: float) -> bool:
        self.waited += seconds
        return self.fresh

    def patience(self) -> tuple[float, str | None]:
        return patience(self.look, self.glance)


@pytest.mark.parametrize(
    "said",
    [
        at("watching", 9, 9, None),
        at("indexing", 10, 60, None),  # some changes, such as those of a save
        at("indexing", 0, 5_000, 4.0),  # a checkout
        at("failed", 0, 0, None),
    ],
)
def test_what_is_done_soon_is_waited_for(said: dict[str, Any]) -> None:
    watched = Watched(said)
    assert watched.patience() == (WATCHER_SECONDS, None)
    assert watched.waited == 0


def test_what_takes_long_is_not_waited_for_and_says_so() -> None:
    seconds, told = Watched(at("indexing", 20_000, 100_000, 80.0)).patience()
    assert seconds == GLANCE_SECONDS
    assert told is not None
    assert "20,000 of 100,000 files are done, about 1:20 min left" in told


@pytest.mark.parametrize(
    ("later", "seconds"),
    [
        (at("scanning", 700, 900, None), 0.0),  # the first index: as far as the scan came
        (at("indexing", 3_000, 100_000, 90.0), 0.0),
        (at("indexing", 3_000, 10_000, 5.0), WATCHER_SECONDS - GLANCE_SECONDS),
        (at("scanning", 0, 0, None), WATCHER_SECONDS - GLANCE_SECONDS),  # over an index that is there
    ],
)
def test_where_nobody_knows_it_is_looked_at_again(later: dict[str, Any], seconds: float) -> None:
    watched = Watched(at("scanning", 0, 0, None), later)
    assert watched.patience()[0] == seconds
    assert watched.waited + seconds <= WATCHER_SECONDS


def test_a_glance_that_sees_it_done_is_enough() -> None:
    assert Watched(at("scanning", 0, 0, None), fresh=True).patience() == (WATCHER_SECONDS, None)


class Busy:
    """A client of a watcher that has 80 s of work; remembers how long it was asked to wait."""

    def __init__(self) -> None:
        self.sync_ms: list[int | None] = []

    def call(self, method: str, params: Any = None, *, sync_ms: int | None = 2_000) -> Answer:
        if method == "progress":
            return Answer(at("indexing", 20_000, 100_000, 80.0))
        self.sync_ms.append(sync_ms)
        return Answer([], "c:1:2", False, ("late.py",))

    def close(self) -> None:
        pass


@pytest.mark.parametrize(("wait", "asked"), [(None, [2_000, 0]), (20.0, [20_000, 20_000])])
def test_one_wait_is_enough_for_an_answer_in_pages(
    wait: float | None, asked: list[int], tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    client = Busy()
    asking = reader._Watcher(Place(tmp_path), client, wait)  # type: ignore[arg-type]
    for _ in asked:
        assert not asking.ask("changes", {}).fresh
    asking.close()
    assert client.sync_ms == asked
    assert capsys.readouterr().err.count("answered from what there is") == (wait is None)
