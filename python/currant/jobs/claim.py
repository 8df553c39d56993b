"""Owns which job is next. Reads only; `transitions.claim` takes it.

High priority first, and among equals the one that is due longest. A job that has waited longer than
`aging_s` counts by its age alone, so that a stream of urgent work does not starve the rest. Left out: types
that are paused or that nobody here can do, and projects that have a job in work.
"""

from collections.abc import Collection
from typing import Final

import apsw

ALL: Final = "*"

# One probe of the index for each pair of priority and type: rows that are not due yet, or of a paused type,
# are never looked at, however many there are.
NEXT: Final = """
SELECT run_at, id FROM job INDEXED BY job_claim
WHERE status = 'pending' AND priority = ? AND type = ? AND run_at <= ?
  AND (project_id IS NULL OR NOT EXISTS (
    SELECT 1 FROM job AS busy INDEXED BY job_one_per_project
    WHERE busy.status = 'processing' AND busy.project_id IS NOT NULL AND busy.project_id = job.project_id))
ORDER BY run_at, id LIMIT 1
"""


def open_types(connection: apsw.Connection, types: Collection[str]) -> list[str]:
    """Those of `types` that are not paused."""
    paused = {kind for (kind,) in connection.execute("SELECT kind FROM pause")}
    return [] if ALL in paused else sorted(set(map(str, types)) - paused)


def next_job(
    connection: apsw.Connection, types: Collection[str], *, now: float, aging_s: float
) -> str | None:
    """The id of the job to take; None when nothing is due. Raises apsw.Error."""
    kinds = open_types(connection, types)
    best: tuple[bool, int, float, str] | None = None
    for priority in (2, 1, 0):
        for kind in kinds:
            found = connection.execute(NEXT, (priority, kind, now)).fetchone()
            if found is None:
                continue
            run_at, job_id = found
            aged = run_at <= now - aging_s
            order = (not aged, 0 if aged else -priority, run_at, job_id)
            best = order if best is None else min(best, order)
    return None if best is None else best[3]
