"""Owns the write transaction: items in, one commit out, or nothing at all.

Per path the order of the items is the order of what happened. Across paths the writer may bring them out
of order, so two rules keep a late rename from undoing what is newer; both are marked below.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final

import apsw
from msgspec import Struct

from currant.model import Failure, FileStat, Item, MoveTree, Packed, Remove, RemoveTree, ResultKey, Upsert
from currant.store import listing, records, references
from currant.store.connection import insert, one
from currant.store.rows import Rows

# Feed rows kept. A consumer further behind is told to start over; that costs it one listing.
FEED_ROWS: Final = 500_000
_FEED_SLACK: Final = 10_000
_NO_STAT: Final = FileStat(0, 0, -1, 0)

_SELECT_TREE: Final = """
SELECT f.path, f.result_id, r.language, r.symbols
FROM files f LEFT JOIN results r ON r.id = f.result_id WHERE f.path > ? AND f.path < ? ORDER BY f.path"""
_SAME_FAILURE: Final = """
UPDATE files SET size = ?, mtime_ns = ?, ctime_ns = ?, ino = ?, reason = ?, attempts = ?, retry_at = ?,
                 cause = ?, seen_at = ?
WHERE path = ?"""
_MOVE_FILE: Final = "UPDATE files SET path = ?, cause = ?, committed_seq = ?, reused_from = ? WHERE path = ?"
_PUT_TALLY: Final = """
INSERT INTO tally (language, files, symbols) VALUES (?, ?, ?)
ON CONFLICT (language) DO UPDATE SET files = files + excluded.files, symbols = symbols + excluded.symbols"""


def tree_range(path: bytes) -> tuple[bytes, bytes]:
    """Open interval of the paths strictly below a directory; ``b""`` is the root."""
    return (path + b"/", path + b"0") if path else (b"", b"\xff" * 4097)


def signed(value: int) -> int:
    """An unsigned 64-bit number (inodes may use the top bit) as SQLite can hold it."""
    return value - (1 << 64) if value >= 1 << 63 else value


def unsigned(value: int) -> int:
    """The inverse of `signed`, for inodes."""
    return value + (1 << 64) if value < 0 else value


class Outcome(Struct, frozen=True):
    """What one transaction did; true only once it is committed."""

    seq: int
    changes: int
    dropped: frozenset[int]
    missing: list[bytes]
    extractors: dict[str, int]


class _Encoded(Struct, frozen=True):
    pieces: list[tuple[bytes, str, str]]  # stored form, terms of names, terms of documentation
    symbols: int
    facts: list[tuple[str, bytes]]
    references: list[tuple[str, str | None, str, int, int]]


_Prepared = tuple[Item, _Encoded | None]


def prepare(items: Sequence[Item]) -> list[_Prepared]:
    """Encode the records, before and outside the transaction.

    A record that cannot be stored makes its own file a failure, not the whole commit.
    """
    out: list[_Prepared] = []
    for item in items:
        if not isinstance(item, Upsert) or item.record is None:
            out.append((item, None))
            continue
        if isinstance(item.record, Packed):
            made = item.record
            rows = references.rows_of_packed(made) if made.references else []
            out.append((item, _Encoded(records.complete(made), made.symbols, [], rows)))
            continue
        try:
            encoded = _Encoded(
                records.split(item.record),
                len(item.record.symbols),
                records.facts_of(item.record),
                references.rows_of(item.record),
            )
        except (ValueError, TypeError) as error:
            reason = f"its record cannot be stored: {error}"
            out.append((Failure(item.path, item.stat, reason, item.attempts + 1, None, item.cause), None))
        else:
            out.append((item, encoded))
    return out


def apply(
    connection: apsw.Connection, prepared: Sequence[_Prepared], now: float, extractors: dict[str, int]
) -> Outcome:
    """One BEGIN IMMEDIATE transaction with everything in it. `extractors` (name to id) is not changed.

    Raises apsw.Error with nothing written.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        run = _Run(connection, now, extractors)
        run.expect([item for item, _ in prepared])
        for item, encoded in prepared:
            run.take(item, encoded)
        outcome = run.finish()
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # some errors have rolled back already
            connection.execute("ROLLBACK")
        raise
    return outcome


