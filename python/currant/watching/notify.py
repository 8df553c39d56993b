"""The engines behind one call of `watch`, and when a batch of their changes is complete.

Takes the place of ``watchfiles._rust_notify.RustNotify``: the same six arguments, the same answers.

When a path is handed out is the engine's to say: it was quiet for `quiet_ms`, or changed for as long as
`max_delay_ms` without a pause. A batch is complete when nothing else is pending, when nothing was handed out
for two `step_ms` (what is pending still is being written all the time), or when `debounce_ms` have passed
since its first change.
"""

import errno
import logging
import os
import sys
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Final, Literal, Protocol, Self

from watchfiles._rust_notify import WatchfilesRustInternalError

from currant import _core
from currant.clock import Clock, SystemClock
from currant.config import NETWORK_FILE_SYSTEMS
from currant.watching.fold import Fold, Renamed
from currant.watching.places import Place, places

log = logging.getLogger(__name__)

STEP_MS: Final = 50
DEBOUNCE_MS: Final = 1_600
SLICE: Final = 0.05
"""Longest wait, in seconds, between two looks at the stop event and at signals."""

_MOST: Final = 16_384
_UNWATCHED_MS: Final = 2_000

Answer = set[tuple[int, str] | Renamed] | Literal["signal", "stop", "timeout"]


class AbstractEvent(Protocol):
    """Anything with `is_set`."""

    def is_set(self) -> bool: ...


