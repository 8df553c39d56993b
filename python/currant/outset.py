"""The first steps of owning a root: its lock, and an engine that reads the disk while all else is made.

Owns: in which order a root is taken (state directory, lock, engine), how an engine is made from settings, and
an engine that was begun before there was anybody to have it. Does not own: what becomes of it (`service`).

Imports little, and that is its purpose: reading the disk takes longer than importing the rest of Currant, so
it is begun first, and both go on side by side.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from currant import statedir
from currant.config import IN_HAND, Settings
from currant.errors import StoreError, UsageError
from currant.lock import RootLock

if TYPE_CHECKING:
    from currant.changes import EngineLike

EngineFactory = Callable[..., Any]
"""`currant._core.Engine`, or a double that takes the same arguments."""


class Outset:
    """The lock of one root, and how its engine comes about. Not thread-safe: for whoever starts or stops.

    `live=False` scans once and sets no watch. `factory` is for tests."""

    def __init__(
        self,
        root: Path,
        state_dir: Path,
        settings: Settings,
        *,
        live: bool,
        factory: EngineFactory | None = None,
    ) -> None:
        self.lock = RootLock(state_dir, str(root))
        self._root = root
        self._state_dir = state_dir
        self._settings = settings
        self._live = live
        self._factory = factory
        self._begun: EngineLike | None = None

    def take_root(self) -> None:
        """Make the state directory fit and take the lock. Idempotent.

        Raises LockedError naming the owner's process, UsageError if the root is no directory, StoreError."""
        if not self._root.is_dir():
            raise UsageError(f"{self._root} is not a directory: name the directory to index")
        statedir.prepare(self._state_dir)  # the lock file needs it, before the store does
        try:
            self.lock.acquire()
        except OSError as error:
            raise StoreError(
                f"the state directory {self._state_dir} cannot be used ({error.strerror or error}): make it "
                "writable and give it room, or name another one with --state-dir"
            ) from error

    def begin(self) -> None:
        """Have the disk read from now on, the lock being held, if anything is to be brought up to date at
        all. Nothing is handed out before the engine has the rows of the index. Raises UsageError, and what
        the engine raises."""
        if self._begun is None and self._settings.scheduler.enabled:
            made = self._make()
            made.start(rows_later=True)
            self._begun = made

    def engine(self) -> "EngineLike | None":
        """An engine that waits for the rows of the index, from now on the caller's: the one that was begun,
        if nobody has it yet. None when nothing is to be brought up to date. Raises as `begin` does."""
        self.begin()
        begun, self._begun = self._begun, None
        return begun

    def close(self) -> None:
        """Give the root back, and stop what was begun for nobody. Idempotent."""
        begun, self._begun = self._begun, None
        try:
            if begun is not None:
                begun.stop()
        finally:
            self.lock.release()

    def _make(self) -> "EngineLike":
        monitor, factory = self._settings.monitor, self._factory
        if factory is None:
            from currant import _core

            factory = _core.Engine
        try:
            engine: EngineLike = factory(
                str(self._root),
                state_dir=str(self._state_dir),
                quiet_ms=monitor.debounce_ms,
                max_delay_ms=monitor.max_delay_ms,
                ignore_patterns=monitor.ignore_patterns,
                source=monitor.source,
                poll_interval_ms=monitor.poll_interval_ms,
                max_queue=self._settings.scheduler.max_queue_size,
                in_hand=IN_HAND,
                nested_repositories=monitor.nested_repositories,
                max_watches=monitor.max_watches,
                live=self._live,
                poll_file_systems=monitor.poll_file_systems,
            )
        except ValueError as error:  # a source that this build or this system has not
            raise UsageError(str(error)) from error
        return engine
