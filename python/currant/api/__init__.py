"""The Python API: one index of one root, whoever owns it.

- `backend`: where answers come from: the process that owns the index over its socket, or this one
- `index`: `Index`, what a caller holds
- `asynchronous`: `AsyncIndex`, the same for asyncio and trio
"""

from typing import TYPE_CHECKING, Any

from currant.api.index import Follower, Index, open_index

if TYPE_CHECKING:
    from currant.api.asynchronous import AsyncIndex, open_async

__all__ = ["AsyncIndex", "Follower", "Index", "open_async", "open_index"]

if not TYPE_CHECKING:  # which would take any name for one of these

    def __getattr__(name: str) -> Any:
        """asyncio costs more to import than a short command takes, so it waits until somebody asks."""
        if name in ("AsyncIndex", "open_async"):
            from currant.api import asynchronous

            return getattr(asynchronous, name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
