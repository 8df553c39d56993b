"""One file in the graph: what it names, and who names it. Nothing is kept: each answer is resolved anew."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from currant.graph.resolve import Place, resolve, stands_for
from currant.model import Record, Reference
from currant.query import Query
from currant.store import references as stored
from currant.store.commit import tree_range

_MANY: Final = 5
"""A name that more files than this define leads to none of them."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """Something that the file names. `state`: ``file``, ``directory``, ``missing``, ``outside`` (the root),
    ``url``, ``defined`` or ``unknown`` (a name, a label); `leads_to` are the paths behind it, if any."""

    kind: str
    target: str
    line: int
    state: str
    leads_to: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Incoming:
    """Where another file names this one, and how."""

    path: str
    kind: str
    target: str
    line: int


@dataclass(frozen=True, slots=True)
class References:
    """Both directions of one file."""

    path: str
    outgoing: list[Outgoing]
    incoming: list[Incoming]


class SqlTree:
    """The files of one snapshot, a look-up at a time."""

    def __init__(self, connection: Any) -> None:
        self._execute = connection.execute
        self._known: dict[tuple[str, bool], bool] = {}

    def has_file(self, path: str) -> bool:
        """See `Tree`."""
        return self._ask("SELECT 1 FROM files WHERE path = ?", path, False, lambda key: (key,))

    def has_directory(self, path: str) -> bool:
        """See `Tree`."""
        return self._ask("SELECT 1 FROM files WHERE path > ? AND path < ? LIMIT 1", path, True, tree_range)

    def _ask(self, sql: str, path: str, folder: bool, bindings: Any) -> bool:
        found = self._known.get((path, folder))
        if found is None:
            try:
                key = os.fsencode(path)
            except UnicodeEncodeError:
                return False  # halves of characters: no file has them
            found = self._execute(sql, bindings(key)).fetchone() is not None
            self._known[path, folder] = found
        return found


def references(query: Query, path: str) -> References | None:
    """Both directions of `path`, in the order of lines and of paths; None for what is not in the index.

    Raises StoreError.
    """
    view = query.show(path)
    if view is None:
        return None
    record = view.record or Record(None, [], [])
    with query.snapshot() as connection:
        tree = SqlTree(connection)
        outgoing = [_outgoing(query, connection, tree, path, one) for one in record.references
                    if one.kind not in ("anchor", "header")]  # fmt: skip
        incoming = sorted(
            set(_incoming(query, connection, tree, path, record)),
            key=lambda one: (os.fsencode(one.path), one.line, one.kind, one.target),
        )
    return References(path, outgoing, incoming)


def _outgoing(query: Query, connection: Any, tree: SqlTree, path: str, one: Reference) -> Outgoing:
    if one.kind == "url":
        return Outgoing(one.kind, one.target, one.line, "url")
    if one.kind == "name":
        places = defining(query, one.target)
        return Outgoing(one.kind, one.target, one.line, "defined" if places else "unknown", places)
    if one.kind == "ref":
        label = stored.key_of("ref", one.target) or ""
        places = sorted({os.fsdecode(where) for where, found in stored.by_keys(connection, [label])
                         if found.kind == "anchor"})  # fmt: skip
        return Outgoing(one.kind, one.target, one.line, "defined" if places else "unknown", places)
    place = resolve(tree, path, one.kind, one.target)
    there = [place.path] if place.state in ("file", "directory") else []
    return Outgoing(one.kind, one.target, one.line, place.state, there)


def defining(query: Query, target: str) -> list[str]:
    """The files that define what a name in backticks says; none when too many do."""
    parts = target.removesuffix("()").replace("::", ".").replace("#", ".").split(".")
    found = query.find(parts[-1], exact=True, limit=200)
    if len(parts) > 1:
        inside = [one for one in found if one.parent and one.parent.split(".")[-1].endswith(parts[-2])]
        # ``module.function``: the file has the name of what stands in front.
        found = inside or [one for one in found if _stem(one.path) == parts[-2]]
    paths = list(dict.fromkeys(one.path for one in found if one.kind != "heading"))
    return paths if len(paths) <= _MANY else []


def _stem(path: str) -> str:
    return path.rpartition("/")[2].partition(".")[0]


def _incoming(query: Query, connection: Any, tree: SqlTree, path: str, record: Record) -> Iterator[Incoming]:
    names = list({symbol.name for symbol in record.symbols if symbol.kind != "heading"})
    labels = [one.target for one in record.references if one.kind == "anchor"]
    keys = stored.keys_of_file(path, names, labels)
    leads: dict[str, bool] = {}
    for found, one in stored.by_keys(connection, keys):
        source = os.fsdecode(found)
        if source == path or one.kind == "anchor":
            continue
        if one.kind == "name":
            if one.target not in leads:
                leads[one.target] = path in defining(query, one.target)
            if not leads[one.target]:
                continue
        elif one.kind != "ref":
            place: Place = resolve(tree, source, one.kind, one.target)
            if not stands_for(path, place):
                continue
        yield Incoming(source, one.kind, one.target, one.line)
