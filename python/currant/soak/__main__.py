"""``python -m currant.soak``: options, progress, the report, the exit status."""

import argparse
import json
import random
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from currant.clock import SystemClock
from currant.errors import CurrantError
from currant.soak.report import Report
from currant.soak.run import Options, soak
from currant.soak.shrink import trial
from currant.soak.steps import read_script
from currant.soak.surroundings import fresh_directory

DIFFERENT: Final = 1
INTERRUPTED: Final = 130
_LINE_SECONDS: Final = 15.0

EPILOG: Final = """exit status: 0 no difference, 1 differences, 2 wrong usage, 130 interrupted.
Nothing outside of a fresh temporary directory below --dir is touched, but, as root and for moments, the
kernel's fs.inotify.max_queued_events (--no-lower: not that either). docs/soak.md says more."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m currant.soak",
        description="Random operations and adversity against a running `currant watch`, "
        "compared with a fresh index, git and the change feed after every burst.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    option = parser.add_argument
    option("--ops", type=int, default=20_000, metavar="N", help="operations (default: 20,000)")
    option("--seed", type=int, default=None, metavar="S", help="the same operations again (default: random)")
    option("--dir", type=Path, default=None, help="file system to try: the temporary directory is made here")
    option("--source", choices=("auto", "inotify", "notify", "poll"), default="auto", help="monitor.source")
    option("--state", choices=("auto", "inside", "outside"), default="auto", help="where the index is kept")
    option("--files", type=int, default=400, help="size of the tree (default: 400)")
    option("--rivals", action="store_true", help="watchfiles and watchdog too, where installed")
    option("--no-adversity", action="store_true", help="operations only: no stops, kills, floods")
    option("--no-lower", action="store_true", help="as root: leave the kernel's max_queued_events alone")
    option("--no-links", action="store_true", help="no hard links")
    option("--max-failures", type=int, default=1, help="go on after failures, up to this many (default: 1)")
    option("--max-rss-mb", type=int, default=1024, help="allowed resident size of the watcher")
    option("--shrink-seconds", type=float, default=300.0, help="for shrinking a failing round; 0: do not")
    option("--replay", type=Path, metavar="FILE", help="run a script that a failure left")
    option("--tries", type=int, default=1, help="with --replay: so many times")
    option("--out", type=Path, default=Path(), help="where scripts of failures go (default: here)")
    option("--keep", action="store_true", help="leave the temporary directory")
    option("--json", action="store_true", help="the report as one JSON object")
    return parser


class _Progress:
    """A line now and then; on a terminal one that is written over."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._clock = SystemClock()
        self._last = 0.0

    def __call__(self, report: Report) -> None:
        now = self._clock.monotonic()
        terminal = sys.stderr.isatty()
        if not terminal and now - self._last < _LINE_SECONDS and report.ok:
            return
        self._last = now
        line = (
            f"{report.operations:,} of {self._total:,} operations, {report.seconds:,.0f} s, "
            f"{report.rounds:,} rounds, {report.kills:,} kills, {report.overflows:,} overflows, "
            f"{report.files:,} files, {report.differences} differences"
        )
        print(
            f"\r\x1b[K{line}" if terminal else line, end="" if terminal else "\n", file=sys.stderr, flush=True
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line asks for; the exit status."""
    given = _parser().parse_args(arguments)
    try:
        if given.replay is not None:
            return _replay(given)
        seed = random.SystemRandom().randrange(1 << 31) if given.seed is None else given.seed
        print(f"seed {seed}", file=sys.stderr, flush=True)
        options = Options(
            ops=given.ops, seed=seed, directory=given.dir, out=given.out, source=given.source,
            state=given.state, files=given.files, keep=given.keep, adversity=not given.no_adversity,
            links=not given.no_links, rivals=given.rivals, lower=not given.no_lower,
            shrink_seconds=given.shrink_seconds, max_failures=given.max_failures,
            max_rss=given.max_rss_mb << 20,
        )  # fmt: skip
        report = soak(options, progress=_Progress(given.ops))
    except CurrantError as error:
        print(f"currant.soak: {error}", file=sys.stderr)
        return error.exit_code
    if sys.stderr.isatty():
        print(file=sys.stderr)
    if given.json:
        print(json.dumps(report.as_dict()))
    else:
        print("\n".join(report.lines()))
    if not report.ok:
        return DIFFERENT
    return INTERRUPTED if report.interrupted else 0


def _replay(given: argparse.Namespace) -> int:
    steps = read_script(given.replay)
    clock = SystemClock()
    failed = 0
    with fresh_directory(given.dir, keep=given.keep) as directory:
        for number in range(given.tries):
            findings = trial(steps, directory / "trial", clock=clock)
            failed += bool(findings)
            for finding in findings:
                print(f"{number + 1}: {finding}")
    print(f"{len(steps)} steps, {given.tries} time(s): {failed} failed")
    return DIFFERENT if failed else 0


if __name__ == "__main__":
    sys.exit(main())
