"""A process that goes on while others are measured: what it uses, and its end."""

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.programs import CURRANT, run
from harness.watchman import cpu_of


@dataclass
class Process:
    pid: int

    def cpu(self) -> float:
        return cpu_of(self.pid)

    def memory_mb(self) -> float:
        return int(self._line("status", "VmRSS:").split()[0]) / 1024

    def wakes(self) -> int:
        """How often one of its threads gave up the processor by itself, that is: how often one woke up."""
        total = 0
        for task in Path(f"/proc/{self.pid}/task").iterdir():
            with contextlib.suppress(OSError):
                text = (task / "status").read_text()
                total += int(text.split("\nvoluntary_ctxt_switches:")[1].split()[0])
        return total

    def written(self) -> int:
        return int(self._line("io", "wchar:"))

    def _line(self, name: str, key: str) -> str:
        lines = Path(f"/proc/{self.pid}/{name}").read_text().splitlines()
        return next(line.removeprefix(key).strip() for line in lines if line.startswith(key))


@contextlib.contextmanager
def started(command: Sequence[str], ready: str = "") -> Iterator[Process]:
    """Run it until the end of the block; with `ready`, wait for a line of its output that has this in it."""
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE if ready else subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, text=True, env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},
    )  # fmt: skip
    try:
        if ready:
            assert process.stdout is not None
            for line in process.stdout:
                if ready in line:
                    break
            else:
                raise RuntimeError(f"{command} ended")
        yield Process(process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()


@contextlib.contextmanager
def watch(root: Path, state: Path) -> Iterator[Process]:
    """`currant watch` over `root`, from the moment that its index is complete."""
    place = ["--root", os.fspath(root), "--state-dir", os.fspath(state)]
    with started([*CURRANT, "watch", *place]) as process:
        while True:
            told = subprocess.run(
                [*CURRANT, "status", "--json", *place], capture_output=True, text=True
            ).stdout
            if told.startswith("{") and json.loads(told).get("running"):
                break
            os.kill(process.pid, 0)
            time.sleep(0.1)
        run([*CURRANT, "sync", "--timeout", "3600", *place])
        yield process
