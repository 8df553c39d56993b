"""The generated pages of docs/ are current, and whatever a user can name is named in docs/."""

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families

from conftest import Tree
from currant import config
from currant.mcp.catalogue import TOOLS
from rest_kit import serving
from tools.references import PAGES, commands, meanings, routes, settings

PROJECT = Path(__file__).resolve().parent.parent
DOCS = PROJECT / "docs"


@pytest.fixture(scope="module")
def pages() -> str:
    """All of docs/, the generated pages too."""
    return "\n".join(page.read_text() for page in sorted(DOCS.glob("*.md")))


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_page_is_current(name: str) -> None:
    assert (DOCS / name).read_text() == PAGES[name](), "run `make references`"


def test_every_setting_has_a_meaning_and_none_else() -> None:
    assert set(meanings.MEANINGS) == set(config._FIELDS)
    assert set(meanings.SECTIONS) == {key.rpartition(".")[0] for key in config._FIELDS}


def test_the_named_variable_sets_the_setting(tmp_path: Path) -> None:
    for key, (_, _, default) in config._FIELDS.items():
        if default is None or default is msgspec.NODEFAULT or isinstance(default, tuple):
            continue
        written = str(default).lower() if isinstance(default, bool) else str(default)
        config.load_settings(tmp_path, environ={settings.variable(key): written})  # no ConfigError


def test_what_is_marked_as_yours_is_refused_in_a_file_of_the_tree(tmp_path: Path) -> None:
    """The mark says what `config` does: each is tried in a tree's file, with a value that would be valid."""
    for key in config._FIELDS:
        value = _valid(key)
        section, _, name = key.rpartition(".")
        head = f"[{section}]\n" if section else ""
        (tmp_path / "currant.toml").write_text(f"{head}{name} = {value}\n")
        try:
            config.load_settings(tmp_path, environ={})
            refused = ""
        except config.ConfigError as error:
            refused = str(error)
        assert bool(refused) == settings.yours(key), (key, refused)


def _valid(key: str) -> str:
    special = {
        "state_dir": '".state"',
        "extract.secrets": '"extract"',
        "extract.options": "{ plug = { x = 1 } }",
        "llm.provider": '"openai"',
        "scheduler.max_delay_seconds": "300",
        "monitor.debounce_ms": "50",
    }
    if key in special:
        return special[key]
    kind, _, default = config._FIELDS[key]
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, tuple):
        return "[]"
    if isinstance(default, int | float):
        return str(default)
    if default is msgspec.NODEFAULT:
        return "{}"
    if isinstance(default, str):
        return f'"{default}"'
    kinds = kind.types if isinstance(kind, msgspec.inspect.UnionType) else (kind,)
    number = next((one for one in kinds if isinstance(one, msgspec.inspect.IntType)), None)
    if number is not None:
        return str(number.ge)
    return "1.5" if any(isinstance(one, msgspec.inspect.FloatType) for one in kinds) else '"/x"'


def test_every_command_is_named(pages: str) -> None:
    by_hand = "\n".join(
        page.read_text() for page in (*DOCS.glob("*.md"), PROJECT / "README.md") if page.name not in PAGES
    )
    missing = [name for name, _ in commands.commands() if not _named(name, by_hand)]
    assert missing == [], "in no page that somebody wrote"


def _named(command: str, text: str) -> bool:
    """By its whole name, or, for `currant jobs show`, by its last word in a table about its group."""
    words = command.split()
    return command in text or (
        len(words) == 3 and f"{words[0]} {words[1]}" in text and f"`{words[2]}`" in text
    )


def test_every_setting_route_and_tool_is_named(pages: str) -> None:
    described: dict[str, Any] = routes.described()["paths"]
    names = [
        *config._FIELDS,
        *TOOLS,
        *(f"{method.upper()} {path}" for path, methods in described.items() for method in methods),
    ]
    assert [name for name in names if name not in pages] == []


def test_every_metric_is_named(pages: str, tmp_path: Path, tree: Tree) -> None:
    tree.write({"a.py": "x = 1\n"})
    with serving(tmp_path / "home") as service:
        service.add(tree.root)
        text = service.client.get("/metrics").text
    assert [family.name for family in text_string_to_metric_families(text) if family.name not in pages] == []


def test_anchors_in_links_are_there() -> None:
    broken = []
    for document in [*DOCS.glob("*.md"), PROJECT / "README.md"]:
        for target, anchor in re.findall(r"\]\(([^)#\s:]*)#([^)\s]+)\)", document.read_text()):
            page = document.parent / target if target else document
            headings = re.findall(r"^#+ (.*)$", page.read_text(), re.M)
            if anchor not in {
                re.sub(r"[^\w -]", "", one.lower()).strip().replace(" ", "-") for one in headings
            }:
                broken.append(f"{document.name}: {target}#{anchor}")
    assert broken == []
