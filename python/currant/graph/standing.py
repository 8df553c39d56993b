"""A judgement that is kept for as long as it stands.

To judge a tree of 80,000 files takes seconds, and what is asked next is as a rule the next page of the same
answer. A judgement rests on the index, which says when it was written to, and on what the disk said of paths
that the index does not keep, which is asked again: a few hundred paths, since it is asked of nothing but what
may be dead. Nothing else goes into it but `grace_days`.
"""

import threading
from collections.abc import Sequence
from typing import Final, NamedTuple

from currant.graph.drift import Judgement, OnDisk, judge
from currant.graph.findings import KINDS, Drift
from currant.query import Query

MOST: Final = 20_000
"""Findings and paths of the disk; a judgement with more would take more memory than its time is worth."""


class _Kept(NamedTuple):
    query: Query
    version: int
    grace_days: float
    judgement: Judgement
    disk: dict[str, bool]


class Standing:
    """Answers for one index as `currant.graph.drift` does. Thread-safe: whoever asks while a judgement is
    being made waits for it instead of making another."""

    def __init__(self, on_disk: OnDisk) -> None:
        """`on_disk(path)` says whether something that the index does not keep is there after all."""
        self._on_disk = on_disk
        self._judging = threading.Lock()
        self._kept: _Kept | None = None

    def drift(self, query: Query, *, kinds: Sequence[str], ignore: Sequence[str], grace_days: float) -> Drift:
        """See `currant.graph.drift`. Raises StoreError."""
        judgement = self._standing(query, kinds, grace_days)
        if judgement is None:
            with self._judging:
                judgement = self._standing(query, kinds, grace_days)
                if judgement is None:
                    judgement = self._judge(query, kinds, grace_days)
        return judgement.drift(kinds, ignore)

    def _standing(self, query: Query, kinds: Sequence[str], grace_days: float) -> Judgement | None:
        kept = self._kept
        if kept is None or (kept.query, kept.version) != (query, query.version()):
            return None
        if kept.grace_days != grace_days or not kept.judgement.kinds.issuperset(kinds or KINDS):
            return None
        if any(self._on_disk(path) != before for path, before in kept.disk.items()):
            return None
        return kept.judgement

    def _judge(self, query: Query, kinds: Sequence[str], grace_days: float) -> Judgement:
        disk: dict[str, bool] = {}

        def on_disk(path: str) -> bool:
            if path not in disk:  # one judgement has one answer
                disk[path] = self._on_disk(path)
            return disk[path]

        self._kept = None  # what is to be replaced need not be held meanwhile
        version = query.version()  # before it is read
        judgement = judge(query, kinds, grace_days, on_disk)
        if len(judgement.said) + len(disk) <= MOST:
            self._kept = _Kept(query, version, grace_days, judgement, disk)
        return judgement
