"""docs/guarantees.md names tests that exist, and every test of the catalogue is named there."""

import re
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent.parent
PAGE = (PROJECT / "docs" / "guarantees.md").read_text()
ROWS = re.findall(r"^\| ([A-I])(\d+) \| (.*) \|$", PAGE, re.M)
"""Section, number, cells."""

COUNTS = {"A": 18, "B": 10, "C": 7, "D": 11, "E": 5, "F": 3, "G": 10, "H": 10, "I": 7}
"""Rows of each section that is complete."""


def defined(pattern: str, files: str, base: str) -> set[str]:
    """Names of functions in the files below `base`."""
    return {
        name for path in (PROJECT / base).rglob(files) for name in re.findall(pattern, path.read_text(), re.M)
    }


def named() -> set[str]:
    """Every test that a row names as its proof, or the text before the tables."""
    rows = {name for *_, cells in ROWS for name in re.findall(r"`(\w+)`", cells.rsplit(" | ", 1)[-1])}
    return rows | set(re.findall(r"`(test_\w+)`", PAGE))


def test_every_named_test_exists() -> None:
    tests = defined(r"^def (test_\w+)\(", "*.py", "tests")
    core = defined(r"^\s*fn (\w+)\(", "*.rs", "rust")
    assert named() - tests - core == set()


def test_every_test_of_the_catalogue_is_named() -> None:
    tests = defined(r"^def (test_\w+)\(", "*.py", "tests/catalogue")
    own = defined(r"^def (test_\w+)\(", Path(__file__).name, "tests/catalogue")
    assert tests - own - named() == set()


def test_each_row_has_what_goes_wrong_what_is_done_and_a_proof() -> None:
    for section, number, cells in ROWS:
        parts = cells.split(" | ")
        assert len(parts) == 3, f"{section}{number}"
        assert all(part.strip() for part in parts), f"{section}{number}"


@pytest.mark.parametrize("section", COUNTS)
def test_no_row_of_a_section_is_missing(section: str) -> None:
    numbers = [int(number) for letter, number, _ in ROWS if letter == section]
    assert numbers == list(range(1, COUNTS[section] + 1))
