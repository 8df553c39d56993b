"""From a failing round to a few steps that fail the same way.

Owns delta debugging over steps, the description of a tree as steps (so that a script stands alone), and the
trial of one candidate: a fresh root, a fresh watcher, every step, the whole check.
"""

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from currant.clock import Clock
from currant.soak.check import Checker, Finding, Rows
from currant.soak.lab import SYNC_SECONDS, Lab
from currant.soak.model import HIDDEN
from currant.soak.steps import Step, step
from currant.soak.surroundings import remove
from currant.soak.watcher import WatcherDied

Tamper = Callable[[Rows, Sequence[Step]], Rows]
"""Changes the rows that the watcher told, knowing what was done; for the soak's own tests."""

_TRIAL_SYNC_SECONDS: Final = 30
"""Less than in a run: a round that never becomes fresh is tried many times."""

LAB: Final = "!lab"
"""First line of a script: ``source=...`` and ``state=inside`` or ``outside``."""


def tree_steps(base: bytes) -> list[Step]:
    """Steps that make what is below `base`. Of a repository only its rules are kept, not its history."""
    return list(_tree_steps(base))


def _tree_steps(base: bytes) -> Iterator[Step]:
    names: dict[int, bytes] = {}
    for where, folders, files in os.walk(base):
        prefix = os.path.relpath(where, base) + b"/" if where != base else b""
        if b".git" in folders:
            yield step("git_init", prefix.rstrip(b"/"))
            yield from _exclude(where, prefix.rstrip(b"/"))
        links = [name for name in folders if os.path.islink(os.path.join(where, name))]
        folders[:] = sorted(set(folders) - HIDDEN - set(links))
        for name in folders:
            yield step("mkdir", prefix + name)
        for name in sorted([*files, *links]):
            yield from _file(where + b"/" + name, prefix + name, names)


def _exclude(where: bytes, path: bytes) -> Iterator[Step]:
    try:
        with open(where + b"/.git/info/exclude", "rb") as file:
            text = file.read()
    except OSError:
        return
    if not text.startswith(b"# git ls-files"):  # as git made it
        yield step("exclude", path, text)


def _file(full: bytes, path: bytes, names: dict[int, bytes]) -> Iterator[Step]:
    try:
        found = os.lstat(full)
        if stat.S_ISLNK(found.st_mode):
            yield step("symlink", os.readlink(full), path)
        elif stat.S_ISFIFO(found.st_mode):
            yield step("fifo", path)
        elif stat.S_ISREG(found.st_mode):
            if found.st_nlink > 1 and found.st_ino in names:
                yield step("link", names[found.st_ino], path)
                return
            names[found.st_ino] = path
            with open(full, "rb") as file:
                yield step("put", path, file.read())
    except OSError:
        return  # not readable: the script will do without it


def trial(
    steps: Sequence[Step], directory: Path, *, clock: Clock, tamper: Tamper | None = None
) -> list[Finding]:
    """What is wrong after `steps` on a fresh root with a fresh watcher, below `directory`."""
    remove(directory)
    directory.mkdir()
    given = {key.decode(): value.decode() for key, value in _lab_options(steps)}
    done: list[Step] = []
    try:
        with Lab(
            directory, clock=clock, source=given.get("source", "auto"),
            state_inside=given.get("state") == "inside", sync_seconds=_TRIAL_SYNC_SECONDS,
        ) as lab:  # fmt: skip
            checker = Checker(
                lab, directory, tamper=lambda rows: rows if tamper is None else tamper(rows, done)
            )
            for one in steps:
                if one.op != LAB:
                    lab.do(one)
                    done.append(one)
            try:
                reached = lab.settle()
            except WatcherDied as error:
                return [Finding("died", b"", str(error))]
            if not reached.fresh:
                return [not_fresh(reached.outstanding)]
            return checker.run(with_git=_git_can_say(lab))
    finally:
        remove(directory)


def not_fresh(outstanding: Sequence[str]) -> Finding:
    """The barrier did not end."""
    return Finding("not fresh", b"", f"after {SYNC_SECONDS} s; outstanding: {list(outstanding)[:5]}")


def _git_can_say(lab: Lab) -> bool:
    """Git knows the rules of git only, and needs a repository."""
    if not (lab.root / ".git").is_dir():
        return False
    alien = (b".ignore", b".currantignore")
    return not any(name in alien for _, _, files in os.walk(os.fsencode(lab.root)) for name in files)


def _lab_options(steps: Sequence[Step]) -> Iterator[tuple[bytes, bytes]]:
    for one in steps:
        if one.op == LAB:
            for word in one.args:
                key, _, value = word.partition(b"=")
                yield key, value


def shrink(
    steps: Sequence[Step], fails: Callable[[list[Step]], bool], more: Callable[[], bool]
) -> list[Step]:
    """The fewest steps found that still fail; `steps` must. Ends early when `more` says False.

    Leaves out ever smaller runs of steps; what is left when single steps were tried in vain is minimal in
    the sense that no single step can be spared."""
    left = list(steps)
    size = max(1, len(left) // 2)
    while True:
        spared = False
        at = 0
        while at < len(left):
            if not more():
                return left
            candidate = left[:at] + left[at + size :]
            if len(candidate) < len(left) and fails(candidate):
                left, spared = candidate, True
            else:
                at += size
        if size == 1:
            if not spared:
                return left
        else:
            size //= 2
