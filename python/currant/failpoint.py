"""Fail points: named places between two steps at which a test has something happen, so that a race is certain
and not probable. Without ``CURRANT_FAIL_POINTS`` in the environment they do nothing.

The variable has one ``name=shell command`` a line; ``name@3=command`` means the third time that the place
is passed. The command runs once, in the thread that got there, which waits for it. The native core passes
its own places in the same way (``rust/src/failpoint.rs``); here is the list of all names.
"""

import os
import threading
from typing import Final

from currant.errors import ConfigError, ConfigProblem

VARIABLE: Final = "CURRANT_FAIL_POINTS"

HERE: Final = frozenset(
    {
        "fp_lstat_then_open",
        "fp_stat_then_read",
        "fp_read_then_fstat",
        "fp_hash_then_commit",
        "fp_commit_then_ack",
    }
)
"""Passed by Python."""

CORE: Final = frozenset(
    {
        "fp_add_watch_then_list",
        "fp_list_then_descend",
        "fp_rules_loaded_then_applied",
        "fp_overflow_seen_then_rescan",
        "fp_rescan_mid",
        "fp_sync_drained_then_fired",
    }
)
"""Passed by the native core."""


class FailPoints:
    """The armed points of one text. Thread-safe. Raises ConfigError for names that nobody passes."""

    def __init__(self, text: str) -> None:
        self._lock = threading.Lock()
        self._left: dict[str, list[tuple[int, str]]] = {}
        for line in filter(None, map(str.strip, text.splitlines())):
            place, separator, command = line.partition("=")
            name, _, number = place.strip().partition("@")
            if not separator or name not in HERE | CORE or not (number or "1").isdecimal():
                known = ", ".join(sorted(HERE | CORE))
                what = f"is not NAME=COMMAND or NAME@PASS=COMMAND with one of {known}"
                raise ConfigError([ConfigProblem(VARIABLE, line, "environment", what)])
            self._left.setdefault(name, []).append((int(number or 1), command.strip()))

    def hit(self, name: str) -> None:
        """This place is passed."""
        if not self._left:
            return
        with self._lock:
            armed = self._left.pop(name, [])
            due = [command for left, command in armed if left == 1]
            if later := [(left - 1, command) for left, command in armed if left > 1]:
                self._left[name] = later
        for command in due:
            # What becomes of the command is for the test to find out.
            import subprocess

            subprocess.run(["sh", "-c", command], stdin=subprocess.DEVNULL, check=False)


_points: FailPoints | None = None


def check() -> None:
    """Read the environment, at the start. Raises ConfigError for what cannot be armed."""
    global _points
    if _points is None:
        _points = FailPoints(os.environ.get(VARIABLE, ""))


def armed() -> bool:
    """Whether any place is armed in this process."""
    return _points is not None and bool(_points._left)


def hit(name: str) -> None:
    """This place is passed; nothing unless `check` was called and the environment arms it."""
    if _points is not None:
        _points.hit(name)
