"""The expensive tier from the change feed to the merged record, with the real clients and a scripted
server."""

import threading
from pathlib import Path
from typing import Any

import pytest

from conftest import Tree
from currant.config import LlmSettings
from currant.graph.fan_in import fan_in
from currant.llm import prompt
from currant.llm.prices import dollars
from currant.store.ledger import next_day
from llm_kit import Lab, sources
from llm_server import DESCRIBED, OUTPUT_TOKENS, Behaviour, Call, Cut, Good, Hang, Raw, Status, input_tokens

ADD = "def add(a, b):\n    return a + b\n"


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.delenv("AWS_PROFILE", raising=False)


def worst(content: str, output: int = 2000) -> float:
    """What is reserved for a call about `content`."""
    request = prompt.question("python", content, LlmSettings(max_output_tokens=output))
    return dollars(60 * prompt.most_tokens(request)[0] + 240 * output)


def price_of(*calls: Call) -> float:
    """What the server has reported, at the prices of the kit."""
    return sum(dollars(60 * input_tokens(call.text) + 240 * OUTPUT_TOKENS) for call in calls)


@pytest.mark.parametrize("provider", ["bedrock", "openai"])
def test_what_syntax_left_empty_is_filled_and_marked_and_the_rest_stays(tree: Tree, provider: str) -> None:
    tree.write({"a.py": ADD + '\n\ndef sub(a, b):\n    "Mine."\n    return a - b\n'})
    with Lab(tree.root, provider=provider) as lab:
        before = lab.record("a.py")
        lab.run()
        after = lab.record("a.py")
        assert before["facts"] == {}
        assert [symbol["doc"] for symbol in after["symbols"]] == ["Adds two numbers.", "Mine."]
        mark = after["facts"]["llm"]
        assert mark["source"] == "llm:m-1"
        assert "symbols.0.doc" in mark["filled"]
        assert after["header"]["design_principles"] == ["One function does one thing."]
        assert len(lab.server.calls) == 1
        spent = lab.store.spent(lab.clock.now())
        assert dollars(spent.total) == pytest.approx(price_of(*lab.server.calls))
        assert spent.reserved == 0


def test_only_files_that_need_it_and_may_be_sent_are_sent(tree: Tree) -> None:
    key = "-----BEGIN RSA " + "PRIVATE KEY-----"
    tree.write(
        {
            "needs.py": ADD,
            "documented.py": '"""Adds."""\n\n\ndef add(a, b):\n    "Adds."\n    return a + b\n',
            ".env": "TOKEN=1\n",
            "deploy.pem": "x\n",
            "holds.py": f"# a comment\n{'x = 1  # padding' * 80}\nKEY = '''{key}'''\n" + ADD,
            "gen/made.py": ADD + "# made\n",
            "README.md": "# Title\n",
            "data.bin": b"\0\1\2",
            "empty.py": "",
            "latin.py": b"def caf\xe9():\n    return 1\n",
            "big.py": ADD + "# " + "x" * 3000 + "\n",
        }
    )
    with Lab(tree.root, exclude=["gen/*"], max_file_kb=2) as lab:
        plan = lab.tier.estimate()
        lab.run()
        assert len(lab.server.calls) == 1
        assert "def add" in lab.server.calls[0].text
        assert "made" not in lab.server.calls[0].text
        reasons = {one["path"]: one["reason"] for one in lab.store.quarantined()}
        assert reasons.keys() == {"holds.py", "latin.py"}
        assert "a private key" in reasons["holds.py"]
        assert plan.skipped.keys() >= {"secret", "in llm.exclude", "larger than llm.max_file_kb", "language"}


def test_what_most_files_lead_to_is_asked_for_first(tree: Tree) -> None:
    tree.write(
        {f"{name}.py": ADD + f"# {name}\n" for name in ("alone", "linked", "needed", "shared", "again")}
    )
    tree.write({"again.py": ADD + "# shared\n", "third.py": ADD + "# shared\n"})
    header = "###\n# [Source file intent]\n# User {0}.\n###\n# [Dependencies]\n# codebase:needed.py\n###\n"
    tree.write({f"user{number}.py": header.format(number) for number in range(4)})
    tree.write(
        {
            "README.md": "[one](linked.py) [once more](linked.py) and `alone.py` is in [text](alone.py#x)\n",
            "docs/a.md": "[two](../linked.py), not [this](linked.pyc)\n",
            "docs/b.md": "[three](../linked.py) and `add()`\n",
        }
    )
    with Lab(tree.root, concurrency=1) as lab:
        query = lab.service.query
        counted = {name: fan_in(query, f"{name}.py") for name in ("alone", "linked", "needed", "shared")}
        assert counted == {"needed": 4, "linked": 3, "shared": 2, "alone": 1}
        assert fan_in(query, "nowhere.py") == 0
        lab.run()
        assert [call.text.split("# ")[1].split()[0] for call in lab.server.calls] == [
            *("needed", "linked", "shared", "alone"),
        ]


