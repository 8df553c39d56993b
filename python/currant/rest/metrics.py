"""Owns the metrics: their names, and how they come about. docs/metrics.md lists every one of them.

Requests and jobs are counted as they happen; all else is asked when somebody scrapes. A registry of its own:
two services in one process, or tests, do not share counts. Nothing here counts for each file.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from currant.errors import CurrantError

if TYPE_CHECKING:
    from currant.hub import Hub

_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_JOB_SECONDS: Final = (0.01, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0)

# name of a project's gauge -> (what it is, the value in a status)
_OF_AN_INDEX: Final[Mapping[str, tuple[str, Callable[[Mapping[str, Any]], float]]]] = {
    "currant_index_fresh": ("1 when the index shows what is on disk", lambda s: float(bool(s.get("fresh")))),
    "currant_index_pending": (
        "Changes not in the index yet",
        lambda s: float(s.get("pending") or 0),
    ),
    "currant_index_files": ("Files in the index", lambda s: float(s["index"]["files"])),
    "currant_index_failed_files": ("Files that could not be indexed", lambda s: float(s["index"]["failed"])),
    "currant_index_symbols": ("Definitions in the index", lambda s: float(s["index"]["symbols"])),
    "currant_index_cache_bytes": ("Decoded records in memory", lambda s: float(s["cache"]["bytes"])),
    "currant_index_files_per_second": (
        "Files committed, over the last ten seconds",
        lambda s: float(s["stats"]["recent_files_per_second"]),
    ),
}
_COUNTED_OF_AN_INDEX: Final[Mapping[str, tuple[str, Callable[[Mapping[str, Any]], float]]]] = {
    "currant_index_processed_files": (
        "Files committed since the index was opened",
        lambda s: float(s["processed_files"]),
    ),
    "currant_index_reused_results": (
        "Contents that were known already",
        lambda s: float(s["stats"]["reused_results"]),
    ),
    "currant_index_hashed_bytes": ("Read from disk", lambda s: float(s["stats"]["bytes_hashed"])),
}


class Metrics:
    """The metrics of one service."""

    def __init__(self, version: str) -> None:
        # When a counter began is of no use, and doubles their number.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        self._state = _State()
        self.registry.register(self._state)
        ProcessCollector(registry=self.registry)
        info = Gauge("currant_info", "The version that runs; always 1", ["version"], registry=self.registry)
        info.labels(version).set(1)
        self.requests = Counter(
            "currant_http_requests",
            "Requests by method, route and status",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self.request_seconds = Histogram(
            "currant_http_request_seconds",
            "From the request to the end of the answer; streams are not in it",
            ["route"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.streams = Gauge("currant_http_streams", "Event streams that are open", registry=self.registry)
        self.finished = Counter(
            "currant_jobs_finished", "Jobs that ended", ["type", "status"], registry=self.registry
        )
        self.job_seconds = Histogram(
            "currant_job_seconds",
            "From the start of a job to its end",
            ["type"],
            buckets=_JOB_SECONDS,
            registry=self.registry,
        )
        self.job_wait_seconds = Histogram(
            "currant_job_wait_seconds",
            "From when a job was due to its start",
            ["type"],
            buckets=_JOB_SECONDS,
            registry=self.registry,
        )

    def job_changed(self, job: Any) -> None:
        """Listens to the manager of jobs; on any thread."""
        if job.status not in ("completed", "failed", "cancelled"):
            return
        self.finished.labels(str(job.type), str(job.status)).inc()
        if job.started_at is not None and job.finished_at is not None:
            self.job_seconds.labels(str(job.type)).observe(max(0.0, job.finished_at - job.started_at))
            self.job_wait_seconds.labels(str(job.type)).observe(max(0.0, job.started_at - job.run_at))

    def exposition(self, hub: "Hub", accept: str = "") -> tuple[bytes, str]:
        """The text for a scrape, and its media type."""
        encode, media_type = choose_encoder(accept)
        self._state.hub = hub
        return encode(self.registry), media_type


class _State(Collector):
    """What is asked when somebody scrapes. What cannot be asked is left out, and the scrape still answers."""

    hub: "Hub | None" = None

    def collect(self) -> Iterable[Metric]:
        if self.hub is None:
            return
        for part in (_queue, _projects, _maintenance, _schedules):
            try:
                yield from list(part(self.hub))
            except (CurrantError, AttributeError):  # a part that this service does not have
                continue


def _queue(hub: Any) -> Iterator[Metric]:
    status = hub.queue.get_queue_status()
    jobs = GaugeMetricFamily("currant_jobs", "Jobs in the ledger", labels=["status"])
    for name in ("pending", "processing", "completed", "failed", "cancelled"):
        jobs.add_metric([name], float(status[name]))
    yield jobs
    age = GaugeMetricFamily("currant_job_oldest_pending_seconds", "How long the oldest job has been due")
    age.add_metric([], float(status.get("oldest_pending_age_s") or 0.0))
    yield age


def _projects(hub: Any) -> Iterator[Metric]:
    states = GaugeMetricFamily("currant_projects", "Projects by state", labels=["state"])
    counted: dict[str, int] = {}
    told: list[tuple[str, Mapping[str, Any]]] = []
    for project in hub.projects():
        counted[project.state] = counted.get(project.state, 0) + 1
        try:
            told.append((project.name, hub.index(project.id).status()))
        except CurrantError:
            continue
    for state, count in sorted(counted.items()):
        states.add_metric([state], count)
    yield states
    for name, (text, value) in _OF_AN_INDEX.items():
        gauge = GaugeMetricFamily(name, text, labels=["project"])
        _fill(gauge, told, value)
        yield gauge
    for name, (text, value) in _COUNTED_OF_AN_INDEX.items():
        counter = CounterMetricFamily(name, text, labels=["project"])
        _fill(counter, told, value)
        yield counter
    degraded = GaugeMetricFamily(
        "currant_index_degraded", "1 for each state that is worse than perfect", labels=["project", "code"]
    )
    for project_name, status in told:
        for code in sorted({one["code"] for one in status.get("degraded", [])}):
            degraded.add_metric([project_name, code], 1.0)
    yield degraded


def _fill(
    family: GaugeMetricFamily | CounterMetricFamily,
    told: Iterable[tuple[str, Mapping[str, Any]]],
    value: Callable[[Mapping[str, Any]], float],
) -> None:
    for project, status in told:
        try:
            family.add_metric([project], value(status))
        except (KeyError, TypeError):  # an owner that is stopped says less
            continue


def _maintenance(hub: Any) -> Iterator[Metric]:
    stats = hub.maintenance.get_stats()
    runs = CounterMetricFamily("currant_maintenance_runs", "Runs of an upkeep task", labels=["task"])
    errors = CounterMetricFamily("currant_maintenance_errors", "Runs that failed", labels=["task"])
    skipped = CounterMetricFamily("currant_maintenance_skipped", "Runs that were skipped", labels=["task"])
    mean = GaugeMetricFamily("currant_maintenance_mean_seconds", "Mean duration of a run", labels=["task"])
    last = GaugeMetricFamily(
        "currant_maintenance_last_run_timestamp_seconds", "When it last ran", labels=["task"]
    )
    for one in stats:
        task = one.task
        runs.add_metric([task], float(one.run_count))
        errors.add_metric([task], float(one.error_count))
        skipped.add_metric([task], float(one.skipped))
        mean.add_metric([task], float(one.mean_seconds or 0.0))
        if one.last_run is not None:
            last.add_metric([task], float(one.last_run))
    yield from (runs, errors, skipped, mean, last)


def _schedules(hub: Any) -> Iterator[Metric]:
    following = GaugeMetricFamily(
        "currant_schedule_next_run_timestamp_seconds", "When a schedule is due next; absent while paused",
        labels=["schedule"],
    )  # fmt: skip
    for name, at in ({} if hub.scheduler is None else hub.scheduler.next_runs()).items():
        if at is not None:
            following.add_metric([name], at)
    yield following
