"""The program in which a rival runs: ``python -m currant.soak.rival watchfiles|watchdog ROOT``.

Owns the model that a careful user of that library would keep: a listing at the start, then its events and
nothing else. What an event names is looked at again: a file is read anew, a directory that is there is
listed with everything below, and what was known of it before is forgotten with everything below. Asked on
standard input, it waits until its library was silent for a while and answers with the model, one JSON object.
"""

import hashlib
import json
import os
import stat
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from currant.clock import SystemClock

SETTLED_SECONDS: Final = 1.0
"""Without an event for so long, it is done. Both libraries deliver within a tenth of that."""

LONGEST_SECONDS: Final = 30.0
HIDDEN: Final = frozenset({".git", ".currant"})


def digest(path: str) -> str | None:
    """Hash of a regular file; None for anything else."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            return None
        content = hashlib.blake2b(digest_size=8)
        while block := os.read(handle, 1 << 20):
            content.update(block)
        return content.hexdigest()
    except OSError:
        return None
    finally:
        os.close(handle)


def listing(root: str, top: str | None = None) -> Iterator[tuple[str, str]]:
    """(path relative to `root`, hash) of every regular file at or below `top`."""
    start = root if top is None else top
    for where, folders, files in os.walk(start):
        folders[:] = [name for name in folders if name not in HIDDEN]
        for name in files:
            full = os.path.join(where, name)
            if (content := digest(full)) is not None:
                yield os.path.relpath(full, root), content


class Model:
    """What the user of a rival believes. Thread-safe."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._clock = SystemClock()
        self._guard = threading.Lock()
        self._last = self._clock.monotonic()
        self.death: Callable[[], str] = lambda: ""
        """What a thread of the library died of; empty while all of them live."""
        self.files = dict(listing(root))

    def look(self, path: str) -> None:
        """An event named this path, whatever it said of it."""
        relative = os.path.relpath(path, self._root)
        if HIDDEN & set(relative.split(os.sep)):
            return
        with self._guard:
            self._last = self._clock.monotonic()
            # Whatever was known at or below it is known anew: what is gone from a directory goes, too.
            prefix = "" if relative == "." else relative + os.sep
            for known in [one for one in self.files if one == relative or one.startswith(prefix)]:
                del self.files[known]
            if os.path.isdir(path) and not os.path.islink(path):
                self.files.update(listing(self._root, path))
            elif (content := digest(path)) is not None:
                self.files[relative] = content

    def answer(self) -> str:
        """One line: the files, and what the library died of, if it did."""
        return json.dumps({"files": self.settled(), "death": self.death()})

    def settled(self) -> dict[str, str]:
        """The model, once nothing came for a while."""
        began = self._clock.monotonic()
        pause = threading.Event()
        while True:
            now = self._clock.monotonic()
            with self._guard:
                quiet = now - max(self._last, began)
            if quiet >= SETTLED_SECONDS or now - began >= LONGEST_SECONDS:
                break
            pause.wait(SETTLED_SECONDS - quiet)
        with self._guard:
            return dict(self.files)


def _watchfiles(root: str) -> Model:
    from watchfiles import watch

    started = threading.Event()
    model: list[Model] = []

    def run() -> None:
        try:
            follow()
        except Exception as error:
            print(json.dumps({"died": f"{type(error).__name__}: {error}"}), flush=True)
            os._exit(1)

    def follow() -> None:
        # As its documentation has it; no filter, a short step, and woken when nothing happens, which tells
        # that the watch is set.
        for changes in watch(
            root, watch_filter=None, step=50, rust_timeout=100, yield_on_timeout=True, raise_interrupt=False
        ):
            if not model:
                model.append(Model(root))
                started.set()
            for _kind, path in sorted(changes, key=lambda change: change[1]):
                model[0].look(path)

    threading.Thread(target=run, daemon=True).start()
    started.wait()
    return model[0]


def _watchdog(root: str) -> Model:
    from watchdog import events
    from watchdog.observers import Observer

    class Handler(events.FileSystemEventHandler):
        """Whatever it is, the paths are looked at."""

        def on_any_event(self, event: events.FileSystemEvent) -> None:
            ready.wait()
            for path in (event.src_path, event.dest_path):
                if path:
                    model[0].look(os.fsdecode(path))

    # All that changes something. Not what opening and reading make: its user's looking would fill its queue.
    wanted: list[type[events.FileSystemEvent]] = [
        *(events.FileCreatedEvent, events.FileModifiedEvent, events.FileClosedEvent, events.FileDeletedEvent),
        *(events.FileMovedEvent, events.DirCreatedEvent, events.DirModifiedEvent, events.DirDeletedEvent),
        events.DirMovedEvent,
    ]
    died: list[str] = []

    def dies(told: threading.ExceptHookArgs) -> None:
        # Of its threads; some of them are its own business, so this is how one learns of it.
        died.append(f"{told.exc_type.__name__}: {told.exc_value}")

    threading.excepthook = dies
    ready = threading.Event()
    model: list[Model] = []
    observer = Observer()
    observer.schedule(Handler(), root, recursive=True, event_filter=wanted)
    observer.start()
    model.append(Model(root))  # listed after watching: nothing falls in between
    ready.set()
    model[0].death = lambda: "; ".join(died)
    return model[0]


def main() -> int:
    """Serve until standard input ends."""
    name, root = sys.argv[1], os.fspath(Path(sys.argv[2]))
    start: Any = {"watchfiles": _watchfiles, "watchdog": _watchdog}[name]
    try:
        model: Model = start(root)
    except ImportError as error:
        print(json.dumps({"missing": str(error)}), flush=True)
        return 0
    print(json.dumps({"ready": len(model.files)}), flush=True)
    for _line in sys.stdin:
        print(model.answer(), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
