"""Owns what makes a directory fit to hold state: it is ours, nobody else gets in, nothing in it leads away.

The state directory is trusted, its place is not: ``.currant`` lies in a tree that may have been cloned or
unpacked, or stand where others may write. A link in it named ``lock`` would have us cut short whatever it
leads to. So everything that is about to write there comes through `prepare` first.
"""

import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final

from currant.errors import StoreError

_WAY_OUT: Final = "remove it if you do not know what it is, or have --state-dir name another directory"
# Everything that we make there; a directory is somebody's, and of no concern.
_KINDS: Final = (stat.S_ISREG, stat.S_ISSOCK, stat.S_ISDIR)


def prepare(path: Path, option: str = "--state-dir") -> None:
    """Make the state directory if it is not there, private to its owner and ignored by git, and look at what
    is in it. `option` is how the user chose it. Raises StoreError."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        check(path)
        if stat.S_IMODE(os.lstat(path).st_mode) & 0o777 != 0o700:
            os.chmod(path, 0o700)  # it was made by another program, or under a umask that takes from us
        # From here on nobody else can add anything.
        for name in os.listdir(path):
            with suppress(FileNotFoundError):  # an owner that is just ending removes its log
                _check_entry(path, name, os.lstat(path / name))
        ignore = path / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n", encoding="utf-8")
    except OSError as error:
        raise StoreError(
            f"cannot use the state directory {path} ({error.strerror or error}): {option} names another one"
        ) from error


def check(path: Path) -> None:
    """Raise StoreError unless `path` is a directory of this user's and no link to one. OSError when it cannot
    be looked at (FileNotFoundError: there is none)."""
    found = os.lstat(path)
    if stat.S_ISLNK(found.st_mode):
        raise StoreError(f"the state directory {path} is a link to {os.readlink(path)!r}: {_WAY_OUT}")
    if not stat.S_ISDIR(found.st_mode):
        raise StoreError(f"the state directory {path} is not a directory: {_WAY_OUT}")
    if not _is_ours(found):
        raise StoreError(f"the state directory {path} belongs to user {found.st_uid}: {_WAY_OUT}")


def _check_entry(path: Path, name: str, found: os.stat_result) -> None:
    if stat.S_ISLNK(found.st_mode):
        raise StoreError(f"{name!r} in the state directory {path} is a link: {_WAY_OUT}")
    if not any(kind(found.st_mode) for kind in _KINDS):
        raise StoreError(f"{name!r} in the state directory {path} is a pipe or a device: {_WAY_OUT}")
    if not _is_ours(found):
        raise StoreError(f"{name!r} in the state directory {path} belongs to user {found.st_uid}: {_WAY_OUT}")


def _is_ours(found: os.stat_result) -> bool:
    # Root is no exception: what another user can put into the directory must not steer a process of root's.
    return not hasattr(os, "geteuid") or found.st_uid == os.geteuid()
