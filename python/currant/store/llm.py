"""Owns llm.db: the queue of the expensive tier, its results by content, its quarantine and its ledger.

A file of its own, because its life is another one: results that were paid for outlive an index that is made
anew, and a damaged ledger is not replaced by an empty one, which would forget what was spent. One connection,
one lock; every transaction is durable when it returns. Thread-safe.
"""

import os
import threading
import zlib
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import apsw

from currant import statedir
from currant.errors import ClosedError, SchemaTooNewError, StoreError
from currant.model import ResultKey
from currant.store import LLM_NAME, ledger, llm_unused
from currant.store.connection import connect, one, require_safe_sqlite, translate
from currant.store.ledger import Refused, Spent

VERSION: Final = 2
APPLICATION_ID: Final = 0x63754C4D  # "cuLM"
HOUR: Final = 3600.0
_NEVER: Final = -1e12

_FIRST: Final = (
    """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
-- Every path with the content that was last considered; its call is still to be made when it is in `queue`.
CREATE TABLE seen (
    path BLOB PRIMARY KEY,
    content BLOB NOT NULL,
    language TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX seen_content ON seen (content);
CREATE TABLE queue (
    path BLOB PRIMARY KEY,
    content BLOB NOT NULL,
    language TEXT NOT NULL,
    size INTEGER NOT NULL,
    fan_in INTEGER NOT NULL,
    first_at REAL NOT NULL,
    last_at REAL NOT NULL,
    asked_at REAL NOT NULL,
    not_before REAL NOT NULL,
    attempts INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX queue_content ON queue (content);
CREATE TABLE results (
    content BLOB NOT NULL,
    language TEXT NOT NULL,
    extractor TEXT NOT NULL,
    stored BLOB NOT NULL,
    at REAL NOT NULL,
    nano INTEGER NOT NULL,
    reused INTEGER NOT NULL,
    PRIMARY KEY (content, language, extractor)
) STRICT, WITHOUT ROWID;
CREATE TABLE quarantine (
    content BLOB NOT NULL,
    language TEXT NOT NULL,
    extractor TEXT NOT NULL,
    path BLOB NOT NULL,
    reason TEXT NOT NULL,
    at REAL NOT NULL,
    PRIMARY KEY (content, language, extractor)
) STRICT, WITHOUT ROWID;
"""
    + ledger.SCHEMA
)
_SCHEMAS: Final = (_FIRST, llm_unused.SCHEMA)
"""What each version adds to the one before."""

_DUE: Final = """
SELECT path, content, language, size, fan_in, first_at, last_at, asked_at, not_before, attempts FROM queue
WHERE max(min(last_at + :delay, first_at + :most), not_before) <= :now
ORDER BY cast((:now - asked_at) / 3600.0 AS INTEGER), cast((:now - last_at) / 3600.0 AS INTEGER),
         fan_in DESC, path
LIMIT :limit"""
_NEXT: Final = """
SELECT min(at) FROM (SELECT max(min(last_at + :delay, first_at + :most), not_before) AS at FROM queue)
WHERE at > :after"""


@dataclass(frozen=True, slots=True)
class Noted:
    """One path as the change feed tells of it. `content` None: it is gone. `wanted`: its content needs a
    call. `fan_in`: how many other files lead to it, as it is now; nobody corrects it while it waits."""

    path: bytes
    content: bytes | None
    language: str = ""
    size: int = 0
    fan_in: int = 0
    wanted: bool = False


@dataclass(frozen=True, slots=True)
class Waiting:
    """One row of the queue. Times are wall times; `asked_at` is long ago for a path nobody asked for."""

    path: bytes
    content: bytes
    language: str
    size: int
    fan_in: int
    first_at: float
    last_at: float
    asked_at: float
    not_before: float
    attempts: int


