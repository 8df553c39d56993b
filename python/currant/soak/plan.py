"""Which adversity a round gets, and what that means step by step.

Owns the kinds of rounds and their weights. Each kind comes once, in a random order, before chance decides.
A kind leaves the watcher as it is at the end of its burst (stopped, dead, the root away): `finish` undoes
that, so that the time from there to a fresh index is the recovery time of the kind.
"""

from collections.abc import Callable
from random import Random
from typing import Final

from currant.soak.generate import Generator
from currant.soak.lab import Lab
from currant.soak.queue import SHORT
from currant.soak.steps import Step, step

FAIL_POINTS: Final = (
    *("fp_hash_then_commit", "fp_commit_then_ack", "fp_stat_then_read", "fp_read_then_fstat"),
    *("fp_add_watch_then_list", "fp_list_then_descend", "fp_rescan_mid"),
)
_MOST_QUEUED: Final = 300_000
"""A larger limit of the kernel is not forced over: the burst would take too long."""

WEIGHTS: Final = {
    **{"live": 30, "stopped": 14, "pulses": 12, "overflow": 8, "killed": 8, "stopped and killed": 5},
    **{"killed at a point": 6, "restarted": 4, "limited": 6, "rules": 10, "git": 6, "root away": 4},
    **{"root replaced": 1},
}