class RustNotify:
    """Watches from when it was made until `close`. Not for use from several threads at a time.

    Raises FileNotFoundError for a path that is not there, PermissionError for a directory that may not be
    read (unless `ignore_permission_denied`; then it is told of from when it can be).
    """

    def __init__(
        self,
        watch_paths: Sequence[str],
        debug: bool,
        force_polling: bool,
        poll_delay_ms: int,
        recursive: bool,
        ignore_permission_denied: bool,
        *,
        quiet_ms: int = STEP_MS,
        max_delay_ms: int = DEBOUNCE_MS,
        gitignore: bool = False,
        renames: bool = False,
        clock: Clock | None = None,
    ) -> None:
        self._debug = debug
        self._renames = renames
        self._clock = clock or SystemClock()
        self._pid = os.getpid()
        self._bell = _core.Bell()
        self._closed = False
        self._watched: list[tuple[Place, _core.Engine]] = []
        try:
            for place in places(watch_paths, recursive=recursive):
                engine = _core.Engine(
                    place.root,
                    state_dir=os.devnull,
                    quiet_ms=min(quiet_ms, max_delay_ms),
                    max_delay_ms=max_delay_ms,
                    source="poll" if force_polling else "auto",
                    poll_interval_ms=max(poll_delay_ms, 1) if force_polling else _UNWATCHED_MS,
                    max_queue=_MOST,
                    poll_file_systems=NETWORK_FILE_SYSTEMS,
                    witness=True,
                    recursive=place.recursive,
                    rules=gitignore,
                    bell=self._bell,
                )
                self._watched.append((place, engine))
                engine.start()
            for place, engine in self._watched:
                self._arm(place, engine, ignore_permission_denied)
        except BaseException:
            self.close()
            raise

    def _arm(self, place: Place, engine: _core.Engine, ignore_permission_denied: bool) -> None:
        while not engine.armed(SLICE):
            pass
        status = engine.status()
        if status["denied"] and not ignore_permission_denied:
            path = os.path.join(place.shown, next(iter(status["denied_paths"]), ""))
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        if status["unwatched"]:
            log.warning(
                "%d directories of %s cannot be watched (fs.inotify.max_user_watches) and are looked at "
                "every %.0f s instead",
                status["unwatched"],
                place.shown,
                _UNWATCHED_MS / 1_000,
            )
        if self._debug:
            print(f"watcher: {status['source']}, {status['watches']} watches: {place}", file=sys.stderr)

    def watch(
        self, debounce_ms: int, step_ms: int, timeout_ms: int, stop_event: AbstractEvent | None
    ) -> Answer:
        """The next batch; or ``"timeout"`` after `timeout_ms` (0: never) without a change, ``"stop"`` when
        `stop_event` is set or this was closed meanwhile, ``"signal"`` on Ctrl-C."""
        if self._closed:
            raise RuntimeError("RustNotify watcher closed")
        if os.getpid() != self._pid:
            raise RuntimeError(
                "this process was forked from the one that watches, and no changes come here: "
                "begin to watch anew in this process"
            )
        is_set = (lambda: False) if stop_event is None else stop_event.is_set
        try:
            return self._next(debounce_ms / 1_000, step_ms / 1_000, timeout_ms / 1_000, is_set)
        except KeyboardInterrupt:
            return "signal"
        except _core.CoreError as error:
            raise WatchfilesRustInternalError(str(error)) from error

    def _next(self, debounce: float, step: float, timeout: float, is_set: "Stopped") -> Answer:
        clock = self._clock.monotonic
        until = clock() + timeout
        fold = Fold()
        first = last = None
        while not is_set():
            took = self._take(fold)
            if self._closed:
                break
            now = clock()
            if took:
                first, last = first or now, now
            if first is None or last is None:
                left = until - now if timeout else SLICE
                if left <= 0 and not self._pending():
                    return "timeout"
                wait = min(max(left, 0.001), SLICE)
            else:
                end = min(first + max(debounce - step, 0.0), last + 2 * step)
                if now >= end or not self._pending():
                    if answer := fold.changes(renames=self._renames):
                        return answer
                    first = None  # what came has gone again
                    continue
                # Rung as soon as nothing is pending, too.
                wait = min(max(end - now, 0.001), SLICE)
            self._bell.wait(wait)
        return "stop"

    def _pending(self) -> bool:
        return any(engine.pending() for _, engine in self._watched)

    def _take(self, fold: Fold) -> bool:
        took = False
        for place, engine in self._watched:
            shown = None if place.names else place.shown
            for kind, paths, old_path, below in engine.take(_MOST, 0.0, shown) or ():
                took = True
                if self._debug:
                    for path in paths:
                        print(f"change={kind} path={path!r} old_path={old_path!r}", file=sys.stderr)
                if place.names:
                    _named(place, kind, paths, old_path, below, fold)
                elif kind == "created":
                    fold.created(*paths)
                elif kind == "modified":
                    fold.modified(*paths)
                else:
                    _subtree(paths[0], old_path, below, fold)
        return took

    def close(self) -> None:
        """End the engines' threads. Idempotent; a call of `watch` under way answers ``"stop"``."""
        self._closed = True
        for _, engine in self._watched:
            engine.stop()
        self._bell.ring()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        if self._closed:
            return "RustNotify(None)"
        return f"RustNotify({', '.join(place.shown for place, _ in self._watched)})"


class Stopped(Protocol):
    """A stop event's `is_set`."""

    def __call__(self) -> bool: ...


def _named(
    place: Place, kind: str, paths: Sequence[str], old_path: str | None, below: Sequence[str], fold: Fold
) -> None:
    """Of a directory in which single files were asked for; paths are relative to it."""

    def told(paths: Iterable[str]) -> list[str]:
        return [told for path in paths for told in place.told(path)]

    if kind in ("created", "modified"):
        (fold.created if kind == "created" else fold.modified)(*told(paths))
        return
    path = paths[0]
    fold.deleted(*told(_join(path if old_path is None else old_path, name) for name in ("", *below)))
    if old_path is not None:
        fold.created(*told(_join(path, name) for name in ("", *below)))


def _subtree(path: str, old_path: str | None, below: Sequence[str], fold: Fold) -> None:
    """Deleted or renamed, with what was known below."""
    ends = ("", *(os.sep + name.replace("/", os.sep) for name in below))
    if old_path is None:
        fold.deleted(*(path + end for end in ends))
    else:
        for end in ends:
            fold.renamed(old_path + end, path + end)


def _join(path: str, name: str) -> str:
    return f"{path}/{name}" if path and name else path or name
