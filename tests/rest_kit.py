"""The service over HTTP for tests: a hub, its server on a free port, and clients that have the token."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2 as httpx

import hub_kit
from currant.hub import Hub, lifecycle
from currant.rest.serving import Face

PATIENCE = 60.0


class Served:
    """A service that listens. `client` has the token; `stranger` has none."""

    def __init__(self, hub: Hub, face: Face, port: int) -> None:
        self.hub = hub
        self.face = face
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.token = hub.home.token()
        self.client = self.open({"Authorization": f"Bearer {self.token}"})
        self.stranger = self.open({})

    def open(self, headers: dict[str, str]) -> httpx.Client:
        """A client with these headers."""
        return httpx.Client(
            base_url=self.url, headers=headers, timeout=PATIENCE, trust_env=False, verify=False
        )

    def add(self, root: Path, **body: Any) -> str:
        """A project of this directory, indexed; its id."""
        answer = self.client.post("/projects", json={"source": str(root), **body})
        assert answer.status_code == 202, answer.text
        project = str(answer.json()["project"]["id"])
        hub_kit.finished(self.hub, answer.json()["job"]["id"])
        hub_kit.until(self.hub, lambda: self.hub.project(project).state == "ready", "the project")
        # What follows from it is done as well; nothing changes behind the test's back.
        hub_kit.until(self.hub, lambda: all(job.is_final for job in self.hub.jobs.list_jobs(project).jobs))
        return project

    def get(self, path: str, status: int = 200, **more: Any) -> Any:
        """The JSON of one GET."""
        answer = self.client.get(path, **more)
        assert answer.status_code == status, (answer.status_code, answer.text)
        return answer.json()


@contextmanager
def serving(home: Path, **more: Any) -> Iterator[Served]:
    """A hub that runs and answers; all is stopped at the end."""
    with hub_kit.running(home, **more) as hub:
        listener = lifecycle.listen(0)
        face = Face(hub, listener, {})
        thread = threading.Thread(target=face.serve, name="test-server")
        thread.start()
        served = Served(hub, face, listener.getsockname()[1])
        try:
            with served.client, served.stranger:
                yield served
        finally:
            face.stop()
            thread.join(PATIENCE)
            assert not thread.is_alive(), "the server does not stop"


class Spawned:
    """`currant serve` in a process of its own, for many tests. Each request has a connection of its own, so
    that no test leaves one open."""

    def __init__(self, port: int, token: str) -> None:
        self.port = port
        self.token = token
        self.url = f"http://127.0.0.1:{port}"
        self.note = ""

    def ask(self, method: str, path: str, headers: Any = None, **more: Any) -> httpx.Response:
        """Without the token, unless the headers have it."""
        # No certificates are read for http; that would take longer than the request.
        with httpx.Client(base_url=self.url, timeout=PATIENCE, trust_env=False, verify=False) as client:
            return client.request(method, path, headers=headers, **more)

    def trusted(self, method: str, path: str, **more: Any) -> httpx.Response:
        """With the token."""
        return self.ask(method, path, {"Authorization": f"Bearer {self.token}"}, **more)


@contextmanager
def spawned(home: Path, *settings: str) -> Iterator[Spawned]:
    """`currant serve` with these settings, ended by SIGTERM."""
    command = [sys.executable, "-m", "currant", "serve", "--port", "0", "--json", "--home", str(home)]
    for setting in settings:
        command += ["--set", setting]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = str(json.loads(process.stdout.readline())["url"])
            yield Spawned(int(url.rpartition(":")[2]), (home / "token").read_text().strip())
            process.terminate()
            assert process.wait(PATIENCE) == 0
        finally:
            if process.poll() is None:
                process.kill()
