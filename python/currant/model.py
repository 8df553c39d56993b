"""Owns the values that travel between the parts. Plain data: no I/O, no clock, no imports of ours.

Paths are `str` with surrogateescape in what people and callers see, `bytes` (``os.fsencode``) on the way
into the index. All are relative to the root, with ``/`` between components. Times: `float` seconds since
the Unix epoch, or integers named ``_ns``. Lines count from 1 and ranges include both ends.

What callers of the API get is a dataclass, the rest a Struct: the class is made in a tenth of the time, at
each start, and so is each value.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import msgspec


class ChangeType(StrEnum):
    """What happened to a path, as derived from the disk and the index, never as reported by an event."""

    CREATED = "created"
    MODIFIED = "modified"
    DELETED = "deleted"
    RENAMED = "renamed"


class FileChange(msgspec.Struct, frozen=True):
    """One path (for directories: one subtree) to bring up to date.

    `ticket` is the engine's, 0 for a change made by hand; `attempts` counts earlier failures; `cause` is
    ``event``, ``scan``, ``retry`` or ``request``.
    """

    path: str
    change_type: ChangeType
    timestamp: float
    old_path: str | None = None
    is_dir: bool = False
    ticket: int = 0
    attempts: int = 0
    cause: str = "event"


class FileStat(msgspec.Struct, frozen=True, gc=False):
    """What identifies one version of a file on disk."""

    size: int
    mtime_ns: int
    ctime_ns: int
    ino: int


MAX_HASHED_BYTES = 1 << 30
"""A larger file is not read through. It takes no disk to have a file of 16 TiB: a hole has a size, too."""


def stand_in(stat: FileStat) -> bytes:
    """16 bytes in place of the content hash of a file above `MAX_HASHED_BYTES`. Without the change time, that
    a second name or other rights of the file change as well."""
    text = f"unhashed {stat.size} {stat.mtime_ns} {stat.ino}"
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


# --- what extractors say ------------------------------------------------------------------------------


class Symbol(msgspec.Struct, frozen=True, gc=False):
    """One definition in a file: lines `start`..`end`, `parent` the enclosing definition's name."""

    name: str
    kind: str
    parent: str | None
    start: int
    end: int
    signature: str
    doc: str


class HistoryEntry(msgspec.Struct, frozen=True):
    """One change that the header of a file tells of. `timestamp` is ISO 8601, None when there was none."""

    timestamp: str | None
    summary: str | None
    details: list[str] = []


class Dependency(msgspec.Struct, frozen=True):
    """What a header says its file depends on. `kind`: ``codebase`` (`name` is a path of the tree), ``system``
    (a package or a module), ``other``; what is written without a kind is ``other``."""

    kind: str
    name: str


class Header(msgspec.Struct, frozen=True):
    """What the leading comment or docstring of a file says, in lines `start`..`end`.

    `form` is ``template`` when it has sections of the header template, else ``comment``, ``docstring`` or
    ``prose``. `other` has the sections of the template that no field is for, by their titles as written.
    """

    form: str
    start: int
    end: int
    intent: str | None = None
    design_principles: list[str] = []
    constraints: list[str] = []
    reference_documentation: list[str] = []
    dependencies: list[Dependency] = []
    change_history: list[HistoryEntry] = []
    other: dict[str, str] = {}


