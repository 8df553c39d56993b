"""The threads between the engine and the writer.

Owns: taking changes, the replacement of a worker that died, stopping, with the writer. Does not own: what a
change leads to (`processing`), committing (`writer`).

Order is the engine's: it hands out no path twice at a time, and a change that speaks of a whole subtree only
when nothing else is out, so files may overtake each other here.
"""

import logging
import os
import random
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from typing import Final, Protocol

from currant.changes import AGAIN, Ack, ChangeDetectionQueue, backoff_seconds
from currant.clock import Clock
from currant.model import FileChange
from currant.processing import Processor, failure
from currant.status import StatusReporter
from currant.writer import Submission, Writer, WriterStopped

log = logging.getLogger(__name__)

MAX_DEATHS: Final = 3
"""A path that ended so many workers counts as failed."""
GIVES_WAY: Final = 8
"""By how much nicer a worker is than the first thread of the process."""
_POLL_SECONDS: Final = 60.0
"""How long a worker waits at once. What it waits for wakes it, the end of the engine too."""

_REST_SECONDS: Final = 5.0
"""After so long without a change a worker gives back what it keeps for the next one."""
_MOST_REST_SECONDS: Final = 30.0


class Sink(Protocol):
    """What is used of `Writer`."""

    def submit(self, *submissions: Submission) -> None: ...
    def nudge(self) -> None: ...


class WorkerThread(threading.Thread):
    """Takes changes, brings them up to date, until the pool stops or an unexpected exception ends it."""

    def __init__(
        self, worker_id: int, pool: "WorkerThreadPool", make_processor: Callable[[], Processor]
    ) -> None:
        super().__init__(name=f"currant-worker-{worker_id}", daemon=True)
        self.worker_id = worker_id
        self._pool = pool
        self._make_processor = make_processor
        # Only this thread writes these; others read them for `status`.
        self._current: FileChange | None = None
        self._left: dict[int, FileChange] = {}

    def is_active(self) -> bool:
        """True while it has changes in work."""
        return self.is_alive() and self._current is not None

    def get_current_task(self) -> str | None:
        """Path in work, None when waiting."""
        current = self._current
        return None if current is None else current.path

    def run(self) -> None:
        """Work until told to stop; whatever ends it otherwise is reported to the pool."""
        try:
            self._work()
        except WriterStopped:
            pass  # what it had taken stays with the engine, unacknowledged
        except BaseException as error:
            self._pool._died(self, error, self._current, [*self._left.values()])
        finally:
            self._current = None

    def _work(self) -> None:
        _give_way()
        processor = self._make_processor()
        try:
            while True:
                taken = self._pool._take(self.worker_id, processor.rest)
                if taken is None:
                    return
                self._work_through(processor, taken)
        finally:
            processor.close()

    def _work_through(self, processor: Processor, taken: Sequence[FileChange]) -> None:
        pool = self._pool
        began = pool._busy()
        self._left = {change.ticket: change for change in taken}
        # Closed whatever happens: what is finished is handed over then.
        with closing(processor.steps(taken, pool.sink)) as steps:
            for change, step in steps:
                if pool.stopping:
                    raise WriterStopped
                del self._left[change.ticket]
                self._current = change
                if not step():
                    pool.queue.ack([Ack(change.ticket, AGAIN)])
                self._current = None
                pool._survived(change.path)
        pool.sink.nudge()
        pool._rest(began)


def _give_way() -> None:
    """Have the calling thread come after the first one of this process, and so after the writer.

    The writer is what the workers wait for: where there are more threads than processors, a first index took
    a tenth longer while it had to share with them. Linux alone gives threads a niceness of their own.
    """
    if sys.platform != "linux":
        return
    thread = threading.get_native_id()
    with suppress(OSError):  # a sandbox may forbid it
        # Not by so much more than now: who takes the place of a worker that died comes from its thread.
        wanted = min(19, os.getpriority(os.PRIO_PROCESS, os.getpid()) + GIVES_WAY)
        if wanted > os.getpriority(os.PRIO_PROCESS, thread):
            os.setpriority(os.PRIO_PROCESS, thread, wanted)


