"""Where a target leads: the order in which places are tried, and nothing else. No SQL, no disk.

A relative target counts from the directory of its file; what is not there is looked for from the directories
above, up to the root, as sites and source roots have it. Which of the two it was is part of the answer.
"""

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from currant.store.references import PATHS, plain_path

_PAGES: Final = (".md", ".mdx", ".rst", ".html", ".markdown", ".adoc", ".txt", ".ipynb", ".qmd", ".rmd")
_DOC_PAGES: Final = (".rst", ".md", ".txt", ".ipynb", ".html")
_FRONTS: Final = ("index", "README", "readme", "_index")
# Below which sites keep what their absolute addresses name.
_SITES: Final = (
    "",
    "static/",
    "public/",
    "source/",
    "src/",
    "content/",
    "docs/",
    "doc/",
    "assets/",
    "src/pages/",
)


class Tree(Protocol):
    """The files there are."""

    def has_file(self, path: str) -> bool:
        """Whether this file is kept."""

    def has_directory(self, path: str) -> bool:
        """Whether a kept file is below this directory; ``""`` is the root."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a target leads.

    `state`: ``file``, ``directory``, ``missing``, ``outside`` (of the root) or ``none`` (it names no path).
    `exact`: as every renderer has it, from the directory of the file; else found from another one. `path` of
    what is missing is the first place that was tried. `anchor` is what followed ``#``.
    """

    state: str
    path: str = ""
    anchor: str = ""
    exact: bool = True


def resolve(tree: Tree, source: str, kind: str, target: str) -> Place:
    """Where `target`, which stands in the file `source` as a reference of this kind, leads."""
    if kind not in PATHS:
        return Place("none")
    anchor = target.partition("#")[2].partition("?")[0] if "#" in target else ""
    path = plain_path(target)
    if not path:
        return Place("file", source, anchor)
    wanted: str | None = None
    for number, candidate in enumerate(_places(source, kind, path)):
        if number == 0:
            wanted = candidate
        if candidate is None:
            continue
        found = _at(tree, kind, candidate, folder=path.endswith("/"))
        if found is not None:
            return Place(found[0], found[1], anchor, exact=number == 0)
    return Place("outside", "", anchor) if wanted is None else Place("missing", wanted, anchor)


def _places(source: str, kind: str, path: str) -> Iterator[str | None]:
    """Paths from the root to try, the best first; None for one outside of the root."""
    here = posixpath.dirname(source)
    above = [here]
    while above[-1]:
        above.append(posixpath.dirname(above[-1]))
    if path.startswith("/"):
        bare = path.lstrip("/")
        order = above if kind in ("doc", "include", "image") else above[::-1]
        for base in order:
            yield _join(base, bare)
        for base in order:
            for site in _SITES[1:]:
                yield _join(base, site + bare)
        return
    bases = [*above[::-1], *above] if kind == "dependency" else above
    # Sphinx looks for a page nowhere else.
    for base in bases if kind != "doc" else [here]:
        yield _join(base, path)
    if kind in ("link", "image"):
        # A page that a site shows as a directory of its own.
        yield _join(posixpath.splitext(source)[0], path)
        if not path.startswith("."):
            for base in above:
                for site in _SITES[1:]:
                    yield _join(base, site + path)


def _join(base: str, path: str) -> str | None:
    joined = posixpath.normpath(posixpath.join(base, path))
    if joined == ".":
        return ""
    return None if joined.startswith("../") or joined == ".." else joined


def _at(tree: Tree, kind: str, path: str, *, folder: bool) -> tuple[str, str] | None:
    """(state, path) of what stands for `path`."""
    if not folder and path and tree.has_file(path):
        return "file", path
    if kind == "doc":
        return next((("file", path + end) for end in _DOC_PAGES if tree.has_file(path + end)), None)
    if tree.has_directory(path):
        return "directory", path
    if kind != "link" or not path:
        return None
    stem, end = posixpath.splitext(path)
    stems = [path] if end.lower() not in (".html", ".htm") else [stem]
    for one in stems:
        for page in _PAGES:
            if tree.has_file(one + page):
                return "file", one + page
    if end.lower() in (".html", ".htm") and posixpath.basename(stem) == "index":
        above = posixpath.dirname(stem)
        for front in _FRONTS:
            for page in _PAGES:
                if tree.has_file(posixpath.join(above, front + page)):
                    return "file", posixpath.join(above, front + page)
        if above and any(tree.has_file(above + page) for page in _PAGES):
            return "file", next(above + page for page in _PAGES if tree.has_file(above + page))
    return None


def stands_for(path: str, place: Place) -> bool:
    """Whether this place is the file `path`: itself, or the directory whose front page it is."""
    if place.state == "file":
        return place.path == path
    if place.state != "directory" or posixpath.dirname(path) != place.path:
        return False
    return posixpath.splitext(posixpath.basename(path))[0] in _FRONTS
