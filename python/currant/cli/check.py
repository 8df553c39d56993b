"""Trust, but look: ``verify`` and ``audit`` the index, ``plan`` one, ``doctor`` the machine."""

from dataclasses import asdict
from typing import Any

import click
from msgspec import to_builtins

from currant.cli.output import answer_json, duration, echo, printable, shown, size, table, write_json
from currant.cli.place import Place, options, path_argument
from currant.cli.progress import Bar
from currant.cli.reader import reading
from currant.errors import RetryError
from currant.ipc.client import Answer

DIFFERENT = 1
_SHOWN = 100


@click.command(short_help="Compare every file with the index.")
@options
def verify(place: Place, as_json: bool) -> int:
    """Read and hash every file again and compare with the index: the full differential.

    Exit status 0 when every file that the rules keep is in the index with its present content and nothing
    else is; 1 with the list otherwise. Works with or without a watcher; files that change during the
    comparison are asked again before they count.
    """
    from currant.api import open_index
    from currant.cli.reader import settle
    from currant.clock import SystemClock

    clock = SystemClock()
    with open_index(place.root, flags=place.flags, live=False, create=False, wide=True) as index:
        settle(index, None)
        start = clock.monotonic()
        with Bar() as bar:
            report = index.verify(progress=lambda done, total: bar.show(done, total, phase="verifying"))
        seconds = clock.monotonic() - start
    if as_json:
        last = index.last
        reached = Answer(None, last.clock, last.fresh, tuple(last.outstanding), tuple(last.degraded))
        answer_json(reached, ok=report.ok, seconds=seconds, **asdict(report))
        return 0 if report.ok else DIFFERENT
    for found in report.differences:
        echo(
            f"{found.kind:<9}  {shown(found.path)}"
            f"  disk {found.on_disk or '-'}  index {found.in_index or '-'}"
        )
    for path, reason in report.failed[:_SHOWN]:
        echo(f"failed     {shown(path)}  {printable(reason)} (known, not a difference)")
    for path, reason in report.unreadable[:_SHOWN]:
        echo(f"unreadable {shown(path)}  {printable(reason)}")
    for path in report.moving[:_SHOWN]:
        echo(f"moving     {shown(path)}  changed each time it was looked at")
    if not report.settled:
        echo("the index did not catch up with the disk: no verdict", err=True)
    echo(
        f"{report.files:,} files, {size(report.bytes)} in {duration(seconds)}: "
        f"{len(report.differences)} difference(s), {len(report.failed)} failed, {len(report.moving)} moving"
    )
    return 0 if report.ok else DIFFERENT


@click.command(short_help="Compare a sample with the index, and repair it.")
@click.option("--all", "whole", is_flag=True, help="Every file by size, times and inode, not a sample.")
@click.option("--acknowledge", is_flag=True, help="End the notice of what was found before; look at nothing.")
@options
def audit(place: Place, as_json: bool, whole: bool, acknowledge: bool) -> int:
    """Do now what a watcher does once a minute: compare a sample of the tree with the index, by size, times
    and inode, and some contents; have what has drifted read again.

    Drift is what no notification told of: a write through a hard link, a store through a memory map, a
    rewrite with the old times, or a fault of ours. Exit status 1 when there was some, even if it is repaired
    now; 5 when the index did not catch up in time to tell.
    """
    with reading(place, None) as reader:
        answer = reader.ask("audit", {"all": whole, "acknowledge": acknowledge})
    told: dict[str, Any] = answer.result
    drift: list[dict[str, Any]] = told.get("drift", [])
    status = DIFFERENT if drift else 0 if told.get("settled", True) else RetryError.exit_code
    if as_json:
        answer_json(answer, **told)
        return status
    if acknowledge:
        echo(f"{told['acknowledged']} acknowledged")
        return 0
    for found in drift[:_SHOWN]:
        state = "repaired" if found["repaired"] else "NOT repaired: start the watcher again"
        echo(f"{found['kind']:<8}  {shown(found['path'])}  {found['cause']} ({state})")
    echo(
        f"{told['files']:,} files, {told['contents']:,} contents, {told['directories']:,} directories: "
        f"{len(drift)} drifted"
    )
    if not told["settled"]:
        echo("the index did not catch up with the disk: ask again later", err=True)
    return status


