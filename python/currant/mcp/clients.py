"""The clients whose configuration is known: where they keep it, and in which form. Owns that knowledge alone.

Only clients are here whose format could be verified, with their own documentation or with several who use it.
"""

import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from currant.errors import UsageError
from currant.mcp import configuration as written

_BASE: Final = "currant"


@dataclass(frozen=True, slots=True)
class Client:
    """One client. `project`: its file belongs to one root, so the entry has the plain name; else all roots
    share the file, and each has a name of its own. `signs`: what is there when somebody uses it."""

    name: str
    title: str
    project: bool
    file: Callable[[Path, Path], Path]
    """(root, home) -> the file."""
    signs: Callable[[Path, Path], tuple[Path, ...]]
    section: str = "mcpServers"
    toml: bool = False
    typed: bool = False
    """Whether an entry says that it is about standard input and output."""
    portable: tuple[str, ...] | None = None
    """Arguments that mean the root on every machine; None when the client has no such thing."""

    def add(self, text: str, name: str, entry: Mapping[str, Any]) -> str:
        """The configuration with the entry. Raises `configuration.Unreadable`."""
        change = written.toml_with if self.toml else written.json_with
        return change(text, self.section, name, entry)

    def remove(self, text: str, name: str) -> str:
        """The configuration without the entry. Raises `configuration.Unreadable`."""
        change = written.toml_without if self.toml else written.json_without
        return change(text, self.section, name)

    def entries(self, text: str) -> dict[str, Any]:
        """The entries there are. Raises `configuration.Unreadable`."""
        read = written.read_toml(text) if self.toml else written.read_json(text)
        found = read.get(self.section, {})
        return found if isinstance(found, dict) else {}

    def snippet(self, name: str, entry: Mapping[str, Any]) -> str:
        """What to write by hand."""
        return self.add("", name, entry)


def _desktop(home: Path) -> Path:
    if sys.platform == "darwin":
        return home / "Library" / "Application Support" / "Claude"
    return Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config") / "Claude"


def _codex(home: Path) -> Path:
    return Path(os.environ.get("CODEX_HOME") or home / ".codex")


CLIENTS: Final[Mapping[str, Client]] = {
    client.name: client
    for client in (
        Client(
            "claude-code", "Claude Code", True,
            lambda root, _home: root / ".mcp.json",
            lambda root, home: (root / ".mcp.json", root / ".claude", home / ".claude"),
            portable=(),
        ),
        Client(
            "claude-desktop", "Claude Desktop", False,
            lambda _root, home: _desktop(home) / "claude_desktop_config.json",
            lambda _root, home: (_desktop(home),),
        ),
        Client(
            "cursor", "Cursor", True,
            lambda root, _home: root / ".cursor" / "mcp.json",
            lambda root, home: (root / ".cursor", home / ".cursor"),
        ),
        Client(
            "vscode", "VS Code", True,
            lambda root, _home: root / ".vscode" / "mcp.json",
            lambda root, home: (root / ".vscode", home / ".vscode", home / ".vscode-server"),
            section="servers", typed=True, portable=("--root", "${workspaceFolder}"),
        ),
        Client(
            "codex", "Codex", False,
            lambda _root, home: _codex(home) / "config.toml",
            lambda _root, home: (_codex(home),),
            section="mcp_servers", toml=True,
        ),
        Client(
            "windsurf", "Windsurf", False,
            lambda _root, home: home / ".codeium" / "windsurf" / "mcp_config.json",
            lambda _root, home: (home / ".codeium" / "windsurf",),
        ),
    )
}  # fmt: skip


def found(root: Path, home: Path) -> list[Client]:
    """The clients that somebody seems to use here."""
    return [one for one in CLIENTS.values() if any(os.path.lexists(sign) for sign in one.signs(root, home))]


def entry(
    client: Client,
    root: Path,
    command: Sequence[str],
    *,
    options: Sequence[str] = (),
    portable: bool = False,
) -> dict[str, Any]:
    """What the client is to start for `root`. `command` is how Currant is called on this machine, `options`
    are more of its own; `portable` leaves out the paths of this machine. Raises UsageError."""
    if portable:
        if client.portable is None:
            raise UsageError(f"--portable: the configuration of {client.title} needs the path of the root")
        words = [_BASE, "mcp", *client.portable, *options]
    else:
        words = [*command, "mcp", "--root", os.fspath(root), *options]
    told = {"command": words[0], "args": words[1:]}
    return {"type": "stdio", **told} if client.typed else told


def name_for(client: Client, entries: Mapping[str, Any], root: Path) -> str:
    """The name of the entry for `root`: the one it has, else a new one that no other root has."""
    if client.project:
        return _BASE
    for name, there in entries.items():
        if name.startswith(_BASE) and _root_of(there) == os.fspath(root):
            return name
    plain = re.sub(r"[^a-z0-9]+", "-", root.name.lower()).strip("-")
    base = f"{_BASE}-{plain}" if plain else _BASE
    names = [base, *(f"{base}-{number}" for number in range(2, len(entries) + 3))]
    return next(name for name in names if name not in entries)


def _root_of(there: Any) -> str | None:
    """The root that an entry names, if we wrote it."""
    arguments = there.get("args") if isinstance(there, dict) else None
    if not isinstance(arguments, list) or "mcp" not in arguments or "--root" not in arguments[:-1]:
        return None
    where = arguments[arguments.index("--root") + 1]
    return where if isinstance(where, str) else None
