"""What the audit looks at, the barrier between its two looks, the repair, and the thread.

Owns no repair of its own: the engine brings a path up to date as it always does.
"""

import logging
import os
import random
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct, field

from currant import _core
from currant.audit.decide import Suspect, agree, cause_of, judge
from currant.audit.disk import Chain, Disk
from currant.audit.ledger import Drift, Ledger
from currant.changes import EngineLike
from currant.clock import Clock
from currant.model import Held
from currant.query import Query
from currant.verify import look

log = logging.getLogger(__name__)

BARRIER_SECONDS: Final = 10.0
BLOCK_ROWS: Final = 20
"""Rows in a row: a probe finds its place in the index once and checks this many."""

MOST_CONTENT_BYTES: Final = 16 << 20
"""Read and hashed again in one run."""

MOST_SUSPECTS: Final = 1_000
"""Of one run; what is beyond is left to the next."""

SMALL_TREE: Final = 10
"""A tree of at most so many times the sample is compared whole: that costs no more than the sample of a large
one."""

_BARRIERS: Final = 2
_PAUSE_SECONDS: Final = 0.2

REST: Final = 100
"""The thread rests at least so many times as long as it worked: a hundredth of one CPU at the most."""


class Sample(Struct, frozen=True):
    """How much one run looks at: rows, contents, directories. `whole`: every path there is, besides."""

    files: int = 200
    contents: int = 20
    directories: int = 20
    whole: bool = False


class Run(Struct):
    """What one run did. `settled` False: the index did not catch up in time, so suspects were let go."""

    files: int = 0
    contents: int = 0
    directories: int = 0
    suspects: int = 0
    settled: bool = True
    drift: list[Drift] = field(default_factory=list)


