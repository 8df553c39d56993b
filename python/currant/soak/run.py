"""The rounds of one run: burst, barrier, check, and what to do when something is wrong.

Owns the order of things and the counters. Memory stays bounded: only the steps of the present round are kept,
with the tree at its beginning as steps, which together make the script of a round that fails.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

from currant.clock import Clock, SystemClock
from currant.soak.check import Checker, Finding
from currant.soak.generate import Generator
from currant.soak.lab import Lab
from currant.soak.plan import Plan
from currant.soak.report import Failure, Report
from currant.soak.rivals import Rivals
from currant.soak.shrink import LAB, Tamper, not_fresh, shrink, tree_steps, trial
from currant.soak.steps import Step, step, write_script
from currant.soak.surroundings import fresh_directory
from currant.soak.watcher import WatcherDied

_LARGEST_ROUND: Final = 5_000
_SMALLEST_ROUND: Final = 200
_POINTS: Final = 200
_KEPT_FINDINGS: Final = 50
_TRIES: Final = 2
_PAST_ROUNDS: Final = 12
_PAST_STEPS: Final = 20_000


@dataclass(frozen=True, slots=True)
class Options:
    """What a run is told. `directory` None: where temporary files go; `out` is where scripts are written."""

    ops: int
    seed: int
    directory: Path | None = None
    out: Path = Path()
    source: str = "auto"
    state: str = "auto"
    files: int = 400
    keep: bool = False
    adversity: bool = True
    links: bool = True
    rivals: bool = False
    lower: bool = True
    shrink_seconds: float = 300.0
    shrink_trials: int = 2_000
    max_failures: int = 1
    max_rss: int = 1 << 30


def soak(
    options: Options,
    *,
    progress: Callable[[Report], None] = lambda _report: None,
    clock: Clock | None = None,
    tamper: Tamper | None = None,
) -> Report:
    """Run it. Ctrl-C ends it with the report so far. Raises UsageError for an unusable directory."""
    with fresh_directory(options.directory, keep=options.keep) as directory:
        return _Run(options, directory, progress, clock or SystemClock(), tamper).run()


class _Run:
    def __init__(
        self,
        options: Options,
        directory: Path,
        progress: Callable[[Report], None],
        clock: Clock,
        tamper: Tamper | None,
    ) -> None:
        self._options = options
        self._directory = directory
        self._progress = progress
        self._clock = clock
        self._tamper = tamper
        self._chance = Random(options.seed)
        self._steps: list[Step] = []
        self._before: list[Step] = []
        self._past: list[tuple[list[Step], list[Step]]] = []
        """(tree at its beginning, steps) of some rounds that went well, the latest last."""
        self._rivals: Rivals | None = None
        self._counters = (0, 0, 0, 0)  # incarnation, and its overflows, scans, events
        inside = options.state == "inside" or (options.state == "auto" and options.seed % 2 == 0)
        self.report = Report(options.seed, options.source, "inside" if inside else "outside")
        self._inside = inside

    def run(self) -> Report:
        start = self._clock.monotonic()
        report = self.report
        with Lab(
            self._directory, clock=self._clock, source=self._options.source, state_inside=self._inside
        ) as self._lab:
            try:
                self._rounds(start)
            except KeyboardInterrupt:
                report.interrupted = True
            finally:
                if self._rivals is not None:
                    self._rivals.close()
            report.incarnations = self._lab.incarnations
        report.seconds = self._clock.monotonic() - start
        return report

    def _rounds(self, start: float) -> None:
        options, report = self._options, self.report
        self._gen = Generator(
            self._lab.hands,
            options.seed,
            files=options.files,
            record=self._record,
            links=options.links,
            utf8=options.rivals,  # watchfiles ends at the first name that is not
        )
        self._gen.begin()
        self._gen.make_repository()
        self._gen.run(min(2 * options.files, options.ops // 10))
        self._plan = Plan(
            self._lab,
            self._gen,
            self._chance,
            self._do,
            adversity=options.adversity,
            roots=not options.rivals,  # neither follows a root that was renamed or replaced
            unlowered=_unlowered(options),
        )
        report.kinds, report.forced = self._plan.counts, self._plan.forced
        report.unlowered = self._plan.unlowered
        if options.rivals:
            self._rivals = Rivals(self._lab.root)
        self._begin()
        largest = max(50, min(_LARGEST_ROUND, options.ops // 15))
        smallest = min(_SMALLEST_ROUND, largest // 2)
        while report.operations < options.ops and len(report.failures) < options.max_failures:
            count = smallest + int(self._chance.random() * (largest - smallest))
            self._round(min(count, options.ops - report.operations))
            report.seconds = self._clock.monotonic() - start
            report.incarnations = self._lab.incarnations
            self._progress(report)

    def _begin(self) -> None:
        """A watcher and an index of their own, with nothing to remember."""
        self._past.clear()
        self._before, self._steps = [], []
        self._plan.start()
        self._settled()  # a first round finds it at work, not at its start
        self._checker = Checker(
            self._lab,
            self._directory,
            max_rss=self._options.max_rss,
            tamper=lambda rows: rows if self._tamper is None else self._tamper(rows, self._steps),
        )
        self._remember()

    def _remember(self) -> None:
        """From here a failing round is replayed."""
        if self._before:
            self._past.append((self._before, self._steps))
        while len(self._past) > _PAST_ROUNDS or sum(len(steps) for _, steps in self._past) > _PAST_STEPS:
            del self._past[0]
        settings = [f"{key}={value}" for key, value in self._lab.last_settings.items()]
        state = f"state={'inside' if self._inside else 'outside'}"
        self._before = [
            step(LAB, f"source={self._options.source}", state),
            *tree_steps(self._lab.hands.base),
            step("!start", *settings),
            step("!settle"),
        ]
        self._steps = []

    # --- a round ------------------------------------------------------------------------------------------

    def _record(self, told: Step) -> None:
        self._steps.append(told)
        self.report.operations += 1
        self.report.steps[told.op] = self.report.steps.get(told.op, 0) + 1

    def _do(self, told: Step) -> bool:
        """Adversity, and operations that the plan asks for itself."""
        self._steps.append(told)
        if told.op in ("!stop", "!kill"):
            counted = "stops" if told.op == "!stop" else "kills"
            setattr(self.report, counted, getattr(self.report, counted) + 1)
        if self._rivals is not None and told.op in ("!stop", "!cont"):
            (self._rivals.stop if told.op == "!stop" else self._rivals.resume)()
        return self._lab.do(told)

    def _round(self, count: int) -> None:
        report = self.report
        began = self._clock.monotonic()
        kind = self._plan.round(count)
        ended = self._clock.monotonic()
        self._plan.finish()
        findings = self._settled()
        report.recovery.setdefault(kind, []).append(self._clock.monotonic() - ended)
        report.generating_seconds += ended - began
        report.rounds += 1
        report.refused = self._gen.failed
        checking = self._clock.monotonic()
        if not findings:
            findings = self._checker.run(with_git=self._git_can_say())
            self._count()
        if self._rivals is not None:
            report.rivals = self._rivals.check(kind)
        report.checking_seconds += self._clock.monotonic() - checking
        if findings:
            self._failed(kind, findings)
            self._start_over()
        else:
            self._remember()

    def _settled(self) -> list[Finding]:
        dies = self._lab.expected_death
        try:
            reached = self._lab.settle()
        except WatcherDied as error:
            return [Finding("died", b"", str(error))]
        if dies and not self._lab.expected_death:
            self.report.kills += 1
        return [] if reached.fresh else [not_fresh(reached.outstanding)]

    def _git_can_say(self) -> bool:
        tree = self._gen.tree
        return tree.root.repository and all(node.name == b".gitignore" for node in tree.rules)

    def _count(self) -> None:
        report, checker = self.report, self._checker
        engine = checker.status.get("engine", {})
        life, *before = self._counters
        now = (engine.get("overflows", 0), engine.get("root_scans", 0), engine.get("events", 0))
        if life != self._lab.incarnations:
            before = [0, 0, 0]
        report.overflows += now[0] - before[0]
        report.root_scans += now[1] - before[1]
        report.events += now[2] - before[2]
        self._counters = (self._lab.incarnations, *now)
        report.polled_rounds += bool(engine.get("unwatched", 0))
        report.git_compared = checker.git_compared
        report.feeds_replayed = checker.feeds_replayed
        report.fresh_instances = checker.fresh_instances
        report.links_healed = checker.links_healed
        report.drift = checker.drift
        report.files = checker.files
        report.peak_rss = max(report.peak_rss, checker.facts.peak)
        report.rss.append((report.operations, checker.facts.rss))
        if len(report.rss) > _POINTS:
            del report.rss[1::2]

    # --- failure ------------------------------------------------------------------------------------------

    def _failed(self, kind: str, findings: list[Finding]) -> None:
        options, report = self._options, self.report
        number = "" if not report.failures else f"-{len(report.failures) + 1}"
        path = options.out / f"soak-failure-{options.seed}{number}.txt"
        steps = self._script(0)
        told = [str(finding) for finding in findings[:_KEPT_FINDINGS]]
        comments = [
            f"seed {options.seed}, round {report.rounds} ({kind}): {len(findings)} difference(s)",
            *told[:10],
            f"replay with: python -m currant.soak --replay {path.name}",
        ]
        write_script(path, steps, comments)
        failure = Failure(report.rounds, kind, told, str(path), len(steps))
        report.failures.append(failure)
        report.differences += len(findings)
        self._progress(report)
        if options.shrink_seconds > 0:
            self._shrink({finding.kind for finding in findings}, failure, comments)

    def _shrink(self, kinds: set[str], failure: Failure, comments: list[str]) -> None:
        deadline = self._clock.monotonic() + self._options.shrink_seconds
        trials = 0

        def fails(candidate: list[Step]) -> bool:
            nonlocal trials
            trials += 1
            found = trial(candidate, self._directory / "trial", clock=self._clock, tamper=self._tamper)
            return any(finding.kind in kinds for finding in found)

        def more() -> bool:
            return self._clock.monotonic() < deadline and trials < self._options.shrink_trials

        self._lab.do(step("!kill"))
        for rounds in range(len(self._past) + 1):
            steps = self._script(rounds)
            if not more():
                return
            if any(fails(steps) for _ in range(_TRIES)):
                failure.reproduced = True
                fewest = shrink(steps, fails, more)
                failure.shrunk, failure.steps = len(fewest) < len(steps), len(fewest)
                write_script(Path(failure.script), fewest, [*comments, f"shrunk from {len(steps)} steps"])
                return

    def _script(self, rounds: int) -> list[Step]:
        """The round that failed, with so many rounds before it."""
        past = self._past[len(self._past) - rounds :]
        steps = list(past[0][0] if past else self._before)
        for _, done in past:
            steps += [*done, step("!settle")]
        return steps + self._steps

    def _start_over(self) -> None:
        """Go on with what is on disk and an index that knows nothing."""
        self._lab.do(step("!kill"))
        shutil.rmtree(self._lab.state_dir, ignore_errors=True)
        self._gen.restore()
        self._gen.begin()
        self._begin()


def _unlowered(options: Options) -> str:
    if not options.lower:
        return "--no-lower"
    return "the rivals' queues are as long as ours" if options.rivals else ""
