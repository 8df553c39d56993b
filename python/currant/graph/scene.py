"""All that the rules look at: every file, every reference, what was there once. Owns one look at the index,
in one snapshot, and no rule.
"""

import os
import posixpath
from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any, Final

from currant.graph.words import upwards
from currant.model import Reference
from currant.query import Query
from currant.store import references as stored

INTERSPHINX: Final = "intersphinx_mapping"
"""The label that stands for inventories of other projects."""

_FEED: Final = "SELECT path, kind, old_path, at FROM changes ORDER BY seq"
_FILES: Final = """
SELECT f.path, f.mtime_ns, r.language
FROM files f LEFT JOIN results r ON r.id = f.result_id ORDER BY f.path"""


class ListedTree:
    """Every file, in memory: for questions about all references at once."""

    def __init__(self, paths: Iterable[str]) -> None:
        self.files = set(paths)
        self.directories = {""}
        self.by_name: defaultdict[str, list[str]] = defaultdict(list)
        for path in self.files:
            self.by_name[posixpath.basename(path).lower()].append(path)
            above = posixpath.dirname(path)
            while above not in self.directories:
                self.directories.add(above)
                above = posixpath.dirname(above)

    def has_file(self, path: str) -> bool:
        """See `Tree`."""
        return path in self.files

    def has_directory(self, path: str) -> bool:
        """See `Tree`."""
        return path in self.directories

    def has_name(self, name: str) -> bool:
        """Whether a file or a directory is called so, letter case of files aside."""
        return name.lower() in self.by_name or name in self._directory_names

    @cached_property
    def _directory_names(self) -> frozenset[str]:
        return frozenset(map(posixpath.basename, self.directories))

    def ending_with(self, path: str) -> list[str]:
        """Files whose path is this one or ends with it, letter case aside."""
        tail = path.lower()
        return [
            one
            for one in self.by_name.get(posixpath.basename(tail), ())
            if one.lower() == tail or one.lower().endswith("/" + tail)
        ]


class Scene:
    """The index as it is while `connection` reads, and what is on the disk besides it.

    `language` and `mtime` (seconds) by path; `by_file` has the references of each file that has some;
    `labels` are those of all pages; `changed` says when a file's content was last seen to change (seconds);
    `lost` are the paths that the index once had."""

    def __init__(self, query: Query, connection: Any, on_disk: Callable[[str], bool]) -> None:
        self.query = query
        self.connection = connection
        self.on_disk = on_disk
        rows: list[Any] = connection.execute(_FILES).fetchall()
        self.language = {os.fsdecode(path): language or "" for path, _, language in rows}
        self.mtime = {os.fsdecode(path): mtime / 1e9 for path, mtime, _ in rows}
        self.tree = ListedTree(self.language)
        self.by_file: defaultdict[str, list[Reference]] = defaultdict(list)
        for name, one in stored.everything(connection):
            self.by_file[os.fsdecode(name)].append(one)
        self.labels = {
            stored.label(one.target)
            for found in self.by_file.values()
            for one in found
            if one.kind == "anchor"
        }
        self.lost = ListedTree(())
        self.changed = self._changed()

    def in_sphinx(self, path: str) -> bool:
        """Whether Sphinx makes the pages of this directory, which lets Markdown name labels of any page."""
        return any(
            posixpath.join(base, "conf.py") in self.tree.files for base in upwards(posixpath.dirname(path))
        )

    def _changed(self) -> dict[str, float]:
        """When each file's content was last seen to change, in seconds; a rename is no change. Notes too
        which paths the index once had."""
        gone: set[bytes] = set()
        seen: dict[bytes, float] = {}
        for path, kind, old_path, at in self.connection.execute(_FEED):
            if kind == "renamed":
                gone.add(old_path)
                gone.discard(path)
                if old_path in seen:
                    seen[path] = seen.pop(old_path)
            elif kind == "modified":
                seen[path] = at
            else:
                (gone.add if kind == "deleted" else gone.discard)(path)
                seen.pop(path, None)
        self.lost = ListedTree({os.fsdecode(path) for path in gone} - self.tree.files)
        return {os.fsdecode(path): at for path, at in seen.items()}
