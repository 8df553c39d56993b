"""Projects and jobs in plain values, as they go with events and into the status."""

from typing import Any

import msgspec

from currant.hub.ledger import Project
from currant.jobs import Job


def plain(project: Project) -> dict[str, Any]:
    """All fields."""
    told: dict[str, Any] = msgspec.to_builtins(project)
    return told


def plain_job(job: Job) -> dict[str, Any]:
    """A job as it goes with an event: what a page shows of it."""
    return {
        **{"id": job.id, "type": job.type, "project_id": job.project_id, "status": str(job.status)},
        **{"progress": job.progress, "message": job.message, "error": job.error, "attempt": job.attempt},
        **{"priority": job.priority.name.lower(), "cancel_requested": job.cancel_requested},
        **{"created_at": job.created_at, "started_at": job.started_at, "finished_at": job.finished_at},
    }
