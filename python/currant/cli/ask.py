"""Questions about what is in the index: ``find``, ``show``, ``files``, ``why``, ``changes``."""

import os
import sys
from typing import Any

import click

from currant.cli.output import (
    answer_json,
    echo,
    moment,
    printable,
    say_freshness,
    shown,
    size,
    table,
    write_json,
)
from currant.cli.place import Place, options, wait_option
from currant.cli.reader import reading
from currant.cli.record import lines
from currant.errors import NoIndexError, ServiceUnreachable
from currant.ipc.client import Client

NOTHING = 1
"""Exit status of a question whose answer is "there is none"."""

_OUTDATED = " (outdated, to be replaced)"


@click.command(short_help="Where a name is defined, or what is said about it.")
@click.argument("name")
@click.option("--kind", metavar="KIND", help="Only this kind: function, class, method, struct, heading, ...")
@click.option("--lang", "language", metavar="LANG", help="Only this language: python, c, rust, ...")
@click.option("--path", "under", metavar="GLOB", help="Only files like this: docs/, '*.h', 'src/**/test_*'.")
@click.option("--exact", is_flag=True, help="The whole name, in this letter case, and nothing else.")
@click.option(
    "--docs/--no-docs",
    "documentation",
    default=None,
    help="Search documentation always, or never. Without either: when no definition has the name itself.",
)
@click.option(
    "--limit", type=click.IntRange(1, 100_000), default=100, show_default=True, help="At most so many."
)
@options
@wait_option
def find(
    place: Place, name: str, kind: str | None, language: str | None, under: str | None, exact: bool,
    documentation: bool | None, limit: int, as_json: bool, wait: float | None,
) -> int:  # fmt: skip
    """Find definitions by NAME, or by words of their documentation, the best match first.

    In this order: the name itself, names beginning with it, with a word beginning with it, with it inside;
    when there is none, names that differ in a letter or two; then documentation with all the words of NAME.

    Each line: PATH:LINE, kind, name (with what it is in), signature, and how it was found where the name does
    not show it. Exit status 1 when there is none.

    \b
      currant find parse_config
      currant find Parser --kind class --lang python --json
      currant find 'token bucket' --path src/
    """
    params = {"name": name, "kind": kind, "language": language, "exact": exact, "limit": limit}
    # Only when they were given: a watcher of an older version does not know them.
    params |= {} if under is None else {"path": under}
    params |= {} if documentation is None else {"documentation": documentation}
    with reading(place, wait) as reader:
        answer = reader.ask("find", params)
    found: list[dict[str, Any]] = answer.result
    if as_json:
        answer_json(answer, definitions=found)
        return 0 if found else NOTHING
    for one in found:
        inside = f"  in {one['parent']}" if one["parent"] else ""
        signature = f"  {one['signature']}" if one["signature"] else ""
        what = printable(f"{one['kind']}  {one['name']}{inside}{signature}")
        how = "  (similar)" if one.get("match") == "typo" else ""
        echo(f"{shown(one['path'])}:{one['start']}  {what}{how}")
        if one.get("snippet"):
            echo(f"    {printable(one['snippet'])}")
    if len(found) == limit:
        echo(f"the first {limit}; --limit gives more", err=True)
    say_freshness(answer)
    return 0 if found else NOTHING


