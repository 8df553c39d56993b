"""What goes into the tools and what comes out, as types. Owns the names on the wire; their JSON Schemas are
made of these by `catalogue`, so that neither can say something else.

Lines count from 1. Paths are relative to the root, with ``/``; a byte that is not UTF-8 stands as ``\\xNN``.
Fields that have nothing to say are left out of an answer.
"""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

_Text = Annotated[str, Meta(min_length=1, max_length=500)]
_Path = Annotated[str, Meta(min_length=1, max_length=4_096)]
_Limit = Annotated[int, Meta(ge=1, le=200, description="At most this many.")]
_Offset = Annotated[int, Meta(ge=0, le=100_000, description="Leave out this many: next_offset of an answer.")]
_Glob = Annotated[
    str, Meta(max_length=1_000, description="Only in files like this: src/, *.py, src/**/test_*.")
]
_Kind = Annotated[str, Meta(max_length=100, description="Only this kind: function, class, method, ...")]
_Language = Annotated[str, Meta(max_length=100, description="Only this language: python, rust, ...")]
_Project = Annotated[str, Meta(max_length=500, description="Which project, by id or name (see status).")]


# --- arguments ------------------------------------------------------------------------------------------


class Arguments(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What every tool takes. `project` is offered by a server of several projects alone."""

    project: _Project = ""


class FindSymbol(Arguments, frozen=True, kw_only=True):
    """See `catalogue`."""

    name: Annotated[_Text, Meta(description="The name, or a part of it.")]
    kind: _Kind = ""
    language: _Language = ""
    path: _Glob = ""
    exact: Annotated[bool, Meta(description="Only this very name.")] = False
    limit: _Limit = 20
    offset: _Offset = 0


class Search(Arguments, frozen=True, kw_only=True):
    """See `catalogue`."""

    query: Annotated[_Text, Meta(description="Words; all of them must occur.")]
    kind: _Kind = ""
    language: _Language = ""
    path: _Glob = ""
    limit: _Limit = 20
    offset: _Offset = 0


class FileRecord(Arguments, frozen=True, kw_only=True):
    """See `catalogue`."""

    path: Annotated[_Path, Meta(description="From the root, or absolute.")]
    offset: _Offset = 0


class References(Arguments, frozen=True, kw_only=True):
    """See `catalogue`."""

    path: Annotated[_Path, Meta(description="From the root, or absolute.")]
    direction: Annotated[str, Meta(pattern="^(in|out|both)$", description="in, out or both.")] = "both"
    limit: _Limit = 50
    offset: _Offset = 0


class ChangesSince(Arguments, frozen=True, kw_only=True):
    """See `catalogue`."""

    clock: Annotated[
        str, Meta(max_length=200, description="Of an earlier answer. Without: only the clock.")
    ] = ""
    limit: _Limit = 50


class Status(Arguments, frozen=True, kw_only=True):
    """See `catalogue`."""


class Refresh(Arguments, frozen=True, kw_only=True):
    """See `catalogue`."""

    paths: Annotated[
        list[_Path],
        Meta(max_length=100, description="Only these files or directories; they go first. Default: all."),
    ] = []
    wait_seconds: Annotated[float, Meta(ge=0, le=60, description="At most.")] = 10.0


class Drift(Arguments, frozen=True, kw_only=True):
    """See `catalogue`."""

    path: Annotated[
        str, Meta(max_length=4_096, description="Only this document, or below this directory.")
    ] = ""
    kinds: Annotated[list[str], Meta(max_length=5, description="dead, anchor, name, older, header.")] = []
    limit: _Limit = 30
    offset: _Offset = 0


# --- answers --------------------------------------------------------------------------------------------


class Answer(msgspec.Struct, omit_defaults=True, kw_only=True):
    """What every answer says of itself."""

    fresh: Annotated[bool, Meta(description="Everything on disk when the question came is in the answer.")]
    clock: Annotated[str, Meta(description="For changes_since.")] = ""
    note: Annotated[str, Meta(description="What is missing from the answer, and what to do about it.")] = ""
    pending: Annotated[list[str], Meta(description="Some of the paths that are not in the index yet.")] = []
    degraded: Annotated[
        list[str], Meta(description="What works worse than it should; status says more.")
    ] = []
    more: Annotated[str, Meta(description="What was left out for brevity, and how to get it.")] = ""
    next_offset: int = 0


class Hit(msgspec.Struct, omit_defaults=True, kw_only=True):
    """One definition. `match` as in docs/find.md."""

    path: str
    line: int
    end: int = 0
    name: str
    kind: str
    parent: str = ""
    signature: str = ""
    doc: str = ""
    match: str = "exact"


class Hits(Answer, kw_only=True):
    """What find_symbol and search found, the best first."""

    hits: list[Hit]


class Outline(msgspec.Struct, omit_defaults=True, kw_only=True):
    """One definition of the file."""

    line: int
    end: int = 0
    name: str
    kind: str
    parent: str = ""
    signature: str = ""
    doc: str = ""


class Header(msgspec.Struct, omit_defaults=True, kw_only=True):
    """What the header of the file says."""

    intent: str = ""
    principles: list[str] = []
    constraints: list[str] = []
    dependencies: list[str] = []
    documents: list[str] = []
    latest_change: str = ""


class FileAnswer(Answer, kw_only=True):
    """What the index holds of one file. `fresh` is about this file alone."""

    path: str
    language: str = ""
    bytes: int = 0
    content: Annotated[str, Meta(description="xxh3-128 of the content: equal means unchanged.")] = ""
    state: Annotated[str, Meta(description="ok, or failed with a reason.")] = "ok"
    reason: str = ""
    notes: list[str] = []
    facts: dict[str, Any] = {}
    header: Header | None = None
    definitions: list[Outline] = []


class Incoming(msgspec.Struct, omit_defaults=True, kw_only=True):
    """Where another file names this one."""

    path: str
    line: int
    kind: str
    target: str


class Outgoing(msgspec.Struct, omit_defaults=True, kw_only=True):
    """Something that the file names, and what it leads to."""

    line: int
    kind: str
    target: str
    state: str
    leads_to: list[str] = []


class ReferencesAnswer(Answer, kw_only=True):
    """Both directions of one file."""

    path: str
    incoming_total: int = 0
    outgoing_total: int = 0
    incoming: list[Incoming] = []
    outgoing: list[Outgoing] = []


class Change(msgspec.Struct, omit_defaults=True, kw_only=True):
    """One change: created, modified, deleted or renamed."""

    path: str
    change: str
    old_path: str = ""


class ChangesAnswer(Answer, kw_only=True):
    """What changed, the oldest first. Go on from `clock`."""

    changes: list[Change] = []
    reset: Annotated[bool, Meta(description="The clock is not known here: anything may have changed.")] = (
        False
    )


class Trouble(msgspec.Struct, omit_defaults=True, kw_only=True):
    """Something that works worse than it should, and the way out."""

    code: str
    what: str
    fix: str = ""


class Failed(msgspec.Struct, omit_defaults=True, kw_only=True):
    """A file that is there and could not be indexed."""

    path: str
    reason: str


class ProjectLine(msgspec.Struct, omit_defaults=True, kw_only=True):
    """One project of the service."""

    id: str
    name: str
    root: str
    state: str


class StatusAnswer(Answer, kw_only=True):
    """What the index is doing. `files` of `total` are indexed; without `total` nobody knows yet."""

    root: str = ""
    phase: str = ""
    files: int = 0
    total: int = 0
    percent: float = 0.0
    eta_seconds: float | None = None
    definitions: int = 0
    languages: dict[str, int] = {}
    failed: int = 0
    failures: list[Failed] = []
    troubles: list[Trouble] = []
    owner_pid: int = 0
    version: str = ""
    projects: list[ProjectLine] = []


class RefreshAnswer(Answer, kw_only=True):
    """Whether the index is up to date now."""

    job: Annotated[str, Meta(description="Of a project from git: the job that fetches.")] = ""


class FindingLine(msgspec.Struct, omit_defaults=True, kw_only=True):
    """One thing that does not hold, at a line of a file."""

    path: str
    line: int
    kind: str
    target: str = ""
    reason: str


class DriftAnswer(Answer, kw_only=True):
    """What documents and headers say that does not hold."""

    total: int = 0
    by_kind: dict[str, int] = {}
    findings: list[FindingLine] = []
