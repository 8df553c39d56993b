"""A watcher in a user namespace of its own: with the kernel limits of a test, or with its own mounts.

No root is needed, and nothing outside the namespace changes. A machine on which namespaces cannot be made
fails these tests; it does not skip them."""

import os
import subprocess
from typing import Final

from catalogue.kit import Live

_LIMITS: Final = "/proc/sys/user/max_inotify_"


def limited(watches: int, instances: int) -> list[str]:
    """The prefix of a command that may have so many inotify watches and instances."""
    script = f'echo {watches} >{_LIMITS}watches; echo {instances} >{_LIMITS}instances; exec "$@"'
    return ["unshare", "--user", "--map-root-user", "sh", "-ec", script, "sh"]


def mounted(script: str = ":") -> list[str]:
    """The prefix of a command with mounts of its own; `script` makes some of them first."""
    return ["unshare", "--user", "--map-root-user", "--mount", "sh", "-ec", f'{script}; exec "$@"', "sh"]


def inside(live: Live, script: str, *, mounts: bool = False) -> None:
    """Run a shell script in the watcher's namespaces; `$R` is the root. Raises CalledProcessError."""
    spaces = ["--user", "--preserve-credentials", *(["--mount"] if mounts else [])]
    command = ["nsenter", "--target", str(live.pid), *spaces, "sh", "-ec", script]
    try:
        subprocess.run(
            command, check=True, capture_output=True, cwd="/", env={**os.environ, "R": str(live.root)}
        )
    except subprocess.CalledProcessError as error:
        error.add_note(error.stderr.decode(errors="replace"))
        raise
