"""The service from outside, as a user has it: processes, signals, HTTP, git. Nothing in here knows its parts.

One story: two projects, one of them a repository behind a server that can be made to hang; refreshed,
cancelled and retried over HTTP; the service killed and stopped in the middle of its work and started again;
at the end every file on disk is compared with every row.
"""

import http.server
import json
import os
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from conftest import GitRepo, Tree

PATIENCE = 90.0
_LOOK = 0.1


class Origin:
    """Serves a directory over HTTP. While `hang` is set, whoever asks is not answered."""

    def __init__(self, directory: Path) -> None:
        self.asked = threading.Event()
        self._go = threading.Event()
        self._go.set()
        origin = self

        class Handler(http.server.SimpleHTTPRequestHandler):
            def do_GET(self) -> None:
                origin.asked.set()
                if origin._go.wait(PATIENCE):
                    super().do_GET()

            def log_message(self, *_arguments: object) -> None:
                pass

            def handle(self) -> None:
                with suppress(OSError):  # who asked is gone
                    super().handle()

        self._server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0), partial(Handler, directory=os.fspath(directory))
        )
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/.git"

    def hang(self) -> None:
        self.asked.clear()
        self._go.clear()

    def go_on(self) -> None:
        self._go.set()

    def __enter__(self) -> "Origin":
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.go_on()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class User:
    """What somebody at a terminal can do."""

    def __init__(self) -> None:
        self.service: subprocess.Popen[str] | None = None
        self.url = ""
        self.token = ""
        self._pause = threading.Event()

    def currant(self, *arguments: str, status: int = 0) -> Any:
        done = subprocess.run(
            [sys.executable, "-m", "currant", *arguments, "--json"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        assert done.returncode == status, (arguments, done.stdout, done.stderr)
        return json.loads(done.stdout) if done.stdout else None

    def start(self) -> None:
        self.service = subprocess.Popen(
            [
                *(sys.executable, "-m", "currant", "serve", "--port", "0", "--json"),
                *("--set", "jobs.poll_ms=50", "--set", "serve.soft_stop_s=0.2"),
                *("--set", "budget.busy_percent=0"),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.service.stdout is not None
        self.url = json.loads(self.service.stdout.readline())["url"]
        self.token = self.currant("serve", "--show-token")["token"]

    def end(self, number: int) -> int:
        assert self.service is not None
        self.service.send_signal(number)
        status = self.service.wait(PATIENCE)
        assert self.service.stdout is not None
        self.service.stdout.close()
        self.service = None
        return status

    def http(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        request = urllib.request.Request(
            self.url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return answer.status, json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read() or b"null")

    def until(self, look: Callable[[], Any], what: str) -> Any:
        for _ in range(int(PATIENCE / _LOOK)):
            found = look()
            if found:
                return found
            self._pause.wait(_LOOK)
        raise AssertionError(
            f"in vain: {what}; {self.currant('project', 'list')} {self.currant('jobs', 'list')}"
        )

    def ended(self, job: str) -> dict[str, Any]:
        def over() -> Any:
            _, told = self.http("GET", f"/jobs/{job}/status")
            return told if told["status"] in ("completed", "failed", "cancelled") else None

        told: dict[str, Any] = self.until(over, f"the end of job {job}")
        return told

    def project(self, name: str) -> dict[str, Any]:
        found = [one for one in self.currant("project", "list")["projects"] if one["name"] == name]
        return found[0] if found else {}

    def ready(self, name: str) -> dict[str, Any]:
        def now() -> Any:
            one = self.project(name)
            return one if one.get("state") == "ready" else None

        one: dict[str, Any] = self.until(now, f"project {name}")
        return one


@contextmanager
def a_user() -> Iterator[User]:
    user = User()
    try:
        yield user
    finally:
        if user.service is not None:
            user.end(signal.SIGKILL)


@pytest.mark.timeout(400)
def test_a_day_of_the_service(
    tmp_path: Path, tree: Tree, make_repo: Callable[[str], GitRepo], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    tree.write({f"src/m{number}.py": f"def in_tree_{number}(): pass\n" for number in range(300)})
    tree.write({"plan.md": "- [x] begin\n- [ ] end\n"})
    repo = make_repo("app")
    repo.write({"app.py": "def from_app(): pass\n"}).commit()
    repo.git("update-server-info")
    with Origin(repo.root) as origin, a_user() as user:
        # A project that was added before there is a service is indexed once there is one.
        assert user.currant("project", "add", str(tree.root))["served_by"] is None
        user.start()
        user.ready("tree")

        # A repository, and the service is killed while git waits for the other end.
        origin.hang()
        added = user.currant("project", "add", origin.url, "--name", "app")
        user.until(origin.asked.is_set, "a clone that was begun")
        assert user.project("app")["state"] == "cloning"
        assert user.end(signal.SIGKILL) == -signal.SIGKILL
        origin.asked.clear()
        user.start()
        user.until(origin.asked.is_set, "the clone that is begun again")

        # It is stopped in the middle of that, in order: the job is handed back.
        assert user.end(signal.SIGTERM) == 0
        waiting = {job["id"]: job["status"] for job in user.currant("jobs", "list")["jobs"]}
        assert waiting[added["job_id"]] == "pending"
        origin.go_on()
        user.start()
        done = user.ended(added["job_id"])
        assert (done["status"], done["result"]["files"]) == ("completed", 1)
        app = user.ready("app")
        clone = Path(app["root"])

        # Refreshed over HTTP, both.
        tree_id = user.ready("tree")["id"]
        for project in (app["id"], tree_id):
            status, told = user.http("POST", f"/projects/{project}/refresh")
            assert status == 202, told
            assert user.ended(told["job_id"])["status"] == "completed"
        _, told = user.http("GET", f"/projects/{tree_id}/jobs")
        refreshed = next(job for job in told["jobs"] if job["type"] == "refresh")
        assert refreshed["result"]["tasks_count"] == 2
        assert refreshed["result"]["progress_percentage"] == 50.0

        # Cancelled while it runs, and tried again.
        repo.write({"more.py": "def from_more(): pass\n"}).commit()
        repo.git("update-server-info")
        origin.hang()
        _, told = user.http("POST", f"/projects/{app['id']}/refresh")
        job = told["job_id"]
        user.until(origin.asked.is_set, "a fetch that was begun")
        status, told = user.http("DELETE", f"/jobs/{job}")
        assert status == 202, told
        assert user.ended(job)["status"] == "cancelled"
        assert not (clone / "more.py").exists()
        origin.go_on()
        status, told = user.http("POST", f"/jobs/{job}/retry")
        assert status == 202, told
        assert user.ended(job)["status"] == "completed"
        found = user.currant("find", "from_more", "--root", str(clone))
        assert [one["path"] for one in found["definitions"]] == ["more.py"]

        # Killed while many files change; what was written before, while and after it was down is found.
        tree.write({f"src/m{number}.py": f"def before_{number}(): pass\n" for number in range(300)})
        assert user.end(signal.SIGKILL) == -signal.SIGKILL
        tree.write({"src/m0.py": "def while_down(): pass\n", "src/new.py": "def also_new(): pass\n"})
        (tree.root / "src" / "m1.py").unlink()
        user.start()
        user.ready("tree")
        for name, count in (
            ("while_down", 1),
            ("also_new", 1),
            ("before_7", 1),
            ("before_1", 0),
            ("in_tree_2", 0),
        ):
            told = user.currant("find", name, "--exact", "--root", str(tree.root), status=0 if count else 1)
            assert told["fresh"]
            assert len(told["definitions"]) == count, name

        # Every file against every row, with the service and without it.
        for root in (tree.root, clone):
            assert user.currant("verify", "--root", str(root))["ok"]
        assert user.end(signal.SIGTERM) == 0
        for root in (tree.root, clone):
            assert user.currant("verify", "--root", str(root))["ok"]
