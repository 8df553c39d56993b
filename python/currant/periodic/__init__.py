"""Schedules: APScheduler as a clock that puts jobs into the queue, and does nothing else.

- `container`: what a task finds when it runs
- `tasks`: the one entry point that the store names, and Currant's own tasks
- `registry`: which tasks there are, with their intervals: ours and those of entry points
- `store`: ``schedules.db``, APScheduler's own file
- `scheduler`: the scheduler with its guards: building, starting, stopping, health
- `register`: bringing the store in line with the registry without losing when things are due
- `listing`: what people and programs are told of the schedules; pausing and resuming

APScheduler and SQLAlchemy are imported with `scheduler` and `store`, not with this package.
"""

from currant.periodic.container import Container, container, set_container

__all__ = ["Container", "container", "set_container"]
