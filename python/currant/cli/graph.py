"""The documentation graph: ``refs``, ``drift``."""

from typing import Any, Final

import click

from currant.cli.ask import NOTHING
from currant.cli.output import answer_json, echo, printable, say_freshness, shown
from currant.cli.place import Place, options, wait_option
from currant.cli.reader import reading

_DEAD: Final = 1
_KINDS: Final = ("dead", "anchor", "name", "older", "header")  # as in currant.graph, which costs an import


@click.command(short_help="What a file names, and who names it.")
@click.argument("file")
@click.option("--in", "inward", is_flag=True, help="Only who names it.")
@click.option("--out", "outward", is_flag=True, help="Only what it names.")
@options
@wait_option
def refs(place: Place, file: str, inward: bool, outward: bool, as_json: bool, wait: float | None) -> int:
    """Show what FILE names (links, paths and identifiers in backticks, includes, the dependencies of its
    header), each with its line and what it leads to, and then who names FILE, in the same ways.

    Everything is resolved at this moment: a file that moved leads and is led to from where it is now. Exit
    status 1 when the index has no such file.

    \b
      currant refs docs/design.md
      currant refs src/parser.py --in
    """
    path = place.relative(file)
    with reading(place, wait) as reader:
        answer = reader.ask("refs", {"path": path})
    told: dict[str, Any] | None = answer.result
    if as_json:
        answer_json(answer, refs=told)
        return 0 if told else NOTHING
    if told is None:
        echo(f"{shown(path, err=True)}: not in the index (ignored, or no such file)", err=True)
        return NOTHING
    both = inward == outward
    if both or outward:
        for one in told["outgoing"]:
            to = ", ".join(map(shown, one["leads_to"])) or one["state"]
            echo(f"{one['line']:>6}  {one['kind']}  {printable(one['target'])}  -> {to}")
    if both or inward:
        for one in told["incoming"]:
            echo(f"{shown(one['path'])}:{one['line']}  {one['kind']}  {printable(one['target'])}")
    say_freshness(answer)
    return 0


@click.command(short_help="What the documents say that does not hold.")
@click.option(
    "--kind", "kinds", type=click.Choice(_KINDS), multiple=True, help="Only this kind. May be repeated."
)
@click.option(
    "--ignore",
    metavar="GLOB",
    multiple=True,
    help="Leave out files, or targets, like this. Adds to drift.ignore.",
)
@options
@wait_option
def drift(
    place: Place, kinds: tuple[str, ...], ignore: tuple[str, ...], as_json: bool, wait: float | None
) -> int:
    """Report what documents and headers say that does not hold: references to files that are gone (dead), to
    headings that are gone (anchor), to definitions that are gone (name), documents older than the code that
    they name (older), missing or outdated headers (header).

    Each line: PATH:LINE, kind, what stands there, the reason. Exit status 1 when there is any. In doubt
    nothing is reported; `<!-- currant: ignore -->` on the line, or the one above, silences it.
    """
    with reading(place, wait) as reader:
        answer = reader.ask("drift", {"kinds": list(kinds), "ignore": list(ignore)})
    told: dict[str, Any] = answer.result
    found = told["findings"]
    if as_json:
        answer_json(answer, **told)
        return _DEAD if found else 0
    for one in found:
        what = f"  {printable(one['target'])}" if one["target"] else ""
        echo(f"{shown(one['path'])}:{one['line']}  {one['kind']}{what}  {printable(one['reason'])}")
    silenced = f", {told['silenced']} silenced" if told["silenced"] else ""
    echo(f"{len(found)} of {told['references']} references in {told['files']} files{silenced}", err=True)
    say_freshness(answer)
    return _DEAD if found else 0
