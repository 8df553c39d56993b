"""Owns the ledger of money in llm.db: reserve, settle, and what was spent. Amounts are whole nano-dollars.

A call is paid for before it is made: `reserve` takes the worst case off both budgets in one durable
transaction, or says that it does not fit. `settle` puts the true cost in its place. Whoever dies in between
leaves the worst case counted, for nobody can know whether the server has charged for it. The day is that of
UTC, and a call belongs to the day of its reservation.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import apsw

from currant.model import ResultKey
from currant.store.connection import one

SCHEMA: Final = """
CREATE TABLE ledger (
    id INTEGER PRIMARY KEY,
    at REAL NOT NULL,
    day TEXT NOT NULL,
    content BLOB NOT NULL,
    language TEXT NOT NULL,
    extractor TEXT NOT NULL,
    path BLOB NOT NULL,
    purpose TEXT NOT NULL,
    state TEXT NOT NULL,
    nano INTEGER NOT NULL CHECK (nano >= 0),
    input_tokens INTEGER,
    output_tokens INTEGER,
    outcome TEXT
) STRICT;
CREATE INDEX ledger_content ON ledger (content);
CREATE INDEX ledger_open ON ledger (id) WHERE state = 'reserved';
CREATE TABLE spent (
    day TEXT PRIMARY KEY,
    nano INTEGER NOT NULL CHECK (nano >= 0),
    calls INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
"""

ALL_DAYS: Final = ""


def day_of(now: float) -> str:
    """The UTC day of a wall time, ``2026-11-22``."""
    return datetime.fromtimestamp(now, UTC).date().isoformat()


def next_day(now: float) -> float:
    """Wall time at which the next UTC day begins."""
    midnight = datetime.fromtimestamp(now, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return (midnight + timedelta(days=1)).timestamp()


@dataclass(frozen=True, slots=True)
class Refused:
    """A reservation that does not fit. `budget` is ``day`` or ``total``; `never`: not even with nothing
    spent."""

    budget: str
    never: bool


@dataclass(frozen=True, slots=True)
class Spent:
    """What counts against the budgets now, with what is reserved and not settled in it."""

    today: int
    total: int
    reserved: int
    calls: int


def reserve(
    connection: apsw.Connection,
    key: ResultKey,
    path: bytes,
    *,
    nano: int,
    purpose: str,
    day_limit: int,
    total_limit: int,
    now: float,
) -> int | Refused:
    """Take `nano` off both budgets; the number of the reservation. Inside a transaction."""
    today = day_of(now)
    for budget, day, limit in (("total", ALL_DAYS, total_limit), ("day", today, day_limit)):
        if _spent(connection, day) + nano > limit:
            return Refused(budget, nano > limit)
    for day in (ALL_DAYS, today):
        connection.execute(
            "INSERT INTO spent VALUES (?, ?, 1) ON CONFLICT (day) DO UPDATE SET nano = nano + excluded.nano,"
            " calls = calls + 1",
            (day, nano),
        )
    connection.execute(
        "INSERT INTO ledger (at, day, content, language, extractor, path, purpose, state, nano)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, 'reserved', ?)",
        (now, today, key.content, key.language, key.extractor, path, purpose, nano),
    )
    return connection.last_insert_rowid()


def settle(
    connection: apsw.Connection, number: int, nano: int | None, tokens: tuple[int, int] | None, outcome: str
) -> None:
    """Put the true cost in place of a reservation. `nano` None: it is not known, so the worst case stays."""
    row: Any = connection.execute(
        "SELECT day, nano FROM ledger WHERE id = ? AND state = 'reserved'", (number,)
    ).fetchone()
    if row is None:
        return  # settled before
    day, reserved = row
    cost = reserved if nano is None else nano
    for which in (ALL_DAYS, day):
        connection.execute("UPDATE spent SET nano = nano + ? WHERE day = ?", (cost - reserved, which))
    connection.execute(
        "UPDATE ledger SET state = ?, nano = ?, input_tokens = ?, output_tokens = ?, outcome = ?"
        " WHERE id = ?",
        ("assumed" if nano is None else "settled", cost, *(tokens or (None, None)), outcome, number),
    )


def spent(connection: apsw.Connection, now: float) -> Spent:
    """What counts against the budgets."""
    reserved = one(connection, "SELECT coalesce(sum(nano), 0) FROM ledger WHERE state = 'reserved'")
    calls = connection.execute("SELECT calls FROM spent WHERE day = ?", (ALL_DAYS,)).get
    return Spent(_spent(connection, day_of(now)), _spent(connection, ALL_DAYS), reserved, calls or 0)


def add_up(connection: apsw.Connection) -> None:
    """At a start: the sums anew from the rows. They are there to be quick, and are believed by nobody."""
    connection.execute("DELETE FROM spent")
    connection.execute("INSERT INTO spent SELECT day, sum(nano), count(*) FROM ledger GROUP BY day")
    connection.execute(
        "INSERT INTO spent SELECT ?, coalesce(sum(nano), 0), count(*) FROM ledger", (ALL_DAYS,)
    )


def abandoned(connection: apsw.Connection) -> int:
    """At a start: reservations of a process that is gone. They stay counted. Returns how many."""
    connection.execute(
        "UPDATE ledger SET state = 'assumed', outcome = 'the process ended before the answer'"
        " WHERE state = 'reserved'"
    )
    return connection.changes()


def _spent(connection: apsw.Connection, day: str) -> int:
    return int(connection.execute("SELECT nano FROM spent WHERE day = ?", (day,)).get or 0)
