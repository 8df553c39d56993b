"""An index that is not complete: answers come at once, and say what they lack. Answers that are too long."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from currant.clock import ManualClock
from currant.ipc.client import Answer
from currant.mcp import shapes
from currant.mcp.answers import Tools
from currant.mcp.budget import MIN_TOKENS, cut, fitting, tokens
from currant.mcp.freshness import Progress, note, progress
from mcp_kit import connected, fresh, refused, told

FILES = 30


def stopped_at(fifo: Path, place: int) -> dict[str, str]:
    """An environment in which the worker that gets to its `place`-th file waits for the test."""
    os.mkfifo(fifo)
    return {"CURRANT_FAIL_POINTS": f"fp_hash_then_commit@{place}=cat {fifo}"}


def go_on(fifo: Path) -> None:
    with open(fifo, "wb"):
        pass


def many(root: Path) -> None:
    root.mkdir()
    for number in range(FILES):
        (root / f"m{number:02}.py").write_text(f"def name_{number}():\n    pass\n")


def test_while_the_index_is_being_made_no_answer_says_that_there_is_nothing(tmp_path: Path) -> None:
    root, fifo = tmp_path / "tree", tmp_path / "fifo"
    many(root)

    async def talk() -> None:
        options = ("--set", "scheduler.worker_threads=1")
        async with connected(root, *options, **stopped_at(fifo, 11)) as client:
            found = await told(client, "find_symbol", name="name_")
            assert not found["fresh"]
            got = re.match(r"([\d,]+) of 30 files are indexed", found["note"])
            assert got, found["note"]
            assert int(got[1]) <= 10
            assert "may exist all the same" in found["note"]
            nothing = await told(client, "find_symbol", name="no_such_name")
            assert nothing["hits"] == []
            assert "may exist all the same" in nothing["note"]
            assert "No definition" not in nothing["note"]
            status = await told(client, "status")
            assert (status["total"], status["fresh"]) == (30, False)
            assert status["files"] <= 10
            assert status["percent"] <= 34
            # The path of a file that waits is no mistake of the caller.
            assert "files are indexed" in await refused(client, "references", path="m29.py")
            await anyio.to_thread.run_sync(go_on, fifo)
            assert (await told(client, "refresh", wait_seconds=60))["fresh"]
            found = await told(client, "find_symbol", name="name_", limit=200)
            assert (found["fresh"], len(found["hits"])) == (True, 30)
            assert "note" not in found

    anyio.run(talk)


def test_one_file_is_right_at_once_while_others_wait(tmp_path: Path) -> None:
    root, fifo = tmp_path / "tree", tmp_path / "fifo"
    many(root)

    async def talk() -> None:
        async with connected(root, **stopped_at(fifo, 1)) as client:
            # Of two workers one stands still, with a file that nobody knows.
            found = await told(client, "find_symbol", name="name_", limit=200)
            assert not found["fresh"]
            (root / "new.py").write_text("def just_written():\n    pass\n")
            record = await told(client, "file_record", path="new.py")
            assert record["fresh"]
            assert [one["name"] for one in record["definitions"]] == ["just_written"]
            assert (await told(client, "refresh", paths=["new.py"]))["fresh"]
            assert not (await told(client, "find_symbol", name="just_written"))["fresh"]
            await anyio.to_thread.run_sync(go_on, fifo)
            assert (await told(client, "refresh", wait_seconds=60))["fresh"]

    anyio.run(talk)


@pytest.mark.parametrize(
    ("told_of", "says"),
    [
        (Progress("scanning", 1_200, 0, 5, None), "being listed, 1,200 files are indexed so far"),
        (
            Progress("indexing", 12_340, 79_000, 66_660, 40.4),
            "12,340 of 79,000 files are indexed, about 40 s left",
        ),
        (Progress("watching", 79_000, 79_000, 3, None), "not in the answer yet (see pending)"),
        (Progress("rebuilding", 0, 0, 0, None), "made anew"),
        (Progress("failed", 5, 5, 0, None), "is failed"),
    ],
)
def test_the_sentences(told_of: Progress, says: str) -> None:
    assert says in note(told_of, [], ["a.py"])


def test_a_root_that_is_gone_is_said_first() -> None:
    assert "root is not there" in note(Progress("watching", 5, 5, 0, None), ["root_missing"], [])


@given(st.fixed_dictionaries({}, optional={
    "phase": st.sampled_from(["scanning", "indexing", "watching", "idle", "failed", "stopped", "suspended"]),
    "pending": st.integers(0, 100_000),
    "index": st.fixed_dictionaries({}, optional={"files": st.integers(0, 100_000)}),
    "engine": st.fixed_dictionaries(
        {}, optional={"files": st.integers(0, 100_000), "starting": st.booleans()}
    ),
    "stats": st.fixed_dictionaries({}, optional={"recent_files_per_second": st.floats(0, 1e6)}),
}))  # fmt: skip
def test_any_status_gives_a_sentence(status: Mapping[str, Any]) -> None:
    at = progress(status)
    assert 0 <= at.percent <= 100
    assert at.total == 0 or at.files <= at.total
    assert at.percent < 100 or at.files == at.total
    assert 20 < len(note(at, [], [])) < 300


class FakeIndex:
    """An index that is fresh at the third look; each takes as long as it may."""

    def __init__(self, clock: ManualClock, degraded: tuple[str, ...] = ()) -> None:
        self.clock = clock
        self.degraded = degraded
        self.waits: list[int] = []

    def ask(self, method: str, _params: Mapping[str, Any], *, sync_ms: int) -> Answer:
        assert method == "sync"
        self.waits.append(sync_ms)
        self.clock.advance(sync_ms / 1_000)
        return Answer(None, "c:1:1", len(self.waits) > 3, (), self.degraded)


@pytest.mark.parametrize(
    ("seconds", "degraded", "waits"),
    [
        (10, (), [1_000, 1_000, 1_000, 1_000]),
        (2.5, (), [1_000, 1_000, 500]),
        (0, (), [0]),
        (60, ("root_missing",), [1_000]),
    ],
)
def test_refresh_waits_in_slices(seconds: float, degraded: tuple[str, ...], waits: list[int]) -> None:
    """Other calls of the same agent go over the same connection, and want their turn."""
    clock = ManualClock()
    index = FakeIndex(clock, degraded)
    reached = Tools(cast("Any", None), 2_000, clock)._sync(cast("Any", index), {}, seconds)
    assert index.waits == waits
    assert reached.fresh == (len(waits) > 3)


# --- how long an answer is --------------------------------------------------------------------------------


def test_a_long_answer_is_cut_and_says_how_to_go_on(tmp_path: Path) -> None:
    (tmp_path / "long.py").write_text(
        '"""A module with a purpose."""\n'
        + "".join(
            f'def some_function_{number}(argument):\n    """{"word " * 40}"""\n\n' for number in range(300)
        )
    )

    async def talk() -> None:
        async with connected(tmp_path, "--answer-tokens", "500") as client:
            for tool, key, arguments in (
                ("find_symbol", "hits", {"name": "some_function", "limit": 200}),
                ("search", "hits", {"query": "word", "limit": 200}),
                ("file_record", "definitions", {"path": "long.py"}),
            ):
                seen: list[str] = []
                offset: int | None = 0
                while offset is not None:
                    answer = await fresh(client, tool, **arguments, offset=offset)
                    assert tokens(answer) <= 500
                    seen += [one["name"] for one in answer[key]]
                    offset = answer.get("next_offset")
                    assert (offset is None) == ("more" not in answer)
                    assert offset is None or f"offset={offset}" in answer["more"]
                assert len(seen) == len(set(seen)) == 300, tool

    anyio.run(talk)


@given(st.lists(st.text(max_size=3_000), max_size=20), st.integers(MIN_TOKENS, 5_000), st.integers(0, 6_000))
def test_what_fits_fits(items: list[str], budget: int, used: int) -> None:
    kept = fitting(items, budget, used=used)
    assert kept == items[: len(kept)]
    assert len(kept) >= min(1, len(items))
    assert len(kept) <= 1 or used + tokens(kept) <= budget


@given(st.text(), st.integers(2, 200))
def test_cut_text_is_the_beginning(text: str, length: int) -> None:
    short = cut(text, length)
    assert len(short) <= length or any(0xD800 <= ord(char) <= 0xDFFF for char in text)
    short.encode()
    assert short == text.strip() or short.endswith("…") or not text.isascii()


def test_the_names_of_the_answers_are_short_and_schemas_agree() -> None:
    """Fields that say nothing are left out."""
    assert shapes.Answer(fresh=True).__struct_fields__[0] == "fresh"
    assert tokens(shapes.Hits(fresh=True, hits=[])) < 10
