"""Hubs for tests: quick settings, and waiting for what a hub says instead of for time."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from currant.config import Settings, load_service_settings
from currant.hub import Hub
from currant.jobs import Job, JobStatus

PATIENCE = 60.0
_LOOK = 0.1


def settings(**more: Any) -> Settings:
    """Settings of a service that has no patience."""
    flags = {"jobs.poll_ms": 20, "jobs.backoff_base_s": 0.01, "jobs.workers": 2, "serve.soft_stop_s": 0.2}
    flags |= {"budget.busy_percent": 0}  # a machine that tests is busy, and that is not their subject
    flags |= {"serve.hard_stop_s": 5, **{key.replace("__", "."): value for key, value in more.items()}}
    return load_service_settings(flags=flags, environ={})


@contextmanager
def running(home: Path, **more: Any) -> Iterator[Hub]:
    """A hub that runs."""
    with Hub(home, settings(**more)) as hub:
        yield hub


def until(hub: Hub, true: Callable[[], Any], what: str = "") -> Any:
    """Wait until `true()` is: looked at with each event, and now and then. Its value."""
    spent, subscription = 0.0, hub.events.subscribe()
    while not (value := true()):
        assert spent < PATIENCE, f"in vain: {what or true}: {hub.status()}"
        if subscription.get(_LOOK) is None:
            spent += _LOOK
    return value


def finished(hub: Hub, job_id: str) -> Job:
    """The job once it is over."""

    def over() -> Job | None:
        job = hub.jobs.get_job(job_id)
        return job if job is not None and job.is_final else None

    job: Job = until(hub, over, f"the end of job {job_id}")
    return job


def completed(hub: Hub, job_id: str) -> dict[str, Any]:
    """The result of a job that has to succeed."""
    job = finished(hub, job_id)
    assert job.status == JobStatus.COMPLETED, (job.error, job.errors)
    assert job.result is not None
    return job.result


class Gate:
    """Stands in a handler's way until it is opened."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.open = threading.Event()
