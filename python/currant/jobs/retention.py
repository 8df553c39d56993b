"""Owns what is deleted when: jobs that are over, the history of refreshes, counts of limits.

In batches, each its own transaction, so that nobody waits for a long one.
"""

from collections.abc import Mapping
from typing import Final

import apsw

from currant.config import JobsSettings
from currant.jobs.database import Database
from currant.jobs.model import FINAL, JobStatus

BATCH: Final = 500
HOUR: Final = 3600.0
DAY: Final = 86_400.0


def horizons_of(settings: JobsSettings) -> dict[JobStatus, float]:
    """Seconds for which a job that is over is kept."""
    return {
        JobStatus.COMPLETED: settings.keep_completed_h * HOUR,
        JobStatus.CANCELLED: settings.keep_cancelled_h * HOUR,
        JobStatus.FAILED: settings.keep_failed_h * HOUR,
    }


def prune_jobs(
    database: Database, horizons: Mapping[JobStatus, float], *, now: float, batch: int = BATCH
) -> int:
    """Delete jobs that have been over for longer than the horizon of their status; how many. A status that is
    not in `horizons` is kept. Raises ValueError for one that is not final."""
    if wrong := set(horizons) - set(FINAL):
        raise ValueError(f"only what is over can be deleted, not {', '.join(sorted(wrong))}")
    deleted = 0
    for status, kept_s in horizons.items():
        while True:
            with database.write() as connection:
                connection.execute(
                    "DELETE FROM job WHERE id IN (SELECT id FROM job WHERE finished_at IS NOT NULL"
                    " AND finished_at < ? AND status = ? LIMIT ?)",
                    (now - kept_s, str(status), batch),
                )
                count = connection.changes()
            deleted += count
            if count < batch:
                break
    return deleted


def prune_rest(database: Database, settings: JobsSettings, *, now: float, batch: int = BATCH) -> int:
    """Delete old entries of the history and counts that no limit looks at any more; how many."""
    window = max(settings.refresh_window_s, settings.create_project_window_s)
    rules = (
        ("refresh_history", "created_at", now - settings.keep_history_days * DAY),
        ("taken", "at", now - window),
    )
    deleted = 0
    for table, column, before in rules:
        while True:
            with database.write() as connection:
                count = _delete(connection, table, column, before, batch)
            deleted += count
            if count < batch:
                break
    return deleted


def _delete(connection: apsw.Connection, table: str, column: str, before: float, batch: int) -> int:
    connection.execute(
        f"DELETE FROM {table} WHERE rowid IN (SELECT rowid FROM {table} WHERE {column} < ? LIMIT ?)",
        (before, batch),
    )
    return connection.changes()
