"""``currant project``: the projects of the service. Works whether it runs or not; when it runs it takes up
within a second what was written here."""

from collections.abc import Callable
from typing import Any, TypeVar

import click
import msgspec

from currant.cli.output import echo, moment, printable, shown, write_json

_F = TypeVar("_F", bound=Callable[..., Any])


def _common(function: _F) -> _F:
    function = click.option("--json", "as_json", is_flag=True, help="Answer with JSON.")(function)
    return click.option(
        "--home", metavar="DIR", help="The state of which service. Default: ~/.local/state/currant."
    )(function)


@click.group(short_help="The projects of the service: add, remove, list, refresh.")
def project() -> None:
    """The projects that `currant serve` keeps indexed."""


@project.command()
@click.argument("source", metavar="PATH|GIT-URL")
@click.option("--name", help="What to call it. Default: the last part of its path.")
@_common
def add(source: str, name: str | None, home: str | None, as_json: bool) -> int:
    """Have a directory, or the clone of a git repository, kept indexed by the service.

    A repository is cloned into the service's own directory, without asking for a password, and brought up to
    date by `currant project refresh` and by the schedule. Addresses: https, http, ssh, git, file, host:path.

    \b
      currant project add ~/src/linux
      currant project add https://example.org/team/app.git --name app
    """
    from currant.cli.home import ledger, load

    settings, path = load(home)
    with ledger(settings, path) as book:
        made, job = book.add(source, name=name)
        served = book.home.served_by()
    if as_json:
        write_json({"project": _plain(made), "job_id": job.id, "served_by": served})
    else:
        echo(f"added {printable(made.name)}: {shown(made.source)} (job {job.id})")
        if served is None:
            echo("no service runs: `currant serve` indexes it", err=True)
    return 0


@project.command()
@click.argument("name")
@click.option("--keep-clone", is_flag=True, help="Leave the clone of a git repository where it is.")
@_common
def remove(name: str, keep_clone: bool, home: str | None, as_json: bool) -> int:
    """Remove a project, by its name or id. Its jobs are cancelled. A directory that was added stays as it is,
    with its index; a clone that the service made is deleted."""
    from currant.cli.home import ledger, load
    from currant.hub.handlers import remove_clone

    settings, path = load(home)
    with ledger(settings, path) as book:
        gone = book.mark_removing(name, delete_clone=not keep_clone)
        served = book.home.served_by()
        if served is None:
            if not keep_clone:
                remove_clone(book.home, gone)
            book.erase(gone)
    if as_json:
        write_json({"project": _plain(gone), "served_by": served})
    else:
        echo(f"removed {printable(gone.name)}" if served is None else f"removing {printable(gone.name)}")
    return 0


@project.command("list")
@_common
def list_projects(home: str | None, as_json: bool) -> int:
    """All projects and how they are.

    ``new``, ``cloning`` and ``indexing`` are on their way to ``ready``; ``missing`` waits for its directory
    to come back, and ``failed`` says why. It works whether the service runs or not; without it, this is how
    they were last.
    """
    from currant.cli.home import ledger, load

    settings, path = load(home)
    with ledger(settings, path) as book:
        projects = book.projects()
        origins = book.origins()
        served = book.home.served_by()
    if as_json:
        write_json({"projects": [_plain(one) for one in projects], "served_by": served})
        return 0
    for one in projects:
        echo(f"{one.state:<9} {printable(one.name):<24} {shown(one.source)}  {moment(one.created_at)}")
        if one.error:
            echo(f"          {printable(one.error)}")
        if error := origins.get(one.id, {}).get("error"):
            echo(f"          its origin cannot be reached, so it may be behind: {printable(str(error))}")
    if not projects:
        echo("no projects: `currant project add PATH` adds one", err=True)
    if served is None:
        echo("no service runs: `currant serve` starts it", err=True)
    return 0


@project.command()
@click.argument("name")
@_common
def refresh(name: str, home: str | None, as_json: bool) -> int:
    """Have a project fetched from its origin and looked through again, before other work. At most 5 times in
    300 s.

    Changes on disk need no refresh: they are in the index a moment later. What a refresh is for is the origin
    of a clone, and a doubt. `currant jobs show` tells how it went.
    """
    from currant.cli.home import ledger, load

    settings, path = load(home)
    with ledger(settings, path) as book:
        enqueued = book.refresh(name)
        served = book.home.served_by()
    if as_json:
        write_json({"job_id": enqueued.job.id, "created": enqueued.created, "served_by": served})
    else:
        echo(f"job {enqueued.job.id}" + ("" if enqueued.created else " is at it already"))
        if served is None:
            echo("no service runs: `currant serve` does it", err=True)
    return 0


def _plain(one: Any) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.to_builtins(one)
    return told