class Reference(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Something that a content names, as it stands there; what it leads to is decided when it is asked for.

    `kind`: ``link``, ``image``, ``include``, ``doc`` and ``ref`` (Sphinx roles), ``path`` and ``name`` (in
    backticks), ``dependency`` (of a header), ``url``; ``anchor``: a place in this content that others may
    name; ``header``: the newest time in the history of a header of the template, ``-`` without any. `quiet`:
    a comment next to it says that nothing is to be reported of it.
    """

    kind: str
    target: str
    line: int
    quiet: bool = False


class Record(msgspec.Struct, frozen=True):
    """What is known about one content. Holds no path: equal contents share one record.

    `notes` say what a reader must know, such as ``binary`` or ``skipped: 14 MB > extract.max_file_mb 8``.
    `facts` are small JSON values by name, from annotators. Fields are only ever added, with a default, so
    that a record stored by an older version can be read.
    """

    language: str | None
    symbols: list[Symbol]
    notes: list[str]
    facts: dict[str, Any] = {}
    header: Header | None = None
    references: list[Reference] = []


class Packed(msgspec.Struct, frozen=True):
    """A record that the native core has made already as it is stored; `currant.packed` opens it again.

    `pieces`: (stored form, terms of the names, terms of the documentation); None for terms that are to be
    made from the record, because letter case beyond ASCII is Python's. `references`: (kind, target, line,
    quiet)."""

    language: str
    pieces: list[tuple[bytes, str | None, str | None]]
    symbols: int
    references: list[tuple[str, str, int, bool]]


class ResultKey(msgspec.Struct, frozen=True, gc=False):
    """What a result depends on, and nothing else.

    `content` is the 16-byte xxh3-128 of the file, `language` is ``""`` for none, `extractor` names
    extractor, version and configuration (``outline/3:py-1``).
    """

    content: bytes
    language: str
    extractor: str


# --- what the writer commits --------------------------------------------------------------------------


class Upsert(msgspec.Struct, frozen=True):
    """This file has this stat and this result.

    `record` None: the result is already stored under `key`. `old_path`: it was renamed from there.
    `seen_at`: wall time of the read. `racy`: it may have changed within its timestamps' resolution, so the
    next start reads it again.
    """

    path: bytes
    stat: FileStat
    key: ResultKey
    record: Record | Packed | None
    old_path: bytes | None
    cause: str
    seen_at: float
    attempts: int
    racy: bool


class Remove(msgspec.Struct, frozen=True, gc=False):
    """This file is gone."""

    path: bytes
    cause: str


class RemoveTree(msgspec.Struct, frozen=True, gc=False):
    """This path and everything below it is gone; ``b""`` is the root."""

    path: bytes
    cause: str


class MoveTree(msgspec.Struct, frozen=True, gc=False):
    """Everything strictly below `old` is now below `new`, unread and unchanged."""

    old: bytes
    new: bytes
    cause: str


class Failure(msgspec.Struct, frozen=True):
    """This file exists but could not be indexed. `stat` None: not even lstat worked.

    `retry_at`: wall time of the next try, None for never (until it changes, or the next start).
    """

    path: bytes
    stat: FileStat | None
    reason: str
    attempts: int
    retry_at: float | None
    cause: str


Item = Upsert | Remove | RemoveTree | MoveTree | Failure


class CommitInfo(msgspec.Struct, frozen=True):
    """One finished commit. `generation` counts this process's commits; `dropped` are ids of
    records that files stopped pointing to (another file may still do so); `changes` counts feed rows."""

    clock: str
    generation: int
    items: int
    changes: int
    dropped: frozenset[int]


class Opened(msgspec.Struct, frozen=True, gc=False):
    """How the index was found: ``existing``, ``created``, ``migrated`` or ``rebuilt``.

    For ``rebuilt``, `reason` says what was wrong and `set_aside` where the damaged file is now, None if
    there was nothing left of it.
    """

    how: str
    reason: str | None = None
    set_aside: str | None = None

    @property
    def message(self) -> str | None:
        """One sentence for people, None when there is nothing to tell."""
        if self.how != "rebuilt":
            return None
        if self.set_aside is None:
            return f"the index was lost ({self.reason}), and a new one is being built"
        return (
            f"the index was damaged ({self.reason}); it is now {self.set_aside}, and a new one is being built"
        )


# --- what readers get ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Definition:
    """One definition that `find` found.

    `match` says how: ``exact``, ``case`` (other letter case), ``prefix``, ``word`` (the beginning of a word
    in the name), ``part``, ``typo``, or ``documentation``, with a `snippet` of the text then. What stands in
    the header of a file is a match of the kind ``file``.
    """

    path: str
    name: str
    kind: str
    language: str | None
    parent: str | None
    start: int
    end: int
    signature: str
    doc: str
    match: str = "exact"
    snippet: str | None = None


@dataclass(frozen=True, slots=True)
class FileView:
    """Everything the index holds about one file.

    `state` is ``ok`` or ``failed``; a failed file has a `reason` and no record. `content` is the hash in
    hex. `indexed_at` is the wall time of the read the row rests on. `outdated`: the record is by an extractor
    that is not in use any more, and is going to be replaced.
    """

    path: str
    stat: FileStat
    language: str | None
    record: Record | None
    content: str | None
    extractor: str | None
    indexed_at: float
    state: str
    reason: str | None
    outdated: bool = False


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """One row of the change feed. `clock` is where to go on from after it."""

    path: str
    change_type: ChangeType
    old_path: str | None
    at: float
    clock: str


@dataclass(frozen=True, slots=True)
class ChangePage:
    """Some of what changed since a clock, oldest first.

    `clock`: ask again with this one. `more`: there is more right now. `fresh_instance`: the clock asked
    for means nothing here (unknown, or its rows were trimmed), so forget what you had; this page and
    those after it list every file as created, and then go on with the feed.
    """

    changes: list[ChangeRow]
    clock: str
    fresh_instance: bool
    more: bool


@dataclass(frozen=True, slots=True)
class Provenance:
    """Why a file's row says what it says.

    `reused_from`: the path whose result was taken over; ``""`` when an earlier content came back; None
    when this file was extracted itself. `clock`: since when the row has had this content. `outdated` as in
    `FileView`.
    """

    path: str
    state: str
    cause: str
    seen_at: float
    attempts: int
    racy: bool
    content: str | None
    language: str | None
    extractor: str | None
    extracted_at: float | None
    reused_from: str | None
    shared_with: int
    reason: str | None
    retry_at: float | None
    clock: str
    outdated: bool = False


class Held(msgspec.Struct, frozen=True):
    """The row of one file as the audit compares it with the disk; `content` is the hash in hex."""

    path: str
    stat: FileStat
    state: str
    content: str | None


@dataclass(frozen=True, slots=True)
class FailureRow:
    """One file that could not be indexed."""

    path: str
    reason: str
    attempts: int
    retry_at: float | None
    seen_at: float


@dataclass(frozen=True, slots=True)
class Freshness:
    """How current an answer is: as of `clock`; `fresh` False means `outstanding` paths were pending.
    `degraded` has the short names of what works worse than it should; ``status`` says more of each."""

    clock: str
    fresh: bool
    outstanding: list[str] = field(default_factory=list)
    degraded: list[str] = field(default_factory=list)


class SyncResult(msgspec.Struct, frozen=True):
    """The outcome of a sync, shaped as `Freshness`."""

    clock: str
    fresh: bool
    outstanding: list[str] = []


class Progress(msgspec.Struct, frozen=True, gc=False):
    """How much of how much. `bytes` were read so far; `eta_seconds` None while it cannot be told."""

    done: int
    total: int
    bytes: int
    files_per_second: float
    eta_seconds: float | None
    phase: str


class Throttle(msgspec.Struct, frozen=True):
    """How far a service is to step back, for others' sake (`currant.budget`).

    `llm_paused`: no model is asked. `cache_share`: of the cache's size, 0 to 1. `workers`: how many may work,
    None for all. `rest`: seconds of rest for each second of work. `collect_s`: seconds between two takings of
    changes. `states` is what its status says of that."""

    llm_paused: bool = False
    cache_share: float = 1.0
    workers: int | None = None
    rest: float = 0.0
    collect_s: float = 0.0
    states: "tuple[Degraded, ...]" = ()


class Degraded(msgspec.Struct, frozen=True, gc=False):
    """Something works worse than it should: its short name, what it is, how often, and how to repair it."""

    code: str
    what: str
    count: int
    fix: str

    def as_dict(self) -> Mapping[str, object]:
        """The shape it has in ``status``."""
        return {"code": self.code, "what": self.what, "count": self.count, "fix": self.fix}
