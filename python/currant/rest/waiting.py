"""The face of a service that may never be asked anything: the port is there, the application is not yet.

FastAPI, pydantic and uvicorn are 25 MB of memory, a quarter of what an idle service may have with a large
index. Owns the wait for the first connection, which the kernel holds meanwhile, and the jobs that end before
there is anything to count them. Does not own the application (`app`), nor how it is served (`serving`).
"""

import importlib.util
import logging
import selectors
import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from currant.errors import UsageError
from currant.rest import logs

if TYPE_CHECKING:
    from currant.hub import Hub
    from currant.rest.serving import Face

log = logging.getLogger(__name__)

MOST_ENDED: Final = 1_000
"""Jobs that are remembered for the metrics; with more of them the application is made without a request."""
_LIBRARIES: Final = ("fastapi", "uvicorn", "prometheus_client")


class Ended:
    """Jobs that ended before the metrics were there. Thread-safe."""

    def __init__(self, full: Callable[[], None]) -> None:
        """`full` is called when there are as many as are to be remembered."""
        self._full = full
        self._lock = threading.Lock()
        self._jobs: list[Any] = []
        self._then: Callable[[Any], None] | None = None

    def job_changed(self, job: Any) -> None:
        """Listens to the manager of jobs; on any thread."""
        with self._lock:
            if self._then is None:
                if job.is_final:
                    self._jobs.append(job)
                full = len(self._jobs) >= MOST_ENDED
            else:
                self._then(job)
                full = False
        if full:
            self._full()

    def hand_over(self, then: Callable[[Any], None]) -> None:
        """Have `then` told of all so far, and of every change from now on: of none twice, of none never."""
        with self._lock:
            for job in self._jobs:
                then(job)
            self._jobs = []
            self._then = then


class WaitingFace:
    """The service over HTTP, on `listener`, which it closes at its end; `currant.rest.serving.Face` from the
    first connection on."""

    def __init__(self, hub: "Hub", listener: socket.socket, mounts: Callable[[], Mapping[str, Any]]) -> None:
        """Raises what making the application later would fail with: UsageError, StoreError."""
        for library in _LIBRARIES:
            if importlib.util.find_spec(library) is None:
                raise UsageError(f"{library} is not installed: `pip install --force-reinstall currant`")
        hub.home.token()
        self._hub = hub
        self._listener = listener
        self._mounts = mounts
        self._lock = threading.Lock()  # of the face and of whether it is to stop; held for nothing slow
        self._face: Face | None = None
        self._stopped = False
        self._woken, self._waker = socket.socketpair()
        self._waker.setblocking(False)
        self.ended = Ended(self._wake)
        hub.jobs.on_change.append(self.ended.job_changed)
        if hub.settings.serve.otel:
            self._make()  # a span for each job, from the first one on

    @property
    def made(self) -> bool:
        """Whether the application is there."""
        return self._face is not None

    def serve(self) -> None:
        """Answer until `stop`."""
        settings = self._hub.settings.serve
        undo = logs.configure(
            self._hub.home.log, level=settings.log_level, max_mb=settings.log_max_mb, files=settings.log_files
        )
        try:
            if not self.made and self._wait():
                log.debug("somebody asks: the application is made")
                self._make()
            if self._face is not None:
                self._face.answer()
        finally:
            self._listener.close()
            self._woken.close()
            self._waker.close()
            undo()

    def stop(self) -> None:
        """Make `serve` return soon. From any thread, also before `serve`."""
        with self._lock:
            self._stopped = True
            face = self._face
        if face is not None:
            face.stop()
        self._wake()

    def _wake(self) -> None:
        with suppress(OSError):  # it is awake, or it has ended
            self._waker.send(b"\0")

    def _wait(self) -> bool:
        """Until somebody connects, or there is much to count; False when it is to stop."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._listener, selectors.EVENT_READ)
            selector.register(self._woken, selectors.EVENT_READ)
            if not self._stopped:
                selector.select()
        return not self._stopped

    def _make(self) -> None:
        from currant.rest.serving import Face

        face = Face(self._hub, self._listener, self._mounts(), ended=self.ended)
        with self._lock:
            self._face = face
            stopped = self._stopped
        if stopped:
            face.stop()
