"""What a tree is made with: languages, frameworks, dependencies, test, build and lint tools.

From the tally of languages, the fact ``manifest`` and the names of files; `known` says what they stand for.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from currant.projects import known
from currant.projects.known import TOOL_KINDS, Known

_PLACES: Final = 100
"""Places that are named for each finding; `places` counts all of them."""


class Reads(Protocol):
    """The reads that are needed; `query.Query` has them."""

    def facts(self, name: str, under: str = "") -> list[tuple[str, Any]]:
        """(path, value) of every file with this fact."""

    def files(self) -> list[bytes]:
        """Every kept file."""

    def languages(self) -> list[tuple[str, int, int, int]]:
        """(language, files, definitions, bytes), the most files first."""


@dataclass(frozen=True, slots=True)
class LanguageShare:
    """How much there is of one language, and which share of the files and of the bytes that have a language,
    to a tenth of a percent; None for what has none (`language` is empty), such as images.

    Lines are not counted: no record has them, and to count them would mean to read every file again."""

    language: str
    files: int
    definitions: int
    bytes: int
    files_percent: float | None
    bytes_percent: float | None


@dataclass(frozen=True, slots=True)
class Declared:
    """One place that asks for something: a manifest, the name it uses, the version and what for."""

    path: str
    name: str
    spec: str
    scope: str


@dataclass(frozen=True, slots=True)
class Framework:
    """Something that shapes a project, and where it is asked for."""

    name: str
    kind: str
    places: int
    declared: list[Declared]


@dataclass(frozen=True, slots=True)
class Dependency:
    """One package and where it is asked for."""

    ecosystem: str
    name: str
    places: int
    declared: list[Declared]


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool of kind ``test``, ``build`` or ``lint``, and the files that say so."""

    name: str
    kind: str
    places: int
    files: list[str]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A version of a language or platform that a manifest asks for."""

    name: str
    spec: str
    path: str


@dataclass(frozen=True, slots=True)
class Package:
    """One manifest: its kind, and who it says that it is."""

    path: str
    kind: str
    ecosystem: str
    name: str | None
    version: str | None


@dataclass(frozen=True, slots=True)
class Skills:
    """What a tree is made with. Languages have the most files first; the rest is in the order of names, the
    packages in that of their paths. `outdated` as in `TaskProgress`."""

    languages: list[LanguageShare]
    frameworks: list[Framework]
    tools: list[Tool]
    requires: list[Wanted]
    dependencies: list[Dependency]
    packages: list[Package]
    outdated: int = 0


class _Found:
    """What is gathered while going through the manifests."""

    def __init__(self) -> None:
        self.frameworks: dict[Known, list[Declared]] = {}
        self.tools: dict[Known, dict[str, None]] = {}
        self.dependencies: dict[tuple[str, str], list[Declared]] = {}
        self.requires: list[Wanted] = []
        self.packages: list[Package] = []

    def manifest(self, path: str, fact: dict[str, Any]) -> None:
        ecosystem = fact["ecosystem"]
        self.packages.append(Package(path, fact["kind"], ecosystem, fact["name"], fact["version"]))
        self.requires += (Wanted(name, spec, path) for name, spec in fact["requires"].items())
        for name in fact["tools"]:
            self.tool(known.of_tool(name), path)
        for one in fact["dependencies"]:
            declared = Declared(path, one["name"], one["spec"], one["scope"])
            self.dependencies.setdefault((ecosystem, one["name"]), []).append(declared)
            what = known.of_dependency(ecosystem, one["name"])
            if what is None or one["scope"] == "indirect":
                continue
            if what.kind in TOOL_KINDS:
                self.tool(what, path)
            else:
                self.frameworks.setdefault(what, []).append(declared)

    def tool(self, what: Known | None, path: str) -> None:
        if what is not None:
            self.tools.setdefault(what, {})[path] = None


def skills(reads: Reads) -> Skills:
    """What the whole tree is made with. Raises StoreError."""
    found = _Found()
    for path, fact in reads.facts("manifest"):
        if _is_fact(fact):
            found.manifest(path, fact)
    for raw in reads.files():
        path = os.fsdecode(raw)
        found.tool(known.of_file(path.rpartition("/")[2]), path)
    return Skills(
        languages=list(_shares(reads.languages())),
        frameworks=[
            Framework(what.title, what.kind, len(places), places[:_PLACES])
            for what, places in sorted(found.frameworks.items(), key=lambda one: _order(one[0]))
        ],
        tools=[
            Tool(what.title, what.kind, len(files), _first(files))
            for what, files in sorted(found.tools.items(), key=lambda one: _order(one[0]))
        ],
        requires=sorted(found.requires, key=lambda one: (one.name, one.path)),
        dependencies=[
            Dependency(ecosystem, name, len(places), places[:_PLACES])
            for (ecosystem, name), places in sorted(found.dependencies.items())
        ],
        packages=found.packages,
    )


def _shares(rows: Sequence[tuple[str, int, int, int]]) -> Iterator[LanguageShare]:
    files = sum(row[1] for row in rows if row[0])
    size = sum(row[3] for row in rows if row[0])
    for language, *counts in rows:
        shares = (_percent(counts[0], files), _percent(counts[2], size)) if language else (None, None)
        yield LanguageShare(language, counts[0], counts[1], counts[2], *shares)


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 1) if whole else 0.0


_TEXT_KEYS: Final = ("kind", "ecosystem")


def _is_fact(fact: Any) -> bool:
    """Whether a fact has the form that ours has: an extractor of another package may use the name."""
    if not isinstance(fact, dict) or not all(isinstance(fact.get(key), str) for key in _TEXT_KEYS):
        return False
    if not all(isinstance(fact.get(key), str | None) for key in ("name", "version")):
        return False
    requires, tools, dependencies = (fact.get(key) for key in ("requires", "tools", "dependencies"))
    return (
        isinstance(requires, dict)
        and all(isinstance(spec, str) for spec in requires.values())
        and isinstance(tools, list)
        and all(isinstance(tool, str) for tool in tools)
        and isinstance(dependencies, list)
        and all(
            isinstance(one, dict) and all(isinstance(one.get(key), str) for key in ("name", "spec", "scope"))
            for one in dependencies
        )
    )


def _order(what: Known) -> tuple[str, str]:
    return (what.title.lower(), what.kind)


def _first(paths: Iterable[str]) -> list[str]:
    return sorted(paths)[:_PLACES]
