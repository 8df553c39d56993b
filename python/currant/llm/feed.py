"""From the change feed into the queue. Owns one thread that reads the feed from where it was left, also
before a restart.

What is in the index is the only thing that counts: a path is looked up as it is now, whatever the feed says
happened.
"""

import logging
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from currant.clock import Clock
from currant.errors import ClosedError, CurrantError
from currant.graph.fan_in import fan_in
from currant.llm.decide import Rules, complete
from currant.model import CommitInfo
from currant.query import Query
from currant.store.llm import LlmStore, Noted

log = logging.getLogger(__name__)

_PAGE: Final = 500
_RETRY_SECONDS: Final = 5.0


class Feed:
    """`turn` reads one page; the thread does so after each commit. `wake` is called when something was
    queued."""

    def __init__(
        self, query: Query, store: LlmStore, rules: Rules, wake: Callable[[], None], *, clock: Clock
    ) -> None:
        self._query = query
        self._store = store
        self._rules = rules
        self._wake = wake
        self._clock = clock
        self._news = threading.Event()
        self._asked: set[bytes] = set()
        self._stopping = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread, which begins with what happened since it ran last."""
        self._news.set()
        self._thread = threading.Thread(target=self._run, name="currant-llm-feed", daemon=True)
        self._thread.start()

    def committed(self, _commit: CommitInfo) -> None:
        """There is more in the feed. On the writer's thread, so only a flag."""
        self._news.set()

    def asked(self, paths: Iterable[str]) -> None:
        """Somebody asked for these."""
        self._asked.update(map(os.fsencode, paths))
        self._news.set()

    def stop(self, timeout: float) -> None:
        """End after the page in hand."""
        self._stopping = True
        self._news.set()
        if self._thread is not None:
            self._thread.join(timeout)

    def _run(self) -> None:
        wait: float | None = None
        while not self._stopping:
            self._news.wait(wait)
            self._news.clear()
            wait = None
            try:
                while not self._stopping and self.turn():
                    continue
            except ClosedError:
                return
            except CurrantError as error:
                # The index may be just being made anew; the next commit, or a moment, brings us back.
                log.warning("llm: the change feed cannot be read now: %s", error)
                wait = _RETRY_SECONDS

    def turn(self) -> bool:
        """One page of the feed; whether there is more."""
        asked, self._asked = self._asked, set()
        if asked:
            self._store.asked(asked, self._clock.now())
        page = self._query.changes(self._store.cursor(), limit=_PAGE)
        paths = dict.fromkeys(
            path for row in page.changes for path in (row.path, row.old_path) if path is not None
        )
        if paths or page.clock != self._store.cursor():
            queued = self._store.note(self.look(paths), page.clock, self._clock.now())
            if queued:
                self._wake()
        return page.more

    def look(self, paths: Iterable[str]) -> Iterator[Noted]:
        """Each path as the index has it now."""
        for path in paths:
            view = self._query.look(path)
            if view is None or view.record is None or view.content is None:
                yield Noted(os.fsencode(path), None)
                continue
            language, size = view.language, view.stat.size
            wanted = (
                language is not None
                and self._rules.barred(path, language, size, view.extractor or "") is None
                and not complete(view.record)
            )
            yield Noted(
                os.fsencode(path),
                bytes.fromhex(view.content),
                language or "",
                size,
                fan_in=fan_in(self._query, path) if wanted else 0,
                wanted=wanted,
            )
