"""Owns the index as the rest of Currant sees it: open, commit, look up, close."""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import chain, islice
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

import apsw

from currant.clock import Clock
from currant.errors import ClosedError, StoreDamagedError, StoreLostError
from currant.model import CommitInfo, Item, Opened, ResultKey
from currant.store import commit as commits
from currant.store import listing, maintenance, rows, seal, upkeep
from currant.store.connection import ReaderPool, is_damage, one, translate
from currant.store.inplace import InPlace
from currant.store.opening import INDEX_NAME, abandon, mark_damaged, open_index

_log = logging.getLogger("currant.store")

_T = TypeVar("_T")

TreeRow = tuple[bytes, int, int, int, int, int]
"""See `Store.tree_rows`."""


class Policies(NamedTuple):
    """Under which policies of an extractors' registry the rows were found right, so that a start under the
    same ones need not look again."""

    names: str = ""
    """As far as the name of each goes."""
    current: str = ""
    """No result was by what is not in use."""


MANY_ITEMS: Final = 64
"""From here on a commit moves the log into the file itself, and leaves it to no save that comes later."""
_ROWS_AT_ONCE: Final = 1_000
_PACKED_AT_ONCE: Final = 8_000
_TREE_ROWS: Final = """
SELECT path, size, mtime_ns, iif(racy, -1, ctime_ns), ino, iif(state = 'failed', attempts, 0)
FROM files ORDER BY path"""
# Text, because SQLite makes it of numbers by itself, and one value of thousands of rows takes a third less
# time than Python objects for each. No path has a NUL.
_PACKED_ROWS: Final = """
SELECT CAST(group_concat(row, '') AS BLOB) FROM (
  SELECT concat_ws(
    ' ', size, mtime_ns, iif(racy, -1, ctime_ns), ino, iif(state = 'failed', attempts, 0),
    iif(path >= ?1, path, NULL)  -- so that one of another type is no row
  ) || char(0) AS row
  FROM files {} ORDER BY path LIMIT ?2)"""
_FIRST_PACKED: Final = _PACKED_ROWS.format("")  # all that there are: no way to them that damage could bend
_NEXT_PACKED: Final = _PACKED_ROWS.format("WHERE path >= ?1")

_PAIRS: Final = """
SELECT e.id, e.name, r.language FROM (SELECT DISTINCT language, extractor_id FROM results) r
JOIN extractors e ON e.id = r.extractor_id"""
_OF_PAIR: Final = """
SELECT f.path, f.mtime_ns FROM files f JOIN results r ON r.id = f.result_id
WHERE r.extractor_id = ? AND r.language = ?"""
_OF_EXTRACTOR: Final = """
SELECT f.path, f.mtime_ns FROM files f JOIN results r ON r.id = f.result_id WHERE r.extractor_id = ?"""
_EXTRACTORS_OF: Final = "SELECT f.path, r.extractor_id FROM files f JOIN results r ON r.id = f.result_id"
_POLICIES: Final = "SELECT key, value FROM meta WHERE key IN ('names_policy', 'current_policy')"
_PUT_POLICY: Final = "INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)"


def format_clock(uuid: str, seq: int) -> str:
    """How a clock is written: ``c:<first 8 of the index's uuid>:<row of the feed>``."""
    return f"c:{uuid[:8]}:{seq}"


