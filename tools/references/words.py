"""Markdown that all generated pages share: the remark at the top, rows of tables, the type of a JSON Schema."""

import json
from collections.abc import Iterable
from typing import Any, Final

GENERATED: Final = "<!-- Made by `make references`. Change what it is made of, not this page. -->"


def row(cells: Iterable[str]) -> str:
    """One row of a table. A line break or a bar inside a cell would end it."""
    return "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in cells) + " |"


def table(titles: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    """A table, with an empty line behind it; nothing when there are no rows."""
    lines, names = [row(cells) for cells in rows], list(titles)
    return [row(names), "|" + "---|" * len(names), *lines, ""] if lines else []


def kind(schema: dict[str, Any]) -> str:
    """The type of a JSON Schema in a few words: ``integer, 1 to 200``."""
    if "anyOf" in schema:
        parts = [kind(one) for one in schema["anyOf"] if one.get("type") != "null"]
        return " or ".join(parts)
    if "$ref" in schema:
        return f"`{schema['$ref'].rpartition('/')[2]}`"
    if "enum" in schema:
        return "one of " + ", ".join(f"`{one}`" for one in schema["enum"])
    name = str(schema.get("type", "any"))
    if name == "array":
        return f"list of {kind(schema.get('items', {}))}"
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None:
        return f"{name}, {low:,} to {high:,}"
    return f"{name}, at least {low:,}" if low is not None else name


def default(value: Any) -> str:
    """A default as JSON, in backticks; nothing for what means "not given"."""
    return "" if value in (None, "", []) else f"`{json.dumps(value)}`"
