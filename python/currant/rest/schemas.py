"""Owns the shapes of what goes out, as types: the OpenAPI document is made from them, nothing is checked by
them at run time. `tests/test_rest_contract.py` holds real answers against them.

Every answer about an index is a `Told`: its clock, and whether that is all there is.
"""

from typing import Any, Literal

import msgspec

from currant.graph import Drift, References
from currant.model import ChangeRow, Definition, FailureRow, Provenance
from currant.projects import Skills, TaskProgress
from currant.record import Document


class Progressing(msgspec.Struct):
    """How much of how much is indexed; `eta_seconds` null while it cannot be told."""

    done: int
    total: int
    bytes: int
    files_per_second: float
    eta_seconds: float | None
    phase: str


class Told(msgspec.Struct, kw_only=True):
    """In front of every answer about an index: it holds everything up to `clock`; `fresh` says whether that
    is everything on disk, `outstanding` names up to 20 paths that are not in it, `degraded` what works worse
    than it should, by the names of docs/status.md; `progress` is null when it is fresh."""

    clock: str
    fresh: bool
    outstanding: list[str]
    degraded: list[str]
    progress: Progressing | None


class Found(Told, kw_only=True):
    """Definitions, the best match first; `more`: there are others that match less well."""

    definitions: list[Definition]
    more: bool


class ListedFile(msgspec.Struct):
    """One file of a listing; `language` null when it has none, `state` ``ok`` or ``failed``."""

    path: str
    size: int
    state: str
    language: str | None


class Files(Told, kw_only=True):
    """Files in the order of their bytes; `next` is the cursor of the next page, null behind the last."""

    files: list[ListedFile]
    next: str | None


class FileAnswer(Told, kw_only=True):
    """All that the index holds of one file, as `currant show --json` says it."""

    file: dict[str, Any]


class RecordAnswer(Told, kw_only=True):
    """The record of one file in the published shape (docs/record.md); null when the file could not be
    read."""

    record: Document | None


class RefsAnswer(Told, kw_only=True):
    """What one file names, and who names it."""

    refs: References


class WhyAnswer(Told, kw_only=True):
    """How the row of one file came about."""

    why: Provenance


class DriftAnswer(Told, kw_only=True):
    """What documents and headers say that does not hold. The counts are of all findings, not of the page."""

    drift: Drift
    next: str | None


class ProgressAnswer(Told, kw_only=True):
    """How much of the task lists is done. `progress` in front of it is that of indexing."""

    task_progress: TaskProgress


class SkillsAnswer(Told, kw_only=True):
    """What the tree is made with."""

    skills: Skills


class FailuresAnswer(Told, kw_only=True):
    """Files that exist and could not be indexed, and why, in the order of their bytes."""

    failures: list[FailureRow]
    next: str | None


class ChangesAnswer(Told, kw_only=True):
    """What changed since a clock, oldest first. `next` is the clock to go on from; `more`: there is more
    right now. `fresh_instance`: the clock asked for means nothing here, so forget what you had; every file
    comes as created."""

    changes: list[ChangeRow]
    next: str
    more: bool
    fresh_instance: bool


class StatusAnswer(Told, kw_only=True):
    """The status of the index, with the keys of docs/status.md."""

    status: dict[str, Any]


class ProjectEntry(msgspec.Struct, kw_only=True):
    """One project. `state`: ``new``, ``cloning``, ``indexing``, ``ready``, ``missing``, ``failed``,
    ``removing``. `kind`: ``path`` or ``git``. `source` holds no password. `index` is null while there is none
    to ask."""

    id: str
    name: str
    root: str
    source: str
    kind: Literal["path", "git"]
    state: str
    error: str | None
    created_at: float
    index: "ProjectIndex | None"


class ProjectIndex(Told, kw_only=True):
    """How a project's index is, without waiting for it."""

    phase: str
    files: int
    failed: int
    symbols: int
    pending: int
    by_language: dict[str, int]
    files_per_second: float


class Projects(msgspec.Struct):
    """All projects, by name."""

    projects: list[ProjectEntry]


class JobEntry(msgspec.Struct, kw_only=True):
    """One job with all its fields. Times are seconds since the epoch, UTC."""

    id: str
    type: str
    project_id: str | None
    client: str
    trigger: str
    status: Literal["pending", "processing", "completed", "failed", "cancelled"]
    priority: int
    created_at: float
    run_at: float
    started_at: float | None
    finished_at: float | None
    attempt: int
    max_attempts: int
    retry_count: int
    rescued: int
    progress: float | None
    message: str | None
    args: dict[str, Any]
    result: dict[str, Any] | None
    error: str | None
    errors: list[dict[str, Any]]
    unique_key: str | None
    worker: str | None
    lease_until: float | None
    cancel_requested: bool
    timeout_s: float | None
    fence: int
    revision: int


class Jobs(msgspec.Struct):
    """Jobs, the newest first; `next` is the cursor of the next page, null behind the last."""

    jobs: list[JobEntry]
    next: str | None


class JobState(msgspec.Struct, kw_only=True):
    """The state of one job, for who polls it. Times are ISO 8601, UTC."""

    id: str
    type: str
    status: str
    project_id: str | None
    created_at: str
    started_at: str | None
    completed_at: str | None
    result: dict[str, Any] | None
    error: str | None
    retry_count: int
    progress: float | None
    message: str | None
    attempt: int
    max_attempts: int
    cancel_requested: bool


class Added(msgspec.Struct):
    """The new project, and the job that clones and indexes it."""

    project: ProjectEntry
    job: JobEntry


class Queued(msgspec.Struct):
    """A job that waits for its turn; `created` false: it was there already."""

    job_id: str
    status: str
    message: str
    created: bool
    job: JobEntry


class Cancelled(msgspec.Struct):
    """What a cancellation came to: ``cancelled``, or ``cancel_requested`` of a job that is running."""

    outcome: Literal["cancelled", "cancel_requested"]
    job: JobEntry


class Word(msgspec.Struct):
    """For supervisors."""

    status: str


class Reasons(msgspec.Struct):
    """For supervisors: ``ready``, or why not."""

    status: str
    reasons: list[str]


class ProblemBody(msgspec.Struct, kw_only=True):
    """An error, as RFC 9457 has it. `type` is what a program looks at; docs/rest.md lists them."""

    type: str
    title: str
    status: int
    detail: str
    instance: str | msgspec.UnsetType = msgspec.UNSET
    error: str | msgspec.UnsetType = msgspec.UNSET
    retry_after: float | msgspec.UnsetType = msgspec.UNSET


class NewProject(msgspec.Struct, forbid_unknown_fields=True):
    """What `POST /projects` takes: a directory of this machine or the address of a git repository."""

    source: str
    name: str | None = None
