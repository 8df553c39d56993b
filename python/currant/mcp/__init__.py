"""The index for agents: tools of the Model Context Protocol, over stdio or HTTP.

- `shapes`: what goes in and what comes out, as types; the schemas are made of them
- `catalogue`: the tools by name, as a client lists them
- `budget`: keeping an answer short, and saying what was left out
- `freshness`: what an answer lacks, in words
- `source`: which index is meant, and opening it while the client already talks
- `answers`: one function for each tool
- `server`: the tools behind the official SDK
- `wire`, `front`, `stdio`: standard input and output; the first answers come before the SDK is imported
- `http`: the same tools as an ASGI application over a hub
- `clients`, `configuration`: where clients keep their list of servers, and writing it without losing anything

Nothing here opens a file of the tree: what an agent gets is what the index holds.
"""

from typing import Any

__all__ = ["http_app"]


def __getattr__(name: str) -> Any:
    """The SDK takes longer to import than all of Currant, so it waits until somebody serves HTTP."""
    if name == "http_app":
        from currant.mcp.http import http_app

        return http_app
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
