"""When answers that no file has any more are collected: once a day, in short steps. Owns the thread.

Also while no model is asked: answers of an earlier time are shown then, and need their collection, too.
"""

import logging
import threading
from typing import Final

from currant.clock import Clock
from currant.errors import ClosedError, CurrantError
from currant.model import ResultKey
from currant.query import Query
from currant.store.llm import LlmStore

log = logging.getLogger(__name__)

_AFTER_START: Final = 60.0  # the first index comes first
_BETWEEN_STEPS: Final = 0.5
_AFTER_TROUBLE: Final = 3_600.0
_DAY: Final = 86_400.0
_PAGE: Final = 500


class Collector:
    """`turn` is one step; the thread takes them. `keep_days`: for how long an answer is kept that no file
    has. `fed`: a `Feed` reads on at the same time."""

    def __init__(self, query: Query, store: LlmStore, keep_days: float, *, fed: bool, clock: Clock) -> None:
        self._query = query
        self._store = store
        self._keep = keep_days * _DAY
        self._fed = fed
        self._clock = clock
        self._at: ResultKey | None = None
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread."""
        self._thread = threading.Thread(target=self._run, name="currant-llm-collect", daemon=True)
        self._thread.start()

    def stop(self, timeout: float) -> None:
        """End after the step in hand."""
        self._over.set()
        if self._thread is not None:
            self._thread.join(timeout)

    def turn(self, now: float) -> float:
        """The next step at the wall time `now`; seconds until the one after it. Raises StoreError."""
        keys = self._store.results_after(self._at, _PAGE)
        used = self._query.contents_in_use({key.content for key in keys})
        gone = self._store.collect(keys, used, now, self._keep, fed=self._fed)
        if gone:
            log.info("llm: %d answers that no file has had for days are gone", gone)
        self._at = keys[-1] if len(keys) == _PAGE else None
        return _DAY if self._at is None else _BETWEEN_STEPS

    def _run(self) -> None:
        wait = _AFTER_START
        while not self._over.wait(wait):
            try:
                wait = self.turn(self._clock.now())
            except ClosedError:
                return
            except CurrantError as error:
                log.warning("llm: answers that no file has are not collected now: %s", error)
                self._at, wait = None, _AFTER_TROUBLE
