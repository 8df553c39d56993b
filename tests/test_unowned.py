"""The status of an index that nobody owns: what a service would say, without one, and nothing is touched."""

import os
from pathlib import Path
from typing import Any

import pytest

from currant import unowned
from currant.api import open_index
from currant.audit.ledger import Drift, Ledger
from currant.cli.place import Place
from currant.cli.state import _unowned
from currant.clock import ManualClock, SystemClock
from currant.config import load_settings
from currant.lock import RootLock
from currant.model import Failure
from currant.store import Store, seal
from currant.store.opening import mark_damaged

TIMES = ("uptime_seconds", "files_per_second", "recent_files_per_second")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    tree = tmp_path / "repo"
    tree.mkdir()
    (tree / "one.py").write_text("def one():\n    pass\n")
    (tree / "two.c").write_text("int two(void) { return 2; }\n")
    (tree / os.fsdecode(b"\xff.md")).write_text("# Three\n")
    with open_index(tree, live=False, sync_ms=60_000) as index:
        index.sync(60)
    return tree


def direct(root: Path, **flags: Any) -> dict[str, Any] | None:
    return unowned.status(root, load_settings(root, flags=flags), SystemClock(), 100)


def timeless(told: dict[str, Any]) -> dict[str, Any]:
    stats = {name: value for name, value in told["stats"].items() if name not in TIMES}
    return {**told, "stats": stats}


def contents(root: Path) -> dict[str, bytes]:
    """What is in the state directory, but for who locked it last."""
    return {one.name: one.read_bytes() for one in (root / ".currant").iterdir() if one.name != "lock"}


@pytest.mark.parametrize("drifted", [False, True])
def test_it_says_what_a_service_says(root: Path, monkeypatch: pytest.MonkeyPatch, drifted: bool) -> None:
    if drifted:
        drift = Drift("one.py", SystemClock().now(), "stale", "a test", repaired=True)
        Ledger(root / ".currant").ran(drift.when, 1, 0, 0, [drift])
    place = Place(root, {"extract.disabled_extractors": ["nobody"]})
    without = _unowned(place, True)
    monkeypatch.setattr(unowned, "status", lambda *_arguments: None)
    with_a_service = _unowned(place, True)
    assert timeless(without) == timeless(with_a_service)
    assert list(without) == list(with_a_service)
    assert without["index"]["files"] == 3
    assert [one["code"] for one in without["degraded"]] == (["drift"] if drifted else [])


def test_failures_are_those_of_the_index(root: Path) -> None:
    store = Store.open(root / ".currant", clock=SystemClock())
    store.commit([Failure(b"four.py", None, "EACCES", 1, 9.0, "event")], 2.0)
    store.close()
    told = _unowned(Place(root), True)
    assert [one["path"] for one in told["failures"]] == ["four.py"]
    assert told["stats"]["recent_failures"] == [("four.py", 2.0, "EACCES")]
    assert [one["code"] for one in told["degraded"]] == ["failed_files"]
    assert "failures" not in _unowned(Place(root), False)


def test_nothing_is_touched(root: Path) -> None:
    before = contents(root)
    for _ in range(3):
        assert direct(root) is not None
    assert contents(root) == before
    # And the index is still one that was closed whole.
    with open_index(root, live=False, create=False) as index:
        assert index.service.store.opened.how == "existing"


def test_an_index_that_is_not_there_is_not_begun(tmp_path: Path) -> None:
    assert direct(tmp_path) is None
    assert list(tmp_path.iterdir()) == []


def test_what_takes_a_service_is_left_to_one(root: Path) -> None:
    state = root / ".currant"
    assert direct(root) is not None
    with open_index(root, live=False):
        assert direct(root) is None  # owned, or being closed

    lock = RootLock(state)
    lock.acquire()
    assert direct(root) is None
    lock.release()

    (state / "index.db-wal").write_bytes(b"")  # killed: its log is there
    assert direct(root) is None
    (state / "index.db-wal").unlink()
    assert direct(root) is not None

    (state / "llm.db").touch()
    assert direct(root) is None
    (state / "llm.db").unlink()

    mark_damaged(state, "a test")
    assert direct(root) is None
    (state / "index.damaged").unlink()
    assert direct(root) is not None

    index = state / "index.db"
    whole = index.read_bytes()
    index.write_bytes(whole[:5000] + bytes([whole[5000] ^ 1]) + whole[5001:])
    assert direct(root) is None  # not what was closed
    index.write_bytes(whole)
    assert direct(root) is not None
    assert RootLock(state).held is False


def test_a_file_that_does_not_hang_together_is_left_to_a_service(root: Path) -> None:
    """Its seal is right: it was closed so."""
    index = root / ".currant" / "index.db"
    whole = index.read_bytes()
    for page in range(1, len(whole) // 4096):
        index.write_bytes(whole[: page * 4096] + b"\xa5" * 4096 + whole[(page + 1) * 4096 :])
        (root / ".currant" / "index.seal").unlink(missing_ok=True)
        seal.opened(index)
        seal.closing(index)
        seal.closed(index)
        assert seal.judge(index)[0] is seal.Verdict.WHOLE
        told = direct(root)
        assert told is None or told["index"]["files"] == 3


def test_the_time_is_that_of_the_clock(root: Path) -> None:
    clock = ManualClock()
    drift = Drift("one.py", clock.now(), "stale", "a test", repaired=True)
    Ledger(root / ".currant").ran(drift.when, 1, 0, 0, [drift])
    for wait, codes in ((0.0, ["drift"]), (7_200.0, [])):
        clock.advance(wait)
        told = unowned.status(root, load_settings(root), clock, 0)
        assert told is not None
        assert [one["code"] for one in told["degraded"]] == codes
