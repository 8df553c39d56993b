"""How much is measured: the short form and the full one. Data alone."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """`rounds` for what takes milliseconds, `long_rounds` for what takes minutes."""

    name: str
    rounds: int
    long_rounds: int
    corpus_mb: float
    sample_mb: float  # of the tree-sitter pipeline
    appended: int
    saves: int
    checkout: int
    sizes: tuple[int, ...]
    idle_s: float
    queries: int
    million: int


SHORT = Plan(
    name="short",
    rounds=3,
    long_rounds=2,
    corpus_mb=4.0,
    sample_mb=1.0,
    appended=5_000,
    saves=60,
    checkout=1_000,
    sizes=(1_000, 5_000),
    idle_s=10.0,
    queries=200,
    million=0,
)
FULL = Plan(
    name="full",
    rounds=5,
    long_rounds=3,
    corpus_mb=12.0,
    sample_mb=8.0,
    appended=20_000,
    saves=300,
    checkout=5_000,
    sizes=(1_000, 10_000, 100_000),
    idle_s=600.0,
    queries=1_000,
    million=1_000_000,
)
