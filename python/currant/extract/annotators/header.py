"""The header of a file: what its leading comment or its docstring says that the file is for.

Owns: which of the leading comments is the header, what in it is noise (licences, marks of editors and
linters), and the sections of the header template in both of its generations. A file without the template
gets the first paragraph of its docstring, its leading comment or its prose as `intent`.

A comment that stands directly above the first definition documents that definition and is no header.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Final

import msgspec

from currant.config import HeaderField
from currant.extract.comments import HEAD, STYLES, Comment, leading
from currant.model import Header, Record
from currant.record import template
from currant.record.template import FILE_TITLES

MAX_INTENT: Final = 1_000
"""Characters of an intent that is taken from ordinary text."""

# Paragraphs that are about rights, not about the file.
_LICENCE: Final = re.compile(
    r"^\W*copyright\b|copyright(?:ed)?\s*(?:\(c\)|©|(?:19|20)\d\d|by\b|holder|notice|owner|law)"
    r"|\(c\)\s*(?:19|20)\d\d|spdx-|all rights reserved|permission is hereby granted"
    r"|redistribution and use|redistributions (?:of|in)|licen[cs]ed under|licen[cs]e agreement"
    r"|(?:apache|mit|bsd|mozilla|gnu|public|isc|zlib|boost) (?:software |general |lesser |public )*licen[cs]e"
    r"|(?:is|are) free software|you may not use this (?:file|software|code|work)"
    r"|you (?:may|should) (?:obtain|have received) a copy|governed by an? [\w-]+[ -](?:style )?licen"
    r"|without (?:even the implied |any )?warrant|provided [\"'`“]?as[ -]is|origin of this software"
    r"|licen[cs]e header|see the licen[cs]e|unless required by applicable law|altered source versions"
    r"|(?:part|rest) of the .{1,40} project,? under|subject to the following conditions|above copyright"
    r"|liab(?:le|ility)\b.{0,200}damages|in(?:to)? the public domain|not be used to endorse"
    r"|^this file is part of|(?:apache|opensource)\.org/licenses"
    r"|see (?:the )?(?:file )?['\"]?(?:copying|license|licence)\b",
    re.IGNORECASE | re.DOTALL,
)
# Lines for tools, dropped before anything else.
_NOISE: Final = re.compile(
    r"-\*-.*-\*-|.*\bSPDX-.*|(?:ex|vi|vim)[<=>\d]*:.*|\$(?:Id|Header|Revision|\w{3,12})\b.{0,100}\$|(?:go:|\+build\b).*"
    r"|.*(?:en)?coding[:=][ \t]*[-\w.]+[ \t]*|frozen_string_literal:.*|@?ts-(?:no)?check"
    r"|(?:eslint|jshint|jslint|pylint|flake8|mypy|ruff|isort|yapf|nolint|rubocop|shellcheck|tslint|prettier"
    r"|istanbul|webpack|type|fmt|clang-format|yamllint|stylelint)[-:].*|sourceMappingURL=.*"
    r"|(?:eslint|globals?|jshint|jslint) [\w$-]+[:,].*|(?:noqa|shellcheck disable)\b.*"
    r"|@(?:flow|jsx|format|generated|preserve|license|licence|copyright|authors?|version|since|emails?"
    r"|package|subpackage|category|link|ignore|internal|test|jest-environment|todo|date|ingroup|addtogroup"
    r"|defgroup)\b.*"
    r"|\\(?:authors?|version|date|copyright|ingroup|addtogroup|defgroup)\b.*"
    r"|(?:authors?|maintainers?|created(?: on| by)?|last modified|version|date)[ \t]*:.*"
    r"|/?<(?:reference|amd-).*|<editor-fold.*|#(?:pragma|region|endregion).*|TODO\b.*|<[^>]*>",
    re.IGNORECASE,
)
# Tags that introduce the very text that is looked for; the file's own name goes with them.
_TAG: Final = re.compile(
    r"[@\\](?:file|fileoverview|overview|module|packageDocumentation|brief|short|desc|description|summary|details)\b"
    r"(?:[ \t]+[\w./+-]+\.[A-Za-z+]{1,5}(?=[ \t]*$))?[ \t:]*"
)
_ANY_TAG: Final = re.compile(r"[@\\:][A-Za-z]+\b")
_RULER: Final = re.compile(r"[^\w<\[(\"'`]*")
_OWN_NAME: Final = re.compile(r"[\w./+-]*\w\.\w{1,5}")
# Lines drawn beside the text, and a mode of Emacs: ``===-- name.h - what it is ---*- C++ -*-===``.
_ORNAMENT: Final = re.compile(
    r"^[-=*#~+/\\|!]+[ \t]+|[-=*#~]*-\*-.{0,40}?-\*-[-=*#~/\\]*"
    r"|[ \t]+[-=*#~+/\\|]{2,}[ \t]*$|[-=*#~]{3,}[/\\]*[ \t]*$"
)
_LONG: Final = 400  # characters; a longer line is not drawn by anybody
_BADGE: Final = re.compile(r"(?:\[?!\[|<|\[[^]]+\]:|\.\. |:\w+:|\||```|~~~|\{[%{]|[-*_=~^#\"]{3,}$)")


class HeaderAnnotator:
    """Fills `Record.header`. `titles` (``extract.header_template``) are a project's own titles of sections;
    they go before the usual ones and are part of the identity."""

    name = "header"
    languages: frozenset[str] | None = frozenset(STYLES)

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
    head = source[:HEAD].removeprefix(b"\xef\xbb\xbf")
    text = head.decode("utf-8", "replace").replace("\r\n", "\n")
    # A line ends where the outline says it does, but for files in which no line would end.
    text = text.replace("\r", " " if "\n" in text else "\n")
    comments = leading(language, text)
    if b"[" in head and comments:
        told = _template(comments, titles)
        if told is not None:
            return told
    if language in ("markdown", "rst"):
        return _prose(text)
    docstring = comments[-1] if comments and comments[-1].marker == '"""' else None
    if docstring is not None:
        intent = _intent(docstring.text)
        if intent:
            return Header("docstring", docstring.start, docstring.end, intent)
    first = min((symbol.start for symbol in record.symbols if symbol.kind != "heading"), default=0)
    # Inner documentation is about the file wherever it stands; everything else may be about what follows.
    for comment in sorted(comments, key=lambda one: one.marker not in ("//!", "/*!")):
        if comment is docstring or (comment.end + 1 == first and not _about_file(language, comment)):
            continue
        intent = _intent(comment.text)
        if intent:
            return Header("comment", comment.start, comment.end, intent)
    return None


