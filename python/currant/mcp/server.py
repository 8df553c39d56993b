"""The tools behind the official SDK. Owns how an answer and an error become the protocol's results.

Takes the SDK's low-level server, not its decorators: the schemas are made of our own types before the SDK is
there, and an error says what the tool says and nothing else.
"""

import json
import logging
from typing import Any, Final

import anyio
import anyio.to_thread
import mcp_types as types
import msgspec
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError

from currant import __version__
from currant.errors import CurrantError, UsageError
from currant.mcp import calls, catalogue
from currant.mcp.answers import Tools
from currant.mcp.budget import ANSWER_TOKENS
from currant.mcp.source import Source

_log: Final = logging.getLogger(__name__)
_AT_ONCE: Final = 32
"""Calls that are worked on side by side."""
_WAITING: Final = 8
"""Of `refresh`, which may wait for a minute and must not hold up the others."""


def build(source: Source, *, budget: int = ANSWER_TOKENS) -> Server[Any]:
    """A server of the SDK with the tools over `source`; whoever serves it picks the transport."""
    tools = Tools(source, budget)
    listed = [types.Tool.model_validate(tool) for tool in catalogue.listed(projects=source.several)]
    limiters: dict[bool, anyio.CapacityLimiter] = {}

    async def list_tools(
        _context: ServerRequestContext[Any], _params: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        return types.ListToolsResult(tools=listed)

    async def call_tool(
        _context: ServerRequestContext[Any], params: types.CallToolRequestParams
    ) -> types.CallToolResult:
        if not limiters:  # they belong to the running loop
            limiters.update({True: anyio.CapacityLimiter(_WAITING), False: anyio.CapacityLimiter(_AT_ONCE)})
        try:
            tool = calls.tool(params.name)
        except UsageError as error:
            raise MCPError(code=types.INVALID_PARAMS, message=str(error)) from None
        try:
            given = calls.arguments(tool, params.arguments or {}, projects=source.several)
            answer = await anyio.to_thread.run_sync(
                tools.call, tool.name, given, limiter=limiters[tool.name == "refresh"]
            )
        except CurrantError as error:
            return _text(str(error), failed=True)
        except Exception:
            # Nothing that we foresaw: the traceback is for the log, not for the model.
            _log.exception("%s", params.name)
            return _text(f"{params.name}: a fault in Currant; its log has the traceback", failed=True)
        body = msgspec.json.encode(answer).decode()
        # The text is the same JSON: a client shows the one or the other.
        return types.CallToolResult(
            content=[types.TextContent(type="text", text=body)], structured_content=json.loads(body)
        )

    return Server(
        catalogue.NAME,
        version=__version__,
        title=catalogue.TITLE,
        instructions=catalogue.INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


def _text(text: str, *, failed: bool) -> types.CallToolResult:
    safe = text.encode(errors="backslashreplace").decode()
    return types.CallToolResult(content=[types.TextContent(type="text", text=safe)], is_error=failed)
