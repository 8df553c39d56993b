"""docs/cli-reference.md: every command with its arguments and options, from click's own description."""

from collections.abc import Iterator

import click

from currant.cli import cli
from tools.references.words import GENERATED

TOP = """# Every command

What `--help` of each command says. [The command line](cli.md) says what holds for all of them: who answers, freshness,
exit status, JSON."""


def commands() -> Iterator[tuple[str, click.Command]]:
    """Each command that can be called, by its whole name: ``currant jobs list``."""
    yield from _below(cli, "currant")


def _below(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    if name != "currant" and (not isinstance(command, click.Group) or command.invoke_without_command):
        yield name, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for word in command.list_commands(context):
            found = command.get_command(context, word)
            if found is not None:
                yield from _below(found, f"{name} {word}")


def page() -> str:
    """The whole page."""
    parts = [GENERATED, TOP]
    for name, command in commands():
        # A width of its own: the page must not depend on the terminal in which it was made.
        context = click.Context(
            command,
            info_name=name,
            max_content_width=100,
            terminal_width=100,
            help_option_names=["-h", "--help"],  # a command has them from the one above it
        )
        text = "\n".join(line.rstrip() for line in command.get_help(context).splitlines())
        parts.append(f"## {name}\n\n```text\n{text}\n```")
    return "\n\n".join(parts) + "\n"
