"""When a batch is complete: the loop of `RustNotify` on engines that hand out what a test tells them, and a
clock that stands still but for the waits."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from currant.clock import ManualClock
from currant.watching import RustNotify
from currant.watching.fold import ADDED
from currant.watching.places import Place

Script = list[tuple[float, list[str], bool]]


class Told:
    """An engine: what it hands out at which second, and whether something is pending from then on."""

    def __init__(self, clock: ManualClock, script: Script) -> None:
        self.clock, self.script, self.busy = clock, script, False

    def take(
        self, _most: int, _timeout: float, shown: str | None
    ) -> list[tuple[str, list[str], None, list[str]]]:
        names: list[str] = []
        while self.script and self.script[0][0] <= self.clock.monotonic() + 1e-9:
            _, more, self.busy = self.script.pop(0)
            names += more
        return [("created", [f"{shown}/{name}" for name in names], None, [])] if names else []

    def pending(self) -> int:
        return int(self.busy)

    def stop(self) -> None:
        pass


class Bell:
    """Time passes in its waits alone."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock

    def wait(self, seconds: float) -> bool:
        self.clock.advance(seconds)
        return False

    def ring(self) -> None:
        pass


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def notify(clock: ManualClock, tmp_path: Path) -> Iterator[Any]:
    real: Any = RustNotify([str(tmp_path)], False, False, 0, True, False, clock=clock)
    (_, engine), *_ = real._watched
    real._bell = Bell(clock)
    with real:
        yield real
        engine.stop()


def script(notify: Any, clock: ManualClock, *steps: tuple[float, list[str], bool]) -> None:
    (_, engine), *_ = notify._watched
    engine.stop()
    notify._watched = [(Place("/r", "/r", True), Told(clock, list(steps)))]


def added(*names: str) -> set[tuple[int, str]]:
    return {(ADDED, f"/r/{name}") for name in names}


def test_at_once_when_nothing_else_is_pending(notify: Any, clock: ManualClock) -> None:
    script(notify, clock, (0.3, ["a", "b"], False))
    assert notify.watch(1_600, 50, 5_000, None) == added("a", "b")
    assert clock.monotonic() == pytest.approx(0.3, abs=0.051)


def test_what_becomes_due_shortly_after_is_in_the_same_batch(notify: Any, clock: ManualClock) -> None:
    script(notify, clock, (0.1, ["a"], True), (0.14, ["b"], True), (0.18, ["c"], False))
    assert notify.watch(1_600, 50, 5_000, None) == added("a", "b", "c")


def test_a_file_that_is_written_without_pause_holds_up_no_other(notify: Any, clock: ManualClock) -> None:
    """It is pending all the time; the others are told two steps after the last of them."""
    script(notify, clock, (0.1, ["a"], True))
    assert notify.watch(1_600, 50, 5_000, None) == added("a")
    assert clock.monotonic() == pytest.approx(0.2, abs=0.06)


def test_a_stream_of_changes_is_cut_after_debounce(notify: Any, clock: ManualClock) -> None:
    script(notify, clock, *((0.1 + number * 0.04, [f"f{number}"], True) for number in range(200)))
    first = notify.watch(1_600, 50, 5_000, None)
    assert clock.monotonic() == pytest.approx(0.1 + 1.6 - 0.05, abs=0.06)
    assert 35 <= len(first) <= 42
    assert first.isdisjoint(notify.watch(1_600, 50, 5_000, None))


def test_no_timeout_while_something_is_pending(notify: Any, clock: ManualClock) -> None:
    script(notify, clock, (0.0, [], True), (0.4, ["a"], False))
    assert notify.watch(1_600, 50, 20, None) == added("a")


def test_a_timeout_and_none(notify: Any, clock: ManualClock) -> None:
    script(notify, clock)
    assert notify.watch(1_600, 50, 200, None) == "timeout"
    assert clock.monotonic() == pytest.approx(0.2, abs=0.051)
    script(notify, clock, (1_000.0, ["a"], False))
    assert notify.watch(1_600, 50, 0, None) == added("a")
