"""The expensive tier of one root: made from the settings, started and stopped with the index, asked what it
does.

Three ways to be: off with nothing there (then there is no `Tier`), off with results of an earlier time (they
are shown, nothing is sent), on. It works only beside a watcher; a command that opens the index for one answer
sends nothing.
"""

import os
import random
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from currant.clock import Clock
from currant.config import ExtractSettings, Settings
from currant.extract.secrets import Secrets
from currant.llm import prompt
from currant.llm.collect import Collector
from currant.llm.decide import Rules, complete
from currant.llm.extraction import Extraction, Outcome, budget_words
from currant.llm.feed import Feed
from currant.llm.merge import merged, source_of
from currant.llm.plan import Estimate, estimate
from currant.llm.prices import dollars, is_local, price_of
from currant.llm.scheduler import Scheduler
from currant.llm.wire import Client, connect
from currant.model import CommitInfo, Degraded, FileView
from currant.query import Query
from currant.reading import Reader
from currant.store.llm import LlmStore

STOP_SECONDS: Final = 10.0


def secrets_of(settings: ExtractSettings) -> Secrets:
    """Which files are never sent, whatever is extracted from them."""
    return Secrets("list", settings.secret_patterns)


def rules_of(settings: Settings) -> Rules:
    """Which files may be sent and need it."""
    return Rules(settings.llm, secrets_of(settings.extract))


def announcement(settings: Settings) -> str | None:
    """What people are told when it is on: where contents go, and which. None when it is off."""
    llm = settings.llm
    if llm.provider == "off":
        return None
    where = llm.base_url or f"Amazon Bedrock in {llm.region}"
    if is_local(llm):
        return f"contents of files are sent to the model {llm.model} at {where}, on this machine"
    return (
        f"CONTENT LEAVES THIS MACHINE: files without documentation are sent to the model {llm.model} at "
        f"{where}, for at most ${llm.usd_per_day:g} a day and ${llm.usd_total:g} in all; llm.exclude keeps "
        'files back, llm.provider = "off" ends it'
    )


