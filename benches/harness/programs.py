"""Runs programs and says what they cost. Owns finding the rivals; knows nothing of what is compared."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

RIVALS = {  # name: (commands, argument that prints the version, Debian package)
    "rg": (("rg",), "--version", "ripgrep"),
    "fd": (("fd", "fdfind"), "--version", "fd-find"),
    "git": (("git",), "--version", "git"),
    "ctags": (("ctags", "ctags-universal"), "--version", "universal-ctags"),
    "readtags": (("readtags",), "--version", "universal-ctags"),
    "watchman": (("watchman",), "--version", "watchman"),
    "xxhsum": (("xxhsum",), "--version", "xxhash"),
}
CURRANT = [sys.executable, "-m", "currant"]


def find(name: str) -> str | None:
    """The rival's program, or None when it is not installed."""
    found = next(filter(None, map(shutil.which, RIVALS[name][0])), None)
    if name == "ctags" and found and b"Universal" not in output([found, "--version"]):
        return None  # another ctags, with other languages and options
    return found


def missing(name: str) -> str:
    return f"{name}: not installed (Debian package {RIVALS[name][2]})"


def output(command: Sequence[str], cwd: Path | None = None) -> bytes:
    return subprocess.run(
        command, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ).stdout


def version(name: str) -> str:
    if name == "readtags":  # it does not say, and comes with ctags
        name = "ctags"
    program = find(name)
    lines = output([program, RIVALS[name][1]]).decode().splitlines() if program else []
    return lines[0] if lines else "not installed"


@dataclass
class Cost:
    """Of one run of a program: wall clock, processor time with that of its children, largest resident set."""

    seconds: float
    cpu: float
    peak_mb: float


def run(
    command: Sequence[str] | str,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    *,
    allow: int = 0,
) -> Cost:
    """Run it with its output thrown away. Raises RuntimeError, with what it said, when it fails.

    A text goes to the shell. `allow` is an exit status that is no failure besides 0.
    """
    with tempfile.TemporaryFile() as said:
        began = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0", **(env or {})},  # git status must not write
            shell=isinstance(command, str),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=said,
        )
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in (0, allow):
            said.seek(0)
            words = said.read()[-2_000:].decode(errors="replace")
            raise RuntimeError(f"{command}: exit status {process.returncode}: {words}")
    return Cost(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def here(work: Callable[[], Any]) -> Cost:
    """The same for something in this process."""
    before, began = os.times(), time.perf_counter()
    work()
    seconds, after = time.perf_counter() - began, os.times()
    return Cost(seconds, after.user - before.user + after.system - before.system, 0.0)


def alternate(rounds: int, contenders: Mapping[str, Callable[[], Cost]]) -> dict[str, list[Cost]]:
    """Each in turn, `rounds` times: A B C A B C. What slows the machine for a while slows all of them."""
    found: dict[str, list[Cost]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, work in contenders.items():
            found[name].append(work())
    return found


def plain(found: Mapping[str, list[Cost]]) -> dict[str, list[Any]]:
    """As JSON has it."""
    return {
        name: [{key: round(value, 5) for key, value in asdict(cost).items()} for cost in costs]
        for name, costs in found.items()
    }


def said(command: Sequence[str] | str, hidden: Mapping[str, str]) -> str:
    """A command as it is published: local paths are replaced by what they stand for."""
    text = command if isinstance(command, str) else " ".join(command)
    text = text.replace(" ".join(CURRANT), "currant")
    for path, name in sorted(hidden.items(), key=lambda pair: -len(pair[0])):
        text = text.replace(path, name)
    return text
