"""The index on disk: the only package that opens SQLite.

`Store` is the whole of its public surface for an index; the modules below it are parts of that one class:
connection (versions, pragmas, readers), schema (tables and migrations), opening (checks, setting a damaged
file aside), records (how results are encoded), commit (the one write transaction), search (candidates for a
name). `SharedResults` is another file, which several indexes share.
"""

from currant.store.shared import SharedResults
from currant.store.store import Store

__all__ = ["SharedResults", "Store"]
