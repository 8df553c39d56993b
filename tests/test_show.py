"""The full record of a file, as `currant show` and `Index.record` give it."""

import json
from pathlib import Path

import msgspec
import pytest

import currant
from currant.cli import run
from currant.record import Document, document
from test_record import SOURCE


@pytest.fixture
def bank(tmp_path: Path) -> Path:
    """A small indexed tree."""
    (tmp_path / "bank.py").write_text(SOURCE)
    (tmp_path / "plain.txt").write_text("text\n")
    (tmp_path / "blob").write_bytes(b"\0\1")
    assert run(["index", str(tmp_path)]) == 0
    return tmp_path


def test_show_prints_the_header_and_what_each_definition_is_for(
    bank: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert run(["show", "bank.py", "--root", str(bank)]) == 0
    told = capsys.readouterr().out.split("intent:\n", 1)[1].splitlines()
    assert told == [
        "  Keeps accounts.",
        "design principles:",
        "  One writer",
        "constraints:",
        "  No I/O",
        "dependencies:",
        "  codebase: doc/BOOKS.md",
        "  codebase: src/money.py",
        "  system: decimal",
        "change history:",
        "  2025-05-02T08:00:00Z Made by hand * at once",
        "       21-39  class  Account  Holds money.",
        "       29-39  method  Account.pay  Pays in.",
        "       41-42  function  total  Sums up.",
    ]


def test_show_as_json_and_the_api_give_the_same_published_record(
    bank: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert run(["show", "bank.py", "--root", str(bank), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)["file"]
    with currant.open(bank, live=False, sync_ms=60_000) as index:
        record = index.record("bank.py")
        view = index.show("bank.py")
        assert index.record("absent") is None
        empty = index.record("blob")
    assert isinstance(record, Document)
    assert view is not None
    assert view.record is not None
    assert shown["document"] == msgspec.to_builtins(record) == document("bank.py", view.record)
    assert record.classes[0].methods[0].parameters == ["amount", "into"]
    assert record.header_sections.intent == "Keeps accounts."
    assert empty is not None
    assert (empty.header_sections.form, empty.notes) == (None, ["binary"])


def test_titles_of_a_project_take_effect_when_they_are_set(bank: Path) -> None:
    (bank / "own.py").write_text("# [Purpose]\n# Mine.\n# [Source file intent]\n# Theirs.\n")
    with currant.open(bank, live=False, sync_ms=60_000) as index:
        index.sync(60)
        found = index.record("own.py")
        assert found is not None
        assert found.header_sections.intent == "Theirs."
    titles = '[extract.header_template]\n"Purpose" = "intent"\n"Source file intent" = "ignore"\n'
    (bank / "currant.toml").write_text(titles)
    with currant.open(bank, live=True, sync_ms=60_000) as index:
        index.sync(60)
        found = index.record("own.py")
        assert found is not None
        assert found.header_sections.intent == "Mine."


def test_a_template_with_an_unknown_field_is_refused_by_name(
    bank: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (bank / "currant.toml").write_text('[extract.header_template]\n"Purpose" = "purpose"\n')
    assert run(["status", "--root", str(bank)]) == 2
    told = capsys.readouterr().err
    assert "extract.header_template" in told
    assert "design_principles" in told
