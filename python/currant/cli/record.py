"""The record of a file for people: its header, and its definitions with what their documentation is for."""

from collections.abc import Iterator
from typing import Any, Final

from currant.cli.output import printable

_WIDTH: Final = 100  # characters of the text behind a definition
_INDENT: Final = "  "


def lines(view: dict[str, Any]) -> Iterator[str]:
    """What `show` prints below its table; `view` is the answer of the method ``show`` with ``full``."""
    record, document = view["record"], view.get("document")
    if record is None:
        return
    yield from (f"note: {printable(note)}" for note in record["notes"])
    intents: dict[tuple[str, int, int], str] = {}
    if document is not None:
        yield from _header(document["headerSections"])
        for entry in _entries(document):
            where = entry["lineRange"]
            intents[entry["name"], where["start"], where["end"]] = entry["docSections"]["intent"] or ""
    for symbol in record["symbols"]:
        where = f"{symbol['start']}-{symbol['end']}"
        inside = f"{symbol['parent']}." if symbol["parent"] else ""
        intent = intents.get((symbol["name"], symbol["start"], symbol["end"]), "")
        told = f"{symbol['kind']}  {inside}{symbol['name']}" + (f"  {_short(intent)}" if intent else "")
        yield f"{where:>12}  {printable(told)}"


def _entries(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from document["functions"]
    for one in document["classes"]:
        yield one
        yield from one["methods"]


def _header(header: dict[str, Any]) -> Iterator[str]:
    """The sections that say something."""
    if header["form"] is None:
        return
    if header["intent"]:
        yield from _section("intent", [header["intent"]])
    yield from _section("design principles", header["designPrinciples"])
    yield from _section("constraints", header["constraints"])
    dependencies = [f"{one['kind']}: {one['name']}" for one in header["dependencies"]]
    named = {one["name"] for one in header["dependencies"]}
    documents = [name for name in header["referenceDocumentation"] if name not in named]
    yield from _section("reference documentation", documents)
    yield from _section("dependencies", dependencies)
    changes = [
        " ".join(filter(None, [one["timestamp"], one["summary"], *(f"* {text}" for text in one["details"])]))
        for one in header["changeHistory"]
    ]
    yield from _section("change history", changes)
    for title, text in header["other"].items():
        yield from _section(title, [text])


def _section(title: str, texts: list[str]) -> Iterator[str]:
    """A title and its texts, each of which keeps to lines of its own."""
    if texts:
        yield f"{printable(title)}:"
        for text in texts:
            for line in text.split("\n"):
                if line.strip():
                    yield _INDENT + printable(line)


def _short(text: str) -> str:
    """The first sentence or so, on one line."""
    line = " ".join(text.split())
    return line if len(line) <= _WIDTH else line[: _WIDTH - 1] + "…"
