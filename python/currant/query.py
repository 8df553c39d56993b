"""Owns every read of the index.

Each call takes one snapshot, so what it returns was true at one moment, and so was the clock in it.
Thread-safe: calls share nothing but the store and the cache. Paths come out as `str` with surrogateescape.
"""

import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import apsw
import msgspec

from currant import _core, finding, ranking
from currant.cache import MetadataCache
from currant.errors import UsageError
from currant.model import (
    ChangePage,
    ChangeRow,
    ChangeType,
    Definition,
    FailureRow,
    FileStat,
    FileView,
    Held,
    Provenance,
    Record,
)
from currant.store import Store, records, standing
from currant.store.commit import last_seq, tree_range, unsigned
from currant.store.connection import one
from currant.store.store import format_clock

_CLOCK: Final = re.compile(r"c:([0-9a-f]{8}):([0-9]{1,18})(?::([0-9a-f]*))?")

_FILE: Final = """
SELECT f.size, f.mtime_ns, f.ctime_ns, f.ino, f.state, f.racy, f.reason, f.attempts, f.retry_at, f.cause,
       f.seen_at, f.committed_seq, f.reused_from, f.result_id, r.content, r.language, e.name, r.created_at
FROM files f LEFT JOIN results r ON r.id = f.result_id LEFT JOIN extractors e ON e.id = r.extractor_id
WHERE f.path = ?"""
_FILE_FIELDS: Final = (
    *("size", "mtime_ns", "ctime_ns", "ino", "state", "racy", "reason", "attempts", "retry_at", "cause"),
    *("seen_at", "committed_seq", "reused_from", "result_id", "content", "language", "extractor"),
    "created_at",
)

_HELD: Final = """
SELECT f.path, f.size, f.mtime_ns, f.ctime_ns, f.ino, f.state, lower(hex(r.content))
FROM files f LEFT JOIN results r ON r.id = f.result_id"""
# CROSS JOIN keeps the order: what has the fact first, then its files through files_by_result.
_FACTS: Final = """
SELECT f.path, a.value FROM facts a CROSS JOIN files f ON f.result_id = a.result_id
WHERE a.name = ? AND (f.path > ? AND f.path < ? OR f.path = ?) ORDER BY f.path"""
_SHARING: Final = "SELECT count(*) FROM files WHERE result_id = (SELECT result_id FROM files WHERE path = ?)"
_IN_USE: Final = "SELECT 1 FROM results r JOIN files f ON f.result_id = r.id WHERE r.content = ? LIMIT 1"
_LANGUAGES: Final = """
SELECT t.language, t.files, t.symbols, coalesce(b.bytes, 0) FROM tally t LEFT JOIN (
  SELECT r.language AS language, total(f.size) AS bytes
  FROM files f JOIN results r ON r.id = f.result_id GROUP BY r.language
) b ON b.language = t.language WHERE t.files > 0 ORDER BY t.files DESC, t.language"""
_LISTED: Final = """
SELECT f.path, f.size, f.state, r.language FROM files f LEFT JOIN results r ON r.id = f.result_id
WHERE f.path > ? AND f.path < ? ORDER BY f.path LIMIT ?"""
_PATHS: Final = "SELECT path FROM files WHERE path > ? ORDER BY path LIMIT ?"
# Byte by byte: as texts, what is not UTF-8 would be stepped over.
_PATHS_WITH: Final = """
SELECT path FROM files WHERE path > ? AND instr(CAST(lower(path) AS BLOB), ?) ORDER BY path"""
_LAST_RESULT: Final = "SELECT coalesce(max(result_id), 0) FROM files WHERE result_id IS NOT NULL"
_NEAR_RESULT: Final = "SELECT path FROM files WHERE result_id >= ? ORDER BY result_id LIMIT 1"
_NAMES: Final = "SELECT path FROM files WHERE path >= ? AND path < ? ORDER BY path LIMIT ?"
_NAMES_PAGE: Final = 100
_COMPARED: Final = """
SELECT f.path, f.state, lower(hex(r.content)), f.reason, f.ctime_ns
FROM files f LEFT JOIN results r ON r.id = f.result_id"""


