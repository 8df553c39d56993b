"""Which root a command is about, and the options that every command has."""

import functools
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from currant.errors import RootRefusedError, UsageError

STATE_DIR_NAME: Final = ".currant"
_F = TypeVar("_F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Place:
    """The root, and the settings given as flags (``section.key`` -> value)."""

    root: Path
    flags: dict[str, Any] = field(default_factory=dict)

    @property
    def quick_state_dir(self) -> Path:
        """The state directory by flag, environment or default. A configuration file may name another one;
        reading it is left to whoever has to own the index."""
        told = self.flags.get("state_dir") or os.environ.get("CURRANT_STATE_DIR") or STATE_DIR_NAME
        return self.root / str(told)

    def relative(self, file: str) -> str:
        """A file as typed, relative to the root: counted from the current directory when that is in the root
        (and the file is there), else from the root. Raises UsageError for a path outside of the root."""
        here = os.getcwd()
        # Only the directory is resolved: a link that lies in the root is a name of its own.
        folder, name = os.path.split(os.path.normpath(os.path.join(here, file)))
        typed = os.path.join(os.path.realpath(folder), name)
        inside = _below(self.root, typed)
        at_root = _below(self.root, os.path.normpath(os.path.join(self.root, file)))
        if inside is not None and (at_root is None or os.path.lexists(typed)):
            return inside
        if at_root is not None and (inside is None or os.path.lexists(self.root / at_root)):
            return at_root
        if inside is not None:
            return inside
        raise UsageError(f"{file} is not below {self.root}")


def _below(root: Path, path: str) -> str | None:
    base = os.fspath(root)
    if path == base:
        return None
    prefix = base if base.endswith(os.sep) else base + os.sep
    return path.removeprefix(prefix) if path.startswith(prefix) else None


def find_root(start: Path) -> Path:
    """The nearest directory upwards with an index, else the top of the git work tree, else `start`."""
    upwards = [start, *start.parents]
    for mark in (STATE_DIR_NAME, ".git"):
        for directory in upwards:
            if os.path.exists(directory / mark):  # False, not an error, where one may not look
                return directory
    return start


def options(function: _F) -> _F:
    """Adds ``--root``, ``--state-dir``, ``--set`` and ``--json``; the command gets `place` and `as_json`."""

    @click.option(
        "--root",
        "root",
        metavar="DIR",
        help="The root of the index. Default: found from the current directory.",
    )
    @click.option(
        "--state-dir", metavar="DIR", help="Where the index is kept. Default: .currant below the root."
    )
    @click.option("--set", "settings", metavar="KEY=VALUE", multiple=True,
                  help="Override one setting, such as monitor.debounce_ms=50. May be repeated.")  # fmt: skip
    @click.option("--json", "as_json", is_flag=True, help="Answer with JSON.")
    @functools.wraps(function)
    def command(root: str | None, state_dir: str | None, settings: tuple[str, ...], **rest: Any) -> Any:
        flags: dict[str, Any] = dict(setting(text) for text in settings)
        if state_dir is not None:
            flags["state_dir"] = os.path.abspath(state_dir)
        told = rest.pop("path", None) or root or os.environ.get("CURRANT_ROOT")
        where = Path(told).absolute() if told else find_root(Path.cwd())
        # Links are resolved once, as the owner does, so that every way to say a root is the same one.
        where = Path(os.path.realpath(where))
        if not where.is_dir():
            raise RootRefusedError(f"{where} is not a directory")
        if not os.access(where, os.R_OK | os.X_OK):
            raise RootRefusedError(f"{where} may not be read by this user")
        return function(place=Place(where, flags), **rest)

    return command  # type: ignore[return-value]


def setting(text: str) -> tuple[str, Any]:
    """``section.key=value``; the value as JSON when it reads as JSON (numbers, true, lists), else as text."""
    import json

    key, equals, value = text.partition("=")
    if not equals or not key:
        raise click.BadParameter(f"{text!r} is not KEY=VALUE", param_hint="--set")
    try:
        return key, json.loads(value)
    except (ValueError, RecursionError):
        return key, value


def path_argument(function: _F) -> _F:
    """Adds the argument PATH, another way to say ``--root``."""
    return click.argument("path", required=False, metavar="[PATH]")(function)


def wait_option(function: _F) -> _F:
    """Adds ``--wait``: how long to wait for a fresh answer."""
    return click.option(
        "--wait", type=click.FloatRange(0, 3_600), metavar="SECONDS", default=None,
        help="How long to wait for changes that are not in the index yet; the answer then says fresh: false. "
        "Default: 10 with a watcher, 2 while it has more to index than that leads to, else until done.",
    )(function)  # fmt: skip