class Auditor:
    """Compares, repairs and remembers. `run_once` is one run, on the caller's thread; `start` has a thread do
    it every `interval` seconds. One run at a time."""

    def __init__(
        self,
        root: str,
        query: Query,
        engine: EngineLike,
        ledger: Ledger,
        *,
        state_dir: str,
        walk: Callable[[], tuple[set[str], list[str]]],
        clock: Clock,
        source: random.Random,
        sample: Sample,
        interval: float,
        live: bool = True,
    ) -> None:
        """`walk` lists (kept files, paths that could not be read)."""
        self.ledger: Final = ledger
        self._query = query
        self._engine = engine
        self._walk = walk
        self._clock = clock
        self._random = source
        self._sample = sample
        self._interval = interval
        self._state_dir = state_dir
        self._live = live
        self._disk = Disk(root)
        self._cursor = b""
        self._turn = threading.Lock()
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None

    # --- life ---------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the thread; an interval of 0 means none."""
        if self._interval > 0:
            self._thread = threading.Thread(target=self._run, name="currant-audit", daemon=True)
            self._thread.start()

    def request_stop(self) -> None:
        """No further run begins; `join` waits for the end of the one under way."""
        self._ending.set()

    def join(self, timeout: float) -> None:
        """Wait for the thread."""
        if self._thread is not None:
            self._thread.join(timeout)

    def _run(self) -> None:
        wait = self._interval
        while not self._ending.wait(wait):
            began = self._clock.monotonic()
            try:
                self.run_once()
            except Exception as error:
                if self._ending.is_set():
                    return
                # The engine has failed, or the index: whoever asks is told by them.
                log.warning("the audit could not be done: %s", error)
            wait = max(self._interval, REST * (self._clock.monotonic() - began))

    # --- one run ------------------------------------------------------------------------------------------

    def run_once(self, *, whole: bool = False) -> Run:
        """Look, and repair what has drifted. `whole`: every path by its stat, not a sample.

        Raises what the engine and the index raise."""
        with self._turn:
            run = Run()
            engine = self._engine.status()
            if engine.get("starting") or engine.get("root_missing"):
                run.settled = False  # nothing that is missing now says anything
                return run
            chains: dict[str, Chain] = {}
            rows = self._rows()
            every = whole or int(engine.get("files", 0)) <= SMALL_TREE * self._sample.files
            suspects = self._whole(run, chains) if every else self._files(run, rows, chains)
            suspects += self._contents(run, rows, chains)
            strange: dict[str, tuple[int, ...]] = {}
            if not every:
                suspects += self._directories(run, rows, chains, strange)
            suspects = suspects if whole else suspects[:MOST_SUSPECTS]
            run.suspects = len(suspects) + len(strange)
            if run.suspects:
                self._confirm(run, suspects, strange, engine, every)
            now = self._clock.now()
            self.ledger.ran(now, run.files, run.contents, run.directories, run.drift)
            for found in run.drift:
                log.warning("drift: %s (%s): %s", found.path, found.kind, found.cause)
            return run

    def _rows(self) -> list[Held]:
        """Rows in blocks at random places, and the block behind that of the last run: chance finds soon what
        is frequent, and going on in order misses nothing for ever."""
        last = self._query.last_result()
        found: dict[str, Held] = {}
        for _ in range(max(1, self._sample.files // BLOCK_ROWS) - 1 if last else 0):
            near = self._query.near_result(self._random.randint(1, last))
            for row in self._query.held_from(near or b"", BLOCK_ROWS):
                found[row.path] = row
        block = self._query.held_from(self._cursor, BLOCK_ROWS)
        found.update((row.path, row) for row in block)
        self._cursor = os.fsencode(block[-1].path) + b"\0" if len(block) == BLOCK_ROWS else b""
        return [found[path] for path in sorted(found)]

    def _files(self, run: Run, rows: Iterable[Held], chains: dict[str, Chain]) -> list[Suspect]:
        suspects = []
        for row in rows:
            run.files += 1
            disk = self._disk.look(row.path, chains)
            if not agree(row, disk):
                suspects.append(Suspect(row.path, row, disk))
        return suspects

    def _whole(self, run: Run, chains: dict[str, Chain]) -> list[Suspect]:
        """Every row and every kept file."""
        kept, unreadable = self._walk()
        rows = {row.path: row for row in self._query.held_from(b"", None)}
        suspects = []
        for path in sorted(kept | rows.keys()):
            row = rows.get(path)
            disk = self._disk.look(path, chains)
            run.files += 1
            if disk.stat is not None and path not in kept:
                if not any(not bad or path == bad or path.startswith(f"{bad}/") for bad in unreadable):
                    suspects.append(Suspect(path, row, disk, kept=False))
            elif not agree(row, disk):
                suspects.append(Suspect(path, row, disk))
        return suspects

    def _contents(self, run: Run, rows: Sequence[Held], chains: dict[str, Chain]) -> list[Suspect]:
        suspects = []
        budget = MOST_CONTENT_BYTES
        for row in pick(self._random, [row for row in rows if row.state == "ok"], self._sample.contents):
            disk = self._disk.look(row.path, chains)
            if not agree(row, disk) or row.stat.size > budget or disk.stat is None:
                continue
            seen = look(self._disk.absolute(""), row.path)
            budget -= row.stat.size
            run.contents += 1
            if seen is not None and seen.content is not None and seen.content != row.content:
                suspects.append(Suspect(row.path, row, disk, content=seen.content))
        return suspects

    def _directories(
        self, run: Run, rows: Iterable[Held], chains: dict[str, Chain], strange: dict[str, tuple[int, ...]]
    ) -> list[Suspect]:
        """Names on disk that have no row. Of a directory below which there is none at all, which may well be
        ignored and is then not to be opened, only its own state goes into `strange`."""
        above: set[str] = set()
        for row in rows:
            directory = os.path.dirname(row.path)
            while directory not in above:
                above.add(directory)
                directory = os.path.dirname(directory)
        suspects = []
        for directory in pick(self._random, sorted(above), self._sample.directories):
            run.directories += 1
            files, directories = self._disk.names(directory)
            known = self._query.names_in(directory)
            unknown = [path for path in files if path not in known]
            for path in pick(self._random, unknown, self._sample.files):
                disk = self._disk.look(path, chains)
                if disk.stat is not None:
                    suspects.append(Suspect(path, None, disk))
            empty = [path for path in directories if path not in known and not self._is_ours(path)]
            for path in pick(self._random, empty, self._sample.directories):
                strange[path] = self._disk.directory(path)
        return suspects

    def _is_ours(self, path: str) -> bool:
        """Git's directory and our own, which are ignored whatever the rules say."""
        return os.path.basename(path) == ".git" or self._disk.absolute(path) == self._state_dir

    # --- behind the barrier -------------------------------------------------------------------------------

    def _confirm(
        self,
        run: Run,
        suspects: Sequence[Suspect],
        strange: Mapping[str, tuple[int, ...]],
        engine: Mapping[str, Any],
        every: bool,
    ) -> None:
        began = self._clock.now()
        found: list[tuple[Suspect, str, Held | None]] = []
        listings: object = None
        # Twice, with a pause: a call at work shows before it is reported (while a file is being cut, its
        # size is the new one and its times are the old ones), and may be held up in between.
        for barrier in range(_BARRIERS):
            if barrier and self._ending.wait(_PAUSE_SECONDS):
                return
            if not self._barrier():
                run.settled = False
                return
            listings = self._engine.status().get("listings")
            found = self._look_again(suspects, every)
            suspects = [suspect for suspect, _kind, _row in found]
            if not found:
                break
        # A file without a row that the engine does not take either is an ignored one. If it does, but listed
        # directories meanwhile, rules may have changed in between.
        drifted = [one for one in found if self._engine.touch(one[0].path) or one[1] != "missing"]
        if self._engine.status().get("listings") != listings:
            drifted = [one for one in drifted if one[1] != "missing"]
        self._repair(run, drifted, self._strange(strange), engine, began)

    def _look_again(self, suspects: Sequence[Suspect], every: bool) -> list[tuple[Suspect, str, Held | None]]:
        """Those that disagree as before, with the kind of drift and the row."""
        kept = self._walk()[0] if every and suspects else None
        found: list[tuple[Suspect, str, Held | None]] = []
        for suspect in suspects:
            # The disk comes last: if it is then as it was at the first look, it was so all the time, and
            # when the row was read.
            row = self._query.held(suspect.path)
            content = None
            if suspect.content is not None:
                seen = look(self._disk.absolute(""), suspect.path)
                content = None if seen is None else seen.content
            disk = self._disk.look(suspect.path, {})
            is_kept = suspect.kept if kept is None else disk.stat is None or suspect.path in kept
            kind = judge(suspect, row, disk, content, is_kept)
            if kind is not None:
                found.append((suspect, kind, row))
        return found

    def _barrier(self) -> bool:
        """Everything that was on disk before is in the index; False when that was not so in time."""
        if not self._live:
            self._engine.rescan("")  # nobody tells of changes after the last scan
        return self._engine.sync(BARRIER_SECONDS) is None

    def _strange(self, strange: Mapping[str, tuple[int, ...]]) -> list[str]:
        """Directories without rows that are still as they were and still have none: the engine is to look."""
        left = []
        for path, before in strange.items():
            if before and self._disk.directory(path) == before and not self._below(path, 1):
                left.append(path)
                self._engine.rescan(path)
        return left

    def _repair(
        self,
        run: Run,
        drifted: Sequence[tuple[Suspect, str, Held | None]],
        strange: Sequence[str],
        engine: Mapping[str, Any],
        began: float,
    ) -> None:
        """See what came of the engine's looking at what drifted."""
        if not drifted and not strange:
            return
        settled = self._barrier()
        now = self._clock.now()
        chains: dict[str, Chain] = {}
        for suspect, kind, row in drifted:
            path = suspect.path
            disk = self._disk.look(path, chains)
            after = self._query.held(path)
            if suspect.kept:
                mended = settled and agree(after, disk) and (row is None or after != row)
            else:
                mended = after is None
            cause = cause_of(path, kind, row, suspect.disk, engine)
            run.drift.append(Drift(path, now, kind, cause, mended))
        for directory in strange:
            # What was made during the run says nothing; a file that is older than it was not seen before.
            if any(self._older(row, directory, began) for row in self._below(directory, BLOCK_ROWS)):
                cause = "directory that was not known"
                run.drift.append(Drift(directory, now, "missing", cause, settled))

    def _below(self, directory: str, count: int) -> list[Held]:
        prefix = os.fsencode(directory) + b"/"
        rows = self._query.held_from(prefix, count)
        return [row for row in rows if os.fsencode(row.path).startswith(prefix)]

    def _older(self, row: Held, directory: str, began: float) -> bool:
        """Whether a file, and every directory down to it, was as it is before the run. Times of files come
        from a clock that lags by some milliseconds."""
        limit = int((began - 0.05) * 1_000_000_000)
        if row.stat.ctime_ns >= limit:
            return False
        inside = os.path.dirname(row.path)
        while len(inside) >= len(directory):
            found = self._disk.directory(inside)
            if not found or max(found[1:]) >= limit:
                return False
            inside = os.path.dirname(inside)
        return True


def walker(
    root: str, *, state_dir: str, ignore_patterns: Sequence[str], nested_repositories: bool
) -> Callable[[], tuple[set[str], list[str]]]:
    """The `walk` of an `Auditor`, by the rules that the engine follows."""

    def walk() -> tuple[set[str], list[str]]:
        files, _directories, unreadable = _core.walk(
            root,
            state_dir=state_dir,
            ignore_patterns=ignore_patterns,
            nested_repositories=nested_repositories,
        )
        return {file.path for file in files}, [path for path, _reason in unreadable]

    return walk


def pick(source: random.Random, things: Sequence[Any], count: int) -> list[Any]:
    """`count` of them at random, or all."""
    return list(things) if len(things) <= count else source.sample(things, count)
