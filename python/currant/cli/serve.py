"""``currant serve``: the service, in the foreground until it is told to stop."""

import gc
import importlib
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import click

from currant.cli.output import echo, write_json

if TYPE_CHECKING:
    from currant.hub import Home, Hub

_NEEDED: Final = (
    "currant.rest.waiting",
    "currant.ipc.methods",
    "currant.ipc.server",
    "currant.audit.auditor",
    "currant.extract.confine",
    "currant.extract.whole",
    "currant.extract.annotators.header",
    "currant.extract.annotators.links",
    "currant.extract.annotators.manifest",
    "currant.extract.annotators.tasks",
    "currant.extract.annotators.task_lists",
    "currant.extract.manifests.readers",
    "packaging.requirements",
    "psutil",
)
"""What is otherwise imported by the first question on the socket, and by the first files of certain kinds."""
_ABSENT: Final = ("rich", "colorama", "greenlet")
"""What libraries take when it is there: structlog takes rich, 5 MB, and colorama for colours, and a log in a
file has none; structlog and SQLAlchemy greenlet, with the library of C++, for green threads."""


@click.command(short_help="Run the service: many projects, jobs, REST, a web page.")
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=None,
    help="Where to listen, on 127.0.0.1 alone. 0 takes any free one. Default: 7411.",
)
@click.option(
    "--home", metavar="DIR", help="Where the service keeps its state. Default: ~/.local/state/currant."
)
@click.option("--set", "settings", metavar="KEY=VALUE", multiple=True,
              help="Override one setting, such as jobs.workers=2. May be repeated.")  # fmt: skip
@click.option("--show-token", is_flag=True, help="Print the address with the token, and end.")
@click.option("--json", "as_json", is_flag=True, help="Say where it listens with JSON.")
def serve(
    port: int | None, home: str | None, settings: tuple[str, ...], show_token: bool, as_json: bool
) -> int:
    """Run the service until SIGINT or SIGTERM: it keeps the index of every project true, works off the jobs,
    and answers on 127.0.0.1.

    The first signal stops cleanly: running jobs end or are handed back within 25 s, and go on at the next
    start. The second one stops at once, which loses nothing either. One service for each --home; exit status
    4 with its pid when another one runs.

    \b
      currant project add ~/src/linux
      currant serve
    """
    from currant.cli.home import load
    from currant.hub import Address, Home, Hub, lifecycle
    from currant.rest import server

    loaded, path = load(home, settings, {"serve.port": port})
    if show_token:
        return _show_token(Home(path), as_json=as_json)
    _import_all(schedules=loaded.periodic.enabled)
    hub = Hub(path, loaded)

    def say(at: Address) -> None:
        if as_json:
            write_json({"pid": at.pid, "home": str(hub.home.path), "url": at.url})
            return
        echo(f"serving {hub.home.path} at {at.url} (pid {at.pid})", err=True)
        if sys.stderr.isatty():  # a secret, which has no business in the log of a supervisor
            echo(f"open {at.url}/?token={hub.home.token()}", err=True)

    lifecycle.run(
        hub,
        loaded.serve.port,
        lambda hub, listener: server(hub, listener, mounts=lambda: _mounts(hub)),
        say,
    )
    if not as_json:
        echo("stopped", err=True)
    return 0


def _import_all(*, schedules: bool = True) -> None:
    """All that the service is made of, before it opens an index: what an index needs only while it is opened
    could not be given back from between the modules, and that is 12 MB of 100 for 79,000 files."""
    from currant.maintenance import machine

    machine.few_arenas()
    with _absent(_ABSENT):
        importlib.import_module("structlog")
        if schedules:
            importlib.import_module("currant.periodic.scheduler")
            importlib.import_module("sqlalchemy.dialects.sqlite")
    for name in _NEEDED:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()  # it stays for good, and no collection need look at it again
    machine.return_memory()


def _mounts(hub: "Hub") -> Mapping[str, Any]:
    from currant.mcp.lazy import lazy_http_app

    return {"/mcp": lazy_http_app(hub)}


@contextmanager
def _absent(names: Iterable[str]) -> Iterator[None]:
    """Inside, these cannot be imported. Before there are other threads."""
    missing = object()
    before = {name: sys.modules.get(name, missing) for name in names}
    sys.modules.update(dict.fromkeys(before))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name, was in before.items():
            if was is missing:
                del sys.modules[name]
            else:
                sys.modules[name] = was  # type: ignore[assignment]


def _show_token(home: "Home", *, as_json: bool) -> int:
    """The way in, for whoever may read the file."""
    home.prepare()
    at, token = home.running(), home.token()
    url = None if at is None else f"{at.url}/?token={token}"
    if as_json:
        write_json({"token": token, "url": url})
    else:
        echo(url or token)
    return 0
