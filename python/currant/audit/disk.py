"""The disk as the audit sees it: `lstat` and the names in a directory, no content, no link followed."""

import contextlib
import os
import stat as bits

from currant.audit.decide import Looked
from currant.model import FileStat


class Disk:
    """The tree below `root`, looked at by `lstat` alone; symbolic links on the way lead nowhere."""

    def __init__(self, root: str) -> None:
        self._root = root

    def absolute(self, path: str) -> str:
        """Where a path of the index is."""
        return os.path.join(self._root, path)

    def look(self, path: str, links: dict[str, bool]) -> Looked:
        """One path. `links` remembers for one run which directories are reached without a link."""
        if not self._straight(os.path.dirname(path), links):
            return Looked(None, evidence=self._above(path))
        try:
            found = os.lstat(self.absolute(path))
        except (FileNotFoundError, NotADirectoryError):
            return Looked(None, evidence=self._above(path))
        except OSError:
            return Looked(None, known=False)
        if not bits.S_ISREG(found.st_mode):
            return Looked(None, evidence=self._above(path))
        stat = FileStat(found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)
        return Looked(stat, found.st_nlink)

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

    def _straight(self, directory: str, links: dict[str, bool]) -> bool:
        if not directory:
            return True
        known = links.get(directory)
        if known is None:
            known = self._straight(os.path.dirname(directory), links) and not os.path.islink(
                self.absolute(directory)
            )
            links[directory] = known
        return known

    def _above(self, path: str) -> tuple[int, ...]:
        """The state of the deepest directory above `path` that is there."""
        while path:
            path = os.path.dirname(path)
            if found := self.directory(path):
                return found
        return ()
