"""Which extractor answers, under which identity, and what happens to a bad answer."""

import json
from typing import Any

import pytest

from currant.extract import ExtractionError, OutlineExtractor, Registry, default_registry
from currant.model import Record, Symbol

MIB = 1 << 20
GOOD = {"name": "f", "kind": "function", "parent": None, "start": 1, "end": 2, "signature": "f()", "doc": ""}


def answer_of(*symbols: object, partial: object = None) -> bytes:
    return json.dumps({"partial": partial, "symbols": symbols}).encode()


def extractor(*symbols: dict[str, Any], raw: bytes | None = None) -> OutlineExtractor:
    answer = answer_of(*symbols) if raw is None else raw
    return OutlineExtractor(lambda language, source: answer, [("python", "7")])


def registry(max_file_mb: int = 1, *extractors: OutlineExtractor) -> Registry:
    return Registry(extractors or [extractor(GOOD)], max_file_mb=max_file_mb)


def test_an_outlined_language_gets_its_symbols_under_the_versions_of_both() -> None:
    choice = registry().choose("a/x.py", b"def f():\n", 20)
    assert (choice.language, choice.identity) == ("python", "outline/2:python-7")
    assert choice.run(b"def f():\n  pass\n").record == Record("python", [Symbol(**GOOD)], [])


def test_a_language_without_outliner_gets_a_record_without_symbols() -> None:
    choice = registry().choose("x.toml", b"a = 1\n", 6)
    assert (choice.language, choice.identity) == ("toml", "plain/2:1")
    assert choice.run(b"a = 1\n").record == Record("toml", [], [])
    assert registry().choose("x.unheard-of", b"?", 1).run(b"?").record == Record(None, [], [])


def test_binary_is_noted_and_never_outlined() -> None:
    choice = registry().choose("x.py", b"\x7fELF\0", 5)
    assert choice.language is None
    assert choice.run(b"").record == Record(None, [], ["binary"])


def test_a_file_above_the_limit_is_noted_and_the_limit_is_part_of_the_identity() -> None:
    """Raise the limit, and the key under which the note is stored is no longer asked for."""
    choice = registry(8).choose("x.py", b"def f():\n", 14 * MIB)
    assert choice.identity == "large/1:8"
    assert choice.run(b"").record == Record("python", [], ["skipped: 14.0 MB > extract.max_file_mb 8"])
    assert registry(16).choose("x.py", b"def f():\n", 14 * MIB).identity == "outline/2:python-7"
    assert registry(8).choose("x.py", b"", 8 * MIB).identity == "outline/2:python-7"


def test_the_identities_in_use_are_those_that_choices_have() -> None:
    made = registry(8)
    used = {
        made.choose(name, head, size).identity
        for name in ("x.py", "x.toml", "x", "x.pem")
        for head in (b"", b"\0")
        for size in (1, 100 * MIB, 2000 * MIB)
    }
    assert used == made.identities()


def test_a_later_extractor_takes_a_language_over() -> None:
    class Other(OutlineExtractor):
        name = "other"

    made = Registry(
        [extractor(), Other(lambda language, source: answer_of(), [("python", "1")])], max_file_mb=1
    )
    assert made.choose("x.py", b"", 1).identity == "other/2:python-1"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{}",
        b"[{}]",
        b'{"partial": null, "symbols": [{"name": "\xff"}]}',
        answer_of(1),
        answer_of({**GOOD, "start": "1"}),
        answer_of({**GOOD, "start": 0}),
        answer_of({**GOOD, "start": 2, "end": 1}),
        answer_of({**GOOD, "end": 4}),
        answer_of({**GOOD, "name": None}),
        answer_of(GOOD, partial=1),
    ],
)
def test_an_invalid_record_is_refused(raw: bytes) -> None:
    with pytest.raises(ExtractionError, match="invalid record"):
        extractor(raw=raw).extract("x.py", "python", b"1\n2\n")


def test_a_part_of_an_outline_is_kept_with_the_reason() -> None:
    made = extractor(raw=answer_of(GOOD, partial="only the first 1 definitions are kept"))
    record = made.extract("x.py", "python", b"1\n2\n").record
    assert [symbol.name for symbol in record.symbols] == ["f"]
    assert record.notes == ["partial: only the first 1 definitions are kept"]


def test_a_refusal_of_the_core_is_an_extraction_error_and_an_interrupt_is_not() -> None:
    def broken(error: BaseException) -> OutlineExtractor:
        def outline(language: str, source: bytes) -> bytes:
            raise error

        return OutlineExtractor(outline, [("python", "1")])

    panic = type("PanicException", (BaseException,), {})
    for error in (ValueError("too deep"), MemoryError(), panic("index out of bounds")):
        with pytest.raises(ExtractionError, match="outline of python failed"):
            broken(error).extract("x.py", "python", b"")
    with pytest.raises(KeyboardInterrupt):
        broken(KeyboardInterrupt()).extract("x.py", "python", b"")


def test_an_identity_of_another_language_is_not_current() -> None:
    made = default_registry(1)
    current, plain = (made.choose(name, b"", 1).identity for name in ("x.md", "x.unknown"))
    assert plain in made.identities()
    assert made.is_current("markdown", current)
    assert made.is_current("", plain)
    assert made.is_current("text", made.choose("x.txt", b"", 1).identity)
    assert not made.is_current("markdown", plain)
    assert not made.is_current("python", current)
    assert not made.is_current("markdown", "gone/1:1")
    for name, size in (("x.md", 2 << 20), ("x.md", 2 << 30), ("x.pem", 1), ("package.json", 1), ("x.py", 1)):
        choice = made.choose(name, b"", size)
        assert made.is_current(choice.language or "", choice.identity)
    shown = default_registry(1, secrets="extract")
    for name in (".env", "x.pem", "id_rsa", "secrets.json"):
        choice = shown.choose(name, b"", 1)
        assert shown.is_current(choice.language or "", choice.identity)
