"""What the documents say that does not hold any more.

Owns which rule of `currant drift` looks at what, and what is silenced. docs/drift.md explains the rules; they
are in `rules_paths`, `rules_names` and `rules_ages`. Every rule would rather say nothing than something
wrong: a reference is reported only when no reading of it leads anywhere, and something shows that it was
meant to lead into this tree. `now` is not needed: only ages relative to each other count.
"""

import os
import posixpath
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from currant.graph.findings import DAY, KINDS, Drift, Finding
from currant.graph.resolve import resolve
from currant.graph.rules_ages import headers, older
from currant.graph.rules_names import Names
from currant.graph.rules_paths import Paths
from currant.graph.scene import Scene
from currant.graph.words import DOCUMENTS, PAST, README, SAMPLES
from currant.model import Reference
from currant.query import Query

OnDisk = Callable[[str], bool]
"""Whether something that the index does not keep is at a path after all."""


def drift(
    query: Query,
    *,
    kinds: Sequence[str] = (),
    ignore: Sequence[str] = (),
    grace_days: float = 7,
    on_disk: OnDisk = lambda _path: False,
) -> Drift:
    """Every finding of the rules in `kinds` (all when empty), but those in files that one of the globs
    `ignore` names, or whose target it names.

    `grace_days`: how much younger code has to be than its document, or a file than the last stamp of its
    header. Raises StoreError.
    """
    return judge(query, kinds, grace_days, on_disk).drift(kinds, ignore)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the rules of `kinds` say of the whole tree: findings by path and line, each with whether a comment
    silences it; `references` were looked at, in `files` files."""

    kinds: frozenset[str]
    said: list[tuple[Finding, bool]]
    files: int
    references: int

    def drift(self, kinds: Sequence[str] = (), ignore: Sequence[str] = ()) -> Drift:
        """The part of it that is asked for."""
        wanted = frozenset(kinds or KINDS)
        found: list[Finding] = []
        silenced = 0
        for finding, quiet in self.said:
            if finding.kind not in wanted:
                continue
            if quiet or any(
                fnmatchcase(text, glob) for glob in ignore for text in (finding.path, finding.target)
            ):
                silenced += 1
            else:
                found.append(finding)
        counts = Counter(finding.kind for finding in found)
        return Drift(found, self.files, self.references, silenced, dict(counts))


def judge(query: Query, kinds: Sequence[str], grace_days: float, on_disk: OnDisk) -> Judgement:
    """Look at everything, by the rules in `kinds` (all when empty). Raises StoreError."""
    with query.snapshot() as connection:
        return _Run(Scene(query, connection, on_disk), kinds or KINDS, grace_days * DAY).all()


class _Run:
    """One look at everything."""

    def __init__(self, scene: Scene, kinds: Sequence[str], grace: float) -> None:
        self._scene = scene
        self._kinds = frozenset(kinds)
        self._grace = grace
        self._paths = Paths(scene, with_anchors="anchor" in self._kinds)
        self._names = Names(scene)
        self._said: list[tuple[Finding, bool]] = []

    def all(self) -> Judgement:
        by_file = self._scene.by_file
        for path, references in by_file.items():
            self._file(path, references)
        if "header" in self._kinds:
            for finding, quiet in headers(self._scene, self._grace):
                self._say(finding, quiet=quiet)
        self._said.sort(key=lambda one: _place(one[0]))
        looked_at = sum(one.kind not in ("anchor", "header") for found in by_file.values() for one in found)
        return Judgement(self._kinds, self._said, len(by_file), looked_at)

    def _file(self, path: str, found: list[Reference]) -> None:
        described: list[tuple[int, str]] = []
        readme = bool(README.match(posixpath.basename(path)))
        if SAMPLES.search(path) and not readme:
            return
        past = bool(PAST.search(path))
        for one in found:
            if one.kind in ("anchor", "header", "url") or (past and one.kind in ("path", "name")):
                continue
            finding = None
            if one.kind == "name":
                finding = self._names.name(path, one)
            elif one.kind == "ref":
                finding = self._names.label(path, one)
            elif not self._paths.is_none_of_ours(path, one):
                place = resolve(self._scene.tree, path, one.kind, one.target)
                if place.state == "file" and one.kind in ("link", "path") and not one.quiet:
                    described.append((one.line, place.path))
                finding = self._paths.finding(path, one, place)
            if finding is not None:
                self._say(finding, quiet=one.quiet)
        if "older" in self._kinds and self._scene.language.get(path) in DOCUMENTS:
            late = older(self._scene, path, described, self._grace)
            if late is not None:
                self._say(late)

    def _say(self, finding: Finding, *, quiet: bool = False) -> None:
        if finding.kind in self._kinds:
            self._said.append((finding, quiet))


def _place(finding: Finding) -> tuple[bytes, int, str, str]:
    return os.fsencode(finding.path), finding.line, finding.kind, finding.target
