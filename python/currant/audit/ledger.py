"""What the audit has found, kept beyond the process: ``audit.json`` in the state directory.

Owns that file. It is written when drift is found or acknowledged, never otherwise, and replaced as a whole.
One that cannot be read is begun anew: it counts, it decides nothing.
"""

import contextlib
import json
import logging
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from msgspec import Struct, to_builtins

from currant.model import Degraded

log = logging.getLogger(__name__)

FILE_NAME: Final = "audit.json"
RECENT_SECONDS: Final = 3_600.0
"""How long drift that was found makes the index degraded, unless it is acknowledged before."""

_KEPT: Final = 20


class Drift(Struct, frozen=True):
    """One path on which the index was wrong. `when` is wall time; `kind` is ``stale``, ``missing`` (from the
    index) or ``extra`` (not on disk); `repaired` says whether it is right now."""

    path: str
    when: float
    kind: str
    cause: str
    repaired: bool


class Ledger:
    """Counts runs since the start, and drift for as long as the state directory lives. Thread-safe."""

    def __init__(self, state_dir: Path) -> None:
        self._path = state_dir / FILE_NAME
        self._lock = threading.Lock()
        self._runs = self._files = self._contents = self._directories = 0
        self._last_run: float | None = None
        self._total = 0
        self._acknowledged = 0.0
        self._drift: list[Drift] = []
        self._load()

    def ran(self, now: float, files: int, contents: int, directories: int, drift: Sequence[Drift]) -> None:
        """A run has ended."""
        with self._lock:
            self._runs += 1
            self._files += files
            self._contents += contents
            self._directories += directories
            self._last_run = now
            if drift:
                self._total += len(drift)
                self._drift = [*self._drift, *drift][-_KEPT:]
                self._save()

    def acknowledge(self, now: float) -> int:
        """Somebody has taken note of all drift so far: it degrades nothing any more. Returns of how much."""
        with self._lock:
            count = len(self._recent(now))
            self._acknowledged = now
            self._save()
        return count

    def as_dict(self) -> dict[str, Any]:
        """The shape it has in ``status``."""
        with self._lock:
            return {
                "runs": self._runs,
                "files_checked": self._files,
                "contents_checked": self._contents,
                "directories_checked": self._directories,
                "drift_found_total": self._total,
                "last_run": self._last_run,
                "last_drift": [to_builtins(one) for one in self._drift],
            }

    def degraded(self, now: float) -> Degraded | None:
        """The state of an index in which drift was found lately, else None."""
        with self._lock:
            recent = self._recent(now)
        if not recent:
            return None
        last = recent[-1]
        left = sum(not one.repaired for one in recent)
        state = f"{left} of them not repaired" if left else "repaired"
        return Degraded(
            "drift",
            f"the audit found what no notification had told ({state}), last {last.path!r}: {last.cause}",
            len(recent),
            "`currant audit --all` compares everything; `currant audit --acknowledge` ends this notice"
            + ("; stop the watcher and start it again to repair the rest" if left else ""),
        )

    def _recent(self, now: float) -> list[Drift]:
        # A wall clock that was set back must not hide what was found.
        since = max(now - RECENT_SECONDS, self._acknowledged if self._acknowledged <= now else 0.0)
        return [one for one in self._drift if one.when > since]

    def _load(self) -> None:
        try:
            told = json.loads(self._path.read_text(encoding="utf-8", errors="surrogateescape"))
            self._total = int(told["total"])
            self._acknowledged = float(told["acknowledged"])
            self._drift = [Drift(**one) for one in told["drift"]][-_KEPT:]
        except FileNotFoundError:
            return
        except (OSError, ValueError, TypeError, KeyError) as error:
            log.warning("%s cannot be read (%s): counting begins anew", self._path, error)
            self._total, self._acknowledged, self._drift = 0, 0.0, []

    def _save(self) -> None:
        """Only with the lock held: twenty lines, when drift was found."""
        drift = [to_builtins(one) for one in self._drift]
        told = {"total": self._total, "acknowledged": self._acknowledged, "drift": drift}
        beside = self._path.with_name(f"{FILE_NAME}.new")
        try:
            # Paths that are not UTF-8 stand as escapes, which JSON can carry.
            beside.write_text(json.dumps(told, indent=1), encoding="ascii")
            os.replace(beside, self._path)
        except OSError as error:
            log.warning("%s cannot be written (%s)", self._path, error)
            with contextlib.suppress(OSError):
                beside.unlink(missing_ok=True)
