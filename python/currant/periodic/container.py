"""What a task finds when it runs. The store keeps names alone, so nothing in it can be out of date.

One for each process: a scheduler runs in one process of a home at a time.
"""

import threading
from dataclasses import dataclass

from currant.config import Settings
from currant.errors import ComponentNotInitialized
from currant.jobs import Database, JobManager

_lock = threading.Lock()
_container: "Container | None" = None


@dataclass(frozen=True, slots=True)
class Container:
    """The open parts of a home that tasks may use."""

    settings: Settings
    database: Database
    jobs: JobManager

    def project_ids(self) -> list[str]:
        """Projects that are there to be worked on, the oldest first. Raises StoreError."""
        with self.database.read() as connection:
            rows = connection.execute("SELECT id FROM project WHERE state = 'ready' ORDER BY created_at, id")
            return [str(row[0]) for row in rows]


def set_container(new: Container | None) -> None:
    """Say what tasks find from now on; None: nothing, they wait for their next time."""
    global _container
    with _lock:
        _container = new


def container() -> Container:
    """What was set. Raises ComponentNotInitialized."""
    with _lock:
        found = _container
    if found is None:
        raise ComponentNotInitialized("no service runs in this process: a scheduled task has nothing to ask")
    return found
