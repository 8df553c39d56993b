"""What a job of type ``maintenance`` does, by name: a task of the processor, or one of the schedules' own.

Owns the names and what each does to all projects. One that fails raises, so that its job is told as failed.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from currant.clock import Clock
from currant.errors import RetryError, UsageError
from currant.maintenance import logs, machine
from currant.maintenance.model import BackgroundTask, MaintenanceTarget
from currant.maintenance.processor import BackgroundProcessor

Check = Callable[[], None]
"""Raises when the job is to end."""


class Chores:
    """Everything that can be asked for by a job."""

    def __init__(
        self,
        processor: BackgroundProcessor,
        targets: Callable[[], Sequence[MaintenanceTarget]],
        *,
        log_dir: Path,
        retention: Callable[[], int],
        clock: Clock,
    ) -> None:
        """`retention` deletes old jobs and says how many (`JobQueueManager.cleanup_old_jobs`)."""
        self._processor = processor
        self._targets = targets
        self._log_dir = log_dir
        self._retention = retention
        self._clock = clock
        self._own: Final[dict[str, Callable[[Check], dict[str, Any]]]] = {
            "cache_refresh": self._cache_refresh,
            "cleanup_logs": self._cleanup_logs,
            "audit": self._audit,
            "retention": lambda check: {"deleted_jobs": self._retention()},
        }

    def names(self) -> list[str]:
        """What `run` knows."""
        return [*(task.value for task in BackgroundTask), *self._own]

    def run(self, name: str, check: Check) -> dict[str, Any]:
        """Do it now, on this thread; what it did. `check` is called between projects.

        Raises UsageError for a name that there is not, RetryError when it failed for some project.
        """
        own = self._own.get(name)
        if own is not None:
            return {"status": "success", "task": name, **own(check)}
        try:
            task = BackgroundTask(name)
        except ValueError:
            raise UsageError(f"no upkeep is called {name!r}: there are {', '.join(self.names())}") from None
        run = self._processor.run_now(task)
        if run is None:
            return {"status": "skipped", "task": name}
        if run.error is not None:
            raise RetryError(f"{name}: {run.error}")
        told: dict[str, Any] = msgspec.to_builtins(run)
        return {"status": "success", **told}

    def _cache_refresh(self, check: Check) -> dict[str, Any]:
        projects = self._each("cache_refresh", check, lambda target: target.refresh_cache())
        return {"projects": projects, "returned": machine.return_memory()}

    def _audit(self, check: Check) -> dict[str, Any]:
        return {"projects": self._each("audit", check, lambda target: target.audit(check))}

    def _cleanup_logs(self, check: Check) -> dict[str, Any]:
        config = self._processor.config
        try:
            done = logs.clean(
                self._log_dir,
                self._clock.now(),
                max_age_days=config.log_max_age_days,
                max_total_mb=config.log_max_total_mb,
            )
        except OSError as error:
            raise RetryError(f"{self._log_dir}: {error.strerror or error}") from error
        if done.problems:
            raise RetryError(f"cleanup_logs: {'; '.join(done.problems[:5])}")
        return done.as_dict()

    def _each(
        self, name: str, check: Check, work: Callable[[MaintenanceTarget], dict[str, Any]]
    ) -> dict[str, Any]:
        """`work` on every project; those that fail do not keep the others from their turn."""
        done: dict[str, Any] = {}
        problems: list[str] = []
        for target in self._targets():
            check()
            try:
                done[target.name] = work(target)
            except Exception as error:
                check()  # what asks us to end is no failure
                problems.append(f"{target.name}: {str(error) or type(error).__name__}")
        if problems:
            raise RetryError(f"{name}: {'; '.join(problems)}")
        return done
