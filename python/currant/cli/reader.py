"""Asking: the watcher over its socket when there is one, else this process owns the index for one answer."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Protocol

from currant.cli.output import echo
from currant.cli.patience import patience
from currant.cli.place import Place
from currant.errors import ServiceUnreachable
from currant.ipc.client import Answer, Client

if TYPE_CHECKING:
    from currant.api import Index

_SLICE_SECONDS: Final = 0.2


class Reader(Protocol):
    """Something to put questions to."""

    def ask(self, method: str, params: Mapping[str, Any]) -> Answer:
        """One question of `currant.ipc.methods`; the first one waits for a fresh index, within ``--wait``."""


class _Watcher:
    """A running owner. When it leaves in the middle of a question, this process takes over."""

    def __init__(self, place: Place, client: Client, wait: float | None) -> None:
        self._place = place
        self._client: Client | None = client
        self._wait = wait
        self._own: _Own | None = None

    def ask(self, method: str, params: Mapping[str, Any]) -> Answer:
        if self._client is not None:
            try:
                return self._asked(self._client, method, params)
            except ServiceUnreachable:
                self._client.close()
                self._client = None
        if self._own is None:
            self._own = _Own(open_here(self._place), self._wait)
        return self._own.ask(method, params)

    def _asked(self, client: Client, method: str, params: Mapping[str, Any]) -> Answer:
        budget, late = self._wait, None
        if budget is None:
            budget, late = patience(
                lambda: client.call("progress", sync_ms=None).result,
                lambda seconds: client.call("sync", sync_ms=round(seconds * 1_000)).fresh,
            )
        answer = client.call(method, dict(params), sync_ms=round(budget * 1_000))
        if late is not None and not answer.fresh:
            echo(late, err=True)
            self._wait = 0.0  # once is enough, also for what comes in pages
        return answer

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
        if self._own is not None:
            self._own.close()


class _Own:
    """An index opened for one command: scanned once, brought up to date, asked, closed."""

    def __init__(self, index: "Index", wait: float | None) -> None:
        self._index = index
        self._wait = wait
        self._settled: Answer | None = None

    def ask(self, method: str, params: Mapping[str, Any]) -> Answer:
        if self._settled is None:
            self._settled = settle(self._index, self._wait)
        answer = self._index.ask(method, params, sync_ms=-1)
        return self._settled._replace(result=answer.result)

    def close(self) -> None:
        self._index.close()


def open_here(place: Place) -> "Index":
    """Open the index that is there, to own it without watching. Raises NoIndexError."""
    from currant.api import open_index

    return open_index(place.root, flags=place.flags, live=False, create=False, wide=True)


def settle(index: "Index", wait: float | None) -> Answer:
    """Bring the index up to date with a bar, for up to `wait` seconds (None: until done).

    In slices, so that the bar moves and a signal is heard."""
    from currant.cli.progress import Bar
    from currant.clock import SystemClock

    clock = SystemClock()
    end = None if wait is None else clock.monotonic() + wait
    service = index.service
    for notice in index.notices:
        echo(notice, err=True)
    with Bar() as bar:
        while True:
            left = None if end is None else end - clock.monotonic()
            budget = _SLICE_SECONDS if left is None else max(0.0, min(_SLICE_SECONDS, left))
            if service is None:
                # Another process got there first: one barrier, and it does the work.
                return index.ask("sync", {}, sync_ms=round((3_600 if wait is None else wait) * 1_000))
            reached = service.sync(budget)
            late = left is not None and left <= _SLICE_SECONDS
            if reached.fresh or late or service.root_missing():
                return Answer(
                    None, reached.clock, reached.fresh, tuple(reached.outstanding), tuple(service.degraded())
                )
            at = service.progress()
            bar.show(at.done, at.total, rate=at.files_per_second, eta=at.eta_seconds, phase=at.phase)


@contextmanager
def reading(place: Place, wait: float | None) -> Iterator[Reader]:
    """A reader for one command. Raises NoIndexError when there is neither an owner nor an index."""
    reader: _Watcher | _Own
    try:
        reader = _Watcher(place, Client.connect(place.quick_state_dir, place.root), wait)
    except ServiceUnreachable:
        reader = _Own(open_here(place), wait)
    try:
        yield reader
    finally:
        reader.close()
