"""Owns what a step is: the name of an operation and its arguments, as a value and as a line of text.

A script is a text file of steps, one a line; ``#`` begins a comment. Arguments are bytes, percent-encoded
where they are not plain, so that any file name survives a mail. A name that begins with ``!`` is adversity:
it is done to the watcher or to the root, not inside the tree.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import quote_from_bytes, unquote_to_bytes

from currant.errors import UsageError

_PLAIN: Final = "/._-+=,~@:*!?[]"
_EMPTY: Final = "%"  # no encoded argument looks like this


class Step(NamedTuple):
    """One operation."""

    op: str
    args: tuple[bytes, ...] = ()

    def __str__(self) -> str:
        return " ".join([self.op, *(quote_from_bytes(arg, _PLAIN) or _EMPTY for arg in self.args)])


def step(op: str, *args: bytes | str | int) -> Step:
    """A step from plain values."""
    return Step(op, tuple(arg if isinstance(arg, bytes) else str(arg).encode() for arg in args))


def parse(line: str) -> Step | None:
    """One line of a script; None for a comment or an empty line."""
    words = line.split()
    if not words or words[0].startswith("#"):
        return None
    return Step(words[0], tuple(b"" if word == _EMPTY else unquote_to_bytes(word) for word in words[1:]))


def write_script(path: Path, steps: Iterable[Step], comments: Iterable[str] = ()) -> None:
    """Write a script. Raises OSError."""
    lines = [*(f"# {text}" for comment in comments for text in comment.splitlines()), *map(str, steps)]
    path.write_text("\n".join(lines) + "\n", encoding="ascii", errors="backslashreplace")


def read_script(path: Path) -> list[Step]:
    """The steps of a script. Raises UsageError naming the file when it cannot be read."""
    try:
        text = path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the script {path} cannot be read: {error}") from error
    return list(_steps(text))


def _steps(text: str) -> Iterator[Step]:
    for line in text.splitlines():
        found = parse(line)
        if found is not None:
            yield found
