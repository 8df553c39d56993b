"""For programs written for watchdog: an `Observer` on this engine, which gives watchdog's own events to its
handlers. watchdog itself has to be installed; nothing else here needs it."""

import os
import threading
from collections.abc import Iterator

from watchdog import events
from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers.api import ObservedWatch

from currant.watching.fold import ADDED, DELETED, Renamed
from currant.watching.notify import DEBOUNCE_MS, STEP_MS, RustNotify


class Observer:
    """Takes the place of `watchdog.observers.Observer`. Each watch has a thread, which calls its handler.

    A path is told of when it was quiet for 50 ms, as created, modified, deleted or moved. Nothing is told of
    opening and closing, nor of a directory whose entries changed."""

    def __init__(self, *, gitignore: bool = False) -> None:
        self._gitignore = gitignore
        self._watches: dict[ObservedWatch, tuple[FileSystemEventHandler, threading.Event]] = {}
        self._threads: dict[ObservedWatch, threading.Thread] = {}
        self._started = False

    def schedule(
        self,
        event_handler: FileSystemEventHandler,
        path: str,
        *,
        recursive: bool = False,
        event_filter: list[type[FileSystemEvent]] | None = None,
    ) -> ObservedWatch:
        """Call `event_handler` for what changes at `path`, from `start` on; that raises FileNotFoundError."""
        watch = ObservedWatch(path, recursive=recursive, event_filter=event_filter)
        self._watches[watch] = (event_handler, threading.Event())
        if self._started:
            self._begin(watch)
        return watch

    def unschedule(self, watch: ObservedWatch) -> None:
        """Call nobody for it any more."""
        self._watches.pop(watch)[1].set()

    def start(self) -> None:
        """Begin: what changes after this is told."""
        self._started = True
        for watch in self._watches:
            self._begin(watch)

    def stop(self) -> None:
        """Have the threads end; `join` waits for them."""
        for _, stop in self._watches.values():
            stop.set()

    def join(self, timeout: float | None = None) -> None:
        """Wait for the threads, for up to `timeout` seconds each."""
        for thread in self._threads.values():
            thread.join(timeout)

    def is_alive(self) -> bool:
        """A thread is left."""
        return any(thread.is_alive() for thread in self._threads.values())

    def _begin(self, watch: ObservedWatch) -> None:
        handler, stop = self._watches[watch]
        notify = RustNotify(
            [watch.path], False, False, 300, watch.is_recursive, True, gitignore=self._gitignore, renames=True
        )
        found = os.walk(watch.path)
        folders = {os.path.join(place, name) for place, names, _ in found for name in names} | {watch.path}

        def run() -> None:
            with notify:
                while not isinstance(answer := notify.watch(DEBOUNCE_MS, STEP_MS, 0, stop), str):
                    for event in _events(answer, folders):
                        if watch.event_filter is None or isinstance(event, tuple(watch.event_filter)):
                            handler.dispatch(event)

        self._threads[watch] = threading.Thread(target=run, name="currant-observer", daemon=True)
        self._threads[watch].start()


def _events(changes: set[tuple[int, str] | Renamed], folders: set[str]) -> Iterator[FileSystemEvent]:
    """What was removed comes first, and a directory before what is in it."""
    in_order = sorted(changes, key=lambda item: (isinstance(item, Renamed), item[0] != DELETED, str(item[1])))
    for change in in_order:
        if isinstance(change, Renamed):
            kind, old, path = "Moved", change.old, change.new
        else:
            kind = {ADDED: "Created", DELETED: "Deleted"}.get(change[0], "Modified")
            old, path = "", change[1]
        folder = (old or path) in folders or os.path.isdir(path)
        folders.difference_update((old, path) if kind in ("Deleted", "Moved") else ())
        folders.update((path,) if folder and kind != "Deleted" else ())
        made = getattr(events, f"{'Dir' if folder else 'File'}{kind}Event")
        yield made(old, path) if old else made(path)
