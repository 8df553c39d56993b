"""``currant serve``: the service, in the foreground until it is told to stop."""

import importlib
import importlib.util
from typing import Any

import click

from currant.cli.output import echo, write_json


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
@click.option("--json", "as_json", is_flag=True, help="Say where it listens with JSON.")
def serve(port: int | None, home: str | None, settings: tuple[str, ...], as_json: bool) -> int:
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
    from currant.hub import Address, Hub, lifecycle

    loaded, path = load(home, settings, {"serve.port": port})
    hub = Hub(path, loaded)
    with hub:
        face: lifecycle.Face = lifecycle.Nobody()
        bound = 0
        rest = importlib.util.find_spec("currant.rest")
        if rest is not None and rest.origin is not None:
            listener = lifecycle.listen(loaded.serve.port)
            bound = listener.getsockname()[1]
            face = importlib.import_module("currant.rest").server(hub, listener)
        at = Address(pid=hub.status()["pid"], port=bound, started=hub.started_at)
        hub.home.announce(at)
        told: dict[str, Any] = {"pid": at.pid, "home": str(hub.home.path), "url": at.url}
        if as_json:
            write_json(told)
        else:
            echo(f"serving {told['home']} at {told['url']} (pid {told['pid']})", err=True)
        lifecycle.run(hub, face)
    if not as_json:
        echo("stopped", err=True)
    return 0
