"""The annotator `links`: what a content names, with lines.

Owns: which language is read how, the bounds, the comment that silences, and the references in doc comments.
Markdown and HTML are in `links_markdown`, reStructuredText in `links_rst`. Nothing is resolved here: that
depends on where the content lies, and a result knows no path.
"""

import re
from typing import Final

import msgspec

from currant.extract.annotators import links_markdown, links_rst
from currant.extract.annotators.tokens import Found, backticked
from currant.model import Record, Reference

MAX_REFERENCES: Final = 5_000
MAX_TARGET: Final = 1_000  # characters

_CODE: Final = frozenset(
    (
        *("c", "cpp", "csharp", "go", "java", "javascript", "kotlin", "php", "python", "ruby", "rust"),
        *("shell", "swift", "tsx", "typescript"),
    )
)
_SILENT: Final = re.compile(rb"currant:[ \t]*ignore(-file)?\b")
# Without an anchor at the start of the line: that would look at every line, and takes six times as long.
_INCLUDE: Final = re.compile(rb'#[ \t]*include[ \t]*"([^"\n]{1,300})"')
# Sphinx resolves the labels and pages of other projects through this setting of its conf.py.
_INTERSPHINX: Final = re.compile(rb"^[^#\n]*\b(?:\w+_)?intersphinx(?:_mapping|_enable|['\"])", re.M)
_SPAN: Final = re.compile(r"(`{1,2})(?!`)([^`\n]{2,200}?)\1(?!`)")
_LINK: Final = re.compile(r"\[[^\]\n]{1,200}\]\(([^()\s<>]{1,500})\)")


class LinksAnnotator:
    """Adds `Record.references`, in the order of their lines."""

    name = "links"
    version = "2"
    languages: frozenset[str] | None = _CODE | {"markdown", "rst", "html"}

    def annotate(self, name: str, language: str | None, source: bytes, record: Record) -> Record:
        """`record` with what `source` names; a note says when there was more than is kept."""
        found = references(language, source, record)
        if not found:
            return record
        notes = record.notes
        if len(found) > MAX_REFERENCES:
            notes = [*notes, f"partial: the first {MAX_REFERENCES} of {len(found)} references"]
            found = found[:MAX_REFERENCES]
        return msgspec.structs.replace(record, references=[*record.references, *found], notes=notes)


def references(language: str | None, source: bytes, record: Record) -> list[Reference]:
    """What `source` names, each once a line, by line. Any bytes will do."""
    found: list[Found] = []
    if language == "markdown":
        found = links_markdown.find(source.decode("utf-8", "replace"))
    elif language == "html":
        found = links_markdown.find_html(source.decode("utf-8", "replace"))
    elif language == "rst":
        found = links_rst.find(source.decode("utf-8", "replace"))
    elif language in _CODE:
        if language in ("c", "cpp"):
            found = _includes(source)
        elif language == "python" and (match := _INTERSPHINX.search(source)):
            found.append(("anchor", "intersphinx_mapping", source.count(b"\n", 0, match.start()) + 1))
        found += _in_docs(source, record)
    found += _of_header(source, record)
    if not found:
        return []
    whole, lines = _silenced(source) if b"currant:" in source else (False, set())
    kept = dict.fromkeys(
        Reference(kind, target[:MAX_TARGET], line, whole or line in lines)
        for kind, target, line in found
        if target and "\0" not in target
    )
    return sorted(kept, key=lambda reference: (reference.line, reference.kind, reference.target))


def _silenced(source: bytes) -> tuple[bool, set[int]]:
    """Whether all of the content is silenced, and the lines that are: that of a comment and the next."""
    lines: set[int] = set()
    at, line = 0, 1
    for match in _SILENT.finditer(source):
        if match[1]:
            return True, set()
        line += source.count(b"\n", at, match.start())
        at = match.start()
        lines |= {line, line + 1}
    return False, lines


def _includes(source: bytes) -> list[Found]:
    found: list[Found] = []
    at, line = 0, 1
    for match in _INCLUDE.finditer(source):
        if source[source.rfind(b"\n", 0, match.start()) + 1 : match.start()].strip(b" \t"):
            continue  # not at the start of its line
        line += source.count(b"\n", at, match.start(1))
        at = match.start(1)
        found.append(("include", match[1].decode("utf-8", "replace"), line))
    return found


def _in_docs(source: bytes, record: Record) -> list[Found]:
    """References in the doc comments that the outline has."""
    found: list[Found] = []
    lines: list[bytes] = []
    for symbol in record.symbols:
        if "`" not in symbol.doc and "](" not in symbol.doc:
            continue
        named = [(match[0], kind, target) for match in _SPAN.finditer(symbol.doc)
                 for kind, target in backticked(match[2])]  # fmt: skip
        named += [(match[0], *links_markdown.link(match[1])) for match in _LINK.finditer(symbol.doc)]
        if not named:
            continue
        lines = lines or source.split(b"\n")
        # A doc comment stands above its definition or at its head; how far above, only its length tells.
        first = max(1, symbol.start - symbol.doc.count("\n") - 6)
        for text, kind, target in named:
            found.append((kind, target, _line_of(text.encode(), lines, first, symbol.end) or symbol.start))
    return found


def _line_of(text: bytes, lines: list[bytes], first: int, last: int) -> int | None:
    last = min(last, first + 500, len(lines))
    return next((number for number in range(first, last + 1) if text in lines[number - 1]), None)


def _of_header(source: bytes, record: Record) -> list[Found]:
    """What the header of a template says this file depends on, and, as kind ``header``, its newest stamp."""
    header = record.header
    if header is None or header.form != "template":
        return []
    stamps = [entry.timestamp for entry in header.change_history if entry.timestamp]
    found: list[Found] = [("header", max(stamps, default="-"), header.start)]
    named = [one.name for one in header.dependencies if one.kind == "codebase"]
    lines = source.split(b"\n")
    for name in (*named, *header.reference_documentation):
        target = name.strip().strip("`- ")
        if target and " " not in target:
            line = _line_of(target.encode(), lines, header.start, header.end) or header.start
            found.append(("dependency", target, line))
    return found