class WorkerThreadPool:
    """`workers` threads between `queue` and `sink`. `make_processor` is called in each thread."""

    def __init__(
        self,
        queue: ChangeDetectionQueue,
        sink: Sink,
        make_processor: Callable[[], Processor],
        *,
        workers: int,
        batch_size: int,
        status: StatusReporter,
        clock: Clock,
        source: random.Random | None = None,
        busy: Callable[[], float] = time.thread_time,
    ) -> None:
        """`busy` says for how many seconds the calling thread has had a processor."""
        self.queue = queue
        self.sink = sink
        self._make_processor = make_processor
        self._count = workers
        self._batch_size = batch_size
        self._status = status
        self._clock = clock
        self._random = source or random.Random()
        self._busy = busy
        self._changed = threading.Condition()
        self._workers: dict[int, WorkerThread] = {}
        self._deaths: dict[str, int] = {}
        self._deaths_without_work = 0
        self._engine_error: str | None = None
        self.stopping = False
        self._limit = workers
        self._rest_share = 0.0
        self._collect_s = 0.0
        self._awaited = 0

    def start(self) -> None:
        """Start the threads."""
        with self._changed:
            for worker_id in range(self._count):
                self._spawn(worker_id)

    def limit(self, workers: int | None, *, rest: float = 0.0, collect_s: float = 0.0) -> None:
        """Have at most so many at work (None: all), each with `rest` seconds of rest for one of work.
        With nothing left to do changes gather for `collect_s` seconds: what changes often is read once."""
        with self._changed:
            self._limit = self._count if workers is None else max(1, min(workers, self._count))
            self._rest_share, self._collect_s = rest, collect_s
            self._changed.notify_all()

    @contextmanager
    def awaited(self) -> Iterator[None]:
        """Inside, somebody waits for a barrier: nothing gathers, and whoever rests goes on now."""
        with self._changed:
            self._awaited += 1
            self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._awaited -= 1

    def request_stop(self) -> None:
        """Take nothing more, without waiting for anybody."""
        with self._changed:
            self.stopping = True
            self._changed.notify_all()

    def stop(self, timeout: float | None = None) -> bool:
        """Let each worker finish the file it has in hand; what else was taken stays with the engine.

        False if one was still busy after `timeout` seconds (a read that hangs): it is left behind, and
        can hand nothing on any more once the writer has stopped. Idempotent.
        """
        self.request_stop()
        with self._changed:
            workers = list(self._workers.values())
        deadline = None if timeout is None else self._clock.monotonic() + timeout
        for worker in workers:
            left = None if deadline is None else max(0.0, deadline - self._clock.monotonic())
            if worker is not threading.current_thread():
                worker.join(left)
        return not any(worker.is_alive() for worker in workers)

    def is_active(self) -> bool:
        """True between `start` and `stop`."""
        with self._changed:
            return bool(self._workers) and not self.stopping

    def active_count(self) -> int:
        """Workers that have a file in hand."""
        with self._changed:
            return sum(worker.is_active() for worker in self._workers.values())

    def alive_count(self) -> int:
        """Threads that run."""
        with self._changed:
            return sum(worker.is_alive() for worker in self._workers.values())

    def current_tasks(self) -> list[str]:
        """Paths in work."""
        with self._changed:
            workers = list(self._workers.values())
        return [task for task in (worker.get_current_task() for worker in workers) if task is not None]

    @property
    def engine_error(self) -> str | None:
        """Why the engine gives no changes any more, if it failed."""
        return self._engine_error

    # --- for the workers --------------------------------------------------------------------------------

    def _spawn(self, worker_id: int) -> None:
        """Only with the lock held."""
        worker = WorkerThread(worker_id, self, self._make_processor)
        worker.start()
        self._workers[worker_id] = worker

    def _rest(self, began: float) -> None:
        """After a batch, before which `busy` said `began`: as long as `limit` says."""
        if not (self._rest_share or self._collect_s):
            return
        # Not what went by: on a busy machine that is waiting for a processor, which makes for more of it.
        worked = self._busy() - began
        share = self._rest_share
        gather = 0.0 if self._awaited or self.queue.ready() else self._collect_s
        if self._awaited:
            share = min(share, 1.0)  # who asks is not to wait for the end of a long rest
        with self._changed:
            before = self._awaited
            self._changed.wait_for(
                lambda: self.stopping or self._awaited > before or not (self._rest_share or self._collect_s),
                min(max(worked * share, gather), _MOST_REST_SECONDS),
            )

    def _take(self, worker_id: int, rest: Callable[[], None]) -> list[FileChange] | None:
        """The next changes; None when there will be no more. `rest` is called when there are none for a
        while."""
        rested = False
        while not self.stopping:
            if worker_id >= self._limit:
                with self._changed:
                    self._changed.wait_for(lambda: self.stopping or worker_id < self._limit)
                continue
            try:
                # A share each, so that a handful of changes does not queue up behind one worker.
                share = max(1, min(self._batch_size, self.queue.size() // self._limit))
                batch = self.queue.get_next_batch(share, _POLL_SECONDS if rested else _REST_SECONDS)
            except Exception as error:
                log.error("the engine failed: %s", error)
                self._engine_error = str(error)
                self.request_stop()
                return None
            self._deaths_without_work = 0
            if batch:
                return batch
            if self.queue.stopped:
                return None
            if not rested:
                rest()
                rested = True
        return None

    def _survived(self, path: str) -> None:
        if self._deaths:
            with self._changed:
                self._deaths.pop(path, None)

    def _died(
        self,
        worker: WorkerThread,
        error: BaseException,
        current: FileChange | None,
        left: Sequence[FileChange],
    ) -> None:
        """Called by a worker as the last thing it does: give its changes back, put another in its place."""
        log.error("worker %d died: %r", worker.worker_id, error, exc_info=error)
        self._status.count_worker_death()
        with self._changed:
            deaths = 0
            if current is not None:
                deaths = self._deaths.get(current.path, 0) + 1
                self._deaths[current.path] = deaths
                if deaths >= MAX_DEATHS:
                    del self._deaths[current.path]
        try:
            again = list(left)
            if current is not None and deaths >= MAX_DEATHS:
                reason = f"ended {MAX_DEATHS} workers: {type(error).__name__}: {error}"
                now = self._clock.now()
                self.sink.submit(failure(current, reason, None, now=now, source=self._random))
            elif current is not None:
                again.insert(0, current)
            self.queue.ack([Ack(change.ticket, AGAIN) for change in again])
            self.sink.nudge()
        except WriterStopped:
            pass
        except Exception:
            log.exception("the changes of worker %d could not be given back", worker.worker_id)
        with self._changed:
            if current is None and not self.stopping:
                # It died before it had any work, and its successor is likely to as well: take it slowly.
                self._deaths_without_work += 1
                self._changed.wait_for(
                    lambda: self.stopping, backoff_seconds(self._deaths_without_work, self._random)
                )
            if self.stopping:
                return
            try:
                self._spawn(worker.worker_id)
                return
            except RuntimeError:
                # No new thread to be had: this one takes the place of its successor.
                log.exception("no thread for worker %d, the dying one goes on", worker.worker_id)
        worker._current, worker._left = None, {}
        worker.run()


class SchedulerController:
    """Starts and stops the workers and the writer together."""

    def __init__(
        self,
        change_queue: ChangeDetectionQueue,
        worker_pool: WorkerThreadPool,
        writer: Writer,
        status_reporter: StatusReporter,
    ) -> None:
        self.change_queue = change_queue
        self.worker_pool = worker_pool
        self.writer = writer
        self.status_reporter = status_reporter
        self._running = False

    def start(self) -> None:
        """Idempotent while running; a stopped controller cannot be started again."""
        if not self._running:
            self._running = True
            self.writer.start()
            self.worker_pool.start()

    def stop(self, timeout: float | None = None) -> bool:
        """Let the workers finish the file in hand and the writer commit it. False if something hung."""
        if not self._running:
            return True
        self._running = False
        if self.writer.degraded() is not None:
            # Workers that wait for room behind commits that fail would wait in vain.
            self.writer.request_stop()
        ended = self.worker_pool.stop(timeout)
        return self.writer.stop(timeout) and ended

    def is_running(self) -> bool:
        """True between `start` and `stop`, unless the engine has failed."""
        return self._running and self.worker_pool.engine_error is None
