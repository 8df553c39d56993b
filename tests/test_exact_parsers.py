"""The setting `extract.exact_parsers`: what it takes, and what is read again when it changes."""

from pathlib import Path
from typing import get_args

import pytest

from conftest import Tree
from currant import _core
from currant.config import ExtractSettings, ParsedLanguage, Settings, load_settings
from currant.errors import ConfigError
from currant.service import Service

SCANNED = "type(x).y = 1\n@property  # noqa\ndef f():\n    'Says f.'\n"


def read_again(root: Path, *exact: ParsedLanguage) -> tuple[int, int]:
    """With this setting: how many files wait to be read again, and how many contents are extracted for it."""
    settings = Settings(extract=ExtractSettings(exact_parsers=exact))
    with Service(root, settings, live=False) as service:
        assert service.sync(60).fresh
        waiting = service.get_status()["upgrade"]["outdated"]
        service.upgrade(100)
        assert service.sync(60).fresh
        assert service.get_status()["upgrade"]["outdated"] == 0
        return waiting, service.status_reporter.get_stats()["extractor_calls"]


def test_it_takes_the_languages_that_have_a_grammar() -> None:
    assert {"all", *_core.parsed_languages()} == set(get_args(ParsedLanguage))
    assert set(_core.scanned_languages()) <= set(_core.parsed_languages())


@pytest.mark.parametrize("language", ["klingon", "c", "Python"])
def test_another_language_is_refused(tmp_path: Path, language: str) -> None:
    with pytest.raises(ConfigError, match="each one of all, csharp"):
        load_settings(tmp_path, flags={"extract.exact_parsers": [language]}, environ={})


def test_a_change_has_the_files_of_that_language_read_again_and_no_other(tree: Tree) -> None:
    tree.write(
        {"a.py": SCANNED, "b.py": "def g(): pass\n", "c.c": "int f(void) { }\n", "d.sh": "f() { :; }\n"}
    )
    assert read_again(tree.root) == (0, 4)
    assert read_again(tree.root, "python") == (2, 2)
    assert read_again(tree.root, "all") == (0, 0), "C and shell have no grammar"
    assert read_again(tree.root) == (2, 0), "what the scanner made is still stored"
