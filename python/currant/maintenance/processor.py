"""When each task of upkeep runs, how many at once, and what became of them.

Owns one thread that decides and one for each run under way. Never two runs of the same task: a run that is
due, or asked for, while the one before it waits or runs is counted as skipped. A task that fails is counted
and told of, and runs again at its next time; one project's failure does not keep the others from their turn.
"""

import contextlib
import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

from currant.clock import Clock, SystemClock
from currant.maintenance import machine
from currant.maintenance.model import (
    INTERVALS,
    BackgroundTask,
    MaintenanceTarget,
    ProcessorConfig,
    TaskRun,
    TaskStats,
)
from currant.maintenance.stats import Counts, StatsLedger, Tables

log = logging.getLogger(__name__)

FIRST_AFTER: Final = 10.0
"""Seconds from the start to the first run of what never ran, or is overdue: a start has enough to do."""
SAVE_SECONDS: Final = 300.0
"""Statistics of what runs more often are written together, as each write wakes whoever follows jobs.db. A
failure is written at once, and everything at the end."""
PROCESS: Final = ""
"""The name under which a run's results hold those of the process itself."""
_ERROR_CHARACTERS: Final = 500


class BackgroundProcessor:
    """Start it, ask it, stop it. `turn` is one step of its thread, for tests to call."""

    def __init__(
        self,
        config: ProcessorConfig,
        targets: Callable[[], Sequence[MaintenanceTarget]],
        database: Tables | None = None,
        clock: Clock | None = None,
        *,
        memory: Callable[[], machine.Memory] = machine.memory,
        spawn: Callable[[Callable[[], None], str], threading.Thread] | None = None,
    ) -> None:
        """`targets` is called at each run; without `database` statistics end with the process. `memory` and
        `spawn` (runs something on a started thread) are for tests."""
        self.config = config
        self.on_run: list[Callable[[TaskRun], None]] = []
        """Called after each run, on its thread."""
        self._targets = targets
        self._clock = clock or SystemClock()
        self._memory = memory
        self._spawn = spawn or _daemon
        self._ledger = StatsLedger(database)
        self._changed = threading.Condition()
        self._counts = {task: Counts() for task in BackgroundTask}
        self._due: dict[BackgroundTask, float] = {}  # on the monotonic clock
        self._waiting: deque[BackgroundTask] = deque()
        self._running: dict[BackgroundTask, float] = {}  # since, wall time
        self._unsaved: set[BackgroundTask] = set()
        self._save_at = 0.0  # on the monotonic clock
        self._threads: set[threading.Thread] = set()
        self._last: dict[BackgroundTask, TaskRun] = {}
        self._history: deque[dict[str, Any]] = deque(maxlen=config.metrics_kept)
        self._wakes = 0
        self._stopping = False
        self._thread: threading.Thread | None = None

    # --- life -------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Read the statistics, and begin. Idempotent while running; a stopped one does not start again."""
        with self._changed:
            if self._thread is not None or self._stopping:
                return
        self.prepare()
        if self.config.enabled:
            self._thread = threading.Thread(target=self._run, name="currant-upkeep", daemon=True)
            self._thread.start()

    def prepare(self) -> None:
        """What `start` does before there is a thread: when was everything done, and when is it due?"""
        known = self._ledger.load()
        now, moment = self._clock.now(), self._clock.monotonic()
        with self._changed:
            for task in BackgroundTask:
                counts = self._counts[task] = known.get(task.value, self._counts[task])
                interval = INTERVALS[task](self.config)
                if interval <= 0:
                    continue
                # An hour is an hour, however often the service is started in it; a clock that was set back
                # does not make it longer.
                left = 0.0 if counts.last_run is None else counts.last_run + interval - now
                self._due[task] = moment + min(max(left, min(FIRST_AFTER, interval)), interval)

    def stop(self, timeout_s: float = 10.0) -> bool:
        """Begin nothing more, ask what runs to end, and wait for it; False if that took longer than
        `timeout_s` (what is left ends with the project it works on). Idempotent."""
        with self._changed:
            self._stopping = True
            self._waiting.clear()
            self._wake()
            threads = [*self._threads, *([self._thread] if self._thread is not None else [])]
        deadline = self._clock.monotonic() + timeout_s
        for thread in threads:
            if thread is not threading.current_thread():
                thread.join(max(0.0, deadline - self._clock.monotonic()))
        self._save()
        return not any(thread.is_alive() for thread in threads)

    def is_alive(self) -> bool:
        """Whether its thread runs."""
        return self._thread is not None and self._thread.is_alive()

    def _run(self) -> None:
        while True:
            wakes = self._wakes
            try:
                wait = self.turn()
            except Exception:  # a fault of ours; upkeep goes on
                log.exception("upkeep: unexpected error")
                wait = 1.0
            with self._changed:
                if self._stopping:
                    return
                if self._wakes == wakes:
                    self._changed.wait(wait)

    # --- asking it --------------------------------------------------------------------------------------

    def schedule_task(self, task: BackgroundTask) -> bool:
        """Have a task run now, besides its times; False when it runs or waits already (counted as skipped),
        or when the processor was stopped."""
        with self._changed:
            if self._stopping:
                return False
            taken = self._enqueue(task)
            self._wake()
        return taken

    def run_now(self, task: BackgroundTask) -> TaskRun | None:
        """Run a task on this thread; None when it runs already (counted as skipped)."""
        with self._changed:
            if self._stopping:
                return None
            if task in self._running:
                self._skip(task)
                return None
            with contextlib.suppress(ValueError):
                self._waiting.remove(task)  # this is the run that was waited for
            self._running[task] = self._clock.now()
        return self._execute(task)

    def get_stats(self) -> list[TaskStats]:
        """Of every task, in the order of `BackgroundTask`."""
        now, moment = self._clock.now(), self._clock.monotonic()
        with self._changed:
            return [self._stats(task, now, moment) for task in BackgroundTask]

    def last_run(self, task: BackgroundTask) -> TaskRun | None:
        """The last run of a task in this process."""
        with self._changed:
            return self._last.get(task)

    def metrics(self) -> list[dict[str, Any]]:
        """The snapshots of this process, oldest first: ``at`` (wall time), ``process``, ``projects``."""
        with self._changed:
            return list(self._history)

    def health(self) -> dict[str, Any]:
        """What the last check found: ``at`` (None: none yet), ``ok``, ``projects`` by name."""
        run = self.last_run(BackgroundTask.HealthCheck)
        if run is None:
            return {"at": None, "ok": True, "projects": {}}
        projects = {name: found for name, found in run.results.items() if name != PROCESS}
        ok = run.error is None and all(bool(found.get("ok")) for found in projects.values())
        return {"at": run.started_at, "ok": ok, "projects": projects}

    # --- one step ---------------------------------------------------------------------------------------

    def turn(self) -> float | None:
        """Begin what is due and there is room for. Returns the seconds after which to look again, None for
        "when told"."""
        moment = self._clock.monotonic()
        begin: list[BackgroundTask] = []
        with self._changed:
            if self._stopping:
                return None
            for task, due in self._due.items():
                if moment >= due:
                    # From now on and not from when it was due: after a suspend there is one run, not many.
                    self._due[task] = moment + INTERVALS[task](self.config)
                    self._enqueue(task)
            while self._waiting and len(self._running) < self.config.max_concurrent_tasks:
                task = self._waiting.popleft()
                self._running[task] = self._clock.now()
                begin.append(task)
            wait = min(self._due.values(), default=None)
        for task in begin:
            thread = self._spawn(partial(self._on_thread, task), f"currant-{task.value}")
            with self._changed:
                self._threads = {one for one in self._threads if one.is_alive()} | {thread}
        return None if wait is None else max(0.0, wait - moment)

    def _on_thread(self, task: BackgroundTask) -> None:
        self._execute(task)
        with self._changed:
            if self._waiting:  # there is room for one of them
                self._wake()

    def _enqueue(self, task: BackgroundTask) -> bool:
        """Only with the lock held."""
        if task in self._running or task in self._waiting:
            self._skip(task)
            return False
        self._waiting.append(task)
        return True

    def _skip(self, task: BackgroundTask) -> None:
        self._counts[task].skipped += 1
        self._unsaved.add(task)

    def _execute(self, task: BackgroundTask) -> TaskRun:
        """One run of a task that `_running` has; never raises."""
        started_at, started = self._clock.now(), self._clock.monotonic()
        results: dict[str, Any] = {}
        problems: list[str] = []
        try:
            self._do(task, results, problems)
        except Exception as error:
            log.exception("upkeep: %s failed", task.value)
            problems.append(_words(error))
        seconds = self._clock.monotonic() - started
        error_text = "; ".join(problems)[:_ERROR_CHARACTERS] if problems else None
        run = TaskRun(task.value, started_at, seconds, results, error_text)
        with self._changed:
            counts = self._counts[task]
            counts.last_run = started_at
            counts.run_count += 1
            counts.total_seconds += seconds
            if error_text is not None:
                counts.error_count += 1
                counts.last_error, counts.last_error_at = error_text, started_at
            self._unsaved.add(task)
            self._last[task] = run
            if task is BackgroundTask.MetricsCollection:
                self._remember(run)
            often = INTERVALS[task](self.config) < SAVE_SECONDS
            save = not often or error_text is not None or self._clock.monotonic() >= self._save_at
        if save:
            self._save()
        with self._changed:
            del self._running[task]
        for listener in list(self.on_run):
            try:
                listener(run)
            except Exception:
                log.exception("a listener failed after %s", task.value)
        return run

    def _save(self) -> None:
        with self._changed:
            self._save_at = self._clock.monotonic() + SAVE_SECONDS
            saving = {one.value: self._counts[one].row() for one in self._unsaved}
            unsaved, self._unsaved = self._unsaved, set()
        if saving and not self._ledger.save(saving):
            with self._changed:
                self._unsaved |= unsaved
                self._save_at = 0.0

    def _do(self, task: BackgroundTask, results: dict[str, Any], problems: list[str]) -> None:
        fraction = 0.0
        if task is BackgroundTask.CacheEviction:
            memory = self._memory()
            fraction, reason = machine.eviction(memory, self.config.memory_available_percent)
            results[PROCESS] = {"fraction": fraction, "reason": reason}
            if fraction <= 0:
                return
            log.info("upkeep: giving back memory: %s", reason)
        if task is BackgroundTask.MetricsCollection:
            results[PROCESS] = machine.process()
        for target in self._targets():
            if self._stopping:
                return
            try:
                results[target.name] = self._one(task, target, fraction)
            except Exception as error:
                log.warning("upkeep: %s of %s: %s", task.value, target.name, _words(error))
                problems.append(f"{target.name}: {_words(error)}")
        if task is BackgroundTask.CacheEviction:
            results[PROCESS]["returned"] = machine.return_memory()

    def _one(self, task: BackgroundTask, target: MaintenanceTarget, fraction: float) -> dict[str, Any]:
        match task:
            case BackgroundTask.CleanupConnections:
                return target.cleanup_connections()
            case BackgroundTask.OptimizeIndex:
                return target.optimize(self.config.optimize_budget_s, lambda: self._stopping)
            case BackgroundTask.HealthCheck:
                return target.health()
            case BackgroundTask.CacheEviction:
                return target.evict(fraction)
            case BackgroundTask.MetricsCollection:
                return target.metrics()

    def _remember(self, run: TaskRun) -> None:
        projects = {name: found for name, found in run.results.items() if name != PROCESS}
        self._history.append(
            {"at": run.started_at, "process": run.results.get(PROCESS, {}), "projects": projects}
        )

    def _stats(self, task: BackgroundTask, now: float, moment: float) -> TaskStats:
        counts, due = self._counts[task], self._due.get(task)
        return TaskStats(
            task=task.value,
            interval_s=INTERVALS[task](self.config),
            last_run=counts.last_run,
            run_count=counts.run_count,
            error_count=counts.error_count,
            mean_seconds=counts.total_seconds / counts.run_count if counts.run_count else 0.0,
            skipped=counts.skipped,
            last_error=counts.last_error,
            last_error_at=counts.last_error_at,
            next_run=None if due is None else now + max(0.0, due - moment),
            running=self._running.get(task),
        )

    def _wake(self) -> None:
        """Only with the lock held."""
        self._wakes += 1
        self._changed.notify_all()


def _daemon(work: Callable[[], None], name: str) -> threading.Thread:
    thread = threading.Thread(target=work, name=name, daemon=True)
    thread.start()
    return thread


def _words(error: BaseException) -> str:
    return str(error) or type(error).__name__