class LlmStore:
    """llm.db below `state_dir`; `extractor` is the identity under which this process stores results."""

    def __init__(self, path: Path, connection: apsw.Connection, extractor: str) -> None:
        self.path: Final = path
        self.extractor: Final = extractor
        self._connection: apsw.Connection | None = connection
        self._lock = threading.Lock()

    @classmethod
    def open(cls, state_dir: Path, extractor: str | None, policy: str = "") -> "LlmStore":
        """Open or make it. Reservations that were never settled stay counted.

        `extractor` None: what it was opened for last, and nothing of the queue changes. `policy` is anything
        that changes with the rules of which files are wanted: then all are looked at again.

        Raises StoreError; a damaged file is left where it is, for it knows what was spent."""
        require_safe_sqlite()
        statedir.prepare(state_dir)
        path = state_dir / LLM_NAME
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except FileExistsError:
            pass
        except OSError as error:
            raise StoreError(f"{path}: {error.strerror or error}") from error
        try:
            connection = connect(str(path), write=True)
        except apsw.Error as error:
            raise _translated(error, path) from error
        try:
            _migrate(connection, path)
            connection.pragma("synchronous", "FULL")  # money: a reservation must not be lost with the power
            with _transaction(connection):
                ledger.abandoned(connection)
                ledger.add_up(connection)
                extractor = _settle_in(connection, extractor, policy)
        except apsw.Error as error:
            connection.close()
            raise _translated(error, path) from error
        except BaseException:
            connection.close()
            raise
        return cls(path, connection, extractor)

    def key(self, content: bytes, language: str) -> ResultKey:
        """The key of a result of this process."""
        return ResultKey(content, language, self.extractor)

    # --- the queue ------------------------------------------------------------------------------------

    def cursor(self) -> str | None:
        """Up to where the change feed was read, None for not yet."""
        with self._reading() as connection:
            value: Any = connection.execute("SELECT value FROM meta WHERE key = 'cursor'").get
        return None if value is None else str(value)

    def note(self, noted: Iterable[Noted], cursor: str, now: float) -> int:
        """Take over a page of the change feed and where to go on; how many paths were queued anew.

        A path that comes (back) to a content with a result counts as one reuse; one that only changed its
        times does not. A path that changes while it waits goes on waiting, at most until its bound."""
        queued = 0
        with self._writing() as connection:
            for one_path in noted:
                queued += self._note(connection, one_path, now)
            connection.execute("INSERT OR REPLACE INTO meta VALUES ('cursor', ?)", (cursor,))
        return queued

    def _note(self, connection: apsw.Connection, noted: Noted, now: float) -> bool:
        if noted.content is None or not noted.wanted:
            connection.execute("DELETE FROM queue WHERE path = ?", (noted.path,))
            connection.execute("DELETE FROM seen WHERE path = ?", (noted.path,))
            return False
        before = connection.execute("SELECT content, language FROM seen WHERE path = ?", (noted.path,)).get
        if before == (noted.content, noted.language):
            connection.execute("UPDATE queue SET fan_in = ? WHERE path = ?", (noted.fan_in, noted.path))
            return False
        connection.execute(
            "INSERT OR REPLACE INTO seen VALUES (?, ?, ?)", (noted.path, noted.content, noted.language)
        )
        key = (noted.content, noted.language, self.extractor)
        connection.execute(
            "UPDATE results SET reused = reused + 1 WHERE content = ? AND language = ? AND extractor = ?", key
        )
        if connection.changes() or _quarantined(connection, key):
            connection.execute("DELETE FROM queue WHERE path = ?", (noted.path,))
            return False
        connection.execute(
            "INSERT INTO queue VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, 0) ON CONFLICT (path) DO UPDATE SET"
            " content = excluded.content, language = excluded.language, size = excluded.size,"
            " fan_in = excluded.fan_in, last_at = excluded.last_at, not_before = 0, attempts = 0",
            (noted.path, noted.content, noted.language, noted.size, noted.fan_in, now, now, _NEVER),
        )
        return True

    def asked(self, paths: Iterable[bytes], now: float) -> None:
        """Somebody asked for these: they go first."""
        with self._writing() as connection:
            connection.executemany(
                "UPDATE queue SET asked_at = ? WHERE path = ?", [(now, path) for path in paths]
            )

    def due(self, now: float, delay: float, most: float, limit: int) -> list[Waiting]:
        """Up to `limit` rows that were quiet for `delay` seconds or wait for `most`, in the order of work:
        asked for lately, changed lately (both by the hour), most files that lead to it, path."""
        with self._reading() as connection:
            rows: list[Any] = connection.execute(
                _DUE, {"now": now, "delay": delay, "most": most, "limit": limit}
            ).fetchall()
        return [Waiting(*row) for row in rows]

    def next_due(self, delay: float, most: float, after: float = 0.0) -> float | None:
        """Wall time at which the next row is due, of those later than `after`; None when there is none."""
        with self._reading() as connection:
            found: Any = connection.execute(_NEXT, {"delay": delay, "most": most, "after": after}).get
        return None if found is None else float(found)

    def waiting(self) -> int:
        """Rows of the queue."""
        with self._reading() as connection:
            return int(one(connection, "SELECT count(*) FROM queue"))

    def postpone(self, row: Waiting, *, attempts: int, not_before: float) -> None:
        """Try this one again later, unless it has changed meanwhile and waits on its own account."""
        with self._writing() as connection:
            connection.execute(
                "UPDATE queue SET attempts = ?, not_before = ? WHERE path = ? AND content = ?",
                (attempts, not_before, row.path, row.content),
            )

    def drop(self, row: Waiting) -> None:
        """This one needs no call: its file is gone, or is something else by now and comes through the
        feed."""
        with self._writing() as connection:
            connection.execute("DELETE FROM queue WHERE path = ? AND content = ?", (row.path, row.content))
            connection.execute("DELETE FROM seen WHERE path = ? AND content = ?", (row.path, row.content))

    def take_known(self, row: Waiting) -> bool:
        """Whether the content of this row got its result, or was set apart, since it was queued; then it
        leaves the queue, and a result counts as one reuse."""
        key = (row.content, row.language, self.extractor)
        with self._writing() as connection:
            connection.execute(
                "UPDATE results SET reused = reused + 1 WHERE content = ? AND language = ? AND extractor = ?",
                key,
            )
            known = bool(connection.changes()) or _quarantined(connection, key)
            if known:
                connection.execute(
                    "DELETE FROM queue WHERE path = ? AND content = ?", (row.path, row.content)
                )
        return known

    # --- results --------------------------------------------------------------------------------------

    def result(self, content: bytes, language: str) -> bytes | None:
        """The answer stored for a content, as JSON."""
        with self._reading() as connection:
            stored: Any = connection.execute(
                "SELECT stored FROM results WHERE content = ? AND language = ? AND extractor = ?",
                (content, language, self.extractor),
            ).get
        try:
            return None if stored is None else zlib.decompress(stored)
        except zlib.error as error:
            raise StoreError(
                f"{self.path}: a stored answer is damaged ({error}): remove that file"
            ) from error

    def quarantine(self, row: Waiting, reason: str, now: float) -> None:
        """Set this content apart: no call for it any more until `retry`."""
        with self._writing() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO quarantine VALUES (?, ?, ?, ?, ?, ?)",
                (row.content, row.language, self.extractor, row.path, reason, now),
            )
            connection.execute(
                "DELETE FROM queue WHERE content = ? AND language = ?", (row.content, row.language)
            )

    def quarantined(self) -> list[dict[str, Any]]:
        """What was set apart: ``path`` (one of those with the content), ``content`` (hex), ``reason``,
        ``at``."""
        with self._reading() as connection:
            rows: list[Any] = connection.execute(
                "SELECT path, lower(hex(content)), reason, at FROM quarantine WHERE extractor = ?"
                " ORDER BY path",
                (self.extractor,),
            ).fetchall()
        return [
            {"path": os.fsdecode(path), "content": content, "reason": reason, "at": at}
            for path, content, reason, at in rows
        ]

    def retry(self, path: bytes | None, now: float) -> int:
        """Queue what was set apart again, all of it or one path's content; how many contents."""
        where = "" if path is None else " AND content = (SELECT content FROM seen WHERE path = ?)"
        values = () if path is None else (path,)
        with self._writing() as connection:
            rows: list[Any] = connection.execute(
                f"DELETE FROM quarantine WHERE extractor = ?{where} RETURNING content, language",
                (self.extractor, *values),
            ).fetchall()
            for content, language in rows:
                connection.execute(
                    "INSERT OR IGNORE INTO queue SELECT path, content, language, 0, 1, ?, ?, ?, 0, 0"
                    " FROM seen WHERE content = ? AND language = ?",
                    (now, now, _NEVER, content, language),
                )
        return len(rows)

    # --- money ----------------------------------------------------------------------------------------

    def reserve(
        self, row: Waiting, nano: int, *, purpose: str, day_limit: int, total_limit: int, now: float
    ) -> int | Refused:
        """Take the worst case of one call off the budgets, durably, or say that it does not fit."""
        with self._writing() as connection:
            return ledger.reserve(
                connection,
                self.key(row.content, row.language),
                row.path,
                nano=nano,
                purpose=purpose,
                day_limit=day_limit,
                total_limit=total_limit,
                now=now,
            )

    def settle(
        self,
        number: int,
        *,
        nano: int | None,
        tokens: tuple[int, int] | None,
        outcome: str,
        answer: tuple[Waiting, bytes, float] | None = None,
    ) -> None:
        """Put the true cost in place of a reservation (None: it stays), and store the answer it bought, if
        any: (row, JSON, wall time). Both or neither, so nothing is paid for and lost."""
        with self._writing() as connection:
            ledger.settle(connection, number, nano, tokens, outcome)
            if answer is None:
                return
            row, text, now = answer
            cost = one(
                connection,
                "SELECT coalesce(sum(nano), 0) FROM ledger"
                " WHERE content = ? AND language = ? AND extractor = ?",
                (row.content, row.language, self.extractor),
            )
            connection.execute(
                "INSERT OR REPLACE INTO results VALUES (?, ?, ?, ?, ?, ?, 0)",
                (row.content, row.language, self.extractor, zlib.compress(text, 1), now, cost),
            )
            # The other paths with this content leave the queue as `take_known` meets them.
            connection.execute("DELETE FROM queue WHERE path = ? AND content = ?", (row.path, row.content))

    def spent(self, now: float) -> Spent:
        """What counts against the budgets."""
        with self._reading() as connection:
            return ledger.spent(connection, now)

    def saved(self) -> tuple[int, int]:
        """(how often a stored result was used again, what those calls would have cost)."""
        with self._reading() as connection:
            row: Any = connection.execute(
                "SELECT coalesce(sum(reused), 0), coalesce(sum(reused * nano), 0) FROM results"
                " WHERE extractor = ?",
                (self.extractor,),
            ).fetchone()
            _, reused, saved = llm_unused.collected(connection, self.extractor)
        return row[0] + reused, row[1] + saved

    def costs(self, limit: int) -> list[Mapping[str, Any]]:
        """Cost by content, the dearest first: ``path`` (of the latest call), ``content``, ``calls``,
        ``nano``,
        ``input_tokens``, ``output_tokens``, ``reused``, ``outcome`` of the latest call."""
        names = ("path", "content", "calls", "nano", "input_tokens", "output_tokens", "reused", "outcome")
        with self._reading() as connection:
            rows: list[Any] = connection.execute(
                "SELECT l.path, lower(hex(l.content)), count(*), sum(l.nano), sum(l.input_tokens),"
                " sum(l.output_tokens), coalesce(r.reused, 0), coalesce(l.outcome, l.state), max(l.id)"
                " FROM ledger l LEFT JOIN results r ON r.content = l.content AND r.language = l.language"
                " AND r.extractor = l.extractor GROUP BY l.content, l.language, l.extractor"
                " ORDER BY sum(l.nano) DESC, max(l.id) LIMIT ?",
                (limit,),
            ).fetchall()
        return [dict(zip(names, (os.fsdecode(row[0]), *row[1:8]), strict=True)) for row in rows]

    # --- what no file has any more --------------------------------------------------------------------

    def results_after(self, after: ResultKey | None, limit: int) -> list[ResultKey]:
        """The next answers, and contents that were set apart, of any model, in the order of their keys."""
        with self._reading() as connection:
            return llm_unused.page(connection, after, limit)

    def collect(
        self, keys: Sequence[ResultKey], used: Container[bytes], now: float, keep: float, *, fed: bool = True
    ) -> int:
        """Note which of `keys` are of no content in `used`, and delete those that have been so for `keep`
        seconds; how many answers went. What was spent and what was saved stay counted. `fed`: `note` is
        called with the change feed."""
        with self._writing() as connection:
            return llm_unused.judge(connection, keys, used, now, keep, fed=fed)

    def collected(self) -> int:
        """Answers of this model that were collected."""
        with self._reading() as connection:
            return llm_unused.collected(connection, self.extractor)[0]

    # --- life -----------------------------------------------------------------------------------------

    def close(self) -> None:
        """Close the file; calls under way find it closed. Idempotent."""
        with self._lock:
            connection, self._connection = self._connection, None
            if connection is not None:
                connection.close()

    @contextmanager
    def _reading(self) -> Iterator[apsw.Connection]:
        with self._lock:
            if self._connection is None:
                raise ClosedError(f"{self.path} is closed")
            try:
                yield self._connection
            except apsw.Error as error:
                raise _translated(error, self.path) from error

    @contextmanager
    def _writing(self) -> Iterator[apsw.Connection]:
        with self._reading() as connection, _transaction(connection):
            yield connection


