"""``currant scheduler``: the schedules of the service. All but ``run`` work whether it runs or not; what they
add to the queue is worked off by `currant serve`."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
import msgspec

from currant.cli.output import duration, echo, moment, printable, write_json
from currant.errors import AlreadyServing, UsageError

if TYPE_CHECKING:
    from currant.config import Settings
    from currant.hub import Home
    from currant.periodic import Container
    from currant.periodic.listing import Schedule

_F = TypeVar("_F", bound=Callable[..., Any])


def _common(function: _F) -> _F:
    function = click.option("--json", "as_json", is_flag=True, help="Answer with JSON.")(function)
    function = click.option(
        "--set",
        "settings",
        metavar="KEY=VALUE",
        multiple=True,
        help="Override one setting, such as periodic.audit=false. May be repeated.",
    )(function)
    return click.option(
        "--home", metavar="DIR", help="The state of which service. Default: ~/.local/state/currant."
    )(function)


@click.group(short_help="What the service does at intervals: list, trigger, pause, resume.")
def scheduler() -> None:
    """What the service does at intervals: fetching and comparing projects, audits, old logs and old jobs, and
    tasks of your own (docs/schedules.md)."""


@scheduler.command()
@_common
def run(home: str | None, settings: tuple[str, ...], as_json: bool) -> int:
    """Run the schedules alone, until SIGINT or SIGTERM: due tasks go into the queue, and nothing works them
    off. `currant serve` does this by itself; this is refused while it runs, with status 4.
    """
    from currant.cli.stopping import Stopped, stoppable
    from currant.periodic import set_container
    from currant.periodic.scheduler import build_scheduler, start_scheduler, stop_scheduler

    with _open(home, settings) as (loaded, place, parts):
        served = place.served_by()
        if served is not None:
            raise AlreadyServing(served, str(place.path))
        if not loaded.periodic.enabled:
            raise UsageError("the schedules are switched off: set periodic.enabled to true")
        set_container(parts)
        made = build_scheduler(loaded, place.path)
        try:
            with stoppable():
                start_scheduler(made)
                due = made.next_runs()
                if as_json:
                    write_json({"home": str(place.path), "next_runs": due})
                else:
                    echo(f"{len(due)} schedules of {place.path}; jobs wait for `currant serve`", err=True)
                threading.Event().wait()
        except Stopped:
            echo("stopped", err=True)
        finally:
            stop_scheduler(made)
            set_container(None)
    return 0


@scheduler.command("list")
@_common
def list_schedules(home: str | None, settings: tuple[str, ...], as_json: bool) -> int:
    """All schedules: how often, when next, and what became of them. Those of the service that runs, whose
    settings may be others than yours; with --set, or without a service, as your settings say."""
    from currant.owner import lock_holder
    from currant.periodic.listing import schedules
    from currant.periodic.scheduler import LOCK_NAME

    with _open(home, settings) as (loaded, place, parts):
        found = None if settings else _of_service(place.path)
        if found is None:
            found = schedules(loaded, parts.database, _next_runs(place.path))
        by = lock_holder(place.path / LOCK_NAME)
    if as_json:
        write_json({"run_by": by, "schedules": [msgspec.to_builtins(one) for one in found]})
        return 0
    for one in found:
        state = "paused" if one.paused else "on" if one.enabled else "off"
        every = f"every {duration(one.interval_s)}" if one.interval_s else "-"
        due = "-" if one.next_run is None or not one.enabled else f"next {moment(one.next_run)}"
        echo(f"{one.name:<16} {state:<7} {every:<16} {due}")
        if one.run_count or one.skipped:
            last = "never" if one.last_run is None else moment(one.last_run)
            echo(
                f"{'':<16} {one.run_count:,} runs, {one.error_count:,} failed, {one.skipped:,} left out; "
                f"last {last}"
            )
        if one.problem or one.last_error:
            echo(f"{'':<16} {printable(one.problem or one.last_error or '')}")
    if by is None:
        echo("nothing is due by itself now: `currant serve` runs the schedules", err=True)
    return 0


@scheduler.command()
@click.argument("name")
@_common
def trigger(name: str, home: str | None, settings: tuple[str, ...], as_json: bool) -> int:
    """Run a task now, besides its times, also when it is paused: its jobs go into the queue. Exit status 1
    when there was nothing to add, such as when they wait there already."""
    from currant.periodic import set_container
    from currant.periodic.listing import require
    from currant.periodic.tasks import run_task

    with _open(home, settings) as (loaded, place, parts):
        require(loaded, name)
        set_container(parts)
        try:
            added = run_task(name, even_paused=True)
        finally:
            set_container(None)
        served = place.served_by()
    if as_json:
        write_json({"name": name, "jobs_added": added, "served_by": served})
    else:
        echo(f"{added:,} job(s) added")
        if served is None and added:
            echo("no service runs: `currant serve` does them", err=True)
    return 0 if added else 1


@scheduler.command()
@click.argument("name")
@_common
def pause(name: str, home: str | None, settings: tuple[str, ...], as_json: bool) -> int:
    """Have a task add no jobs until it is resumed. Holds at once, and over restarts. Exit status 1 when it
    was paused already."""
    from currant.periodic import listing

    with _open(home, settings) as (loaded, _place, parts):
        done = listing.pause(loaded, parts.database, name)
    return _told(name, "paused", done, as_json)


@scheduler.command()
@click.argument("name")
@_common
def resume(name: str, home: str | None, settings: tuple[str, ...], as_json: bool) -> int:
    """Undo `pause`; its times are as if it had never been paused. Exit status 1 when it was not paused."""
    from currant.periodic import listing

    with _open(home, settings) as (loaded, _place, parts):
        done = listing.resume(loaded, parts.database, name)
    return _told(name, "resumed", done, as_json)


def _told(name: str, what: str, done: bool, as_json: bool) -> int:
    if as_json:
        write_json({"name": name, what: done})
    else:
        echo(f"{what} {printable(name)}" if done else f"{printable(name)} was so already", err=not done)
    return 0 if done else 1


@contextmanager
def _open(home: str | None, settings: tuple[str, ...]) -> Iterator[tuple["Settings", "Home", "Container"]]:
    """The parts of a home that the commands need, beside a running service or without one."""
    from currant.cli.home import load
    from currant.hub import Home
    from currant.jobs import Database, JobManager
    from currant.periodic import Container

    loaded, path = load(home, settings)
    place = Home(path)
    place.prepare()
    database = Database(place.database)
    try:
        yield loaded, place, Container(loaded, database, JobManager(database, loaded.jobs))
    finally:
        database.close()


def _of_service(home: Path) -> "list[Schedule] | None":
    """What the running service says of its schedules; None when none runs, or it does not say."""
    from currant.errors import CurrantError
    from currant.periodic.listing import Schedule
    from currant.rest.client import RestClient

    try:
        return msgspec.convert(RestClient(home).ask("/schedules")["schedules"], list[Schedule])
    except (CurrantError, msgspec.ValidationError):
        return None


def _next_runs(home: Path) -> dict[str, float | None]:
    from currant.errors import StoreError
    from currant.periodic.store import Unreadable, next_runs, unusable

    try:
        return next_runs(home)
    except Unreadable as error:
        raise StoreError(unusable(home, error)) from error
