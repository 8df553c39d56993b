"""Where answers come from: the process that owns the index, over its socket, or this process itself.

Owns the choice between the two. Whoever gets the lock serves the socket too, so that a second reader is
answered and not refused.
"""

import os
import threading
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, Self

from currant.clock import Clock, SystemClock
from currant.config import Settings
from currant.errors import LockedError, NoIndexError, ServiceUnreachable, StoreError
from currant.ipc.client import Answer, Client
from currant.outset import Outset
from currant.owner import Patience, lock_holder

if TYPE_CHECKING:
    pass

_START_SECONDS: Final = 10.0
_RETRY_SECONDS: Final = 0.05


class Backend(Protocol):
    """One way to an index. `owner` is what ``hello`` answers: pid, root, live, rules."""

    owner: Mapping[str, Any]

    def ask(self, method: str, params: Mapping[str, Any], sync_ms: int | None) -> Answer:
        """One question of `currant.ipc.methods`. Raises ServiceUnreachable when the owner left."""

    def close(self) -> None:
        """Let go; an owner stops with everything committed or left for the next start. Idempotent."""


class Remote:
    """Another process owns the index."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._turn = threading.Lock()  # one request at a time on the connection
        self.owner: Mapping[str, Any] = client.owner

    def ask(self, method: str, params: Mapping[str, Any], sync_ms: int | None) -> Answer:
        """See `Backend`."""
        with self._turn:
            return self._client.call(method, dict(params), sync_ms=sync_ms)

    def close(self) -> None:
        """See `Backend`."""
        self._client.close()


class Own:
    """This process owns the index: lock, service, socket."""

    def __init__(self, root: Path, settings: Settings, *, live: bool) -> None:
        real = Path(os.path.realpath(root))
        outset = Outset(real, settings.state_path(real), settings, live=live)
        try:
            outset.take_root()
            outset.begin()  # first of all: the imports take a third of what reading a large tree does
            from currant import _core
            from currant.ipc.methods import Desk
            from currant.ipc.server import Server
            from currant.service import Service

            self.service: Service = Service(root, settings, live=live, outset=outset)
        except BaseException:
            outset.close()
            raise
        self._cleanup = ExitStack()
        with ExitStack() as undo:
            self.service.start()
            undo.callback(self.service.shutdown)
            self._desk = Desk(self.service, version=_core.__version__, live=live)
            self.socket_error = ""
            try:
                server = Server(self._desk, settings.state_path(root))
                undo.callback(server.close)
                self.service.guard.beats.append(server.ensure)
            except OSError as error:
                # A file system without sockets: the index works, but nobody else can ask it.
                self.socket_error = f"no socket in {settings.state_path(root)}: {error.strerror or error}"
            self._cleanup = undo.pop_all()
        self.owner: Mapping[str, Any] = self._desk.ask("hello", {}, None).result
        self.notices = [text for text in (self.service.store.opened.message, self.socket_error) if text]
        if self.service.llm.announcement:
            self.notices.append(self.service.llm.announcement)
        """What people should be told of the opening: an index set aside, a socket that could not be made,
        contents that are sent to a model."""
        # The scan that `start` began answers the first question; without watches later ones scan again.
        self._scanned = live

    def ask(self, method: str, params: Mapping[str, Any], sync_ms: int | None) -> Answer:
        """See `Backend`."""
        if sync_ms is None or self._scanned:
            return self._desk.ask(method, params, sync_ms)
        reached = self._desk.settle(sync_ms / 1_000, rescan=False)
        self._scanned = reached.fresh
        return reached._replace(result=self._desk.ask(method, params, None).result)

    def close(self) -> None:
        """See `Backend`."""
        self._cleanup.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()


def choose(
    root: Path, settings: Settings, *, live: bool, create: bool = True, clock: Clock | None = None
) -> Backend:
    """The owner's socket when there is an owner, else become it.

    Between the two an owner may be starting or stopping (it holds the lock, the socket is not there):
    tried for 10 s, then LockedError with its pid; OwnerSuspendedError as soon as it turns out to be stopped.
    Without `create` an index that is not there is waited for only while somebody holds the lock, who is
    making it; else NoIndexError.
    """
    clock = clock or SystemClock()
    state_dir = settings.state_path(root)
    deadline = clock.monotonic() + _START_SECONDS
    pause = threading.Event()
    patience: Patience | None = None
    while True:
        try:
            return Remote(Client.connect(state_dir, root))
        except ServiceUnreachable:
            pass
        try:
            if not create and not has_index(state_dir):
                holder = lock_holder(state_dir / "lock")
                if holder is None:
                    raise NoIndexError(str(root))
                raise LockedError(holder, str(root))
            return Own(root, settings, live=live)
        except LockedError as error:
            if patience is None:
                patience = Patience(error.pid)
            patience.look()
            if clock.monotonic() >= deadline:
                raise
            pause.wait(_RETRY_SECONDS)


def has_index(state_dir: Path) -> bool:
    """Whether an index was ever made there; a look at the directory alone. Raises StoreError when that is not
    permitted: an index of somebody else is not one that is missing."""
    try:
        os.stat(state_dir / "index.db")
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise StoreError(f"the index in {state_dir} cannot be read: {error.strerror or error}") from error
    return True
