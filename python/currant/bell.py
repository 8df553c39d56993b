"""Tells when something happens in a directory, so that nobody has to look every second.

Owns the process's one inotify instance for that, and the thread that reads it; there is neither while nobody
listens. A bell is a hint: it says that something may have changed, not what, and who listens still looks now
and then. Where there is no inotify (another system, a limit that is reached) nobody is told anything, and
`Listening.works` says so.

This is about a few directories of state. Watching a tree is the engine's.
"""

import ctypes
import os
import select
import struct
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

_MODIFY: Final = 0x2
_ATTRIB: Final = 0x4
_CLOSE_WRITE: Final = 0x8
_MOVED: Final = 0xC0
_MADE: Final = 0x100
_DELETED: Final = 0x200
_DELETE_SELF: Final = 0x400
_MOVE_SELF: Final = 0x800
_IGNORED: Final = 0x8000
_ONLY_A_DIRECTORY: Final = 0x01000000
_AND_WHAT_OTHERS_WANT: Final = 0x20000000
_NAMES: Final = _ATTRIB | _CLOSE_WRITE | _MOVED | _MADE | _DELETED | _DELETE_SELF | _MOVE_SELF
_OVER: Final = _IGNORED | _DELETE_SELF | _MOVE_SELF
_EVENT: Final = struct.Struct("iIII")
_READ: Final = 1 << 16


class Listening:
    """One who listens. `works` is False as soon as nothing will be told any more: look as if there was no
    bell, and perhaps `listen` anew."""

    def __init__(self, ring: Callable[[], None]) -> None:
        self.works = True
        self._ring = ring

    def close(self) -> None:
        """Hear nothing any more. Idempotent; not to be called by `ring`."""
        _bells.forget(self)

    def over(self) -> None:
        """The directory is gone, or another one has its name."""
        self.works = False

    def ring(self) -> None:
        """Something happened."""
        self._ring()


def listen(directory: Path, ring: Callable[[], None], *, writes: bool = False) -> Listening | None:
    """Have `ring` called, on a thread of this module's, after files in `directory` were made, removed,
    renamed or closed by who wrote to them; with `writes` at every write, also of who keeps them open. It must
    be quick and raise nothing. None where that is not to be had."""
    return _bells.add(directory, ring, _NAMES | _MODIFY if writes else _NAMES)


class _Bells:
    """All of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._listening: dict[Listening, int] = {}  # with the number of its watch
        self._inotify = -1
        self._wake: tuple[int, int] = (-1, -1)
        self._thread: threading.Thread | None = None

    def add(self, directory: Path, ring: Callable[[], None], mask: int) -> Listening | None:
        if not sys.platform.startswith("linux"):
            return None
        with self._lock:
            try:
                if self._thread is None:
                    self._open()
                watch = _add_watch(self._inotify, directory, mask)
            except (OSError, AttributeError):
                ended = self._end_if_unused()
            else:
                listening = Listening(ring)
                self._listening[listening] = watch
                return listening
        _join(ended)
        return None

    def forget(self, listening: Listening) -> None:
        with self._lock:
            listening.works = False
            watch = self._listening.pop(listening, None)
            if watch is not None and watch not in self._listening.values():
                with suppress(OSError):
                    _remove_watch(self._inotify, watch)
            ended = self._end_if_unused()
        _join(ended)

    def forked(self) -> None:
        """In a forked child, which has the descriptors and not the thread."""
        self._lock = threading.Lock()
        for listening in self._listening:
            listening.works = False
        for descriptor in (self._inotify, *self._wake):
            if descriptor >= 0:
                os.close(descriptor)
        self._begin_anew()

    def _open(self) -> None:
        """With the lock held. Raises OSError, and then nothing is open."""
        inotify = _open_inotify()
        try:
            self._wake = os.pipe()
        except OSError:
            os.close(inotify)
            raise
        self._inotify = inotify
        thread = threading.Thread(
            target=self._run, args=(inotify, self._wake[0]), name="currant-bell", daemon=True
        )
        self._thread = thread
        thread.start()

    def _end_if_unused(self) -> tuple[threading.Thread, tuple[int, ...]] | None:
        """With the lock held: what is to be waited for and closed without it."""
        if self._listening or self._thread is None:
            return None
        thread, descriptors = self._thread, (self._inotify, *self._wake)
        os.write(self._wake[1], b"x")
        self._begin_anew()
        return thread, descriptors

    def _run(self, inotify: int, wake: int) -> None:
        waiting = select.poll()
        waiting.register(inotify, select.POLLIN)
        waiting.register(wake, select.POLLIN)
        while not any(descriptor == wake for descriptor, _ in waiting.poll()):
            for listening in self._told(os.read(inotify, _READ)):
                listening.ring()

    def _told(self, events: bytes) -> list[Listening]:
        """Who is concerned, each once."""
        seen: dict[int, int] = {}
        at = 0
        while at < len(events):
            watch, mask, _cookie, length = _EVENT.unpack_from(events, at)
            at += _EVENT.size + length
            seen[watch] = seen.get(watch, 0) | mask
        with self._lock:
            found = []
            for listening, watch in self._listening.items():
                if watch in seen or -1 in seen:  # -1: the queue ran over
                    found.append(listening)
                if seen.get(watch, 0) & _OVER:
                    listening.over()
            return found


def _join(ended: tuple[threading.Thread, tuple[int, ...]] | None) -> None:
    if ended is not None:
        thread, descriptors = ended
        thread.join()
        for descriptor in descriptors:
            os.close(descriptor)


def _checked(result: int) -> int:
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def _open_inotify() -> int:
    return _checked(ctypes.CDLL(None, use_errno=True).inotify_init1(os.O_CLOEXEC | os.O_NONBLOCK))


def _add_watch(inotify: int, directory: Path, mask: int) -> int:
    library = ctypes.CDLL(None, use_errno=True)
    # Two may listen to one directory, and one watch is all that there is of it.
    mask |= _ONLY_A_DIRECTORY | _AND_WHAT_OTHERS_WANT
    return _checked(library.inotify_add_watch(inotify, os.fsencode(directory), ctypes.c_uint32(mask)))


def _remove_watch(inotify: int, watch: int) -> None:
    _checked(ctypes.CDLL(None, use_errno=True).inotify_rm_watch(inotify, watch))


_bells = _Bells()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_bells.forked)
