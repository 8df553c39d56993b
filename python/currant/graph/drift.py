"""What the documents say that does not hold any more.

Owns the rules of `currant drift`; docs/drift.md explains them. Every rule would rather say nothing than
something wrong: a reference is reported only when no reading of it leads anywhere, and something shows that
it was meant to lead into this tree. `now` is not needed: only ages relative to each other count.
"""

import os
import posixpath
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any, Final

from currant.extract.annotators.tokens import has_ending
from currant.graph import anchors
from currant.graph.resolve import Place, resolve
from currant.model import Reference
from currant.query import Query
from currant.store import references as stored

KINDS: Final = ("dead", "anchor", "name", "older", "header")
"""What a finding can be: a file that is gone, a place in a page, a definition, a document older than the code
that it describes, a header that is missing or outdated."""

DAY: Final = 86_400.0
_README: Final = re.compile(
    r"(readme|contributing|changelog|changes|history|security|authors|code_of_conduct|install|development"
    r"|hacking|governance|support|roadmap|architecture)\b",
    re.I,
)
# Where what stands in a document is an example, or somebody else's.
_SAMPLES: Final = re.compile(
    r"(?:^|/)(?:tests?|testing|test-?data|.*fixtures?.*|__tests__|e2e|specs?|snapshots?|testcases|vendor|vendored"
    r"|_vendor|third[_-]?party|node_modules|external|templates?|_templates|_static|dist|skeletons?|cookiecutter.*)/",
    re.I,
)
# Documents about the past name what is not there any more.
_PAST: Final = re.compile(
    r"(?:^|/|[_.-])(?:changes?|changelogs?|history|news|releases?|whatsnew|release-?notes?|deprecat\w*|migrat\w*"
    r"|upgrad\w*|rfcs?|adrs?|proposals?|keps?|archive[ds]?|blog|_posts|postmortems?|design-?docs?|designs?)"
    r"(?=[/_.-]|$)",
    re.I,
)
# What Sphinx makes, or keeps in another place.
_MADE: Final = re.compile(r"(?:^|/)_(?:static|images|downloads|build|sources|modules|templates|autosummary)/")
# What stands for a path of the reader's.
_EXAMPLE: Final = re.compile(
    r"(?:^|/)(?:path|dir|folder)/to/|(?:^|/)node_modules/"
    r"|(?:^|/)(?:examples?|samples?|foo|bar|baz|my|your)(?:[_.-][^/]*)?$"
)
_MADE_DOCS: Final = frozenset({"genindex", "modindex", "search", "py-modindex", "self"})
_DOCUMENTS: Final = frozenset({"markdown", "rst", "html"})
_SHARE: Final = 0.5  # of the files of a language that have a header, from which on the others lack one
_LEAST: Final = 5
_FEED: Final = "SELECT path, kind, old_path, at FROM changes ORDER BY seq"
_FILES: Final = """
SELECT f.path, f.mtime_ns, r.language
FROM files f LEFT JOIN results r ON r.id = f.result_id ORDER BY f.path"""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that does not hold, at a line of a file."""

    path: str
    line: int
    kind: str
    target: str
    reason: str


@dataclass(frozen=True, slots=True)
class Drift:
    """All findings by path and line; `references` were looked at, in `files` files, `silenced` left out."""

    findings: list[Finding]
    files: int
    references: int
    silenced: int
    by_kind: dict[str, int] = field(default_factory=dict)


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

    def ending_with(self, path: str) -> list[str]:
        """Files whose path is this one or ends with it, letter case aside."""
        tail = path.lower()
        return [
            one
            for one in self.by_name.get(posixpath.basename(tail), ())
            if one.lower() == tail or one.lower().endswith("/" + tail)
        ]


def drift(
    query: Query,
    *,
    kinds: Sequence[str] = (),
    ignore: Sequence[str] = (),
    grace_days: float = 7,
    on_disk: Callable[[str], bool] = lambda _path: False,
) -> Drift:
    """Every finding of the rules in `kinds` (all when empty), but those in files that one of the globs
    `ignore` names, or whose target it names.

    `grace_days`: how much younger code has to be than its document, or a file than the last stamp of its
    header. `on_disk(path)` says whether something that the index does not keep is there after all. Raises
    StoreError.
    """
    return _Run(query, kinds or KINDS, ignore, grace_days * DAY, on_disk).all()


class _Run:
    """One look at everything, in one snapshot."""

    def __init__(
        self,
        query: Query,
        kinds: Sequence[str],
        ignore: Sequence[str],
        grace: float,
        on_disk: Callable[[str], bool],
    ) -> None:
        self._query = query
        self._kinds = frozenset(kinds)
        self._ignore = tuple(ignore)
        self._grace = grace
        self._on_disk = on_disk
        self._anchors: dict[str, frozenset[str] | None] = {}
        self._names: dict[str, str | None] = {}
        self._found: list[Finding] = []
        self._silenced = 0

    def all(self) -> Drift:
        with self._query.snapshot() as connection:
            self._connection = connection
            rows: list[Any] = connection.execute(_FILES).fetchall()
            self._language = {os.fsdecode(path): language or "" for path, _, language in rows}
            self._mtime = {os.fsdecode(path): mtime / 1e9 for path, mtime, _ in rows}
            self._tree = ListedTree(self._language)
            by_file: defaultdict[str, list[Reference]] = defaultdict(list)
            for name, one in stored.everything(connection):
                by_file[os.fsdecode(name)].append(one)
            self._labels = {
                stored.label(one.target)
                for found in by_file.values()
                for one in found
                if one.kind == "anchor"
            }
            self._lost = ListedTree(())
            changed = self._changed()
            for path, references in by_file.items():
                self._file(path, references, changed)
            if "header" in self._kinds:
                self._headers(by_file, changed)
        self._found.sort(key=lambda one: (os.fsencode(one.path), one.line, one.kind, one.target))
        counts: defaultdict[str, int] = defaultdict(int)
        for finding in self._found:
            counts[finding.kind] += 1
        looked_at = sum(one.kind not in ("anchor", "header") for found in by_file.values() for one in found)
        return Drift(self._found, len(by_file), looked_at, self._silenced, dict(counts))

    # --- one file -------------------------------------------------------------------------------------

    def _file(self, path: str, found: list[Reference], changed: dict[str, float]) -> None:
        described: list[tuple[int, str]] = []
        readme = bool(_README.match(posixpath.basename(path)))
        if _SAMPLES.search(path) and not readme:
            return
        past = bool(_PAST.search(path))
        for one in found:
            if one.kind in ("anchor", "header", "url") or (past and one.kind in ("path", "name")):
                continue
            finding = None
            if one.kind == "name":
                finding = self._name(path, one)
            elif one.kind == "ref":
                finding = self._label(path, one)
            else:
                place = resolve(self._tree, path, one.kind, one.target)
                if place.state == "file" and one.kind in ("link", "path") and not one.quiet:
                    described.append((one.line, place.path))
                finding = self._path(path, one, place)
            if finding is not None:
                self._say(finding, quiet=one.quiet)
        if "older" in self._kinds and self._language.get(path) in _DOCUMENTS:
            self._older(path, described, changed)

    def _say(self, finding: Finding, *, quiet: bool = False) -> None:
        if finding.kind not in self._kinds:
            return
        if quiet or any(
            fnmatchcase(text, glob) for glob in self._ignore for text in (finding.path, finding.target)
        ):
            self._silenced += 1
        else:
            self._found.append(finding)

    def _path(self, path: str, one: Reference, place: Place) -> Finding | None:
        if place.state == "missing":
            lost = self._lost_place(path, one)
            if lost is not None and not self._exists(path, place, stored.plain_path(one.target)):
                hint = self._hint(one.target)
                return Finding(path, one.line, "dead", one.target, f"{lost} is not there any more{hint}")
            if not self._is_meant(path, one, place):
                return None
            hint = self._hint(one.target)
            what = f"{place.path} does not exist"
            if one.kind in ("path", "dependency"):
                what = "not there, neither from this directory nor from one above it"
            return Finding(path, one.line, "dead", one.target, what + hint)
        judged = one.kind == "link" and "anchor" in self._kinds and self._language.get(path) in _DOCUMENTS
        if judged and self._in_sphinx(path):
            judged = stored.label(_unquoted(place.anchor)) not in self._labels and bool(
                stored.plain_path(one.target)
            )
        if place.state == "file" and place.anchor and judged:
            names = self._anchors_of(place.path)
            if names is not None and not anchors.is_known(_unquoted(place.anchor), names):
                where = "this file" if place.path == path else place.path
                return Finding(path, one.line, "anchor", one.target, f"no heading #{place.anchor} in {where}")
        return None

    def _is_meant(self, path: str, one: Reference, place: Place) -> bool:
        """Whether something that is missing was surely meant to be a file of this tree."""
        target = stored.plain_path(one.target)
        name = posixpath.basename(target.rstrip("/"))
        end = posixpath.splitext(name)[1].lower()
        if one.kind == "include" and self._language.get(path) not in _DOCUMENTS:
            return False  # the compiler's search path decides
        if (
            any(mark in target for mark in "*{}$<>|\\ ")
            or not name
            or _MADE.search("/" + target)
            or _EXAMPLE.search(target)
        ):
            return False
        if self._exists(path, place, target):
            return False
        if one.kind == "dependency" and "/" in target and has_ending(name):
            return True  # a header says itself that this is a file of the code base
        if one.kind in ("path", "dependency"):
            return self._path_is_meant(path, target, end)
        if one.kind == "doc":
            return self._doc_is_meant(path, target)
        if self._language.get(path) not in _DOCUMENTS:
            return False  # a doc comment's links count from the page that it becomes
        if target.startswith("/") or (self._in_sphinx(path) and "." not in name.lstrip(".")):
            return False  # the address of a site, or a label
        if self._in_sphinx(path) and end not in (".md", ".rst") and not has_ending(name):
            return False  # a label with dots: the name of something that autodoc documents
        page = bool(_README.match(posixpath.basename(path))) or posixpath.dirname(path) in ("", ".github")
        if end in (".html", ".htm", "") or "." not in name or target.endswith("/"):
            # What a site generator makes is not there before it ran; on a forge nobody runs one.
            return page and end not in (".html", ".htm") and not target.endswith(".html")
        # Under another path it is there: perhaps a directory that is copied into a site.
        return page or end in (".md", ".rst", ".mdx") or not self._tree.ending_with(_tail(target))

    def _path_is_meant(self, path: str, target: str, end: str) -> bool:
        tail = _tail(target)
        first = tail.partition("/")[0]
        if "/" not in tail.rstrip("/") or self._tree.ending_with(tail.rstrip("/")) or tail.endswith("/"):
            return False
        if not has_ending(tail) or end in (".html", ".lock"):
            return False
        # The directory that it would be in is here, and has more to its name than every project's has.
        above = posixpath.dirname(tail)
        if ("/" not in above and above.lower() in _COMMON) or first in _ANYWHERE:
            return False
        bases = _upwards(posixpath.dirname(path))
        return any(self._tree.has_directory(posixpath.join(base, above)) for base in bases)

    def _lost_place(self, path: str, one: Reference) -> str | None:
        """What this led to among the files that the index once had, None when nothing did."""
        if not self._lost.files:
            return None
        place = resolve(self._lost, path, one.kind, one.target)
        if place.state not in ("file", "directory") or not place.path:
            return None
        # An include may be found along a search path.
        elsewhere = one.kind == "include" and self._tree.ending_with(_tail(stored.plain_path(one.target)))
        return None if elsewhere else place.path

    def _doc_is_meant(self, path: str, target: str) -> bool:
        if ":" in target or target.strip("/") in _MADE_DOCS:
            return False
        if _INTERSPHINX in self._labels:
            # A page of another project, or one that an extension makes, unless its directory is here.
            above = posixpath.dirname(target.lstrip("/"))
            bases = _upwards(posixpath.dirname(path))
            if not above or not any(self._tree.has_directory(posixpath.join(base, above)) for base in bases):
                return False
        return not any(
            self._tree.ending_with(_tail(target) + end) for end in (".rst", ".md", ".txt", ".ipynb")
        )

    def _exists(self, path: str, place: Place, target: str) -> bool:
        """Whether it is on the disk though the index does not keep it (ignored, a link, a special file)."""
        if place.path and self._on_disk(place.path):
            return True
        bases = _upwards(posixpath.dirname(path))
        joined = (posixpath.normpath(posixpath.join(base, target.lstrip("/"))) for base in bases)
        return any(not one.startswith("..") and one != "." and self._on_disk(one) for one in joined)

    def _in_sphinx(self, path: str) -> bool:
        """Whether Sphinx makes the pages of this directory, which lets Markdown name labels of any page."""
        return any(
            posixpath.join(base, "conf.py") in self._tree.files for base in _upwards(posixpath.dirname(path))
        )

    def _hint(self, target: str) -> str:
        found = self._tree.by_name.get(posixpath.basename(stored.plain_path(target).rstrip("/")).lower(), [])
        return f"; perhaps {found[0]}" if len(found) == 1 else ""

    def _anchors_of(self, path: str) -> frozenset[str] | None:
        """What a page's places are called; None for what is no Markdown, whose places nobody knows."""
        if path not in self._anchors:
            names = None
            if self._language.get(path) == "markdown":
                view = self._query.show(path)
                record = view.record if view else None
                if record is not None and not any(note.startswith("partial") for note in record.notes):
                    headings = [symbol.name for symbol in record.symbols]
                    names = anchors.known(
                        headings, [one.target for one in record.references if one.kind == "anchor"]
                    )
            self._anchors[path] = names
        return self._anchors[path]

    def _had_label(self, label: str) -> bool:
        """Whether a content that no file has any more has this label."""
        return self._connection.execute(_LABEL_ORPHANS, ("#" + label,)).fetchone() is not None

    # --- names ----------------------------------------------------------------------------------------

    def _label(self, path: str, one: Reference) -> Finding | None:
        label = stored.label(one.target)
        if ":" in label or label in _MADE_DOCS or label in self._labels:
            return None
        # With the inventories of other projects only a label that was here once is surely this tree's own.
        if (_INTERSPHINX in self._labels or not self._labels) and not self._had_label(label):
            return None
        return Finding(path, one.line, "anchor", one.target, "no label of this name in the tree")

    def _name(self, path: str, one: Reference) -> Finding | None:
        if one.target not in self._names:
            self._names[one.target] = self._undefined(one.target)
        reason = self._names[one.target]
        return None if reason is None else Finding(path, one.line, "name", one.target, reason)

    def _undefined(self, target: str) -> str | None:
        """Why a name is dead, None when it is not, or when nobody knows.

        Two things show that it was defined here: a result that no file has any more defines it; or its
        class is defined here, once, with nothing to inherit from, and has no such member.
        """
        if not target.endswith("()"):
            return None
        parts = target.removesuffix("()").replace("::", ".").replace("#", ".").split(".")
        name = parts[-1]
        if len(name) < 3 or self._query.find(name, exact=True, limit=1):
            return None
        if self._was_defined(name):
            return f"{name} was defined in this tree and is not any more"
        if len(parts) == 2:
            owners = self._query.find(parts[0], exact=True, limit=3)
            if len(owners) == 1 and owners[0].kind == "class" and owners[0].language == "python":
                signature = owners[0].signature
                if "(" not in signature and not self._mentions(owners[0].path, name):
                    return f"{parts[0]} ({owners[0].path}:{owners[0].start}) has no {name}"
        return None

    def _mentions(self, path: str, name: str) -> bool:
        view = self._query.show(path)
        record = view.record if view else None
        return record is None or any(
            symbol.name == "__getattr__" or name in symbol.signature for symbol in record.symbols
        )

    def _was_defined(self, name: str) -> bool:
        from currant.store import records, search

        expression = search.whole(records.fold(name))
        if expression is None:
            return False
        for (number,) in self._connection.execute(_ORPHANS, (expression,)):
            stored_form = self._connection.execute("SELECT stored FROM records WHERE id = ?", (number,)).get
            if stored_form is not None and any(
                symbol.name == name and symbol.kind != "heading"
                for symbol in records.decode(stored_form)[0].symbols
            ):
                return True
        return False

    # --- ages -----------------------------------------------------------------------------------------

    def _changed(self) -> dict[str, float]:
        """When each file's content was last seen to change, in seconds; a rename is no change. Notes too
        which paths the index once had."""
        gone: set[bytes] = set()
        seen: dict[bytes, float] = {}
        for path, kind, old_path, at in self._connection.execute(_FEED):
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
        self._lost = ListedTree({os.fsdecode(path) for path in gone} - self._tree.files)
        return {os.fsdecode(path): at for path, at in seen.items()}

    def _older(self, path: str, described: list[tuple[int, str]], changed: dict[str, float]) -> None:
        """A document that names code which was seen to change after it."""
        own = max(self._mtime[path], changed.get(path, 0.0))
        late: list[tuple[float, int, str]] = []
        for line, target in described:
            if target == path or self._language.get(target, "") in (*_DOCUMENTS, ""):
                continue
            at = changed.get(target)
            if at is not None and at - own > self._grace:
                late.append((at, line, target))
        if not late:
            return
        at, line, target = max(late)
        more = len({one for _, _, one in late}) - 1
        others = f", and {more} more that it names" if more else ""
        days = (at - own) / DAY
        self._say(
            Finding(path, line, "older", target, f"changed {days:.0f} days after this document{others}")
        )

    def _headers(self, by_file: dict[str, list[Reference]], changed: dict[str, float]) -> None:
        """Headers that are missing where most files have one, and those whose history ends too early."""
        headers: dict[str, Reference] = {}
        for path, found in by_file.items():
            for one in found:
                if one.kind == "header":
                    headers[path] = one
        of_language: defaultdict[str, list[str]] = defaultdict(list)
        for path, language in self._language.items():
            if language and language not in _DOCUMENTS:
                of_language[language].append(path)
        for language, paths in of_language.items():
            having = sum(path in headers for path in paths)
            if having < _LEAST or having < _SHARE * len(paths):
                continue
            for path in paths:
                if path not in headers and not path.endswith("__init__.py"):
                    reason = f"no header; {having} of {len(paths)} {language} files have one"
                    self._say(Finding(path, 1, "header", "", reason))
        for path, one in headers.items():
            at, stamp = changed.get(path), _seconds(one.target)
            if at is not None and stamp is not None and at - stamp > max(self._grace, DAY):
                days = (at - stamp) / DAY
                reason = f"the newest entry of its history is {days:.0f} days older than the last change"
                self._say(Finding(path, one.line, "header", one.target, reason), quiet=one.quiet)


