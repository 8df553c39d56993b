"""Is this machine fit for a live index, and if not, what exactly to do: limits, SQLite, file systems, state.

Every check is a function of what it is given (text of a `/proc` file, a version) with a thin reader around
it, so that each can be tested on machines that are not like this one. Changes nothing.
"""

import fnmatch
import os
import platform
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from currant import _core
from currant.config import NETWORK_FILE_SYSTEMS
from currant.errors import OwnerSuspendedError, ServiceUnreachable
from currant.ipc import wire
from currant.ipc.client import Client
from currant.owner import lock_holder, suspended
from currant.plan import watch_limit

WANTED_WATCHES: Final = 524_288
WANTED_QUEUE: Final = 65_536
_SYSCTL_FILE: Final = "/etc/sysctl.d/60-currant.conf"

VIRTUAL_TYPES: Final = frozenset(_core.virtual_file_systems())


class Grade(StrEnum):
    """How a check came out. FAIL: the index cannot be trusted or cannot run until it is mended."""

    OK = "ok"
    NOTE = "note"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Check:
    """One finding; `fix` is what to type or change, empty when there is nothing to do."""

    name: str
    grade: Grade
    found: str
    fix: str = ""


def examine(root: Path, state_dir: Path) -> Iterator[Check]:
    """Every check that applies to this machine, `root` and `state_dir`, in a fixed order."""
    yield wheel()
    yield python()
    yield sqlite()
    yield from inotify()
    yield from file_systems(root, state_dir)
    yield from owner(state_dir)
    yield from integrity(state_dir)


def wheel() -> Check:
    """The native module: version, parts compiled in, languages."""
    features = ", ".join(_core.lib_features()) or "none"
    count = len(_core.languages())
    found = f"currant {_core.__version__}, features: {features}, {count} languages with an outline"
    if count == 0:
        return Check(
            "wheel", Grade.WARN, found, "reinstall with the default features: no definitions are found"
        )
    return Check("wheel", Grade.OK, found)


def python() -> Check:
    """The interpreter and the platform, with what is untested said plainly."""
    # Not `platform.platform()`: it starts `uname`, and this package starts nothing.
    system = f"{platform.system()} {platform.release()} {platform.machine()}"
    found = f"{platform.python_implementation()} {platform.python_version()} on {system}"
    if sys.platform != "linux":
        return Check("platform", Grade.WARN, f"{found}: never tested here, watching goes through notify")
    return Check("platform", Grade.OK, found)


def sqlite() -> Check:
    """The SQLite library that opens the index."""
    from currant.store.connection import connect, one

    connection = connect(":memory:", write=False)
    try:
        text = str(one(connection, "SELECT sqlite_version()"))
    finally:
        connection.close()
    major, minor, patch = map(int, text.split("."))
    return sqlite_version((major * 1_000 + minor) * 1_000 + patch)


def sqlite_version(number: int) -> Check:
    """Grade a version (``3054001`` is 3.54.1): some can lose commits of a database in WAL mode."""
    from currant.store.connection import is_safe

    dotted = f"SQLite {number // 1_000_000}.{number // 1_000 % 1_000}.{number % 1_000}"
    if is_safe(number):
        return Check("sqlite", Grade.OK, f"{dotted}, of apsw")
    fix = "pip install -U 'apsw>=3.51.3'"
    return Check("sqlite", Grade.FAIL, f"{dotted} has the WAL-reset bug and can lose commits", fix)


def inotify(sysctl: Path = Path("/proc/sys")) -> Iterator[Check]:
    """The kernel's limits on watches, and how much of them this user holds; in a container, those of its user
    namespace, which may be lower."""
    limit = watch_limit(sysctl)
    if limit is None:
        return
    own = _number(sysctl / "fs/inotify/max_user_watches")
    narrower = own is not None and limit < own
    yield watches(limit, held_watches(), in_namespace=narrower)
    queue = _number(sysctl / "fs/inotify/max_queued_events")
    if queue is not None:
        low = queue < 16_384
        yield Check(
            "inotify queue", Grade.WARN if low else Grade.OK, f"max_queued_events is {queue:,}",
            _sysctl("max_queued_events", WANTED_QUEUE) if low else "",
        )  # fmt: skip
    mine = _number(sysctl / "fs/inotify/max_user_instances")
    if mine is not None:
        here = _number(sysctl / "user/max_inotify_instances")
        yield instances(
            mine if here is None else min(mine, here), in_namespace=here is not None and here < mine
        )


