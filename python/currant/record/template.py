"""Sections of a template, such as ``[Source file intent]``, in a comment or a docstring.

Owns: how sections, lists, dependencies and a change history are told from plain text, and which title means
which field, in both generations of the template. Does not own: comments (`extract.comments`) and the records
that these values become part of.

Every function takes any text, ends in time that is linear in its length, and raises nothing.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Final, Literal, NamedTuple

from currant.config import HeaderField
from currant.model import Dependency, HistoryEntry

Field = HeaderField | Literal["implementation_details", "design_decisions"]

MAX_TEXT: Final = 4_000
"""Characters of one section that are kept."""
MAX_ITEMS: Final = 64
"""Items of one list that are kept."""

FILE_TITLES: Final[Mapping[str, HeaderField]] = {
    "source file intent": "intent",
    "file intent": "intent",
    "intent": "intent",
    "source file design principles": "design_principles",
    "design principles": "design_principles",
    "source file constraints": "constraints",
    "constraints": "constraints",
    "reference documentation": "reference_documentation",
    "dependencies": "dependencies",
    "genai tool change history": "change_history",
    "change history": "change_history",
    # What a tool is told to do with the header; the same in every file.
    "genai coding tool directive": "ignore",
}
"""Titles of a file's header -> fields of `model.Header`."""

DEFINITION_TITLES: Final[Mapping[str, Field]] = {
    "intent": "intent",
    "function intent": "intent",
    "method intent": "intent",
    "class intent": "intent",
    "class method intent": "intent",
    "interface intent": "intent",
    "design principles": "design_principles",
    "implementation details": "implementation_details",
    "design decisions": "design_decisions",
    "constraints": "constraints",
    "reference documentation": "reference_documentation",
}
"""Titles in the documentation of a function or a class -> fields of its sections."""

# A title stands alone in its line; the template has a comment for its reader behind some.
_TITLE: Final = re.compile(r"[ \t]*\[([A-Za-z][A-Za-z0-9 /_-]{1,60})\][ \t]*:?[ \t]*(?:<!--.*)?")
_RULER: Final = re.compile(r"[ \t]*([#=*_~+-])\1{4,}[ \t]*")
_BULLET: Final = re.compile(r"(?:[-*+•]|\d{1,3}[.)])[ \t]+(.*)")
_DEPENDENCY: Final = re.compile(r"(codebase|system|other)[ \t]*:[ \t]*(.*)", re.IGNORECASE)
_STAMP: Final = re.compile(
    r"(?:[-*•][ \t]+)?\[?(\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?)?"
    r"[ \t]?(?:Z|UTC|[+-]\d\d:?\d\d)?)\]?[ \t]*(?:[:|\u2013\u2014-][ \t]*)?(.*)"
)
_COMMON: Final = frozenset({"dependencies", "constraints", "change history"})
"""Titles that other formats have as well: a manifest in an example of a comment."""
_NOTHING: Final = frozenset({"none", "n/a", "na", "-", "nothing", "todo", "tbd"})


class Section(NamedTuple):
    """One section: its title as written, the lines below it without rulers and placeholders."""

    title: str
    lines: list[str]


def sections(text: str, known: Mapping[str, Field]) -> tuple[str, list[Section]] | None:
    """What stands in front of the first title, and the sections; None when no title is one of `known`.

    A title in brackets that is not known begins a section only beside one that is, and only at the start of a
    paragraph, as those of the template do: text in brackets is common elsewhere."""
    if "[" not in text:
        return None
    lines = text.split("\n")
    titles: dict[int, str] = {}
    certain = False
    for number, line in enumerate(lines):
        found = _TITLE.fullmatch(line)
        if found is None:
            continue
        title = " ".join(found[1].split())
        if title.lower() in known:
            certain = certain or title.lower() not in _COMMON
        elif number and lines[number - 1].strip() and not _RULER.fullmatch(lines[number - 1]):
            continue
        titles[number] = title
    if not certain:
        return None
    out: list[Section] = []
    before: list[str] = []
    for number, line in enumerate(lines):
        if number in titles:
            out.append(Section(titles[number], []))
        elif not _RULER.fullmatch(line):
            (out[-1].lines if out else before).append(line)
    return "\n".join(before).strip(), out


