"""One batch: what the engine said of each path, folded into one change per path.

The engine says what became of a path since it last said something of it; two of its changes may be of the
same path. Folded, a path that was there before and is there now was modified, whatever lay between; one that
came and went was nothing.
"""

from typing import Final, NamedTuple

ADDED: Final = 1
MODIFIED: Final = 2
DELETED: Final = 3

_BEFORE: Final = 2
_NOW: Final = 1
_CHANGE: Final = {_NOW: ADDED, _BEFORE | _NOW: MODIFIED, _BEFORE: DELETED}


class Renamed(NamedTuple):
    """A path that has another name now; yielded with ``renames=True`` for what would be a deleted and an
    added path. A renamed directory is followed by one of these for each path below it."""

    old: str
    new: str


class Fold:
    """The changes of one batch so far."""

    def __init__(self) -> None:
        self._paths: dict[str, int] = {}
        self._origins: dict[str, str] = {}

    def __bool__(self) -> bool:
        return bool(self._paths)

    def created(self, *paths: str) -> None:
        """They are there and were not."""
        self._there(paths, _NOW)

    def modified(self, *paths: str) -> None:
        """They are there and were, and may be others than they were."""
        self._there(paths, _BEFORE | _NOW)

    def _there(self, paths: tuple[str, ...], fresh: int) -> None:
        # Thousands at a time, nearly all of them new in this batch: no step of Python for each.
        states = dict.fromkeys(paths, fresh)
        for path in states.keys() & self._paths.keys():
            states[path] = self._paths[path] & _BEFORE | _NOW
        self._paths |= states

    def deleted(self, *paths: str) -> None:
        """They were there and are not."""
        for path in paths:
            self._paths[path] = self._paths.get(path, _BEFORE) & _BEFORE
            self._origins.pop(path, None)

    def renamed(self, old: str, new: str) -> None:
        """What is at `new` was at `old`."""
        origin = self._origins.pop(old, old)
        self.deleted(old)
        self.created(new)
        self._origins[new] = origin

    def changes(self, *, renames: bool = False) -> set[tuple[int, str] | Renamed]:
        """(1 added, 2 modified, 3 deleted; path), at most one for a path. With `renames`, a pair for what was
        deleted in one place and added in another."""
        states = self._paths
        if 0 in states.values():  # came and went
            states = {path: state for path, state in states.items() if state}
        kinds = map(_CHANGE.__getitem__, states.values())
        found: set[tuple[int, str] | Renamed] = set(zip(kinds, states, strict=True))
        for new, old in self._origins.items() if renames else ():
            # Another file at the old name, or one that was at the new name before, is a change of its own.
            if {(DELETED, old), (ADDED, new)} <= found:
                found -= {(DELETED, old), (ADDED, new)}
                found.add(Renamed(old, new))
        return found