@click.command(short_help="What indexing would cost.")
@path_argument
@click.option("--yes-really", is_flag=True, help="Even when PATH is / or a home directory.")
@click.option("--llm", "with_llm", is_flag=True, help="What extraction by a model would cost, in dollars.")
@options
def plan(place: Place, as_json: bool, yes_really: bool, with_llm: bool) -> int:
    """Say what indexing PATH would cost, before it is done: files, bytes, directories (one watch each,
    against the kernel's limit), languages, and the ten directories that cost most.

    Opens no file and writes nothing. Exit status 1 when the watches do not fit into the limit.

    With --llm: which files a language model would be asked about, tokens, dollars and hours. Nothing is sent.
    With an index it knows which files need it; without one it takes every file of a known language. Exit
    status 1 when the price of the model is not known.
    """
    from currant.config import load_settings
    from currant.extract.languages import detect
    from currant.plan import make_plan, refuse_wide_root

    if not yes_really:
        refuse_wide_root(place.root)
    if with_llm:
        from currant.cli.llm import show_plan

        return show_plan(place, as_json)
    settings = load_settings(place.root, flags=place.flags)
    found = make_plan(
        place.root,
        state_dir=settings.state_path(place.root),
        ignore_patterns=settings.monitor.ignore_patterns,
        nested_repositories=settings.monitor.nested_repositories,
        language_of=lambda path: detect(path, b""),
    )
    if as_json:
        write_json({**to_builtins(found), "fits": found.fits})
        return 0 if found.fits else DIFFERENT
    limit = "no limit" if found.watch_limit is None else f"limit {found.watch_limit:,}"
    table(
        [
            ("root", shown(found.root)),
            ("files", f"{found.files:,}"),
            ("bytes", size(found.bytes)),
            ("watches", f"{found.directories:,} directories, {limit}"),
            (
                "languages",
                ", ".join(f"{name} {count:,}" for name, count in list(found.languages.items())[:10]),
            ),
        ]
    )
    echo("dearest directories (share of the cost, files, bytes):")
    for one in found.expensive:
        echo(f"  {one.share:>6.1%}  {one.files:>8,}  {size(one.bytes):>10}  {shown(one.path)}")
    for path, reason in found.unreadable[:_SHOWN]:
        echo(f"unreadable: {shown(path)}: {printable(reason)}")
    if not found.fits:
        echo("more directories than watches: `currant doctor` has the line that raises the limit", err=True)
    return 0 if found.fits else DIFFERENT


@click.command(short_help="Is this machine fit for it, and if not, what to do.")
@options
def doctor(place: Place, as_json: bool) -> int:
    """Check this machine and this index: kernel limits, SQLite, file systems, lock, socket, integrity.

    Each finding that needs something done comes with what to type. Exit status 1 when a check failed.
    """
    from currant.doctor import Grade, examine
    from currant.errors import ConfigError

    llm_told: str | None = None
    try:
        from currant.config import load_settings

        settings = load_settings(place.root, flags=place.flags)
        state_dir = settings.state_path(place.root)
        refused: ConfigError | None = None
        if settings.llm.provider != "off":
            from currant.llm.tier import announcement

            llm_told = announcement(settings)
    except ConfigError as error:
        state_dir, refused = place.quick_state_dir, error
    checks: list[dict[str, Any]] = [asdict(check) for check in examine(place.root, state_dir)]
    if llm_told is not None:
        checks.append({"name": "llm", "grade": Grade.NOTE, "found": llm_told, "fix": ""})
    if refused is not None:
        checks.insert(
            0, {"name": "configuration", "grade": Grade.FAIL, "found": str(refused), "fix": "correct it"}
        )
    failed = any(check["grade"] == Grade.FAIL for check in checks)
    if as_json:
        write_json({"ok": not failed, "checks": checks})
        return DIFFERENT if failed else 0
    for check in checks:
        echo(f"{check['grade']:<4}  {check['name']}: {check['found']}")
        if check["fix"]:
            echo(f"      fix: {check['fix']}")
    return DIFFERENT if failed else 0
