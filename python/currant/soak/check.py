"""The index against everything that can be said about it without it.

Owns what counts as a difference: rows and definitions against a fresh index of the same tree made in this
process, the file list against git, the change feed replayed against the rows, the engine's counters against
the kernel's. Keeps the clock and the file set of the feed from one check to the next.
"""

import os
import shutil
import stat
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final, NamedTuple

from currant.api import open_index
from currant.errors import CurrantError
from currant.soak import git
from currant.soak.lab import SYNC_SECONDS, Lab
from currant.soak.watcher import Facts, WatcherDied

_ALL: Final = 10_000_000
_PAGE: Final = 2_000
_MORE_HANDLES: Final = 24
"""Descriptors that a watcher may have beyond those at its first check: connections of readers."""

_LOOKS: Final = 200

Rows = dict[bytes, tuple[str, str | None]]
"""path -> (state, content hash)."""


class Finding(NamedTuple):
    """One thing that is wrong. `kind`: ``missing``, ``extra``, ``different`` (rows), ``definitions``,
    ``git``, ``feed``, ``engine``,  ``resources``, ``not fresh``, ``died``."""

    kind: str
    path: bytes
    detail: str

    def __str__(self) -> str:
        shown = os.fsdecode(self.path).encode(errors="backslashreplace").decode()
        return f"{self.kind} {shown!r} {self.detail}".strip() if self.path else f"{self.kind} {self.detail}"


