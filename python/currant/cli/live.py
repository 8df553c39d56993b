"""What ``watch`` shows: a live view on a terminal, a line for each change anywhere else.

Reads the service and never steers it. Woken by commits; between them a terminal is redrawn now and then for
the rates, a pipe not at all, so that an idle watcher costs nothing.
"""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

from currant.cli.output import duration, echo, moment, printable, shown, write_json
from currant.cli.progress import Bar
from currant.clock import SystemClock
from currant.errors import ClosedError, EngineError, StoreDamagedError
from currant.service import Service

if TYPE_CHECKING:
    from rich.console import RenderableType

    from currant.maintenance.target import Relief

_BUSY_SECONDS: Final = 0.25
_IDLE_SECONDS: Final = 1.0
_SLICE_SECONDS: Final = 0.2
_LOOK_SECONDS: Final = 5.0
"""For how long nothing happens before a pipe's watcher looks whether all is well."""
_CALM_LOOK_SECONDS: Final = 30.0
"""And how often it goes on to look while nothing happens, and nothing is wrong."""

_LINES: Final = 50
"""Changes of one commit that get a line each; the rest is counted."""

_RECENT: Final = 12

_FEW: Final = 100
"""Pending changes that are not worth a word on how long they will take."""


@contextmanager
def _commits(service: Service) -> Iterator[threading.Event]:
    """An event that is set by each commit."""
    event = threading.Event()

    def ring(_commit: Any) -> None:
        event.set()

    service.on_commit.append(ring)
    try:
        yield event
    finally:
        with suppress(ValueError):
            service.on_commit.remove(ring)


def in_lines(service: Service, *, as_json: bool) -> None:
    """Until a signal: progress of the first scan, then every change."""
    clock = SystemClock()
    start = clock.monotonic()
    pause = threading.Event()
    with Bar() as bar:
        while not (reached := service.sync(_SLICE_SECONDS)).fresh:
            at = service.progress()
            bar.show(at.done, at.total, rate=at.files_per_second, eta=at.eta_seconds, phase=at.phase)
            if service.root_missing():  # then a sync has nothing to wait for
                pause.wait(_SLICE_SECONDS)
    since = reached.clock
    count = service.query.counts()["files"]
    seconds = clock.monotonic() - start
    if as_json:
        write_json({"ready": True, "files": count, "seconds": seconds, "clock": since})
    else:
        _say(
            f"watching {shown(str(service.root))}: {count:,} files, "
            f"ready in {duration(seconds)}, clock {since}"
        )
    known: set[str] = set()
    pause_s = _LOOK_SECONDS
    relief = _relief()
    with _commits(service) as committed:
        while True:
            try:
                since = _print_changes(service, since, clock.now(), as_json=as_json)
            except (StoreDamagedError, ClosedError):
                # The index is being made anew; if it is not, `_require_running` says why.
                known = _print_trouble(service, known, as_json=as_json)
            if committed.wait(pause_s):
                pause_s = _LOOK_SECONDS
            else:
                known = _print_trouble(service, known, as_json=as_json)
                relief.look(service, service.progress().done)
                pause_s = _LOOK_SECONDS if known else _CALM_LOOK_SECONDS
            committed.clear()
            _require_running(service)


def _relief() -> "Relief":
    """For a watcher whose index is complete: the first one may have taken three times what it needs now."""
    from currant.maintenance.target import Relief

    return Relief()


def _print_changes(service: Service, since: str, now: float, *, as_json: bool) -> str:
    """Print what was committed after `since`; the clock after it."""
    printed = skipped = 0
    while True:
        page = service.query.changes(since, limit=1_000)
        if page.fresh_instance:
            # The index was lost and made anew: what follows is all there is, not what changed.
            if as_json:
                write_json({"fresh_instance": True, "clock": page.clock})
            else:
                _say(f"{moment(now)}  the index was made anew")
        for row in page.changes:
            if as_json:
                write_json(
                    {
                        "change": row.change_type,
                        "path": row.path,
                        "old_path": row.old_path,
                        "clock": row.clock,
                    }
                )
            elif printed < _LINES:
                printed += 1
                renamed = f"  from {shown(row.old_path)}" if row.old_path else ""
                _say(f"{moment(row.at)}  {row.change_type:<8}  {shown(row.path)}{renamed}")
            else:
                skipped += 1
        since = page.clock
        if not page.more:
            break
    if skipped:
        _say(f"{moment(now)}  and {skipped:,} more")
    return since


