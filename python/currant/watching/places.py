"""From the paths that a user names to the directories that are watched for them.

A file is watched through its directory, so that one that is replaced by another of the same name goes on
being watched; so are the links that lead to it. What is found is told under the name that the user gave.
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

_MOST_LINKS = 40
"""As many as the kernel follows."""


@dataclass(slots=True)
class Place:
    """One directory to watch."""

    root: str
    """Without links."""
    shown: str
    """What stands for `root` in what is told."""
    recursive: bool
    names: dict[str, list[str]] = field(default_factory=dict)
    """For single files: each name in `root`, and the paths that are told for it. Empty: everything."""

    def told(self, path: str) -> Iterable[str]:
        """The paths to tell for a path relative to `root`."""
        if self.names:
            return self.names.get(path, ())
        if not path:
            return (self.shown,)
        return (f"{self.shown}{os.sep}{path.replace('/', os.sep)}",)


def places(paths: Iterable[Path | str], *, recursive: bool) -> list[Place]:
    """What to watch for these paths. Raises FileNotFoundError, PermissionError for one out of reach."""
    whole: dict[tuple[str, str], Place] = {}
    files: dict[str, Place] = {}
    for path in paths:
        # As watchfiles does: joined, not made shorter. A dot in it stays.
        shown = os.path.join(os.getcwd(), os.fspath(path))
        if os.path.isdir(shown):
            root = os.path.realpath(shown)
            shown = shown.rstrip(os.sep)
            whole[root, shown] = Place(root, shown, recursive)
            continue
        os.stat(shown)
        for directory, name in _steps(shown):
            place = files.setdefault(directory, Place(directory, directory, False))
            told = place.names.setdefault(name, [])
            if shown not in told:
                told.append(shown)
    return [*whole.values(), *files.values()]


def _steps(path: str) -> Iterator[tuple[str, str]]:
    """Each link on the way to a file, and the file: (directory without links, name)."""
    todo = list(reversed(Path(path).parts))
    here = todo.pop()
    links = 0
    while todo:
        name = todo.pop()
        full = os.path.join(here, name)
        if name == os.pardir:
            here = os.path.dirname(here)
        elif os.path.islink(full) and links < _MOST_LINKS:
            links += 1
            yield here, name
            target = Path(os.readlink(full))
            todo.extend(reversed(target.parts))
            if target.is_absolute():
                here = todo.pop()
        elif todo:
            here = full
        else:
            yield here, name
