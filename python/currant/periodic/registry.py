"""Which tasks there are, and how often each is due: ours, and those of installed packages by entry point.

An entry point of the group ``currant.periodic_tasks`` names a function that takes a `Container` and returns
how many jobs it added (or None). `interval` as an attribute of it is its default, in seconds; without one the
settings have to give it (``periodic.tasks``). Its name has lower-case letters, digits, ``_`` and ``-`` alone.
"""

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from typing import Any, Final

from currant.config import PeriodicSettings, Settings
from currant.periodic import tasks
from currant.periodic.container import Container

log = logging.getLogger(__name__)

GROUP: Final = "currant.periodic_tasks"
NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,62}")
LONGEST: Final = 31_536_000


@dataclass(frozen=True, slots=True)
class PeriodicTask:
    """`interval` in seconds, 0: switched off. `run` returns how many jobs it added; `problem` says why a task
    of an entry point cannot run."""

    name: str
    what: str
    interval: int
    run: Callable[[Container], int]
    source: str = "currant"
    problem: str | None = None


OURS: Final[tuple[tuple[str, Callable[[Container], int]], ...]] = (
    ("sync_projects", tasks.sync_projects),
    ("cache_refresh", tasks.cache_refresh),
    ("cleanup_logs", tasks.cleanup_logs),
    ("audit", tasks.audit),
    ("retention", tasks.retention),
)


def known(settings: Settings) -> list[PeriodicTask]:
    """Every task, whether switched on or not: ours, then the others by name."""
    periodic = settings.periodic
    out = [PeriodicTask(name, _first_line(run), _our_interval(periodic, name), run) for name, run in OURS]
    taken = {task.name for task in out}
    for point in sorted(metadata.entry_points(group=GROUP), key=lambda point: (point.name, point.value)):
        task = _theirs(point, periodic, taken)
        taken.add(task.name)
        out.append(task)
    return out


def active(settings: Settings) -> list[PeriodicTask]:
    """Those that are to run."""
    if not settings.periodic.enabled:
        return []
    return [task for task in known(settings) if task.interval > 0 and task.problem is None]


def find(name: str, settings: Settings) -> PeriodicTask | None:
    """The task of this name; None when there is none, or it cannot run."""
    return next((task for task in known(settings) if task.name == name and task.problem is None), None)


def _our_interval(periodic: PeriodicSettings, name: str) -> int:
    return int(getattr(periodic, f"{name}_interval")) if getattr(periodic, name) else 0


def _theirs(point: metadata.EntryPoint, periodic: PeriodicSettings, taken: set[str]) -> PeriodicTask:
    source = point.dist.name if point.dist is not None else point.value

    def broken(problem: str) -> PeriodicTask:
        log.warning("scheduled task %r of %s: %s", point.name, source, problem)
        return PeriodicTask(point.name, "", 0, lambda here: 0, source, problem)

    if not NAME.fullmatch(point.name):
        return broken("its name must be a word of lower-case letters, digits, _ and -")
    if point.name in taken:
        return broken("its name is taken")
    try:
        run = point.load()
    except Exception as error:  # somebody else's code
        return broken(f"cannot be imported: {str(error) or type(error).__name__}")
    if not callable(run):
        return broken("is not a function")
    interval = periodic.tasks.get(point.name, getattr(run, "interval", None))
    if not isinstance(interval, int) or isinstance(interval, bool) or not 0 <= interval <= LONGEST:
        return broken(f"has no interval: set periodic.tasks, such as {{{point.name!r}: 3600}}")
    return PeriodicTask(point.name, _first_line(run), interval, _counted(run), source)


def _counted(run: Callable[[Container], Any]) -> Callable[[Container], int]:
    def counted(here: Container) -> int:
        added = run(here)
        return added if isinstance(added, int) else 0

    return counted


def _first_line(run: Callable[..., Any]) -> str:
    return (run.__doc__ or "").strip().partition("\n")[0]
