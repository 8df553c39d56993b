"""Records made by an extractor, a version or a configuration that is not in use any more.

Owns: which files have such a record, in which order they are read again (asked for first, then those changed
most recently), and how many at a time. Does not own: reading them, for which the engine is told to look at
a path, as it is for any other change.

An outdated record was right about its content when it was made, so it goes on being served, marked, until its
file's turn comes. Secrets are the exception (`parts.rows`).
"""

import logging
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Final

from currant.changes import EngineLike

log = logging.getLogger(__name__)

BATCH: Final = 16
"""Files at a time while a watcher works: a change waits behind no more than these."""
_QUIET: Final = 4  # changes under way at which the next files may come
_LOOK_SECONDS: Final = 0.2


class Upgrader:
    """Hands outdated files to the engine: those `known` first of all, and later what `outdated` lists, both
    the most recently changed first.

    `hand_over` is one step, on any thread; `start` has a thread do the steps whenever there is little else to
    do, and end once nothing is left."""

    def __init__(
        self, known: Iterable[bytes], outdated: Callable[[], list[bytes]], engine: EngineLike
    ) -> None:
        self._outdated = outdated
        self._engine = engine
        self._lock = threading.Lock()
        self._waiting: OrderedDict[bytes, None] = OrderedDict.fromkeys(known)
        self._handed: set[bytes] = set()
        self._replaced = 0
        self._wake = threading.Event()
        self._ending = False
        self._thread: threading.Thread | None = None
        if self._waiting:
            log.info("%d files were extracted by what is not in use any more", len(self._waiting))

    def status(self) -> dict[str, int]:
        """``outdated``: files that wait; ``replaced``: files handed over since the start."""
        return {"outdated": len(self._waiting), "replaced": self._replaced}

    def asked(self, paths: Iterable[str]) -> None:
        """Somebody was just given what is known of these files: they come first."""
        if not self._waiting:
            return
        with self._lock:
            for path in map(os.fsencode, paths):
                if path in self._waiting:
                    self._waiting.move_to_end(path, last=False)
        self._wake.set()

    def hand_over(self, count: int) -> int:
        """Have up to `count` more files read again; returns how many, 0 when none is left.

        Raises what the engine and the index raise."""
        with self._lock:
            handed = 0
            while handed < count:
                if not self._waiting and not self._look_again():
                    break
                path, _ = self._waiting.popitem(last=False)
                self._handed.add(path)
                # False for what the rules ignore by now: its row goes by another way.
                handed += self._engine.touch(os.fsdecode(path))
            self._replaced += handed
            return handed

    def _look_again(self) -> bool:
        """What was renamed meanwhile waits under its new name. A file is tried once: one whose record lacks a
        part is outdated for as long as what it lacks does not work."""
        if not self._handed:
            return False
        self._waiting = OrderedDict.fromkeys(path for path in self._outdated() if path not in self._handed)
        if not self._waiting:
            self._handed.clear()
        return bool(self._waiting)

    def step(self) -> int | None:
        """A few files, as `hand_over`; None when there is other work, which comes first."""
        if self._engine.pending() > _QUIET or self._engine.status().get("starting"):
            return None
        return self.hand_over(BATCH)

    # --- its thread -------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the thread, if there is anything to do."""
        if self._waiting:
            self._thread = threading.Thread(target=self._run, name="currant-upgrade", daemon=True)
            self._thread.start()

    def request_stop(self) -> None:
        """Hand over nothing more."""
        self._ending = True
        self._wake.set()

    def join(self, timeout: float) -> None:
        """Wait for the thread."""
        if self._thread is not None:
            self._thread.join(timeout)

    def committed(self) -> None:
        """Something was finished: there may be room."""
        if self._thread is not None:
            self._wake.set()

    def _run(self) -> None:
        try:
            while not self._ending:
                if self.step() == 0:
                    return
                self._wake.wait(_LOOK_SECONDS)
                self._wake.clear()
        except Exception as error:
            if not self._ending:
                # The engine has failed, or the index: whoever asks is told by them.
                log.warning("outdated records are not replaced any more: %s", error)