_ORPHANS: Final = """
SELECT n.rowid FROM names n WHERE names MATCH ? AND NOT EXISTS (
  SELECT 1 FROM files f WHERE f.result_id = n.rowid / 4096) LIMIT 50"""
_LABEL_ORPHANS: Final = """
SELECT 1 FROM refs r WHERE r.key = ? AND r.kind = 'anchor'
AND NOT EXISTS (SELECT 1 FROM files f WHERE f.result_id = r.result_id) LIMIT 1"""
_COMMON: Final = frozenset(
    (
        *(
            "src",
            "lib",
            "test",
            "tests",
            "doc",
            "docs",
            "bin",
            "include",
            "config",
            "conf",
            "scripts",
            "examples",
        ),
        *(
            "app",
            "apps",
            "public",
            "static",
            "assets",
            "templates",
            "tools",
            "data",
            "pages",
            "components",
            "utils",
        ),
        *(
            "changelog",
            "changelog.d",
            "changes",
            "newsfragments",
            "news",
            ".github",
            ".vscode",
            "packages",
            "crates",
        ),
    )
)
_INTERSPHINX: Final = "intersphinx_mapping"
_ANYWHERE: Final = frozenset(
    {"path", "foo", "your", "my", "some", "example", "build", "dist", "node_modules", ".github", "target"}
)


def _upwards(directory: str) -> Iterator[str]:
    yield directory
    while directory:
        directory = posixpath.dirname(directory)
        yield directory


def _tail(target: str) -> str:
    """The path without what leads upwards."""
    parts = [part for part in target.split("/") if part not in ("", ".", "..")]
    return "/".join(parts) + ("/" if target.endswith("/") else "")


def _unquoted(anchor: str) -> str:
    from urllib.parse import unquote

    return unquote(anchor)


def _seconds(stamp: str) -> float | None:
    try:
        return datetime.fromisoformat(stamp.replace("Z", "+00:00")).timestamp()
    except (ValueError, OverflowError, OSError):
        return None