def _print_trouble(service: Service, known: set[str], *, as_json: bool) -> set[str]:
    """Print what works worse than it should and was not printed yet; all that does."""
    degraded = service.get_status()["degraded"]
    for trouble in degraded:
        if _state(trouble) in known:
            continue
        if as_json:
            write_json({"degraded": trouble})
        else:
            _say(f"degraded: {trouble['what']} ({trouble['count']}): {trouble['fix']}")
    return {_state(trouble) for trouble in degraded}


def _state(trouble: dict[str, Any]) -> str:
    """What makes a trouble another one: its kind, not its numbers; for that of a path, what it is."""
    return str(trouble["what"] if trouble["code"] == "problem" else trouble["code"])


def _require_running(service: Service) -> None:
    """Raise what the engine failed with: a watcher that watches nothing must not look alive."""
    if not service.is_running():
        service.sync(0)
        raise EngineError("nothing is watched any more: start again")


def _say(text: str) -> None:
    echo(text)  # click flushes, so that a pipe sees each line when it happens


def on_terminal(service: Service) -> None:
    """Until a signal: the live view."""
    from rich.live import Live

    recent: deque[str] = deque(maxlen=_RECENT)
    since: str | None = None
    relief = _relief()
    with _commits(service) as committed, Live(auto_refresh=False, screen=False) as view:
        while True:
            told = service.get_status()
            if since is None and told["fresh"]:
                since = str(told["clock"])
            elif since is not None:
                with suppress(StoreDamagedError, ClosedError):  # it is being made anew, and `told` says so
                    since = _collect(service, since, recent)
            view.update(render(told, recent), refresh=True)
            calm = not told["pending"] and told["fresh"]
            if not committed.wait(_IDLE_SECONDS if calm else _BUSY_SECONDS) and calm:
                relief.look(service, told["processed_files"])
            committed.clear()
            _require_running(service)


def _collect(service: Service, since: str, recent: deque[str]) -> str:
    while True:
        page = service.query.changes(since, limit=1_000)
        if page.fresh_instance:
            recent.append("the index was made anew")
        for row in page.changes:
            renamed = f"  from {row.old_path}" if row.old_path else ""
            recent.append(f"{moment(row.at)[11:19]}  {row.change_type:<8}  {row.path}{renamed}")
        since = page.clock
        if not page.more:
            return since


def render(told: dict[str, Any], recent: deque[str]) -> "RenderableType":
    """The view of one status and the latest changes."""
    from rich.console import Group
    from rich.panel import Panel
    from rich.table import Table
    from rich.text import Text

    stats, held = told["stats"], told["index"]
    state = Table.grid(padding=(0, 2))
    fresh = Text("fresh", "green")
    if not told["fresh"]:
        fresh = Text(f"{told['pending']:,} pending" if told["pending"] else "not fresh", "yellow")
    state.add_row("state", Text.assemble(str(told["phase"]), "  ", fresh), "clock", str(told["clock"]))
    state.add_row(
        "files",
        f"{held['files']:,}",
        "rate",
        f"{stats['recent_files_per_second']:,.0f}/s, {told['active_workers']} working",
    )
    state.add_row(
        "processed", f"{told['processed_files']:,} ({stats.get('reused_results', 0):,} reused)",
        "failed", Text(f"{held['failed']:,}", "red" if held["failed"] else ""),
    )  # fmt: skip
    if told["phase"] == "scanning" or told["pending"] > _FEW:
        state.add_row(*_cost(told))
    parts: list[RenderableType] = [state]
    if recent:
        parts += [Text("\nrecent changes", "bold"), Text("\n".join(map(printable, recent)), no_wrap=True)]
    failures = [_failure(one) for one in stats.get("recent_failures", [])[-5:]]
    if failures:
        parts += [Text("\nfailures", "bold red"), Text("\n".join(map(printable, failures)), no_wrap=True)]
    for trouble in told["degraded"]:
        parts.append(
            Text("\n" + printable(f"{trouble['what']} ({trouble['count']}): {trouble['fix']}"), "yellow")
        )
    return Panel(Group(*parts), title=Text(f"currant  {printable(str(told['root']))}"), title_align="left")


def _cost(told: dict[str, Any]) -> tuple[str, str, str, str]:
    """What is still to be done, and what it takes of the kernel: one row."""
    from currant.plan import watch_limit

    engine, rate = told["engine"], told["stats"]["recent_files_per_second"]
    if told["phase"] == "scanning":
        left = "the tree is being listed"
    else:
        left = f"{told['pending']:,} of {engine.get('files', 0):,} files"
        left += f", about {duration(told['pending'] / rate)}" if rate >= 1 else ""
    limit = watch_limit()
    of = "" if limit is None else f" of {limit:,}"
    return "left", left, "watches", f"{engine.get('watches', 0):,}{of}"


def _failure(one: tuple[str, float, str]) -> str:
    path, _at, reason = one
    return f"{path}: {reason}"
