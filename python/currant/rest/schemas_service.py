"""Owns the shapes of what the service says of itself, as types for the OpenAPI document: its queue, its
health, its budget, its upkeep and its schedules. `currant.rest.schemas` has those of projects, files, jobs.
"""

import msgspec


class RunningJob(msgspec.Struct, kw_only=True):
    """A job in work: since how many seconds, and for how many more its worker has it without a word."""

    id: str
    type: str
    project_id: str | None
    age_s: float
    lease_s: float
    attempt: int
    progress: float | None
    message: str | None
    worker: str | None
    cancel_requested: bool


class QueueStatus(msgspec.Struct, kw_only=True):
    """Jobs by state: all of them, of each type, and those that wait by priority. `delayed`: pending and not
    due. `oldest_pending_age_s`: for how long the oldest has been due; null when none is. `paused`: types of
    which none is begun. `throughput_1m` and so on: jobs that ended in the last minutes."""

    pending: int
    processing: int
    completed: int
    failed: int
    cancelled: int
    total: int
    delayed: int
    oldest_pending_age_s: float | None
    by_type: dict[str, dict[str, int]]
    by_priority: dict[str, int]
    running: list[RunningJob]
    paused: list[str]
    throughput_1m: int
    throughput_5m: int
    throughput_15m: int


class JobHealth(msgspec.Struct, kw_only=True):
    """``healthy``, or ``unhealthy`` with reasons. `stuck_jobs` have missed two heartbeats, or run for too
    long."""

    status: str
    reasons: list[str]
    queue_status: QueueStatus | None
    stuck_jobs: int | None
    database_connected: bool


class Trouble(msgspec.Struct, kw_only=True):
    """Something that works worse than it should, by the names of docs/service.md and docs/status.md, with the
    way out."""

    code: str
    what: str
    count: int
    fix: str


class SeenIndex(msgspec.Struct, kw_only=True):
    """What was seen of an index last; `owner` is the process that keeps it."""

    done: int
    total: int
    bytes: int
    files_per_second: float
    eta_seconds: float | None
    phase: str
    owner: int | None


class Origin(msgspec.Struct, kw_only=True):
    """When a clone was fetched last, in seconds since the epoch, and why the try after that failed."""

    fetched_at: float | None
    error: str | None


class SeenProject(msgspec.Struct, kw_only=True):
    """A project as the service saw it last, which asks no index. `origin` is null for a directory."""

    id: str
    name: str
    root: str
    source: str
    kind: str
    state: str
    error: str | None
    created_at: float
    index: SeenIndex | None
    origin: Origin | None


class Budget(msgspec.Struct, kw_only=True):
    """What is used, what may be (null: no limit), how far the service steps back (`step` 0 to 4), and what
    that means: docs/service.md. `others_share` of the machine's CPUs is 0 to 1."""

    step: int
    memory_bytes: int
    memory_limit_bytes: int | None
    cpus: float
    cpus_limit: float | None
    watches: int
    watches_limit: int | None
    others_share: float
    cpu_pressure: float | None
    memory_pressure: float | None
    llm_paused: bool
    cache_share: float
    workers: int | None
    rest: float
    collect_seconds: float


class ServiceStatus(msgspec.Struct, kw_only=True):
    """The service as a whole; docs/service.md says more. `states`: how many projects are in each."""

    pid: int
    home: str
    phase: str
    started_at: float
    uptime_seconds: float
    states: dict[str, int]
    projects: list[SeenProject]
    queue: QueueStatus
    budget: Budget
    degraded: list[Trouble]


class UpkeepTask(msgspec.Struct, kw_only=True):
    """One task of upkeep and how it did since its first run ever. Times are seconds since the epoch;
    `next_run` null: only when somebody asks; `running`: since when, or null."""

    name: str
    task: str
    interval_s: int
    last_run: float | None
    run_count: int
    error_count: int
    mean_seconds: float
    skipped: int
    last_error: str | None
    last_error_at: float | None
    next_run: float | None
    running: float | None


class Maintenance(msgspec.Struct):
    """All tasks of upkeep."""

    tasks: list[UpkeepTask]


class ScheduleEntry(msgspec.Struct, kw_only=True):
    """Something that is done by the clock. Times are seconds since the epoch; `next_run` null: not
    scheduled."""

    name: str
    what: str
    enabled: bool
    interval_s: int
    source: str
    paused: bool
    next_run: float | None
    last_run: float | None
    run_count: int
    error_count: int
    mean_seconds: float
    skipped: int
    last_error: str | None
    last_error_at: float | None
    problem: str | None


class ScheduleChanged(msgspec.Struct):
    """The schedule as it is now, and how many jobs a trigger has put into the queue."""

    schedule: ScheduleEntry
    added: int


class Schedules(msgspec.Struct):
    """All schedules."""

    schedules: list[ScheduleEntry]
