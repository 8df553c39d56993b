"""Owns how an index comes to be open: state directory, checks, migration, setting a damaged file aside.

Files are told apart by name, `stat` and seal only. Once SQLite has opened index.db nothing opens it in any
other way: a plain open and close would drop the POSIX locks of every connection in the process.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

import apsw

from currant import statedir
from currant.errors import SchemaTooNewError, StoreError
from currant.model import Opened
from currant.store import schema, seal
from currant.store.connection import connect, one, require_safe_sqlite, translate

INDEX_NAME: Final = "index.db"
# Written when a read or a commit meets damage that the checks at the start do not see.
DAMAGE_MARK: Final = "index.damaged"
_SUFFIXES: Final = ("", "-wal", "-shm")
_KEPT_ASIDE: Final = 2
_SMALLEST_PAGE: Final = 512


# What opening a damaged file raises: SQLError for a header or a schema that makes no sense, the last one for
# text that is no longer UTF-8.
_DAMAGE: Final = (apsw.CorruptError, apsw.NotADBError, apsw.SQLError, UnicodeDecodeError)


# What whoever opens an index reads first.
_TEXTS: Final = ("SELECT key, value FROM meta", "SELECT name FROM extractors")


class _Damaged(Exception):
    """This file cannot be used as an index; the argument says why."""


def open_index(state_dir: Path, now: float, discard: str | None = None) -> tuple[apsw.Connection, Opened]:
    """The one write connection to the index below `state_dir`, checked and up to date. `discard` says why the
    index that may be there is to be set aside unseen.

    Raises UnsafeSQLiteError, SchemaTooNewError (file untouched) and StoreError.
    """
    require_safe_sqlite()
    statedir.prepare(state_dir)
    path = state_dir / INDEX_NAME
    try:
        try:
            if discard is not None:
                raise _Damaged(discard)
            return _open(path, state_dir / DAMAGE_MARK)
        except _Damaged as damage:
            reason = str(damage)
        aside = None
        if os.path.lexists(path):
            mark_damaged(state_dir, reason)  # so that a crash between two renames is followed by a second try
            aside = str(_set_aside(path, now))
        connection, _ = _open(path, state_dir / DAMAGE_MARK)
        return connection, Opened("rebuilt", reason, aside)
    except _Damaged as damage:
        raise StoreError(f"{path}: a new index cannot be made either ({damage}): check the disk") from damage
    except apsw.Error as error:
        raise translate(error, str(path)) from error
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror or error}") from error


def mark_damaged(state_dir: Path, reason: str) -> None:
    """Have the next start set the index aside. Best effort: the reader gets the error in any case."""
    try:
        mark = state_dir / DAMAGE_MARK
        _make_private(mark)
        mark.write_text(reason[:500], encoding="utf-8", errors="replace")
    except OSError:
        return


def _open(path: Path, mark: Path) -> tuple[apsw.Connection, Opened]:
    existed = path.exists()
    if existed:
        if mark.exists():
            raise _Damaged(mark.read_text(encoding="utf-8", errors="replace") or "found damaged while in use")
        verdict, reason = seal.judge(path)  # before a connection makes a log
        _look(path)
        if verdict is seal.Verdict.CHANGED:
            raise _Damaged(reason)
    else:
        verdict = seal.Verdict.UNKNOWN
        mark.unlink(missing_ok=True)
        for suffix in _SUFFIXES[1:]:  # a log without its index would be replayed into the new one
            path.with_name(path.name + suffix).unlink(missing_ok=True)
    for suffix in _SUFFIXES:  # SQLite gives a log that it makes the rights that the index has by then
        _make_private(path.with_name(path.name + suffix), create=not suffix)
    try:
        connection = connect(str(path), write=True)
    except _DAMAGE as error:
        raise _Damaged(str(error)) from error
    try:
        if existed:
            _check(connection, everything=verdict is not seal.Verdict.WHOLE)
        one(connection, "SELECT count(*) FROM sqlite_schema")  # from here on the log is there
        seal.opened(path)
        found = schema.migrate(connection)
        schema.settle(connection, str(os.stat(path).st_ino), anew=verdict is seal.Verdict.CUT_OFF)
        if not schema.is_as_made(connection):
            raise _Damaged("its tables are not the ones it was made with")
        for text in _TEXTS:  # no check of SQLite's own sees a text that is none
            connection.execute(text).fetchall()
    except _DAMAGE as error:
        abandon(connection, path)
        raise _Damaged(str(error)) from error
    except OSError as error:
        abandon(connection, path)
        raise StoreError(
            f"cannot write beside {path} ({error.strerror or error}): make room, or name another directory "
            "with --state-dir"
        ) from error
    except BaseException:
        abandon(connection, path)
        raise
    if found == 0:
        return connection, Opened("created")
    return connection, Opened("existing" if found == schema.VERSION else "migrated")


def abandon(connection: apsw.Connection, path: Path) -> None:
    """Close an index that could not be put to use, so that the next start finds it closed."""
    # What is not marked as open keeps its seal: nothing was written yet.
    was_open = seal.is_open(path)
    if was_open:
        seal.closing(path)
    connection.close()
    if was_open:
        seal.closed(path)


def _make_private(path: Path, *, create: bool = True) -> None:
    """Have a file that only its owner may read and write, whatever the umask. Raises OSError."""
    try:
        # Opened only when it is new: nobody holds a lock on it that closing could drop.
        if create:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        pass
    with suppress(FileNotFoundError):
        os.chmod(path, 0o600)


def _look(path: Path) -> None:
    """Refuse what is not ours or too new, through a connection that can write nothing."""
    if 0 < _size(path) < _SMALLEST_PAGE:
        raise _Damaged("cut short")  # SQLite would take it for an empty file
    try:
        _judge(path, apsw.SQLITE_OPEN_READONLY)
    except apsw.ReadOnlyError:
        # Cut off in the first transaction, before there was a log: only who may write can take it back.
        _judge(path, apsw.SQLITE_OPEN_READWRITE)


def _judge(path: Path, flags: int) -> None:
    try:
        connection = apsw.Connection(str(path), flags=flags)
    except _DAMAGE as error:
        raise _Damaged(str(error)) from error
    try:
        connection.set_busy_timeout(1000)
        connection.pragma("trusted_schema", 0)
        found = schema.version_of(connection)
        ours = int(connection.pragma("application_id")) == schema.APPLICATION_ID
        # A newer schema may not parse here, so the number is judged before the tables.
        tables = (
            0 if ours and found > schema.VERSION else one(connection, "SELECT count(*) FROM sqlite_schema")
        )
    except _DAMAGE as error:
        raise _Damaged(str(error)) from error
    finally:
        connection.close()
    if tables and not ours:
        raise _Damaged("not a Currant index")
    if found > schema.VERSION:
        raise SchemaTooNewError(str(path), found, schema.VERSION)


def _check(connection: apsw.Connection, *, everything: bool) -> None:
    """Raise _Damaged when the file does not hang together.

    After a clean end the small tables are checked; the rows of `files` are all read a moment later, to be
    compared with the disk, and a page that does not parse is found then. After a crash `files`, the feed
    and the list of results are checked as well. Records and names, nearly all of the file, are not: that
    would take seconds at every start. They are checked when they are used: records carry a checksum, and
    SQLite reports pages that do not parse.
    """
    tables = ["meta", "extractors", "tally"] + (["files", "changes", "results"] if everything else [])
    for table in tables:
        if schema.version_of(connection) == 0:
            return
        verdict = one(connection, f"PRAGMA quick_check('{table}')")
        if verdict != "ok":
            first = verdict if isinstance(verdict, str) else str(verdict[0])
            raise _Damaged(first.replace("*** in database main ***\n", "").splitlines()[0])


def _set_aside(path: Path, now: float) -> Path:
    """Rename the index and its companions; returns the new name. Only the two newest are kept."""
    stamp = int(now)
    aside = path.with_name(f"{path.name}.damaged-{stamp}")
    while aside.exists():
        stamp += 1
        aside = path.with_name(f"{path.name}.damaged-{stamp}")
    for suffix in reversed(_SUFFIXES):  # the index itself last: its log must never meet a new index
        source = path.with_name(path.name + suffix)
        if source.exists():
            source.rename(aside.with_name(aside.name + suffix))
    older = sorted(
        (one for one in path.parent.glob(f"{path.name}.damaged-*") if one.name.rpartition("-")[2].isdigit()),
        key=lambda one: int(one.name.rpartition("-")[2]),
    )
    for old in older[:-_KEPT_ASIDE]:
        for suffix in _SUFFIXES:
            old.with_name(old.name + suffix).unlink(missing_ok=True)
    return aside


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