@click.command(short_help="All that the index holds of one file.")
@click.argument("file")
@options
@wait_option
def show(place: Place, file: str, as_json: bool, wait: float | None) -> int:
    """Show all that the index holds of FILE: state, hash, language, what its header says, and its definitions
    with what they are for.

    With --json, `document` is the full record in the published shape: the sections of the header and of every
    documentation, parameters, line ranges (see docs/record.md).

    FILE counts from the current directory, or from the root. Exit status 1 when the index has no such file
    (it is ignored, or not there).
    """
    path = place.relative(file)
    with reading(place, wait) as reader:
        answer = reader.ask("show", {"path": path, "full": True})
    view: dict[str, Any] | None = answer.result
    if as_json:
        answer_json(answer, file=view)
        return 0 if view else NOTHING
    if view is None:
        echo(f"{shown(path, err=True)}: not in the index (ignored, or no such file)", err=True)
    else:
        from currant.model import MAX_HASHED_BYTES  # not for those who only ask for JSON: it costs 40 ms

        hashed = view["content"] and view["stat"]["size"] <= MAX_HASHED_BYTES
        table(
            [
                ("path", shown(view["path"])),
                ("state", view["state"] + (f": {printable(view['reason'])}" if view["reason"] else "")),
                ("size", size(view["stat"]["size"])),
                ("language", view["language"] or "-"),
                ("content", f"xxh3:{view['content']}" if hashed else "-"),
                ("extractor", (view["extractor"] or "-") + (_OUTDATED if view.get("outdated") else "")),
                ("indexed", moment(view["indexed_at"])),
            ]
        )
        for line in lines(view):
            echo(line)
    say_freshness(answer)
    return 0 if view else NOTHING


@click.command(short_help="Every file that is kept, or those like PATTERN.")
@click.argument("pattern", required=False)
@click.option(
    "-0",
    "--null",
    "null",
    is_flag=True,
    help="End each path with a NUL byte, for xargs -0; bytes as they are.",
)
@click.option("--limit", type=click.IntRange(1), default=None, help="At most so many.")
@click.option("--after", metavar="PATH", default=None, help="Go on behind this path (from the root).")
@options
@wait_option
def files(
    place: Place, pattern: str | None, null: bool, limit: int | None, after: str | None, as_json: bool,
    wait: float | None,
) -> int:  # fmt: skip
    """List every file that the index keeps: all but what the ignore rules hide, in the order of its bytes.

    With PATTERN those that have it in their path, whatever the letter case. A PATTERN with * or ? is a glob
    as in an ignore file: '*.h' at any depth, 'src/**/test_*' from the root. Exit status 1 when there is none.

    With -0 the same, byte for byte, as `git ls-files -coz --exclude-standard` of the regular files there are.

    \b
      currant files parser.c
      currant files 'docs/*.md'
    """
    given = {"pattern": pattern, "limit": limit, "after": after}
    # Only what was given: a watcher of an older version does not know them.
    params = {name: value for name, value in given.items() if value is not None}
    with reading(place, wait) as reader:
        answer = reader.ask("files", params)
    paths: list[str] = answer.result
    status = NOTHING if pattern is not None and not paths else 0
    if as_json:
        answer_json(answer, files=paths)
        return status
    if null:
        sys.stdout.flush()
        sys.stdout.buffer.write(b"".join(path.encode("utf-8", "surrogateescape") + b"\0" for path in paths))
        sys.stdout.buffer.flush()
    elif paths:
        echo("\n".join(shown(path) for path in paths))
    if len(paths) == limit:
        echo(f"the first {limit}; --limit gives more, --after the next", err=True)
    say_freshness(answer)
    return status


@click.command(short_help="How the row of one file came about.")
@click.argument("file")
@options
@wait_option
def why(place: Place, file: str, as_json: bool, wait: float | None) -> int:
    """Say why the index holds what it holds of FILE: what made it dirty, when it was read, which extractor
    ran or whose result was reused, and how often it was tried.

    Exit status 1 when the index has no such file.
    """
    path = place.relative(file)
    with reading(place, wait) as reader:
        answer = reader.ask("why", {"path": path})
    told: dict[str, Any] | None = answer.result
    if as_json:
        answer_json(answer, why=told)
        return 0 if told else NOTHING
    if told is None:
        echo(f"{shown(path, err=True)}: not in the index (ignored, or no such file)", err=True)
    else:
        table(_provenance(told))
    say_freshness(answer)
    return 0 if told else NOTHING


_CAUSES = {
    "event": "the kernel reported it",
    "scan": "a scan found it",
    "retry": "an earlier failure was tried again",
    "request": "someone asked for it",
}