def instances(limit: int, *, in_namespace: bool = False) -> Check:
    """Grade the limit on inotify instances: a watcher needs one; with none left it polls the whole root."""
    name = "user.max_inotify_instances of this user namespace" if in_namespace else "max_user_instances"
    fix = ""
    if limit < 64:
        fix = _namespace("max_inotify_instances", 512) if in_namespace else _sysctl("max_user_instances", 512)
    grade = Grade.FAIL if limit == 0 else Grade.WARN if fix else Grade.OK
    return Check("inotify instances", grade, f"{name} is {limit:,}", fix)


def watches(limit: int, held: int, *, in_namespace: bool = False) -> Check:
    """Grade the watch limit (one watch a directory) against what this user's processes hold already."""
    name = "user.max_inotify_watches of this user namespace" if in_namespace else "max_user_watches"
    found = f"{name} is {limit:,}, {held:,} of them held by your processes"
    fix = _sysctl("max_user_watches", WANTED_WATCHES)
    if in_namespace:
        fix = _namespace("max_inotify_watches", WANTED_WATCHES)
    if held >= limit * 0.9:
        return Check("inotify watches", Grade.FAIL, f"{found}: (nearly) none left", fix)
    if limit < 65_536:
        return Check("inotify watches", Grade.WARN, f"{found}: little for a monorepo", fix)
    return Check("inotify watches", Grade.OK, found)


def _namespace(name: str, value: int) -> str:
    return f"echo {value} > /proc/sys/user/{name}, as root of this container (no more than outside of it)"


def held_watches(proc: Path = Path("/proc")) -> int:
    """Watches held by the processes whose descriptors we may look at (our own user's)."""
    held = 0
    for process in proc.glob("[0-9]*"):
        try:
            for name in os.listdir(process / "fd"):
                if os.readlink(process / "fd" / name) == "anon_inode:inotify":
                    told = (process / "fdinfo" / name).read_text()
                    held += sum(line.startswith("inotify ") for line in told.splitlines())
        except OSError:
            continue  # another user's, or gone meanwhile
    return held


def _sysctl(name: str, value: int) -> str:
    line = f"fs.inotify.{name}={value}"
    return f"echo {line} | sudo tee -a {_SYSCTL_FILE} && sudo sysctl -p {_SYSCTL_FILE}"


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None


def file_systems(root: Path, state_dir: Path) -> Iterator[Check]:
    """The file systems of the root and of the state directory, and the room left for the index."""
    try:
        mounts = Path("/proc/self/mountinfo").read_text(errors="surrogateescape")
    except OSError:
        return
    yield root_type(file_system_of(root, mounts))
    kind = file_system_of(state_dir, mounts)
    yield state_type(kind)
    there = next(place for place in (state_dir, *state_dir.parents) if os.path.exists(place))
    room = os.statvfs(there)
    free = room.f_bavail * room.f_frsize
    if not os.access(there, os.W_OK):
        yield Check(
            "state directory", Grade.FAIL, f"{there} is not writable", "set CURRANT_STATE_DIR or --state-dir"
        )
    elif free < 256 << 20:
        yield Check(
            "state directory",
            Grade.WARN,
            f"{free >> 20} MiB free at {there}",
            "make room: SQLite needs it to commit",
        )
    else:
        yield Check("state directory", Grade.OK, f"{free >> 20:,} MiB free at {there}")


def file_system_of(path: Path, mountinfo: str) -> str:
    """The type of the file system that holds `path`: of the deepest mount point above it, the latest one."""
    real = Path(os.path.realpath(path))
    best, kind = -1, "unknown"
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        fields, tail = before.split(), after.split()
        if len(fields) < 5 or not tail:
            continue
        point = Path(_unescape(fields[4]))
        depth = len(point.parts)
        if depth >= best and real.is_relative_to(point):
            best, kind = depth, tail[0]
    return kind


def _unescape(text: str) -> str:
    """Spaces and the like stand as three octal digits in mountinfo."""
    for code, plain in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        text = text.replace(code, plain)
    return text


def is_network(kind: str) -> bool:
    """Whether changes may be made to this type of file system without this kernel's knowledge."""
    return any(fnmatch.fnmatchcase(kind, pattern) for pattern in NETWORK_FILE_SYSTEMS)


