"""What git says the files are: an oracle that shares no code with us.

Owns the translation from ``git ls-files`` to what an index keeps: regular files, tracked ones only while no
rule ignores them, and each repository inside by its own rules.
"""

import os
import stat
import subprocess
from typing import Final

from currant.soak.model import HIDDEN

_SECONDS: Final = 120


def files(root: bytes) -> tuple[set[bytes], set[bytes]]:
    """Kept files below `root`, a repository whose nested ones are entered; and directories of which git says
    nothing, because a repository was there when it was added. Raises CalledProcessError."""
    kept: set[bytes] = set()
    opaque: set[bytes] = set()
    left = [b""]
    while left:
        prefix = left.pop()
        base = os.path.join(root, prefix) if prefix else root
        inside = _repositories(base)
        hidden = _listed(base, "-ci")
        listed = _listed(base, "-co")
        opaque |= {prefix + name + b"/" for name in listed - inside if _is_directory(base, name)}
        for name in listed - hidden:
            if not _below(name, inside) and _is_regular(base, name):
                kept.add(prefix + name)
        left += [prefix + each + b"/" for each in inside - _ignored(base, inside)]
    return kept, opaque


def _listed(base: bytes, which: str) -> set[bytes]:
    command: list[str | bytes] = ["git", "-C", base, "ls-files", which + "z", "--exclude-standard"]
    told = subprocess.run(
        command, check=True, stdin=subprocess.DEVNULL, capture_output=True, timeout=_SECONDS
    ).stdout
    return {name for name in told.split(b"\0") if name}


def _ignored(base: bytes, directories: set[bytes]) -> set[bytes]:
    """Which of some directories the rules hide; tracked or not."""
    if not directories:
        return set()
    command: list[str | bytes] = ["git", "-C", base, "check-ignore", "-z", "--stdin", "--no-index"]
    asked = b"\0".join(each + b"/" for each in sorted(directories)) + b"\0"
    done = subprocess.run(command, input=asked, capture_output=True, check=False, timeout=_SECONDS)
    if done.returncode not in (0, 1):
        raise subprocess.CalledProcessError(done.returncode, command, stderr=done.stderr)
    return {each.rstrip(b"/") for each in done.stdout.split(b"\0") if each}


def _repositories(base: bytes) -> set[bytes]:
    """The outermost repositories strictly below `base`."""
    found = set()
    for where, folders, _files in os.walk(base):
        if where != base and b".git" in folders:
            found.add(os.path.relpath(where, base))
            folders.clear()
        folders[:] = [name for name in folders if name not in HIDDEN]
    return found


def _below(name: bytes, directories: set[bytes]) -> bool:
    return any(name.startswith(each + b"/") for each in directories)


def _is_directory(base: bytes, name: bytes) -> bool:
    path = os.path.join(base, name)
    return not name.endswith(b"/") and os.path.isdir(path) and not os.path.islink(path)


def _is_regular(base: bytes, name: bytes) -> bool:
    """Not what a tracked name leads to since one of its directories became a link."""
    path = os.path.join(base, name)
    folder = os.path.dirname(path)
    try:
        return stat.S_ISREG(os.lstat(path).st_mode) and os.path.realpath(folder) == folder
    except OSError:
        return False
