"""Standard input and output as lines of bytes. Owns the two descriptors: from the start of the process on,
nothing but the protocol gets onto standard output, whatever a library prints.
"""

import fcntl
import os
import select
import threading
from typing import Final

_BLOCK: Final = 1 << 16
_ABOVE_STANDARD: Final = 3


class Wire:
    """Lines in and out. One thread reads at a time; any thread writes, interrupts and closes."""

    def __init__(self) -> None:
        """Takes over descriptors 0 and 1: what is printed from now on goes to standard error, and a child
        process reads nothing."""
        self._in = fcntl.fcntl(0, fcntl.F_DUPFD_CLOEXEC, _ABOVE_STANDARD)
        self._out = fcntl.fcntl(1, fcntl.F_DUPFD_CLOEXEC, _ABOVE_STANDARD)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        os.dup2(2, 1)
        self._waked, self._wake = os.pipe()
        self._poll = select.poll()
        self._poll.register(self._in, select.POLLIN)
        self._poll.register(self._waked, select.POLLIN)
        self._received = bytearray()
        self._writing = threading.Lock()
        self._ended = False

    def read(self, seconds: float | None = None) -> bytes | None:
        """The next line with its end, ``b""`` at the end of the input or after `close`, None when `seconds`
        passed or `interrupt` was called first."""
        searched = 0
        while (end := self._received.find(b"\n", searched)) < 0:
            if self._ended:
                # What was cut off has no answer.
                return b""
            searched = len(self._received)
            ready = {found for found, _ in self._poll.poll(None if seconds is None else seconds * 1_000)}
            if self._waked in ready:
                os.read(self._waked, _BLOCK)
                if not self._ended:
                    return None
                continue
            if not ready:
                return None
            block = os.read(self._in, _BLOCK)
            self._received += block
            self._ended = self._ended or not block
        line = bytes(self._received[: end + 1])
        del self._received[: end + 1]
        return line

    def write(self, line: bytes) -> None:
        """One line, with its end. OSError when the client has gone."""
        with self._writing:
            left = memoryview(line)
            while left:
                left = left[os.write(self._out, left) :]

    def interrupt(self) -> None:
        """Have a `read` return None. Also for a signal handler."""
        os.write(self._wake, b"i")

    def close(self) -> None:
        """The input has ended, whatever the client thinks. Also for a signal handler."""
        self._ended = True
        os.write(self._wake, b"c")
