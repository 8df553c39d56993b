"""Owns the rows of `files` and `results` during a write transaction: looked up many at a time before the
first item, written many at a time behind the last.

Every statement costs a turn at the interpreter's lock, which the workers want as well; with several for each
file, the turns took longer than the statements. What is put off is as if it were written: `row` and `result`
know of it, and whatever looks at the table by other ways calls `settle` first.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

import apsw

from currant.model import ResultKey
from currant.store.connection import TOGETHER, insert, one

FileRow = tuple[int | None, str, int, float, str, int]
"""Of a file: id of its result, state, inode, when it was seen, and the result's language and symbols."""

_FILES: Final = """
SELECT f.path, f.result_id, f.state, f.ino, f.seen_at, r.language, r.symbols
FROM files f LEFT JOIN results r ON r.id = f.result_id WHERE f.path IN """
_RESULTS: Final = "SELECT content, language, extractor_id, id, symbols FROM results WHERE content IN "
_SOMEONE: Final = "SELECT path FROM files WHERE result_id = ? AND path <> ? LIMIT 1"
_LAST_RESULT: Final = """
SELECT max(coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'results'), 0),
           coalesce((SELECT max(id) FROM results), 0))"""
_PUT_RESULT: Final = "INSERT INTO results (id, content, language, extractor_id, symbols, created_at) VALUES "
_PUT_FILE: Final = """
INSERT INTO files (path, size, mtime_ns, ctime_ns, ino, result_id, state, racy, reason, attempts, retry_at,
                   cause, seen_at, committed_seq, reused_from)
VALUES """
_OR_REPLACE: Final = """
ON CONFLICT (path) DO UPDATE SET
  size = excluded.size, mtime_ns = excluded.mtime_ns, ctime_ns = excluded.ctime_ns, ino = excluded.ino,
  result_id = excluded.result_id, state = excluded.state, racy = excluded.racy, reason = excluded.reason,
  attempts = excluded.attempts, retry_at = excluded.retry_at, cause = excluded.cause,
  seen_at = excluded.seen_at, committed_seq = excluded.committed_seq, reused_from = excluded.reused_from"""
_SAME_CONTENT: Final = """
UPDATE files SET size = ?, mtime_ns = ?, ctime_ns = ?, ino = ?, racy = ?, attempts = ?, cause = ?, seen_at = ?
WHERE path = ?"""


