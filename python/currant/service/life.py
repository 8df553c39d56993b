"""The life of a service: started once, stopped once, and between them an index that may be lost in use.

Owns: the root's lock, the states started and stopped, the rebuild of an index that is lost or damaged, and
who may have a part in which state. Does not own: what the parts are (`partset`), or when a repair is tried
again (`currant.recovery`).

An index that is lost while it is in use is made anew by closing all parts and building them again, without
giving up the lock.
"""

import os
import threading
from collections.abc import Callable
from typing import Final, TypeVar

from currant import failpoint
from currant.errors import ClosedError, StoreLostError
from currant.llm.switch import Switch
from currant.recovery import Guard
from currant.service.partset import PartSet

_Part = TypeVar("_Part")
_REBUILD_SECONDS: Final = 2.0
"""How long a question waits for an index that is just being opened again, before it is told so."""


class Life:
    """Starting, stopping and rebuilding the parts of one root. Thread-safe."""

    def __init__(self, parts: PartSet) -> None:
        self._parts = parts
        self._basis = parts.basis
        self._changing = threading.Lock()  # one start, stop or rebuild at a time
        self._pid = 0
        self._outset = self._basis.outset
        self.started = False
        self.stopped = False
        self.generation = 0
        """Which set of parts it is: whoever asked one that is gone meanwhile asks again."""
        self.guard = Guard(
            self._lost, self._make_anew, clock=self._basis.clock, directory=self._basis.state_dir
        )
        parts.damaged.append(self.guard.report)

    @property
    def on(self) -> bool:
        """Between `start` and `stop`."""
        return self.started and not self.stopped

    def start(self) -> None:
        """Take the root, open the index, and begin to bring it up to date. Idempotent.

        Raises LockedError naming the owner's process, UsageError if the root is no directory, ClosedError
        after `stop`, and what the store and the engine raise; then nothing is left open.
        """
        basis = self._basis
        with self._changing:
            if self.stopped:
                raise ClosedError("this service was stopped: make a new one")
            if self.started:
                self.check_process()
                return
            self._pid = os.getpid()
            try:
                failpoint.check()
                if basis.live:
                    Switch.check(basis.settings)
                self._outset.take_root()
                self._parts.build()
            except BaseException:
                self._close()
                raise
            self.started = True
            self.guard.start()

    def stop(self) -> None:
        """Finish what is in hand, commit, close everything. Idempotent, from any thread; in a forked child
        it does nothing, because nothing there is the child's."""
        if self.started and os.getpid() != self._pid:
            return
        self.stopped = True
        self.guard.stop()
        with self._changing:
            self._close()

    def _close(self) -> None:
        self._parts.close()
        self._parts.close_extractors()
        self._outset.close()

    # --- an index that is lost while it is in use -------------------------------------------------------

    def _lost(self) -> str | None:
        """What is wrong with the files of the index, None while they are as this process left them."""
        if not self._basis.root.is_dir():
            return None  # they went with it, and come back with it; `root_missing` says so
        store = self._parts.store
        found = None if store is None else store.problem()
        if found is not None:
            return found
        return None if self._outset.lock.in_place() else "the lock file was removed or replaced"

    def _make_anew(self, reason: str) -> None:
        """Take everything down, set aside what is left of the index, and start with an empty one: the scan
        that every start makes fills it. On the guard's thread.

        Raises LockedError when the root belongs to another process now, and what a start raises."""
        root, parts = self._basis.root, self._parts
        with self._changing:
            if self.stopped:
                return
            if not root.is_dir():
                raise StoreLostError(f"the root {root} is not there")
            self.generation += 1
            try:
                if not self._outset.lock.in_place():
                    self._outset.lock.release()
                    self._outset.take_root()
                    if parts.store is not None and parts.store.problem() is None:
                        return  # the index itself is as it was
                parts.close()
                parts.forget()
                self._outset.take_root()
                parts.build(discard=reason)
            except BaseException:
                parts.close()
                parts.forget()
                raise

    # --- who may have a part when -----------------------------------------------------------------------

    def part(self, get: Callable[[], _Part | None]) -> _Part:
        """What `get` gives; while the index is being made anew, what it gives once that is done.

        Raises StoreLostError when that takes longer, ClosedError before `start`, after `stop` and in a
        forked child."""
        part = get()
        if part is None and self.on:
            self.check_process()
            if self.guard.settle(_REBUILD_SECONDS):
                part = get()
            if part is None:
                trouble = self.guard.trouble() or "it is being opened"
                raise StoreLostError(
                    f"the index of {self._basis.root} is being made anew ({trouble}): ask again"
                )
        if part is None:
            raise ClosedError("the service is not running: start it, or make a new one after `stop`")
        self.check_process()
        return part

    def check_process(self) -> None:
        """Raises ClosedError in a forked child."""
        if os.getpid() != self._pid:
            # Threads do not survive a fork; waiting for them would be for ever.
            raise ClosedError(f"this service belongs to process {self._pid}: open one after the fork")
