"""A ``currant watch`` in a process of its own, for tests that stop or kill it. No test waits for some time:
a line that it prints, or what the kernel says of it, tells where it is."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

# Quick to react, so that tests see changes while they happen and not all in one batch.
_SETTINGS = ("monitor.debounce_ms=5", "monitor.max_delay_ms=50")


class Watcher:
    """``currant watch --json`` on `root`; ends with the `with` block whatever happens."""

    def __init__(
        self,
        root: Path,
        *settings: str,
        environment: Mapping[str, str] | None = None,
        prefix: Sequence[str] = (),
    ) -> None:
        """`environment` is added to this process's own; `prefix` is a command that replaces itself by the
        watcher (``unshare -Ur``, ``setpriv ...``), so that `process.pid` is the watcher's."""
        options = [word for setting in (*_SETTINGS, *settings) for word in ("--set", setting)]
        command = [sys.executable, "-m", "currant", "watch", "--json", "--root", os.fspath(root), *options]
        self.process = subprocess.Popen(
            [*prefix, *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **(environment or {})},
        )
        self.lines: list[dict[str, Any]] = []

    def next(self) -> dict[str, Any] | None:
        """Its next line, None when it has ended. Blocks until there is one."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line.endswith(b"\n"):
            return None  # the end, or the half line of one that was killed
        told: dict[str, Any] = json.loads(line)
        self.lines.append(told)
        return told

    def ready(self) -> Self:
        """Wait until the first scan is done and everything is indexed."""
        told = self.next()
        if told is None or not told.get("ready"):
            self.process.kill()
            words = self.process.communicate()[1].decode()
            raise AssertionError(f"not ready: {told}, status {self.process.returncode}, {words}")
        return self

    def freeze(self) -> None:
        """Stop all of its threads; returns when they stand."""
        self.process.send_signal(signal.SIGSTOP)
        _, status = os.waitpid(self.process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)

    def thaw(self) -> None:
        """Let it go on."""
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> list[dict[str, Any]]:
        """SIGKILL; all the lines that it got out."""
        self.process.kill()
        while self.next() is not None:
            pass
        self.process.wait()
        return self.lines

    def close(self) -> None:
        """Idempotent."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
