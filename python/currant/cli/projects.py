"""The tree as a whole: ``progress``, ``skills``."""

import os
from typing import Any, Final

import click

from currant.cli.ask import NOTHING
from currant.cli.output import answer_json, echo, printable, say_freshness, shown, size
from currant.cli.place import Place, options, wait_option
from currant.cli.reader import reading

_NAMED: Final = 3
"""Places that a line of ``skills`` names."""


@click.command(short_help="How much of the task lists is done.")
@click.argument("document", required=False, metavar="[PATH]")
@click.option("--open", "only_open", is_flag=True, help="List the tasks that are not done.")
@click.option("--all", "every", is_flag=True, help="List every task.")
@options
@wait_option
def progress(
    place: Place, document: str | None, only_open: bool, every: bool, as_json: bool, wait: float | None
) -> int:
    """Show how much of the task lists in documents is done: in all, by project (a directory with a manifest),
    by directory and by file. PATH is one document or one directory; default: the whole root.

    A task is a box ([ ], [x]) in a list of Markdown, reStructuredText, AsciiDoc or Org. Exit status 1 when
    there is none.

    \b
      currant progress
      currant progress docs/plan.md --open
    """
    below = "" if document is None or _is_root(place, document) else place.relative(document)
    listed = "all" if every else "open" if only_open else "none"
    with reading(place, wait) as reader:
        answer = reader.ask("task_progress", {"path": below, "tasks": listed})
    told: dict[str, Any] = answer.result
    if as_json:
        answer_json(answer, progress=told)
        return 0 if told["total"] else NOTHING
    if not told["total"]:
        echo(f"no task lists below {shown(below or '.', err=True)}", err=True)
    elif listed == "none":
        echo(_share(told, "all"))
        for title, key in (("projects", "projects"), ("directories", "directories"), ("files", "files")):
            if len(told[key]) > 1 or key == "files":
                echo(f"{title}:")
                for one in told[key]:
                    echo(f"  {_share(one, shown(one['path'] or '.'))}")
    for task in told["tasks"]:
        box = "[x]" if task["done"] else "[ ]"
        under = f"  ({printable(' / '.join(task['headings']))})" if task["headings"] else ""
        what = f"{box} {printable(task['text'])}{under}"
        echo(f"{shown(task['path'])}:{task['line']}  {'  ' * task['depth']}{what}")
    if listed != "none" and told["total"]:
        echo(_share(told, "all"), err=True)
    _say_outdated(told)
    say_freshness(answer)
    return 0 if told["total"] else NOTHING


def _is_root(place: Place, path: str) -> bool:
    return os.path.realpath(path) == os.path.realpath(place.root) or path == "."


def _share(one: dict[str, Any], name: str) -> str:
    return f"{one['percent']:>5.1f} %  {one['done']:>4} of {one['total']:<4}  {name}"


@click.command(short_help="Languages, frameworks, dependencies and tools.")
@click.option("--dependencies", "every", is_flag=True, help="List every dependency as well.")
@options
@wait_option
def skills(place: Place, every: bool, as_json: bool, wait: float | None) -> int:
    """Show what the tree is made with: languages by files, size and definitions; frameworks; test, build and
    lint tools; the versions that manifests ask for; with --dependencies each package and its place.

    From manifests (pyproject.toml, package.json, Cargo.toml, go.mod, pom.xml, ...), which are read and never
    executed, and from the names of files.
    """
    with reading(place, wait) as reader:
        answer = reader.ask("skills", {})
    told: dict[str, Any] = answer.result
    if as_json:
        answer_json(answer, skills=told)
        return 0
    echo("languages:")
    for one in told["languages"]:
        files = f"{one['files']:>8} files {_percent(one['files_percent'])}"
        weight = f"{size(one['bytes']):>10} {_percent(one['bytes_percent'])}"
        echo(f"  {one['language'] or 'unknown':<16}{files}{weight} {one['definitions']:>10} definitions")
    _section(
        "frameworks", [(one, [place["path"] for place in one["declared"]]) for one in told["frameworks"]]
    )
    for kind in ("test", "build", "lint"):
        _section(f"{kind} tools", [(one, one["files"]) for one in told["tools"] if one["kind"] == kind])
    if told["requires"]:
        echo("asked for:")
        wanted: dict[tuple[str, str], list[str]] = {}
        for one in told["requires"]:
            wanted.setdefault((one["name"], one["spec"]), []).append(one["path"])
        for (name, spec), paths in wanted.items():
            echo(f"  {printable(name)} {printable(spec)}  {_places(paths)}")
    if every:
        echo("dependencies:")
        for one in told["dependencies"]:
            for at in one["declared"]:
                spec = f" {printable(at['spec'])}" if at["spec"] else ""
                what = f"{one['ecosystem']}  {printable(one['name'])}{spec}"
                echo(f"  {what}  {at['scope']}  {shown(at['path'])}")
    else:
        echo(f"dependencies: {len(told['dependencies'])} (--dependencies lists them)")
    _say_outdated(told)
    say_freshness(answer)
    return 0


def _percent(share: float | None) -> str:
    return " " * 8 if share is None else f"{share:>6.1f} %"


def _say_outdated(told: dict[str, Any]) -> None:
    if told["outdated"]:
        echo(
            f"{told['outdated']} files were read by an older version and are still to be read again:"
            " what they say may be missing (`currant index` does it now)",
            err=True,
        )


def _section(title: str, found: list[tuple[dict[str, Any], list[str]]]) -> None:
    if not found:
        return
    echo(f"{title}:")
    for one, paths in found:
        kind = "" if title.endswith("tools") else f" ({one['kind']})"
        echo(f"  {printable(one['name'])}{kind}  {_places(paths)}")


def _places(paths: list[str]) -> str:
    paths = list(dict.fromkeys(paths))
    more = f" and {len(paths) - _NAMED} more" if len(paths) > _NAMED else ""
    return ", ".join(map(shown, paths[:_NAMED])) + more
