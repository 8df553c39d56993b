"""The service behind the life cycle that a host program gives its components.

Owns: the states initialized, started, stopped, shut down, and what may be called in which. Everything else is
`Service`'s.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from currant.config import Settings
from currant.errors import ComponentNotInitialized
from currant.service import Service


class BackgroundTaskSchedulerComponent:
    """A `Service` behind the component life cycle: initialize, start, stop, shutdown."""

    name = "background_scheduler"
    dependencies: tuple[str, ...] = ()

    def __init__(self, make_service: Callable[[Path, Settings], Service] = Service) -> None:
        self._make_service = make_service
        self._where: tuple[Path, Settings] | None = None
        self._service: Service | None = None

    @property
    def is_initialized(self) -> bool:
        """True between `initialize` and `shutdown`."""
        return self._where is not None

    @property
    def service(self) -> Service:
        """The running service. Raises ComponentNotInitialized when there is none."""
        if self._service is None:
            raise self._not_initialized()
        return self._service

    def initialize(self, root: Path, settings: Settings | None = None) -> None:
        """Bind to a root; starts at once unless ``scheduler.enabled`` is false."""
        settings = settings if settings is not None else Settings()
        self._where = (root, settings)
        if settings.scheduler.enabled:
            self.start()

    def start(self) -> None:
        """Start; after a `stop` too. Idempotent while running."""
        if self._where is None:
            raise self._not_initialized()
        if self._service is None:
            service = self._make_service(*self._where)
            service.start()
            self._service = service

    def stop(self) -> None:
        """Stop; `start` begins again where the index is. Idempotent."""
        if self._where is None:
            raise self._not_initialized()
        service, self._service = self._service, None
        if service is not None:
            service.stop()

    def shutdown(self) -> None:
        """Stop for good. Idempotent, also before `initialize`."""
        if self._where is not None:
            self.stop()
            self._where = None

    def get_status(self) -> dict[str, Any]:
        """As `Service.get_status`; while stopped, the keys that need no index."""
        if self._where is None:
            raise self._not_initialized()
        if self._service is not None:
            return self._service.get_status()
        return {
            "running": False,
            "queue_size": 0,
            "active_workers": 0,
            "processed_files": 0,
            "failed_files": 0,
            "stats": {},
            "root": str(self._where[0]),
            "phase": "stopped",
        }

    def force_process_file(self, file_path: str) -> bool:
        """As `Service.force_process_file`."""
        return self.service.force_process_file(file_path)

    def clear_queue(self) -> int:
        """As `Service.clear_queue`."""
        return self.service.clear_queue()

    def _not_initialized(self) -> ComponentNotInitialized:
        return ComponentNotInitialized(f"{self.name}: call `initialize` and `start` first")
