"""Owns every error that Currant raises on purpose.

The tree is cut by what the caller can do about it, not by where it happened: correct the call, make an
index, ask the owner, wait and retry, repair the index, report a bug. Each message names the thing and the
way out. `exit_code` is what the command line exits with; docs/ lists the codes.
"""

import math
import reprlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final


class CurrantError(Exception):
    """Anything Currant raises on purpose. Uncaught on the command line it exits with `exit_code`."""

    exit_code: int = 70


# --- correct the call -------------------------------------------------------------------------------


class UsageError(CurrantError):
    """What was asked for cannot be: correct the argument, option or configuration."""

    exit_code: int = 2


_SHORT: Final = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 200
_SHORT.maxdict = _SHORT.maxlist = _SHORT.maxtuple = 20


@dataclass(frozen=True, slots=True)
class ConfigProblem:
    """One thing wrong with the configuration.

    `source` is where the value came from: a file, ``environment NAME`` or ``flag``; `valid` says what
    would have been accepted.
    """

    key: str
    value: object
    source: str
    valid: str

    def __str__(self) -> str:
        # Bounded: the value may be nested as deep, or be as long, as a file can make it.
        return f"{_SHORT.repr(self.key)[1:-1]} = {_SHORT.repr(self.value)} ({self.source}): {self.valid}"


class ConfigError(UsageError):
    """The configuration is refused; `problems` has everything wrong with it, not only the first."""

    def __init__(self, problems: Sequence[ConfigProblem]) -> None:
        self.problems: tuple[ConfigProblem, ...] = tuple(problems)
        super().__init__("\n  ".join(["the configuration is refused:", *map(str, self.problems)]))


class RootRefusedError(UsageError):
    """This directory is not indexed without being told twice (``/``, a home directory, no directory)."""


class ComponentNotInitialized(UsageError):
    """A component was used before `initialize` or after `shutdown`."""


class ClosedError(UsageError):
    """The object was closed; open it again."""


class NoSuchJob(UsageError):
    """There is no job with this id: it never was, or is pruned."""

    def __init__(self, job_id: str) -> None:
        self.job_id = job_id
        super().__init__(f"no job {_SHORT.repr(job_id)}: `currant jobs list` shows those there are")


class NoSuchProject(UsageError):
    """The service knows no project of this id or name."""

    def __init__(self, wanted: str) -> None:
        self.wanted = wanted
        super().__init__(f"no project {wanted!r}: `currant project list` has them all")


class ProjectConflict(UsageError):
    """This root, or this name, is a project already; `project` is its name."""

    def __init__(self, what: str, project: str) -> None:
        self.project = project
        super().__init__(f"{what} is project {project!r} already: use it, or remove it first")


class SourceRefused(UsageError):
    """This is nothing that a project can be made of; the message never holds a password."""


# --- make an index ----------------------------------------------------------------------------------


class NoIndexError(CurrantError):
    """There is no index for this root yet."""

    exit_code: int = 3

    def __init__(self, root: str) -> None:
        self.root = root
        super().__init__(f"no index for {root}: run `currant index {root}` or `currant watch {root}` first")


# --- ask the owner ----------------------------------------------------------------------------------


class LockedError(CurrantError):
    """Another process owns this root; `pid` is who, 0 when it could not be read."""

    exit_code: int = 4

    def __init__(self, pid: int, root: str = "") -> None:
        self.pid = pid
        self.root = root
        who = f"process {pid}" if pid else "another process"
        what = root or "this root"
        super().__init__(f"{what} is owned by {who}: ask it through its socket, or stop it first")


class AlreadyServing(CurrantError):
    """Another process serves this home; `pid` is who, 0 when it could not be read."""

    exit_code: int = 4

    def __init__(self, pid: int, home: str, address: str = "") -> None:
        self.pid = pid
        who = f"process {pid}" if pid else "another process"
        at = f" at {address}" if address else ""
        super().__init__(f"{who} serves {home} already{at}: use that one, or stop it first")


# --- wait and retry ---------------------------------------------------------------------------------


class RetryError(CurrantError):
    """Nothing is broken; the same call may succeed later."""

    exit_code: int = 5


