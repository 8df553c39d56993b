"""From the arguments of a client to those of a tool. Owns what is forgiven and how a mistake is named.

Nothing of the SDK: its own messages tell a model what a validator thought, these tell it what to write.
"""

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from currant.errors import UsageError
from currant.mcp.catalogue import TOOLS, Tool
from currant.mcp.shapes import Arguments


def arguments(tool: Tool, given: Mapping[str, Any], *, projects: bool) -> Arguments:
    """The arguments of one call. Raises UsageError with what the tool takes.

    Forgiven: numbers and booleans as text, lists as JSON text, null for what is left out; some clients send
    nothing else."""
    told = {key: _unquoted(tool, key, value) for key, value in given.items() if value is not None}
    if not projects and "project" in told:
        raise UsageError(f"{tool.name}: this server has one root, leave out project")
    try:
        return msgspec.convert(told, tool.arguments, strict=False)
    except msgspec.ValidationError as error:
        takes = ", ".join(_takes(tool, projects))
        raise UsageError(f"{tool.name}: {_plain(str(error))}. It takes: {takes or 'nothing'}.") from None


def tool(name: str) -> Tool:
    """The tool of that name. Raises UsageError with those there are."""
    found = TOOLS.get(name)
    if found is None:
        raise UsageError(f"no tool {name!r}; there are: {', '.join(TOOLS)}")
    return found


def _unquoted(tool: Tool, key: str, value: Any) -> Any:
    field = next((one for one in msgspec.structs.fields(tool.arguments) if one.name == key), None)
    if field is None or not isinstance(value, str) or field.default_factory is not list:
        return value
    try:
        read = json.loads(value)
    except (ValueError, RecursionError):
        read = None
    return read if isinstance(read, list) else [value]  # one path where several may stand


def _takes(tool: Tool, projects: bool) -> list[str]:
    names = []
    for field in msgspec.structs.fields(tool.arguments):
        if field.name != "project" or projects:
            names.append(field.name + (" (required)" if field.required else ""))
    return sorted(names, key=lambda name: not name.endswith("(required)"))


def _plain(message: str) -> str:
    """msgspec's sentence with the name of the argument in front."""
    text, at, where = message.partition(" - at `$.")
    return f"{where.rstrip('`')}: {text}" if at else text
