"""How a source gets to the core: by which means, and in which process.

A large one that is parsed gets a process of its own, which may use so much of the processor and of memory.

Owns: which sources those are, the processes, and what is said of a source that used up what it was given.

A scanner is linear in time and safe wherever it runs. What it is not sure of, the languages that have none,
and those that the user wants to be parsed exactly, are for the parser.

A parser cannot be interrupted inside one of its operations, and there are texts for which one operation takes
time in the square of their length: ``template<`` repeated to 400 KB holds the C# parser for four minutes. The
core looks at the head of a large source first, and gives up when that was slow; this is for a text that turns
hostile behind an innocent head. The kernel ends the process then, and only that.
"""

import contextlib
import math
import os
import signal
import struct
import subprocess
import sys
import threading
from collections.abc import Iterable, Sequence
from typing import IO, Final

import msgspec

from currant.extract.base import ExtractionError
from currant.extract.outline import OutOfBoundsError
from currant.extract.together import Asked

LARGE: Final = 64 << 10
"""Bytes. A smaller source is parsed here: the worst one known takes seconds."""
MEMORY_BYTES: Final = 3 << 30
"""Of address space. The largest tree that the core builds takes a quarter of a gigabyte."""
IDLE_SECONDS: Final = 5.0
"""After so long without a source such a process ends."""
LENGTH: Final = struct.Struct("<Q")

Examined = tuple[list[tuple[bytes, str | None, str | None]], int, list[tuple[str, str, int, bool]]]


class Answer(msgspec.Struct, array_like=True):
    """What comes back: the outline or the record, or the words of an error."""

    outline: bytes | None = None
    examined: Examined | None = None
    error: str | None = None


class Request(msgspec.Struct, array_like=True):
    """One source. `parts` None: its outline; else what `_core.examine` takes after the source."""

    language: str
    source: bytes
    seconds: int
    parts: tuple[bool, bool, int, int] | None


def allowed_seconds(size: int) -> int:
    """Whole seconds of computing that a source of so many bytes is given: more than the core's own limits, so
    that those strike first wherever they can."""
    return 5 + math.ceil(4e-6 * size)