def test_an_answer_of_another_shape_is_repaired_once_with_the_reason(tree: Tree) -> None:
    def behave(call: Call) -> Behaviour:
        return Good() if "refused" in call.text else Good({**DESCRIBED, "constraints": "none"})

    tree.write({"a.py": ADD})
    with Lab(tree.root, behave) as lab:
        lab.run()
        first, second = lab.server.calls
        assert "Expected `array`, got `str` - at `$.constraints`" in second.text
        assert first.text[-200:] not in second.text[-200:]
        assert lab.record("a.py")["facts"]["llm"]["source"] == "llm:m-1"
        assert dollars(lab.store.spent(lab.clock.now()).total) == pytest.approx(price_of(first, second))


@pytest.mark.parametrize("provider", ["bedrock", "openai"])
@pytest.mark.parametrize("bad", [Good({"nonsense": 1}), Good("I would rather talk.")])
def test_what_cannot_be_repaired_is_set_apart_with_the_reason_until_somebody_says_so(
    tree: Tree, provider: str, bad: Good
) -> None:
    behaviour: list[Behaviour] = [bad]
    tree.write({"a.py": ADD})
    with Lab(tree.root, lambda _call: behaviour[0], provider=provider) as lab:
        lab.run()
        assert len(lab.server.calls) == 2
        (apart,) = lab.store.quarantined()
        assert apart["path"] == "a.py"
        assert "does not fit the schema" in apart["reason"]
        tree.write({"b.py": ADD})  # the same content elsewhere
        lab.rescan()
        lab.run()
        assert len(lab.server.calls) == 2
        behaviour[0] = Good()
        assert lab.tier.retry("a.py") == 1
        lab.run()
        assert len(lab.server.calls) == 3
        assert lab.record("b.py")["facts"]["llm"]["source"] == "llm:m-1"
        assert lab.store.quarantined() == []


def test_an_answer_that_was_cut_off_by_the_limit_says_so(tree: Tree) -> None:
    tree.write({"a.py": ADD})
    with Lab(tree.root, lambda _call: Good('{"intent": "Ad', stop="length")) as lab:
        lab.run()
        assert "llm.max_output_tokens" in lab.store.quarantined()[0]["reason"]


def test_throttling_slows_everybody_down_costs_nothing_and_loses_nothing(tree: Tree) -> None:
    tree.write(sources(24))
    seen: list[int] = []

    def behave(call: Call) -> Behaviour:
        seen.append(lab.tier.status()["allowed"])
        return Status(429, "ThrottlingException", {"Retry-After": "3"}) if 3 <= call.number < 9 else Good()

    with Lab(tree.root, behave, concurrency=8, max_attempts=1) as lab:
        lab.run()
        assert min(seen[9:]) < 8
        assert lab.store.quarantined() == []
        good = [call for call in lab.server.calls if not 3 <= call.number < 9]
        assert len(good) == 24
        assert dollars(lab.store.spent(lab.clock.now()).total) == pytest.approx(price_of(*good))


@pytest.mark.parametrize("provider", ["bedrock", "openai"])
@pytest.mark.parametrize("failure", [Status(500, "InternalServerException"), Cut(), Raw(b"{")])
def test_a_failure_is_tried_again_and_the_worst_case_of_each_try_is_counted(
    tree: Tree, provider: str, failure: Behaviour
) -> None:
    tree.write({"a.py": ADD})
    with Lab(tree.root, lambda call: failure if call.number < 2 else Good(), provider=provider) as lab:
        lab.run()
        assert len(lab.server.calls) == 3
        told = dollars(lab.store.spent(lab.clock.now()).total)
        assert told == pytest.approx(2 * worst(ADD) + price_of(lab.server.calls[2]))
        assert lab.record("a.py")["facts"]["llm"]["source"] == "llm:m-1"


def test_after_so_many_failures_a_content_is_set_apart_and_the_others_go_on(tree: Tree) -> None:
    tree.write({"bad.py": ADD, "good.py": "def mul(a, b):\n    return a * b\n"})
    with Lab(tree.root, lambda call: Good() if "mul" in call.text else Status(500), max_attempts=3) as lab:
        lab.run()
        (apart,) = lab.store.quarantined()
        assert apart["path"] == "bad.py"
        assert "3 attempts" in apart["reason"]
        assert lab.record("good.py")["facts"]["llm"]["source"] == "llm:m-1"


