"""Bars as SVG, readable on a light and on a dark page. Owns the drawing, not what is drawn."""

from dataclasses import dataclass
from html import escape

WIDTH, LABEL, BAR, GAP = 760, 210, 18, 7
STYLE = """
text { font: 13px system-ui, sans-serif; fill: #24292f }
.title { font-weight: 600 } .ours { fill: #b5264c } .rival { fill: #8c959f } .figure { fill: #57606a }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .ours { fill: #f0627f } .rival { fill: #6e7681 } .figure { fill: #9da7b1 }
}
"""


@dataclass(frozen=True)
class Bar:
    name: str
    value: float
    ours: bool = False


@dataclass(frozen=True)
class Group:
    """Bars of one unit, drawn to one scale. `better` says which end is the good one."""

    title: str
    unit: str
    bars: list[Bar]
    better: str = "shorter is better"


def figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def svg(groups: list[Group]) -> str:
    """The groups below each other. Widths are the values; nothing is cut or logarithmic."""
    parts, top = [], 10
    for group in groups:
        heading = escape(f"{group.title} ({group.unit}, {group.better})")
        parts.append(f'<text class="title" x="0" y="{top + 14}">{heading}</text>')
        top += 26
        most = max((bar.value for bar in group.bars), default=0) or 1
        for bar in group.bars:
            long = max(2, round(bar.value / most * (WIDTH - LABEL - 90)))
            kind = "ours" if bar.ours else "rival"
            middle = top + BAR - 5
            parts.append(f'<text x="{LABEL - 8}" y="{middle}" text-anchor="end">{escape(bar.name)}</text>')
            parts.append(f'<rect class="{kind}" x="{LABEL}" y="{top}" width="{long}" height="{BAR}" rx="3"/>')
            parts.append(
                f'<text class="figure" x="{LABEL + long + 6}" y="{middle}">{figure(bar.value)}</text>'
            )
            top += BAR + GAP
        top += 14
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top}" width="{WIDTH}" role="img">'
    return "\n".join([head, f"<style>{STYLE}</style>", *parts, "</svg>", ""])
