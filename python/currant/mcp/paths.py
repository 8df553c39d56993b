"""Paths as they travel to an agent and back. Owns what is accepted: names below the root, nothing else.

Nothing is opened here, and a path that gets through is only ever looked up in the index; the check is there
so that a question about ``../../etc/passwd`` is answered with what is wrong with it.
"""

import os
import re
from pathlib import Path

from currant.errors import UsageError

_STRAY = re.compile(r"\\x([89a-f][0-9a-f])")


def shown(path: str) -> str:
    """A path as text that is UTF-8: a byte that is not stands as ``\\xNN``."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return (
            "".join(f"\\x{ord(char) & 0xFF:02x}" if 0xDC80 <= ord(char) <= 0xDCFF else char for char in path)
            .encode(errors="replace")
            .decode()
        )
    return path


def named(root: Path, path: str) -> str:
    """The path that an agent means, relative to the root; ``""`` is the root. ``\\xNN`` is the byte for which
    `shown` wrote it, unless a file has it in its name. Raises UsageError for what is not below the root."""
    literal = relative(root, path)
    if _STRAY.search(path) and not os.path.lexists(root / literal):
        return relative(root, _STRAY.sub(lambda found: chr(0xDC00 + int(found[1], 16)), path))
    return literal


def relative(root: Path, path: str) -> str:
    """A path relative to the root. Raises UsageError for what is not below it."""
    if "\0" in path:
        raise UsageError("a path holds no NUL character")
    base = os.fspath(root)
    # Links are not followed: a link that lies in the tree is a name of its own.
    inside = os.path.normpath(os.path.join(base, path))
    if inside == base:
        return ""
    prefix = base if base.endswith(os.sep) else base + os.sep
    if inside.startswith(prefix):
        return inside.removeprefix(prefix)
    # The root may have been reached through a link that the agent does not know of, or the other way round.
    folder, name = os.path.split(inside)
    real = os.path.join(os.path.realpath(folder), name)
    if os.path.isabs(path) and real.startswith(prefix):
        return real.removeprefix(prefix)
    raise UsageError(f"{path!r} is not below {base}: give a path from there, such as src/main.py")
