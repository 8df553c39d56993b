"""Owns how records get into the index of terms that searches look in (`terms`, `pieces`).

Not at once: a save would write to half a dozen pages of it for one file. The newest records, at most as many
as a search can open by the way, wait for a commit that takes them all; so do those of an older version, for
the idle writer. Until then all of them are candidates of every search (`store.search`), whatever becomes of
the process.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import apsw

from currant.store import records
from currant.store.connection import insert, one

WAITING_RECORDS: Final = 32
"""Records that may wait after a commit; a search opens each."""
WAITING_BYTES: Final = 32 * 1024
"""In all of them."""
OLDER_RECORDS: Final = 200
"""Records of an older version that one step takes."""

_MANY_ROWS: Final = 500
"""As many as only a first index, or a checkout, has in a commit."""
_AUTOMERGE: Final = 4
"""FTS5's own."""
_MERGES: Final = "SELECT v FROM terms_config WHERE k = 'automerge'"
_IN_ONE_STATEMENT: Final = 4_096
"""Rows; SQLite allows 32,766 values."""

_LISTED: Final = "SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'listed'"
_UNLISTED: Final = "SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'unlisted'"
_SET: Final = "UPDATE meta SET value = ? WHERE key = ?"
_WAITING: Final = "SELECT count(*), coalesce(sum(length(stored)), 0) FROM records WHERE id > ?"
_WAITED: Final = "SELECT id, stored FROM records WHERE id > ? AND id < ? ORDER BY id"
_OLDER: Final = "SELECT id, stored FROM records WHERE id <= ? ORDER BY id DESC LIMIT ?"
_LAST: Final = "SELECT coalesce(max(id), 0) FROM pieces"


def after_commit(connection: apsw.Connection, new: Mapping[int, str]) -> None:
    """Within a transaction that stored the records `new`, each with its terms: list all that wait, these too,
    when they are too many to wait. Raises apsw.Error."""
    listed = int(one(connection, _LISTED))
    if len(new) <= WAITING_RECORDS:
        count, size = connection.execute(_WAITING, (listed,)).get
        if count <= WAITING_RECORDS and size <= WAITING_BYTES:
            return
    waited: list[Any] = connection.execute(_WAITED, (listed, min(new))).fetchall()
    _put(connection, [*_with_terms(waited), *new.items()])
    connection.execute(_SET, (str(max(new)), "listed"))


def unlisted(connection: apsw.Connection) -> int:
    """How many results of an older version are not listed yet, at most. Raises apsw.Error."""
    return int(one(connection, _UNLISTED)) // records.PIECES


def older(connection: apsw.Connection) -> int:
    """List some records of an older version, the newest first; how many results are left, at most. One short
    transaction.

    Raises apsw.Error with nothing changed."""
    last = int(one(connection, _UNLISTED))
    rows: list[Any] = connection.execute(_OLDER, (last, OLDER_RECORDS)).fetchall() if last else []
    made = list(_with_terms(rows))
    left = rows[-1][0] - 1 if len(rows) == OLDER_RECORDS else 0
    if left == last:
        return 0
    connection.execute("BEGIN IMMEDIATE")
    try:
        _put(connection, made)
        connection.execute(_SET, (str(left), "unlisted"))
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return left // records.PIECES


def forget(connection: apsw.Connection, result: int) -> None:
    """Inside a transaction that deletes this result. Raises apsw.Error."""
    bounds = records.piece_ids(result)
    listed = "SELECT id FROM pieces WHERE record_id BETWEEN ? AND ?"
    connection.execute(f"DELETE FROM terms WHERE rowid IN ({listed})", bounds)
    connection.execute("DELETE FROM pieces WHERE record_id BETWEEN ? AND ?", bounds)


def _with_terms(rows: Iterable[tuple[int, bytes]]) -> Iterable[tuple[int, str]]:
    for number, stored in rows:
        try:
            yield number, records.terms(records.decode(stored)[0])
        except (ValueError, TypeError) as error:
            raise apsw.CorruptError(f"record {number}: {error}") from error


def _put(connection: apsw.Connection, made: Iterable[tuple[int, str]]) -> None:
    last = int(one(connection, _LAST))
    rows = [(number, record, text) for number, (record, text) in enumerate(filter(_text, made), last + 1)]
    insert(
        connection,
        "INSERT INTO pieces (id, record_id) VALUES",
        2,
        [(number, record) for number, record, _ in rows],
    )
    _merge_later(connection, len(rows) >= _MANY_ROWS)
    # Whatever writes several rows in one statement has FTS5 write out what it holds first, and make a segment
    # of it: one statement for all, not a statement for some.
    for start in range(0, len(rows), _IN_ONE_STATEMENT):
        some = rows[start : start + _IN_ONE_STATEMENT]
        marks = ", ".join(["(?, ?)"] * len(some))
        values = [value for number, _, text in some for value in (number, text)]
        connection.execute(f"INSERT INTO terms (rowid, text) VALUES {marks}", values, can_cache=False)


def _merge_later(connection: apsw.Connection, later: bool) -> None:
    """Whether commits from here on leave the merging of segments for later: to every 16th (FTS5's
    'crisismerge', one pass over what a first index writes) and to the idle writer (`store.upkeep`). Merging a
    little in each, as is right for saves, passes over the same four times."""
    wanted = 0 if later else _AUTOMERGE
    found = connection.execute(_MERGES).get
    if (_AUTOMERGE if found is None else found) != wanted:
        connection.execute("INSERT INTO terms (terms, rank) VALUES ('automerge', ?)", (wanted,))


def _text(made: tuple[int, str]) -> str:
    return made[1]
