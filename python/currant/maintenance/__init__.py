"""Upkeep of a service that runs all day: bounded tasks at intervals, with statistics that outlive a restart.

- `model`: the tasks, what is known of their runs, what a project has to offer to be kept up
- `stats`: their statistics in jobs.db
- `processor`: when each runs, how many at once, never two of the same
- `target`: the upkeep of one running `currant.service.Service`
- `machine`: how short of memory the machine is, and what this process uses
- `logs`: old logs are deleted
- `chores`: what the schedules have done by jobs
"""

from currant.maintenance.model import (
    BackgroundTask,
    MaintenanceTarget,
    ProcessorConfig,
    TaskRun,
    TaskStats,
)
from currant.maintenance.processor import BackgroundProcessor
from currant.maintenance.target import ServiceTarget

__all__ = [
    "BackgroundProcessor",
    "BackgroundTask",
    "MaintenanceTarget",
    "ProcessorConfig",
    "ServiceTarget",
    "TaskRun",
    "TaskStats",
]
