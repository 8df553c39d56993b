"""The index for agents: ``mcp`` serves it over a pipe, ``mcp install`` tells clients of it."""

import click

from currant.cli.place import Place, options


@click.group(invoke_without_command=True, short_help="Serve the index to agents (Model Context Protocol).")
@options
@click.option(
    "--answer-tokens", type=click.IntRange(300, 50_000), default=2_000, show_default=True, metavar="N",
    help="How long one answer may get.",
)  # fmt: skip
@click.option("--yes-really", is_flag=True, help="Even when the root is / or a home directory.")
@click.pass_context
def mcp(
    context: click.Context, place: Place, as_json: bool, answer_tokens: int, yes_really: bool
) -> int | None:
    """Serve the index of the root to an agent, over standard input and output, until it closes them.

    Started by the agent's program, not by hand: `currant mcp install` writes its configuration. Any number of
    these may run on one root: the first one owns the index and watches the files, the others ask it.
    """
    if context.invoked_subcommand is not None:
        return None
    from currant.mcp.stdio import serve

    serve(place.root, place.flags, wide=yes_really, budget=answer_tokens)
    return 0