class Store:
    """index.db: one write connection for the writer thread, and readers for everyone else.

    `opened` says how the index was found, `uuid` which index this is, `generation` how many commits this
    process made. After each commit the callables in `on_commit` are called on the writer's thread; those in
    `on_damage` with a reason, on any thread, when a read or a commit meets damage.
    """

    def __init__(self, state_dir: Path, writer: apsw.Connection, opened: Opened) -> None:
        self.state_dir: Final = state_dir
        self.path: Final = state_dir / INDEX_NAME
        self.opened: Final = opened
        self.on_commit: list[Callable[[CommitInfo], None]] = []
        self.on_damage: list[Callable[[str], None]] = []
        self.last_missing: list[bytes] = []
        self.generation = 0
        self._writer = writer
        self._closed = False
        self.uuid: Final = str(one(writer, "SELECT value FROM meta WHERE key = 'uuid'"))
        self._seq = commits.last_seq(writer)
        known: list[Any] = writer.execute("SELECT name, id FROM extractors").fetchall()
        self._extractors: dict[str, int] = dict(known)
        self._readers = ReaderPool(str(self.path), self.damaged)
        self._files = InPlace(self.path)
        self._turns = 0  # odd during a write of ours
        self._own_changes = writer.total_changes()

    @classmethod
    def open(cls, state_dir: Path, *, clock: Clock, discard: str | None = None) -> "Store":
        """Open the index below `state_dir`, making both when needed; a damaged one is set aside first, and so
        is any when `discard` says what is wrong with it.

        Raises UnsafeSQLiteError, SchemaTooNewError, or StoreError when the directory cannot be used.
        """
        connection, opened = open_index(state_dir, clock.now(), discard)
        try:
            return cls(state_dir, connection, opened)
        except BaseException:
            abandon(connection, state_dir / INDEX_NAME)
            raise

    # --- the writer's thread --------------------------------------------------------------------------

    def commit(self, items: Sequence[Item], now: float) -> str:
        """Write everything in one transaction, or nothing; returns the clock after it.

        Only from one thread at a time. An Upsert without a record whose result is gone is left out and its
        path is in `last_missing`. Raises StoreFullError and StoreUnavailableError (try again),
        StoreLostError, StoreDamagedError, StoreError.
        """
        self._require_open()
        prepared = commits.prepare(items)
        try:
            with self.writing() as writer:
                outcome = commits.apply(writer, prepared, now, self._extractors)
                if len(items) >= MANY_ITEMS:
                    with suppress(apsw.Error):  # the commit stands, and the next one tries again
                        upkeep.checkpoint(writer)
        except UnicodeDecodeError as error:  # what we stored was UTF-8
            raise self.damaged(str(error)) from error
        except apsw.Error as error:
            raise self._translated(error) from error
        self._seq, self._extractors = outcome.seq, outcome.extractors
        self.last_missing = outcome.missing
        self.generation += 1
        info = CommitInfo(self.clock(), self.generation, len(items), outcome.changes, outcome.dropped)
        for callback in list(self.on_commit):
            try:
                callback(info)
            except Exception:  # the commit stands, whatever a listener makes of it
                _log.exception("a listener failed after commit %s", info.clock)
        return info.clock

    def collect(self, keep: int, limit: int = 500) -> int:
        """Forget results that no file has, oldest first, while more than `keep` are kept; returns how many.

        One short transaction of at most `limit` results, on the writer's thread; call again for more.
        """
        self._require_open()
        try:
            with self.writing() as writer:
                return maintenance.collect(writer, keep, limit)
        except apsw.Error as error:
            raise self._translated(error) from error

    def sweep(self, after: int, now: float, keep_seconds: float) -> maintenance.Swept:
        """One bounded step of the collection of results that no file has, on the writer's thread; begin with
        `after` 0, go on with `at` until that is None."""
        self._require_open()
        try:
            with self.writing() as writer:
                return maintenance.sweep(writer, after, now, keep_seconds)
        except apsw.Error as error:
            raise self._translated(error) from error

    def list_older(self) -> int:
        """One bounded step of having the index of terms know the records of an older version, on the writer's
        thread; how many results are left, at most."""
        self._require_open()
        try:
            with self.writing() as writer:
                return listing.older(writer)
        except apsw.Error as error:
            raise self._translated(error) from error

    def tend(self, step: Callable[[apsw.Connection], _T]) -> _T:
        """One of the short steps of `store.upkeep`, on the writer's thread. Raises as `commit` does."""
        self._require_open()
        try:
            with self.writing() as writer:
                return step(writer)
        except apsw.Error as error:
            raise self._translated(error) from error

    def note_policies(self, noted: Policies) -> None:
        """Remember what `policies` is to answer. Before the writer's thread is there, or on it. Raises as
        `commit` does."""
        pairs = zip(("names_policy", "current_policy"), noted, strict=True)
        self.tend(lambda writer: writer.executemany(_PUT_POLICY, list(pairs)))

    @contextmanager
    def writing(self) -> Iterator[apsw.Connection]:
        """The write connection, for every write of this process: what comes to the files any other way is
        taken for somebody else's. Only on the writer's thread. Raises StoreLostError before anything is done.
        """
        problem = self.problem()
        if problem is not None:
            raise StoreLostError(f"{self.path}: {problem}; the index is made anew from the files")
        self._turns += 1
        try:
            yield self._writer
        finally:
            self._files.note()
            self._own_changes = self._writer.total_changes()
            self._turns += 1

    # --- any thread -----------------------------------------------------------------------------------

    def problem(self) -> str | None:
        """Why this index must not be used any more: its files were removed, replaced or written to by others.

        None while all is well. A few calls of `stat`.
        """
        if self._closed:
            return None
        turns = self._turns
        found = self._files.missing()
        if found is not None or turns % 2:
            return found
        found = self._files.foreign()
        if found is None or self._turns != turns or self._closed:
            return None  # a write of ours may have begun meanwhile
        try:
            changes = self._writer.total_changes()
        except apsw.ThreadingViolationError:
            return None  # in use: a write of ours
        if changes != self._own_changes:
            self._own_changes = changes  # ours after all
            self._files.note()
            return None
        return found

    def tree_rows(self) -> list[TreeRow]:
        """What the engine compares the disk with: (path, size, mtime_ns, ctime_ns, ino, attempts) by path.

        attempts > 0 marks a failure. A racy row has ctime_ns -1, which no file has, so it is read again.
        """
        return list(chain.from_iterable(self._each_tree_row()))

    def packed_tree_rows(self) -> Iterator[bytes]:
        """The same, thousands at a time in the shape that the core reads: the five numbers with a blank
        behind each (an inode with the top bit is negative), the path, a NUL. Raises StoreError on the way."""
        with self._readers.lend() as connection:
            found: bytes | None = connection.execute(_FIRST_PACKED, (b"", _PACKED_AT_ONCE)).get
            while found:
                yield found
                last = found[found.rfind(b"\0", 0, -1) + 1 :]
                path = last[:-1].split(b" ", 5)[-1]
                found = connection.execute(_NEXT_PACKED, (path, _PACKED_AT_ONCE)).get
                if found is None or not found.startswith(last):
                    raise self.damaged("rows of files are out of order")
                found = found[len(last) :]

    def _each_tree_row(self) -> Iterator[list[TreeRow]]:
        with self._readers.lend() as connection:
            left: Iterator[Any] = iter(connection.execute(_TREE_ROWS))
            while rows := list(islice(left, _ROWS_AT_ONCE)):
                if any(row[4] < 0 for row in rows):
                    rows = [(*row[:4], commits.unsigned(row[4]), row[5]) for row in rows]
                yield rows

    def policies(self) -> Policies:
        """Those last noted, each ``""`` without one."""
        with self._readers.lend() as connection:
            rows: list[Any] = connection.execute(_POLICIES).fetchall()
        found = dict(rows)
        return Policies(found.get("names_policy", ""), found.get("current_policy", ""))

    def out_of_date(self, current: Callable[[str, str], bool]) -> list[bytes]:
        """Paths whose result is one that `current` (of its language and extractor, ``outline/3:py-1``) says
        no to, those of the files that changed most recently first."""
        with self._readers.snapshot() as connection:
            pairs: list[Any] = connection.execute(_PAIRS).fetchall()
            old = [(number, language) for number, name, language in pairs if not current(language, name)]
            rows: list[Any] = [row for pair in old for row in connection.execute(_OF_PAIR, pair)]
        rows.sort(key=lambda row: (-row[1], row[0]))
        return [path for path, _ in rows]

    def paths_by_extractor(self) -> Iterator[tuple[bytes, str]]:
        """Every path that has a result, with the extractor of that result."""
        with self._readers.snapshot() as connection:
            # Of the same moment: a commit may be adding one.
            known: list[Any] = connection.execute("SELECT id, name FROM extractors").fetchall()
            names: dict[int, str] = dict(known)
            rows: list[Any] = connection.execute(_EXTRACTORS_OF).fetchall()
        for path, number in rows:
            yield path, names[number]

    def paths_of(self, extractor: str) -> set[bytes]:
        """Paths whose result is by this extractor."""
        number = self._extractors.get(extractor)
        if number is None:
            return set()
        with self._readers.snapshot() as connection:
            return {path for path, _ in connection.execute(_OF_EXTRACTOR, (number,))}

    def extractors(self) -> list[str]:
        """Every extractor that a result may be by (``outline/3:py-1``)."""
        return list(self._extractors)

    def swept_at(self) -> float | None:
        """Wall time of the end of the last sweep, None without one."""
        with self._readers.lend() as connection:
            return maintenance.swept_at(connection)

    def unlisted(self) -> int:
        """How many results there are left for `list_older`, at most."""
        with self._readers.lend() as connection:
            return listing.unlisted(connection)

    def find_results(self, keys: Iterable[ResultKey]) -> set[ResultKey]:
        """Those of the keys under which a result is stored; the others have to be extracted."""
        known = self._extractors
        asked = {key for key in keys if key.extractor in known}
        if not asked:
            return set()
        with self._readers.lend() as connection:
            return asked & rows.results(connection, asked, known).keys()

    def figures(self) -> upkeep.Figures:
        """How large the file is, and how much of it is free."""
        with self._readers.lend() as connection:
            return upkeep.figures(connection)

    def readers(self) -> tuple[int, int]:
        """Read connections that are open: (idle, in use)."""
        return self._readers.counts()

    def trim_readers(self, keep: int = 1) -> int:
        """Close the read connections that nobody used since the call before; how many. `keep` stay."""
        return self._readers.trim(keep)

    def release_memory(self) -> None:
        """Give back the pages of the file that connections keep, up to 16 MiB after much was written; the
        kernel has them too. On the writer's thread."""
        self._writer.pragma("shrink_memory")
        self._readers.shrink()

    def version(self) -> int:
        """Grows with every write: what was read after this was asked still holds while it stays. The clock
        says less, for results that no file has come and go without it."""
        return self._own_changes

    def clock(self) -> str:
        """The clock as of the last commit of this process."""
        return format_clock(self.uuid, self._seq)

    @contextmanager
    def snapshot(self) -> Iterator[apsw.Connection]:
        """A read-only connection that sees one commit throughout. Never keep it beyond the block.

        Raises ClosedError, StoreDamagedError, StoreError.
        """
        with self._readers.snapshot() as connection:
            yield connection

    def damaged(self, reason: str) -> StoreDamagedError:
        """The error to raise for damage met while reading; the next start sets the index aside."""
        if self._files.missing() is None:  # else what lies there is not what was damaged
            mark_damaged(self.state_dir, reason)
        for listener in list(self.on_damage):
            listener(reason)
        return StoreDamagedError(
            f"{self.path} is damaged ({reason}): a watcher rebuilds it by itself; without one, "
            "restart, and it is set aside and rebuilt"
        )

    def close(self) -> None:
        """Close every connection; reads in progress are interrupted. Idempotent."""
        if self._closed:
            return
        lost = self.problem() is not None  # then what lies there is not ours to seal
        self._closed = True
        self._readers.close()
        if not lost:
            seal.closing(self.path)
        # The last connection out moves the log into the index and removes it.
        self._writer.close()
        if not lost:
            seal.closed(self.path)

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _require_open(self) -> None:
        if self._closed:
            raise ClosedError("the index is closed: open it again")

    def _translated(self, error: apsw.Error) -> Exception:
        if is_damage(error):
            return self.damaged(str(error))
        return translate(error, str(self.path))
