"""Paths that lead nowhere, and places in pages that are not there. Owns when something that is missing was
surely meant to be a file of this tree.
"""

import posixpath

from currant.extract.annotators.tokens import has_ending
from currant.graph import anchors
from currant.graph.findings import Finding
from currant.graph.resolve import Place, resolve
from currant.graph.scene import INTERSPHINX, Scene
from currant.graph.words import (
    ANYWHERE,
    COMMON,
    DOCUMENTS,
    EXAMPLE,
    MADE,
    MADE_DOCS,
    README,
    tail_of,
    unquoted,
    upwards,
)
from currant.model import Reference
from currant.store import references as stored


class Paths:
    """The rules ``dead`` and, for links, ``anchor``; `with_anchors` False leaves the latter out."""

    def __init__(self, scene: Scene, *, with_anchors: bool) -> None:
        self._scene = scene
        self._tree = scene.tree
        self._with_anchors = with_anchors
        self._anchors: dict[str, frozenset[str] | None] = {}

    def is_none_of_ours(self, path: str, one: Reference) -> bool:
        """Whether nothing can be wrong with a reference wherever it leads: with an include for a compiler, as
        long as nothing of its name was ever lost. Most references of a tree in C are that."""
        if one.kind != "include" or self._scene.language.get(path) in DOCUMENTS:
            return False
        name = posixpath.basename(stored.plain_path(one.target).rstrip("/"))
        return name not in ("", ".", "..") and not self._scene.lost.has_name(name)

    def finding(self, path: str, one: Reference, place: Place) -> Finding | None:
        """What is wrong with a reference in the file `path` that leads to `place`, None for nothing."""
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
        judged = one.kind == "link" and self._with_anchors and self._scene.language.get(path) in DOCUMENTS
        if judged and self._scene.in_sphinx(path):
            judged = stored.label(unquoted(place.anchor)) not in self._scene.labels and bool(
                stored.plain_path(one.target)
            )
        if place.state == "file" and place.anchor and judged:
            names = self._anchors_of(place.path)
            if names is not None and not anchors.is_known(unquoted(place.anchor), names):
                where = "this file" if place.path == path else place.path
                return Finding(path, one.line, "anchor", one.target, f"no heading #{place.anchor} in {where}")
        return None

    def _is_meant(self, path: str, one: Reference, place: Place) -> bool:
        """Whether something that is missing was surely meant to be a file of this tree."""
        target = stored.plain_path(one.target)
        name = posixpath.basename(target.rstrip("/"))
        end = posixpath.splitext(name)[1].lower()
        if one.kind == "include" and self._scene.language.get(path) not in DOCUMENTS:
            return False  # the compiler's search path decides
        if (
            any(mark in target for mark in "*{}$<>|\\ ")
            or not name
            or MADE.search("/" + target)
            or EXAMPLE.search(target)
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
        if self._scene.language.get(path) not in DOCUMENTS:
            return False  # a doc comment's links count from the page that it becomes
        if target.startswith("/") or (self._scene.in_sphinx(path) and "." not in name.lstrip(".")):
            return False  # the address of a site, or a label
        if self._scene.in_sphinx(path) and end not in (".md", ".rst") and not has_ending(name):
            return False  # a label with dots: the name of something that autodoc documents
        page = bool(README.match(posixpath.basename(path))) or posixpath.dirname(path) in ("", ".github")
        if end in (".html", ".htm", "") or "." not in name or target.endswith("/"):
            # What a site generator makes is not there before it ran; on a forge nobody runs one.
            return page and end not in (".html", ".htm") and not target.endswith(".html")
        # Under another path it is there: perhaps a directory that is copied into a site.
        return page or end in (".md", ".rst", ".mdx") or not self._tree.ending_with(tail_of(target))

    def _path_is_meant(self, path: str, target: str, end: str) -> bool:
        tail = tail_of(target)
        first = tail.partition("/")[0]
        if "/" not in tail.rstrip("/") or self._tree.ending_with(tail.rstrip("/")) or tail.endswith("/"):
            return False
        if not has_ending(tail) or end in (".html", ".lock"):
            return False
        # The directory that it would be in is here, and has more to its name than every project's has.
        above = posixpath.dirname(tail)
        if ("/" not in above and above.lower() in COMMON) or first in ANYWHERE:
            return False
        bases = upwards(posixpath.dirname(path))
        return any(self._tree.has_directory(posixpath.join(base, above)) for base in bases)

    def _lost_place(self, path: str, one: Reference) -> str | None:
        """What this led to among the files that the index once had, None when nothing did."""
        if not self._scene.lost.files:
            return None
        place = resolve(self._scene.lost, path, one.kind, one.target)
        if place.state not in ("file", "directory") or not place.path:
            return None
        # An include may be found along a search path.
        elsewhere = one.kind == "include" and self._tree.ending_with(tail_of(stored.plain_path(one.target)))
        return None if elsewhere else place.path

    def _doc_is_meant(self, path: str, target: str) -> bool:
        if ":" in target or target.strip("/") in MADE_DOCS:
            return False
        if INTERSPHINX in self._scene.labels:
            # A page of another project, or one that an extension makes, unless its directory is here.
            above = posixpath.dirname(target.lstrip("/"))
            bases = upwards(posixpath.dirname(path))
            if not above or not any(self._tree.has_directory(posixpath.join(base, above)) for base in bases):
                return False
        return not any(
            self._tree.ending_with(tail_of(target) + end) for end in (".rst", ".md", ".txt", ".ipynb")
        )

    def _exists(self, path: str, place: Place, target: str) -> bool:
        """Whether it is on the disk though the index does not keep it (ignored, a link, a special file)."""
        if place.path and self._scene.on_disk(place.path):
            return True
        bases = upwards(posixpath.dirname(path))
        joined = (posixpath.normpath(posixpath.join(base, target.lstrip("/"))) for base in bases)
        return any(not one.startswith("..") and one != "." and self._scene.on_disk(one) for one in joined)

    def _hint(self, target: str) -> str:
        found = self._tree.by_name.get(posixpath.basename(stored.plain_path(target).rstrip("/")).lower(), [])
        return f"; perhaps {found[0]}" if len(found) == 1 else ""

    def _anchors_of(self, path: str) -> frozenset[str] | None:
        """What a page's places are called; None for what is no Markdown, whose places nobody knows."""
        if path not in self._anchors:
            names = None
            if self._scene.language.get(path) == "markdown":
                view = self._scene.query.show(path)
                record = view.record if view else None
                if record is not None and not any(note.startswith("partial") for note in record.notes):
                    headings = [symbol.name for symbol in record.symbols]
                    names = anchors.known(
                        headings, [one.target for one in record.references if one.kind == "anchor"]
                    )
            self._anchors[path] = names
        return self._anchors[path]