def paragraphs(lines: list[str]) -> str | None:
    """The text of a section: lines of one paragraph joined, items and paragraphs apart; None for none."""
    parts: list[str] = []
    fresh = True
    for line in _told(lines):
        text = line.strip()
        if not text:
            fresh = True
        elif fresh or _BULLET.match(text):
            parts.append(("\n\n" if fresh and parts else "\n" if parts else "") + text)
            fresh = False
        else:
            parts.append(" " + text)
    return cut("".join(parts)) or None


def items(lines: list[str]) -> list[str]:
    """The items of a list; without bullets, each paragraph is one."""
    told = _told(lines)
    bulleted = any(_BULLET.match(line.strip()) for line in told)
    out: list[str] = []
    fresh = True
    for line in told:
        text = line.strip()
        if not text:
            fresh = True
            continue
        bullet = _BULLET.match(text)
        if bullet is not None:
            out.append(bullet[1].strip())
        elif fresh and not (bulleted and out and line[:1].isspace()):
            out.append(text)
        else:
            out[-1] += " " + text
        fresh = False
    return [cut(item) for item in out if item.lower().rstrip(".") not in _NOTHING][:MAX_ITEMS]


def references(lines: list[str]) -> list[str]:
    """One reference a line, with or without a bullet."""
    out = []
    for line in _told(lines):
        text = line.strip()
        bullet = _BULLET.match(text)
        text = (bullet[1] if bullet else text).strip().strip("`")
        if text and text.lower().rstrip(".") not in _NOTHING:
            out.append(cut(text))
    return out[:MAX_ITEMS]


def dependencies(lines: list[str]) -> list[Dependency]:
    """One dependency a line: ``codebase:doc/DESIGN.md``, ``system:json``, ``other:...``."""
    out = []
    for line in references(lines):
        found = _DEPENDENCY.match(line)
        kind, name = (found[1].lower(), found[2]) if found else ("other", line)
        name = name.strip().strip("`").strip()
        if name and name.lower().rstrip(".") not in _NOTHING:
            out.append(Dependency(kind, name))
    return out


def history(lines: list[str]) -> list[HistoryEntry]:
    """``2025-05-02T08:00:00Z : summary`` and the details below it.

    Text before the first time stamp becomes an entry without one."""
    out: list[HistoryEntry] = []
    for line in _told(lines):
        text = line.strip()
        if not text:
            continue
        stamp = _stamp(text)
        if stamp is not None:
            out.append(HistoryEntry(stamp[0], cut(stamp[1]) or None))
            continue
        bullet = _BULLET.match(text)
        if not out:
            if text.lower().rstrip(".") not in _NOTHING:
                out.append(HistoryEntry(None, cut(bullet[1] if bullet else text)))
        elif bullet is not None:
            if len(out[-1].details) < MAX_ITEMS:
                out[-1].details.append(cut(bullet[1].strip()))
        elif out[-1].details:
            out[-1].details[-1] = cut(f"{out[-1].details[-1]} {text}")
        else:
            last = out[-1]
            out[-1] = HistoryEntry(last.timestamp, cut(f"{last.summary or ''} {text}".strip()))
    return out[:MAX_ITEMS]


def _stamp(text: str) -> tuple[str, str] | None:
    """An ISO 8601 time at the start of a line, and the rest of the line."""
    found = _STAMP.fullmatch(text)
    if found is None:
        return None
    stamp = found[1].strip().replace("UTC", "Z").replace(",", ".").replace(" Z", "Z").replace(" +", "+")
    stamp = stamp.replace(" ", "T", 1)
    try:
        datetime.fromisoformat(stamp)
    except ValueError:
        return None
    return stamp, found[2].strip()


def _told(lines: list[str]) -> list[str]:
    """The lines without placeholders of an unfilled template: ``<Describe the purpose>``."""
    out = []
    for line in lines:
        text = line.strip()
        if not (len(text) > 2 and text[0] == "<" and text[-1] == ">" and " " in text):
            out.append(line)
    return out


def cut(text: str, limit: int = MAX_TEXT) -> str:
    """At most `limit` characters; a cut ends in an ellipsis that counts."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"
