"""Two other libraries in the same storm: what would their users believe, and how much of it is wrong?

Owns the processes of the rivals (see `rival`) and the count. They watch the same root, are stopped and
continued together with our watcher, see the same floods, and stay up while ours is killed. What they believe
is compared with the disk at each check, after a second of silence. What is wrong stays wrong until an event
repairs it, so new mistakes are counted apart from standing ones. One of which a thread is found dead at a
check begins anew after it, with a listing: it would be deaf for the rest of the run, and no measure of
anything else.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from currant.soak.rival import listing

NAMES: Final = ("watchfiles", "watchdog")

_SHOWN: Final = 3

GIVEN: Final = {
    "watchfiles": "watch(root, watch_filter=None, step=50): recursive, no filter",
    "watchdog": "the default Observer, recursive, event_filter: all that changes something",
}


class Rival:
    """One library on one root. `note` says why it does not take part, else it is empty."""

    def __init__(self, name: str, root: Path) -> None:
        self.name = name
        self.checks = self.wrong_checks = self.judged = self.wrong = self.new = 0
        self.alive_judged = self.alive_wrong = 0
        """The same as `judged` and `wrong`, at checks at which all of its threads lived."""
        self.deaths: list[str] = []
        """What it died of, each time that a thread of it was found dead."""
        self.kinds: dict[str, int] = {"missing": 0, "phantom": 0, "stale": 0}
        self.by_round: dict[str, int] = {}
        self._root = root
        self._begin()

    def _begin(self) -> None:
        self._before: frozenset[tuple[str, str]] = frozenset()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "currant.soak.rival", self.name, os.fspath(self._root)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        told = self._answer()
        self.note = "" if told is not None and "ready" in told else f"{self.name} does not run: {told}"

    def stop(self) -> None:
        """SIGSTOP."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT."""
        self._signal(signal.SIGCONT)

    def check(self, kind: str, truth: Mapping[str, str]) -> None:
        """Compare what its user believes with the disk, after a round of this kind."""
        if self.note:
            return
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(b"\n")
            self._process.stdin.flush()
        except OSError:
            pass
        believed = self._answer()
        if believed is None or "died" in believed:
            self.note = f"{self.name} ended after {self.checks} checks: {believed}"
            return
        wrong = frozenset(mistakes(believed["files"], truth))
        new = wrong - self._before
        self._before = wrong
        self.checks += 1
        self.wrong_checks += bool(wrong)
        self.judged += len(truth)
        self.wrong += len(wrong)
        self.new += len(new)
        for mistake, _path in new:
            self.kinds[mistake] += 1
        if new:
            self.by_round[kind] = self.by_round.get(kind, 0) + len(new)
        if not believed["death"]:
            self.alive_judged += len(truth)
            self.alive_wrong += len(wrong)
        else:
            self.deaths.append(believed["death"])
            self.close()
            self._begin()

    def as_dict(self) -> dict[str, Any]:
        """Counts; `wrong_percent` is of all files at all checks, beyond 100 where it believes in more than
        there are; `wrong_percent_alive` the same at checks that it lived to see."""
        share = 100 * self.wrong / self.judged if self.judged else 0.0
        alive = 100 * self.alive_wrong / self.alive_judged if self.alive_judged else 0.0
        return {
            **{"given": GIVEN[self.name], "checks": self.checks, "checks_with_mistakes": self.wrong_checks},
            **{"wrong_percent": round(share, 3), "wrong_percent_alive": round(alive, 3)},
            **{"new_mistakes": self.new, "new_by_kind": self.kinds},
            **{"new_by_round": self.by_round, "note": self.note, "deaths": len(self.deaths)},
            "died_of": self.deaths[:_SHOWN],
        }

    def close(self) -> None:
        """End it. Idempotent."""
        self._process.kill()
        self._process.communicate()

    def _signal(self, number: int) -> None:
        if self._process.poll() is None:
            self._process.send_signal(number)

    def _answer(self) -> dict[str, Any] | None:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        try:
            told = json.loads(line)
        except ValueError:
            return None
        return told if isinstance(told, dict) else None


class Rivals:
    """All of them that are installed."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.each = [Rival(name, root) for name in NAMES]

    def stop(self) -> None:
        """With our watcher."""
        for rival in self.each:
            rival.stop()

    def resume(self) -> None:
        """With our watcher."""
        for rival in self.each:
            rival.resume()

    def check(self, kind: str) -> dict[str, Any]:
        """Compare all of them; the report so far."""
        self.resume()
        truth = dict(listing(os.fspath(self._root)))
        for rival in self.each:
            rival.check(kind, truth)
        return {rival.name: rival.as_dict() for rival in self.each}

    def close(self) -> None:
        """End them."""
        for rival in self.each:
            rival.close()


def mistakes(believed: Mapping[str, str], truth: Mapping[str, str]) -> set[tuple[str, str]]:
    """(``missing``, ``phantom`` or ``stale``, path): not known, not there, or of an older content."""
    return {
        *(("missing", path) for path in truth.keys() - believed.keys()),
        *(("phantom", path) for path in believed.keys() - truth.keys()),
        *(("stale", path) for path in truth.keys() & believed.keys() if truth[path] != believed[path]),
    }
