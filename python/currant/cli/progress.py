"""How far along: a bar with rate and time left on a terminal, a plain line now and then otherwise.

Written to standard error, so that it never mixes with an answer. Draws only what it is given.
"""

import sys
from types import TracebackType
from typing import Final, Self, TextIO

from currant.cli.output import duration
from currant.clock import Clock, SystemClock

_FIRST_SECONDS: Final = 1.0
"""Work that is done sooner shows nothing at all."""

_TERMINAL_SECONDS: Final = 0.1
_PLAIN_SECONDS: Final = 10.0


class Bar:
    """Shows the progress of one piece of work. Use it as a context manager; then the line is cleaned up."""

    def __init__(self, *, stream: TextIO | None = None, clock: Clock | None = None) -> None:
        self._stream = stream or sys.stderr
        self._clock = clock or SystemClock()
        self._terminal = self._stream.isatty()
        self._due = self._clock.monotonic() + _FIRST_SECONDS
        self._drawn = False

    def show(
        self, done: int, total: int, *, rate: float = 0.0, eta: float | None = None, phase: str = "indexing"
    ) -> None:
        """`done` of `total` files, `rate` in files per second, `eta` seconds left or None. Draws when due."""
        now = self._clock.monotonic()
        if now < self._due:
            return
        self._due = now + (_TERMINAL_SECONDS if self._terminal else _PLAIN_SECONDS)
        text = self._text(done, total, rate, eta, phase)
        if self._terminal:
            import shutil

            width = shutil.get_terminal_size().columns - 1
            self._stream.write(f"\r\x1b[2K{text[:width]}")
            self._drawn = True
        else:
            self._stream.write(text + "\n")
        self._stream.flush()

    def _text(self, done: int, total: int, rate: float, eta: float | None, phase: str) -> str:
        parts = [phase]
        if total:
            if self._terminal:
                filled = min(20, 20 * done // total)
                parts.append("█" * filled + "░" * (20 - filled))
            parts.append(f"{done:,}/{total:,} files")
        else:
            parts.append(f"{done:,} files")
        if rate >= 1:
            parts.append(f"{rate:,.0f}/s")
        if eta is not None:
            parts.append(f"{duration(eta)} left")
        return "  ".join(parts)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._drawn:
            self._stream.write("\r\x1b[2K")
            self._stream.flush()
