"""One root with its hands and its watcher: everything that a script can speak of.

Owns the life of the watcher and the place of the root. `do` takes a step, of the tree or adversity, so that
a run and the replay of its script are the same code. Adversity that makes no sense where it stands
(continuing what was not stopped) does nothing: scripts are shrunk by leaving steps out.
"""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from currant.clock import Clock
from currant.errors import UsageError
from currant.ipc.client import Answer
from currant.soak.hands import Hands
from currant.soak.queue import Queue
from currant.soak.steps import Step, step
from currant.soak.watcher import Watcher, WatcherDied

SYNC_SECONDS: Final = 180
START: Final = "!start"
ADVERSITY: Final = (
    *("!start", "!stop", "!cont", "!kill", "!end", "!sync", "!settle", "!away", "!back", "!recreate"),
)


class Lab:
    """A root below `directory`, which nobody else uses. With `state_inside` the index is in the root."""

    def __init__(
        self,
        directory: Path,
        *,
        clock: Clock,
        source: str = "auto",
        state_inside: bool = False,
        sync_seconds: int = SYNC_SECONDS,
        queue: Queue | None = None,
    ) -> None:
        self.root = directory / "root"
        self.root.mkdir()
        self.hands = Hands(os.fsencode(self.root))
        self.state_inside = state_inside
        self.state_dir = self.root / ".currant" if state_inside else directory / "state"
        self.watcher: Watcher | None = None
        self.expected_death = False
        """A fail point kills this watcher, now or some rounds later; or never, if it is not passed."""
        self.incarnations = 0
        self.source = source
        self.queue = queue or Queue()
        self._sync_seconds = sync_seconds
        self._clock = clock
        self._away = directory / "away"
        self._directory = directory
        self.last_settings: dict[str, str] = {}

    def do(self, told: Step) -> bool:
        """One step. False when it was refused or had nothing to do."""
        if not told.op.startswith("!"):
            return self.hands.do(told)
        if told.op not in ADVERSITY:
            raise UsageError(f"no step {told.op!r}; there are {', '.join(ADVERSITY)}, and operations")
        adversity: dict[str, Callable[..., bool]] = {
            **{"!start": self._start, "!stop": self._stop, "!cont": self._cont, "!kill": self._kill},
            **{"!end": self._end, "!sync": self._sync, "!away": self._leave, "!back": self._back},
            **{"!recreate": self._recreate, "!settle": lambda: self.settle().fresh},
        }
        return adversity[told.op](*told.args)

    # --- adversity ----------------------------------------------------------------------------------------

    def _start(self, *settings: bytes) -> bool:
        """``section.key=value`` each; ``fail=POINT@N`` has it killed there; ``queue=short`` gives it a short
        queue of notifications, where the kernel's limit can be lowered."""
        if self.watcher is not None and self.watcher.process.poll() is None:
            return False
        self._bury()
        given = dict(word.decode().split("=", 1) for word in settings)
        environ = {}
        self.expected_death = False
        if point := given.pop("fail", ""):
            environ["CURRANT_FAIL_POINTS"] = f"{point}=kill -9 $PPID"
            self.expected_death = True
        self.last_settings = dict(given)
        short = given.pop("queue", "") == "short" and not self.queue.refusal()
        if self.source != "auto":
            given["monitor.source"] = self.source
        self.incarnations += 1
        self.watcher = Watcher(
            self.root, self.state_dir, given, environ=environ, clock=self._clock,
            log=self._directory / "watcher.log", queue=self.queue if short else None,
        )  # fmt: skip
        return True

    def _bury(self) -> None:
        if self.watcher is not None:
            self.watcher.kill()
            self.watcher = None

    def _stop(self) -> bool:
        if self.watcher is None or self.watcher.stopped:
            return False
        self.watcher.stop()
        return True

    def _cont(self) -> bool:
        if self.watcher is None or not self.watcher.stopped:
            return False
        self.watcher.resume()
        return True

    def _kill(self) -> bool:
        if self.watcher is None:
            return False
        self._bury()
        return True

    def _end(self) -> bool:
        if self.watcher is None:
            return False
        self.watcher.end()
        self.watcher = None
        return True

    def _sync(self) -> bool:
        """A barrier in between. Its outcome is not judged here: the root may be away."""
        if self.watcher is None or self.watcher.stopped:
            return False
        try:
            return self.watcher.ask("sync", sync_ms=2_000).fresh
        except WatcherDied:
            return False

    @property
    def away(self) -> bool:
        """Whether the root has another name at present."""
        return self.hands.base != os.fsencode(self.root)

    def _leave(self) -> bool:
        if self.away:
            return False
        self.root.rename(self._away)
        self.hands.base = os.fsencode(self._away)
        return True

    def _back(self) -> bool:
        if not self.away:
            return False
        self._away.rename(self.root)
        self.hands.base = os.fsencode(self.root)
        return True

    def _recreate(self) -> bool:
        """The root goes with all that is in it; another one takes its name. Not with an index inside."""
        if self.state_inside or self.away:
            return False
        self.hands.close()
        shutil.rmtree(self.root)
        self.root.mkdir()
        return True

    # --- for checks ---------------------------------------------------------------------------------------

    def settle(self) -> Answer:
        """Whatever was done: root in its place, watcher running, barrier passed (`fresh` says whether).

        A watcher that a fail point killed is started again. Raises WatcherDied when it ended otherwise."""
        self.do(step("!back"))
        self.do(step("!cont"))
        if self.watcher is None:
            self._again()
        try:
            return self._barrier()
        except WatcherDied:
            if not self.expected_death:
                raise
        self._again()
        return self._barrier()

    def _again(self) -> None:
        self._bury()
        self._start(*(f"{key}={value}".encode() for key, value in self.last_settings.items()))

    def _barrier(self) -> Answer:
        assert self.watcher is not None
        return self.watcher.ask("sync", sync_ms=self._sync_seconds * 1_000)

    def ask(self, method: str, params: dict[str, Any] | None = None) -> Any:
        """The plain result of a question to the watcher, without a barrier. Raises WatcherDied."""
        if self.watcher is None:
            raise WatcherDied("it is not running")
        return self.watcher.ask(method, params).result

    def close(self) -> None:
        """End everything. Idempotent."""
        self.hands.close()
        self._bury()
        self._back()

    def __enter__(self) -> "Lab":
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()
