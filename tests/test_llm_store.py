"""llm.db: the queue that survives, the money that is never spent twice, and what happens when it is
damaged."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from currant.errors import SchemaTooNewError, StoreError
from currant.store.ledger import Refused, next_day
from currant.store.llm import LlmStore, Noted, Waiting

NOW = 1_763_800_000.0  # 2025-11-22T08:26:40Z
DELAY, MOST = 10.0, 120.0
MODEL = "llm/1:bedrock:m"
A, B = b"a" * 16, b"b" * 16


@pytest.fixture
def open_store(tmp_path: Path) -> Iterator[Callable[..., LlmStore]]:
    opened: list[LlmStore] = []

    def again(extractor: str = MODEL, policy: str = "p") -> LlmStore:
        for store in opened:
            store.close()
        opened.append(LlmStore.open(tmp_path / "state", extractor, policy))
        return opened[-1]

    yield again
    for store in opened:
        store.close()


@pytest.fixture
def store(open_store: Callable[..., LlmStore]) -> LlmStore:
    return open_store()


def wanted(path: str, content: bytes = A, **more: int) -> Noted:
    return Noted(path.encode(), content, "python", 100, wanted=True, **more)


def paths(store: LlmStore, now: float) -> list[str]:
    return [row.path.decode() for row in store.due(now, DELAY, MOST, 100)]


# --- the queue --------------------------------------------------------------------------------------------


def test_a_path_waits_until_it_is_quiet_and_at_most_for_the_bound(store: LlmStore) -> None:
    for step in range(40):  # a change every 5 s
        store.note([wanted("x.py", bytes([step]) * 16)], f"c:{step}", NOW + 5 * step)
        if 5 * step < MOST:
            assert paths(store, NOW + 5 * step) == []
    assert paths(store, NOW + MOST) == ["x.py"]
    assert store.next_due(DELAY, MOST) == NOW + MOST
    store.note([wanted("y.py", B)], "c:99", NOW)
    assert store.next_due(DELAY, MOST) == NOW + DELAY


def test_the_queue_and_the_place_in_the_feed_survive_a_restart(open_store: Callable[..., LlmStore]) -> None:
    open_store().note([wanted("x.py")], "c:7", NOW)
    store = open_store()
    assert store.cursor() == "c:7"
    assert paths(store, NOW + DELAY) == ["x.py"]


def test_other_rules_have_everything_looked_at_again_and_forget_nothing(
    open_store: Callable[..., LlmStore],
) -> None:
    open_store().note([wanted("x.py")], "c:7", NOW)
    store = open_store(policy="other")
    assert store.cursor() is None
    assert store.waiting() == 1
    store.note([wanted("x.py"), wanted("y.py", B)], "c:8", NOW + 1)
    assert store.waiting() == 2
    assert store.saved() == (0, 0)


def test_another_model_begins_anew(open_store: Callable[..., LlmStore]) -> None:
    open_store().note([wanted("x.py")], "c:7", NOW)
    store = open_store(extractor="llm/1:bedrock:other")
    assert (store.cursor(), store.waiting()) == (None, 0)


def test_what_was_asked_for_goes_first_then_what_changed_lately_then_what_many_share(store: LlmStore) -> None:
    hour = 3600.0
    store.note([wanted("old.py", b"1" * 16)], "c:1", NOW - 5 * hour)
    store.note([wanted("asked.py", b"2" * 16)], "c:2", NOW - 6 * hour)
    store.note([wanted("one.py", b"3" * 16), wanted("many.py", b"4" * 16, fan_in=9)], "c:3", NOW - 20)
    store.asked([b"asked.py"], NOW - 5)
    assert paths(store, NOW) == ["asked.py", "many.py", "one.py", "old.py"]


def test_a_file_that_is_gone_or_needs_nothing_any_more_leaves_the_queue(store: LlmStore) -> None:
    store.note([wanted("x.py"), wanted("y.py", B)], "c:1", NOW)
    store.note([Noted(b"x.py", None), Noted(b"y.py", B, "python", 100, wanted=False)], "c:2", NOW + 1)
    assert store.waiting() == 0


def test_a_change_during_the_call_waits_on_its_own_account(store: LlmStore) -> None:
    store.note([wanted("x.py")], "c:1", NOW)
    (row,) = store.due(NOW + DELAY, DELAY, MOST, 9)
    store.note([wanted("x.py", B)], "c:2", NOW + DELAY + 1)
    pay(store, row, 50)
    assert store.result(A, "python") == b"{}"
    (again,) = store.due(NOW + MOST, DELAY, MOST, 9)
    assert again.content == B
    store.postpone(row, attempts=3, not_before=NOW + 10_000)
    store.drop(row)
    assert store.due(NOW + MOST, DELAY, MOST, 9) == [again]


# --- results and reuse --------------------------------------------------------------------------------------


def pay(store: LlmStore, row: Waiting, nano: int) -> None:
    number = reserve(store, row, nano)
    assert isinstance(number, int)
    store.settle(number, nano=nano, tokens=(1, 1), outcome="ok", answer=(row, b"{}", NOW))


def reserve(store: LlmStore, row: Waiting, nano: int, now: float = NOW, **more: int) -> int | Refused:
    limits = {"day_limit": 10**12, "total_limit": 10**12, **more}
    return store.reserve(row, nano, purpose="first", now=now, **limits)


def row_of(path: str, content: bytes = A) -> Waiting:
    return Waiting(path.encode(), content, "python", 100, 1, NOW, NOW, NOW, 0.0, 0)


def test_a_path_that_comes_back_to_a_content_costs_nothing_and_counts_once(store: LlmStore) -> None:
    store.note([wanted("x.py", A)], "c:1", NOW)
    pay(store, row_of("x.py", A), 70)
    store.note([wanted("x.py", A)], "c:2", NOW + 1)  # touched, the same content
    assert store.saved() == (0, 0)
    store.note([wanted("x.py", B)], "c:3", NOW + 2)
    store.note([wanted("x.py", A)], "c:4", NOW + 3)
    assert store.saved() == (1, 70)
    assert store.waiting() == 0


def test_two_paths_with_one_content_are_one_call(store: LlmStore) -> None:
    store.note([wanted("x.py"), wanted("y.py")], "c:1", NOW)
    first, second = store.due(NOW + DELAY, DELAY, MOST, 9)
    pay(store, first, 70)
    assert store.take_known(second)
    assert store.saved() == (1, 70)
    assert store.waiting() == 0


def test_what_is_set_apart_is_not_tried_until_somebody_says_so(store: LlmStore) -> None:
    store.note([wanted("x.py"), wanted("y.py")], "c:1", NOW)
    store.quarantine(row_of("x.py"), "not an answer", NOW)
    assert store.waiting() == 0
    store.note([wanted("z.py")], "c:2", NOW)
    assert store.waiting() == 0
    assert [one["reason"] for one in store.quarantined()] == ["not an answer"]
    assert store.retry(b"nobody.py", NOW) == 0
    assert store.retry(b"z.py", NOW) == 1
    assert paths(store, NOW + DELAY) == ["x.py", "y.py", "z.py"]
    assert store.quarantined() == []


# --- money ----------------------------------------------------------------------------------------------


def test_a_reservation_that_does_not_fit_is_refused_and_says_which_budget(store: LlmStore) -> None:
    assert reserve(store, row_of("x"), 60, day_limit=100) == 1
    assert reserve(store, row_of("x"), 60, day_limit=100) == Refused("day", never=False)
    assert reserve(store, row_of("x"), 160, day_limit=100) == Refused("day", never=True)
    assert reserve(store, row_of("x"), 60, total_limit=100) == Refused("total", never=False)
    assert reserve(store, row_of("x"), 60, now=next_day(NOW), day_limit=100) == 2
    assert reserve(store, row_of("x"), 60, now=next_day(NOW), total_limit=150) == Refused(
        "total", never=False
    )


def test_settling_puts_the_true_cost_in_place_of_the_worst_case_once(store: LlmStore) -> None:
    number = reserve(store, row_of("x"), 100)
    assert isinstance(number, int)
    for _ in range(2):
        store.settle(number, nano=30, tokens=(5, 5), outcome="ok")
    spent = store.spent(NOW)
    assert (spent.today, spent.total, spent.reserved, spent.calls) == (30, 30, 0, 1)


def test_a_cost_that_nobody_knows_stays_at_the_worst_case(store: LlmStore) -> None:
    number = reserve(store, row_of("x"), 100)
    assert isinstance(number, int)
    store.settle(number, nano=None, tokens=None, outcome="timed out")
    assert store.spent(NOW).total == 100


def test_a_day_ends_at_midnight_utc_and_a_call_belongs_to_the_day_it_began(store: LlmStore) -> None:
    number = reserve(store, row_of("x"), 100, now=next_day(NOW) - 1)
    assert isinstance(number, int)
    store.settle(number, nano=40, tokens=(1, 1), outcome="ok")
    assert store.spent(next_day(NOW) - 1).today == 40
    assert store.spent(next_day(NOW)).today == 0
    assert store.spent(next_day(NOW)).total == 40


_CHILD = """
import os, signal, sys
from pathlib import Path
from currant.store.llm import LlmStore, Waiting
store = LlmStore.open(Path(sys.argv[1]), "llm/1:bedrock:m", "p")
row = Waiting(b"x.py", b"a" * 16, "python", 100, 1, 0.0, 0.0, 0.0, 0.0, 0)
number = store.reserve(row, 100, purpose="first", day_limit=1000, total_limit=1000, now=float(sys.argv[2]))
print(number, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_process_killed_between_reserving_and_settling_leaves_the_worst_case_counted(
    open_store: Callable[..., LlmStore], tmp_path: Path
) -> None:
    state = tmp_path / "state"
    for times in (1, 2):
        ended = subprocess.run(
            [sys.executable, "-c", _CHILD, str(state), str(NOW)], capture_output=True, text=True, check=False
        )
        assert (ended.returncode, ended.stdout) == (-signal.SIGKILL, f"{times}\n"), ended.stderr
    store = open_store()
    spent = store.spent(NOW)
    assert (spent.total, spent.today, spent.reserved) == (200, 200, 0)
    store.settle(1, nano=0, tokens=None, outcome="too late")
    assert store.spent(NOW).total == 200
    assert "ended before" in store.costs(9)[0]["outcome"]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(1, 60),
            st.sampled_from(["settle", "unknown", "free", "leave", "reopen"]),
            st.integers(0, 3),
        ),
        max_size=25,
    )
)
def test_no_history_spends_more_than_the_budgets(steps: list[tuple[int, str, int]]) -> None:
    """Whatever is reserved, settled, lost and restarted on four days: against plain sums."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        store = LlmStore.open(Path(folder) / "state", MODEL, "p")
        days, total = [0] * 4, 0
        for number, (nano, what, day) in enumerate(steps):
            now = NOW + 86_400 * day
            got = reserve(store, row_of(f"f{number}"), nano, now=now, day_limit=100, total_limit=250)
            fits = days[day] + nano <= 100 and total + nano <= 250
            assert isinstance(got, int) is fits
            if isinstance(got, int):
                cost = {"settle": nano // 2, "free": 0}.get(what, nano)
                days[day] += cost
                total += cost
                if what in ("settle", "free", "unknown"):
                    store.settle(got, nano=None if what == "unknown" else cost, tokens=None, outcome=what)
            if what == "reopen":
                store.close()
                store = LlmStore.open(Path(folder) / "state", MODEL, "p")
            spent = store.spent(now)
            assert (spent.today, spent.total) == (days[day], total)
            assert total <= 250
            assert max(days) <= 100
        store.close()


def test_the_ledger_tells_the_cost_of_each_content(store: LlmStore) -> None:
    store.note([wanted("x.py", A), wanted("y.py", B)], "c:1", NOW)
    pay(store, row_of("x.py", A), 70)
    store.settle(
        int(str(reserve(store, row_of("y.py", B), 100))), nano=None, tokens=None, outcome="timed out"
    )
    pay(store, row_of("y.py", B), 30)
    store.note([wanted("z.py", B)], "c:2", NOW)
    dear, cheap = store.costs(10)
    assert (dear["path"], dear["calls"], dear["nano"], dear["reused"], dear["outcome"]) == (
        "y.py",
        2,
        130,
        1,
        "ok",
    )
    assert (cheap["path"], cheap["calls"], cheap["nano"], cheap["input_tokens"]) == ("x.py", 1, 70, 1)
    assert store.saved() == (1, 130)


# --- the file ---------------------------------------------------------------------------------------------


def test_the_file_is_private(store: LlmStore) -> None:
    assert os.stat(store.path).st_mode & 0o777 == 0o600


def test_a_damaged_ledger_is_refused_and_left_where_it_is(open_store: Callable[..., LlmStore]) -> None:
    store = open_store()
    store.close()
    damaged = b"SQLite format 3\0" + b"\xff" * 4080
    store.path.write_bytes(damaged)
    with pytest.raises(StoreError, match="no model is asked until you remove it"):
        open_store()
    assert store.path.read_bytes() == damaged


@pytest.mark.parametrize(
    "crime",
    [
        "CREATE TRIGGER free AFTER INSERT ON ledger BEGIN UPDATE spent SET nano = 0; END",
        "CREATE VIEW extra AS SELECT 1",
        "INSERT INTO ledger VALUES (9, 0, 'd', x'00', '', '', x'00', '', 'settled', -1000000, 0, 0, '')",
    ],
)
def test_a_ledger_that_came_with_the_tree_cannot_widen_the_budget(
    open_store: Callable[..., LlmStore], crime: str
) -> None:
    store = open_store()
    connection = store._connection
    assert connection is not None
    connection.pragma("ignore_check_constraints", 1)
    connection.execute(crime)
    with pytest.raises(StoreError, match="damaged"):
        open_store()


def test_sums_that_do_not_agree_with_the_ledger_are_not_believed(open_store: Callable[..., LlmStore]) -> None:
    store = open_store()
    pay(store, row_of("x.py"), 70)
    connection = store._connection
    assert connection is not None
    connection.execute("UPDATE spent SET nano = 0")
    assert open_store().spent(NOW).total == 70
    assert open_store().spent(NOW).today == 70


def test_a_newer_ledger_is_refused(open_store: Callable[..., LlmStore]) -> None:
    store = open_store()
    connection = store._connection
    assert connection is not None
    connection.pragma("user_version", 99)
    with pytest.raises(SchemaTooNewError):
        open_store()
