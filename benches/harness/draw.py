"""Which lines of a run become bars."""

from harness.chart import Bar, Group
from harness.result import Line, Row

CHARTED = {  # row: (the line, what the bar of ours is called)
    "cold": "cold index, wall clock",
    "restart": "restart, wall clock",
    "walk": "walk, stat, tree in memory",
    "hash": "wall clock",
    "query": "exact name, p50",
    "saved": "currant, sync and find, p50",
    "appended": "processor time of the watcher",
    "arming": "each directory",
}


def groups(rows: list[Row]) -> list[Group]:
    """A group for each row of CHARTED that has a rival, and one for each language with sources enough."""
    made = []
    for row in rows:
        if row.name == "outline":
            by_language: dict[str, list[Line]] = {}
            for line in row.lines:
                if line.theirs and "again" not in line.what:
                    by_language.setdefault(line.what, []).append(line)
            for language, lines in by_language.items():
                title = f"outline of {language}"
                made.append(Group(title, "MB/s of one processor", bars(lines), "longer is better"))
            continue
        lines = [line for line in row.lines if line.what == CHARTED.get(row.name) and line.theirs is not None]
        if lines:
            made.append(Group(row.title, lines[0].unit, bars(lines)))
    return made


def bars(lines: list[Line]) -> list[Bar]:
    """Ours, then each rival."""
    return [Bar("currant", lines[0].ours, True), *(Bar(one.rival, one.theirs or 0.0) for one in lines)]
