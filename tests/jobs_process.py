"""A process that works on a jobs.db, for tests that kill it: ``python jobs_process.py FOLDER WHAT``.

It tells what happens in lines on standard output, and is told to go on by lines on standard input.
"""

import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from currant.config import JobsSettings
from currant.errors import RateLimited
from currant.jobs import Database, JobContext, JobManager, JobType, JobWorker, worker

# Shorter than the settings allow, so that nobody waits long for what is lost.
SETTINGS = JobsSettings(
    lease_s=0.4, heartbeat_s=0.05, poll_ms=10, workers=2, backoff_base_s=0.01, backoff_max_s=0.02
)


def say(*words: object) -> None:
    # One write: lines of several threads must not mix.
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


def work(manager: JobManager, folder: Path, how: str) -> None:
    def handler(context: JobContext) -> dict[str, Any]:
        say("start", context.job.id)
        if how == "stubborn":
            sys.stdin.readline()
        else:
            context.wait(0.002)
        return {"pid": os.getpid()}

    if how == "die-before-the-end-is-written":
        record = worker.record

        def dies(*arguments: Any) -> Any:
            if not (folder / "died").exists():
                (folder / "died").touch()
                os.kill(os.getpid(), signal.SIGKILL)
            return record(*arguments)

        worker.record = dies
    if how == "stubborn":
        record = worker.record

        def tells(*arguments: Any) -> Any:
            job = record(*arguments)
            say("too late" if job is None else "in time")
            return job

        worker.record = tells
    manager.on_change.append(lambda job: say(job.status, job.id) if job.is_final else None)
    one = JobWorker(manager, dict.fromkeys(JobType, handler))
    one.start()
    say("working", one.name)
    if how != "stubborn":
        sys.stdin.readline()
        one.stop(20, 30)
    else:
        threading.Event().wait()


def enqueue(manager: JobManager, count: int) -> None:
    """Two threads make jobs with the same keys as everybody else."""
    say("ready")
    sys.stdin.readline()

    def make() -> None:
        for number in range(count):
            job, created = manager.create_job(JobType.REFRESH, unique_key=f"key{number}")
            say(number, job.id, created)

    together(make, 2)


def refresh(manager: JobManager, count: int) -> None:
    """Four threads of one client ask for more than is allowed."""
    say("ready")
    sys.stdin.readline()

    def ask() -> None:
        for _ in range(count):
            try:
                manager.create_job(JobType.REFRESH, limit=("refresh", "ann"))
                say("allowed", 0)
            except RateLimited as limited:
                say("limited", limited.retry_after_s)

    together(ask, 4)


def together(call: Any, count: int) -> None:
    threads = [threading.Thread(target=call) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def main(folder: Path, what: str, *rest: str) -> None:
    database = Database(folder / "jobs.db")
    manager = JobManager(database, SETTINGS)
    match what:
        case "work":
            work(manager, folder, *rest)
        case "enqueue":
            enqueue(manager, int(rest[0]))
        case "refresh":
            refresh(manager, int(rest[0]))
    database.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
