"""The disk as the audit sees it: `lstat` and the names in a directory, no content, no link followed."""

import contextlib
import os
import stat as bits
from typing import NamedTuple

from currant.audit.decide import Looked
from currant.model import FileStat


class Chain(NamedTuple):
    """The directories down to one: whether all are there and none is a link, and their states."""

    straight: bool
    states: tuple[tuple[int, ...], ...]


class Disk:
    """The tree below `root`, looked at by `lstat` alone; symbolic links on the way lead nowhere."""

    def __init__(self, root: str) -> None:
        self._root = root

    def absolute(self, path: str) -> str:
        """Where a path of the index is."""
        return os.path.join(self._root, path)

    def look(self, path: str, chains: dict[str, Chain]) -> Looked:
        """One path. `chains` remembers the directories above; one dict for as long as that may be."""
        chain = self._chain(os.path.dirname(path), chains)
        if not chain.straight:
            return self._nothing(path, chain)
        try:
            found = os.lstat(self.absolute(path))
        except (FileNotFoundError, NotADirectoryError):
            return self._nothing(path, chain)
        except OSError:
            return Looked(None, known=False)
        if not bits.S_ISREG(found.st_mode):
            return self._nothing(path, chain)
        stat = FileStat(found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)
        return Looked(stat, found.st_nlink, chain.states)

    def names(self, directory: str) -> tuple[list[str], list[str]]:
        """(regular files, directories) in a directory, as paths; nothing where it cannot be listed."""
        files: list[str] = []
        directories: list[str] = []
        prefix = f"{directory}/" if directory else ""
        with contextlib.suppress(OSError), os.scandir(self.absolute(directory)) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    directories.append(prefix + entry.name)
                elif entry.is_file(follow_symlinks=False):
                    files.append(prefix + entry.name)
        return sorted(files), sorted(directories)

    def directory(self, path: str) -> tuple[int, ...]:
        """What tells whether something was made or removed in a directory; empty when it is not there."""
        try:
            found = os.lstat(self.absolute(path))
        except OSError:
            return ()
        return (found.st_ino, found.st_mtime_ns, found.st_ctime_ns)

    def _chain(self, directory: str, chains: dict[str, Chain]) -> Chain:
        if not directory:
            return Chain(True, ())  # a root that moves is another matter, and one that is busy is no reason
        known = chains.get(directory)
        if known is None:
            above = self._chain(os.path.dirname(directory), chains)
            known = above
            if above.straight:
                state = self.directory(directory)
                straight = bool(state) and not os.path.islink(self.absolute(directory))
                known = Chain(straight, (*above.states, state))
            chains[directory] = known
        return known

    def _nothing(self, path: str, chain: Chain) -> Looked:
        """There is no such file; the deepest directory above it that is there would have changed."""
        while path:
            path = os.path.dirname(path)
            if state := self.directory(path):
                return Looked(None, evidence=(*chain.states, state))
        return Looked(None, evidence=chain.states)
