"""What indexing a root would cost, before anything is indexed: files, bytes, watches, where they are.

Also owns the guard that keeps a slip of the hand from indexing a whole disk or a home directory. Reads
directories only; no file is opened and nothing is written.
"""

import os
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path, PurePath
from typing import Final

from msgspec import Struct, field

from currant import _core
from currant.errors import RootRefusedError

FILE_COST_BYTES: Final = 8 << 10
"""What opening, hashing and committing one file costs, in bytes of reading: it makes a directory of many
small files as expensive as it is."""

_WORTH_OPENING: Final = 0.5
_SYSCTL: Final = Path("/proc/sys")


class Directory(Struct, frozen=True):
    """One directory and everything below it: `files`, `bytes`, and its share of the whole cost (0 to 1)."""

    path: str
    files: int
    bytes: int
    share: float


class Plan(Struct, frozen=True):
    """What a walk found. `directories` is also the number of watches; `watch_limit` is None where the kernel
    has none. `languages` counts files by name alone; `unreadable` holds (path, reason)."""

    root: str
    files: int
    bytes: int
    directories: int
    watch_limit: int | None
    languages: dict[str, int]
    expensive: list[Directory]
    unreadable: list[tuple[str, str]] = field(default_factory=list)

    @property
    def fits(self) -> bool:
        """Whether the watches fit into the limit, were nobody else to hold any."""
        return self.watch_limit is None or self.directories <= self.watch_limit


def refuse_wide_root(root: Path, *, home: Path | None = None) -> None:
    """Raise RootRefusedError for ``/``, a home directory, or a directory that holds home directories."""
    real = root.resolve()
    homes = {Path("~").expanduser() if home is None else home}
    homes |= {Path(base) for base in ("/root",) if os.path.isdir(base)}
    wide = real == Path(real.anchor) or any(own.resolve().is_relative_to(real) for own in homes)
    if wide or real.parent in (Path("/home"), Path("/Users")):
        what = "the whole disk" if real == Path(real.anchor) else "a home directory, or holds one"
        raise RootRefusedError(
            f"{real} is {what}: name a project below it, or say --yes-really if this is what you want"
        )


def make_plan(
    root: Path,
    *,
    state_dir: Path,
    ignore_patterns: Iterable[str] = (),
    nested_repositories: bool = True,
    language_of: Callable[[str], str | None] = lambda _path: None,
    top: int = 10,
) -> Plan:
    """Walk `root` under its rules and add up. `language_of` takes a relative path.

    Raises OSError when the root itself cannot be listed."""
    walked, directories, unreadable = _core.walk(
        os.fspath(root),
        state_dir=os.fspath(state_dir),
        ignore_patterns=list(ignore_patterns),
        nested_repositories=nested_repositories,
    )
    languages: Counter[str] = Counter()
    sizes: list[tuple[str, int]] = []
    for file in walked:
        sizes.append((file.path, file.size))
        languages[language_of(file.path) or "other"] += 1
    return Plan(
        root=os.fspath(root),
        files=len(sizes),
        bytes=sum(size for _, size in sizes),
        directories=directories,
        watch_limit=watch_limit(),
        languages=dict(languages.most_common()),
        expensive=expensive_directories(sizes, top),
        unreadable=unreadable,
    )


def watch_limit(sysctl: Path = _SYSCTL) -> int | None:
    """How many directories this user may watch: the lower one of the user's limit and that of the user
    namespace (a container may have its own); None where there is no such limit."""
    if not sys.platform.startswith("linux"):
        return None
    found = []
    for name in ("fs/inotify/max_user_watches", "user/max_inotify_watches"):
        with suppress(OSError, ValueError):
            found.append(int((sysctl / name).read_text()))
    return min(found, default=None)


def expensive_directories(sizes: Iterable[tuple[str, int]], top: int) -> list[Directory]:
    """The `top` most expensive directories, none inside another, dearest first.

    Starts from the whole and opens the dearest directory again and again, until there are `top` to name or
    none is worth opening: one whose cost is in its own files, not in directories below it, stays whole."""
    files: defaultdict[str, int] = defaultdict(int)
    total: defaultdict[str, int] = defaultdict(int)
    children: defaultdict[str, set[str]] = defaultdict(set)
    for path, size in sizes:
        below = ""
        for parent in PurePath(path).parents:
            here = "" if parent == PurePath(".") else parent.as_posix()
            files[here] += 1
            total[here] += size
            if below:
                children[here].add(below)
            below = here

    def cost(path: str) -> int:
        return total[path] + FILE_COST_BYTES * files[path]

    def opens(path: str) -> bool:
        return sum(map(cost, children[path])) >= _WORTH_OPENING * cost(path) > 0

    whole = cost("") or 1
    frontier = {""} if files[""] else set()
    while len(frontier) < top or "" in frontier:
        closed = [path for path in frontier if opens(path)]
        if not closed:
            break
        dearest = max(closed, key=lambda path: (cost(path), path))
        frontier.remove(dearest)
        frontier |= children[dearest]
    named = sorted(frontier, key=lambda path: (-cost(path), path))[:top]
    return [Directory(path or ".", files[path], total[path], cost(path) / whole) for path in named]
