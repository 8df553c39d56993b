"""``currant watch`` in a process of its own: start, stop, continue, kill, ask; and what the kernel says.

Owns the process. It dies with us, so that a run that was killed leaves nobody watching, stopped or not.
With a `Queue` it is let into the moment in which the kernel's queue is short, and out of it.
"""

import contextlib
import ctypes
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from currant.clock import Clock
from currant.errors import ServiceUnreachable
from currant.ipc.client import Answer, Client
from currant.soak.queue import Queue

GATE: Final = "currant.soak.gate"
_CONNECT_SECONDS: Final = 60.0
_LOOK_SECONDS: Final = 0.005
_SILENCE_SECONDS: Final = 120.0
"""Beyond what a barrier may take: then it hangs."""
_END_SECONDS: Final = 60.0
_INSTANCE_SECONDS: Final = 5.0
"""The longest that the queue of the whole machine is short."""
_INSTANCE: Final = "anon_inode:inotify"
_IN_MODIFY: Final = 0x2
_PR_SET_PDEATHSIG: Final = 1
_libc: Final = ctypes.CDLL(None)


class WatcherDied(Exception):
    """It ended by itself. The message has its status and its last words."""


class Watcher:
    """One incarnation, with its `settings` (``section.key`` -> value). `short`: with a `queue`, whether its
    inotify instance was made while the queue was short."""

    def __init__(
        self, root: Path, state_dir: Path, settings: Mapping[str, object], *, log: Path, clock: Clock,
        environ: Mapping[str, str] | None = None, queue: Queue | None = None,
    ) -> None:  # fmt: skip
        self.settings = dict(settings)
        self._state_dir = state_dir
        self._clock = clock
        self._log = log
        self._client: Client | None = None
        self.stopped = False
        options = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
        if not state_dir.is_relative_to(root):
            options += ["--set", f"state_dir={state_dir}"]
        program, pipe = ("currant", subprocess.DEVNULL) if queue is None else (GATE, subprocess.PIPE)
        command = [sys.executable, "-m", program, "watch", "--json", "--root", os.fspath(root), *options]
        with log.open("wb") as errors:
            self.process = subprocess.Popen(
                command,
                stdin=pipe,
                stdout=pipe,
                stderr=errors,
                start_new_session=True,  # Ctrl-C is for us
                preexec_fn=_die_with_parent if sys.platform == "linux" else None,
                env={**os.environ, **(environ or {})},
                cwd=root.parent,
            )
        self.short = queue is not None and self._pass(queue)

    def _pass(self, queue: Queue) -> bool:
        """Let it go on from the gate while the queue is short."""
        go, here = self.process.stdin, self.process.stdout
        assert go is not None
        assert here is not None
        with go, here, contextlib.suppress(BrokenPipeError):
            here.readline()
            try:
                with queue.lowered():
                    go.write(b"go\n")
                    go.flush()
                    return self._instance()
            except BrokenPipeError:
                raise
            except OSError:
                go.write(b"go\n")  # with a queue like any other
        return False

    def _instance(self) -> bool:
        """Wait until it has made its inotify instance for the tree, or will not."""
        deadline = self._clock.monotonic() + _INSTANCE_SECONDS
        pause = threading.Event()
        while self.process.poll() is None and self._clock.monotonic() < deadline:
            if self._tree_watches():
                return True
            pause.wait(_LOOK_SECONDS / 5)
        return False

    def _instances(self) -> Iterator[str]:
        """Names of its descriptors that are inotify instances."""
        base = Path(f"/proc/{self.process.pid}/fd")
        with contextlib.suppress(OSError):
            for handle in os.listdir(base):
                with contextlib.suppress(OSError):
                    if os.readlink(base / handle) == _INSTANCE:
                        yield handle

    def _tree_watches(self) -> int:
        """What the kernel has of it."""
        count = 0
        for handle in self._instances():
            with contextlib.suppress(OSError):
                count += tree_watches(Path(f"/proc/{self.process.pid}/fdinfo/{handle}").read_text())
        return count

    # --- signals ------------------------------------------------------------------------------------------

    def stop(self) -> None:
        """SIGSTOP; returns when all of its threads stand. Nothing when it has ended."""
        if not self.stopped and self.process.poll() is None:
            self.process.send_signal(signal.SIGSTOP)
            try:
                _, status = os.waitpid(self.process.pid, os.WUNTRACED)
            except ChildProcessError:
                return
            if os.WIFSTOPPED(status):
                self.stopped = True
            else:
                self.process.returncode = os.waitstatus_to_exitcode(status)

    def resume(self) -> None:
        """SIGCONT."""
        if self.stopped:
            self.stopped = False
            self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """SIGKILL. Idempotent."""
        self._hang_up()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.stopped = False

    def end(self) -> None:
        """SIGTERM, the way a user stops it; SIGKILL when that takes a minute."""
        self.resume()
        self._hang_up()
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    # --- questions ----------------------------------------------------------------------------------------

    def ask(
        self, method: str, params: Mapping[str, Any] | None = None, *, sync_ms: int | None = None
    ) -> Answer:
        """Ask over its socket, once it has one. Raises WatcherDied when it ends instead of answering."""
        try:
            if self._client is None:
                self._client = self._connect()
            return self._client.call(method, dict(params or {}), sync_ms=sync_ms, timeout=_SILENCE_SECONDS)
        except ServiceUnreachable as error:
            self._hang_up()
            raise WatcherDied(f"{error}; {self._last_words()}") from error

    def _connect(self) -> Client:
        deadline = self._clock.monotonic() + _CONNECT_SECONDS
        pause = threading.Event()
        while True:
            try:
                return Client.connect(self._state_dir)
            except ServiceUnreachable:
                if self.process.poll() is not None or self._clock.monotonic() >= deadline:
                    raise
            pause.wait(_LOOK_SECONDS)

    def _hang_up(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    def _last_words(self) -> str:
        ended = self.process.poll()
        said = self._log.read_bytes()[-2_000:].decode(errors="replace").strip()
        return f"{'it runs' if ended is None else f'exit status {ended}'}: {said or 'it said nothing'}"

    # --- what the kernel says -----------------------------------------------------------------------------

    def facts(self) -> "Facts":
        """From /proc; zeros where there is none."""
        base = Path(f"/proc/{self.process.pid}")
        try:
            status = dict(line.split(":", 1) for line in (base / "status").read_text().splitlines())
            handles = os.listdir(base / "fd")
            watches = self._tree_watches()
        except (OSError, ValueError):
            return Facts(0, 0, 0, 0)
        return Facts(_kib(status, "VmRSS"), _kib(status, "VmHWM"), len(handles), watches)


def tree_watches(told: str) -> int:
    """Watches on directories of the tree in what /proc says of a descriptor. Those on directories of state
    (`currant.bell`) do not ask for writes."""
    masks = re.findall(r"^inotify wd:.* mask:([0-9a-f]+)", told, re.MULTILINE)
    return sum(bool(int(mask, 16) & _IN_MODIFY) for mask in masks)


class Facts:
    """`rss` and `peak` in bytes, open descriptors, inotify watches on the tree."""

    def __init__(self, rss: int, peak: int, handles: int, watches: int) -> None:
        self.rss = rss
        self.peak = peak
        self.handles = handles
        self.watches = watches


def _kib(status: Mapping[str, str], key: str) -> int:
    return int(status.get(key, "0 kB").split()[0]) << 10


def _die_with_parent() -> None:
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
