"""Runs the code of plug-ins so that what goes wrong there stays there.

Owns: the time limit, what happens to a call that exceeds it, and the check of what comes back. Does not own:
finding plug-ins (`plugins`), or what becomes of a record without its part (`base`, `annotate`).

A thread of Python cannot be ended from outside. A call that takes too long is left behind, with the thread
it runs in: it goes on using its share of the processor, and the interpreter's lock when it asks for it, until
it returns or the process ends. After `MAX_LEFT` such calls the plug-in is not called any more until one of
them has returned. Code in C that never gives the interpreter's lock back stops the whole process, and code
that ends the process ends it; both would need a process of their own, which plug-ins do not have.
"""

import threading
from collections.abc import Callable
from typing import Any, Final, TypeVar

import msgspec

from currant.model import Record

LIMIT_SECONDS: Final = {"cheap": 5.0, "slow": 60.0}
"""Seconds that one call may take, by cost class."""
MAX_LEFT: Final = 3
MAX_RECORD_BYTES: Final = 32 << 20
_T = TypeVar("_T")

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Record)


class OutOfTimeError(Exception):
    """The call took too long, or was not made because earlier ones still do or there is no thread to be had.
    Says nothing of the content: the next start tries again."""


class BadRecordError(Exception):
    """What came back is not a record of this content; the message says why."""


class Contained:
    """Calls into one plug-in, each in a thread of its own, for `limit` seconds at most."""

    def __init__(self, name: str, limit: float) -> None:
        self._name = name
        self._limit = limit
        self._lock = threading.Lock()
        self._left: list[threading.Thread] = []

    def call(self, function: Callable[[], _T]) -> _T:
        """What `function` returns. Raises what it raises, and OutOfTimeError."""
        with self._lock:
            self._left = [thread for thread in self._left if thread.is_alive()]
            if len(self._left) >= MAX_LEFT:
                raise OutOfTimeError(f"timed out: {self._name} (not called: {MAX_LEFT} calls still run)")
        outcome: list[tuple[bool, Any]] = []
        done = threading.Event()

        def run() -> None:
            try:
                outcome.append((True, function()))
            except BaseException as error:  # SystemExit too: it is about this call alone
                outcome.append((False, error))
            finally:
                done.set()

        thread = threading.Thread(target=run, name=f"plugin-{self._name}", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:
            raise OutOfTimeError(f"timed out: {self._name} ({error})") from error
        if not done.wait(self._limit):
            with self._lock:
                self._left.append(thread)
            raise OutOfTimeError(f"timed out: {self._name} (more than {self._limit:g} s)")
        thread.join()  # it has nothing left to do
        succeeded, value = outcome[0]
        if succeeded:
            answer: _T = value
            return answer
        if isinstance(value, Exception):
            raise value
        raise RuntimeError(f"{type(value).__name__}: {value}") from value


def copied(record: Record) -> Record:
    """A record that shares nothing with `record`: what holds it may change its lists as it likes."""
    return _decoder.decode(_encoder.encode(record))


def checked(record: object, language: str | None, source: bytes) -> Record:
    """`record` as plain values of the model, sharing nothing with what was given.

    Raises BadRecordError when it is none, is that of another language, has definitions outside of `source`,
    or is larger than any record needs to be."""
    if not isinstance(record, Record):
        raise BadRecordError(f"gave {type(record).__name__} in place of a record")
    try:
        raw = _encoder.encode(record)
        if len(raw) > MAX_RECORD_BYTES:
            raise BadRecordError(f"gave a record of {len(raw) >> 20} MiB, above {MAX_RECORD_BYTES >> 20}")
        plain = _decoder.decode(raw)
    except (TypeError, ValueError, RecursionError, OverflowError) as error:
        raise BadRecordError(f"gave an invalid record: {error}") from error
    if plain.language != language:
        raise BadRecordError(f"gave a record of {plain.language!r} for {language!r}")
    lines = source.count(b"\n") + 1
    for symbol in plain.symbols:
        if not 1 <= symbol.start <= symbol.end <= lines:
            raise BadRecordError(
                f"gave an invalid record: {symbol.kind} {symbol.name!r} at lines "
                f"{symbol.start}-{symbol.end} of {lines}"
            )
    return plain
