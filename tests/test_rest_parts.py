"""Parts of the REST interface by themselves: the shared barrier, pages, the log, spans."""

import asyncio
import json
import logging
import stat
import threading
from email.utils import parsedate_to_datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from currant.api import Index
from currant.clock import ManualClock
from currant.errors import StoreError, UsageError
from currant.ipc.client import Answer
from currant.rest import answers, logs
from currant.rest.barrier import Barriers
from currant.rest.observe import no_span
from currant.rest.serving import Server
from currant.rest.tracing import Tracing, build


class Slow:
    """An index whose barriers end when they are told to."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.go = threading.Semaphore(0)
        self.budgets: list[int] = []

    def ask(self, method: str, _params: Any, *, sync_ms: int) -> Answer:
        """``sync`` waits for `go`."""
        if method != "sync":
            return Answer({"done": 1})
        self.budgets.append(sync_ms)
        self.begun.release()
        assert self.go.acquire(timeout=60)
        return Answer(None, f"c:{len(self.budgets)}", True)


def test_those_who_come_while_a_barrier_is_under_way_share_the_next_one() -> None:
    async def main() -> None:
        clock, index = ManualClock(), Slow()
        barriers = Barriers(clock)

        def ask() -> "asyncio.Task[Any]":
            return asyncio.create_task(barriers.reach("p", 100, lambda: cast(Index, index)))

        first = ask()
        await asyncio.to_thread(index.begun.acquire)
        later = [ask() for _ in range(200)]
        await asyncio.sleep(0)
        clock.advance(0.04)
        index.go.release()
        assert (await first).clock == "c:1"
        await asyncio.to_thread(index.begun.acquire)
        assert not any(task.done() for task in later), "what was written since the first began is not in it"
        index.go.release()
        assert {(await task).clock for task in later} == {"c:2"}
        # The time spent waiting for one's turn is part of the budget.
        assert index.budgets == [100, 60]

    asyncio.run(main())


def test_who_hangs_up_takes_the_barrier_from_nobody_and_an_error_reaches_all() -> None:
    async def main() -> None:
        index = Slow()
        barriers = Barriers(ManualClock())
        tasks = [asyncio.create_task(barriers.reach("p", 5, lambda: cast(Index, index))) for _ in range(3)]
        await asyncio.to_thread(index.begun.acquire)
        tasks[0].cancel()
        index.go.release()
        assert {(await task).clock for task in tasks[1:]} == {"c:1"}

        def broken() -> Index:
            raise StoreError("the disk is gone")

        failed = [asyncio.create_task(barriers.reach("q", 5, broken)) for _ in range(3)]
        for task in failed:
            with pytest.raises(StoreError, match="the disk is gone"):
                await task

    asyncio.run(main())


@given(
    rows=st.sets(st.tuples(st.text(max_size=3), st.integers(0, 5))),
    limit=st.integers(1, 7),
    gone=st.sets(st.integers(0, 50)),
)
def test_pages_give_every_row_once_whatever_comes_and_goes_behind_them(
    rows: set[tuple[str, int]], limit: int, gone: set[int]
) -> None:
    ordered = sorted(rows)
    seen: list[tuple[str, int]] = []
    cursor, turn = None, 0
    while True:
        page, cursor = answers.page(ordered, lambda row: row, (str, int), cursor, limit)
        seen += page
        if cursor is None:
            break
        if turn in gone:  # something that was given already goes away
            ordered.remove(seen[-1])
        turn += 1
    assert seen == sorted(rows)


@pytest.mark.parametrize("text", ["", "!", "W10", "WzFd", "bnVsbA", "eyJhIjoxfQ", "a" * 9_000, "é"])
def test_a_cursor_that_was_not_made_here_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="not made here"):
        answers.key_of(text, str)


@pytest.mark.parametrize(
    ("given", "status"),
    [("", 200), ('"other"', 200), ("{tag}", 304), ('W/{tag}, "x"', 304), ("*", 304), ('"x", {tag}', 304)],
)
def test_an_etag_is_compared_as_the_standard_says(given: str, status: int) -> None:
    def ask(tag: str) -> Any:
        return answers.tagged(
            Request({"type": "http", "headers": [(b"if-none-match", tag.encode())] if tag else []}), {"a": 1}
        )

    tag = ask("").headers["etag"]
    assert ask(given.format(tag=tag)).status_code == status


def test_the_log_is_json_of_everybody_bounded_and_private(tmp_path: Path) -> None:
    undo = logs.configure(tmp_path, level="info", max_mb=0.01, files=3)
    try:
        logging.getLogger("uvicorn.error").info("from %s", "uvicorn", extra={"color_message": "\x1b[1m"})
        logging.getLogger("apscheduler.scheduler").warning("late")
        logging.getLogger("currant.x").debug("not this")
        try:
            raise ValueError("why")
        except ValueError:
            logging.getLogger("currant.x").exception("odd", extra={"path": "a\udcff"})
        lines = [json.loads(line) for line in (tmp_path / logs.FILE_NAME).read_text().splitlines()]
        for _ in range(2_000):
            logging.getLogger("currant.x").info("a line that fills the file, again and again")
    finally:
        undo()
    assert [(line["logger"], line["level"], line["event"]) for line in lines] == [
        ("uvicorn.error", "info", "from uvicorn"),
        ("apscheduler.scheduler", "warning", "late"),
        ("currant.x", "error", "odd"),
    ]
    assert "ValueError: why" in lines[2]["exception"]
    assert all(line["timestamp"].endswith("Z") and "color_message" not in line for line in lines)
    there = sorted(tmp_path.iterdir())
    assert len(there) == 3
    assert {stat.S_IMODE(path.stat().st_mode) for path in there} == {0o600}
    assert sum(path.stat().st_size for path in there) <= 3 * 0.011 * (1 << 20)


def test_nothing_is_traced_unless_the_settings_say_where_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    assert build(None).span is no_span
    assert build("").span is no_span


class Spans:
    """A provider of spans that keeps them."""

    def __init__(self) -> None:
        self.ended: list[tuple[str, dict[str, Any]]] = []

    def get_tracer(self, *_of: str) -> "Spans":
        return self

    def start_span(self, name: str, start_time: int = 0) -> Any:
        told: dict[str, Any] = {"start": start_time}

        def end(end_time: int = 0) -> None:
            self.ended.append((name, {**told, "end": end_time}))

        return SimpleNamespace(set_attribute=told.__setitem__, end=end)


def test_each_run_of_a_job_is_a_span() -> None:
    spans = Spans()
    job = {"id": "j", "type": "refresh", "status": "completed", "attempt": 2, "started_at": 1.5}
    tracing = Tracing(spans)
    tracing.job_changed(SimpleNamespace(**job, finished_at=None))
    tracing.job_changed(SimpleNamespace(**job, finished_at=2.5))
    [(name, told)] = spans.ended
    assert name == "job refresh"
    assert (told["start"], told["end"]) == (1_500_000_000, 2_500_000_000)
    assert (told["currant.job.id"], told["currant.job.attempt"]) == ("j", 2)


# --- the server while nobody asks -------------------------------------------------------------------------


class _CountingLoop(asyncio.SelectorEventLoop):
    """Says how often it was asked to wake up by itself."""

    timers = 0

    def call_at(self, *arguments: Any, **more: Any) -> asyncio.TimerHandle:
        self.timers += 1
        return super().call_at(*arguments, **more)


def test_a_server_that_nobody_asks_sets_no_timer() -> None:
    """uvicorn's own looks ten times a second whether it is to end."""
    clock = ManualClock()
    app = cast(
        FastAPI, SimpleNamespace(state=SimpleNamespace(context=SimpleNamespace(stop_soon=lambda: None)))
    )
    server = Server(app, clock)
    with asyncio.Runner(loop_factory=_CountingLoop) as runner:

        async def until_told() -> None:
            serving = asyncio.create_task(server.main_loop())
            await asyncio.sleep(0)
            assert not serving.done()
            await asyncio.to_thread(server.finish)
            await serving

        runner.run(until_told())
        assert cast(_CountingLoop, runner.get_loop()).timers == 0
        runner.run(server.main_loop())  # told before: it does not begin to wait
    server.finish()  # and told again, when all is over


def test_the_date_of_an_answer_is_that_of_the_clock() -> None:
    clock = ManualClock()
    state = Server(cast(FastAPI, None), clock).server_state
    before = state.default_headers
    assert state.default_headers is before  # of the same second
    clock.advance(61.0)
    [(name, date)] = state.default_headers
    assert name == b"date"
    assert parsedate_to_datetime(date.decode()).timestamp() == int(clock.now())
    assert state.default_headers != before