def _about_file(language: str, comment: Comment) -> bool:
    """Whether a comment directly above a definition is about the file all the same."""
    if language == "rust":
        return comment.marker in ("//!", "/*!")
    return re.search(r"[@\\](?:file|fileoverview|overview|packageDocumentation)\b", comment.text) is not None


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


def _intent(text: str) -> str | None:
    """The first paragraph that says something about the file."""
    title: str | None = None
    for paragraph in _paragraphs(text):
        if _LICENCE.search(paragraph):
            continue
        if _OWN_NAME.fullmatch(paragraph) or not any(char.isalpha() for char in paragraph):
            continue
        # A title of one word is the name of the thing; the text below it says more.
        if title is None and " " not in paragraph and paragraph[-1] not in ".!":
            title = paragraph
            continue
        return template.cut(paragraph, MAX_INTENT)
    return title


def _paragraphs(text: str) -> list[str]:
    """Paragraphs in one line each, without rulers and what is meant for tools."""
    out: list[str] = []
    open_ = False
    for raw in text.split("\n"):
        line = raw.strip()
        if _RULER.fullmatch(line):
            open_ = False
            continue
        if _NOISE.fullmatch(line):
            continue
        tag = _TAG.match(line)
        if tag is not None:
            line = line[tag.end() :]
            open_ = False
            if not line:
                continue
        elif _ANY_TAG.match(line):
            # A tag of any other kind begins what is no description any more.
            break
        if len(line) <= _LONG:
            line = _ORNAMENT.sub("", line)
        line = " ".join(line.split())
        if not line:
            continue
        if open_:
            out[-1] += " " + line
        else:
            out.append(line)
            open_ = True
    return out


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