def root_type(kind: str) -> Check:
    """Grade the root's file system: can its changes be watched?"""
    if is_network(kind):
        fix = 'use monitor.source = "poll": changes made by other machines are not reported by the kernel'
        return Check("root file system", Grade.WARN, kind, fix)
    if kind in VIRTUAL_TYPES:
        return Check(
            "root file system", Grade.FAIL, f"{kind}: not a place of files", "index a directory on a disk"
        )
    if kind == "overlay":
        return Check(
            "root file system", Grade.NOTE, "overlay: writes made below it, in a layer, are not reported"
        )
    return Check("root file system", Grade.OK, kind)


def state_type(kind: str) -> Check:
    """Grade the state directory's file system: SQLite's log needs shared memory and locks that hold."""
    if is_network(kind) or kind in VIRTUAL_TYPES:
        fix = "set CURRANT_STATE_DIR (or --state-dir) to a directory on a local disk"
        return Check(
            "state file system", Grade.FAIL, f"{kind}: locks and shared memory cannot be trusted", fix
        )
    return Check("state file system", Grade.OK, kind)


def owner(state_dir: Path) -> Iterator[Check]:
    """Who owns the index, whether the socket answers, and what the owner says of itself."""
    if os.path.isdir(state_dir) and not os.access(state_dir, os.R_OK | os.W_OK | os.X_OK):
        fix = "run as the user it belongs to, or set CURRANT_STATE_DIR (or --state-dir)"
        yield Check("state directory", Grade.FAIL, f"{state_dir} may not be used by this user", fix)
        return
    if not os.path.isdir(state_dir):
        yield Check("index", Grade.NOTE, f"none at {state_dir} yet", "currant index PATH")
        return
    holder = lock_holder(state_dir / "lock")
    why = None if holder is None else suspended(holder)
    if why is not None:
        yield Check("owner", Grade.FAIL, f"process {holder} does not run, so nothing is indexed", why)
        return
    yield Check(
        "owner", Grade.OK, f"process {holder}" if holder else "nobody: the next command brings it up to date"
    )
    try:
        mode = stat.S_IMODE((state_dir / wire.SOCKET_NAME).lstat().st_mode)
    except OSError:
        mode = None
    if holder is None:
        if mode is not None:
            yield Check(
                "socket", Grade.NOTE, "left behind by a process that was killed; the next owner replaces it"
            )
        return
    try:
        with Client.connect(state_dir, timeout=3.0) as client:
            status = client.call("status", sync_ms=None, timeout=3.0).result
    except (ServiceUnreachable, OwnerSuspendedError) as error:
        yield Check(
            "socket", Grade.FAIL, str(error), f"if it stays so, end process {holder} and start it again"
        )
        return
    if mode is not None and mode & 0o077:
        yield Check(
            "socket",
            Grade.FAIL,
            f"mode {mode:04o}: others can read this index",
            f"chmod 600 {state_dir}/sock",
        )
    else:
        yield Check("socket", Grade.OK, "answers, and only its user may use it")
    for trouble in status.get("degraded", []):
        found = f"{trouble['what']} ({trouble['count']})"
        yield Check(f"degraded, {trouble['code']}", Grade.WARN, found, str(trouble["fix"]))
    for note in status.get("notes", []):
        yield Check(str(note["code"]), Grade.NOTE, str(note["what"]))


def integrity(state_dir: Path) -> Iterator[Check]:
    """Whether the database hangs together: its structure is read in full, through SQLite, and not changed."""
    from currant.store.connection import connect
    from currant.store.opening import DAMAGE_MARK, INDEX_NAME

    path = state_dir / INDEX_NAME
    if not os.path.exists(path):
        return
    fix = "currant index PATH: the damaged index is set aside and rebuilt from the files"
    if (state_dir / DAMAGE_MARK).exists():
        yield Check("integrity", Grade.FAIL, "a reader met damage; the next start rebuilds the index", fix)
        return
    try:
        connection = connect(os.fspath(path), write=False)
        try:
            verdicts = [str(row[0]) for row in connection.execute("PRAGMA quick_check")]
        finally:
            connection.close()
    except Exception as error:  # whatever SQLite says of it is the finding
        verdicts = [str(error)]
    if verdicts == ["ok"]:
        yield Check("integrity", Grade.OK, f"{path.name}: {path.stat().st_size >> 20:,} MiB, sound")
    else:
        yield Check("integrity", Grade.FAIL, verdicts[0], fix)
