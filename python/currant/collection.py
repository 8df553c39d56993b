"""When results that no file has any more are collected, and what an older version left to do is done.

Owns: that it is done once a day, in short steps, while nothing else is to be written, and the count of what
went. Does not own: which results those are (`store.maintenance`), or the thread, which is the writer's.
"""

import logging
import threading
from typing import Any, Final

from currant.store import Store
from currant.store.maintenance import SWEEP_SECONDS

log = logging.getLogger(__name__)

_AFTER_START: Final = 60.0  # the first index comes first
_BETWEEN_STEPS: Final = 0.5
_AFTER_TROUBLE: Final = 3_600.0


class Collection:
    """Steps of a sweep. `step` is called on the writer's thread, `status` on any."""

    def __init__(self, store: Store, keep_days: float) -> None:
        """`keep_days`: for how long a result is kept that no file has."""
        self._store = store
        self._keep_seconds = keep_days * 86_400.0
        self._lock = threading.Lock()
        self._last = store.swept_at()
        self._begun = False
        self._unlisted = store.unlisted()
        self._after = 0
        self._unused_so_far = 0
        self._unused: int | None = None
        self._collected = 0

    def step(self, now: float) -> float:
        """Do what is due at the wall time `now`; returns the seconds after which to ask again."""
        if not self._begun:
            self._begun = True
            return _AFTER_START
        if self._unlisted:
            try:
                left = self._store.list_older()
            except Exception as error:
                log.warning("what an older version stored is not put into the search index now: %s", error)
                return _AFTER_TROUBLE
            with self._lock:
                self._unlisted = left
            return _BETWEEN_STEPS
        # A clock that was set back must not put it off for longer than a day.
        if self._last is not None and not self._after and 0 <= now - self._last < SWEEP_SECONDS:
            return self._last + SWEEP_SECONDS - now
        try:
            swept = self._store.sweep(self._after, now, self._keep_seconds)
        except Exception as error:
            # A commit tells of a store that cannot be written; this can wait.
            log.warning("unused results are not collected now: %s", error)
            self._after = self._unused_so_far = 0
            return _AFTER_TROUBLE
        with self._lock:
            self._collected += swept.deleted
            self._unused_so_far += swept.unused
            if swept.at is not None:
                self._after = swept.at
                return _BETWEEN_STEPS
            self._unused, self._unused_so_far = self._unused_so_far, 0
            self._after, self._last = 0, now
        return SWEEP_SECONDS

    def status(self) -> dict[str, Any]:
        """``collected`` since the start; of the last sweep its end ``last_sweep`` (wall time, null without
        one) and how many results without a file it left, ``unused`` (null: none since the start).
        ``unlisted`` is how many results of an older version every search still opens, at most."""
        with self._lock:
            return {
                "collected": self._collected,
                "unused": self._unused,
                "last_sweep": self._last,
                "unlisted": self._unlisted,
            }
