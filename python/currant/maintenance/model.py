"""The values of upkeep: the tasks, what is known of their runs, and what a project has to offer."""

from collections.abc import Callable
from enum import Enum
from typing import Any, Final, Protocol

import msgspec

from currant.config import MaintenanceSettings

ProcessorConfig = MaintenanceSettings
"""The settings under their name in the processor; seconds."""


class BackgroundTask(Enum):
    """One kind of upkeep."""

    CleanupConnections = "cleanup_connections"
    OptimizeIndex = "optimize_index"
    HealthCheck = "health_check"
    CacheEviction = "cache_eviction"
    MetricsCollection = "metrics_collection"


INTERVALS: Final[dict[BackgroundTask, Callable[[ProcessorConfig], int]]] = {
    BackgroundTask.CleanupConnections: lambda config: config.cleanup_interval,
    BackgroundTask.OptimizeIndex: lambda config: config.optimization_interval,
    BackgroundTask.HealthCheck: lambda config: config.health_check_interval,
    BackgroundTask.CacheEviction: lambda config: config.eviction_interval,
    BackgroundTask.MetricsCollection: lambda config: config.metrics_interval,
}
"""Seconds from one run to the next; 0: only when somebody asks."""


class TaskStats(msgspec.Struct, frozen=True):
    """What is known of a task, since its first run ever. Times are wall seconds, durations seconds.

    `next_run` None: only when somebody asks. `running`: since when a run is under way, else None.
    """

    task: str
    interval_s: int
    last_run: float | None = None
    run_count: int = 0
    error_count: int = 0
    mean_seconds: float = 0.0
    skipped: int = 0
    last_error: str | None = None
    last_error_at: float | None = None
    next_run: float | None = None
    running: float | None = None


class TaskRun(msgspec.Struct, frozen=True):
    """One finished run. `results` by project (``""``: the process itself); `error` None when all is well."""

    task: str
    started_at: float
    seconds: float
    results: dict[str, Any]
    error: str | None = None


class MaintenanceTarget(Protocol):
    """A project that is kept up. Called from any thread, by one task of a kind at a time; may raise."""

    @property
    def name(self) -> str:
        """What people call it."""

    def optimize(self, budget_s: float, cancelled: Callable[[], bool]) -> dict[str, Any]:
        """Statistics, merges, log, free pages: at most `budget_s` seconds of work, in short steps."""

    def cleanup_connections(self) -> dict[str, Any]:
        """Let go of connections that nobody used for a whole interval."""

    def evict(self, fraction: float) -> dict[str, Any]:
        """Give back this part (0 to 1) of the memory that can be given back."""

    def refresh_cache(self) -> dict[str, Any]:
        """Let go of what is cached and was not asked for since the call before."""

    def audit(self, check: Callable[[], None]) -> dict[str, Any]:
        """Compare the whole project with its disk, and repair what has drifted; `check` raises to end it."""

    def health(self) -> dict[str, Any]:
        """``ok``, and what is wrong: ``problems``, a list of short texts."""

    def metrics(self) -> dict[str, Any]:
        """Numbers, cheaply."""
