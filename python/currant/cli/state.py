"""What the owner is doing (``status``), and waiting for it (``sync``)."""

from typing import Any

import click

from currant.cli.output import answer_json, duration, shown, size, table, write_json
from currant.cli.place import Place, options
from currant.cli.reader import open_here, reading
from currant.errors import ServiceUnreachable, SyncTimeout
from currant.ipc.client import Client


@click.command()
@options
def status(place: Place, as_json: bool) -> int:
    """Show the state of the index: who keeps it true, how far it is, what failed, what works badly.

    Does not wait for anything. Without a watcher it says so and shows what the index holds as of its last
    commit (`running` false in JSON). docs/status.md explains every key.
    """
    try:
        with Client.connect(place.quick_state_dir) as client:
            told: dict[str, Any] = client.call("status", sync_ms=None).result
    except ServiceUnreachable:
        told = _unowned(place)
    if as_json:
        write_json(told)
    else:
        _write(told)
    return 0


def _unowned(place: Place) -> dict[str, Any]:
    """The state as an owner sees it on opening, without its waiting for the scan."""
    with open_here(place) as index:
        told = index.status()
    # The process that opened it just now to look is not one that keeps it true.
    return {**told, "running": False, "pid": None, "fresh": False, "phase": "no watcher"}


def _write(told: dict[str, Any]) -> None:
    stats, index = told.get("stats", {}), told.get("index", {})
    pid = told.get("pid")
    rows: list[tuple[str, Any]] = [
        ("root", shown(str(told.get("root", "")))),
        ("watcher", f"process {pid}, {told.get('phase')}" if pid else "none: `currant watch` keeps the index true"),
        ("fresh", "yes" if told.get("fresh") else f"no, {told.get('pending', 0):,} pending" if pid else "unknown without a watcher"),
        ("clock", told.get("clock")),
        ("files", f"{index.get('files', 0):,}, {index.get('symbols', 0):,} definitions, {index.get('failed', 0):,} failed"),
        ("languages", ", ".join(f"{name} {count:,}" for name, count in list(index.get("by_language", {}).items())[:8])),
    ]  # fmt: skip
    if pid:
        cache = told.get("cache", {})
        rows += [
            ("queue", f"{told.get('queue_size', 0):,}, {told.get('active_workers', 0)} workers busy"),
            ("processed", f"{told.get('processed_files', 0):,} in {duration(stats.get('uptime_seconds', 0))}, "
             f"{stats.get('files_per_second', 0):.1f}/s now"),
            ("extracted", f"{stats.get('extractor_calls', 0):,}, reused {stats.get('reused_results', 0):,}, "
             f"{size(stats.get('bytes_hashed', 0))} read"),
            ("cache", f"{size(cache.get('bytes', 0))}, {100 * (cache.get('hit_rate') or 0):.0f} % hits"),
        ]  # fmt: skip
    table(rows)
    for trouble in told.get("degraded", []):
        click.echo(f"degraded: {trouble['what']} ({trouble['count']}): {trouble['fix']}")
    for failure in stats.get("recent_failures", [])[-5:]:
        if isinstance(failure, dict):
            path, reason = failure.get("path", ""), failure.get("reason", failure.get("error", ""))
            click.echo(f"failed: {shown(str(path))}: {reason}")
        else:
            click.echo(f"failed: {failure}")


@click.command()
@click.option("--timeout", type=click.FloatRange(0, 3_600), default=60.0, show_default=True, metavar="SECONDS",
              help="Give up after so long.")  # fmt: skip
@options
def sync(place: Place, timeout: float, as_json: bool) -> int:
    """Wait until every change made before this command is in the index; print the clock after that.

    Exit status 5 when that takes longer than the timeout; the paths that were still missing are named.
    """
    with reading(place, timeout) as reader:
        freshness = reader.ask("sync", {}).freshness
    assert freshness is not None
    if as_json:
        answer_json(freshness)
        return 0 if freshness.fresh else SyncTimeout.exit_code
    if not freshness.fresh:
        raise SyncTimeout(freshness.outstanding, timeout)
    click.echo(freshness.clock)
    return 0
