"""Owns the operations on all jobs: how many there are and how they do, pauses, and what is deleted."""

from collections.abc import Mapping
from typing import Any, Final

from currant.clock import Clock
from currant.config import JobsSettings
from currant.errors import ClosedError, JobConflict, NoSuchJob, StoreError, UsageError
from currant.jobs import retention
from currant.jobs.claim import ALL
from currant.jobs.database import Database
from currant.jobs.manager import JobManager
from currant.jobs.model import FINAL, JobStatus, JobType

_WINDOWS: Final = ((60, "throughput_1m"), (300, "throughput_5m"), (900, "throughput_15m"))


class JobQueueManager:
    """The queue of one database. Thread-safe."""

    def __init__(
        self,
        database: Database,
        settings: JobsSettings | None = None,
        clock: Clock | None = None,
        *,
        manager: JobManager | None = None,
    ) -> None:
        """`manager`: who tells of changes; one of its own by default, to which nobody listens."""
        self.database = database
        self.settings = settings or JobsSettings()
        self.clock = clock or database.clock
        self.manager = manager or JobManager(database, self.settings, self.clock)

    def get_queue_status(self) -> dict[str, Any]:
        """Counts by status and ``total``; ``by_type`` (type -> status -> count); ``by_priority`` of what is
        pending; ``oldest_pending_age_s`` of what is due, None when nothing is; ``delayed``, pending and not
        due; ``running``; ``paused``; jobs that ended within the last minutes as ``throughput_1m``, ``_5m``,
        ``_15m``."""
        now = self.clock.now()
        with self.database.read() as connection:
            counted: list[Any] = connection.execute(
                "SELECT type, status, count(*) FROM job GROUP BY type, status"
            ).fetchall()
            pending: list[Any] = connection.execute(
                "SELECT priority, count(*) FROM job WHERE status = 'pending' GROUP BY priority"
            ).fetchall()
            waiting: Any = connection.execute(
                "SELECT min(run_at), count(*) FILTER (WHERE run_at > ?) FROM job WHERE status = 'pending'",
                (now,),
            ).fetchone()
            running: list[Any] = connection.execute(
                "SELECT id, type, project_id, started_at, lease_until, attempt, progress, message, worker,"
                " cancel_requested FROM job WHERE status = 'processing'"
            ).fetchall()
            ended = {
                name: connection.execute(
                    "SELECT count(*) FROM job WHERE finished_at > ?", (now - seconds,)
                ).get
                for seconds, name in _WINDOWS
            }
            paused = [kind for (kind,) in connection.execute("SELECT kind FROM pause ORDER BY kind")]
        oldest, delayed = waiting
        by_priority = dict(pending)
        told: dict[str, Any] = {str(status): 0 for status in JobStatus}
        by_type: dict[str, dict[str, int]] = {}
        for kind, status, count in counted:
            told[status] += count
            by_type.setdefault(kind, {str(one): 0 for one in JobStatus})[status] = count
        told["total"] = sum(told.values())
        return {
            **told,
            "delayed": delayed,
            "oldest_pending_age_s": None if oldest is None or oldest > now else now - oldest,
            "by_type": by_type,
            "by_priority": {
                name: by_priority.get(level, 0) for level, name in enumerate(("low", "normal", "high"))
            },
            "running": [
                {
                    "id": row[0],
                    "type": row[1],
                    "project_id": row[2],
                    "age_s": max(0.0, now - row[3]),
                    "lease_s": row[4] - now,
                    "attempt": row[5],
                    "progress": row[6],
                    "message": row[7],
                    "worker": row[8],
                    "cancel_requested": bool(row[9]),
                }
                for row in sorted(running, key=lambda row: (row[3], row[0]))
            ],
            "paused": paused,
            **ended,
        }

    def retry_failed_job(self, job_id: str) -> bool:
        """As `JobManager.retry`; False where that raises."""
        try:
            self.manager.retry(job_id)
        except (JobConflict, NoSuchJob):
            return False
        return True

    def cleanup_old_jobs(
        self, days: float | None = None, *, horizons: Mapping[JobStatus, float] | None = None
    ) -> int:
        """Delete what has been over for long, in batches; how many jobs. `days`: for all of it; `horizons`:
        seconds for each final status; neither: as the settings say, the old history and counts too."""
        now = self.clock.now()
        if days is not None:
            if days < 0:
                raise UsageError(f"days = {days}: must not be negative")
            horizons = dict.fromkeys(FINAL, days * retention.DAY)
        if horizons is not None:
            return retention.prune_jobs(self.database, horizons, now=now)
        retention.prune_rest(self.database, self.settings, now=now)
        return retention.prune_jobs(self.database, retention.horizons_of(self.settings), now=now)

    def pause(self, kind: JobType | str | None = None, *, by: str = "local") -> None:
        """Begin no more jobs of this type; None: none at all. What runs goes on. Lasts over restarts."""
        with self.database.write() as connection:
            connection.execute(
                "INSERT INTO pause VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                (_kind(kind), self.clock.now(), by),
            )

    def resume(self, kind: JobType | str | None = None) -> None:
        """Undo `pause`; None: whatever is paused."""
        with self.database.write() as connection:
            if kind is None:
                connection.execute("DELETE FROM pause")
            else:
                connection.execute("DELETE FROM pause WHERE kind = ?", (_kind(kind),))

    def paused(self) -> list[dict[str, Any]]:
        """What is paused: ``kind`` (a type, or ``*``), ``paused_at``, ``by``."""
        with self.database.read() as connection:
            rows = connection.execute("SELECT kind, paused_at, by FROM pause ORDER BY kind").fetchall()
        return [{"kind": kind, "paused_at": at, "by": by} for kind, at, by in rows]

    def health(self, now: float | None = None) -> dict[str, Any]:
        """``status`` (healthy or unhealthy), ``reasons`` in words, ``queue_status``, ``stuck_jobs`` (in work,
        and the lease over or nearly so: two heartbeats were missed), ``database_connected``. Writes nothing,
        raises nothing."""
        moment = self.clock.now() if now is None else now
        reasons: list[str] = []
        try:
            status = self.get_queue_status()
            with self.database.read() as connection:
                margin = max(0.0, self.settings.lease_s - 2 * self.settings.heartbeat_s)
                stuck = int(
                    connection.execute(
                        "SELECT count(*) FROM job WHERE status = 'processing' AND lease_until < ?",
                        (moment + margin,),
                    ).get
                )
        except (StoreError, ClosedError) as error:
            return {
                "status": "unhealthy",
                "reasons": [str(error)],
                "queue_status": None,
                "stuck_jobs": None,
                "database_connected": False,
            }
        if stuck:
            reasons.append(f"{stuck} job(s) in work without a sign of life from their worker")
        if not self.database.is_writable():
            reasons.append(f"{self.database.path} cannot be written")
        return {
            "status": "unhealthy" if reasons else "healthy",
            "reasons": reasons,
            "queue_status": status,
            "stuck_jobs": stuck,
            "database_connected": True,
        }


def _kind(kind: JobType | str | None) -> str:
    if kind is None or kind == ALL:
        return ALL
    try:
        return str(JobType(kind))
    except ValueError:
        raise UsageError(f"no such type of job: {kind!r}; known: {', '.join(JobType)}") from None
