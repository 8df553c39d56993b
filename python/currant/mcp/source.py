"""Which index is meant, and opening it while the client already talks.

Owns the one index of a stdio server. Many such servers on one root share one index: the first that opens it
owns it and watches the files, the others ask it over its socket, and when it leaves another takes over
(`currant.api` does all that; here somebody asks often enough that it is done at once).
"""

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Protocol

from currant.errors import ClosedError, CurrantError, RetryError
from currant.mcp.shapes import ProjectLine

if TYPE_CHECKING:
    from currant.api import Index  # a tenth of a second, which the first answer does not wait for

_OPEN_SECONDS: Final = 8.0
"""How long a question waits for the index to be opened. Clients give a call 30 s and more."""
_CLOSE_SECONDS: Final = 15.0
_LOOK_SECONDS: Final = 2.0
"""How often is asked whether the owner is still there. Until then nobody watches the files; what changed
meanwhile is found by the scan of whoever takes over, so this is about time and not about truth."""


class Source(Protocol):
    """Where questions are put."""

    several: bool
    """Whether there are projects to choose from."""

    def index(self, project: str) -> "Index":
        """The index of a project. Raises CurrantError with the way out, also when it is not open yet."""

    def projects(self) -> list[ProjectLine]:
        """Every project; none when there is only the one root."""

    def refresh(self, project: str) -> str:
        """Have a project fetched from where it came from; the id of the job, ``""`` for a plain directory."""

    def worse(self, project: str) -> list[str]:
        """Codes of what is worse than it should be about a project and that its index cannot know."""


class NotOpenYet(RetryError):
    """The index is being opened; the same question will be answered in some seconds."""


class One:
    """One root. `opener` is called on a thread of its own, once, and again for each question after it failed:
    what was wrong (a configuration, another owner) may have been repaired meanwhile."""

    several = False

    def __init__(self, opener: "Callable[[], Index]", *, look_seconds: float = _LOOK_SECONDS) -> None:
        self._opener = opener
        self._look_seconds = look_seconds
        self._lock = threading.Lock()
        self._index: Index | None = None
        self._closed = threading.Event()
        self._tried = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="currant-mcp-index", daemon=True)

    def start(self) -> None:
        """Begin to open."""
        self._thread.start()

    def index(self, project: str) -> "Index":
        """See `Source`."""
        if not self._tried.wait(_OPEN_SECONDS):
            raise NotOpenYet("the index is still being opened: ask again in some seconds")
        with self._lock:
            if self._closed.is_set():
                raise ClosedError("the server is stopping")
            if self._index is None:
                self._index = self._opener()
            return self._index

    def projects(self) -> list[ProjectLine]:
        """See `Source`."""
        return []

    def refresh(self, project: str) -> str:
        """See `Source`."""
        return ""

    def worse(self, project: str) -> list[str]:
        """See `Source`."""
        return []

    def close(self) -> None:
        """Let go of the index; an owner stops cleanly. Idempotent."""
        self._closed.set()
        if self._thread.ident is not None and not self._tried.is_set():
            # What is opened after that is let go by the end of the process, which the index survives.
            self._tried.wait(_CLOSE_SECONDS)
        with self._lock:
            index, self._index = self._index, None
        if index is not None:
            index.close()
        if self._thread.ident is not None:
            self._thread.join(_CLOSE_SECONDS)

    def _keep(self) -> None:
        """Open, then take the owner's place as soon as it is gone."""
        try:
            with suppress(CurrantError), self._lock:  # the first question tries again, and says what is wrong
                if not self._closed.is_set():
                    self._index = self._opener()
        finally:
            self._tried.set()
        while not self._closed.wait(self._look_seconds):
            index = self._index
            if index is not None and index.service is None:
                with suppress(CurrantError):  # somebody else was quicker, or the next question says it
                    index.ask("ping", {}, sync_ms=-1)
