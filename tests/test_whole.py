"""The record that the native core makes in one call against the one made in steps: nothing may differ."""

import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from currant import _core
from currant.extract import default_registry
from currant.extract.annotators.header import HeaderAnnotator
from currant.extract.annotators.links import LinksAnnotator
from currant.extract.base import Registry
from currant.extract.confine import Confined
from currant.extract.outline import OutlineExtractor
from currant.extract.whole import Whole
from currant.model import Packed, Record
from currant.packed import PIECE_SYMBOLS, PIECES, unpacked
from currant.store import records

PROJECT = Path(__file__).resolve().parent.parent
NATIVE = default_registry(8)
OUTLINE, HEADER, LINKS = OutlineExtractor(), HeaderAnnotator(), LinksAnnotator()
IN_STEPS = Registry([OUTLINE], max_file_mb=8, annotators=[HEADER, LINKS])


def made(registry: Registry, name: str, source: bytes) -> Record | Packed:
    return registry.choose(name, source[:8192], len(source)).run(source).made


def compare(name: str, source: bytes) -> bool:
    """Whether it went the quick way; fails when that leads elsewhere."""
    quick = made(NATIVE, name, source)
    if not isinstance(quick, Packed):
        return False
    record = made(IN_STEPS, name, source)
    assert isinstance(record, Record)
    assert unpacked(quick) == record, name
    assert quick.symbols == len(record.symbols)
    for (_, names, words), (_, ours, theirs) in zip(
        records.complete(quick), records.split(record), strict=True
    ):
        assert set(names.split("\n")) == set(ours.split("\n")), name
        assert words == theirs, name
    return True


def sources() -> Iterator[Path]:
    """Real files of as many languages as there are at hand."""
    yield from sorted((PROJECT / "tests" / "golden" / "sources").rglob("*.*"))
    yield from sorted((PROJECT / "rust" / "src").rglob("*.rs"))
    yield from sorted(Path(sysconfig.get_path("stdlib")).glob("[a-m]*.py"))
    yield from sorted(Path(sysconfig.get_path("include")).rglob("*.h"))


def test_real_sources_have_the_same_record_both_ways() -> None:
    quick = sum(compare(path.name, path.read_bytes()) for path in sources() if path.is_file())
    assert quick > 200


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("a.c", "/* Übersicht. */\n\nint größe(void) { return 1; }\n"),  # folded by Python
        ("a.c", "int f(void);\n" * 2),
        ("a.py", "def f():\n    '''See `os.path` and [x](y.md).'''\n" * 600),  # more than one piece
        ("a.yaml", "# What it configures.\n\na: 1\n"),
        ("a.py", ""),
        ("a.sh", "#!/bin/sh\n# Starts it.\n\nf() { :; }\n"),
    ],
)
def test_the_same_for(name: str, source: str) -> None:
    assert compare(name, source.encode())


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("README.md", b"# A\n\nText.\n"),
        ("a.rst", b"A\n=\n"),
        ("package.json", b"{}"),
        ("a.py", b'"""[Source file intent]\nReads.\n"""\n'),
        ("a.c", b"/** [x](a?b&amp;c) */\nint f(void) { return 1; }\n"),
    ],
)
def test_what_is_not_ordinary_is_made_in_steps(name: str, source: bytes) -> None:
    assert isinstance(made(NATIVE, name, source), Record)


def test_a_plug_in_s_language_is_not_taken_from_it() -> None:
    class Ours:
        name = "ours"
        version = "1"
        languages = frozenset({"python"})

        def annotate(self, name: str, language: str | None, source: bytes, record: Record) -> Record:
            return record

    native = Whole(OUTLINE, HEADER, LINKS, Confined(apart=False))
    registry = Registry([OUTLINE], max_file_mb=8, annotators=[HEADER, LINKS, Ours()], native=native)
    assert isinstance(made(registry, "a.py", b"x = 1\n"), Record)
    assert isinstance(made(registry, "a.c", b"int x;\n"), Packed)


def test_each_part_is_counted_once_for_each_source() -> None:
    registry = default_registry(8)
    registry.choose("a.c", b"int x;\n", 7).run(b"int x;\n")
    counts = {use.name: use.calls for use in registry.uses()}
    assert (counts["outline"], counts["header"], counts["links"], counts["tasks"]) == (1, 1, 1, 0)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(["a.c", "a.cpp", "a.py", "a.rs", "a.js", "a.sh", "a.lua", "a.go"]),
    st.lists(
        st.sampled_from(
            [
                *(
                    "/* ",
                    " */",
                    "// ",
                    "# ",
                    '"""',
                    "\n",
                    "\n\n",
                    "\t",
                    " ",
                    "* ",
                    "`a_b`",
                    "``c/d.py``",
                    "```",
                ),
                *(
                    "[x](y.md)",
                    '#include "a.h"',
                    "int f(void) { }",
                    "def f():\n  pass\n",
                    "é",
                    "\r\n",
                    "@file ",
                ),
                *(
                    "Copyright (c) 2020",
                    "SPDX-License-Identifier: MIT",
                    "word word.",
                    "---",
                    "currant: ignore",
                ),
            ]
        ),
        max_size=40,
    ).map("".join),
)
def test_soups_have_the_same_record_both_ways(name: str, source: str) -> None:
    compare(name, source.encode())


def test_the_core_knows_the_limits_of_a_piece() -> None:
    source = b"int f(void) { }\n" * (PIECE_SYMBOLS + 1)
    found = _core.examine("c", source, False, False, PIECE_SYMBOLS, PIECES)
    assert found is not None
    assert len(found[0]) == 2
