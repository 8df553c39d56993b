"""What commands draw: the bar, the live view, names that would steer a terminal, and two signals."""

import io
import signal
import subprocess
import sys
from collections import deque
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from currant.cli import live
from currant.cli.live import render
from currant.cli.output import duration, printable, shown, size
from currant.cli.progress import Bar
from currant.clock import ManualClock
from currant.errors import EngineError
from currant.model import ChangePage, SyncResult


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_work_that_is_quick_shows_nothing() -> None:
    stream, clock = Terminal(), ManualClock()
    with Bar(stream=stream, clock=clock) as bar:
        bar.show(1, 10)
        clock.advance(0.9)
        bar.show(9, 10)
    assert stream.getvalue() == ""


def test_a_terminal_gets_a_bar_with_rate_and_time_left() -> None:
    stream, clock = Terminal(), ManualClock()
    with Bar(stream=stream, clock=clock) as bar:
        clock.advance(1.5)
        bar.show(500, 1_000, rate=250.0, eta=2.0)
        bar.show(501, 1_000, rate=250.0, eta=2.0)  # not due yet
    drawn = stream.getvalue()
    assert "500/1,000 files" in drawn
    assert "250/s" in drawn
    assert "2 s left" in drawn
    assert "501" not in drawn
    assert drawn.endswith("\r\x1b[2K")


def test_anything_else_gets_a_plain_line_now_and_then() -> None:
    stream, clock = io.StringIO(), ManualClock()
    with Bar(stream=stream, clock=clock) as bar:
        for second in range(30):
            clock.advance(1.0)
            bar.show(second, 0, phase="scanning")
    lines = stream.getvalue().splitlines()
    assert lines == ["scanning  0 files", "scanning  10 files", "scanning  20 files"]


@given(st.text(st.characters(exclude_categories=[])))
def test_nothing_printable_steers_a_terminal(text: str) -> None:
    assert printable(text).isprintable()
    assert "\n" not in shown(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0 s"), (59.4, "59 s"), (60, "1:00 min"), (3_599.6, "1:00 h"), (7_500, "2:05 h")],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_sizes() -> None:
    assert [size(count) for count in (0, 1_023, 1_536, 5 << 30, 1 << 50)] == [
        "0 B",
        "1023 B",
        "1.5 KiB",
        "5.0 GiB",
        "1024.0 TiB",
    ]


def status(**changed: Any) -> dict[str, Any]:
    told: dict[str, Any] = {
        "root": "/repo",
        "phase": "watching",
        "fresh": True,
        "pending": 0,
        "clock": "c:12345678:9",
        "active_workers": 1,
        "processed_files": 7,
        "index": {"files": 1_234, "failed": 0},
        "stats": {"recent_files_per_second": 12.0, "reused_results": 3, "recent_failures": []},
        "degraded": [],
    }
    return told | changed


def drawn(told: dict[str, Any], recent: list[str]) -> str:
    from rich.console import Console

    console = Console(width=100, file=io.StringIO(), force_terminal=False)
    console.print(render(told, deque(recent)))
    file = console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue()


def test_the_live_view_shows_state_rate_changes_and_failures() -> None:
    stats = {"recent_files_per_second": 12.0, "recent_failures": [("bad.c", 1.0, "parser crashed")]}
    text = drawn(
        status(
            fresh=False,
            pending=42,
            stats=stats,
            degraded=[{"code": "polled", "what": "polling", "count": 2, "fix": "raise it"}],
        ),
        ["12:00:00  created   new.py"],
    )
    for part in ("42 pending", "12/s", "1,234", "new.py", "bad.c: parser crashed", "polling (2): raise it"):
        assert part in text


def test_the_live_view_says_how_long_the_first_index_takes_and_what_it_costs() -> None:
    stats = {"recent_files_per_second": 500.0, "recent_failures": []}
    engine = {"files": 119_043, "watches": 7_747}
    more: dict[str, Any] = {"fresh": False, "stats": stats, "engine": engine}
    text = drawn(status(phase="indexing", pending=60_000, **more), [])
    assert "60,000 of 119,043 files, about 2:00 min" in text
    assert "7,747" in text
    assert "the tree is being listed" in drawn(status(phase="scanning", pending=3, **more), [])
    assert "watches" not in drawn(status(phase="indexing", pending=3, **more), [])
    assert "watches" not in drawn(status(engine=engine), [])


def test_names_are_text_in_the_live_view_not_markup_and_not_escapes() -> None:
    text = drawn(status(root="/r[bold]x"), ["created  \x1b[31m[red]evil"])
    assert "\x1b" not in text
    assert "[red]evil" in text
    assert "/r[bold]x" in text


class Failed:
    """A service whose engine fails after it became ready."""

    root = "/repo"

    def __init__(self) -> None:
        self.on_commit: list[Any] = []
        self.store = SimpleNamespace(clock=lambda: "c:12345678:1")
        self.query = SimpleNamespace(
            counts=lambda: {"files": 3}, changes=lambda since, limit: ChangePage([], since, False, False)
        )
        self.progress = lambda: SimpleNamespace(done=0)
        self.when_idle = lambda *_asked, **_how: False
        self.cache = SimpleNamespace(age=lambda: 0)
        self.syncs = 0

    def sync(self, _timeout: float) -> SyncResult:
        self.syncs += 1
        # Wakes the watcher, as a last commit does.
        for listener in self.on_commit:
            listener(None)
        if self.syncs > 1:
            raise EngineError("the source is gone")
        return SyncResult("c:12345678:1", True)

    def is_running(self) -> bool:
        return False

    def get_status(self) -> dict[str, Any]:
        return status()


@pytest.mark.parametrize("as_json", [True, False])
def test_a_watcher_whose_engine_failed_does_not_look_alive(
    as_json: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(live, "_LOOK_SECONDS", 0.0)
    with pytest.raises(EngineError, match="source is gone"):
        live.in_lines(Failed(), as_json=as_json)  # type: ignore[arg-type]
    assert "3" in capsys.readouterr().out


def test_trouble_is_told_once_and_again_only_when_it_is_another_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    troubles = [{"code": "polled", "what": "polling", "count": 2, "fix": "raise it"}]
    service: Any = SimpleNamespace(get_status=lambda: status(degraded=troubles))
    known = live._print_trouble(service, set(), as_json=False)
    troubles[0] = {**troubles[0], "what": "polling more", "count": 3}
    assert live._print_trouble(service, known, as_json=False) == known
    assert capsys.readouterr().out == "degraded: polling (2): raise it\n"
    for path in "ab":
        troubles.append({"code": "problem", "what": f"{path}: too deep", "count": 1, "fix": "repair it"})
        known = live._print_trouble(service, known, as_json=False)
        assert capsys.readouterr().out == f"degraded: {path}: too deep (1): repair it\n"


TWO_SIGNALS = """
import sys, threading
from currant.cli.stopping import Stopped, stoppable
hang = threading.Event()
try:
    with stoppable():
        try:
            print("ready", flush=True)
            hang.wait()
        finally:
            print("cleaning", flush=True)
            hang.wait()
except Stopped as stopped:
    sys.exit(stopped.exit_code)
"""


def test_the_second_signal_ends_it_at_once() -> None:
    with subprocess.Popen([sys.executable, "-c", TWO_SIGNALS], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == "cleaning\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait() == 128 + signal.SIGTERM
