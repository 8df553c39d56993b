"""Names are asked about once for each policy: a start that can find nothing new does not look."""

from pathlib import Path

import pytest

from currant import parts
from currant.config import ExtractSettings, Settings
from currant.extract import Registry
from currant.service import Service


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names that a start asks about."""
    names: list[str] = []
    hide, lacks = Registry.to_hide, Registry.lacks_role
    monkeypatch.setattr(Registry, "to_hide", lambda self, path: names.append(path) or hide(self, path))
    monkeypatch.setattr(
        Registry, "lacks_role", lambda self, path, one: names.append(path) or lacks(self, path, one)
    )
    return names


def start(root: Path, patterns: tuple[str, ...] = ()) -> dict[str, str | None]:
    """One start and stop; what is held of each file."""
    settings = Settings(extract=ExtractSettings(secret_patterns=patterns))
    with Service(root, settings, live=False) as service:
        assert service.sync(60).fresh
        held = {}
        for name in ("plain.py", "private.py"):
            view = service.show(name)
            assert view is not None
            held[name] = view.extractor
        return held


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("plain.py", "private.py"):
        (tmp_path / name).write_text(f"def {name[:5]}():\n    pass\n")
    return tmp_path


def test_the_second_start_asks_about_no_name(tree: Path, asked: list[str]) -> None:
    start(tree)
    asked.clear()
    start(tree)
    assert asked == []


def test_another_policy_asks_about_all_and_hides_what_it_calls_a_secret(tree: Path, asked: list[str]) -> None:
    start(tree)
    asked.clear()
    held = start(tree, ("private*",))
    assert {"plain.py", "private.py"} <= set(asked)
    assert "secret/" in str(held["private.py"])
    assert "outline/" in str(held["plain.py"])


def test_what_was_not_right_at_the_start_is_looked_at_by_the_next_one(tree: Path, asked: list[str]) -> None:
    start(tree)
    start(tree, ("private*",))  # finds one to be read again, and may die before that
    asked.clear()
    start(tree, ("private*",))
    assert asked != []
    asked.clear()
    start(tree, ("private*",))
    assert asked == []


def test_back_to_the_old_policy_reads_what_was_hidden(tree: Path) -> None:
    before = start(tree)
    start(tree, ("private*",))
    start(tree, ("private*",))
    assert start(tree) == before


def test_the_policy_is_another_when_any_list_of_names_is() -> None:
    plain = parts.registry(ExtractSettings())
    other = parts.registry(ExtractSettings(secret_patterns=("*.x",)))
    shown = parts.registry(ExtractSettings(secrets="extract"))
    policies = [registry.names_policy for registry in (plain, other, shown)]
    assert len(set(policies)) == 3
    assert parts.registry(ExtractSettings()).names_policy == policies[0]
    for registry in (plain, other, shown):
        registry.close()
