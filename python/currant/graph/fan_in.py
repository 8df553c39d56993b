"""How much leads to a file: a number to order work by, so bounded, and not exact beyond its bounds."""

import os
from typing import Final

from currant.graph.refs import SqlTree
from currant.graph.resolve import resolve, stands_for
from currant.query import Query
from currant.store import references as stored

_CANDIDATES: Final = 500
"""References that are looked at; ``index.md`` and the like share their key with thousands."""


def fan_in(query: Query, path: str) -> int:
    """Other files that name this one by its path (links, includes, dependencies in headers), and those that
    have the same content; 0 for one that stands alone. A name in backticks counts for nothing: to find out
    whose it is costs a search each. Raises StoreError."""
    sources: set[bytes] = set()
    own = os.fsencode(path)
    with query.snapshot() as connection:
        tree = SqlTree(connection)
        found = stored.by_keys(connection, stored.keys_of_file(path))
        for _, (source, one) in zip(range(_CANDIDATES), found, strict=False):
            if source == own or source in sources or one.kind not in stored.PATHS:
                continue
            if stands_for(path, resolve(tree, os.fsdecode(source), one.kind, one.target)):
                sources.add(source)
    return len(sources) + max(0, query.sharing(path) - 1)
