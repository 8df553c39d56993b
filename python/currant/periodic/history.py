"""What became of each task: the table of upkeep's statistics, under ``schedule:NAME``.

One transaction for each run, in whichever process the scheduler is.
"""

import logging
from typing import Any, Final

from currant.errors import CurrantError
from currant.jobs import Database

log = logging.getLogger(__name__)

PREFIX: Final = "schedule:"
_RAN: Final = """
INSERT INTO task_stats
  (task, last_run, run_count, error_count, total_seconds, skipped, last_error, last_error_at)
VALUES (:task, :at, 1, :failed, :seconds, 0, :error, iif(:failed, :at, NULL))
ON CONFLICT (task) DO UPDATE SET
  last_run = :at, run_count = run_count + 1, error_count = error_count + :failed,
  total_seconds = total_seconds + :seconds,
  last_error = coalesce(:error, last_error), last_error_at = iif(:failed, :at, last_error_at)"""
_SKIPPED: Final = """
INSERT INTO task_stats (task, skipped) VALUES (?, 1)
ON CONFLICT (task) DO UPDATE SET skipped = skipped + 1"""


def note(
    database: Database, name: str, *, seconds: float = 0.0, error: str | None = None, skipped: bool = False
) -> None:
    """Write down one run, or one that was left out. Never raises: the run itself is what counts."""
    task = PREFIX + name
    try:
        with database.write() as connection:
            if skipped:
                connection.execute(_SKIPPED, (task,))
                return
            values = {
                "task": task,
                "at": database.now(),
                "failed": int(error is not None),
                "seconds": seconds,
                "error": None if error is None else error[:500],
            }
            connection.execute(_RAN, values)
    except CurrantError as problem:
        log.warning("schedule %s: its statistics are not written: %s", name, problem)


def read(database: Database) -> dict[str, dict[str, Any]]:
    """By name: ``last_run``, ``run_count``, ``error_count``, ``mean_seconds``, ``skipped``, ``last_error``,
    ``last_error_at``. Raises StoreError."""
    with database.read() as connection:
        rows: list[Any] = connection.execute(
            "SELECT task, last_run, run_count, error_count, total_seconds, skipped, last_error, last_error_at"
            " FROM task_stats WHERE task GLOB 'schedule:*'"
        ).fetchall()
    return {
        task.removeprefix(PREFIX): {
            "last_run": last_run,
            "run_count": runs,
            "error_count": errors,
            "mean_seconds": total / runs if runs else 0.0,
            "skipped": skipped,
            "last_error": error,
            "last_error_at": error_at,
        }
        for task, last_run, runs, errors, total, skipped, error, error_at in rows
    }