def test_a_server_that_hangs_is_given_up_and_asked_again(tree: Tree) -> None:
    tree.write({"a.py": ADD})
    with Lab(tree.root, lambda call: Good() if call.number else Hang(), timeout_seconds=1) as lab:
        lab.run()
        assert len(lab.server.calls) == 2
        outcomes = [one["outcome"] for one in lab.store.costs(9)]
        assert outcomes == ["ok"]


def test_usage_that_cannot_be_true_leaves_the_worst_case_counted(tree: Tree) -> None:
    tree.write({"a.py": ADD})
    for usage in (None, {"prompt_tokens": 0, "completion_tokens": 0}):
        with Lab(tree.root, lambda _call, usage=usage: Good(usage=usage)) as lab:  # type: ignore[misc]
            lab.run()
            assert dollars(lab.store.spent(lab.clock.now()).total) == pytest.approx(worst(ADD))
        (tree.root / ".currant" / "llm.db").unlink()


def test_what_stands_in_everybodys_way_stops_all_calls_and_is_told(tree: Tree) -> None:
    refused = [True]
    tree.write(sources(6))
    with Lab(tree.root, lambda _call: Status(403) if refused[0] else Good(), concurrency=1) as lab:
        lab.run(until=lambda: bool(lab.server.calls))
        assert [entry.code for entry in lab.tier.degraded()] == ["llm_failing"]
        assert lab.store.quarantined() == []
        assert lab.store.waiting() == 6
        refused[0] = False
        lab.run()
        assert list(lab.tier.degraded()) == []


# --- money ------------------------------------------------------------------------------------------------


def test_the_budget_of_a_day_holds_calls_back_until_the_next_day(tree: Tree) -> None:
    tree.write(sources(10))
    limit = 1.3 * worst("x" * 60, 100)
    with Lab(tree.root, concurrency=3, max_output_tokens=100, usd_per_day=limit) as lab:
        lab.clock.pushed += next_day(lab.clock.now()) - lab.clock.now() + 1  # not close to midnight
        lab.run(until=lambda: bool(list(lab.tier.degraded())))
        assert [entry.code for entry in lab.tier.degraded()] == ["llm_budget"]
        made = len(lab.server.calls)
        assert 1 <= made < 10
        spent = lab.store.spent(lab.clock.now())
        assert dollars(spent.today) <= limit
        for _ in range(10):
            lab.push(next_day(lab.clock.now()) - lab.clock.now() + 1)
            lab.run(until=lambda: bool(list(lab.tier.degraded())) or lab.store.waiting() == 0)
            assert dollars(lab.store.spent(lab.clock.now()).today) <= limit
            if not lab.store.waiting():
                break
        assert len(lab.server.calls) == 10


def test_the_budget_in_all_ends_it_until_it_is_raised(tree: Tree) -> None:
    tree.write(sources(6))
    with Lab(tree.root, concurrency=2, max_output_tokens=100, usd_total=0.0002) as lab:
        lab.run(until=lambda: bool(list(lab.tier.degraded())))
        lab.push(86_400 * 3)
        assert [entry.code for entry in lab.tier.degraded()] == ["llm_budget"]
        assert dollars(lab.store.spent(lab.clock.now()).total) <= 0.0002
        lab.reopen(usd_total=1.0)
        lab.run()
        assert len(lab.server.calls) == 6


def test_a_call_that_may_cost_more_than_the_whole_budget_does_not_hold_up_the_others(tree: Tree) -> None:
    tree.write({"big.py": ADD + "# " + "x" * 50_000 + "\n", "small.py": ADD})
    with Lab(tree.root, max_output_tokens=100, usd_per_day=0.001) as lab:
        lab.run()
        (apart,) = lab.store.quarantined()
        assert apart["path"] == "big.py"
        assert "llm.usd_per_day" in apart["reason"]
        assert len(lab.server.calls) == 1


def test_with_no_money_at_all_nothing_is_ever_sent(tree: Tree) -> None:
    tree.write(sources(5))
    with Lab(tree.root, usd_per_day=0) as lab:
        lab.run()
        assert lab.server.calls == []


def test_the_plan_says_what_the_calls_then_cost_at_most(tree: Tree) -> None:
    tree.write(sources(12))
    with Lab(tree.root) as lab:
        plan = lab.tier.estimate()
        assert (plan.files, plan.calls, plan.reused, plan.exact) == (12, 12, 0, True)
        lab.run()
        spent = dollars(lab.store.spent(lab.clock.now()).total)
        assert plan.most_usd is not None
        assert spent <= plan.most_usd
        after = lab.tier.estimate()
        assert (after.files, after.calls, after.reused, after.usd) == (0, 0, 12, 0)


# --- order and change -------------------------------------------------------------------------------------


