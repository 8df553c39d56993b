"""The threads on which due tasks run.

Not APScheduler's pool: its threads keep the process alive until the last task has ended, so one task of the
user's own that hangs would keep a service that was told to stop from ending. These are daemons, made when
there is something to do, and can be waited for with a limit and with no lock of the scheduler's held.
"""

import threading
from collections import deque
from typing import Any

from apscheduler.executors.base import BaseExecutor, run_job


class DaemonExecutor(BaseExecutor):  # type: ignore[misc]
    """At most `workers` tasks at once; the others wait in order."""

    def __init__(self, workers: int) -> None:
        super().__init__()
        self._workers = workers
        self._changed = threading.Condition()
        self._waiting: deque[tuple[Any, Any]] = deque()
        self._threads: set[threading.Thread] = set()
        self._closed = False

    def shutdown(self, wait: bool = True) -> None:
        """Take nothing more. What was taken is noted as made, so it is made. `wait` is `join`'s."""
        with self._changed:
            self._closed = True

    def join(self, timeout_s: float | None) -> bool:
        """Wait for what was taken; False if that took longer. A task that calls this leaves itself out."""
        me = {threading.current_thread()}
        with self._changed:
            return self._changed.wait_for(lambda: not self._threads - me, timeout_s)

    def _do_submit_job(self, job: Any, run_times: Any) -> None:
        with self._changed:
            if self._closed:
                raise RuntimeError("the scheduler was stopped")
            self._waiting.append((job, run_times))
            if len(self._threads) < self._workers:
                thread = threading.Thread(target=self._work, name="currant-schedule", daemon=True)
                self._threads.add(thread)
                thread.start()

    def _work(self) -> None:
        while True:
            with self._changed:
                if not self._waiting:
                    self._threads.discard(threading.current_thread())
                    self._changed.notify_all()
                    return
                job, run_times = self._waiting.popleft()
            try:
                events = run_job(job, job._jobstore_alias, run_times, self._logger.name)
            except BaseException as error:
                self._run_job_error(job.id, error, error.__traceback__)
            else:
                self._run_job_success(job.id, events)
