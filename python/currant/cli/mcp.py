"""The index for agents: ``mcp`` serves it over a pipe, ``mcp install`` tells clients of it."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from currant.cli.output import echo, shown, write_json
from currant.cli.place import Place, options
from currant.errors import UsageError

if TYPE_CHECKING:
    from currant.mcp.install import Change

_NAMES: Final = ("claude-code", "claude-desktop", "cursor", "vscode", "codex", "windsurf")
"""As in currant.mcp.clients, which `--help` does not import."""


@click.group(invoke_without_command=True, short_help="Serve the index to agents (Model Context Protocol).")
@options
@click.option(
    "--answer-tokens", type=click.IntRange(300, 50_000), default=2_000, show_default=True, metavar="N",
    help="How long one answer may get.",
)  # fmt: skip
@click.option("--yes-really", is_flag=True, help="Even when the root is / or a home directory.")
@click.pass_context
def mcp(context: click.Context, place: Place, as_json: bool, answer_tokens: int, yes_really: bool) -> int:
    """Serve the index of the root to an agent, over standard input and output, until it closes them.

    Started by the agent's program, not by hand: `currant mcp install` writes its configuration. Any number of
    these may run on one root: the first one owns the index and watches the files, the others ask it.
    """
    if context.invoked_subcommand is not None:
        if place.flags or context.params.get("root"):
            raise UsageError(f"put the options behind {context.invoked_subcommand}")
        return 0
    from currant.mcp.stdio import serve

    serve(place.root, place.flags, wide=yes_really, budget=answer_tokens)
    return 0


@mcp.command(short_help="Write the configuration of clients.")
@click.option(
    "--client", "names", type=click.Choice(_NAMES), multiple=True,
    help="Only for this client. May be repeated. Default: those that seem to be in use.",
)  # fmt: skip
@click.option("--remove", is_flag=True, help="Take the entry out again.")
@click.option(
    "--portable", is_flag=True,
    help="Name no path of this machine, for a file that goes to others (claude-code, vscode).",
)  # fmt: skip
@click.option("--yes", is_flag=True, help="Write without asking.")
@click.option("--print", "only_print", is_flag=True, help="Show what would be written, and write nothing.")
@options
def install(
    place: Place,
    as_json: bool,
    names: tuple[str, ...],
    remove: bool,
    portable: bool,
    yes: bool,
    only_print: bool,
) -> int:
    """Tell clients how to start `currant mcp` for this root, in the files where they look for it.

    Shows the difference and asks before it writes. Everything else in a file stays, what was there before is
    kept beside it as FILE.bak, and a file that cannot be read in full is left as it is, with what to add by
    hand. Exit status 2 when that happened, 1 when nothing was written.

    \b
      currant mcp install --client claude-code
      currant mcp install --client cursor --print
    """
    from currant.mcp import clients, install

    if as_json and not (yes or only_print):
        raise UsageError("--json asks nothing: add --yes or --print")
    home = Path.home()
    chosen = [clients.CLIENTS[name] for name in dict.fromkeys(names)] or clients.found(place.root, home)
    if not chosen:
        raise UsageError(f"no client was found: name one with --client ({', '.join(_NAMES)})")
    told: list[dict[str, Any]] = []
    for client in chosen:
        one: dict[str, Any] = {"client": client.name, "path": str(client.file(place.root, home))}
        told.append(one)
        try:
            if remove:
                change = install.removal(client, place.root, home)
            else:
                change = install.addition(
                    client, place.root, home, options=_options(place), portable=portable
                )
            one |= {"name": change.name, "action": "unchanged"}
            if change.changes:
                if not as_json:
                    echo(f"{client.title}: {shown(one['path'])}")
                    echo(change.diff().rstrip("\n"))
                one |= _write(change, yes=yes, only_print=only_print)
        except UsageError as error:
            one |= {"action": "refused", "error": str(error)}
        if not as_json:
            _say(client.title, one)
    if as_json:
        write_json({"root": str(place.root), "clients": told})
    actions = {one["action"] for one in told}
    if "refused" in actions:
        return UsageError.exit_code
    return 1 if "declined" in actions and not actions & {"written", "unchanged"} else 0


def _options(place: Place) -> list[str]:
    """The settings given as flags, as the server is to be given them."""
    words: list[str] = []
    for key, value in place.flags.items():
        words += ["--state-dir", value] if key == "state_dir" else ["--set", f"{key}={json.dumps(value)}"]
    return words


def _write(change: "Change", *, yes: bool, only_print: bool) -> dict[str, Any]:
    import sys

    from currant.mcp import install

    if only_print:
        return {"action": "printed", "after": change.after}
    if not yes:
        if not sys.stdin.isatty():
            raise UsageError("nobody is there to be asked: add --yes, or --print to look")
        if not click.confirm("Write this?", default=False):
            return {"action": "declined"}
    backup = install.write(change)
    return {"action": "written"} | ({"backup": str(backup)} if backup else {})


def _say(title: str, one: dict[str, Any]) -> None:
    action = one["action"]
    if action == "refused":
        echo(f"currant: {title}: {one['error']}", err=True)
    elif action == "unchanged":
        echo(f"{title}: nothing to do in {shown(one['path'])}")
    elif action == "written":
        kept = f" (before: {shown(one['backup'])})" if "backup" in one else ""
        echo(f"{title}: written{kept}; start it anew, or have it look at its servers again")
