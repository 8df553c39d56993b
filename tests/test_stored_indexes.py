"""An index that an older Currant wrote opens, becomes one of today and says the same as before."""

from pathlib import Path
from typing import Any

import apsw
import pytest

import stored_index
from currant.errors import SchemaTooNewError
from currant.store import schema
from store_kit import opened, query, upsert

VERSIONS = range(1, schema.VERSION + 1)


def made_now(tmp_path: Path, version: int) -> dict[str, Any]:
    """What an index with the same history says that this version made itself."""
    return stored_index.make(tmp_path / "now", version)


@pytest.mark.parametrize("version", VERSIONS)
def test_an_index_of_each_released_schema_opens_and_says_all_it_said(tmp_path: Path, version: int) -> None:
    expected = made_now(tmp_path, version)
    path = stored_index.restore(version, tmp_path)
    with opened(tmp_path) as store:
        assert store.opened.how == ("existing" if version == schema.VERSION else "migrated")
        assert stored_index.seen(store, query(store)) == expected
        store.commit([upsert(b"src/later.py", "later", names=("works",))], 9.0)
        assert [one.path for one in query(store).find("works")] == ["src/later.py"]
    with apsw.Connection(str(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").get == "ok"
        connection.execute("INSERT INTO terms (terms) VALUES ('integrity-check')")
        assert schema.version_of(connection) == schema.VERSION
    connection.close()


@pytest.mark.parametrize("version", VERSIONS)
def test_a_stored_index_is_of_the_schema_that_its_name_says(tmp_path: Path, version: int) -> None:
    connection = apsw.Connection(str(stored_index.restore(version, tmp_path)))
    assert schema.version_of(connection) == version
    assert connection.pragma("application_id") == schema.APPLICATION_ID
    fresh = apsw.Connection(":memory:")
    schema.migrate(fresh, schema.MIGRATIONS[:version])
    tables = "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name"
    # A migration that was edited after its release would leave other tables than it says today.
    assert connection.execute(tables).fetchall() == fresh.execute(tables).fetchall()
    fresh.close()
    connection.close()


def test_every_schema_has_its_stored_index() -> None:
    """Raised the version? Store an index: ``python tests/stored_index.py``."""
    kept = sorted(path.name for path in stored_index.DATA.glob("index-v*.sql"))
    assert kept == sorted(stored_index.stored(version).name for version in VERSIONS)


def test_an_index_of_a_newer_version_is_refused_and_nothing_in_its_directory_changes(tmp_path: Path) -> None:
    path = stored_index.restore(schema.VERSION, tmp_path)
    connection = apsw.Connection(str(path))
    connection.execute("CREATE TABLE of_the_future (a)")
    connection.pragma("user_version", schema.VERSION + 1)
    connection.close()
    (tmp_path / ".gitignore").write_text("*\n")
    before = {entry.name: entry.read_bytes() for entry in tmp_path.iterdir()}
    with pytest.raises(SchemaTooNewError, match="upgrade Currant, or remove that file"):
        opened(tmp_path)
    after = {entry.name: entry.read_bytes() for entry in tmp_path.iterdir()}
    assert {name: after[name] for name in before} == before
    assert set(after) - set(before) <= {"index.db-wal", "index.db-shm"}
