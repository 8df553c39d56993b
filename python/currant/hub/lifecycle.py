"""The way up and down of the process: the port, the signals, and the order in which things end.

The first SIGINT or SIGTERM ends cleanly: no further job is claimed, running ones end or are handed back
within the deadlines of the settings while questions are still answered, then the server and the hub stop. The
second one ends it now; jobs are handed back if that takes but a moment, and else found by the next start.
"""

import logging
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType
from typing import Final, Protocol

from currant.errors import UsageError
from currant.hub.home import Address
from currant.hub.hub import Hub

log = logging.getLogger(__name__)

_HAND_BACK_SECONDS: Final = 2.0


class Face(Protocol):
    """What answers questions from outside while the hub runs: the HTTP server."""

    def serve(self) -> None:
        """Answer until `stop`; in the main thread."""

    def stop(self) -> None:
        """Make `serve` return soon. From any thread, also before `serve`."""


class Nobody:
    """No face: waits to be stopped."""

    def __init__(self) -> None:
        self._stopped = threading.Event()

    def serve(self) -> None:
        """See `Face`."""
        self._stopped.wait()

    def stop(self) -> None:
        """See `Face`."""
        self._stopped.set()


def listen(port: int, host: str = "127.0.0.1") -> socket.socket:
    """A socket that listens on this machine alone; `port` 0: any free one. Raises UsageError."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        # Where a service was a moment ago there can be one again; it lets nobody share the port.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Connections have it from here: asyncio sets it on those alone whose protocol was named when the
        # socket was made, and without it each answer waits 40 ms for the client's delayed acknowledgement.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.bind((host, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise UsageError(
            f"cannot listen on {host}:{port} ({error.strerror or error}): name another port with --port, "
            "or 0 for any"
        ) from error
    return listener


class Signals:
    """Counts the signals to stop: the first ends the hub and its face in order, as soon as they are up; the
    second the process."""

    def __init__(self, hub: Hub, *, leave: Callable[[int], None] = os._exit) -> None:
        self.received: int | None = None
        self._hub = hub
        self._face: Face | None = None
        self._leave = leave
        self._up = threading.Event()
        self._drained = threading.Event()
        self._first = threading.Event()
        self._second = threading.Event()
        self._over = threading.Event()
        self._threads = [
            threading.Thread(target=work, name=f"currant-{name}", daemon=True)
            for name, work in (("stop", self._go_down), ("stop-now", self._go_now))
        ]

    def handle(self, number: int, _frame: FrameType | None = None) -> None:
        """The handler. Only sets events: it runs between any two instructions of the main thread, which may
        hold any lock."""
        if self.received is None:
            self.received = number
            self._first.set()
        else:
            self._second.set()

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Inside, signals are handled. In the main thread."""
        before = {number: signal.signal(number, self.handle) for number in (signal.SIGINT, signal.SIGTERM)}
        for thread in self._threads:
            thread.start()
        try:
            yield
        finally:
            self._over.set()
            self._up.set()
            self._first.set()
            self._second.set()
            for thread in self._threads:
                thread.join()
            for number, handler in before.items():
                signal.signal(number, handler)

    def up(self, face: Face) -> None:
        """The hub runs, and `face` is about to answer."""
        self._face = face
        self._up.set()

    def _go_down(self) -> None:
        self._first.wait()
        self._up.wait()
        if self._over.is_set() or self._face is None:
            return
        try:
            self._hub.stop_jobs()
        except Exception:
            log.exception("while stopping the jobs")
        finally:
            self._drained.set()
            self._face.stop()

    def _go_now(self) -> None:
        self._second.wait()
        if self._over.is_set():
            return
        try:
            self._hub.second_signal()
        finally:
            if self._up.is_set():
                self._drained.wait(_HAND_BACK_SECONDS)  # `stop_jobs`, which is under way, hands them back
        self._leave(128 + (self.received or signal.SIGTERM))


def run(
    hub: Hub,
    port: int,
    make_face: Callable[[Hub, socket.socket], Face],
    told: Callable[[Address], None] = lambda _at: None,
) -> int | None:
    """Serve until a signal, and stop; returns the signal. `told` hears where it listens, once it does.

    What cannot work is found before anything is begun: raises AlreadyServing, UsageError for a port that is
    taken, and what a start raises."""
    signals = Signals(hub)
    with ExitStack() as undo:
        undo.enter_context(signals.installed())
        hub.home.prepare()
        hub.home.acquire()
        undo.callback(hub.home.release)
        listener = listen(port)
        undo.callback(listener.close)
        hub.start()
        undo.callback(hub.stop)
        face = make_face(hub, listener)
        at = Address(pid=os.getpid(), port=listener.getsockname()[1], started=hub.started_at)
        hub.home.announce(at)
        told(at)
        signals.up(face)
        face.serve()
    return signals.received
