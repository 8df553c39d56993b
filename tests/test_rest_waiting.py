"""The application that is made when the first connection comes."""

import importlib.util
import socket
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import hub_kit
from currant.errors import UsageError
from currant.hub import Hub, lifecycle
from currant.rest import server
from currant.rest.waiting import MOST_ENDED, Ended, WaitingFace

PATIENCE = 60.0


@contextmanager
def waiting(home: Path) -> Iterator[tuple[Hub, WaitingFace, int]]:
    """A hub whose face waits, served on a thread; ended by `stop`."""
    with hub_kit.running(home) as hub:
        listener = lifecycle.listen(0)
        face = server(hub, listener)
        port = listener.getsockname()[1]
        thread = threading.Thread(target=face.serve, name="test-server")
        thread.start()
        try:
            yield hub, face, port
        finally:
            face.stop()
            thread.join(PATIENCE)
            assert not thread.is_alive(), "it does not stop"


def scrape(hub: Hub, port: int) -> str:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/metrics", headers={"Authorization": f"Bearer {hub.home.token()}"}
    )
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        return str(answer.read().decode())


def job(status: str, kind: str = "refresh") -> Any:
    final = status in ("completed", "failed", "cancelled")
    return SimpleNamespace(
        type=kind, status=status, started_at=1.0, finished_at=2.0, run_at=0.5, is_final=final
    )


def test_the_first_request_is_answered_and_knows_what_was_before(tmp_path: Path) -> None:
    with waiting(tmp_path / "home") as (hub, face, port):
        assert not face.made
        assert face.ended.job_changed in hub.jobs.on_change
        for status in ("processing", "completed", "failed"):
            face.ended.job_changed(job(status))
        assert not face.made
        text = scrape(hub, port)
        assert face.made
        assert 'currant_jobs_finished_total{status="completed",type="refresh"} 1.0' in text
        assert 'currant_jobs_finished_total{status="failed",type="refresh"} 1.0' in text
        face.ended.job_changed(job("completed"))
        assert 'currant_jobs_finished_total{status="completed",type="refresh"} 2.0' in scrape(hub, port)


def test_nobody_asks_and_it_stops(tmp_path: Path) -> None:
    with waiting(tmp_path / "home") as (_hub, face, port):
        pass
    assert not face.made
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", port), PATIENCE)


def test_it_may_be_stopped_before_it_serves(tmp_path: Path) -> None:
    with hub_kit.running(tmp_path / "home") as hub:
        face = server(hub, lifecycle.listen(0))
        face.stop()
        face.serve()
        assert not face.made


def test_the_token_is_there_before_anybody_asks(tmp_path: Path) -> None:
    with waiting(tmp_path / "home"):
        assert (tmp_path / "home" / "token").exists()


def test_a_library_that_is_not_there_is_said_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *more: None if name == "uvicorn" else find(name, *more)
    )
    with (
        hub_kit.running(tmp_path / "home") as hub,
        lifecycle.listen(0) as listener,
        pytest.raises(UsageError, match="uvicorn"),
    ):
        server(hub, listener)


def test_no_job_is_told_twice_or_never() -> None:
    full: list[int] = []
    told: list[str] = []
    ended = Ended(lambda: full.append(1))
    ended.job_changed(job("completed", "a"))
    ended.job_changed(job("pending", "b"))
    ended.hand_over(lambda one: told.append(f"{one.type} {one.status}"))
    ended.job_changed(job("pending", "c"))
    assert told == ["a completed", "c pending"]
    assert full == []


def test_many_jobs_do_not_gather_for_ever() -> None:
    full: list[int] = []
    ended = Ended(lambda: full.append(1))
    for _ in range(MOST_ENDED - 1):
        ended.job_changed(job("completed"))
    assert full == []
    ended.job_changed(job("completed"))
    assert full == [1]
