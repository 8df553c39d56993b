"""The table of `known.toml`: what a dependency, a tool's settings or a file name stand for."""

import functools
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any, Final

TOOL_KINDS: Final = ("test", "build", "lint")
_MAJOR: Final = re.compile(r"/v\d+$")


@dataclass(frozen=True, slots=True)
class Known:
    """What something is called, and its kind: one of `TOOL_KINDS`, or what a framework is for."""

    title: str
    kind: str


class _Table:
    """Names, and beginnings of names; the longest beginning wins."""

    def __init__(self, entries: Mapping[str, list[str]]) -> None:
        self._whole = {name: Known(*value) for name, value in entries.items() if not name.endswith("*")}
        begins = [(name[:-1], Known(*value)) for name, value in entries.items() if name.endswith("*")]
        self._begins = sorted(begins, key=lambda one: -len(one[0]))

    def get(self, name: str) -> Known | None:
        found = self._whole.get(name)
        if found is None:
            found = next((known for begin, known in self._begins if name.startswith(begin)), None)
        return found


@functools.cache
def _tables() -> dict[str, _Table]:
    text = resources.files("currant.projects").joinpath("known.toml").read_text(encoding="utf-8")
    said: dict[str, Any] = tomllib.loads(text)
    tables = {name: _Table(entries) for name, entries in said["dependencies"].items()}
    return {**tables, "tools": _Table(said["tools"]), "files": _Table(said["files"])}


def of_dependency(ecosystem: str, name: str) -> Known | None:
    """What this package is, None when the table does not know it."""
    table = _tables().get(ecosystem)
    if table is None:
        return None
    return table.get(_MAJOR.sub("", name) if ecosystem == "golang" else name)


def of_tool(name: str) -> Known | None:
    """What has its settings under this name in a manifest."""
    return _tables()["tools"].get(name)


def of_file(name: str) -> Known | None:
    """What a file of this name belongs to."""
    return _tables()["files"].get(name.lower())