class Plan:
    """Rounds for one lab, from a chance of its own. `roots` False: the root stays where it is.

    `unlowered` says why the kernel's queue is never made shorter, but flooded as long as it is; empty when it
    is to be, and can be. `forced` counts rounds in which an overflow was forced, by the way it was."""

    def __init__(
        self,
        lab: Lab,
        generator: Generator,
        chance: Random,
        do: Callable[[Step], bool],
        *,
        adversity: bool,
        roots: bool = True,
        unlowered: str = "",
    ) -> None:
        self.counts: dict[str, int] = {}
        self.forced: dict[str, int] = {}
        polled = "nothing is queued with source poll" if lab.source == "poll" else ""
        refusal = lab.queue.refusal()  # asked first: it puts back what a run that was killed left
        self.unlowered = unlowered or polled or refusal
        self._lab = lab
        self._gen = generator
        self._chance = chance
        self._do = do
        limit = lab.queue.length()
        self._limit = limit if limit is not None and limit <= _MOST_QUEUED else None
        self._limited = False
        self._short = False
        self._kinds: dict[str, Callable[[int], None]] = {
            **{"live": self._live, "stopped": self._stopped, "pulses": self._pulses},
            **{"overflow": self._overflow, "killed": self._killed, "stopped and killed": self._both},
            **{"killed at a point": self._point, "restarted": self._restarted, "limited": self._low},
            **{"rules": self._rules, "git": self._git, "root away": self._away},
            "root replaced": self._replaced,
        }
        if not adversity:
            self._kinds = {"live": self._live}
        if self._limit is None and self.unlowered:
            self._kinds.pop("overflow", None)
        if lab.state_inside or not roots:
            self._kinds.pop("root replaced", None)
        if not roots:
            self._kinds.pop("root away", None)
        self._first = sorted(self._kinds)
        chance.shuffle(self._first)

    def start(self) -> None:
        """A watcher with random settings."""
        self._do(step("!start", *self._settings()))

    def round(self, count: int) -> str:
        """One burst of about `count` operations; which kind it was."""
        # Few watches last for one round; a short queue may stay, for overflows that nobody planned.
        if self._limited or (self._short and self._chance.random() < 0.5):
            self._limited = self._short = False
            self._do(step("!end"))
            self.start()
            self._do(step("!sync"))
        if self._first:
            kind = self._first.pop()
        else:
            kinds = list(self._kinds)
            kind = self._chance.choices(kinds, [WEIGHTS[kind] for kind in kinds])[0]
        self.counts[kind] = self.counts.get(kind, 0) + 1
        self._kinds[kind](count)
        self._gen.restore()
        if self._chance.random() < 0.5:
            self._gen.without_ignore_files()
        return kind

    def finish(self) -> None:
        """Undo what a kind left: the last thing before the barrier."""
        self._do(step("!back"))
        self._do(step("!cont"))
        if self._lab.watcher is None:
            self.start()

    # --- kinds --------------------------------------------------------------------------------------------

    def _live(self, count: int) -> None:
        self._gen.run(count)

    def _stopped(self, count: int) -> None:
        self._do(step("!stop"))
        self._gen.run(count)

    def _pulses(self, count: int) -> None:
        """Stopped and running by turns; what is half seen meets what happens next."""
        left = count
        while left > 0:
            some = min(left, 1 + int(self._chance.random() * max(2, count // 8)))
            left -= some
            self._do(step("!stop" if self._chance.random() < 0.6 else "!cont"))
            self._gen.run(some)

    def _overflow(self, count: int) -> None:
        """More notifications than the kernel keeps; what is lost lies before, in or after the flood."""
        before = int(count * self._chance.random())
        short = self._chance.random() < 0.7  # a long queue is another thing to lose than a short one
        if self._limit is None or (short and not self.unlowered):
            self._do(step("!end"))
            self._do(step("!start", *self._settings(), "queue=short"))
            self._do(step("!sync"))
            self._short = True
            self._flood(before, count - before, SHORT, "short queue")
            return
        if self._lab.expected_death:
            # A point that kills it in this round would take its count of losses along.
            self._do(step("!end"))
            self.start()
            self._do(step("!sync"))
        self._flood(before, count - before, self._limit, "flood")

    def _flood(self, before: int, after: int, limit: int, way: str) -> None:
        self.forced[way] = self.forced.get(way, 0) + 1
        self._do(step("!stop"))
        self._gen.run(before)
        self._do(step("fill", "fill1.py", "fill2.py", limit // 2 + 500))
        self._gen.run(after)
        for name in ("fill1.py", "fill2.py"):
            self._do(step("unlink", name))
        self._gen.begin()

    def _killed(self, count: int) -> None:
        some = int(count * self._chance.random())
        self._gen.run(some)
        self._do(step("!kill"))
        self._gen.run(count - some)
        if self._chance.random() < 0.3:  # the next one is killed while it starts
            self.start()
            self._gen.run(1 + count // 10)
            self._do(step("!kill"))
            self._gen.run(1 + count // 10)

    def _both(self, count: int) -> None:
        self._do(step("!stop"))
        self._killed(count)

    def _point(self, count: int) -> None:
        """SIGKILL between two certain steps of the pipeline."""
        self._do(step("!end"))
        point = FAIL_POINTS[int(self._chance.random() * len(FAIL_POINTS))]
        number = 1 + int(self._chance.random() * 30)
        self._do(step("!start", *self._settings(), f"fail={point}@{number}"))
        self._gen.run(count)

    def _restarted(self, count: int) -> None:
        self._do(step("!end"))
        self._gen.run(count)

    def _low(self, count: int) -> None:
        """Fewer watches than directories: part of the tree is polled."""
        self._limited = True
        self._do(step("!end"))
        watches = 1 + int(self._chance.random() * len(self._gen.tree.directories) / 2)
        settings = [f"monitor.max_watches={watches}", "monitor.poll_interval_ms=200"]
        self._do(step("!start", *self._settings(), *settings))
        if self._chance.random() < 0.5:
            self._do(step("!sync"))
        self._gen.run(count)

    def _rules(self, count: int) -> None:
        if self._chance.random() < 0.5:
            self._do(step("!stop"))
        self._gen.run(count, rules=True)

    def _git(self, count: int) -> None:
        if self._chance.random() < 0.3:
            self._do(step("!stop"))
        for _ in range(5):
            self._gen.run(count // 5)
            self._gen.git()

    def _away(self, count: int) -> None:
        """The root is renamed, worked on under its other name, and comes back."""
        self._do(step("!away"))
        if self._chance.random() < 0.5:
            self._do(step("!sync"))
        self._gen.run(count // 2)
        if self._chance.random() < 0.5:
            self._do(step("!back"))
            self._gen.run(count // 2)

    def _replaced(self, count: int) -> None:
        if self._chance.random() < 0.3:
            self._do(step("!stop"))
        self._do(step("!recreate"))
        self._gen.held = False
        self._gen.begin()
        if self._chance.random() < 0.5:
            self._gen.make_repository()
            self._gen.run(count)
        else:
            self._gen.run(count)
            self._gen.make_repository()

    def _settings(self) -> list[str]:
        """Of a watcher, any that users may choose."""
        debounce, latest = self._any((0, 5, 20, 100)), self._any((100, 500, 2_000))
        return [
            f"monitor.debounce_ms={debounce}",
            f"monitor.max_delay_ms={latest}",
            f"scheduler.max_queue_size={self._any((100, 1_000))}",
            f"scheduler.worker_threads={self._any((1, 2, 4))}",
            f"scheduler.batch_size={self._any((1, 20, 100))}",
            f"monitor.audit_interval_s={self._any((0, 0, 0, 1))}",
        ]

    def _any(self, values: tuple[int, ...]) -> int:
        return values[int(self._chance.random() * len(values))]
