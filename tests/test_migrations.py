"""Migrations: each reaches the next version in one transaction, or leaves the one before."""

from pathlib import Path

import apsw
import pytest

from currant.store import schema
from currant.store.connection import connect
from store_kit import opened, query, upsert

FIRST = "CREATE TABLE one (a)"
SECOND = "ALTER TABLE one ADD COLUMN b; INSERT INTO one VALUES (1, 2)"
BROKEN = "INSERT INTO one VALUES (3, 4); CREATE TABLE one (a)"


@pytest.fixture
def connection(tmp_path: Path) -> apsw.Connection:
    return connect(str(tmp_path / "index.db"), write=True)


def test_numbered_steps_run_once_and_in_order(connection: apsw.Connection) -> None:
    assert schema.migrate(connection, (FIRST,)) == 0
    assert schema.migrate(connection, (FIRST, SECOND)) == 1
    assert schema.migrate(connection, (FIRST, SECOND)) == 2
    assert connection.execute("SELECT * FROM one").fetchall() == [(1, 2)]
    assert schema.version_of(connection) == 2
    connection.close()


def test_a_failing_step_leaves_the_version_before(connection: apsw.Connection) -> None:
    with pytest.raises(apsw.SQLError):
        schema.migrate(connection, (FIRST, SECOND, BROKEN))
    assert schema.version_of(connection) == 2
    assert not connection.in_transaction
    assert connection.execute("SELECT * FROM one").fetchall() == [(1, 2)]
    connection.close()


def test_a_file_of_ours_is_marked_as_ours(connection: apsw.Connection) -> None:
    schema.migrate(connection)
    assert connection.pragma("application_id") == schema.APPLICATION_ID
    assert connection.pragma("user_version") == schema.VERSION == len(schema.MIGRATIONS)
    connection.close()


@pytest.mark.parametrize("version", range(1, schema.VERSION + 1))
def test_an_index_of_every_earlier_schema_opens_and_works(tmp_path: Path, version: int) -> None:
    connection = connect(str(tmp_path / "index.db"), write=True)
    schema.migrate(connection, schema.MIGRATIONS[:version])
    connection.close()
    with opened(tmp_path) as store:
        assert store.opened.how == ("existing" if version == schema.VERSION else "migrated")
        store.commit([upsert(b"a", names=("works",))], 1.0)
        assert [one.path for one in query(store).find("works")] == ["a"]
