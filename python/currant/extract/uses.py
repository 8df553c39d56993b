"""How often each extractor was called, and how it went: what ``currant extractors`` shows.

Owns the counters, one object for each extractor and annotator, and what a refused plug-in leaves behind.
Safe from any thread.
"""

import threading
from typing import Any, Final

OWN_PACKAGE: Final = "currant"


class Use:
    """One extractor: what it says of itself, and counts since the start of this process.

    `refused` says why it is not used at all; `failures` counts records that lack its part, `timeouts` those
    among them that took too long."""

    def __init__(
        self,
        name: str,
        version: str,
        *,
        kind: str,
        languages: frozenset[str] | None = frozenset(),
        cost: str = "cheap",
        package: str = OWN_PACKAGE,
        refused: str | None = None,
    ) -> None:
        self.name: Final = name
        self.version: Final = version
        self.kind: Final = kind
        self.languages: Final = languages
        self.cost: Final = cost
        self.package: Final = package
        self.refused: Final = refused
        self.calls = 0
        self.failures = 0
        self.timeouts = 0
        self.last_failure: str | None = None
        self._lock = threading.Lock()

    def called(self) -> None:
        """It was asked for a record."""
        with self._lock:
            self.calls += 1

    def failed(self, reason: str, *, timeout: bool = False) -> None:
        """It gave none that can be used."""
        with self._lock:
            self.failures += 1
            self.timeouts += timeout
            self.last_failure = reason

    def as_dict(self) -> dict[str, Any]:
        """The shape it has in ``status``; `languages` null for all."""
        with self._lock:
            return {
                "name": self.name,
                "version": self.version,
                "kind": self.kind,
                "languages": None if self.languages is None else sorted(self.languages),
                "cost": self.cost,
                "package": self.package,
                "calls": self.calls,
                "failures": self.failures,
                "timeouts": self.timeouts,
                "last_failure": self.last_failure,
                "refused": self.refused,
            }
