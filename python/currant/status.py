"""Counts what happened to files, and how fast.

Owns: the counters behind ``status`` and the progress line. Every method is safe from any thread and holds
its lock for a few assignments only.
"""

import threading
from collections import deque
from collections.abc import Sequence
from typing import Any, Final

from currant.clock import Clock

_RECENT: Final = 100
_WINDOW_SECONDS: Final = 10


class StatusReporter:
    """What became of files since this object was made. Counts finished files only: committed ones."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._started = clock.monotonic()
        self._processed = 0
        self._failed = 0
        self._extractor_calls = 0
        self._reused_results = 0
        self._shared_results = 0
        self._bytes_hashed = 0
        self._worker_deaths = 0
        self._recent_failures: deque[tuple[str, float, str]] = deque(maxlen=_RECENT)
        self._recent_successes: deque[tuple[str, float]] = deque(maxlen=_RECENT)
        # (whole second, files finished in it), newest last: enough for a rate, whatever the rate.
        self._seconds: deque[tuple[int, int]] = deque(maxlen=_WINDOW_SECONDS + 1)

    def report_success(self, path: str) -> None:
        """`path` is now in the index as it is on disk (or gone from both)."""
        self.report([path], [])

    def report_failure(self, path: str, error: str) -> None:
        """`path` could not be indexed, and the index says so."""
        self.report([], [(path, error)])

    def report(self, done: Sequence[str], failed: Sequence[tuple[str, str]]) -> None:
        """Many at once, as one commit has them."""
        now = self._clock.now()
        second = int(self._clock.monotonic())
        with self._lock:
            self._processed += len(done)
            self._failed += len(failed)
            self._recent_successes.extend((path, now) for path in done[-_RECENT:])
            self._recent_failures.extend((path, now, error) for path, error in failed[-_RECENT:])
            count = len(done) + len(failed)
            if self._seconds and self._seconds[-1][0] == second:
                self._seconds[-1] = (second, self._seconds[-1][1] + count)
            elif count:
                self._seconds.append((second, count))

    def count_extraction(self) -> None:
        """An extractor was called."""
        with self._lock:
            self._extractor_calls += 1

    def count_reuse(self) -> None:
        """A known result was taken over without calling an extractor."""
        with self._lock:
            self._reused_results += 1

    def count_shared(self) -> None:
        """A result of another index was taken over from the shared cache."""
        with self._lock:
            self._shared_results += 1

    def count_bytes(self, size: int) -> None:
        """So many bytes were read and hashed."""
        with self._lock:
            self._bytes_hashed += size

    def count_worker_death(self) -> None:
        """A worker ended by an unexpected exception and was replaced."""
        with self._lock:
            self._worker_deaths += 1

    def get_processed_count(self) -> int:
        """Files finished without failure."""
        with self._lock:
            return self._processed

    def get_failed_count(self) -> int:
        """Failures recorded; a path that fails again counts again."""
        with self._lock:
            return self._failed

    def files_per_second(self) -> float:
        """Rate of finished files over the last ten seconds."""
        now = self._clock.monotonic()
        with self._lock:
            recent = [(second, count) for second, count in self._seconds if second > now - _WINDOW_SECONDS]
            started = self._started
        if not recent:
            return 0.0
        # The first bucket may have begun before the window or the reporter; at least one second, so that
        # the first file of a run does not look like a rate of thousands.
        span = max(1.0, now - max(recent[0][0], started))
        return sum(count for _, count in recent) / span

    def get_stats(self) -> dict[str, Any]:
        """Counters for ``status``. `recent_failures` are (path, wall time, reason), `recent_successes`
        (path, wall time), newest last; `files_per_second` is the average since the start,
        `recent_files_per_second` that of the last ten seconds."""
        recent_rate = self.files_per_second()
        now = self._clock.monotonic()
        with self._lock:
            uptime = now - self._started
            return {
                "processed_count": self._processed,
                "failed_count": self._failed,
                "uptime_seconds": uptime,
                "files_per_second": self._processed / uptime if uptime > 0 else 0.0,
                "recent_files_per_second": recent_rate,
                "recent_failures": list(self._recent_failures),
                "recent_successes": list(self._recent_successes),
                "extractor_calls": self._extractor_calls,
                "reused_results": self._reused_results,
                "shared_results": self._shared_results,
                "bytes_hashed": self._bytes_hashed,
                "worker_deaths": self._worker_deaths,
            }