def test_a_change_during_the_call_is_asked_about_by_itself_and_the_answer_stays_with_its_content(
    tree: Tree,
) -> None:
    gate = threading.Event()

    def behave(call: Call) -> Behaviour:
        if call.number == 0:
            gate.wait(30)
        return Good({**DESCRIBED, "intent": "old" if "return a + b" in call.text else "new"})

    tree.write({"a.py": ADD})
    with Lab(tree.root, behave) as lab:
        lab.run(until=lambda: True)
        lab.push(20)
        lab.server.wait_for(1)
        tree.write({"a.py": ADD.replace("a + b", "a - b")})
        lab.rescan()
        lab.read_feed()
        gate.set()
        lab.run()
        assert lab.record("a.py")["header"]["intent"] == "new"
        tree.write({"a.py": ADD})
        lab.rescan()
        lab.run()
        assert lab.record("a.py")["header"]["intent"] == "old"
        assert len(lab.server.calls) == 2


def test_what_somebody_asked_for_is_asked_about_first(tree: Tree) -> None:
    files = sources(9)
    tree.write(files)
    last = sorted(map(str, files))[-1]
    with Lab(tree.root, concurrency=1) as lab:
        lab.read_feed()
        lab.tier.asked([last])
        lab.run()
        assert str(files[last]) in lab.server.calls[0].text
        assert len(lab.server.calls) == 9


def test_equal_contents_are_one_call_and_no_more_run_at_once_than_allowed(tree: Tree) -> None:
    tree.write(sources(20) | {f"same{at}.py": ADD for at in range(20)})
    with Lab(tree.root, concurrency=3) as lab:
        lab.run()
        assert len(lab.server.calls) == 21
        assert lab.server.busiest <= 3
        assert lab.store.saved()[0] == 19


def test_a_file_that_is_gone_or_changed_by_the_time_it_is_due_is_not_sent(tree: Tree) -> None:
    tree.write({"gone.py": ADD, "changed.py": ADD + "# 1\n"})
    with Lab(tree.root) as lab:
        lab.read_feed()
        tree.path("gone.py").unlink()
        tree.write({"changed.py": ADD + "# 2\n"})
        lab.run()
        assert lab.server.calls == []


def test_results_outlive_being_switched_off_and_a_new_index(tree: Tree) -> None:
    from currant.service import Service

    tree.write({"a.py": ADD})
    with Lab(tree.root) as lab:
        lab.run()
    for name in ("index.db", "index.db-wal", "index.db-shm"):
        (tree.root / ".currant" / name).unlink(missing_ok=True)
    with Service(tree.root, live=False) as service:
        assert service.sync(60).fresh
        view = service.show("a.py")
        assert view is not None
        assert view.record is not None
        assert view.record.facts["llm"]["source"] == "llm:m-1"
        assert service.get_status()["llm"]["provider"] == "off"


def test_a_damaged_ledger_takes_nothing_from_the_index_and_is_told(tree: Tree) -> None:
    from currant.service import Service

    tree.write({"a.py": ADD, ".currant/llm.db": b"SQLite format 3\0" + b"\xff" * 4080})
    with Service(tree.root, live=False) as service:
        assert service.sync(60).fresh
        assert service.show("a.py") is not None
        assert "llm_stopped" in service.degraded()


# --- the branch switch ------------------------------------------------------------------------------------


def branch_switch(root: Path, count: int) -> dict[str, Any]:
    """Two branches `count` files apart, there and back; the ledger after each visit."""
    tree = Tree(root)
    first, second = sources(count, seed=1), sources(count, seed=2)
    told: dict[str, Any] = {"files": count}
    with Lab(root, concurrency=4, usd_total=100, usd_per_day=100) as lab:
        for visit, contents in (("first", first), ("other", second), ("back", first), ("again", second)):
            tree.write(contents)
            lab.rescan()
            before, calls = lab.store.spent(lab.clock.now()).total, len(lab.server.calls)
            lab.run()
            spent = lab.store.spent(lab.clock.now()).total - before
            told[visit] = {"calls": len(lab.server.calls) - calls, "usd": dollars(spent)}
        told["ledger"] = {name: value for name, value in lab.tier.ledger(2).items() if name != "quarantined"}
        assert dollars(lab.store.spent(lab.clock.now()).total) == pytest.approx(price_of(*lab.server.calls))
    return told


def test_the_second_visit_of_a_branch_makes_no_call_and_costs_nothing(tree: Tree) -> None:
    told = branch_switch(tree.root, 150)
    assert told["first"]["calls"] == told["other"]["calls"] == 150
    assert told["first"]["usd"] > 0
    assert told["back"] == told["again"] == {"calls": 0, "usd": 0.0}
    assert told["ledger"]["reused"] == 300
    assert told["ledger"]["saved_usd"] == pytest.approx(told["ledger"]["spent_total_usd"])
