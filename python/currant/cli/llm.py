"""``llm``: what extraction by a language model has cost (``ledger``), asking again (``retry``), and ``plan
--llm``."""

import os
from dataclasses import asdict
from typing import Any

import click

from currant.cli.output import answer_json, echo, printable, shown, size, table, write_json
from currant.cli.place import Place, options
from currant.cli.reader import reading

NOTHING = 1
_SHOWN = 20


@click.group(short_help="Extraction by a language model: what it cost.")
def llm() -> None:
    """Extraction by a language model, within a budget. Off unless llm.provider says otherwise
    (docs/llm.md)."""


@llm.command(short_help="What it has cost, and what reuse has saved.")
@click.option(
    "--limit",
    type=click.IntRange(0, 100_000),
    default=_SHOWN,
    show_default=True,
    help="At most so many files.",
)
@options
def ledger(place: Place, as_json: bool, limit: int) -> int:
    """Show dollars spent, reserved and saved by reuse, the dearest files, and what was set apart with the
    reason.

    Exit status 1 when no model was ever asked.
    """
    with reading(place, 0.0) as reader:
        answer = reader.ask("llm_ledger", {"limit": limit})
    told: dict[str, Any] | None = answer.result
    if as_json:
        write_json({"ledger": told})
        return NOTHING if told is None else 0
    if told is None:
        echo("no model was ever asked (llm.provider is off)", err=True)
        return NOTHING
    table(
        [
            ("model", printable(told["model"])),
            ("calls", f"{told['calls']:,}"),
            ("today", f"${told['spent_today_usd']:.6f} of ${told['usd_per_day']:g}"),
            ("in all", f"${told['spent_total_usd']:.6f} of ${told['usd_total']:g}"),
            ("reserved", f"${told['reserved_usd']:.6f} (part of the above)"),
            ("saved", f"${told['saved_usd']:.6f} by {told['reused']:,} reuses"),
        ]
    )
    for one in told["contents"]:
        echo(
            f"  ${one['usd']:.6f}  {one['calls']} call(s)  reused {one['reused']}  {shown(one['path'])}"
            f"  {printable(one['outcome'])}"
        )
    for one in told["quarantined"]:
        echo(f"set apart: {shown(one['path'])}: {printable(one['reason'])}")
    return 0


@llm.command(short_help="Ask again about what was set apart.")
@click.argument("file", required=False)
@options
def retry(place: Place, as_json: bool, file: str | None) -> int:
    """Queue again what was set apart: all of it, or the content of FILE. Also ends a pause after failures.

    The calls are made by a running watcher. Exit status 1 when nothing was set apart.
    """
    path = None if file is None else place.relative(file)
    with reading(place, 0.0) as reader:
        count = int(reader.ask("llm_retry", {"path": path}).result)
    if as_json:
        write_json({"queued": count})
    else:
        echo(f"{count:,} content(s) queued")
    return 0 if count else NOTHING


def show_plan(place: Place, as_json: bool) -> int:
    """``plan --llm``."""
    if os.path.exists(place.quick_state_dir / "index.db"):
        with reading(place, None) as reader:
            answer = reader.ask("llm_plan", {})
        told: dict[str, Any] = answer.result
        if as_json:
            answer_json(answer, **told)
            return NOTHING if told["refused"] else 0
    else:
        told = _rough(place)
        if as_json:
            write_json(told)
            return NOTHING if told["refused"] else 0
    cost, days = "unknown", "unknown"
    if told["usd"] is not None:
        cost = f"about ${told['usd']:.4f}, at most ${told['most_usd']:.4f} (price: {told['price_source']})"
        days = "never: llm.usd_per_day is 0" if told["days"] is None else f"{told['days']:.1f}"
    table(
        [
            ("provider", f"{told['provider']}, model {printable(told['model'])}"),
            ("files", f"{told['files']:,} in {told['calls']:,} calls, {size(told['bytes'])}"),
            ("reused", f"{told['reused']:,} files have their answer already"),
            ("tokens", f"about {told['input_tokens']:,} in, {told['output_tokens']:,} out"),
            ("dollars", cost),
            ("hours", f"about {told['hours']:.2f}"),
            ("days", days + " within llm.usd_per_day"),
            ("not sent", ", ".join(f"{reason} {count:,}" for reason, count in told["skipped"].items())),
        ]
    )
    if not told["exact"]:
        echo("no index: every file of a known language is counted, as if none had documentation", err=True)
    if told["refused"]:
        echo(f"nothing would be sent: {printable(told['refused'])}", err=True)
        return NOTHING
    return 0


def _rough(place: Place) -> dict[str, Any]:
    from currant.llm.rough import rough_llm_plan

    return asdict(rough_llm_plan(place.root, place.flags))
