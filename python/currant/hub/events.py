"""What happens, told to whoever listens in this process: jobs, projects, progress, commits, health.

Owns the ring of the latest events and the cursors into it. A slow listener costs nobody anything: it has no
queue of its own, and when the ring has gone on without it, it is told so (`reset`) and looks anew.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, Literal, NamedTuple

from currant.clock import Clock

Kind = Literal["job", "project", "progress", "commit", "health", "reset"]
RING: Final = 2_000


class Event(NamedTuple):
    """One event. Ids grow by one, also over a restart they never come again; `data` is plain values."""

    id: int
    kind: Kind
    data: Mapping[str, Any]


class Bus:
    """Publishes to all. Thread-safe; nothing here waits for a listener."""

    def __init__(self, clock: Clock, *, ring: int = RING) -> None:
        self._changed = threading.Condition()
        self._ring: deque[Event] = deque(maxlen=ring)
        # Microseconds: no service publishes a million events a second, so a restart begins behind the last.
        self._next = int(clock.now() * 1e6)
        self._closed = False
        self._listeners: list[Callable[[Event], None]] = []

    def publish(self, kind: Kind, data: Mapping[str, Any]) -> Event:
        """Tell everybody. A listener that raises is taken off; that is its own fault."""
        with self._changed:
            event = Event(self._next, kind, data)
            self._next += 1
            self._ring.append(event)
            self._changed.notify_all()
            listeners = list(self._listeners)
        for listener in listeners:
            try:
                listener(event)
            except Exception:
                self._remove(listener)
        return event

    def listen(self, listener: Callable[[Event], None]) -> Callable[[], None]:
        """Call `listener` with each event, on the thread of who publishes: it must not wait. Returns what
        ends it. For event loops: ``loop.call_soon_threadsafe``."""
        with self._changed:
            self._listeners.append(listener)
        return lambda: self._remove(listener)

    def subscribe(self, after: int | None = None) -> "Subscription":
        """Events after the one with the id `after` (None: from now on)."""
        with self._changed:
            return Subscription(self, self._next if after is None else after + 1)

    def close(self) -> None:
        """End every subscription. Idempotent."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _remove(self, listener: Callable[[Event], None]) -> None:
        with self._changed:
            if listener in self._listeners:
                self._listeners.remove(listener)

    def _read(self, cursor: int, timeout: float | None, ended: Callable[[], bool]) -> Event | None:
        """The event at `cursor`, or a reset; None when nothing came in time, or nothing will."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._closed or ended() or cursor != self._next, None if timeout is None else timeout
            )
            if ended() or (self._closed and cursor >= self._next):
                return None
            if cursor == self._next:
                return None
            oldest = self._ring[0].id if self._ring else self._next
            if not oldest <= cursor < self._next:  # too old, or from another service
                return Event(
                    self._next - 1, "reset", {"reason": "events in between are not known here any more"}
                )
            return self._ring[cursor - oldest]


class Subscription(Iterator[Event]):
    """An iterator over events, for one thread. `close` ends it, from any thread."""

    def __init__(self, bus: Bus, cursor: int) -> None:
        self._bus = bus
        self._cursor = cursor
        self._ended = False

    def get(self, timeout: float | None = None) -> Event | None:
        """The next event; None after `timeout` seconds (None: wait for ever) or at the end, see `ended`."""
        event = self._bus._read(self._cursor, timeout, lambda: self._ended)
        if event is not None:
            self._cursor = event.id + 1
        return event

    @property
    def ended(self) -> bool:
        """Nothing will come any more."""
        return self._ended or self._bus._closed

    def __next__(self) -> Event:
        event = self.get()
        if event is None:
            raise StopIteration
        return event

    def close(self) -> None:
        """End it. Idempotent."""
        with self._bus._changed:
            self._ended = True
            self._bus._changed.notify_all()
