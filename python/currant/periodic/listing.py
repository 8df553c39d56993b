"""What people and programs are told of the schedules; pausing and resuming them.

A pause is a row of jobs.db and not a change of the schedule: the clock goes on, and what is due adds no jobs.
So it holds at once, in whichever process the scheduler is, and a schedule that is resumed keeps its times.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from currant.config import Settings
from currant.errors import UsageError
from currant.jobs import Database
from currant.periodic import history
from currant.periodic.registry import known

_KIND: Final = "schedule:"


class Schedule(msgspec.Struct, frozen=True):
    """One task. Times are wall seconds. `next_run` None: not scheduled, or never was; `added` by whom."""

    name: str
    what: str
    enabled: bool
    interval_s: int
    source: str
    paused: bool = False
    next_run: float | None = None
    last_run: float | None = None
    run_count: int = 0
    error_count: int = 0
    mean_seconds: float = 0.0
    skipped: int = 0
    last_error: str | None = None
    last_error_at: float | None = None
    problem: str | None = None


def schedules(
    settings: Settings, database: Database, next_runs: Mapping[str, float | None]
) -> list[Schedule]:
    """Every task there is, on or off. Raises StoreError."""
    told, off = history.read(database), paused(database)
    return [
        Schedule(
            name=task.name,
            what=task.what,
            enabled=settings.periodic.enabled and task.interval > 0 and task.problem is None,
            interval_s=task.interval,
            source=task.source,
            paused=task.name in off,
            next_run=next_runs.get(task.name),
            problem=task.problem,
            **told.get(task.name, {}),
        )
        for task in known(settings)
    ]


def paused(database: Database) -> set[str]:
    """Names of what is paused. Raises StoreError."""
    with database.read() as connection:
        rows: list[Any] = connection.execute("SELECT kind FROM pause WHERE kind GLOB 'schedule:*'").fetchall()
    return {kind.removeprefix(_KIND) for (kind,) in rows}


def is_paused(database: Database, name: str) -> bool:
    """Whether this one is. Raises StoreError."""
    return name in paused(database)


def pause(settings: Settings, database: Database, name: str, *, by: str = "local") -> bool:
    """Have a task add no jobs until it is resumed; False when it was paused already. Raises UsageError for a
    name that there is not, StoreError."""
    require(settings, name)
    with database.write() as connection:
        connection.execute(
            "INSERT INTO pause (kind, paused_at, by) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            (_KIND + name, database.now(), by),
        )
        return bool(connection.changes())


def resume(settings: Settings, database: Database, name: str) -> bool:
    """Undo `pause`; False when it was not paused. Raises as that does."""
    require(settings, name)
    with database.write() as connection:
        connection.execute("DELETE FROM pause WHERE kind = ?", (_KIND + name,))
        return bool(connection.changes())


def require(settings: Settings, name: str) -> None:
    """Raise UsageError unless there is a task of this name."""
    names = [task.name for task in known(settings)]
    if name not in names:
        raise UsageError(f"there is no schedule {name!r}: there are {', '.join(names)}")
