"""The goals, as data: what each row of the comparison has to reach. Owns no measurement.

`ratio`: ours divided by the rival's, at most `limit`. `most`: ours alone, at most `limit`. `least`: at least.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Goal:
    how: Literal["ratio", "most", "least"]
    limit: float

    def met(self, ours: float, theirs: float | None) -> bool | None:
        """None when there is nothing to compare with."""
        if self.how == "most":
            return ours <= self.limit
        if self.how == "least":
            return ours >= self.limit
        return None if not theirs else ours / theirs <= self.limit

    def __str__(self) -> str:
        sign = "≥" if self.how == "least" else "≤"
        return f"{sign} {self.limit:.3g}{' x' if self.how == 'ratio' else ''}"


GOALS = {
    "walk": Goal("ratio", 0.6),
    "restart": Goal("ratio", 1.0),
    "hash": Goal("ratio", 1.3),
    "cold": Goal("ratio", 1 / 3),
    "cold peak": Goal("most", 400),  # MB, of the kernel
    "outline": Goal("least", 100),  # MB/s of one processor: C-like languages and Python
    "appended": Goal("ratio", 0.5),  # processor time, watchfiles
    "appended lost": Goal("most", 0),
    "arming": Goal("ratio", 0.5),  # watchfiles, per directory
    "saved p50": Goal("most", 50),  # ms, with sync
    "saved p99": Goal("most", 400),  # ms
    "proportion": Goal("most", 2),  # time among the most files / time among the fewest
    "proportion bytes": Goal("most", 10),  # bytes written / bytes changed
    "idle memory": Goal("most", 100),  # MB
    "idle processor": Goal("most", 0.2),  # percent of one
    "idle wakes": Goal("most", 0.1),  # a second; "none", less what a clock of minutes needs
    "million restart": Goal("ratio", 1.5),
    "million tree": Goal("most", 150),  # MB
    "query": Goal("most", 5),  # ms, p99
    "import": Goal("most", 60),  # ms
    "status": Goal("most", 150),  # ms
    "wheel": Goal("most", 15),  # MB
}