class Query:
    """Answers questions from the index as last committed."""

    def __init__(
        self,
        store: Store,
        cache: MetadataCache,
        *,
        current: Callable[[str, str], bool] = lambda _language, _extractor: True,
    ) -> None:
        """`current` tells whether an extractor (``outline/3:py-1``) is the one in use for a language; other
        records are marked."""
        self._store = store
        self._cache = cache
        self._current = current
        self.on_read: list[Callable[[Iterable[str]], None]] = []
        """Told of the paths in an answer, on the thread that asked."""
        store.on_commit.append(cache.committed)

    # --- definitions ----------------------------------------------------------------------------------

    def find(
        self,
        name: str,
        *,
        kind: str | None = None,
        language: str | None = None,
        exact: bool = False,
        path: str | None = None,
        documentation: bool | None = None,
        limit: int = 100,
    ) -> list[Definition]:
        """Definitions whose name or documentation matches `name`, the best match first; `exact`: whose name
        is `name`, in this letter case.

        In this order: the name itself, in other letter case, its beginning, the beginning of a word in it, a
        part of it; names a typing error or two away when there is none of these; documentation with all the
        words of `name` when no name is it (`documentation` True: always, False: never), and with words that
        begin with them when there is nothing else. Within each by path, then line. An empty `name` is part
        of every name; one letter is looked for at the beginning of names only. `kind` and `language` must
        agree exactly, case aside; `path` is a glob (see `ranking.paths`). Raises StoreError.
        """
        asked = finding.Asked(name, kind, language, exact, path, documentation, limit)
        with self._store.snapshot() as connection:
            found = finding.find(connection, lambda *which: self._piece_if(connection, *which), asked)
        self._told({definition.path for definition in found})
        return found

    def _told(self, paths: Iterable[str]) -> None:
        for listener in self.on_read:
            listener(paths)

    def _outdated(self, language: str | None, extractor: str | None) -> bool:
        return extractor is not None and not self._current(language or "", extractor)

    def _piece(self, connection: apsw.Connection, number: int) -> Record:
        record = self._cache.get(number)
        if record is None:
            stored = one(connection, "SELECT stored FROM records WHERE id = ?", (number,))
            try:
                record, size = records.decode(stored)
            except (ValueError, TypeError) as error:
                raise self._store.damaged(f"record {number}: {error}") from error
            self._cache.put(number, record, size)
        return record

    def _piece_if(
        self, connection: apsw.Connection, number: int, wanted: finding.Wanted | None
    ) -> Record | None:
        """The piece, or of it what can be wanted: that is of use to this question alone, and not kept."""
        if wanted is None:
            return self._piece(connection, number)
        record = self._cache.get(number)
        if record is not None:
            return record
        stored = one(connection, "SELECT stored FROM records WHERE id = ?", (number,))
        try:
            # The core opens it without the lock of the interpreter; most candidates of a search are none.
            text = _core.select(stored, wanted.lines, wanted.kind, wanted.language)
            return None if text is None else records.decode_json(text)
        except (ValueError, TypeError) as error:
            words = str(error).removeprefix("damaged record: ")
            raise self._store.damaged(f"damaged record {number}: {words}") from error

    def _whole(self, connection: apsw.Connection, result: int) -> Record:
        rows: list[Any] = connection.execute(
            "SELECT id FROM records WHERE id BETWEEN ? AND ? ORDER BY id", records.piece_ids(result)
        ).fetchall()
        if not rows:
            raise self._store.damaged(f"result {result} has no record")
        return records.join([self._piece(connection, number) for (number,) in rows])

    @contextmanager
    def snapshot(self) -> Iterator[apsw.Connection]:
        """One commit throughout, for reads that another module owns. Raises StoreError."""
        with self._store.snapshot() as connection:
            yield connection

    def facts(self, name: str, under: str = "") -> list[tuple[str, Any]]:
        """(path, value) of every file that has this fact, in byte order of the paths; `under`: only this file
        or those below this directory. Costs what has the fact. Raises StoreError."""
        below = _key(under)
        if under and not below:
            return []
        start, end = tree_range(below)
        with self._store.snapshot() as connection:
            rows: list[Any] = connection.execute(_FACTS, (name, start, end, below)).fetchall()
        try:
            return [(os.fsdecode(path), msgspec.json.decode(value)) for path, value in rows]
        except ValueError as error:
            raise self._store.damaged(f"a fact {name!r}: {error}") from error

    # --- files ----------------------------------------------------------------------------------------

    def show(self, path: str) -> FileView | None:
        """What the index holds about one file, None when it holds nothing. Raises StoreError."""
        view = self.look(path)
        if view is not None:
            self._told([path])
        return view

    def sharing(self, path: str) -> int:
        """How many files have the content of this one, itself included; 0 for none. Raises StoreError."""
        with self._store.snapshot() as connection:
            return int(one(connection, _SHARING, (os.fsencode(path),)))

    def contents_in_use(self, contents: Iterable[bytes]) -> set[bytes]:
        """Those of `contents` (hashes) that some file has. Raises StoreError."""
        with self._store.snapshot() as connection:
            return {one for one in contents if connection.execute(_IN_USE, (one,)).fetchone() is not None}

    def look(self, path: str) -> FileView | None:
        """As `show`, for ourselves: nobody has asked for this file."""
        with self._store.snapshot() as connection:
            row = _file(connection, path)
            if row is None:
                return None
            record = None if row["result_id"] is None else self._whole(connection, row["result_id"])
        return FileView(
            path=path,
            stat=FileStat(row["size"], row["mtime_ns"], row["ctime_ns"], unsigned(row["ino"])),
            language=record.language if record else None,
            record=record,
            content=row["content"].hex() if row["content"] else None,
            extractor=row["extractor"],
            indexed_at=row["seen_at"],
            state=row["state"],
            reason=row["reason"],
            outdated=self._outdated(row["language"], row["extractor"]),
        )

    def files(self, pattern: str | None = None, *, after: str = "", limit: int | None = None) -> list[bytes]:
        """Kept files, failed ones too, in byte order: those that `pattern` means (see `ranking.path_like`;
        None: all), behind the path `after`, at most `limit`. Raises StoreError."""
        if limit is not None and limit <= 0:
            return []
        if pattern is None:
            with self._store.snapshot() as connection:
                rows: list[Any] = connection.execute(
                    _PATHS, (_key(after), -1 if limit is None else limit)
                ).fetchall()
            return [path for (path,) in rows]
        if not _key(pattern):  # nothing, or what no path has
            return self.files(after=after, limit=limit) if not pattern else []
        wanted = ranking.path_like(pattern)
        found: list[bytes] = []
        with self._store.snapshot() as connection:
            cursor = connection.execute(_PATHS_WITH, (_key(after), ranking.path_part(pattern)))
            for (path,) in cursor:
                if wanted(os.fsdecode(path)):
                    found.append(path)
                    if len(found) == limit:
                        break
            cursor.close()
        return found

    def listing(self, under: str = "", after: str = "", limit: int = 1_000) -> list[dict[str, Any]]:
        """Up to `limit` files below the directory `under` and behind the path `after`, in byte order:
        ``path``, ``size`` in bytes, ``state``, ``language`` or None. Raises StoreError."""
        below = _key(under.strip("/"))
        if under.strip("/") and not below:
            return []
        start, end = tree_range(below)
        with self._store.snapshot() as connection:
            rows: list[Any] = connection.execute(
                _LISTED, (max(start, _key(after)), end, max(0, limit))
            ).fetchall()
        return [
            {"path": os.fsdecode(path), "size": size, "state": state, "language": language or None}
            for path, size, state, language in rows
        ]

    def why(self, path: str) -> Provenance | None:
        """How the row of one file came about, None when there is none. Raises StoreError."""
        with self._store.snapshot() as connection:
            row = _file(connection, path)
            if row is None:
                return None
            sharing = one(connection, "SELECT count(*) FROM files WHERE result_id = ?", (row["result_id"],))
        self._told([path])
        return Provenance(
            path=path,
            state=row["state"],
            cause=row["cause"],
            seen_at=row["seen_at"],
            attempts=row["attempts"],
            racy=bool(row["racy"]),
            content=row["content"].hex() if row["content"] else None,
            language=row["language"] or None,
            extractor=row["extractor"],
            extracted_at=row["created_at"],
            reused_from=None if row["reused_from"] is None else os.fsdecode(row["reused_from"]),
            shared_with=max(0, sharing - 1),
            reason=row["reason"],
            retry_at=row["retry_at"],
            clock=format_clock(self._store.uuid, row["committed_seq"]),
            outdated=self._outdated(row["language"], row["extractor"]),
        )

    def rows(self, path: str | None = None) -> list[tuple[str, str, str | None, str | None, int]]:
        """(path, state, content hash in hex or None, reason, ctime_ns) of all files, or of one: what `verify`
        compares the disk with. Raises StoreError."""
        with self._store.snapshot() as connection:
            if path is None:
                found = connection.execute(f"{_COMPARED} ORDER BY f.path")
            else:
                found = connection.execute(f"{_COMPARED} WHERE f.path = ?", (_key(path),))
            rows: list[Any] = found.fetchall()
        return [(os.fsdecode(row[0]), row[1], row[2] or None, row[3], row[4]) for row in rows]

    # --- for the audit --------------------------------------------------------------------------------

    def held(self, path: str) -> Held | None:
        """The row of one file. Raises StoreError."""
        with self._store.snapshot() as connection:
            row: Any = connection.execute(f"{_HELD} WHERE f.path = ?", (os.fsencode(path),)).fetchone()
        return None if row is None else _held(row)

    def held_from(self, start: bytes, count: int | None) -> list[Held]:
        """`count` rows (None: all) from the path `start` on, in byte order. Raises StoreError."""
        with self._store.snapshot() as connection:
            rows: list[Any] = connection.execute(
                f"{_HELD} WHERE f.path >= ? ORDER BY f.path LIMIT ?", (start, -1 if count is None else count)
            ).fetchall()
        return [_held(row) for row in rows]

    def last_result(self) -> int:
        """The greatest id of a result that a file has, 0 without any. Raises StoreError."""
        with self._store.snapshot() as connection:
            return int(one(connection, _LAST_RESULT))

    def near_result(self, result: int) -> bytes | None:
        """The path of a file with this result or the next greater one. Raises StoreError."""
        with self._store.snapshot() as connection:
            row: Any = connection.execute(_NEAR_RESULT, (result,)).fetchone()
        return None if row is None else row[0]

    def names_in(self, directory: str) -> set[str]:
        """Paths of the files directly in a directory, and of the directories in it that have files below.
        Costs what is in the directory, not what is below it. Raises StoreError."""
        prefix = os.fsencode(directory) + b"/" if directory else b""
        start, end = prefix, prefix[:-1] + b"0" if prefix else b"\xff" * 4_097
        names: set[str] = set()
        with self._store.snapshot() as connection:
            while True:
                rows: list[Any] = connection.execute(_NAMES, (start, end, _NAMES_PAGE)).fetchall()
                for (path,) in rows:
                    name, slash, _ = path[len(prefix) :].partition(b"/")
                    names.add(os.fsdecode(prefix + name))
                    start = path + b"\0"
                    if slash:
                        start = prefix + name + b"0"  # behind everything below it
                        break
                else:
                    if len(rows) < _NAMES_PAGE:
                        return names

    def failed(self) -> int:
        """How many files could not be indexed. Raises StoreError."""
        with self._store.snapshot() as connection:
            return int(one(connection, standing.FAILED))

    def failures(self, limit: int = 100) -> list[FailureRow]:
        """Files that could not be indexed, by path. Raises StoreError."""
        with self._store.snapshot() as connection:
            return standing.failures(connection, limit)

    def counts(self) -> dict[str, Any]:
        """``files`` (failed ones too), ``failed``, ``results``, ``symbols`` (definitions in files), and
        ``by_language``, files by language with ``""`` for none. Raises StoreError."""
        with self._store.snapshot() as connection:
            return standing.counts(connection)

    def languages(self) -> list[tuple[str, int, int, int]]:
        """(language, files, definitions, bytes) of what is indexed, ``""`` for no language, the most files
        first. The bytes cost a look at every row. Raises StoreError."""
        with self._store.snapshot() as connection:
            rows: list[Any] = connection.execute(_LANGUAGES).fetchall()
        return [(language, files, symbols, int(size)) for language, files, symbols, size in rows]

    # --- the feed -------------------------------------------------------------------------------------

    def version(self) -> int:
        """See `Store.version`."""
        return self._store.version()

    def clock(self) -> str:
        """The clock as of now. Raises StoreError."""
        with self._store.snapshot() as connection:
            return self._clock(last_seq(connection))

    def changes(self, since: str | None = None, limit: int = 1000) -> ChangePage:
        """Up to `limit` changes after `since`; None means from nothing.

        Raises UsageError for what is not a clock, StoreError.
        """
        uuid, seq, listed = _parse_clock(since)
        limit = max(1, limit)
        with self._store.snapshot() as connection:
            last = last_seq(connection)
            floor = int(one(connection, "SELECT value FROM meta WHERE key = 'floor'"))
            if uuid != self._store.uuid[:8] or not floor <= seq <= last:
                return self._listing(connection, last, b"", limit, fresh=True)
            if listed is not None:
                return self._listing(connection, seq, listed, limit, fresh=False)
            rows: list[Any] = connection.execute(
                "SELECT seq, path, kind, old_path, at FROM changes WHERE seq > ? ORDER BY seq LIMIT ?",
                (seq, limit),
            ).fetchall()
        changes = [
            ChangeRow(
                os.fsdecode(path),
                ChangeType(kind),
                None if old_path is None else os.fsdecode(old_path),
                at,
                self._clock(number),
            )
            for number, path, kind, old_path, at in rows
        ]
        reached = rows[-1][0] if rows else last
        return ChangePage(changes, self._clock(reached), fresh_instance=False, more=reached < last)

    def _listing(
        self, connection: apsw.Connection, seq: int, after: bytes, limit: int, *, fresh: bool
    ) -> ChangePage:
        """Every file as created, a page at a time, then the feed from `seq`, where the listing began.

        Later pages see later commits; what they saw too early comes again in the feed, which repeats
        itself harmlessly.
        """
        rows: list[Any] = connection.execute(
            "SELECT path, seen_at FROM files WHERE path > ? ORDER BY path LIMIT ?", (after, limit + 1)
        ).fetchall()
        page = rows[:limit]
        changes = [
            ChangeRow(os.fsdecode(path), ChangeType.CREATED, None, at, f"{self._clock(seq)}:{path.hex()}")
            for path, at in page
        ]
        if len(rows) > limit:
            return ChangePage(changes, changes[-1].clock, fresh_instance=fresh, more=True)
        more = seq < last_seq(connection)
        return ChangePage(changes, self._clock(seq), fresh_instance=fresh, more=more)

    def _clock(self, seq: int) -> str:
        return format_clock(self._store.uuid, seq)


def _key(path: str) -> bytes:
    """`path` as `files` has it, or what no file has: no bytes on any disk decode to some texts."""
    try:
        return os.fsencode(path)
    except UnicodeEncodeError:
        return b""


def _held(row: Any) -> Held:
    path, size, mtime_ns, ctime_ns, ino, state, content = row
    return Held(os.fsdecode(path), FileStat(size, mtime_ns, ctime_ns, unsigned(ino)), state, content or None)


def _file(connection: apsw.Connection, path: str) -> dict[str, Any] | None:
    row = connection.execute(_FILE, (_key(path),)).fetchone()
    return None if row is None else dict(zip(_FILE_FIELDS, row, strict=True))


def _parse_clock(since: str | None) -> tuple[str, int, bytes | None]:
    """(short uuid, row, last path of an unfinished listing); a clock of nothing for None."""
    if since is None:
        return "", -1, None
    match = _CLOCK.fullmatch(since)
    if match is None or len(match[3] or "") % 2:
        raise UsageError(f"{since!r} is not a clock: give one that an earlier answer carried, or none")
    return match[1], int(match[2]), None if match[3] is None else bytes.fromhex(match[3])
