"""What is done when a schedule is due: jobs are put into the queue, nothing more.

`run_task` is the one thing that the store names, for ever: APScheduler deletes what it cannot import any
more. What a name means is decided here, when it runs. Each task takes milliseconds, is safe to run twice (a
job that waits or runs already is not added again), and takes nothing over from an earlier run.
"""

import logging
from typing import Any, Final

from currant.jobs import JobType, Priority
from currant.periodic.container import Container, container

log = logging.getLogger(__name__)

CLIENT: Final = "schedule"


def run_task(name: str, *, even_paused: bool = False) -> int:
    """Run the task of this name now; how many jobs it added. Called by the scheduler with what the store has.

    A paused task adds none, unless `even_paused`. Raises what the task raises, after it was written down."""
    from currant.periodic import history, listing, registry

    here = container()
    task = registry.find(name, here.settings)
    if task is None:
        log.error("schedule %s: there is no such task any more; it goes at the next start", name)
        return 0
    if not even_paused and listing.is_paused(here.database, name):
        history.note(here.database, name, skipped=True)
        return 0
    started = here.database.clock.monotonic()
    try:
        added = task.run(here)
    except Exception as error:
        history.note(
            here.database,
            name,
            seconds=here.database.clock.monotonic() - started,
            error=str(error) or type(error).__name__,
        )
        raise
    history.note(here.database, name, seconds=here.database.clock.monotonic() - started)
    log.info("schedule %s: %d job(s) added", name, added)
    return added


def sync_projects(here: Container) -> int:
    """Fetch from git what is new, and compare every project with its disk: a refresh for each."""
    return sum(
        here.jobs.create_job(
            JobType.REFRESH,
            project,
            client=CLIENT,
            trigger="schedule",
            unique_key=f"refresh:{project}",
        ).created
        for project in here.project_ids()
    )


def cache_refresh(here: Container) -> int:
    """Let go of what the caches of the projects hold of things nobody asked for lately."""
    return _upkeep(here, "cache_refresh")


def cleanup_logs(here: Container) -> int:
    """Delete old logs of the service."""
    return _upkeep(here, "cleanup_logs")


def audit(here: Container) -> int:
    """Compare every project as a whole with its disk, and repair what has drifted."""
    return _upkeep(here, "audit")


def retention(here: Container) -> int:
    """Delete jobs that have been over for long, and old history."""
    return _upkeep(here, "retention")


def _upkeep(here: Container, task: str, **args: Any) -> int:
    made = here.jobs.create_job(
        JobType.MAINTENANCE,
        None,
        client=CLIENT,
        priority=Priority.LOW,
        trigger="schedule",
        args={"task": task, **args},
        unique_key=f"maintenance:{task}",
    )
    return int(made.created)