def _provenance(told: dict[str, Any]) -> list[tuple[str, str]]:
    reused = told["reused_from"]
    if reused is None:
        result = f"extracted from this file ({told['extractor'] or 'no extractor'})"
    elif reused == "":
        result = f"reused from an earlier time with the same content ({told['extractor']})"
    else:
        result = f"reused from {shown(reused)} ({told['extractor']})"
    rows = [
        ("path", shown(told["path"])),
        ("state", told["state"] + (f": {printable(told['reason'])}" if told["reason"] else "")),
        ("cause", f"{told['cause']}: {_CAUSES.get(told['cause'], '')}".rstrip(": ")),
        ("seen", moment(told["seen_at"])),
        ("hashed", f"xxh3:{told['content']}" if told["content"] else "-"),
        ("language", told["language"] or "-"),
        ("result", (result if told["content"] else "-") + (_OUTDATED if told.get("outdated") else "")),
        ("extracted", moment(told["extracted_at"]) if told["extracted_at"] else "-"),
        ("shared with", f"{told['shared_with']} other file(s)"),
        ("attempts", str(told["attempts"])),
        ("since clock", told["clock"]),
    ]
    if told["retry_at"]:
        rows.append(("next try", moment(told["retry_at"])))
    if told["racy"]:
        rows.append(
            ("racy", "changed too shortly before it was read to be sure: the next start reads it again")
        )
    return rows


@click.command(short_help="What changed since a clock.")
@click.option(
    "--since",
    metavar="CLOCK",
    help="From this clock on. Default: everything, as created; with --follow, from now.",
)
@click.option(
    "--follow",
    "-f",
    is_flag=True,
    help="Go on, with each change as it is committed. Needs a running watcher.",
)
@options
@wait_option
def changes(place: Place, since: str | None, follow: bool, as_json: bool, wait: float | None) -> int:
    """List what changed in the index since CLOCK, the oldest first: created, modified, deleted, renamed.

    The clock to give next time is on the last line of standard error (`clock` in JSON). A clock that this
    index does not know gives everything as created, and says so (`fresh_instance` in JSON). With --follow and
    --json each line is one change.
    """
    if follow:
        return _follow(place, since, as_json, wait)
    rows: list[dict[str, Any]] = []
    with reading(place, wait) as reader:
        answer = reader.ask("changes", {"since": since, "limit": 10_000})
        page = answer.result
        fresh_instance = page["fresh_instance"]
        rows += page["changes"]
        while page["more"]:
            page = reader.ask("changes", {"since": page["clock"], "limit": 10_000}).result
            rows += page["changes"]
    # Where to go on from is behind the last row, which may be later than the barrier.
    answer = answer._replace(clock=page["clock"])
    if as_json:
        answer_json(answer, fresh_instance=fresh_instance, changes=rows)
        return 0
    for row in rows:
        _write(row)
    if fresh_instance and since is not None:
        echo(f"{since} is not a clock of this index (any more): everything is listed", err=True)
    say_freshness(answer)
    return 0


def _follow(place: Place, since: str | None, as_json: bool, wait: float | None) -> int:
    try:
        client = Client.connect(place.quick_state_dir, place.root)
    except ServiceUnreachable as error:
        if not os.path.exists(place.quick_state_dir / "index.db"):
            raise NoIndexError(str(place.root)) from None
        raise ServiceUnreachable(f"{error}; --follow needs a running `currant watch`") from None
    with client:
        if since is None:
            answer = client.call("sync", sync_ms=round((10.0 if wait is None else wait) * 1_000))
            since = answer.clock
        for part in client.stream("follow", {"since": since}):
            if part["fresh_instance"]:
                echo("a clock that this index does not know: everything is listed", err=True)
            for row in part["part"]:
                if as_json:
                    write_json(row)
                else:
                    _write(row)
            sys.stdout.flush()
    return 0


def _write(row: dict[str, Any]) -> None:
    renamed = f"  from {shown(row['old_path'])}" if row["old_path"] else ""
    echo(f"{row['change_type']:<8}  {shown(row['path'])}{renamed}")
