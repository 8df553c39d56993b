"""Which index is meant, and opening it while the client already talks.

Owns the one index of a stdio server. Many such servers on one root share one index: the first that opens it
owns it and watches the files, the others ask it over its socket, and when it leaves another takes over
(`currant.api` does all that).
"""

import threading
from collections.abc import Callable
from typing import Final, Protocol

from currant.api import Index
from currant.errors import ClosedError, CurrantError, RetryError
from currant.mcp.shapes import ProjectLine

_OPEN_SECONDS: Final = 8.0
"""How long a question waits for the index to be opened. Clients give a call 30 s and more."""
_CLOSE_SECONDS: Final = 15.0


class Source(Protocol):
    """Where questions are put."""

    several: bool
    """Whether there are projects to choose from."""

    def index(self, project: str) -> Index:
        """The index of a project. Raises CurrantError with the way out, also when it is not open yet."""

    def projects(self) -> list[ProjectLine]:
        """Every project; none when there is only the one root."""

    def refresh(self, project: str) -> str:
        """Have a project fetched from where it came from; the id of the job, ``""`` for a plain directory."""


class NotOpenYet(RetryError):
    """The index is being opened; the same question will be answered in some seconds."""


class One:
    """One root. `open` is called on a thread of its own, once, and again for each question after it failed:
    what was wrong (a configuration, another owner) may have been repaired meanwhile."""

    several = False

    def __init__(self, opener: Callable[[], Index]) -> None:
        self._opener = opener
        self._lock = threading.Lock()
        self._index: Index | None = None
        self._error: CurrantError | None = None
        self._closed = False
        self._tried = threading.Event()
        self._thread = threading.Thread(target=self._first, name="currant-mcp-open", daemon=True)

    def start(self) -> None:
        """Begin to open."""
        self._thread.start()

    def index(self, project: str) -> Index:
        """See `Source`."""
        if not self._tried.wait(_OPEN_SECONDS):
            raise NotOpenYet("the index is still being opened: ask again in some seconds")
        with self._lock:
            if self._closed:
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

    def close(self) -> None:
        """Let go of the index; an owner stops cleanly."""
        self._closed = True
        if self._thread.ident is not None:
            # What is opened after that is let go by the end of the process, which the index survives.
            self._thread.join(_CLOSE_SECONDS)
        with self._lock:
            index, self._index = self._index, None
        if index is not None:
            index.close()

    def _first(self) -> None:
        try:
            with self._lock:
                if not self._closed:
                    self._index = self._opener()
        except CurrantError:
            pass  # the first question tries again, and says what is wrong
        finally:
            self._tried.set()
