"""The header of a file: what its leading comment or its docstring says that the file is for.

Owns: the sections of the header template in both of its generations, and the first paragraph of a document
as its `intent`. The native core finds the comments that a file begins with, and what those say that have no
section of the template (`rust/src/record/`).
"""

import hashlib
import json
import re
from collections.abc import Mapping
from itertools import starmap
from typing import Final, NamedTuple

import msgspec

from currant import _core
from currant.config import HeaderField
from currant.model import Header, Record
from currant.record import template
from currant.record.template import FILE_TITLES

MAX_INTENT: Final = 1_000
"""Characters of an intent that is taken from ordinary text."""

_HEAD: Final = 16 << 10  # bytes that are looked at; the core has the same number
_BADGE: Final = re.compile(r"(?:\[?!\[|<|\[[^]]+\]:|\.\. |:\w+:|\||```|~~~|\{[%{]|[-*_=~^#\"]{3,}$)")


class Comment(NamedTuple):
    """A run of line comments without a gap, or one block: its text without markers, and its lines.

    `marker` is what it begins with (``#``, ``/**``), or ``\"\"\"`` for a docstring."""

    text: str
    start: int
    end: int
    marker: str


class HeaderAnnotator:
    """Fills `Record.header`. `titles` (``extract.header_template``) are a project's own titles of sections;
    they go before the usual ones and are part of the identity."""

    name = "header"
    languages: frozenset[str] | None = frozenset(_core.comment_languages())

    def __init__(self, titles: Mapping[str, HeaderField] | None = None) -> None:
        own = {" ".join(title.split()).lower(): field for title, field in (titles or {}).items()}
        self._titles: Final = {**FILE_TITLES, **own}
        digest = hashlib.sha256(json.dumps(own, sort_keys=True).encode()).hexdigest()
        self.version: Final = f"1.{digest[:8]}" if own else "1"

    def annotate(self, name: str, language: str | None, source: bytes, record: Record) -> Record:
        """`record` with the header of `source`, or as it was when there is none."""
        if language is None:
            return record
        found = header(language, source, record, self._titles)
        return record if found is None else msgspec.structs.replace(record, header=found)


def header(
    language: str, source: bytes, record: Record, titles: Mapping[str, HeaderField] = FILE_TITLES
) -> Header | None:
    """The header of `source`. `record` tells where the first definition begins."""
    comments = list(starmap(Comment, _core.leading_comments(language, source)))
    if any("[" in comment.text for comment in comments):
        told = _template(comments, titles)
        if told is not None:
            return told
    if language in ("markdown", "rst"):
        return _prose(_text(source))
    first = min((symbol.start for symbol in record.symbols if symbol.kind != "heading"), default=0)
    found = _core.comment_header(language, source, first)
    return None if found is None else Header(*found)


def _text(source: bytes) -> str:
    """The head of a document, its lines ended by one character each."""
    text = source[:_HEAD].removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace").replace("\r\n", "\n")
    # A line ends where the outline says it does, but for files in which no line would end.
    return text.replace("\r", " " if "\n" in text else "\n")


def _template(comments: list[Comment], titles: Mapping[str, HeaderField]) -> Header | None:
    """The header when one of the comments has sections of the template. A docstring is looked at by itself;
    comments may have been torn apart by blank lines."""
    for group in ([one for one in comments if one.marker != '"""'], comments[-1:]):
        if not group:
            continue
        told = template.sections("\n\n".join(one.text for one in group), titles)
        if told is None:
            continue
        _before, sections = told
        values: dict[str, list[str]] = {}
        other: dict[str, str] = {}
        field: HeaderField | None
        for title, lines in sections:
            field = titles.get(title.lower())
            if field is None:
                text = template.paragraphs(lines)
                if text and len(other) < template.MAX_ITEMS:
                    other.setdefault(title, text)
            else:
                values.setdefault(field, []).extend(["", *lines] if field in values else lines)
        return Header(
            "template",
            group[0].start,
            group[-1].end,
            template.paragraphs(values.get("intent", [])),
            template.items(values.get("design_principles", [])),
            template.items(values.get("constraints", [])),
            template.references(values.get("reference_documentation", [])),
            template.dependencies(values.get("dependencies", [])),
            template.history(values.get("change_history", [])),
            other,
        )
    return None


def _prose(text: str) -> Header | None:
    """The first paragraph of a document, below its title."""
    lines = text.split("\n")
    at = 0
    if lines[0].strip() == "---":  # front matter
        at = next((n for n in range(1, len(lines)) if lines[n].strip() in ("---", "...")), 0) + 1
    found: list[str] = []
    start = 0
    for number in range(at, len(lines)):
        line = lines[number].strip().lstrip("> ")
        below = lines[number + 1].strip() if number + 1 < len(lines) else ""
        title = line.startswith("#") or (below and not found and re.fullmatch(r"([=~^\"*-])\1{2,}", below))
        if title or not line or _BADGE.match(line):
            if found:
                break
            continue
        if not found:
            start = number + 1
        found.append(line)
    intent = template.cut(" ".join(found), MAX_INTENT)
    if not intent:
        return None
    return Header("prose", start, start + len(found) - 1, intent)
