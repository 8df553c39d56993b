"""Changing the configuration of one client: what it would become, and writing that. Owns the files: a backup
of what was there, a replacement in one step, and no change of what was changed by somebody else meanwhile.
"""

import difflib
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from currant.errors import UsageError
from currant.mcp import clients
from currant.mcp.clients import Client
from currant.mcp.configuration import Unreadable

_MAX_BYTES: Final = 8 << 20


@dataclass(frozen=True, slots=True)
class Change:
    """One file as it is (None: not there) and as it would be."""

    client: Client
    path: Path
    name: str
    before: bytes | None
    after: str
    within: Path | None
    """Where the file must be, for one that may have come with the tree."""

    @property
    def changes(self) -> bool:
        """Whether there is anything to do."""
        return self.after.encode() != (self.before or b"")

    def diff(self) -> str:
        """What would change, line by line."""
        old = (self.before or b"").decode(errors="replace").splitlines(keepends=True)
        new = self.after.splitlines(keepends=True)
        shown = difflib.unified_diff(old, new, "as it is", "as it would be")
        return "".join(line if line.endswith("\n") else line + "\n" for line in shown)


def command() -> tuple[str, ...]:
    """How this Currant is called: by its full path, since an editor has another PATH than a shell."""
    beside = Path(sys.executable).parent / "currant"
    if os.access(beside, os.X_OK):
        return (os.fspath(beside),)
    found = shutil.which("currant")
    return (found,) if found else (sys.executable, "-m", "currant")


def addition(
    client: Client, root: Path, home: Path, *, options: Sequence[str] = (), portable: bool = False
) -> Change:
    """The entry for `root` added, or brought up to date. Raises UsageError with what to write by hand."""
    entry = clients.entry(client, root, command(), options=options, portable=portable)
    return _change(client, client.file(root, home), root, entry)


def removal(client: Client, root: Path, home: Path) -> Change:
    """The entry for `root` taken out. Raises UsageError."""
    return _change(client, client.file(root, home), root, None)


def _change(client: Client, path: Path, root: Path, entry: Mapping[str, Any] | None) -> Change:
    before = _read(path)
    try:
        try:
            text = (before or b"").decode()
        except UnicodeDecodeError:
            raise Unreadable("it is not UTF-8: correct it first") from None
        name = clients.name_for(client, client.entries(text), root)
        after = client.remove(text, name) if entry is None else client.add(text, name, entry)
    except Unreadable as error:
        if entry is None:
            raise UsageError(f"{path} was not changed: {error}") from None
        name = clients.name_for(client, {}, root)
        raise UsageError(
            f"{path} was not changed: {error}. To do it by hand, add:\n{client.snippet(name, entry)}"
        ) from None
    return Change(client, path, name, before, after, root if client.project else None)


def _read(path: Path) -> bytes | None:
    try:
        with open(path, "rb") as file:
            text = file.read(_MAX_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from None
    if len(text) > _MAX_BYTES:
        raise UsageError(f"{path} is larger than {_MAX_BYTES >> 20} MiB: that is no configuration")
    return text


def write(change: Change) -> Path | None:
    """Write it; where what was there before is kept, None when there was nothing. Raises UsageError; then the
    file is as it was."""
    # A link (of those who keep such files elsewhere) stays a link.
    target = Path(os.path.realpath(change.path))
    if change.within is not None and not target.is_relative_to(os.path.realpath(change.within)):
        raise UsageError(
            f"{change.path} is a link that leads out of {change.within}: write {target} yourself"
        )
    if _read(target) != change.before:
        raise UsageError(f"{change.path} was changed by somebody else just now: look at it and try again")
    temporary = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        backup = None if change.before is None else _keep(target, change.before)
        handle, temporary = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        with open(handle, "wb") as file:
            file.write(change.after.encode())
            file.flush()
            os.fsync(handle)
        if change.before is None:
            # As an editor would; what is in the home may come to hold keys of other servers.
            mode = 0o644 & ~_umask() if change.client.project else 0o600
        else:
            mode = os.stat(target).st_mode & 0o777
        os.chmod(temporary, mode)
        os.replace(temporary, target)
    except OSError as error:
        if temporary is not None:
            with suppress(OSError):
                os.unlink(temporary)
        raise UsageError(f"{change.path} cannot be written: {error.strerror or error}") from None
    return backup


def _keep(target: Path, before: bytes) -> Path:
    """A copy next to it, under a name that is free: an older copy is not written over."""
    number = 0
    while True:
        copy = target.with_name(f"{target.name}.{number}.bak" if number else f"{target.name}.bak")
        try:
            handle = os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL, os.stat(target).st_mode & 0o777)
        except FileExistsError:
            number += 1
            continue
        with open(handle, "wb") as file:
            file.write(before)
        return copy


def _umask() -> int:
    before = os.umask(0o077)
    os.umask(before)
    return before
