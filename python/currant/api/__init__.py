"""The Python API: one index of one root, whoever owns it.

- `backend`: where answers come from: the process that owns the index over its socket, or this one
- `index`: `Index`, what a caller holds
- `asynchronous`: `AsyncIndex`, the same for asyncio
"""

from currant.api.asynchronous import AsyncIndex, open_async
from currant.api.index import Follower, Index, open_index

__all__ = ["AsyncIndex", "Follower", "Index", "open_async", "open_index"]
