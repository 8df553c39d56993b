"""How a path that somebody names is called in the index.

Owns: what counts as a file below a root, and the refusal of everything else. Does not own: what the index
has.
"""

import os
from pathlib import Path

from currant.errors import UsageError


def relative(root: Path, path: str | os.PathLike[str]) -> str:
    """`path` as the index of `root` names it. Raises UsageError when it lies outside."""
    text = os.fspath(path)
    try:
        bad = b"\0" in os.fsencode(text)
    except UnicodeEncodeError:
        bad = True
    if bad:
        raise UsageError(f"{text!r} cannot be a path: name a file below {root}")
    # Only the directory is resolved: a link that lies in the root is a name of its own.
    whole = os.path.normpath(os.path.join(root, text))
    folder, name = os.path.split(whole)
    resolved = os.path.relpath(os.path.join(os.path.realpath(folder), name), root)
    if resolved == os.curdir or resolved.split(os.sep, 1)[0] == os.pardir:
        raise UsageError(f"{text!r} does not lie below {root}: name a file inside it")
    return resolved.replace(os.sep, "/")


def relative_or_root(root: Path, path: str | os.PathLike[str]) -> str:
    """As `relative`, but the root is the empty path."""
    whole = os.path.realpath(os.path.join(root, os.fspath(path)))
    return "" if whole == os.fspath(root) else relative(root, path)
