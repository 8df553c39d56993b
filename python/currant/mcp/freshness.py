"""What an answer lacks, in words. Owns the sentences that keep "not found" from being taken for "not there".

A cold index that answers nothing with authority is worse than none: so an answer that is not fresh says how
far the index is, and what to do.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from currant.mcp.paths import shown

_NAMED: Final = 5
_MANY: Final = 1_000
_LARGE: Final = 0.1
_CAUTION: Final = "what is not found yet may exist all the same"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an index is: `files` of `total` are in it; `total` 0 while the tree is still being listed."""

    phase: str
    files: int
    total: int
    pending: int
    eta_seconds: float | None

    @property
    def percent(self) -> float:
        """Of the files, rounded down: 100 is said of a complete index alone."""
        return min(100.0, self.files * 1_000 // self.total / 10) if self.total else 0.0

    @property
    def building(self) -> bool:
        """Whether a large part is missing, so that waiting a moment for it leads nowhere. A scan over an
        index that has files is different: as a rule it finds that they are as they were."""
        if self.phase == "rebuilding" or self.pending > _MANY:
            return True
        return self.total - self.files > self.total * _LARGE if self.total else not self.files


@dataclass(slots=True)
class Said:
    """What an answer says of its own freshness: the fields of `shapes.Answer`."""

    fresh: bool
    clock: str
    note: str = ""
    pending: list[str] = field(default_factory=list)
    degraded: list[str] = field(default_factory=list)


def progress(status: Mapping[str, Any]) -> Progress:
    """From what ``status`` says (docs/status.md)."""
    engine, held = status.get("engine", {}), status.get("index", {})
    files, pending = int(held.get("files", 0)), int(status.get("pending", 0))
    phase = str(status.get("phase", ""))
    total = 0 if engine.get("starting", phase == "scanning") else int(engine.get("files", files))
    rate = float(status.get("stats", {}).get("recent_files_per_second", 0.0))
    eta = pending / rate if total and pending and rate > 0 else None
    # Rows of files that are gone can be there until their removal is committed.
    return Progress(phase, min(files, total) if total else files, total, pending, eta)


def note(told: Progress, degraded: Sequence[str], outstanding: Sequence[str]) -> str:
    """One or two sentences about an answer that is not fresh."""
    if "root_missing" in degraded:
        return (
            "The root is not there: this is what was last seen of it. Put it back, and it is found by itself."
        )
    if told.phase == "rebuilding":
        return f"The index was lost and is being made anew; {_CAUTION}. Ask again in some seconds."
    if told.phase in ("failed", "disabled", "stopped"):
        return f"The index is {told.phase} and stays as of its last commit: status says why."
    if not told.total:
        return (
            f"The tree is still being listed, {told.files:,} files are indexed so far; {_CAUTION}. "
            "Ask again in some seconds; file_record and refresh with paths work now."
        )
    if told.files < told.total:
        left = "" if told.eta_seconds is None else f", about {max(1, round(told.eta_seconds))} s left"
        return (
            f"{told.files:,} of {told.total:,} files are indexed{left}; {_CAUTION}. "
            "file_record and refresh with paths are right at once."
        )
    if outstanding:
        return "These changes are not in the answer yet (see pending); ask again, or refresh with the paths."
    return "The latest changes are not in the answer yet: ask again, or call refresh."


def named(outstanding: Sequence[str]) -> list[str]:
    """Some of the paths that are pending."""
    return [shown(path) for path in outstanding[:_NAMED]]
