"""What a run leaves behind: the table in Markdown, the raw data as JSON."""

import json
from pathlib import Path
from typing import Any

from harness.goals import GOALS
from harness.result import Line, Row

HEAD = "| | ours | rival | ratio | goal | |\n|---|---:|---:|---:|---:|---|"


def number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.3g}"


def table_row(line: Line) -> str:
    rival = f"{line.rival} {number(line.theirs)}" if line.theirs is not None else line.rival or "-"
    ratio = "-" if line.ratio is None else f"{line.ratio:.2f}"
    goal = str(GOALS[line.goal]) if line.goal else "-"
    met = {None: "", True: "met", False: "**missed**"}[line.met]
    return f"| {line.what} | {number(line.ours)} {line.unit} | {rival} | {ratio} | {goal} | {met} |"


def markdown(rows: list[Row], machine: dict[str, Any]) -> str:
    """One table for each row, what was missing and what to know below it."""
    parts = []
    for row in rows:
        lines = [f"### {row.title}", "", HEAD, *map(table_row, row.lines)]
        remarks = [*(f"missing: {one}" for one in row.missing), *row.notes]
        lines += ["", *(f"- {one}" for one in remarks)] if remarks else []
        parts.append("\n".join(lines))
    versions = ", ".join(f"{name} {value}" for name, value in machine["versions"].items())
    about = (
        f"{machine['processor']}, {machine['processors']} processors, {machine['memory_mb']:,} MB, Linux "
        f"{machine['kernel']}, {machine['file_system']}, Python {machine['python']}, load at the start "
        f"{machine['load_at_start']}. {versions}."
    )
    return about + "\n\n" + "\n\n".join(parts) + "\n"


def plain(line: Line) -> dict[str, Any]:
    """A line as JSON has it."""
    return {
        "what": line.what,
        "ours": round(line.ours, 5),
        "unit": line.unit,
        "rival": line.rival,
        "theirs": None if line.theirs is None else round(line.theirs, 5),
        "ratio": None if line.ratio is None else round(line.ratio, 4),
        "goal": line.goal and str(GOALS[line.goal]),
        "met": line.met,
    }


def raw(rows: list[Row], machine: dict[str, Any], plan: str, when: str, revision: str) -> str:
    """Everything, one JSON object."""
    told = {
        "when": when,
        "revision": revision,
        "plan": plan,
        "machine": machine,
        "rows": [
            {
                "name": row.name,
                "title": row.title,
                "lines": [plain(line) for line in row.lines],
                "commands": row.commands,
                "missing": row.missing,
                "notes": row.notes,
                "samples": row.samples,
            }
            for row in rows
        ],
    }
    text = json.dumps(told, indent=1)
    for path in (str(Path.home()), str(Path(__file__).resolve().parents[2])):
        text = text.replace(path + "/", "")
    return text + "\n"
