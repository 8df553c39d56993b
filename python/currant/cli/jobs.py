"""``currant jobs``: what the service does and did. Works on jobs.db itself, which a running service notices
within a moment; so it works without one, too."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click
import msgspec

from currant.cli.output import duration, echo, moment, printable, table, write_json

if TYPE_CHECKING:
    from currant.hub import Ledger
    from currant.jobs import Job, JobManager, JobQueueManager

_F = TypeVar("_F", bound=Callable[..., Any])
NO: Final = 1
_STATUSES: Final = ("pending", "processing", "completed", "failed", "cancelled")
_TYPES: Final = ("project_processing", "skills_extraction", "extraction", "refresh", "maintenance")


def _common(function: _F) -> _F:
    function = click.option("--json", "as_json", is_flag=True, help="Answer with JSON.")(function)
    return click.option(
        "--home", metavar="DIR", help="The state of which service. Default: ~/.local/state/currant."
    )(function)


@contextmanager
def _opened(home: str | None) -> Iterator[tuple["JobManager", "JobQueueManager", "Ledger"]]:
    from currant.cli.home import ledger, load
    from currant.jobs import JobManager, JobQueueManager

    settings, path = load(home)
    with ledger(settings, path) as book:
        manager = JobManager(book.database, settings.jobs)
        yield manager, JobQueueManager(book.database, settings.jobs, manager=manager), book


@click.group(short_help="The jobs of the service: list, show, retry, cancel, prune, pause.")
def jobs() -> None:
    """What `currant serve` has to do, does, and did (docs/jobs.md)."""


@jobs.command("list")
@click.option("--project", metavar="NAME", help="Only those of this project, by its name or id.")
@click.option("--status", type=click.Choice(_STATUSES), help="Only those in this state.")
@click.option("--type", "kind", type=click.Choice(_TYPES), help="Only those of this type.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="At most so many.")
@click.option("--before", metavar="ID", help="Only older ones than this job: the next page.")
@_common
def list_jobs(
    project: str | None,
    status: str | None,
    kind: str | None,
    limit: int,
    before: str | None,
    home: str | None,
    as_json: bool,
) -> int:
    """Jobs, newest first.

    Exit status 1 when there are none.
    """
    with _opened(home) as (manager, queue, book):
        wanted = None if project is None else book.get(project).id
        page = manager.list_jobs(wanted, status, kind, before, limit)
        counts = queue.get_queue_status()
        names = {one.id: one.name for one in book.projects()}
    if as_json:
        write_json({"jobs": [_plain(job) for job in page.jobs], "next": page.next})
        return 0 if page.jobs else NO
    for job in page.jobs:
        of = printable(names.get(job.project_id or "", job.project_id or "-"))
        echo(f"{job.id}  {_state(job):<16} {job.type:<18} {of:<20} {moment(job.created_at)}{_note(job)}")
    paused = "; paused: " + ", ".join(counts["paused"]) if counts["paused"] else ""
    echo(", ".join(f"{counts[status]:,} {status}" for status in _STATUSES) + paused, err=True)
    if page.next is not None:
        echo(f"older ones: currant jobs list --before {page.next}", err=True)
    return 0 if page.jobs else NO


@jobs.command()
@click.argument("job_id", metavar="ID")
@_common
def show(job_id: str, home: str | None, as_json: bool) -> int:
    """All there is to know of one job: what was asked for, how it went, every failure.

    ID is the one that `currant jobs list --json` and every job's own messages show. Works whether the service
    runs or not.
    """
    from currant.errors import NoSuchJob

    with _opened(home) as (manager, _, book):
        job = manager.get_job(job_id)
        if job is None:
            raise NoSuchJob(job_id)
        names = {one.id: one.name for one in book.projects()}
    if as_json:
        write_json({"job": _plain(job)})
        return 0
    from currant import jsontext

    rows: list[tuple[str, Any]] = [
        ("id", job.id),
        ("type", job.type),
        ("project", printable(names.get(job.project_id or "", job.project_id or "-"))),
        ("state", _state(job)),
        ("asked for", f"{moment(job.created_at)} by {printable(job.client)} ({job.trigger})"),
        ("priority", job.priority.name.lower()),
        ("attempts", f"{job.attempt} of {job.max_attempts}"),
    ]
    if job.started_at is not None:
        rows.append(("begun", moment(job.started_at)))
    if job.finished_at is not None:
        took = "" if job.started_at is None else f", took {duration(job.finished_at - job.started_at)}"
        rows.append(("ended", moment(job.finished_at) + took))
    elif not job.is_final and job.started_at is None:
        rows.append(("due", moment(job.run_at)))
    for name, value in (
        ("message", job.message),
        ("arguments", jsontext.dumps(job.args).decode() if job.args else None),
        ("result", None if job.result is None else jsontext.dumps(job.result).decode()),
    ):
        if value is not None:
            rows.append((name, printable(value)))
    table(rows)
    for one in job.errors:
        echo(f"attempt {one['attempt']}, {moment(one['at'])}: {printable(one['error'])}")
    return 0


@jobs.command()
@click.argument("job_id", metavar="ID")
@_common
def retry(job_id: str, home: str | None, as_json: bool) -> int:
    """Put a job that failed or was cancelled into the queue again, with all its attempts before it.

    It keeps its id and the errors of its earlier attempts.

    Exit status 5 when it is not over, when another job is at the same thing, or when its
    project was removed.
    """
    with _opened(home) as (_, _, book):
        job = book.retry(job_id).job
        served = book.home.served_by()
    if as_json:
        write_json({"job": _plain(job), "served_by": served})
    else:
        echo(f"{job.id} is queued again")
        if served is None:
            echo("no service runs: `currant serve` does it", err=True)
    return 0


@jobs.command()
@click.argument("job_id", metavar="ID")
@_common
def cancel(job_id: str, home: str | None, as_json: bool) -> int:
    """Cancel a job. One that runs is asked to stop, and does so in a moment; what it had indexed by then
    stays. The job is kept, as cancelled, until it is pruned: `currant jobs retry` has it done after all.

    Exit status 1 when it was over.
    """
    with _opened(home) as (manager, _, _book):
        outcome = manager.cancel(job_id)
    if as_json:
        write_json({"outcome": outcome})
    else:
        told = {"cancelled": "is cancelled", "cancel_requested": "is asked to stop", "final": "was over"}
        echo(f"{printable(job_id)} {told[outcome]}")
    return NO if outcome == "final" else 0


@jobs.command()
@click.option(
    "--days",
    type=click.FloatRange(0, 36_500),
    help="Everything that has been over for longer. Default: what the settings say (jobs.keep_*).",
)
@_common
def prune(days: float | None, home: str | None, as_json: bool) -> int:
    """Forget jobs that are over. The service does so by itself, too."""
    with _opened(home) as (_, queue, _book):
        count = queue.cleanup_old_jobs(days)
    if as_json:
        write_json({"deleted": count})
    else:
        echo(f"{count:,} job(s) deleted")
    return 0


@jobs.command()
@click.argument("kind", required=False, metavar="[TYPE]", type=click.Choice(_TYPES))
@_common
def pause(kind: str | None, home: str | None, as_json: bool) -> int:
    """Begin no more jobs, or none of this TYPE, until `currant jobs resume`. What runs goes on.

    Jobs that are asked for meanwhile wait in the queue. A pause outlives the service; `currant jobs list`
    says that there is one.
    """
    with _opened(home) as (_, queue, _book):
        queue.pause(kind)
        return _say_paused(queue, as_json)


@jobs.command()
@click.argument("kind", required=False, metavar="[TYPE]", type=click.Choice(_TYPES))
@_common
def resume(kind: str | None, home: str | None, as_json: bool) -> int:
    """End a pause: that of this TYPE, or all of them.

    What waited in the queue begins at once, high priority first. A schedule that was paused is one of them:
    `currant scheduler resume` ends that alone.
    """
    with _opened(home) as (_, queue, _book):
        queue.resume(kind)
        return _say_paused(queue, as_json)


def _say_paused(queue: "JobQueueManager", as_json: bool) -> int:
    paused = queue.paused()
    if as_json:
        write_json({"paused": paused})
        return 0
    for one in paused:
        what = "everything" if one["kind"] == "*" else one["kind"]
        echo(f"paused since {moment(one['paused_at'])}: {what}")
    if not paused:
        echo("nothing is paused")
    return 0


def _state(job: "Job") -> str:
    if job.status == "processing":
        if job.cancel_requested:
            return "cancelling"
        return "processing" if job.progress is None else f"processing {100 * job.progress:.0f} %"
    return str(job.status)


def _note(job: "Job") -> str:
    """What else is worth a look, on the same line."""
    told = job.error if job.error and job.status != "completed" else job.message
    return f"  {printable(told)[:80]}" if told else ""


def _plain(job: "Job") -> dict[str, Any]:
    told: dict[str, Any] = msgspec.to_builtins(job)
    return told