class SyncTimeout(RetryError):
    """The index did not catch up in time; `outstanding` has up to 20 of the paths still pending."""

    def __init__(self, outstanding: Sequence[str], timeout: float | None = None) -> None:
        self.outstanding: list[str] = list(outstanding)
        within = "in time" if timeout is None else f"within {timeout:g} s"
        some = ", ".join(repr(path) for path in self.outstanding[:3])
        more = f" (waiting for {some}{', ...' if len(self.outstanding) > 3 else ''})" if some else ""
        super().__init__(
            f"the index did not catch up {within}{more}: wait longer, or look at `currant status`"
        )


class ServiceUnreachable(RetryError):
    """The process that owned this root went away, or does not answer; try again to become the owner."""


class OwnerSuspendedError(RetryError):
    """The process that owns this root lives and does not run (SIGSTOP, a frozen control group, a debugger):
    nothing is indexed and nothing answered. `pid` is who, `why` the cause and the way out."""

    def __init__(self, pid: int, why: str) -> None:
        self.pid = pid
        self.why = why
        super().__init__(f"process {pid}, which owns the index, {why}")


class RootMissingError(RetryError):
    """The root is not there (removed, renamed, unmounted): the rows are as last seen."""

    def __init__(self, root: str) -> None:
        super().__init__(
            f"the root {root} is not there, so nothing can be brought up to date: put it back, and it is "
            f"found by itself; if it was renamed, stop the watcher and start it there"
        )


class RateLimited(RetryError):
    """Asked too often; `retry_after_s` seconds from now it is allowed again."""

    def __init__(self, action: str, limit: int, window_s: float, retry_after_s: float) -> None:
        self.action = action
        self.limit = limit
        self.window_s = window_s
        self.retry_after_s = retry_after_s
        super().__init__(
            f"{action}: at most {limit} in {window_s:g} s; try again in {math.ceil(retry_after_s)} s"
        )


class JobConflict(RetryError):
    """This cannot be done to the job in its present state. `live` is the job that is in the way: another one
    for the same thing, or itself; None when it is over."""

    def __init__(self, message: str, live: str | None = None) -> None:
        self.live = live
        super().__init__(message)


class ProjectNotReady(RetryError):
    """The project has no index to ask yet, or not now; `state` says why."""

    def __init__(self, project: str, state: str, reason: str = "") -> None:
        self.project = project
        self.state = state
        why = f" ({reason})" if reason else ""
        super().__init__(f"project {project!r} is {state}{why}: wait, or look at `currant project list`")


class GitError(RetryError):
    """git failed or said nothing for too long; the message has its last lines, without any password."""


# --- the index itself -------------------------------------------------------------------------------


class StoreError(CurrantError):
    """The index could not be read or written; the message carries SQLite's reason and the way out."""

    exit_code: int = 6


class StoreFullError(StoreError):
    """No space left for the index. Nothing was lost: free some space, and the commit is tried again."""


class StoreDamagedError(StoreError):
    """The index is damaged. Opening it again sets it aside and rebuilds it from the files."""


class StoreLostError(StoreDamagedError):
    """The files of an open index were removed, replaced or written to by others. A running watcher builds the
    index anew by itself."""


class StoreUnavailableError(StoreError):
    """The file system does not let the index be read or written now. Nothing was lost: repair it, and the
    commit is tried again."""


class SchemaTooNewError(StoreError):
    """A newer Currant wrote this index; it was left untouched."""

    def __init__(self, path: str, found: int, known: int) -> None:
        self.found = found
        self.known = known
        super().__init__(
            f"{path} has schema {found}, this Currant knows up to {known}: upgrade Currant, "
            f"or remove that file to build a new index"
        )


class UnsafeSQLiteError(StoreError):
    """The SQLite that apsw carries can lose commits (WAL-reset bug); upgrade apsw."""


class MissingResult(StoreError):
    """A result that was to be reused is no longer stored; read the file again."""

    def __init__(self, path: bytes) -> None:
        self.path = path
        super().__init__(f"{path!r}: the stored result was collected meanwhile; the file is read again")


# --- the two ends of a connection ------------------------------------------------------------------


class ProtocolError(CurrantError):
    """The other end of the socket sent something that is not the protocol."""


class RemoteError(CurrantError):
    """The owner answered with an error of a kind unknown here; `type_name` is what it called it."""

    def __init__(self, type_name: str, message: str, exit_code: int = 70) -> None:
        self.type_name = type_name
        self.exit_code = exit_code  # the owner's own code, for this instance alone
        super().__init__(message)


# --- report a bug -----------------------------------------------------------------------------------


class EngineError(CurrantError):
    """The native engine stopped; the index stays as of the last commit. Restart to go on."""
