"""The definitions of real files in every language that has an outline; tests/golden has their origins.

`make golden` writes the expected ones anew. The difference is there to be read: line by line it says what a
change of an outliner, or of a grammar, means for those who ask the index.
"""

import os
from pathlib import Path

import pytest

from currant.extract.base import Registry
from currant.extract.outline import OutlineExtractor
from currant.model import Record

GOLDEN = Path(__file__).parent / "golden"
SOURCES = sorted((GOLDEN / "sources").iterdir())


def record(path: Path) -> Record:
    source = path.read_bytes()
    choice = Registry([OutlineExtractor()], max_file_mb=1).choose(path.name, source[:8192], len(source))
    return choice.run(source).record


def readable(found: Record) -> str:
    """A line for what the file is, then one for each definition, indented as it is nested, with the first
    line of its documentation."""
    lines = [" ".join([found.language or "-", *found.notes])]
    for one in found.symbols:
        indent = "  " * (0 if one.parent is None else one.parent.count(".") + 1)
        parent = "" if one.parent is None else f"{one.parent}."
        lines.append(f"{indent}{one.start}-{one.end} {one.kind} {parent}{one.name} | {one.signature}")
        if one.doc:
            lines.append(f"{indent}    {one.doc.splitlines()[0]}")
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_the_definitions_of_a_real_file_are_those_that_were_reviewed(path: Path) -> None:
    expected = GOLDEN / "expected" / f"{path.name}.txt"
    actual = readable(record(path))
    if os.environ.get("REWRITE_GOLDEN"):
        expected.write_text(actual, encoding="utf-8")
    assert actual == expected.read_text(encoding="utf-8")


def test_every_language_that_has_an_outline_has_golden_files_and_none_is_left_over() -> None:
    assert {record(path).language for path in SOURCES} == OutlineExtractor().languages
    assert len(SOURCES) >= 40
    names = {path.name for path in SOURCES}
    assert {path.name.removesuffix(".txt") for path in (GOLDEN / "expected").iterdir()} == names


def test_every_golden_file_says_where_it_is_from_and_under_which_licence() -> None:
    table = (GOLDEN / "README.md").read_text(encoding="utf-8")
    rows = [line.split(" | ") for line in table.splitlines() if line.startswith("| ")][1:]
    assert sorted(row[0].removeprefix("| ") for row in rows) == [path.name for path in SOURCES]
    texts = {path.stem for path in (GOLDEN / "licenses").iterdir()}
    assert {row[1] for row in rows} - texts == {"written for this test"}