class Rows:
    """The rows of one transaction. `extractors` maps names to ids and grows with `add_result`."""

    def __init__(self, connection: apsw.Connection, extractors: dict[str, int]) -> None:
        self._connection = connection
        self._extractors = extractors
        self._files: dict[bytes, FileRow | None] = {}
        self._results: dict[ResultKey, tuple[int, int] | None] = {}
        self._last_result: int | None = None
        # What is put off, in the order in which it is written.
        self._new_results: list[tuple[Any, ...]] = []
        self._gone: dict[bytes, None] = {}
        self._same: dict[bytes, tuple[Any, ...]] = {}
        self._puts: dict[bytes, tuple[Any, ...]] = {}
        self._holders: dict[int, bytes] = {}

    def expect(self, paths: Collection[bytes], keys: Collection[ResultKey]) -> None:
        """Look up what will be asked for."""
        files = self._files
        files.update(dict.fromkeys(paths))
        for path, *row in _in(self._connection, _FILES, list(files)):
            files[path] = (*row,)
        self._results.update(dict.fromkeys(keys))
        self._results.update(results(self._connection, keys, self._extractors))

    def row(self, path: bytes) -> FileRow | None:
        """What is known of a file, None when it has no row."""
        if path not in self._files:
            found: Any = [*_in(self._connection, _FILES, [path])]
            self._files[path] = (*found[0][1:],) if found else None
        return self._files[path]

    def put(self, row: FileRow, values: tuple[Any, ...]) -> None:
        """Write a whole row, `values` in the order of the columns, in place of the one that may be there."""
        path = values[0]
        self._puts[path] = values
        self._files[path] = row
        if row[0] is not None:
            self._holders[row[0]] = path

    def touch(self, path: bytes, row: FileRow, values: tuple[Any, ...]) -> None:
        """The file has the same result as before: `values` for the columns of `_SAME_CONTENT`."""
        if path in self._puts:
            self.settle()
        self._same[path] = values
        self._files[path] = row

    def drop(self, path: bytes) -> None:
        """Remove a row."""
        if path in self._puts or path in self._same:
            self.settle()
        self._gone[path] = None
        self._files[path] = None

    def result(self, key: ResultKey) -> tuple[int, int] | None:
        """(id, number of symbols) of a result, None when there is none."""
        if key not in self._results:
            self._results[key] = results(self._connection, [key], self._extractors).get(key)
        return self._results[key]

    def add_result(self, key: ResultKey, symbols: int, now: float) -> int:
        """The id of a new result."""
        extractor = self._extractors.get(key.extractor)
        if extractor is None:
            self._connection.execute("INSERT INTO extractors (name) VALUES (?)", (key.extractor,))
            extractor = self._extractors[key.extractor] = self._connection.last_insert_rowid()
        if self._last_result is None:
            self._last_result = int(one(self._connection, _LAST_RESULT))
        self._last_result += 1
        number = self._last_result
        self._new_results.append((number, key.content, key.language, extractor, symbols, now))
        self._results[key] = (number, symbols)
        return number

    def someone_with(self, result: int, path: bytes) -> bytes:
        """Another path with this result; ``b""`` when only an earlier content had it."""
        holder = self._holders.get(result)
        if holder is not None and holder != path and self._has(holder, result):
            return holder
        found = self._ask_for(result, path)
        if found and not self._has(found, result):  # not any more, once all is written
            self.settle()
            found = self._ask_for(result, path)
        return found

    def _has(self, path: bytes, result: int) -> bool:
        row = self._files.get(path, ())
        return row is not None and (not row or row[0] == result)

    def _ask_for(self, result: int, path: bytes) -> bytes:
        row: Any = self._connection.execute(_SOMEONE, (result, path)).fetchone()
        return row[0] if row else b""

    def settle(self, *, forget: bool = False) -> None:
        """Write what was put off; with `forget`, the table is about to be changed by another way."""
        insert(self._connection, _PUT_RESULT, 6, self._new_results)
        self._connection.executemany("DELETE FROM files WHERE path = ?", ((path,) for path in self._gone))
        self._connection.executemany(_SAME_CONTENT, self._same.values())
        insert(self._connection, _PUT_FILE, 15, self._puts.values(), _OR_REPLACE)
        for done in (self._new_results, self._gone, self._same, self._puts):
            done.clear()
        if forget:
            self._files.clear()
            self._holders.clear()


def results(
    connection: apsw.Connection, keys: Collection[ResultKey], extractors: Mapping[str, int]
) -> dict[ResultKey, tuple[int, int]]:
    """Of each key that has a stored result: its id and how many symbols it has."""
    asked = {(key.content, key.language, extractors.get(key.extractor)): key for key in keys}
    contents = {key.content for key in keys if key.extractor in extractors}
    found = {}
    for content, language, extractor, number, symbols in _in(connection, _RESULTS, list(contents)):
        key = asked.get((content, language, extractor))
        if key is not None:
            found[key] = (number, symbols)
    return found


def _in(connection: apsw.Connection, head: str, values: Sequence[bytes]) -> Iterable[Any]:
    """The rows of a statement that ends with IN, for all values; a NULL is equal to nothing."""
    for start in range(0, len(values), TOGETHER):
        some = values[start : start + TOGETHER]
        width = 1 if len(some) == 1 else TOGETHER
        marks = ", ".join("?" * width)
        yield from connection.execute(f"{head} ({marks})", [*some, *[None] * (width - len(some))])
