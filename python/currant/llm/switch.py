"""Whether there is an expensive tier for a root at all: what the service holds, on or off.

Owns that nothing of it is imported while it is off and nothing was ever asked, and that a ledger which cannot
be opened takes nothing from the index: no model is asked then, and the state says why.
"""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from currant.clock import Clock
from currant.config import Settings
from currant.errors import ClosedError, StoreError
from currant.llm import OFF
from currant.model import CommitInfo, Degraded, FileView
from currant.query import Query
from currant.store import LLM_NAME

if TYPE_CHECKING:
    from currant.llm.tier import Tier


class Switch:
    """The tier of one open index, or what stands in its place. Every call does nothing when there is none."""

    def __init__(
        self, root: Path, state_dir: Path, settings: Settings, query: Query, *, clock: Clock, live: bool
    ) -> None:
        """Raises ConfigError for a model without a price or without an address, UsageError without the
        library that it needs."""
        self._settings = settings
        self._query = query
        self._tier: Tier | None = None
        self.problem: str | None = None
        if settings.llm.provider == "off" and not os.path.exists(state_dir / LLM_NAME):
            return
        from currant.llm import tier

        try:
            self._tier = tier.Tier(root, state_dir, settings, query, clock=clock, live=live)
        except StoreError as error:
            self.problem = str(error)

    @staticmethod
    def check(settings: Settings) -> None:
        """Refuse at a start what cannot work, before anything is made: raises ConfigError, UsageError."""
        if settings.llm.provider != "off":
            from currant.llm.prices import price_of
            from currant.llm.wire import connect

            price_of(settings.llm)
            connect(settings.llm).close()

    @property
    def works(self) -> bool:
        """Whether a model is asked at all."""
        return self._tier is not None and self._tier.works

    @property
    def announcement(self) -> str | None:
        """What people are told at a start that sends contents, else None."""
        return self._tier.announcement if self._tier is not None and self._tier.works else None

    def start(self) -> None:
        """Begin to work, when it is on and live."""
        if self._tier is not None:
            self._tier.start()

    def hold(self, held: bool) -> None:
        """Ask no model for now, or go on."""
        if self._tier is not None:
            self._tier.hold(held)

    def stop(self) -> None:
        """End and close. Idempotent."""
        if self._tier is not None:
            self._tier.stop()

    def committed(self, commit: CommitInfo) -> None:
        """A commit of the index."""
        if self._tier is not None:
            self._tier.committed(commit)

    def asked(self, paths: Iterable[str]) -> None:
        """Somebody asked for these files."""
        if self._tier is not None:
            self._tier.asked(paths)

    def enriched(self, view: FileView) -> FileView:
        """`view` with what a model said about its content. Never fails: syntax's record is an answer, too."""
        if self._tier is None:
            return view
        try:
            return self._tier.enriched(view)
        except (StoreError, ClosedError) as error:
            self.problem = str(error)
            return view

    def retry(self, path: str | None) -> int:
        """See `Tier.retry`."""
        return 0 if self._tier is None else self._tier.retry(path)

    def plan(self) -> dict[str, Any]:
        """What it would cost to send what needs it, also while it is off. Raises StoreError."""
        from dataclasses import asdict

        from currant.llm.plan import estimate
        from currant.llm.tier import rules_of

        if self._tier is not None:
            return asdict(self._tier.estimate())
        return asdict(estimate(self._settings.llm, rules_of(self._settings), self._query, None))

    def ledger(self, limit: int) -> dict[str, Any] | None:
        """See `Tier.ledger`; None when nothing was ever asked. Raises StoreError."""
        if self.problem is not None and self._tier is None:
            raise StoreError(self.problem)
        return None if self._tier is None else self._tier.ledger(limit)

    def status(self) -> dict[str, Any]:
        """What `status` says of it."""
        try:
            return OFF if self._tier is None else self._tier.status()
        except (StoreError, ClosedError):
            return OFF

    def degraded(self) -> Iterator[Degraded]:
        """What keeps it from working."""
        if self.problem is not None:
            fix = "do what the message says, then start again; the index itself is not concerned"
            yield Degraded("llm_stopped", f"no model is asked: {self.problem}", 1, fix)
        if self._tier is not None:
            try:
                yield from self._tier.degraded()
            except (StoreError, ClosedError):
                return

    def notes(self) -> Iterator[Degraded]:
        """What is good to know."""
        if self._tier is not None:
            try:
                yield from self._tier.notes()
            except (StoreError, ClosedError):
                return
