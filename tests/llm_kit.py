"""A root, its index and the expensive tier over it, with a clock that tests push on and a server that they
script."""

import random
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

import msgspec

from currant.clock import SystemClock
from currant.config import Settings, load_settings
from currant.llm.tier import Tier
from currant.service import Service
from llm_server import Behaviour, Call, Good, LlmServer

PRICES = {"llm.price_input_per_million": 0.06, "llm.price_output_per_million": 0.24}
STEP = 15.0
LIMIT = 600


class PushedClock(SystemClock):
    """The machine's clocks, and whatever a test has added to them."""

    def __init__(self) -> None:
        self.pushed = 0.0

    def now(self) -> float:
        return super().now() + self.pushed

    def monotonic(self) -> float:
        return super().monotonic() + self.pushed


class Lab:
    """The index of `root` as one scan after another makes it, and a `Tier` that asks `server` about it."""

    def __init__(
        self,
        root: Path,
        behave: Callable[[Call], Behaviour] = lambda _call: Good(),
        provider: str = "openai",
        **llm: Any,
    ) -> None:
        self.root = root
        self.server = LlmServer(behave)
        self.clock = PushedClock()
        self.flags: dict[str, Any] = {
            "llm.provider": provider,
            "llm.base_url": self.server.url,
            "llm.model": "m-1",
            **PRICES,
            **{f"llm.{name}": value for name, value in llm.items()},
        }

    @property
    def settings(self) -> Settings:
        return load_settings(self.root, flags=self.flags, environ={})

    def __enter__(self) -> Self:
        self.server.__enter__()
        plain = load_settings(self.root, environ={})
        self.service = Service(self.root, plain, live=False)
        self.service.start()
        assert self.service.sync(120).fresh
        self.open()
        return self

    def __exit__(self, *_error: object) -> None:
        self.server.release()
        self.tier.stop()
        self.service.stop()
        self.server.__exit__()

    def open(self) -> None:
        """A tier that is about to start."""
        self.tier = Tier(
            self.root, self.service.state_dir, self.settings, self.service.query, clock=self.clock, live=True
        )
        self.store = self.tier.store

    def reopen(self, **llm: Any) -> None:
        """As after a restart, with other settings."""
        self.tier.stop()
        self.flags |= {f"llm.{name}": value for name, value in llm.items()}
        self.open()

    def rescan(self) -> None:
        """The index as the disk is now."""
        self.service.engine.rescan("")
        assert self.service.sync(120).fresh

    def read_feed(self) -> None:
        """All of the change feed into the queue, on this thread."""
        feed = self.tier._feed
        assert feed is not None
        while feed.turn():
            continue

    def push(self, seconds: float) -> None:
        """Time passes."""
        self.clock.pushed += seconds
        scheduler = self.tier._scheduler
        assert scheduler is not None
        scheduler.wake()

    def run(self, until: Callable[[], bool] | None = None) -> None:
        """Work, with time flying, until `until` (usually: nothing waits any more)."""
        scheduler = self.tier._scheduler
        assert scheduler is not None
        self.read_feed()
        if not scheduler._threads:
            scheduler.start()
        done = until or (lambda: self.store.waiting() == 0)
        for _ in range(LIMIT):
            with scheduler._changed:
                if scheduler._changed.wait_for(lambda: done() and not scheduler._under_way, 0.05):
                    return
                idle = not scheduler._under_way
            if idle:
                self.push(STEP)
        raise AssertionError(f"still waiting: {self.tier.status()}")

    def record(self, path: str) -> Mapping[str, Any]:
        """The record of a file as people see it, as plain values."""
        view = self.service.query.show(path)
        assert view is not None
        told: dict[str, Any] = msgspec.to_builtins(self.tier.enriched(view).record)
        return told


def sources(count: int, seed: int = 0) -> dict[str | bytes, str | bytes]:
    """So many small undocumented files, all different."""
    dice = random.Random(seed)
    return {
        f"pkg{at % 20}/m{at}.py": f"def f{at}(a, b):\n    return a + b + {dice.randrange(10**9)}\n"
        for at in range(count)
    }
