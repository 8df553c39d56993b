"""The temporary directory of a run, and an environment in which nobody's settings reach it.

Owns ``os.environ`` while a run lasts: git, the watcher and the index in this process must all read the same,
empty settings, and git must not find a repository above the directory.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from currant.errors import UsageError


@contextmanager
def fresh_directory(below: Path | None, *, keep: bool) -> Iterator[Path]:
    """A new directory below `below` (None: where temporary files go), removed at the end unless `keep`.

    Raises UsageError when it cannot be made."""
    try:
        made = Path(tempfile.mkdtemp(prefix="currant-soak-", dir=below)).resolve()
    except OSError as error:
        raise UsageError(f"no temporary directory can be made in {below}: {error.strerror}") from error
    try:
        with _environment(made):
            yield made
    finally:
        if not keep:
            remove(made)


def remove(directory: Path) -> None:
    """All of it, also what somebody made unreadable. Nothing when it is not there."""
    for base, folders, _files in os.walk(directory):
        for name in folders:
            path = os.path.join(base, name)
            if not os.path.islink(path) and not os.access(path, os.R_OK | os.W_OK | os.X_OK):
                os.chmod(path, 0o700)
    shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def _environment(directory: Path) -> Iterator[None]:
    """Clean while inside; as before afterwards."""
    before = dict(os.environ)
    home = directory / "home"
    home.mkdir()
    for name in before:
        if name.startswith(("GIT_", "XDG_")) or (name.startswith("CURRANT_") and not _ours(name)):
            del os.environ[name]
    settings = {
        "gc.auto": "0",
        "maintenance.auto": "false",
        "core.fsmonitor": "false",
        "commit.gpgsign": "false",
    }
    for number, (key, value) in enumerate(settings.items()):
        os.environ[f"GIT_CONFIG_KEY_{number}"] = key
        os.environ[f"GIT_CONFIG_VALUE_{number}"] = value
    for role in ("AUTHOR", "COMMITTER"):
        os.environ[f"GIT_{role}_NAME"] = "Soak"
        os.environ[f"GIT_{role}_EMAIL"] = "soak@example.org"
        os.environ[f"GIT_{role}_DATE"] = "2026-01-01T00:00:00+0000"
    os.environ |= {
        "HOME": str(home),
        "GIT_CONFIG_COUNT": str(len(settings)),
        "GIT_CEILING_DIRECTORIES": str(directory),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "LC_ALL": "C",
    }
    try:
        yield
    finally:
        os.environ.clear()
        os.environ |= before


def _ours(name: str) -> bool:
    return name.startswith("CURRANT_TEST") or name == "CURRANT_LOG"