def _quarantined(connection: apsw.Connection, key: tuple[bytes, str, str]) -> bool:
    sql = "SELECT 1 FROM quarantine WHERE content = ? AND language = ? AND extractor = ?"
    return connection.execute(sql, key).get is not None


@contextmanager
def _transaction(connection: apsw.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _migrate(connection: apsw.Connection, path: Path) -> None:
    found = int(connection.pragma("user_version"))
    if found > VERSION:
        raise SchemaTooNewError(str(path), found, VERSION)
    if found == 0:
        if one(connection, "SELECT count(*) FROM sqlite_schema"):
            raise StoreError(f"{path} is not a ledger of Currant: remove it")
    else:
        if int(connection.pragma("application_id")) != APPLICATION_ID:
            raise StoreError(f"{path} is not a ledger of Currant: remove it")
        # It may have come with the tree: no trigger of somebody else's, no amount below nothing.
        if _shape(connection) != _shape_as_made(found):
            raise apsw.CorruptError("its tables are not the ones it was made with")
        verdict = connection.execute("PRAGMA quick_check(1)").get
        if verdict != "ok":
            raise apsw.CorruptError(str(verdict))
    if found < VERSION:
        with _transaction(connection):
            _make(connection, _SCHEMAS[found:])
            connection.pragma("application_id", APPLICATION_ID)
            connection.pragma("user_version", VERSION)


def _make(connection: apsw.Connection, schemas: Iterable[str]) -> None:
    for schema in schemas:
        for _ in connection.execute(schema):
            pass


def _shape(connection: apsw.Connection) -> list[str]:
    return sorted(map(repr, connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_schema")))


def _shape_as_made(version: int) -> list[str]:
    fresh = apsw.Connection(":memory:")
    try:
        _make(fresh, _SCHEMAS[:version])
        return _shape(fresh)
    finally:
        fresh.close()


def _settle_in(connection: apsw.Connection, extractor: str | None, policy: str) -> str:
    """Forget what was decided under other rules, and for another model also which contents were
    considered."""
    rows: list[Any] = connection.execute("SELECT key, value FROM meta").fetchall()
    held: dict[str, str] = dict(rows)
    if extractor is None:
        return held.get("extractor", "")
    if held.get("extractor") != extractor:
        connection.execute("DELETE FROM queue")
        connection.execute("DELETE FROM seen")
    if (held.get("extractor"), held.get("policy")) != (extractor, policy):
        connection.execute("DELETE FROM meta")
        kept = [("extractor", extractor), ("policy", policy)]
        connection.executemany("INSERT INTO meta VALUES (?, ?)", kept)
    return extractor


def _translated(error: apsw.Error, path: Path) -> StoreError:
    found = translate(error, str(path))
    if isinstance(error, apsw.CorruptError | apsw.NotADBError):
        # Unlike an index it cannot be made from the files: the money it counts is in no file.
        return StoreError(
            f"{path} is damaged ({error}): no model is asked until you remove it; what was spent is then "
            "unknown, so lower llm.usd_total by what the provider's bill says"
        )
    return found
