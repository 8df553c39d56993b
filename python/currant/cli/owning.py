"""Making and keeping the index: ``index`` once, ``watch`` for as long as it runs."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from currant.cli.output import answer_json, duration, echo, say_freshness, shown, size
from currant.cli.place import Place, options, path_argument
from currant.cli.stopping import Stopped, stoppable
from currant.errors import LockedError, ServiceUnreachable, SyncTimeout
from currant.ipc.client import Client

_F = TypeVar("_F", bound=Callable[..., Any])
_HANDOVER_SECONDS = 10.0
_RETRY_SECONDS = 0.05
_UPGRADE_FILES = 250


def _making(function: _F) -> _F:
    """Options of the two commands that may start an index."""
    function = click.option("--yes-really", is_flag=True, help="Even when PATH is / or a home directory.")(
        function
    )
    function = click.option(
        "--ignore", metavar="PATTERN", multiple=True,
        help="Leave out what matches this gitignore pattern, for this run. To keep it so, write it into "
        ".currantignore or currant.toml. May be repeated.",
    )(function)  # fmt: skip
    return click.option(
        "--workers",
        type=click.IntRange(1, 8),
        default=None,
        help="Threads that read and extract. Default: 2.",
    )(function)


def _flags(place: Place, workers: int | None, ignore: tuple[str, ...]) -> dict[str, Any]:
    flags = dict(place.flags)
    if workers is not None:
        flags["scheduler.worker_threads"] = workers
    if ignore:
        flags["monitor.ignore_patterns"] = list(ignore)
    return flags


@click.command(short_help="Make the index, or bring it up to date.")
@path_argument
@_making
@options
def index(place: Place, yes_really: bool, workers: int | None, ignore: tuple[str, ...], as_json: bool) -> int:
    """Make the index of PATH, or bring it up to date, and stop.

    Only what changed since the last time is read; a content that was seen before is not extracted again.
    So is what was made by another version of an extractor. With a watcher running this waits for the
    watcher instead. The first SIGINT or SIGTERM stops cleanly:
    what was done stays, and the next run goes on from there.

    \b
      currant index ~/src/linux
      currant index . --workers 4 --json
    """
    from currant.api import open_index
    from currant.cli.reader import settle
    from currant.clock import SystemClock

    clock = SystemClock()
    start = clock.monotonic()
    try:
        with (
            stoppable(),
            open_index(
                place.root, flags=_flags(place, workers, ignore), live=False, wide=yes_really
            ) as opened,
        ):
            reached = settle(opened, None)
            while opened.ask("upgrade", {"count": _UPGRADE_FILES}, sync_ms=-1).result["handed_over"]:
                reached = settle(opened, None)
            told = opened.status()
            owned = opened.service is not None
    except Stopped as stopped:
        echo("stopped; what was indexed stays, and the next run goes on from there", err=True)
        return stopped.exit_code
    seconds = clock.monotonic() - start
    stats, held = told["stats"], told["index"]
    if as_json:
        parts = {
            key: stats.get(key, 0)
            for key in ("extractor_calls", "reused_results", "shared_results", "bytes_hashed")
        }
        answer_json(
            reached, root=str(place.root), seconds=seconds, processed=told["processed_files"], index=held,
            owner=told.get("pid"), **parts,
        )  # fmt: skip
    else:
        echo(
            f"{held['files']:,} files, {held['symbols']:,} definitions in {shown(str(place.root))}"
            + (f", {held['failed']:,} failed (`currant status` names them)" if held["failed"] else "")
        )
        if owned:
            echo(
                f"read {told['processed_files']:,} files ({size(stats.get('bytes_hashed', 0))}), extracted "
                f"{stats.get('extractor_calls', 0):,}, reused {stats.get('reused_results', 0):,}, "
                f"in {duration(seconds)}"
            )
        else:
            echo(f"kept true by process {told.get('pid')}; waited {duration(seconds)} for it")
        say_freshness(reached)
    return 0 if reached.fresh else SyncTimeout.exit_code


@click.command(short_help="Keep the index true while files change.")
@path_argument
@_making
@options
def watch(place: Place, yes_really: bool, workers: int | None, ignore: tuple[str, ...], as_json: bool) -> int:
    """Make the index of PATH and keep it true while files change, until told to stop.

    On a terminal: a live view of state, rate, pending changes, recent changes and failures. Otherwise one
    line for each change (one JSON object each with --json). The first SIGINT or SIGTERM stops cleanly with
    exit status 0, the second one at once. Only one process can own an index: exit status 4 with its pid when
    another one does.
    """
    import sys

    from currant.api.backend import Own
    from currant.cli import live
    from currant.config import load_settings
    from currant.maintenance.machine import few_arenas
    from currant.plan import refuse_wide_root

    if not yes_really:
        refuse_wide_root(place.root)
    settings = load_settings(place.root, flags=_flags(place, workers, ignore))
    few_arenas()  # it runs for long, and what a thread's own pool keeps is for no other
    try:
        with stoppable(), _take_over(lambda: Own(place.root, settings, live=True), place) as own:
            for notice in own.notices:
                echo(notice, err=True)
            if sys.stdout.isatty() and not as_json:
                live.on_terminal(own.service)
            else:
                live.in_lines(own.service, as_json=as_json)
    except Stopped:
        echo("stopped", err=True)
    return 0


def _take_over(start: Callable[[], Any], place: Place) -> Any:
    """Own the index; one that is owned just for the length of a question is waited for."""
    import threading

    from currant.clock import SystemClock

    clock, pause = SystemClock(), threading.Event()
    deadline = clock.monotonic() + _HANDOVER_SECONDS
    while True:
        try:
            return start()
        except LockedError:
            if _is_watched(place) or clock.monotonic() >= deadline:
                raise
            pause.wait(_RETRY_SECONDS)


def _is_watched(place: Place) -> bool:
    try:
        with Client.connect(place.quick_state_dir, timeout=1.0) as client:
            return bool(client.owner["live"])
    except ServiceUnreachable:
        return False
