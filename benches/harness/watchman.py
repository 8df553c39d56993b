"""A watchman of its own, apart from the user's: server, commands, subscriptions. Owns its process."""

import contextlib
import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness import programs


class Watchman:
    """Speaks JSON over the server's socket. Its state lies in `folder`, never in a watched tree."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, mode=0o700)
        self._socket = folder / "sock"
        program = programs.find("watchman")
        assert program
        command = [program, "--foreground", f"--sockname={self._socket}", f"--statefile={folder / 'state'}"]
        command += [f"--logfile={folder / 'log'}", f"--pidfile={folder / 'pid'}"]
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**os.environ, "WATCHMAN_CONFIG_FILE": "/dev/null"},
        )  # fmt: skip
        deadline = time.monotonic() + 20
        while True:
            try:
                self._connection = socket.socket(socket.AF_UNIX)
                self._connection.connect(os.fspath(self._socket))
                break
            except OSError:
                self._connection.close()
                if time.monotonic() > deadline or self.process.poll() is not None:
                    self.process.kill()
                    raise RuntimeError("watchman does not start") from None
                time.sleep(0.02)
        self._lines = self._connection.makefile("rb")
        self.told: list[dict[str, Any]] = []

    def ask(self, *command: Any) -> dict[str, Any]:
        """Send a command, and wait for its answer; what subscriptions tell meanwhile goes to `told`."""
        self._connection.sendall(json.dumps(command).encode() + b"\n")
        while True:
            answer = json.loads(self._lines.readline().decode(errors="replace"))
            if "subscription" in answer and "files" in answer:
                self.told.append(answer)
                continue
            if "error" in answer:
                raise RuntimeError(answer["error"])
            return dict(answer)

    def next_told(self, timeout: float) -> dict[str, Any] | None:
        """What a subscription tells next; None at the timeout."""
        if self.told:
            return self.told.pop(0)
        self._connection.settimeout(timeout)
        try:
            answer = json.loads(self._lines.readline().decode(errors="replace"))
        except (TimeoutError, ValueError):
            self._lines = self._connection.makefile("rb")
            return None
        finally:
            self._connection.settimeout(None)
        return dict(answer) if "files" in answer else self.next_told(timeout)

    def watch(self, root: Path) -> None:
        """Watch, and wait until it has listed everything."""
        self.ask("watch", os.fspath(root))
        self.ask("query", os.fspath(root), {"expression": ["name", "no such name"], "fields": ["name"]})

    def cpu(self) -> float:
        return cpu_of(self.process.pid)

    def stop(self) -> None:
        self._connection.close()
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def cpu_of(pid: int) -> float:
    """Processor seconds of a running process, without its children's."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Watchman]:
    server = Watchman(folder)
    try:
        yield server
    finally:
        server.stop()
