"""Serving one root over standard input and output, for as long as the client keeps them open."""

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from currant.mcp.budget import ANSWER_TOKENS
from currant.mcp.source import One


def serve(root: Path, flags: Mapping[str, Any], *, wide: bool = False, budget: int = ANSWER_TOKENS) -> None:
    """Serve until the client closes standard input, or SIGTERM or SIGINT. The index is opened meanwhile."""
    from currant.api import open_index

    source = One(functools.partial(open_index, root, flags=flags, wide=wide))
    source.start()
    try:
        import anyio

        anyio.run(functools.partial(_serve, source, budget))
    finally:
        source.close()


async def _serve(source: One, budget: int) -> None:
    from mcp.server.stdio import stdio_server

    from currant.mcp.server import build

    server = build(source, budget=budget)
    async with stdio_server() as (reads, writes):
        await server.run(reads, writes, server.create_initialization_options())
