"""Compare with git on real repositories: ``python benches/compare_git.py PATH...``.

For each repository a new index is made in a temporary directory (nothing is written into the repository),
and ``currant files -0`` must be, byte for byte, what ``git ls-files`` lists; see `oracle.git_files_nested`.
Prints a table and what differs; exit status 1 on a difference, 2 when a command fails.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson

sys.path.insert(0, os.fspath(Path(__file__).resolve().parent.parent / "tests"))

from oracle import git_files_nested

CURRANT: Final = [sys.executable, "-m", "currant"]
_SHOWN: Final = 20
_HEADINGS: Final = (
    "repository", "files", "MB", "forced", "index s", "files/s", "MB/s", "peak MB", "definitions", "DB MB",
    "again s", "git status s", "verdict",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Run:
    """One command that ended: what it printed, how long it took, and its largest resident set in bytes."""

    output: bytes
    seconds: float
    peak: int


class CommandFailed(Exception):
    """A command ended with a status that is not 0."""


def run(command: Sequence[str | Path]) -> Run:
    """Run to the end. Raises CommandFailed with what it said."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        start = time.monotonic()
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=errors)
        _pid, status, used = os.wait4(child.pid, 0)
        seconds = time.monotonic() - start
        child.returncode = os.waitstatus_to_exitcode(status)
        for file in (output, errors):
            file.seek(0)
        if child.returncode:
            told = errors.read()[-2_000:].decode(errors="replace")
            raise CommandFailed(f"{' '.join(map(str, command))}: status {child.returncode}\n{told}")
        unit = 1 if sys.platform == "darwin" else 1024
        return Run(output.read(), seconds, used.ru_maxrss * unit)


def compare(root: Path, extra: Sequence[str]) -> tuple[list[str], list[str]]:
    """One row of the table, and the lines that say what differs."""
    with tempfile.TemporaryDirectory(prefix="currant-compare-") as state:
        place = [*extra, "--root", os.fspath(root), "--state-dir", state]
        first = run([*CURRANT, "index", "--json", *place])
        again = run([*CURRANT, "index", "--json", *place])
        listed = run([*CURRANT, "files", "-0", *place]).output
        size = sum(file.stat().st_size for file in Path(state).glob("index.db*"))
    wanted, forced = git_files_nested(root)
    status = run(["git", "--no-optional-locks", "-C", root, "status", "--porcelain"])
    told: dict[str, Any] = orjson.loads(first.output)
    repeated: dict[str, Any] = orjson.loads(again.output)
    differences = differing(listed, wanted)
    if repeated["processed"]:
        differences.append(f"reread    {repeated['processed']} files, though nothing had changed")
    if told["index"]["failed"]:
        differences.append(f"failed    {told['index']['failed']} files")
    count, read = told["index"]["files"], told["bytes_hashed"] / 1e6
    row = [
        root.name, f"{count:,}", f"{read:,.1f}", f"{forced:,}", f"{first.seconds:.2f}",
        f"{count / first.seconds:,.0f}", f"{read / first.seconds:,.1f}", f"{first.peak / 1e6:,.0f}",
        f"{told['index']['symbols']:,}", f"{size / 1e6:,.1f}", f"{again.seconds:.2f}",
        f"{status.seconds:.2f}", "DIFFERENT" if differences else "equal",
    ]  # fmt: skip
    return row, differences


def differing(listed: bytes, wanted: list[bytes]) -> list[str]:
    """What distinguishes two lists; nothing when they are the same bytes."""
    if listed == b"".join(name + b"\0" for name in wanted):
        return []
    ours = listed.split(b"\0")[:-1]
    missing, extra = sorted(set(wanted) - set(ours)), sorted(set(ours) - set(wanted))
    lines = [f"missing   {name!r}" for name in missing[:_SHOWN]]
    lines += [f"extra     {name!r}" for name in extra[:_SHOWN]]
    return [*lines, f"{len(missing):,} missing, {len(extra):,} extra of {len(wanted):,}; order or repeats?"]


def table(rows: list[list[str]]) -> str:
    """Markdown, the first column to the left and the others to the right."""
    widths = [max(len(row[at]) for row in [list(_HEADINGS), *rows]) for at in range(len(_HEADINGS))]

    def line(cells: Sequence[str]) -> str:
        first, *others = zip(cells, widths, strict=True)
        return "| " + " | ".join([first[0].ljust(first[1]), *(c.rjust(w) for c, w in others)]) + " |"

    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return "\n".join([line(_HEADINGS), line(rule), *map(line, rows)])


def main() -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(description="Compare the files that Currant keeps with git's.")
    parser.add_argument("paths", metavar="PATH", nargs="+", type=Path, help="the top of a git work tree")
    parser.add_argument("--set", metavar="KEY=VALUE", action="append", default=[], help="a setting")
    options = parser.parse_args()
    extra = [word for setting in options.set for word in ("--set", setting)]
    rows, wrong = [], False
    for path in options.paths:
        try:
            row, differences = compare(path.resolve(), extra)
        except CommandFailed as error:
            print(error, file=sys.stderr)
            return 2
        rows.append(row)
        print(" ".join(row), file=sys.stderr)
        for line in differences:
            wrong = True
            print(f"{path.name}: {line}")
    print(table(rows))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
