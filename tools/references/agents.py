"""docs/mcp-reference.md: every tool for agents, as a client gets to see it."""

from typing import Any

from currant.mcp.catalogue import INSTRUCTIONS, listed
from tools.references.words import GENERATED, default, kind, table

TOP = """# Every tool for agents

What `tools/list` says over HTTP; over standard input and output the argument `project` is not there. [The index for
agents](mcp.md) says how to set it up, and what every answer has.

The instructions that a client gets:
"""


def page() -> str:
    """The whole page."""
    lines = [GENERATED, "", TOP, f"> {INSTRUCTIONS}", ""]
    for tool in listed(projects=True):
        lines += [f"## {tool['name']}", "", f"{tool['title']}. {tool['description']}", ""]
        lines += _fields(tool["inputSchema"], "argument", defaults=True)
        lines += _fields(tool["outputSchema"], "answer", defaults=False)
        for name, schema in tool["outputSchema"].get("$defs", {}).items():
            lines += [f"`{name}`:", "", *_fields(schema, "key", defaults=False)]
        hints = tool["annotations"]
        says = [name for name in ("readOnlyHint", "idempotentHint", "openWorldHint") if hints[name]]
        lines += ["Hints: " + ", ".join(f"`{name}`" for name in says) + ".", ""]
    return "\n".join(lines).rstrip() + "\n"


def _fields(schema: dict[str, Any], title: str, *, defaults: bool) -> list[str]:
    needed = set(schema.get("required", ()))
    titles = (title, "type", "default", "meaning") if defaults else (title, "type")
    rows = []
    for name, one in schema.get("properties", {}).items():
        says = kind(one) + (", required" if name in needed and defaults else "")
        extra = (default(one.get("default")), one.get("description", "")) if defaults else ()
        rows.append((f"`{name}`", says, *extra))
    return table(titles, rows)
