"""The annotator `links`: what a content names, with lines.

Owns: which language is read how, the bounds, the comment that silences. Markdown and HTML are in
`links_markdown`, reStructuredText in `links_rst`, doc comments and includes in the native core
(`rust/src/record/links.rs`). Nothing is resolved here: that depends on where the content lies, and a result
knows no path.
"""

import re
from typing import Final

import msgspec

from currant import _core
from currant.extract.annotators.tokens import Found
from currant.model import Record, Reference

MAX_REFERENCES: Final = 5_000
MAX_TARGET: Final = 1_000  # characters

_CODE: Final = frozenset(
    (
        *("c", "cpp", "csharp", "go", "java", "javascript", "kotlin", "php", "python", "ruby", "rust"),
        *("shell", "swift", "tsx", "typescript"),
    )
)
_READ_HERE: Final = frozenset({"markdown", "rst", "html"})
_SILENT: Final = re.compile(rb"currant:[ \t]*ignore(-file)?\b")


class LinksAnnotator:
    """Adds `Record.references`, in the order of their lines."""

    name = "links"
    version = "2"
    languages: frozenset[str] | None = _CODE | _READ_HERE

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
    if language in _READ_HERE:
        found = _of_document(language, source.decode("utf-8", "replace"))
    elif language in _CODE:
        found = _of_code(language or "", source, record)
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


def _of_document(language: str, text: str) -> list[Found]:
    # Their expressions take as long to compile as a short command may take.
    from currant.extract.annotators import links_markdown, links_rst

    if language == "markdown":
        return links_markdown.find(text)
    return links_markdown.find_html(text) if language == "html" else links_rst.find(text)


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


def _of_code(language: str, source: bytes, record: Record) -> list[Found]:
    """Files that a source includes, and what its doc comments mention."""
    docs = [(one.doc, one.start, one.end) for one in record.symbols if "`" in one.doc or "](" in one.doc]
    found: list[Found] = []
    for kind, target, line, _quiet in _core.code_references(language, source, docs):
        if kind in ("link", "url"):
            from currant.extract.annotators import links_markdown

            kind, target = links_markdown.link(target)
        found.append((kind, target, line))
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
