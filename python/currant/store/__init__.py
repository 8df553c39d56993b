"""The index on disk: the only package that opens SQLite.

`Store` is the whole of its public surface for an index; the modules below it are parts of that one class:
connection (versions, pragmas, readers), schema (tables and migrations), opening (checks, setting a damaged
file aside), records (how results are encoded), commit (the one write transaction), search (candidates for a
name). `SharedResults` is another file, which several indexes share.
"""

from typing import Final

from currant.store.shared import SharedResults
from currant.store.store import Policies, Store

__all__ = ["LLM_NAME", "Policies", "SharedResults", "Store"]

LLM_NAME: Final = "llm.db"
"""The file of `store.llm`, for those who only want to know whether it is there."""
