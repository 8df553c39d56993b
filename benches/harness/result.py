"""What a row hands back: lines for the table, and every single sample behind them."""

import statistics
from dataclasses import dataclass, field
from typing import Any

from harness.goals import GOALS


@dataclass
class Line:
    """One comparison. `goal` names an entry of GOALS; without a rival, `theirs` is None."""

    what: str
    ours: float
    unit: str
    theirs: float | None = None
    rival: str = ""
    goal: str | None = None

    @property
    def ratio(self) -> float | None:
        return self.ours / self.theirs if self.theirs else None

    @property
    def met(self) -> bool | None:
        return GOALS[self.goal].met(self.ours, self.theirs) if self.goal else None


@dataclass
class Row:
    """One row of the comparison: its lines, its raw samples by contender, what was left out and why."""

    name: str
    title: str
    lines: list[Line] = field(default_factory=list)
    samples: dict[str, list[Any]] = field(default_factory=dict)
    commands: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def against(
        self, what: str, ours: float, theirs: dict[str, float], unit: str, goal: str | None, rival: str
    ) -> None:
        """A line for each rival; the goal stands beside the one named `rival`, or alone without it."""
        for name, value in theirs.items():
            self.lines.append(Line(what, ours, unit, value, name, goal if name == rival else None))
        if rival not in theirs:
            self.lines.append(Line(what, ours, unit, None, f"{rival}: missing", goal))


def median(values: list[float]) -> float:
    return statistics.median(values)


def quantile(values: list[float], part: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round((len(ordered) - 1) * part))]
