"""Annotators: what they add, under which identity, and that a broken one costs its own addition alone."""

from typing import Any, cast

import msgspec
import pytest

from currant.extract import Annotator, OutlineExtractor, Registry
from currant.model import Record, Symbol
from currant.store import records
from test_extract import GOOD, answer_of


class Lines:
    """How many lines a text has."""

    version = "1"

    def __init__(self, name: str = "lines", languages: frozenset[str] | None = None) -> None:
        self.name = name
        self.languages = languages

    def annotate(self, name: str, language: str | None, source: bytes, record: Record) -> Record:
        return msgspec.structs.replace(record, facts={**record.facts, self.name: source.count(b"\n")})


class Broken(Lines):
    def annotate(self, name: str, language: str | None, source: bytes, record: Record) -> Record:
        raise ValueError("no " + "x" * 1000)


class Rubbish(Lines):
    def annotate(self, name: str, language: str | None, source: bytes, record: Record) -> Record:
        return cast(Any, {"facts": 1})


def registry(*annotators: Annotator) -> Registry:
    outline = OutlineExtractor(lambda language, source: answer_of(GOOD), [("python", "7")])
    return Registry([outline], max_file_mb=1, annotators=annotators)


def test_annotators_add_to_the_outline_in_their_order_and_are_part_of_the_identity() -> None:
    choice = registry(Lines(), Lines("more", frozenset({"python"}))).choose("x.py", b"", 1)
    assert choice.identity == "outline/2:python-7+lines/1+more/1"
    made = choice.run(b"a\nb\n")
    assert made.record == Record("python", [Symbol(**GOOD)], [], {"lines": 2, "more": 2})


def test_an_annotator_of_one_language_is_no_part_of_another_ones_identity() -> None:
    made = registry(Lines("docs", frozenset({"markdown"})), Lines())
    assert made.choose("x.py", b"", 1).identity == "outline/2:python-7+lines/1"
    assert made.choose("x.md", b"", 1).identity == "plain/2:1+docs/1+lines/1"
    assert made.choose("x.toml", b"", 1).identity == "plain/2:1+lines/1"
    assert made.choose("README", b"", 1).run(b"1\n2\n").record.facts == {"lines": 2}


def test_annotators_see_no_binary_no_large_file_and_no_secret() -> None:
    made = registry(Lines())
    for name, head, size in (("x.py", b"\0", 1), ("x.py", b"", 2 << 20), ("x.pem", b"", 1)):
        choice = made.choose(name, head, size)
        assert "lines" not in choice.identity
        assert choice.run(head).record.facts == {}


def test_the_identities_in_use_are_those_that_choices_with_annotators_have() -> None:
    made = registry(Lines("docs", frozenset({"markdown", "python"})), Lines())
    used = {
        made.choose(name, head, size).identity
        for name in ("x.py", "x.md", "x.toml", "x", "x.pem")
        for head in (b"", b"\0")
        for size in (1, 100 << 20, 2000 << 20)
    }
    assert used == made.identities()


@pytest.mark.parametrize(("bad", "note"), [(Broken, "ValueError: no xx"), (Rubbish, "TypeError: gave dict")])
def test_a_broken_annotator_costs_its_own_addition_and_leaves_a_note(bad: type[Lines], note: str) -> None:
    record = registry(bad("bad"), Lines()).choose("x.py", b"", 1).run(b"a\nb\n").record
    assert record.facts == {"lines": 2}
    assert [symbol.name for symbol in record.symbols] == ["f"]
    (said,) = record.notes
    assert said.startswith("bad failed: " + note)
    assert len(said) <= 200


def test_a_record_stored_before_there_were_facts_can_be_read() -> None:
    import zlib

    old = zlib.compress(b'{"language":"c","symbols":[],"notes":["n"]}')
    assert records.decode(old)[0] == Record("c", [], ["n"])


def test_a_record_in_pieces_keeps_its_facts() -> None:
    symbols = [Symbol(f"f{line}", "function", None, line, line, "", "") for line in range(1, 1000)]
    record = Record("c", symbols, ["n"], {"lines": 999})
    pieces = records.split(record)
    assert len(pieces) > 1
    decoded = [records.decode(stored)[0] for stored, *_ in pieces]
    assert records.join(decoded) == record
    assert [piece.facts for piece in decoded[1:]] == [{}] * (len(pieces) - 1)