class Tier:
    """Everything about the model for one open index. `live` False: answers from what there is, sends
    nothing."""

    def __init__(
        self, root: Path, state_dir: Path, settings: Settings, query: Query, *, clock: Clock, live: bool
    ) -> None:
        """Raises ConfigError for a model without a price, UsageError without its library, StoreError."""
        self._settings = settings
        self._llm = settings.llm
        self._query = query
        self._clock = clock
        secrets = secrets_of(settings.extract)
        self._rules = rules_of(settings)
        self._client: Client | None = None
        self._scheduler: Scheduler | None = None
        self._feed: Feed | None = None
        self._collector: Collector | None = None
        working = live and self._llm.provider != "off"
        price = price_of(self._llm) if working else None
        self._client = connect(self._llm) if working else None
        try:
            identity = prompt.identity(self._llm) if working else None
            self.store = LlmStore.open(state_dir, identity, self._rules.policy)
        except BaseException:
            self._close_client()
            raise
        if live:
            keep = settings.store.keep_unused_days
            self._collector = Collector(query, self.store, keep, fed=working, clock=clock)
        if self._client is None or price is None:
            return
        client, known = self._client, price

        def make() -> Extraction:
            return Extraction(
                Reader(str(root), limit=self._llm.max_file_kb << 10, clock=clock),
                self.store,
                client,
                self._llm,
                known,
                self._rules,
                secrets,
                needed=self._needed,
                clock=clock,
                dice=random.Random(),
            )

        self._scheduler = Scheduler(
            self.store,
            make,
            limit=self._llm.concurrency,
            delay=settings.scheduler.delay_seconds,
            most=settings.scheduler.max_delay_seconds,
            clock=clock,
            dice=random.Random(),
        )
        self._feed = Feed(query, self.store, self._rules, self._scheduler.wake, clock=clock)

    @property
    def works(self) -> bool:
        """Whether contents are sent."""
        return self._scheduler is not None

    @property
    def announcement(self) -> str | None:
        """What people are told of it."""
        return announcement(self._settings)

    def start(self) -> None:
        """Begin to work, when it is live: to ask when it is on, to collect answers in any case."""
        if self._scheduler is not None and self._feed is not None:
            self._scheduler.start()
            self._feed.start()
        if self._collector is not None:
            self._collector.start()

    def hold(self, held: bool) -> None:
        """See `Scheduler.hold`."""
        if self._scheduler is not None:
            self._scheduler.hold(held)

    def stop(self) -> None:
        """Finish the calls under way, within ten seconds, and close. Idempotent."""
        if self._feed is not None:
            self._feed.stop(STOP_SECONDS)
        if self._scheduler is not None:
            self._scheduler.stop(STOP_SECONDS)
        if self._collector is not None:
            self._collector.stop(STOP_SECONDS)
        self.store.close()
        self._close_client()

    def _needed(self, path: str, language: str) -> bool:
        view = self._query.look(path)
        if view is None or view.record is None:
            return False  # what becomes of it comes through the feed
        return (view.language or "") == language and not complete(view.record)

    def _close_client(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()

    # --- told -------------------------------------------------------------------------------------------

    def committed(self, commit: CommitInfo) -> None:
        """A commit of the index."""
        if self._feed is not None:
            self._feed.committed(commit)

    def asked(self, paths: Iterable[str]) -> None:
        """Somebody asked for these files."""
        if self._feed is not None:
            self._feed.asked(paths)

    # --- asked ------------------------------------------------------------------------------------------

    def enriched(self, view: FileView) -> FileView:
        """`view` with what a model said about its content, where syntax said nothing. Raises StoreError."""
        if view.record is None or view.content is None:
            return view
        stored = self.store.result(bytes.fromhex(view.content), view.language or "")
        if stored is None:
            return view
        record = merged(view.record, prompt.parse(stored), source_of(self.store.extractor))
        return FileView(**{**{name: getattr(view, name) for name in view.__slots__}, "record": record})

    def retry(self, path: str | None) -> int:
        """Queue what was set apart again; how many contents. Also ends a pause."""
        count = self.store.retry(None if path is None else os.fsencode(path), self._clock.now())
        if self._scheduler is not None:
            self._scheduler.resume()
        return count

    def estimate(self) -> Estimate:
        """What it would cost to send what still needs it. Raises ConfigError, StoreError."""
        return estimate(self._llm, self._rules, self._query, self.store)

    def ledger(self, limit: int) -> dict[str, Any]:
        """Dollars spent, reserved and saved; cost by content, the dearest first; what was set apart; how many
        answers were collected."""
        spent = self.store.spent(self._clock.now())
        reuses, saved = self.store.saved()
        return {
            "model": self.store.extractor.split(":", 2)[-1],
            "calls": spent.calls,
            "spent_today_usd": dollars(spent.today),
            "spent_total_usd": dollars(spent.total),
            "reserved_usd": dollars(spent.reserved),
            "usd_per_day": self._llm.usd_per_day,
            "usd_total": self._llm.usd_total,
            "reused": reuses,
            "saved_usd": dollars(saved),
            "collected": self.store.collected(),
            "contents": [
                {
                    **{name: value for name, value in row.items() if name != "nano"},
                    "usd": dollars(row["nano"]),
                }
                for row in self.store.costs(limit)
            ],
            "quarantined": self.store.quarantined()[:limit],
        }

    def status(self) -> dict[str, Any]:
        """What `status` says of it."""
        spent = self.store.spent(self._clock.now())
        reuses, saved = self.store.saved()
        scheduler = self._scheduler
        return {
            "provider": self._llm.provider,
            "model": self._llm.model,
            "local": is_local(self._llm),
            "running": scheduler is not None,
            "waiting": self.store.waiting(),
            "under_way": 0 if scheduler is None else scheduler.under_way,
            "allowed": 0 if scheduler is None else scheduler.allowed,
            "counts": {} if scheduler is None else dict(scheduler.counts),
            "calls": spent.calls,
            "spent_today_usd": dollars(spent.today),
            "spent_total_usd": dollars(spent.total),
            "reserved_usd": dollars(spent.reserved),
            "reused": reuses,
            "saved_usd": dollars(saved),
            "quarantined": len(self.store.quarantined()),
        }

    def degraded(self) -> Iterator[Degraded]:
        """What keeps it from working."""
        paused = None if self._scheduler is None else self._scheduler.paused()
        if paused is None:
            return
        if paused.outcome is Outcome.NO_BUDGET:
            spent = self.store.spent(self._clock.now())
            what = budget_words(
                self._llm, paused.reason, spent.today if paused.reason == "day" else spent.total
            )
            fix = "it goes on by itself at midnight UTC" if paused.reason == "day" else "raise it"
            yield Degraded(
                "llm_budget", what, self.store.waiting(), f"{fix}; `currant llm ledger` shows for what"
            )
        else:
            yield Degraded(
                "llm_failing",
                f"the model cannot be asked: {paused.reason}",
                1,
                "correct what the message names; it is tried again by itself, or now: `currant llm retry`",
            )

    def notes(self) -> Iterator[Degraded]:
        """What is good to know: that contents are sent, and what was set apart."""
        told = announcement(self._settings)
        if told is not None and self._scheduler is not None:
            yield Degraded("llm_on", told, 1, "`currant llm ledger` shows what it costs")
        count = len(self.store.quarantined())
        if count:
            yield Degraded(
                "llm_quarantine",
                "contents that no model is asked about any more",
                count,
                "`currant llm ledger` has each one's reason, `currant llm retry` tries again",
            )
