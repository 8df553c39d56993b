"""What came out of a run: counters, recovery times, differences; as text and as plain values."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

_SHOWN: Final = 20


@dataclass(slots=True)
class Failure:
    """A round that failed. `script` replays it and has so many `steps`; `shrunk`: fewer than the round had;
    `reproduced`: it failed again when it was replayed."""

    round: int
    kind: str
    findings: list[str]
    script: str
    steps: int = 0
    shrunk: bool = False
    reproduced: bool = False


@dataclass(slots=True)
class Report:
    """Everything that is counted. Times in seconds, sizes in bytes."""

    seed: int
    source: str
    state: str
    operations: int = 0
    refused: int = 0
    seconds: float = 0.0
    generating_seconds: float = 0.0
    checking_seconds: float = 0.0
    rounds: int = 0
    kinds: dict[str, int] = field(default_factory=dict)
    steps: dict[str, int] = field(default_factory=dict)
    incarnations: int = 0
    kills: int = 0
    stops: int = 0
    overflows: int = 0
    forced: dict[str, int] = field(default_factory=dict)
    """Rounds in which an overflow was forced: with a ``short queue``, by a ``flood``."""
    unlowered: str = ""
    """Why the kernel's limit was never lowered; empty when it could be."""
    root_scans: int = 0
    events: int = 0
    polled_rounds: int = 0
    git_compared: int = 0
    feeds_replayed: int = 0
    fresh_instances: int = 0
    links_healed: int = 0
    drift: int = 0
    files: int = 0
    peak_rss: int = 0
    rss: list[tuple[int, int]] = field(default_factory=list)
    """(operations so far, resident size) now and then."""
    recovery: dict[str, list[float]] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    differences: int = 0
    interrupted: bool = False
    rivals: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """No difference anywhere."""
        return not self.failures

    def as_dict(self) -> dict[str, Any]:
        """Plain values; recovery times as p50, p99 and maximum by kind of round."""
        plain = {name: getattr(self, name) for name in self.__dataclass_fields__}
        plain["failures"] = [
            {name: getattr(one, name) for name in one.__dataclass_fields__} for one in self.failures
        ]
        plain["recovery"] = {
            kind: {"count": len(times), **_summary(times)} for kind, times in sorted(self.recovery.items())
        }
        return {"ok": self.ok, **plain}

    def lines(self) -> Iterator[str]:
        """The same for people."""
        rate = self.operations / self.seconds if self.seconds else 0.0
        yield (
            f"{self.operations:,} operations in {self.seconds:,.1f} s ({rate:,.0f} a second with checks), "
            f"{self.rounds:,} rounds, seed {self.seed}, source {self.source}, state {self.state} the root"
        )
        yield (
            f"in seconds: {self.generating_seconds:,.1f} operations, {self.checking_seconds:,.1f} comparing, "
            f"{sum(map(sum, self.recovery.values())):,.1f} until fresh"
        )
        yield (
            f"{self.incarnations:,} watchers started, {self.kills:,} killed, {self.stops:,} stops, "
            f"{self.overflows:,} overflows, {self.root_scans:,} whole scans, {self.events:,} notifications, "
            f"{self.polled_rounds:,} rounds with directories polled"
        )
        if self.forced:
            why = f"; the kernel's limit was not lowered: {self.unlowered}" if self.unlowered else ""
            yield f"rounds with a forced overflow: {_counts(self.forced)}{why}"
        yield (
            f"compared: {self.rounds:,} fresh indexes, {self.git_compared:,} times with git, "
            f"{self.feeds_replayed:,} change feeds replayed ({self.fresh_instances:,} began anew); "
            f"{self.files:,} files at the end"
        )
        if self.links_healed:
            yield f"{self.links_healed:,} rows were behind a hard link (documented) and right when asked for"
        if self.drift:
            yield f"{self.drift:,} rows were repaired by the background audit"
        yield f"peak {self.peak_rss / (1 << 20):.0f} MiB resident; {_curve(self.rss)}"
        yield "seconds from the end of a burst to fresh (p50, p99, most):"
        for kind, times in sorted(self.recovery.items()):
            told = _summary(times)
            yield f"  {kind:<20} {told['p50']:7.3f} {told['p99']:7.3f} {told['max']:7.3f}  of {len(times)}"
        for name, told in self.rivals.items():
            yield f"{name} ({told['given']}):"
            yield (
                f"  {told['wrong_percent']:.2f} % of the files wrong, at {told['checks_with_mistakes']} of "
                f"{told['checks']} checks; {told['new_mistakes']:,} new: {_counts(told['new_by_kind'])}"
            )
            yield f"  after rounds of: {_counts(told['new_by_round'])} {told['note']}".rstrip()
            if told["deaths"]:
                yield (
                    f"  found dead and begun anew {told['deaths']} times ({told['died_of'][0]}); "
                    f"{told['wrong_percent_alive']:.2f} % wrong at the checks that it lived to see"
                )
        yield from self.notes
        for failure in self.failures:
            yield (
                f"FAILED in round {failure.round} ({failure.kind}): {failure.script}, {failure.steps} steps"
                + ("" if failure.reproduced else "; did not fail again when it was replayed")
            )
            yield from (f"  {finding}" for finding in failure.findings[:_SHOWN])
        if self.interrupted:
            yield "interrupted"
        yield f"{self.differences} difference(s)"


def _counts(told: dict[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in sorted(told.items())) or "none"


def _summary(times: list[float]) -> dict[str, float]:
    ordered = sorted(times)
    at = {"p50": 0.5, "p99": 0.99, "max": 1.0}
    return {name: ordered[min(len(ordered) - 1, int(share * len(ordered)))] for name, share in at.items()}


def _curve(points: list[tuple[int, int]]) -> str:
    """At most ten points of the resident size."""
    some = points[:: max(1, len(points) // 10)]
    return "MiB after each so many operations: " + ", ".join(f"{at:,}: {size >> 20}" for at, size in some)