class Checker:
    """Compares one lab. `tamper` changes the rows that the watcher told, for the soak's own tests."""

    def __init__(
        self,
        lab: Lab,
        directory: Path,
        *,
        max_rss: int = 1 << 30,
        tamper: Callable[[Rows], Rows] = lambda rows: rows,
    ) -> None:
        self.status: dict[str, Any] = {}
        self.facts = Facts(0, 0, 0, 0)
        self.files = 0
        self.links_healed = 0
        """Rows that were behind after a write through another, unkept name of the inode (documented)."""
        self.git_compared = self.feeds_replayed = self.fresh_instances = 0
        self.drift = 0
        """What the background audit repaired."""
        self._drift = 0
        self._lab = lab
        self._fresh_dir = directory / "fresh"
        self._tamper = tamper
        self._max_rss = max_rss
        self._clock: str | None = None
        self._set: set[bytes] = set()
        self._handles: tuple[int, int] = (0, 0)  # of which incarnation, how many at its first check

    def run(self, *, with_git: bool) -> list[Finding]:
        """Everything that is wrong. The barrier is behind us and nobody changes the tree."""
        try:
            return list(self._run(with_git))
        except WatcherDied as error:
            return [Finding("died", b"", str(error))]
        except CurrantError as error:
            return [Finding("refused", b"", f"{type(error).__name__}: {error}")]

    def _run(self, with_git: bool) -> Iterable[Finding]:
        self.status = self._quiet()
        assert self._lab.watcher is not None
        self.facts = self._lab.watcher.facts()
        yield from self._engine()
        self._count_drift()
        yield from self._resources()
        fresh, fresh_definitions = self._fresh()
        rows = self._rows()
        rows = self._heal(rows, fresh)
        definitions = self._definitions(self._lab.ask("find", {"name": "", "limit": _ALL}))
        self.files = len(fresh)
        yield from compare(rows, fresh)
        for path, *rest in sorted(definitions ^ fresh_definitions):
            where = "only live" if (path, *rest) in definitions else "only fresh"
            yield Finding("definitions", path, f"{where}: {rest}")
        yield from self._feed(set(rows))
        if with_git:
            yield from self._git(set(fresh))

    def _quiet(self) -> dict[str, Any]:
        """The status. Directories that are polled may be at their next look; then the one after that."""
        for _ in range(_LOOKS):
            status: dict[str, Any] = self._lab.ask("status")
            engine = status["engine"]
            if not engine["pending"] or not (engine["unwatched"] or engine["source"] == "poll"):
                break
            self._lab.settle()
        return status

    # --- sides --------------------------------------------------------------------------------------------

    def _rows(self) -> Rows:
        told = self._lab.ask("rows") or []
        return self._tamper({os.fsencode(path): (state, content) for path, state, content, *_ in told})

    def _fresh(self) -> tuple[Rows, set[tuple[Any, ...]]]:
        """Rows and definitions of an index that was made just now."""
        shutil.rmtree(self._fresh_dir, ignore_errors=True)
        flags = {"state_dir": os.fspath(self._fresh_dir), "scheduler.worker_threads": 2}
        with open_index(self._lab.root, flags=flags, live=False, wide=True) as index:
            index.sync(SYNC_SECONDS)
            rows = index.ask("rows", {}, sync_ms=-1).result
            definitions = index.ask("find", {"name": "", "limit": _ALL}, sync_ms=-1).result
        shutil.rmtree(self._fresh_dir, ignore_errors=True)
        return (
            {os.fsencode(path): (state, content) for path, state, content, *_ in rows},
            self._definitions(definitions),
        )

    @staticmethod
    def _definitions(told: Iterable[dict[str, Any]] | None) -> set[tuple[Any, ...]]:
        return {
            (os.fsencode(one["path"]), one["kind"], one["name"], one["parent"], one["start"], one["end"])
            for one in told or ()
        }

    # --- comparisons --------------------------------------------------------------------------------------

    def _heal(self, rows: Rows, fresh: Rows) -> Rows:
        """The one documented limit: nobody tells of a write through a hard link whose name is ignored, or was
        gone before it was looked at. Rows that are behind for that reason alone are asked for once more."""
        through = self._lab.hands.written_through
        behind = [
            path
            for path, row in fresh.items()
            if rows.get(path, row) != row and self._untold(path, fresh, through)
        ]
        through.clear()
        if not behind:
            return rows
        self.links_healed += len(behind)
        for path in behind:
            self._lab.ask("force_process_file", {"path": os.fsdecode(path)})
        self._lab.settle()
        return self._rows()

    def _untold(self, path: bytes, fresh: Rows, through: dict[int, bytes]) -> bool:
        base = os.fsencode(self._lab.root)
        inode = _inode(os.path.join(base, path))
        name = through.get(inode)
        # Had that name survived as a kept file, the kernel would have told of this write and of all before.
        return name is not None and not (name in fresh and _inode(os.path.join(base, name)) == inode)

    def _feed(self, rows: set[bytes]) -> Iterable[Finding]:
        """The changes since the last check, applied to the files of then, must give the files of now."""
        clock = self._clock
        while True:
            page = self._lab.ask("changes", {"since": clock, "limit": _PAGE})
            if page["fresh_instance"]:
                self.fresh_instances += 1
                self._set.clear()
            for change in page["changes"]:
                if change["old_path"] is not None:
                    self._set.discard(os.fsencode(change["old_path"]))
                if change["change_type"] == "deleted":
                    self._set.discard(os.fsencode(change["path"]))
                else:
                    self._set.add(os.fsencode(change["path"]))
            clock = page["clock"]
            if not page["more"]:
                break
        self._clock = clock
        self.feeds_replayed += 1
        for path in sorted(self._set ^ rows):
            yield Finding("feed", path, "only in the feed" if path in self._set else "only in the rows")
        self._set = rows

    def _git(self, fresh: set[bytes]) -> Iterable[Finding]:
        try:
            told, opaque = git.files(os.fsencode(self._lab.root))
        except (OSError, subprocess.SubprocessError) as error:
            yield Finding("git", b"", f"git could not say: {error}")
            return
        self.git_compared += 1
        for path in sorted(told ^ fresh):
            if any(path.startswith(folder) for folder in opaque):
                continue
            yield Finding("git", path, "only git keeps it" if path in told else "git does not keep it")

    def _engine(self) -> Iterable[Finding]:
        engine = self.status["engine"]
        for key in ("pending", "in_flight", "limbo"):
            if engine.get(key, 0):
                yield Finding("engine", b"", f"{key} is {engine[key]} after the barrier")
        if engine["source"] != "inotify":
            return
        wanted = engine["dirs"] - engine["unwatched"]
        if engine["watches"] != wanted:
            yield Finding(
                "engine", b"",
                f"{engine['watches']} watches for {wanted} watched directories",
            )  # fmt: skip
        if self.facts.handles and self.facts.watches != engine["watches"]:
            yield Finding(
                "engine", b"", f"the kernel has {self.facts.watches} watches, the engine {engine['watches']}"
            )

    def _count_drift(self) -> None:
        """What the background audit repaired. Not a difference: hard links lead to some, and in a storm it
        may take a change in the making for drift (docs/audit.md). It is off in most watchers, so that it
        hides nothing."""
        audit = self.status.get("audit") or {}
        before, self._drift = self._drift, int(audit.get("drift_found_total", 0))
        self.drift += max(0, self._drift - before)

    def _resources(self) -> Iterable[Finding]:
        life, handles = self._handles
        if life != self._lab.incarnations:
            self._handles = (self._lab.incarnations, self.facts.handles)
        elif self.facts.handles > handles + _MORE_HANDLES:
            yield Finding("resources", b"", f"{self.facts.handles} descriptors are open, at first {handles}")
        if self.facts.rss > self._max_rss:
            yield Finding(
                "resources", b"", f"{self.facts.rss >> 20} MiB resident, allowed {self._max_rss >> 20}"
            )


def compare(rows: Rows, fresh: Rows) -> Iterable[Finding]:
    """What a fresh index has is right."""
    for path in sorted(rows.keys() | fresh.keys()):
        live, right = rows.get(path), fresh.get(path)
        if live != right:
            kind = "missing" if live is None else "extra" if right is None else "different"
            yield Finding(kind, path, f"live {live}, fresh {right}")


def _inode(path: bytes) -> int:
    try:
        found = os.lstat(path)
    except OSError:
        return -1
    return found.st_ino if stat.S_ISREG(found.st_mode) else -1