class _Run:
    """The state of one transaction."""

    def __init__(self, connection: apsw.Connection, now: float, extractors: dict[str, int]) -> None:
        self._execute = connection.execute
        self._connection = connection
        self._now = now
        self._extractors = dict(extractors)
        self._rows = Rows(connection, self._extractors)
        self._seq = self._first = last_seq(connection)
        self._feed: list[tuple[int, bytes, str, bytes | None, float]] = []
        self._records: list[tuple[int, bytes]] = []
        self._terms: dict[int, str] = {}
        self._facts: list[tuple[int, str, bytes]] = []
        self._references: list[tuple[Any, ...]] = []
        self._tally: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])
        self._dropped: set[int] = set()
        self._missing: list[bytes] = []

    def expect(self, items: Sequence[Item]) -> None:
        """Look up what `take` will ask for."""
        named = [item for item in items if isinstance(item, Upsert | Failure | Remove)]
        upserts = [item for item in named if isinstance(item, Upsert)]
        paths = {item.path for item in named}
        paths.update(item.old_path for item in upserts if item.old_path is not None)
        self._rows.expect(paths, {item.key for item in upserts})
        self._any_unused = bool(one(self._connection, "SELECT EXISTS (SELECT 1 FROM unused)"))

    def take(self, item: Item, encoded: _Encoded | None) -> None:
        match item:
            case Upsert():
                self._upsert(item, encoded)
            case Failure():
                self._failure(item)
            case Remove():
                self._remove(item)
            case RemoveTree():
                self._remove_tree(item)
            case MoveTree():
                self._move_tree(item)

    def finish(self) -> Outcome:
        self._rows.settle()
        connection, many = self._connection, self._connection.executemany
        insert(connection, "INSERT INTO records (id, stored) VALUES", 2, self._records)
        if self._terms:
            listing.after_commit(connection, self._terms)
        insert(connection, "INSERT INTO facts (result_id, name, value) VALUES", 3, self._facts)
        if self._references:
            references.insert(connection, self._references)
        if self._feed:
            insert(connection, "INSERT INTO changes (seq, path, kind, old_path, at) VALUES", 5, self._feed)
            self._trim_feed()
        tally = [(language, *delta) for language, delta in self._tally.items() if any(delta)]
        if tally:
            many(_PUT_TALLY, tally)
        dropped = frozenset(records.piece_ids(result)[0] for result in self._dropped)
        return Outcome(self._seq, self._seq - self._first, dropped, self._missing, self._extractors)

    # --- one item each --------------------------------------------------------------------------------

    def _upsert(self, item: Upsert, encoded: _Encoded | None) -> None:
        found = self._rows.result(item.key)
        if found is None:
            if encoded is None:
                self._missing.append(item.path)
                return
            result, symbols = self._add_result(item.key, encoded), encoded.symbols
        else:
            result, symbols = found
        stat, old = item.stat, self._rows.row(item.path)
        moved = self._leave_old_path(item)
        numbers = _numbers(stat)
        if old is not None and old[0] == result and not moved:
            row = (result, old[1], numbers[3], item.seen_at, old[4], old[5])
            values = (*numbers, int(item.racy), item.attempts, item.cause, item.seen_at, item.path)
            self._rows.touch(item.path, row, values)
            return
        reused = None
        if found is not None and self._any_unused:  # in use again, if it was not
            self._execute("DELETE FROM unused WHERE result_id = ?", (result,))
        if item.record is None:
            reused = item.old_path if moved else self._rows.someone_with(result, item.path)
        if old is not None:
            self._forget(old[0], old[4], old[5])
        self._count(item.key.language, 1, symbols)
        if moved:
            seq = self._say("renamed", item.path, item.old_path)
        else:
            seq = self._say("created" if old is None else "modified", item.path)
        self._rows.put(
            (result, "ok", numbers[3], item.seen_at, item.key.language, symbols),
            (
                *(item.path, *numbers, result, "ok", int(item.racy), None),
                *(item.attempts, None, item.cause, item.seen_at, seq, reused),
            ),
        )

    def _leave_old_path(self, item: Upsert) -> bool:
        """Remove the row of the old name; False when there was none to remove."""
        if item.old_path is None or item.old_path == item.path:
            return False
        there = self._rows.row(item.old_path)
        if there is None:
            return False
        # Rule 1: a row of another inode that was read later is a new file under the old name.
        if unsigned(there[2]) != item.stat.ino and there[3] >= item.seen_at:
            return False
        self._rows.drop(item.old_path)
        self._forget(there[0], there[4], there[5])
        return True

    def _failure(self, item: Failure) -> None:
        old = self._rows.row(item.path)
        numbers = _numbers(item.stat or _NO_STAT)
        attempts = max(1, item.attempts)  # 0 would say that it did not fail
        row = (None, "failed", numbers[3], self._now, "", 0)
        if old is not None and old[1] == "failed":
            self._rows.settle(forget=True)
            self._execute(
                _SAME_FAILURE,
                (*numbers, item.reason, attempts, item.retry_at, item.cause, self._now, item.path),
            )
            return
        if old is not None:
            self._forget(old[0], old[4], old[5])
        seq = self._say("created" if old is None else "modified", item.path)
        self._rows.put(
            row,
            (
                *(item.path, *numbers, None, "failed", 0, item.reason),
                *(attempts, item.retry_at, item.cause, self._now, seq, None),
            ),
        )

    def _remove(self, item: Remove) -> None:
        old = self._rows.row(item.path)
        if old is None:
            return
        self._rows.drop(item.path)
        self._forget(old[0], old[4], old[5])
        self._say("deleted", item.path)

    def _remove_tree(self, item: RemoveTree) -> None:
        # The path may have been a file itself, and a directory has its name now.
        self._remove(Remove(item.path, item.cause))
        self._rows.settle(forget=True)
        bounds = tree_range(item.path)
        rows: list[tuple[Any, ...]] = self._execute(_SELECT_TREE, bounds).fetchall()
        for path, result, language, symbols in rows:
            self._forget(result, language, symbols)
            self._say("deleted", path)
        self._execute("DELETE FROM files WHERE path > ? AND path < ?", bounds)

    def _move_tree(self, item: MoveTree) -> None:
        if item.old == item.new:
            return
        self._rows.settle(forget=True)
        cut = len(item.old) + 1 if item.old else 0
        prefix = item.new + b"/" if item.new else b""
        rows: list[tuple[Any, ...]] = self._execute(_SELECT_TREE, tree_range(item.old)).fetchall()
        moves = {path: prefix + path[cut:] for path, *_ in rows}
        if not moves.keys().isdisjoint(moves.values()):
            # One tree lies inside the other: begin at the end of each chain, so that places are free.
            rows.sort(key=lambda row: len(row[0]), reverse=len(prefix) > cut)
        updates: list[tuple[bytes, str, int, bytes, bytes]] = []
        for path, result, language, symbols in rows:
            target = moves[path]
            if target not in moves and self._rows.row(target) is not None:
                # Rule 2: a row already there was read under that name, which is better than a carried one.
                self._execute("DELETE FROM files WHERE path = ?", (path,))
                self._forget(result, language, symbols)
                self._say("deleted", path)
                continue
            seq = self._say("renamed", target, path)
            updates.append((target, item.cause, seq, path, path))
        self._connection.executemany(_MOVE_FILE, updates)
        self._rows.settle(forget=True)

    # --- what the items share -------------------------------------------------------------------------

    def _add_result(self, key: ResultKey, encoded: _Encoded) -> int:
        result = self._rows.add_result(key, encoded.symbols, self._now)
        self._facts += ((result, name, value) for name, value in encoded.facts)
        self._references += ((result, number, *one) for number, one in enumerate(encoded.references))
        for number, (stored, names, words) in enumerate(encoded.pieces, records.piece_ids(result)[0]):
            self._records.append((number, stored))
            self._terms[number] = records.joined(names, words)
        return result

    def _say(self, kind: str, path: bytes, old_path: bytes | None = None) -> int:
        self._seq += 1
        self._feed.append((self._seq, path, kind, old_path, self._now))
        return self._seq

    def _count(self, language: str, files: int, symbols: int) -> None:
        delta = self._tally[language]
        delta[0] += files
        delta[1] += symbols

    def _forget(self, result: int | None, language: str, symbols: int) -> None:
        if result is not None:
            self._dropped.add(result)
            self._count(language, -1, -symbols)

    def _trim_feed(self) -> None:
        floor = int(one(self._connection, "SELECT value FROM meta WHERE key = 'floor'"))
        if self._seq - floor > FEED_ROWS + _FEED_SLACK:
            floor = self._seq - FEED_ROWS
            self._execute("DELETE FROM changes WHERE seq <= ?", (floor,))
            self._execute("UPDATE meta SET value = ? WHERE key = 'floor'", (str(floor),))


def last_seq(connection: apsw.Connection) -> int:
    """The newest row of the feed as this connection sees it, 0 when there never was one."""
    return int(one(connection, "SELECT coalesce(max(seq), 0) FROM changes"))


def _numbers(stat: FileStat) -> tuple[int, int, int, int]:
    low, high = -(1 << 63), (1 << 63) - 1  # times beyond the year 2262 exist on disk
    return (
        min(stat.size, high),
        min(max(stat.mtime_ns, low), high),
        min(max(stat.ctime_ns, low), high),
        signed(stat.ino),
    )
