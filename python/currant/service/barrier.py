"""Waiting until what was written is in the index, and the engine's errors as ours.

Owns: the barrier across a rebuild of the index, what `fresh` of its answer means, how an engine that failed
is told. Does not own: what is pending (the engine), or the rebuild (`life`).
"""

import contextlib
import os
from collections.abc import Iterable, Iterator

from currant.errors import ClosedError, EngineError
from currant.model import SyncResult
from currant.service.life import Life
from currant.service.partset import PartSet
from currant.service.paths import relative_or_root


class Barrier:
    """`sync` of a service. Thread-safe."""

    def __init__(self, parts: PartSet, life: Life) -> None:
        self._parts = parts
        self._life = life
        self._clock = parts.basis.clock
        self.reached = ""
        """The index's clock at the last barrier: what is said while there is no index."""

    def sync(self, timeout: float, paths: Iterable[str | os.PathLike[str]] | None) -> SyncResult:
        """As `Service.sync`."""
        life, guard = self._life, self._life.guard
        if life.started:
            life.check_process()
        deadline = self._clock.monotonic() + timeout
        wanted = None if paths is None else list(paths)
        while True:
            left = max(0.0, deadline - self._clock.monotonic())
            if not guard.settle(left):
                return SyncResult(self.reached, fresh=False)
            generation = life.generation
            try:
                reached = self._sync(left, wanted)
            except (ClosedError, EngineError):
                # The parts that were asked are gone, and there are others.
                if life.stopped or (generation == life.generation and guard.ask() is None):
                    raise
            else:
                if generation == life.generation and guard.ask() is None:
                    return reached
            if self._clock.monotonic() >= deadline:
                return SyncResult(self.reached, fresh=False)

    def _sync(self, timeout: float, paths: list[str | os.PathLike[str]] | None) -> SyncResult:
        store = self._life.part(lambda: self._parts.store)
        engine, controller = self._parts.engine, self._parts.controller
        self.raise_engine_error()
        if engine is None:
            return SyncResult(store.clock(), fresh=False)
        root = self._parts.basis.root
        named = None if paths is None else [relative_or_root(root, path) for path in paths]
        if named is not None and "" in named:
            named = None
        if controller is not None:
            controller.writer.retry_now()
        with (
            controller.worker_pool.awaited() if controller else contextlib.nullcontext(),
            self.engine_errors(),
        ):
            outstanding = engine.sync(timeout, named)
        self.raise_engine_error()
        # Nothing is pending without a root, and yet the rows are not what is on disk.
        fresh = outstanding is None and not self.root_missing()
        self.reached = store.clock()
        return SyncResult(self.reached, fresh=fresh, outstanding=outstanding or [])

    def root_missing(self) -> bool:
        """Whether the root was not there when last looked for; each sync looks."""
        return bool(self._parts.engine_status().get("root_missing"))

    # --- the engine's errors ----------------------------------------------------------------------------

    def engine_error(self) -> str | None:
        """Why nothing will become fresh any more; None while it may."""
        if self._life.guard.final is not None:
            return str(self._life.guard.final)
        controller = self._parts.controller
        return None if controller is None else controller.worker_pool.engine_error

    def raise_engine_error(self) -> None:
        """Raises EngineError when the engine has failed, LockedError when another process took the root."""
        if self._life.guard.final is not None:
            raise self._life.guard.final
        error = self.engine_error()
        if error is not None:
            raise EngineError(f"{error}: start again; the index is as of the last commit")

    @contextlib.contextmanager
    def engine_errors(self) -> Iterator[None]:
        """The native module's error as one of ours. By its base class: it is not imported for a double."""
        try:
            yield
        except RuntimeError as error:
            if self._life.stopped:
                raise ClosedError("the service was stopped during the call: make a new one") from error
            raise EngineError(f"{error}: start again; the index is as of the last commit") from error
