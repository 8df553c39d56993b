"""The documents name what exists, and what exists is named in the documents."""

import os
import pwd
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from currant.cli import cli

PROJECT = Path(__file__).resolve().parent.parent

# Files in the root without a suffix, which a pattern for paths would not know.
BARE = {"Makefile", "LICENSE"}


def text(name: str) -> str:
    return (PROJECT / name).read_text()


def commands() -> list[str]:
    """Names of the commands of `currant`."""
    return sorted(cli.list_commands(click.Context(cli)))


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):.*##", text("Makefile"), re.M))


def code(markdown: str) -> list[str]:
    """What stands in backticks or in a code block."""
    blocks = re.findall(r"^```[^\n]*\n(.*?)^```", markdown, re.M | re.S)
    spans = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", markdown, flags=re.M | re.S))
    return [*spans, *(line.strip() for block in blocks for line in block.splitlines())]


def test_the_readme_names_every_command() -> None:
    named = set(re.findall(r"\bcurrant ([a-z]+)", "\n".join(code(text("README.md")))))
    assert [command for command in commands() if command not in named] == []


def test_no_document_names_a_command_that_does_not_exist() -> None:
    for name in ("README.md", "CONTRIBUTING.md"):
        lines = [part for part in code(text(name)) if part.startswith("currant ")]
        named = {word for part in lines for word in re.findall(r"^currant ([a-z]+)", part)}
        assert named - set(commands()) == set(), name


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md"])
def test_make_targets_exist(document: str) -> None:
    named = {word for part in code(text(document)) for word in re.findall(r"\bmake ([a-z-]+)", part)}
    assert named - make_targets() == set()


def test_paths_in_contributing_exist() -> None:
    looks_like_a_path = re.compile(r"[\w.-]+(/[\w.-]+)*/?\.?(rs|py|pyi|toml|md|case)?")
    missing = []
    for part in re.findall(r"`([^`\n]+)`", text("CONTRIBUTING.md")):
        is_path = "/" in part or part.endswith((".md", ".toml", ".rs", ".py", ".pyi")) or part in BARE
        if is_path and looks_like_a_path.fullmatch(part) and not (PROJECT / part).exists():
            missing.append(part)
    assert missing == []


def test_links_between_documents_lead_somewhere() -> None:
    broken = []
    for document in [*PROJECT.glob("*.md"), *PROJECT.glob("docs/**/*.md")]:
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", document.read_text()):
            if "://" not in target and not (document.parent / target).exists():
                broken.append(f"{document.relative_to(PROJECT)}: {target}")
    assert broken == []


def _leaves(entry: Any) -> Iterator[str]:
    for value in entry.values() if isinstance(entry, dict) else entry if isinstance(entry, list) else ():
        yield from [value] if isinstance(value, str) else _leaves(value)


def test_every_page_is_in_the_navigation() -> None:
    """Once; `make site` would fail too, but takes longer to say it."""
    listed = sorted(_leaves(yaml.safe_load((PROJECT / "mkdocs.yml").read_text())["nav"]))
    assert listed == sorted(page.name for page in (PROJECT / "docs").glob("*.md"))


def test_no_file_names_a_registry_or_a_home() -> None:
    """Addresses and paths of the machine that made a file have no place in it."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=PROJECT, capture_output=True, check=False)
    if listed.returncode != 0:  # an unpacked source distribution
        return
    # The home of the one who runs this (not $HOME, which is a test's own), and where the checkout is.
    here = [pwd.getpwuid(os.getuid()).pw_dir, str(PROJECT)]
    places = [f"{place}/" for place in here if place.count("/") > 1 or place == "/root"]
    pattern = re.compile("|".join([*map(re.escape, places), "index-url"]).encode())
    found = []
    for name in listed.stdout.split(b"\0"):
        path = PROJECT / name.decode(errors="surrogateescape")
        # This file holds the pattern itself.
        if name and path.is_file() and path != Path(__file__).resolve() and pattern.search(path.read_bytes()):
            found.append(name.decode(errors="replace"))
    assert found == []