class Confined:
    """Calls of the core with what is large elsewhere. Thread-safe; `close` ends the processes.

    `exact`: languages that are parsed and not scanned. `apart` False: whatever the size, here."""

    def __init__(self, exact: Iterable[str] = (), *, apart: bool = True) -> None:
        from currant import _core

        self._core = _core
        self._apart = apart
        self._exact: Final = frozenset(exact)
        self._scanned: Final = frozenset(_core.scanned_languages()) - self._exact
        self._parsed: Final = frozenset(_core.parsed_languages())
        self._lock = threading.Lock()
        self._idle: list[_Helper] = []
        self._all: set[_Helper] = set()
        self._closed = False

    def outline(self, language: str, source: bytes) -> bytes:
        """`_core.outline`. Raises OutOfBoundsError besides."""
        if not self._takes(language, source):
            return self._core.outline(language, source, self._means(language))
        if language in self._scanned:
            with contextlib.suppress(self._core.UnsureError):
                return self._core.outline(language, source, "scan")
        answer = self._ask(Request(language, source, allowed_seconds(len(source)), None))
        return answer.outline or b""

    def examine(
        self, language: str, source: bytes, header: bool, links: bool, piece_symbols: int, pieces: int
    ) -> Examined | None:
        """`_core.examine`. Raises OutOfBoundsError besides."""
        parts = (header, links, piece_symbols, pieces)
        if not self._takes(language, source):
            return self._core.examine(language, source, *parts, self._means(language))
        if language in self._scanned:
            with contextlib.suppress(self._core.UnsureError):
                return self._core.examine(language, source, *parts, "scan")
        return self._ask(Request(language, source, allowed_seconds(len(source)), parts)).examined

    def examine_many(self, asked: Sequence[Asked], piece_symbols: int, pieces: int) -> list[Examined | None]:
        """`_core.examine_many`, for languages that are `is_scanned`. None: `examine` is to be asked."""
        return [found or None for found in self._core.examine_many(asked, piece_symbols, pieces)]

    def is_scanned(self, language: str) -> bool:
        """Whether no parser is needed for it, as long as a scanner is sure."""
        return language in self._scanned or language not in self._parsed

    def close(self) -> None:
        """End every process, those at work too: who waits for one gets ExtractionError. Idempotent."""
        with self._lock:
            self._closed = True
            every, self._all, self._idle = self._all, set(), []
        for helper in every:
            helper.end(kill=True)

    def _means(self, language: str) -> str:
        return "parse" if language in self._exact else "either"

    def _takes(self, language: str, source: bytes) -> bool:
        """Whether a parser would read it in a process of its own."""
        return self._apart and len(source) > LARGE and language in self._parsed and _possible()

    def _ask(self, request: Request) -> Answer:
        helper, is_new = self._lend()
        answer = self._answer(helper, request)
        if answer is None:
            code = self._drop(helper)
            if code == 0 and not is_new:  # it had ended for want of work
                helper, _ = self._lend(new=True)
                answer = self._answer(helper, request)
                code = self._drop(helper) if answer is None else 0
            if answer is None:
                raise self._ended(code, request)
        with self._lock:
            if not self._closed:
                self._idle.append(helper)
        if answer.error is not None:
            raise ValueError(answer.error)
        return answer

    def _answer(self, helper: "_Helper", request: Request) -> Answer | None:
        try:
            return helper.ask(request)
        except BaseException:
            self._drop(helper, kill=True)  # nobody knows what it says next
            raise

    def _lend(self, *, new: bool = False) -> tuple["_Helper", bool]:
        with self._lock:
            if self._closed:
                raise ExtractionError("not parsed: the service stops")
            if self._idle and not new:
                return self._idle.pop(), False
            helper = _Helper()
            self._all.add(helper)
            return helper, True

    def _drop(self, helper: "_Helper", *, kill: bool = False) -> int:
        with self._lock:
            self._all.discard(helper)
        return helper.end(kill=kill)

    def _ended(self, code: int, request: Request) -> Exception:
        """What to say of a process that ended at its work."""
        if self._closed:
            return ExtractionError("not parsed: the service stops")
        if code == -signal.SIGXCPU:
            return OutOfBoundsError(f"not parsed: it takes more than {request.seconds} s of computing")
        return OutOfBoundsError(f"not parsed: its parser ended with code {code}")


class _Helper:
    """One process, with one source at a time."""

    def __init__(self) -> None:
        # -P: no module of the current directory, which may be the tree of somebody else.
        command = [sys.executable, "-P", "-m", "currant.extract.confined"]
        try:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
        except OSError as error:
            raise ExtractionError(f"not parsed: no process for it ({error.strerror or error})") from error

    def ask(self, request: Request) -> Answer | None:
        """The answer; None when the process has ended."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        try:
            send(stdin, msgspec.msgpack.encode(request))
            raw = receive(stdout)
        except OSError:
            return None
        return None if raw is None else msgspec.msgpack.decode(raw, type=Answer)

    def end(self, *, kill: bool) -> int:
        """Wait for its end, after a kill unless it is ending anyway; how it ended."""
        if kill:
            self._process.kill()
        code = self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                if pipe is not None:
                    pipe.close()
        return code


def send(file: IO[bytes], message: bytes) -> None:
    """Write one message. Raises OSError."""
    file.write(LENGTH.pack(len(message)))
    file.write(message)
    file.flush()


def receive(file: IO[bytes]) -> bytes | None:
    """The next message, None when there is no further one."""
    head = file.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    size = LENGTH.unpack(head)[0]
    message = file.read(size)
    return message if len(message) == size else None


def _possible() -> bool:
    """Whether the system limits a process, and there is an interpreter to start."""
    return os.name == "posix" and bool(sys.executable)
