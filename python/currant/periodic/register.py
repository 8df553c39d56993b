"""The store in line with the registry, without losing when things are due.

`replace_existing` would begin each interval anew at each start: what is due daily would never run in a
service that is restarted twice a day.
"""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from apscheduler.triggers.interval import IntervalTrigger

from currant.periodic.registry import PeriodicTask

log = logging.getLogger(__name__)

ENTRY_POINT: Final = "currant.periodic.tasks:run_task"


def reconcile(scheduler: Any, tasks: Sequence[PeriodicTask], now: float) -> None:
    """Add what is missing, remove what is not wanted, adapt what differs. `now` is wall time. A schedule is
    never due later than one interval from now: an interval that was made shorter, or a clock that was set
    back, does not leave it waiting."""
    wanted = {task.name: task for task in tasks}
    there = {str(job.id): job for job in scheduler.get_jobs()}
    for name in there.keys() - wanted.keys():
        log.info("schedule %s is switched off, or there is no such task any more", name)
        scheduler.remove_job(name)
    for name, task in wanted.items():
        trigger = IntervalTrigger(seconds=task.interval, timezone=scheduler.timezone)
        job = there.get(name)
        if job is None or job.func_ref != ENTRY_POINT or tuple(job.args) != (name,):
            scheduler.add_job(
                ENTRY_POINT,
                trigger,
                args=[name],
                id=name,
                name=name,
                replace_existing=True,
                next_run_time=_at(now + task.interval, scheduler),
            )
            continue
        latest = _at(now + task.interval, scheduler)
        changes: dict[str, Any] = {}
        if str(job.trigger) != str(trigger) or str(job.trigger.timezone) != str(trigger.timezone):
            changes["trigger"] = trigger
        if job.next_run_time is None or job.next_run_time > latest:
            changes["next_run_time"] = latest
        defaults = scheduler._job_defaults
        for key in ("coalesce", "max_instances", "misfire_grace_time"):
            if getattr(job, key) != defaults[key]:
                changes[key] = defaults[key]
        if changes:
            scheduler.modify_job(name, **changes)


def _at(moment: float, scheduler: Any) -> datetime:
    return datetime.fromtimestamp(moment, UTC).astimezone(scheduler.timezone)
