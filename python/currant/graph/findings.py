"""What `currant drift` says: one finding, and all of them. Owns the shapes; the rules are in `rules_*`."""

from dataclasses import dataclass, field
from typing import Final

KINDS: Final = ("dead", "anchor", "name", "older", "header")
"""What a finding can be: a file that is gone, a place in a page, a definition, a document older than the code
that it describes, a header that is missing or outdated."""

DAY: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that does not hold, at a line of a file."""

    path: str
    line: int
    kind: str
    target: str
    reason: str


@dataclass(frozen=True, slots=True)
class Drift:
    """All findings by path and line; `references` were looked at, in `files` files, `silenced` left out."""

    findings: list[Finding]
    files: int
    references: int
    silenced: int
    by_kind: dict[str, int] = field(default_factory=dict)
