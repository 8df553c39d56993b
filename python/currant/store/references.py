"""Owns the table `refs`: what each result names, and the key by which the other direction finds it.

A key is coarse on purpose: the last component of a path without its ending, in lower case. Whoever asks
resolves each candidate again, so a key may let through too many, never too few.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final
from urllib.parse import unquote

import apsw

from currant.model import Packed, Record, Reference
from currant.store import connection as connections

PATHS: Final = frozenset({"link", "image", "include", "doc", "path", "dependency"})
"""The kinds whose target is a path."""

_INSERT: Final = "INSERT INTO refs (result_id, number, kind, key, target, line, quiet) VALUES"
_BY_KEY: Final = """
SELECT f.path, r.kind, r.target, r.line, r.quiet FROM refs r CROSS JOIN files f ON f.result_id = r.result_id
WHERE r.key = ?"""
_ALL: Final = """
SELECT f.path, r.kind, r.target, r.line, r.quiet FROM files f CROSS JOIN refs r ON r.result_id = f.result_id
ORDER BY f.path, r.number"""

Row = tuple[int, int, str, str | None, str, int, int]


def rows_of(record: Record) -> list[tuple[str, str | None, str, int, int]]:
    """(kind, key, target, line, quiet) of each reference. Raises ValueError for text that is not Unicode."""
    for one in record.references:
        one.target.encode()
    return [
        (one.kind, key_of(one.kind, one.target), one.target, one.line, int(one.quiet))
        for one in record.references
    ]


def rows_of_packed(packed: Packed) -> list[tuple[str, str | None, str, int, int]]:
    """The same of a record that the native core made, whose texts are Unicode."""
    return [
        (kind, key_of(kind, target), target, line, int(quiet))
        for kind, target, line, quiet in packed.references
    ]


def insert(connection: apsw.Connection, rows: Iterable[tuple[Any, ...]]) -> None:
    """Store rows: (result, number, kind, key, target, line, quiet). Raises apsw.Error."""
    connections.insert(connection, _INSERT, 7, rows)


def by_keys(connection: apsw.Connection, keys: Iterable[str]) -> Iterator[tuple[bytes, Reference]]:
    """(path of the file, reference) of everything under one of these keys. Raises apsw.Error."""
    for key in keys:
        if not _is_text(key):
            continue  # of a name that is no UTF-8: nothing is stored under it
        for path, kind, target, line, quiet in connection.execute(_BY_KEY, (key,)):
            yield path, Reference(kind, target, line, bool(quiet))


def _is_text(key: str) -> bool:
    try:
        key.encode()
    except UnicodeEncodeError:
        return False
    return True


def everything(connection: apsw.Connection) -> Iterator[tuple[bytes, Reference]]:
    """(path of the file, reference), by path. Raises apsw.Error."""
    for path, kind, target, line, quiet in connection.execute(_ALL):
        yield path, Reference(kind, target, line, bool(quiet))


def key_of(kind: str, target: str) -> str | None:
    """What the other direction looks a reference up by; None for one that leads to no other file."""
    if kind in PATHS:
        path = plain_path(target)
        return path_key(path) if path else None
    if kind == "name":
        return "()" + re.split(r"\.|::|#", target.removesuffix("()"))[-1]
    if kind in ("ref", "anchor"):
        return "#" + label(target)
    return None


def path_key(path: str) -> str:
    """The key under which references to this path are."""
    name = path.rstrip("/").rpartition("/")[2]
    stem = name.rpartition(".")[0] or name
    return stem.lower()


def keys_of_file(path: str, names: Sequence[str] = (), labels: Sequence[str] = ()) -> set[str]:
    """Every key under which a reference to this file may be: its own and its directory's, what it defines,
    its labels."""
    above, _, name = path.rpartition("/")
    parts = name.lower().split(".")
    # With no more than it has to: ``v1.2`` may stand for v1.2.md, ``guide/index.html`` for guide.md and
    # guide/README.md.
    keys = {".".join(parts[:count]) for count in range(1, len(parts) + 1)} - {""} | {".", "index"}
    if above:
        keys.add(path_key(above))
    keys |= {"()" + one for one in names}
    return keys | {"#" + label(one) for one in labels}


def label(text: str) -> str:
    """A label as Sphinx compares it."""
    return " ".join(text.lower().split())


def plain_path(target: str) -> str:
    """The path in a target, without anchor and query, its escapes undone; empty for a mere anchor."""
    path = target.partition("#")[0].partition("?")[0]
    if "%" in path:
        decoded = unquote(path)
        path = decoded if "\0" not in decoded and "\n" not in decoded else path
    return path
