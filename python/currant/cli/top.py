"""``currant top``: what the service does, live."""

import threading
from typing import TYPE_CHECKING, Any, Final

import click

from currant.cli.output import duration, echo, printable, write_json
from currant.clock import SystemClock
from currant.errors import CurrantError

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from currant.rest.client import RestClient

_LATEST: Final = 8


@click.command(short_help="What the service does, live.")
@click.option(
    "--home", metavar="DIR", help="Where the service keeps its state. Default: ~/.local/state/currant."
)
@click.option("--set", "settings", metavar="KEY=VALUE", multiple=True,
              help="Override one setting, such as serve.home=DIR. May be repeated.")  # fmt: skip
@click.option(
    "--interval",
    type=click.FloatRange(0.2, 3_600),
    default=1.0,
    metavar="SECONDS",
    help="How often to look. Default: 1.",
)
@click.option("--json", "as_json", is_flag=True, help="Answer once, with JSON.")
def top(home: str | None, settings: tuple[str, ...], interval: float, as_json: bool) -> int:
    """Projects with their freshness and progress, the queue, what runs and what ended last, upkeep, and what
    works worse than it should. Ends with Ctrl-C; without a terminal it looks once.

    \b
      currant top
      currant top --json
    """
    import sys

    from currant.cli.home import load
    from currant.rest.client import RestClient

    _, path = load(home, settings)
    client = RestClient(path)
    told = look(client)
    if as_json:
        write_json(told)
    elif sys.stdout.isatty():
        _live(client, told, interval)
    else:
        _once(told)
    return 0


def look(client: "RestClient") -> dict[str, Any]:
    """One snapshot: ``service``, ``projects``, ``jobs`` (the latest), ``maintenance``."""
    return {
        "service": client.ask("/status"),
        "projects": client.ask("/projects")["projects"],
        "jobs": client.ask(f"/jobs?limit={_LATEST}")["jobs"],
        "maintenance": client.ask("/maintenance")["tasks"],
    }


def _once(told: dict[str, Any]) -> None:
    from rich.console import Console

    console = Console(width=110, no_color=True)
    with console.capture() as caught:
        console.print(render(told, SystemClock().now()))
    echo(caught.get().rstrip("\n"))


def _live(client: "RestClient", told: dict[str, Any], interval: float) -> None:
    """Until Ctrl-C. A service that goes away is waited for."""
    from rich.live import Live

    clock, pause, trouble = SystemClock(), threading.Event(), ""
    with Live(auto_refresh=False, screen=True) as view:
        while True:
            view.update(render(told, clock.now(), trouble), refresh=True)
            pause.wait(interval)
            try:
                told, trouble = look(client), ""
            except CurrantError as error:
                trouble = str(error)


def render(told: dict[str, Any], now: float, trouble: str = "") -> "RenderableType":
    """One snapshot as it is shown at the wall time `now`; `trouble`: why it is an old one."""
    from rich.console import Group
    from rich.panel import Panel
    from rich.text import Text

    service, queue = told["service"], told["service"]["queue"]
    parts: list[RenderableType] = []
    if trouble:
        parts.append(Text(f"NOT CURRENT: {printable(trouble)}\n", "bold red"))
    oldest = queue.get("oldest_pending_age_s")
    parts.append(
        Text(
            f"queue  {queue['pending']} waiting, {queue['processing']} running, {queue['failed']} failed"
            + (f", oldest {duration(oldest)}" if oldest is not None else "")
            + f"; {queue.get('throughput_5m', 0)} ended in 5 min",
            "red" if queue["failed"] else "",
        )
    )
    parts += [Text(""), _projects(told["projects"])]
    if told["jobs"]:
        parts += [Text(""), _jobs(told["jobs"], {one["id"]: one["name"] for one in told["projects"]}, now)]
    worse = [one for one in service.get("degraded", ()) if isinstance(one, dict)]
    for one in worse:
        parts += [Text(""), Text(printable(f"{one.get('what', '')}: {one.get('fix', '')}"), "yellow")]
    for task in told["maintenance"]:
        if task["last_error"]:
            parts += [Text(""), Text(printable(f"upkeep {task['name']}: {task['last_error']}"), "red")]
    title = f"currant  pid {service['pid']}, up {duration(service['uptime_seconds'])}, {service['phase']}"
    return Panel(Group(*parts), title=Text(title), title_align="left")


def _table(*columns: str) -> "Table":
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, expand=True, pad_edge=False)
    for column in columns:
        table.add_column(
            column, justify="right" if column in ("files", "rate", "progress", "age") else "left"
        )
    return table


def _projects(projects: list[dict[str, Any]]) -> "RenderableType":
    from rich.text import Text

    if not projects:
        return Text("no projects: `currant project add DIR|GIT-URL`")
    table = _table("project", "state", "fresh", "files", "progress", "rate", "degraded")
    for one in projects:
        index = one["index"] or {}
        progress = index.get("progress")
        fresh = Text("-") if not index else Text("yes", "green") if index["fresh"] else Text("no", "yellow")
        table.add_row(
            Text(printable(one["name"])),
            Text(one["state"], "red" if one["state"] in ("failed", "missing") else ""),
            fresh,
            f"{index['files']:,}" if index else "",
            f"{progress['done']:,} of {progress['total']:,}" if progress else "",
            f"{index['files_per_second']:,.0f}/s" if progress else "",
            Text(printable(one["error"] or ", ".join(index.get("degraded", ()))), "yellow"),
        )
    return table


def _jobs(jobs: list[dict[str, Any]], names: dict[str, str], now: float) -> "RenderableType":
    from rich.text import Text

    styles = {"failed": "red", "processing": "cyan", "pending": "yellow"}
    table = _table("job", "project", "status", "progress", "age", "")
    for job in jobs:
        done = f"{job['progress']:.0%}" if job["progress"] is not None else ""
        table.add_row(
            job["type"],
            Text(printable(names.get(job["project_id"], "") if job["project_id"] else "")),
            Text(job["status"], styles.get(job["status"], "")),
            done,
            duration(max(0.0, now - job["created_at"])),
            Text(printable(job["error"] or job["message"] or ""), no_wrap=True),
        )
    return table
