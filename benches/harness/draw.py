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
}


def groups(rows: list[Row]) -> list[Group]:
    """A group for each row of CHARTED that has a rival, and one for the outlines."""
    made = []
    for row in rows:
        if row.name == "outline":
            bars = [bar for line in row.lines if line.theirs for bar in pair(line)]
            made.append(Group("outline, by language", "MB/s of one processor", bars, "longer is better"))
            continue
        lines = [line for line in row.lines if line.what == CHARTED.get(row.name) and line.theirs is not None]
        if lines:
            bars = [
                Bar("currant", lines[0].ours, True),
                *(Bar(one.rival, one.theirs or 0.0) for one in lines),
            ]
            made.append(Group(row.title, lines[0].unit, bars))
    return made


def pair(line: Line) -> list[Bar]:
    return [Bar(line.what, line.ours, True), Bar(line.rival, line.theirs or 0.0)]
