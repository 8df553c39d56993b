"""Answers that no file has any more: kept for some days, then collected; what they saved stays counted."""

from collections.abc import Callable, Iterator
from pathlib import Path

import apsw
import pytest

from conftest import Tree
from currant.model import ResultKey
from currant.store import LLM_NAME
from currant.store import llm as llm_store
from currant.store.ledger import Refused
from currant.store.llm import LlmStore, Noted, Waiting
from llm_kit import Lab

DAY = 86_400.0
NOW = 1_800_000_000.0
MODEL = "llm/1:bedrock:m"


@pytest.fixture
def open_store(tmp_path: Path) -> Iterator[Callable[[], LlmStore]]:
    opened: list[LlmStore] = []

    def again() -> LlmStore:
        for store in opened:
            store.close()
        opened.append(LlmStore.open(tmp_path / "state", MODEL))
        return opened[-1]

    yield again
    for store in opened:
        store.close()


def content(number: int) -> bytes:
    return bytes([number]) * 16


def answered(store: LlmStore, number: int, nano: int = 100) -> None:
    """A path with this content, a paid answer, and the path is gone."""
    path = f"{number}.py".encode()
    store.note([Noted(path, content(number), "python", 9, wanted=True)], "c:1", NOW)
    row = next(row for row in store.due(NOW + DAY, 0, 0, 99) if row.path == path)
    _paid(store, row, nano)
    store.note([Noted(path, None)], "c:2", NOW)


def _paid(store: LlmStore, row: Waiting, nano: int) -> None:
    limits = {"day_limit": 10**12, "total_limit": 10**12}
    reserved = store.reserve(row, nano, purpose="first", now=NOW, **limits)
    assert not isinstance(reserved, Refused)
    store.settle(reserved, nano=nano, tokens=(1, 1), outcome="ok", answer=(row, b"{}", NOW))


def sweep(store: LlmStore, used: set[int], now: float, keep_days: float = 30, page: int = 2) -> int:
    gone, at = 0, None
    while True:
        keys = store.results_after(at, page)
        gone += store.collect(keys, {content(number) for number in used}, now, keep_days * DAY)
        if len(keys) < page:
            return gone
        at = keys[-1]


def kept(store: LlmStore) -> list[int]:
    return [number for number in range(10) if store.result(content(number), "python") is not None]


def test_an_answer_without_a_file_is_kept_for_some_days_and_then_collected(
    open_store: Callable[[], LlmStore],
) -> None:
    store = open_store()
    for number in range(5):
        answered(store, number)
    assert [sweep(store, {1}, NOW + day * DAY) for day in (0, 1, 29.9)] == [0, 0, 0]
    assert kept(store) == [0, 1, 2, 3, 4]
    store = open_store()  # since when is remembered
    assert sweep(store, {1, 3}, NOW + 30 * DAY) == 3
    assert kept(store) == [1, 3]
    assert sweep(store, {1}, NOW + 45 * DAY) == 0, "it was in use meanwhile, so it is from now on"
    assert sweep(store, {1}, NOW + 75 * DAY) == 1
    assert kept(store) == [1]
    assert store.collected() == 4


def test_nothing_goes_that_was_found_unused_only_now(open_store: Callable[[], LlmStore]) -> None:
    """An index that is being made anew has no file at all for a while."""
    store = open_store()
    answered(store, 1)
    assert sweep(store, set(), NOW, keep_days=0) == 0
    assert sweep(store, {1}, NOW + 1, keep_days=0) == 0
    assert sweep(store, set(), NOW + 2, keep_days=0) == 0
    assert sweep(store, set(), NOW + 3, keep_days=0) == 1


def test_what_came_back_after_the_index_was_asked_stays(open_store: Callable[[], LlmStore]) -> None:
    store = open_store()
    answered(store, 1)
    sweep(store, set(), NOW)
    store.note([Noted(b"again.py", content(1), "python", 9, wanted=True)], "c:3", NOW + 40 * DAY)
    assert sweep(store, set(), NOW + 40 * DAY) == 0
    assert kept(store) == [1]


def test_what_was_spent_and_saved_stays_counted(open_store: Callable[[], LlmStore]) -> None:
    store = open_store()
    answered(store, 1, nano=70)
    for number in range(3):
        path = f"copy{number}.py".encode()
        store.note([Noted(path, content(1), "python", 9, wanted=True)], "c:3", NOW)
        store.note([Noted(path, None)], "c:4", NOW)
    before = (store.saved(), store.spent(NOW), [row["nano"] for row in store.costs(9)])
    assert before[0] == (3, 210)
    sweep(store, set(), NOW)
    assert sweep(store, set(), NOW + 31 * DAY) == 1
    assert (store.saved(), store.spent(NOW), [row["nano"] for row in store.costs(9)]) == before
    store = open_store()  # where the sums are made anew
    assert (store.saved(), store.spent(NOW), [row["nano"] for row in store.costs(9)]) == before


def test_what_was_set_apart_goes_like_an_answer(open_store: Callable[[], LlmStore]) -> None:
    store = open_store()
    store.note([Noted(b"x.py", content(1), "python", 9, wanted=True)], "c:1", NOW)
    [row] = store.due(NOW + DAY, 0, 0, 9)
    store.quarantine(row, "nonsense", NOW)
    store.note([Noted(b"x.py", None)], "c:2", NOW)
    sweep(store, set(), NOW)
    assert len(store.quarantined()) == 1
    assert sweep(store, set(), NOW + 31 * DAY) == 0, "no answer was among it"
    assert store.quarantined() == []


def test_a_ledger_of_the_first_version_is_taken_over(
    tmp_path: Path, open_store: Callable[[], LlmStore]
) -> None:
    (tmp_path / "state").mkdir(mode=0o700)
    connection = apsw.Connection(str(tmp_path / "state" / LLM_NAME))
    llm_store._make(connection, llm_store._SCHEMAS[:1])
    connection.execute("INSERT INTO results VALUES (?, 'python', ?, x'00', 1.0, 5, 2)", (content(1), MODEL))
    connection.pragma("application_id", llm_store.APPLICATION_ID)
    connection.pragma("user_version", 1)
    connection.close()
    store = open_store()
    assert store.saved() == (2, 10)
    assert store.results_after(None, 9) == [ResultKey(content(1), "python", MODEL)]
    sweep(store, set(), NOW)
    assert sweep(store, set(), NOW + 31 * DAY) == 1
    assert open_store().saved() == (2, 10)


@pytest.mark.parametrize("on", [True, False])
def test_the_index_says_which_contents_are_in_use(tree: Tree, on: bool) -> None:
    """Beside a watcher, also after the model was switched off."""
    tree.write({"stays.py": "def a():\n    pass\n", "goes.py": "def b():\n    pass\n"})
    with Lab(tree.root) as lab:
        lab.run()
        if not on:
            lab.reopen(provider="off")
        tree.path("goes.py").unlink()
        tree.path("stays.py").rename(tree.path("moved.py"))
        lab.rescan()
        if on:
            lab.read_feed()
        now = lab.clock.now()
        collector = lab.tier._collector
        assert collector is not None
        assert collector.turn(now) == DAY
        assert len(lab.store.results_after(None, 9)) == 2
        collector.turn(now + 31 * DAY)
        assert len(lab.store.results_after(None, 9)) == 1
        assert lab.tier.ledger(9)["collected"] == 1
        assert lab.record("moved.py")["facts"]["llm"]["source"] == "llm:m-1"
        lab.tier.start()  # its thread ends with the tier
