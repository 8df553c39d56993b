"""One project while the service runs: its open index, and how it is.

Owns the thread that opens the index, looks at it now and then, and notes the state of the project; a root on
a disk that hangs stops its own keeper and nobody else's. Another process may own the root (`currant watch`):
then its answers are taken, and the keeper takes over when it leaves.
"""

import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec

from currant.api import Index
from currant.bell import Listening, listen
from currant.clock import Clock
from currant.config import Settings, load_settings
from currant.errors import (
    ClosedError,
    CurrantError,
    ProjectNotReady,
    RootMissingError,
    ServiceUnreachable,
)
from currant.hub.events import Bus
from currant.hub.ledger import Ledger, Project, State
from currant.maintenance.target import Relief
from currant.model import CommitInfo, Throttle
from currant.service import Service

log = logging.getLogger(__name__)

_BUSY_SECONDS: Final = 0.5
_IDLE_SECONDS: Final = 2.0
_TOLD_IDLE_SECONDS: Final = 30.0
"""The same where commits are told, and what becomes of the root's name."""
_FIRST_RETRY_SECONDS: Final = 2.0
_LAST_RETRY_SECONDS: Final = 60.0


class Keeper:
    """Keeps the index of one project open from `start` to `stop`. Thread-safe."""

    def __init__(
        self,
        project: Project,
        ledger: Ledger,
        bus: Bus,
        clock: Clock,
        *,
        throttle: Callable[[], Throttle] = Throttle,
        most_watches: Callable[[], int | None] = lambda: None,
    ) -> None:
        """`throttle`: how far the index is to step back when it is opened; `most_watches`: how many watches
        it may then set."""
        self.project = project
        self.problem: Exception | None = None
        """Why the index could not be opened when last tried."""
        self._ledger = ledger
        self._bus = bus
        self._clock = clock
        self._throttle = throttle
        self._most_watches = most_watches
        self._index: Index | None = None
        self._heard: Any = None  # the service whose commits are told
        self._looked: dict[str, Any] = {}
        self._stopping = threading.Event()
        self._wake = threading.Event()
        self._changed = threading.Condition()
        self._retry_s = _FIRST_RETRY_SECONDS
        self._relief = Relief(clock)
        self._listening: Listening | None = None
        self._rung = self._gathering = False
        self._thread = threading.Thread(target=self._run, name=f"currant-keep-{project.name}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def request_stop(self) -> None:
        """Begin to end; `join` waits for it."""
        self._stopping.set()
        self._wake.set()

    def join(self, timeout: float | None = None) -> bool:
        """Wait until the index is closed; False when it is not within `timeout` seconds."""
        if self._thread.ident is not None:
            self._thread.join(timeout)
        return not self._thread.is_alive()

    def nudge(self) -> None:
        """Look now."""
        self._wake.set()

    def index(self) -> Index:
        """The open index. Raises ProjectNotReady."""
        index = self._index
        if index is None or self._stopping.is_set():
            now = self._ledger.get(self.project.id)
            opening = now.state in ("indexing", "ready")
            raise ProjectNotReady(now.name, "opening" if opening else now.state, now.error or "")
        return index

    def service(self) -> Service | None:
        """The running service of the index, when this process owns it."""
        index = self._index
        return None if index is None else index.service

    def wait_open(self, check: Callable[[], None], slice_s: float = 0.2) -> Index:
        """The open index, however long that takes; `check` is called now and then and may raise. Raises what
        kept it from being opened, and ProjectNotReady while stopping."""
        self.problem = None
        self.nudge()
        while True:
            with self._changed:
                self._changed.wait_for(
                    lambda: self._index or self.problem or self._stopping.is_set(), slice_s
                )
                index, problem = self._index, self.problem
            check()
            if self._stopping.is_set():
                raise ProjectNotReady(self.project.name, "closed", "the service stops")
            if index is not None:
                return index
            if problem is not None:
                raise problem

    def looked(self) -> dict[str, Any]:
        """What the last look saw: ``phase``, ``done``, ``total``, ``owner`` and so on; empty before."""
        return dict(self._looked)

    # --- the thread -------------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                pause = self._step()
                self._retry_s = _FIRST_RETRY_SECONDS
            except (CurrantError, OSError) as error:
                pause = self._failed(error)
            except Exception as error:
                log.exception("project %s", self.project.name)
                pause = self._failed(error)
            if self._wake.wait(pause) and self._rung:
                # Saves and the directory above may have much to tell: no more looks than by the clock.
                self._gathering, self._rung = True, False
                self._wake.clear()
                self._wake.wait(min(pause, _IDLE_SECONDS))
                self._gathering = False
            self._wake.clear()
        self._close()
        if self._listening is not None:
            self._listening.close()

    def _ring(self) -> None:
        """Something happened that the next look is to see."""
        if not self._gathering:
            self._rung = True
            self._wake.set()

    def _listen(self) -> bool:
        """Before a look, so that what happens after it is told; whether the root's name is told of."""
        if self._listening is not None and not self._listening.works:
            self._listening.close()
            self._listening = None
        if self._listening is None:
            self._listening = listen(Path(self.project.root).parent, self._ring)
        return self._listening is not None

    def _step(self) -> float:
        """One look; how many seconds until the next one."""
        if self._index is None:
            if not os.path.isdir(self.project.root):
                # A clone that is still to be made is not missing.
                if self.project.kind == "path" or self._state() in ("indexing", "ready", "missing"):
                    self._note("missing", self._missing())
                    self._say(RootMissingError(self.project.root))
                return _IDLE_SECONDS
            self._open()
        return self._look()

    def _open(self) -> None:
        if self._state() != "ready":
            self._note("indexing")
        root = Path(os.path.realpath(self.project.root))
        index = Index(root, self._settings(root), live=True)
        with self._changed:
            self._index, self.problem = index, None
            self._changed.notify_all()
        for notice in index.notices:
            log.warning("project %s: %s", self.project.name, notice)

    def _settings(self, root: Path) -> Settings:
        settings, most = load_settings(root), self._most_watches()
        if most is None:
            return settings
        told = settings.monitor.max_watches
        monitor = msgspec.structs.replace(
            settings.monitor, max_watches=most if told is None else min(most, told)
        )
        return msgspec.structs.replace(settings, monitor=monitor)

    def _look(self) -> float:
        index = self._index
        assert index is not None
        listening = self._listen()
        service = index.service
        if service is not None and service is not self._heard:
            self._heard = service
            service.on_commit.append(self._committed)
            service.throttle(self._throttle())
        try:
            # To an owner elsewhere this also shows that it lives; if not, this process takes over.
            told = index.ask("progress", {}, sync_ms=-1).result
            missing = (
                bool(service.root_missing())
                if service is not None
                else any(one["code"] == "root_missing" for one in index.status()["degraded"])
            ) or not os.path.isdir(self.project.root)
        except (ClosedError, ServiceUnreachable):
            # Its owner ended for good (another process took the root, the index cannot be made anew).
            self._close()
            raise
        looked = {**told, "owner": index.owner["pid"]}
        before, self._looked = self._looked, looked
        busy = told["phase"] in ("scanning", "indexing", "rebuilding")
        if missing:
            self._note("missing", self._missing())
        elif told["phase"] in ("failed", "stopped"):
            self._close()
            raise ProjectNotReady(self.project.name, told["phase"], "its index stopped; it is opened again")
        elif not busy or self._state() == "missing":
            self._note("ready")
        if before and not busy:
            self._relief.look(service, told["done"])
        if looked != before and (busy or before.get("phase") != told["phase"]):
            self._bus.publish("progress", {"project_id": self.project.id, **looked})
        if busy:
            return _BUSY_SECONDS
        if not listening or service is None or missing:
            return _IDLE_SECONDS
        return self._relief.again_s or _TOLD_IDLE_SECONDS

    def _missing(self) -> str:
        again = (
            "put it back, and it is found by itself" if self.project.kind == "path" else "refresh the project"
        )
        return f"{self.project.root} is not there: {again}"

    def _state(self) -> State:
        return self._ledger.get(self.project.id).state

    def _committed(self, commit: CommitInfo) -> None:
        if commit.generation:
            told = {"project_id": self.project.id, "clock": commit.clock, "changes": commit.changes}
            self._bus.publish("commit", told)
            self._ring()

    def _say(self, problem: Exception) -> None:
        with self._changed:
            self.problem = problem
            self._changed.notify_all()

    def _failed(self, error: Exception) -> float:
        self._say(error)
        try:
            self._note("failed", str(error) or type(error).__name__)
        except CurrantError as second:  # not even the ledger can be written
            log.error("project %s: %s; and that could not be noted: %s", self.project.name, error, second)
        pause, self._retry_s = self._retry_s, min(self._retry_s * 2, _LAST_RETRY_SECONDS)
        return pause

    def _note(self, state: State, error: str | None = None) -> None:
        self._ledger.note(self.project.id, state, error)

    def _close(self) -> None:
        with self._changed:
            index, self._index, self._heard = self._index, None, None
            self._changed.notify_all()
        if index is not None:
            index.close()
