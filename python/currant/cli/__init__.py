"""The command line: ``currant COMMAND``.

Owns the list of commands and what happens to errors and exit codes. Each command's module is imported when
it is called, and imports the index's code only when it has to own an index itself: with a watcher running,
a question costs a few milliseconds.

- `place`: options every command has, which root is meant
- `reader`: asking the watcher, or becoming the owner for one answer
- `output`: text and JSON; `progress`: the bar; `live`: the view of ``watch``
- `owning` (index, watch), `ask` (find, show, files, why, changes), `state` (status, sync), `check` (verify,
  audit, plan, doctor): the commands
"""

import atexit
import gc
import os
import sys
import threading
from collections.abc import Sequence
from importlib import import_module
from typing import Any, Final, NoReturn

import click

from currant.errors import CurrantError

_GARBAGE_EVERY: Final = 20_000
"""Objects made and not gone again, until the youngest are looked through for cycles."""

_COMMANDS: Final = {
    "index": "owning",
    "watch": "owning",
    "status": "state",
    "sync": "state",
    "find": "ask",
    "show": "ask",
    "files": "ask",
    "why": "ask",
    "changes": "ask",
    "refs": "graph",
    "drift": "graph",
    "progress": "projects",
    "skills": "projects",
    "verify": "check",
    "audit": "check",
    "plan": "check",
    "doctor": "check",
    "llm": "llm",
    "extractors": "extractors",
    "mcp": "mcp",
    "serve": "serve",
    "top": "top",
    "project": "project",
    "scheduler": "scheduler",
    "jobs": "jobs",
}

HELP: Final = """A live metadata index of a code monorepo that is never silently stale.

\b
  currant plan                what indexing would cost, before it is done
  currant index               make the index, or bring it up to date
  currant watch               keep it true while files change
  currant find parse_config   where is it defined?

The root is --root, else the nearest directory upwards that has an index (.currant), else the top of the git
work tree, else the current directory. With `currant watch` running, commands ask it; otherwise they first
bring the index up to date themselves. Every answer says its clock, and whether it is fresh.

\b
Exit status:
  0   done
  1   the answer is no: nothing found, a difference, a failed check
  2   wrong usage or configuration
  3   no index here: `currant index` makes one
  4   another process owns the index
  5   not in time: wait longer or try again
  6   the index cannot be read or written
  70  a fault in Currant
  130, 143  stopped by a signal"""


class _ReaderGone(Exception):
    """The reader of the output has enough. Not an OSError, for which click has a status of its own."""


class _Group(click.Group):
    """Commands in the order in which one needs them, imported when called."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            status = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError as error:
            raise _ReaderGone from error
        return status

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = import_module(f"currant.cli.{_COMMANDS[cmd_name]}")
        command: click.Command = getattr(module, cmd_name)
        return command


def _version(ctx: click.Context, _option: click.Parameter, wanted: bool) -> None:
    if wanted:
        from currant import __version__

        click.echo(f"currant {__version__}")
        ctx.exit()


@click.group(cls=_Group, help=HELP, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version", is_flag=True, expose_value=False, is_eager=True, callback=_version, help="Show the version."
)
def cli() -> None:
    """The group itself does nothing."""


def run(arguments: Sequence[str]) -> int:
    """Run one command line; the exit status. Errors of ours go to standard error in one line, or with
    ``--json`` as an object to standard output too."""
    # File names are bytes; those that are not UTF-8 must get through, to a pipe as they are.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="surrogateescape")
    try:
        if level := os.environ.get("CURRANT_LOG"):
            _log_to_stderr(level)
        status = cli.main(list(arguments), prog_name="currant", standalone_mode=False)
        sys.stdout.flush()
        return status if isinstance(status, int) else 0
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return 130
    except _ReaderGone:
        # Python would complain again when it flushes at exit.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for stream in (sys.stdout, sys.stderr):
            os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
        return 141
    except CurrantError as error:
        if "--json" in arguments:
            from currant.cli.output import write_json

            told = {"type": type(error).__name__, "message": str(error), "exit_code": error.exit_code}
            write_json({"error": told})
        from currant.cli.output import echo

        echo(f"currant: {error}", err=True)
        return error.exit_code
    except Exception as error:
        # Nothing that we foresaw: all there is to know of it belongs into the report.
        import traceback

        from currant.cli.output import echo

        echo(traceback.format_exc(), err=True)
        if "--json" in arguments:
            from currant.cli.output import write_json

            told = {"type": type(error).__name__, "message": str(error), "exit_code": CurrantError.exit_code}
            write_json({"error": told})
        echo("currant: this is a fault in Currant, please report it with the lines above", err=True)
        return CurrantError.exit_code


def _log_to_stderr(level: str) -> None:
    """What goes on inside, from `level` (debug, info, warning, error) up."""
    import logging

    from currant.errors import UsageError

    known = logging.getLevelNamesMapping()
    if level.upper() not in known:
        raise UsageError(f"CURRANT_LOG={level}: must be debug, info, warning or error")
    form = "%(asctime)s %(levelname)s %(threadName)s %(name)s: %(message)s"
    logging.basicConfig(level=known[level.upper()], format=form)


def main() -> NoReturn:
    """The entry point of the console script."""
    # A start makes a hundred thousand objects that stay: looking for cycles every 700 of them takes as long
    # as importing click.
    gc.set_threshold(_GARBAGE_EVERY, *gc.get_threshold()[1:])
    _end(run(sys.argv[1:]))


def _end(status: int) -> NoReturn:
    """End the process. The kernel takes memory back at once, Python object by object: as long as `git status`
    takes on a small tree. Where a thread still runs, Python waits for it as ever."""
    if threading.active_count() > 1:
        sys.exit(status)
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        sys.exit(status)  # which says what is wrong with them
    os._exit(status)
