"""What the owner is doing (``status``), and waiting for it (``sync``)."""

import os
from typing import Any

import click

from currant.cli.output import answer_json, duration, echo, printable, shown, size, table, write_json
from currant.cli.place import Place, options
from currant.cli.reader import open_here, reading
from currant.errors import OwnerSuspendedError, RootMissingError, ServiceUnreachable, SyncTimeout
from currant.ipc.client import Client

_FAILURES = 5
_ALL = {"limit": 1_000_000}


@click.command(short_help="Who keeps the index true, and how far it is.")
@click.option("--failures", is_flag=True, help="List every file that could not be indexed, with the reason.")
@options
def status(place: Place, failures: bool, as_json: bool) -> int:
    """Show the state of the index: who keeps it true, how far it is, what failed, what works badly.

    Does not wait for anything. Without a watcher it says so and shows what the index holds as of its last
    commit (`running` false in JSON). docs/status.md explains every key.
    """
    try:
        with Client.connect(place.quick_state_dir, place.root) as client:
            told: dict[str, Any] = client.call("status", sync_ms=None).result
            if failures:
                told["failures"] = client.call("failures", _ALL, sync_ms=None).result
    except ServiceUnreachable:
        told = _unowned(place, failures)
    except OwnerSuspendedError as error:
        told = _suspended(place, error)
    if as_json:
        write_json(told)
    elif told["phase"] == "suspended":
        table([("root", shown(str(told["root"]))), ("watcher", f"process {told['pid']}, suspended")])
        _write_troubles(told)
    else:
        _write(told)
    return 0


def _unowned(place: Place, failures: bool) -> dict[str, Any]:
    """The state as an owner sees it on opening, without its waiting for the scan."""
    told = _closed(place, failures)
    if told is not None:
        return told
    # With the scheduler off the index is opened and nothing is scanned, watched or read.
    with open_here(Place(place.root, {**place.flags, "scheduler.enabled": False})) as index:
        told = index.status()
        # This process has just begun, so nothing failed in it: the index knows what did.
        failed = index.ask("failures", _ALL, sync_ms=-1).result
        told["stats"]["recent_failures"] = [
            (one["path"], one["seen_at"], one["reason"]) for one in failed[:100]
        ]
        if failures:
            told["failures"] = failed
    # The process that opened it just now to look is not one that keeps it true.
    troubles = [trouble for trouble in told["degraded"] if trouble["code"] != "disabled"]
    return {
        **told,
        "running": False,
        "pid": None,
        "fresh": False,
        "phase": "no watcher",
        "degraded": troubles,
    }


def _closed(place: Place, failures: bool) -> dict[str, Any] | None:
    """The same without a service, which is what most of the time goes into; None when it takes one."""
    import msgspec

    from currant import unowned
    from currant.clock import SystemClock
    from currant.config import load_settings

    settings = load_settings(place.root, flags={**place.flags, "scheduler.enabled": False})
    told = unowned.status(place.root, settings, SystemClock(), _ALL["limit"] if failures else 100)
    if told is None:
        return None
    failed = msgspec.to_builtins(told.pop("failures"))
    told["stats"]["recent_failures"] = [(one["path"], one["seen_at"], one["reason"]) for one in failed[:100]]
    return told | ({"failures": failed} if failures else {})


def _suspended(place: Place, error: OwnerSuspendedError) -> dict[str, Any]:
    """What can be said of an owner that cannot answer. Its lock keeps everybody else from the index."""
    trouble = {
        "code": "suspended",
        "what": f"the owner {error.why}",
        "count": 1,
        "fix": "let it go on, or end it and start again",
    }
    return {
        "running": False,
        "root": str(place.root),
        "pid": error.pid,
        "phase": "suspended",
        "clock": None,
        "fresh": False,
        "degraded": [trouble],
    }


def _write_troubles(told: dict[str, Any]) -> None:
    for trouble in told["degraded"]:
        echo(f"degraded: {trouble['what']} ({trouble['count']}): {trouble['fix']}")
    for note in told.get("notes", ()):
        echo(f"note: {note['what']}: {note['fix']}")


def _write(told: dict[str, Any]) -> None:
    stats, held, pid = told["stats"], told["index"], told["pid"]
    if pid:
        watcher = f"process {pid}, {told['phase']}"
        fresh = "yes" if told["fresh"] else f"no, {told['pending']:,} pending"
    else:
        watcher, fresh = "none: `currant watch` keeps the index true", "unknown without a watcher"
    languages = list(held["by_language"].items())
    rows: list[tuple[str, Any]] = [
        ("root", shown(str(told["root"]))),
        ("watcher", watcher),
        ("fresh", fresh),
        ("clock", told["clock"]),
        ("files", f"{held['files']:,}, {held['symbols']:,} definitions, {held['failed']:,} failed"),
        ("languages", ", ".join(f"{name or 'none'} {count:,}" for name, count in languages[:8])),
    ]
    if pid:
        cache = told["cache"]
        up = duration(stats["uptime_seconds"])
        rate = f"{stats['recent_files_per_second']:.0f}/s"
        read = f"{size(stats['bytes_hashed'])} read"
        rows += [
            ("queue", f"{told['queue_size']:,}, {told['active_workers']} workers busy"),
            ("processed", f"{told['processed_files']:,} in {up}, now {rate}"),
            ("extracted", f"{stats['extractor_calls']:,}, reused {stats['reused_results']:,}, {read}"),
            ("cache", f"{size(cache['bytes'])}, {100 * (cache['hit_rate'] or 0):.0f} % hits"),
        ]
    if told.get("upgrade", {}).get("outdated"):
        rows.append(
            ("outdated", f"{told['upgrade']['outdated']:,} records of extractors not in use any more")
        )
    table(rows)
    _write_troubles(told)
    failed = told.get("failures")
    if failed is None:
        failed = [
            {"path": path, "reason": reason} for path, _at, reason in stats["recent_failures"][-_FAILURES:]
        ]
    for one in failed:
        echo(f"failed: {shown(one['path'])}: {printable(one['reason'])}")


@click.command(short_help="Wait until every change so far is in the index.")
@click.option(
    "--timeout",
    type=click.FloatRange(0, 3_600),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="Give up after so long.",
)
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@options
def sync(place: Place, timeout: float, paths: tuple[str, ...], as_json: bool) -> int:
    """Wait until every change made before this command is in the index; print the clock after that.

    With PATHs, only those are looked at and waited for; a directory stands for all that it holds.

    Exit status 5 when that takes longer than the timeout; the paths that were still missing are named.
    """
    with reading(place, timeout) as reader:
        reached = reader.ask("sync", {"paths": [_named(place, path) for path in paths]} if paths else {})
        # Not always the one that was asked for: that may be its new name.
        root = str(reader.ask("status", {}).result["root"]) if "root_missing" in reached.degraded else ""
    if as_json:
        answer_json(reached)
        return 0 if reached.fresh else SyncTimeout.exit_code
    if "root_missing" in reached.degraded:
        raise RootMissingError(root)
    if not reached.fresh:
        raise SyncTimeout(reached.outstanding, timeout)
    echo(str(reached.clock))
    return 0


def _named(place: Place, path: str) -> str:
    """A path as typed, from the root; empty for the root itself."""
    return "" if os.path.realpath(path) == os.fspath(place.root) else place.relative(path)
