"""Task lists in documents: the fact ``tasks``.

Owns: which documents are read for it, how much of them, and the shape of the fact. Does not own: what is a
task (`task_lists`), percentages over files (`projects.tasks`).

The fact: ``{"done": 1, "total": 2, "items": [{"text", "done", "line", "depth", "headings"}]}``; lines from 1,
`depth` the number of list items around it, `headings` from the outermost to the innermost.
"""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import msgspec

from currant.model import Record

if TYPE_CHECKING:
    from currant.extract.annotators.task_lists import Task

MAX_BYTES: Final = 1 << 18
"""How much of a document is read: a second of the Markdown parser for nothing but tasks."""
MAX_ITEMS: Final = 5_000
"""Tasks of one document that are listed; all of them are counted."""

# Most documents have no task at all; this is all that they cost.
_MAYBE: Final = re.compile(rb"\[[ xX*-]\]|^\*+[ \t]+(?:TODO|DONE)\b", re.MULTILINE)


class TasksAnnotator:
    """Adds the fact ``tasks`` to documents that have any."""

    name = "tasks"
    version = "1"
    languages = frozenset({"markdown", "rst", "asciidoc", "org"})

    def annotate(self, name: str, language: str | None, source: bytes, record: Record) -> Record:
        """`record` with the tasks of `source`; as it is when there are none."""
        if language is None or language not in self.languages or not _MAYBE.search(source):
            return record
        notes = list(record.notes)
        if len(source) > MAX_BYTES:
            source = source[: source.rfind(b"\n", 0, MAX_BYTES) + 1]
            notes.append(f"partial: tasks of the first {MAX_BYTES >> 10} KiB only")
        from currant.extract.annotators.task_lists import MAX_TEXT  # a document in ten has any

        items = list(tasks(language, source))
        if not items:
            return record
        if len(items) > MAX_ITEMS:
            notes.append(f"partial: the first {MAX_ITEMS} of {len(items)} tasks are listed")
        fact = {
            "done": sum(item.done for item in items),
            "total": len(items),
            "items": [
                {**item._asdict(), "text": item.text[:MAX_TEXT], "headings": list(item.headings)}
                for item in items[:MAX_ITEMS]
            ],
        }
        return msgspec.structs.replace(record, notes=notes, facts={**record.facts, self.name: fact})


def tasks(language: str, source: bytes) -> Iterator["Task"]:
    """The tasks of a document in source order. `language` is one of `TasksAnnotator.languages`."""
    from currant.extract.annotators.task_lists import READERS

    text = source.decode("utf-8-sig", "replace").replace("\r\n", "\n").replace("\r", "\n")
    return READERS[language](text)
