"""A damaged index is set aside and rebuilt, and nothing else is."""

import os
from collections.abc import Callable
from pathlib import Path

import apsw
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from currant.errors import SchemaTooNewError, StoreDamagedError, StoreError
from currant.store import schema, seal
from store_kit import opened, overwrite, page_of, query, upsert


def fill(state: Path, files: int = 200) -> Path:
    with opened(state) as store:
        names = tuple(f"name{number}" for number in range(40))
        store.commit([upsert(b"%04d" % number, number, names=names) for number in range(files)], 1.0)
    (state / seal.SEAL_NAME).unlink()  # here it is about what is found without one
    return state / "index.db"


DAMAGE: dict[str, Callable[[Path], None]] = {
    "garbage header": lambda path: overwrite(path, 0, os.urandom(100)),
    "cut in half": lambda path: os.truncate(path, path.stat().st_size // 2),
    "cut to one byte": lambda path: os.truncate(path, 1),
    "cut within the header": lambda path: os.truncate(path, 99),
    "not ours": lambda path: overwrite(path, 68, b"\0\0\0\0"),
}


@pytest.mark.parametrize("what", DAMAGE)
def test_damaged_file_is_set_aside_and_rebuilt_with_a_message(tmp_path: Path, what: str) -> None:
    index = fill(tmp_path)
    DAMAGE[what](index)
    broken = index.read_bytes()
    with opened(tmp_path) as store:
        assert store.opened.how == "rebuilt"
        assert store.opened.reason
        assert store.opened.set_aside is not None
        assert store.opened.message is not None
        assert store.opened.set_aside in store.opened.message
        assert store.tree_rows() == []
        store.commit([upsert(b"a")], 1.0)
    # Kept for whoever wants to look; a clean start may only have moved its log in.
    assert Path(store.opened.set_aside).stat().st_size == pytest.approx(len(broken), abs=4096)
    with opened(tmp_path) as store:
        assert store.opened.how == "existing"
        assert query(store).files() == [b"a"]


def test_only_the_two_newest_damaged_files_are_kept(tmp_path: Path) -> None:
    for _ in range(4):
        overwrite(fill(tmp_path, 1), 0, b"x" * 100)
        opened(tmp_path).close()
    assert len(list(tmp_path.glob("index.db.damaged-*"))) == 2


def test_damage_found_while_reading_is_repaired_at_the_next_start(tmp_path: Path) -> None:
    index = fill(tmp_path, 20)
    connection = apsw.Connection(str(index))
    connection.execute("UPDATE records SET stored = x'00'")
    connection.close()
    with opened(tmp_path) as store:
        assert store.opened.how == "existing"
        with pytest.raises(StoreDamagedError, match="restart"):
            query(store).find("name1")
    with opened(tmp_path) as store:
        assert store.opened.how == "rebuilt"
        assert "damaged record" in str(store.opened.reason)
    with opened(tmp_path) as store:
        assert store.opened.how == "existing"


def test_garbage_in_the_name_index_is_an_error_not_a_wrong_answer(tmp_path: Path) -> None:
    index = fill(tmp_path)
    offset, size = page_of(index, "terms_data")
    overwrite(index, offset, b"\xa5" * size)
    with opened(tmp_path) as store, pytest.raises(StoreDamagedError):
        query(store).find("name1")
    with opened(tmp_path) as store:
        assert store.opened.how == "rebuilt"


def test_a_log_without_its_index_is_not_replayed_into_a_new_one(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.commit([upsert(b"a")], 1.0)
        log = (tmp_path / "index.db-wal").read_bytes()  # of a store that is about to close for good
    (tmp_path / "index.db").unlink()
    (tmp_path / "index.db-wal").write_bytes(log)
    with opened(tmp_path) as store:
        assert store.opened.how == "created"
        assert store.tree_rows() == []


def test_an_empty_file_becomes_an_index(tmp_path: Path) -> None:
    (tmp_path / "index.db").write_bytes(b"")
    with opened(tmp_path) as store:
        assert store.opened.how == "created"


def test_crash_between_two_renames_of_setting_aside_is_finished_at_the_next_start(tmp_path: Path) -> None:
    index = fill(tmp_path, 1)
    (tmp_path / "index.damaged").write_text("page 7 is never used")  # written before the first rename
    with opened(tmp_path) as store:
        assert (store.opened.how, store.opened.reason) == ("rebuilt", "page 7 is never used")
    assert not (tmp_path / "index.damaged").exists()
    assert index.exists()


def test_a_newer_schema_is_refused_and_left_untouched(tmp_path: Path) -> None:
    index = fill(tmp_path, 3)
    connection = apsw.Connection(str(index))
    connection.pragma("user_version", schema.VERSION + 1)
    connection.close()
    before = index.read_bytes()
    with pytest.raises(SchemaTooNewError, match=f"has schema {schema.VERSION + 1}.*upgrade Currant"):
        opened(tmp_path)
    assert index.read_bytes() == before


def test_a_directory_in_its_place_is_an_error_not_damage(tmp_path: Path) -> None:
    (tmp_path / "index.db").mkdir()
    with pytest.raises(StoreError):
        opened(tmp_path)
    assert (tmp_path / "index.db").is_dir()


def test_a_version_that_none_was_is_damage(tmp_path: Path) -> None:
    index = fill(tmp_path, 3)
    overwrite(index, 60, b"\x80")  # the sign of `user_version`
    with opened(tmp_path) as store:
        assert store.opened.how == "rebuilt"


@pytest.mark.parametrize("what", ["SELECT value FROM meta WHERE key = 'uuid'", "SELECT name FROM extractors"])
def test_a_text_that_is_none_is_damage(tmp_path: Path, what: str) -> None:
    index = fill(tmp_path, 3)
    connection = apsw.Connection(str(index), flags=apsw.SQLITE_OPEN_READONLY)
    text = str(connection.execute(what).get).encode()
    connection.close()
    overwrite(index, index.read_bytes().index(text), b"\x80")
    with opened(tmp_path) as store:
        assert store.opened.how == "rebuilt"


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_overwritten_range_is_rebuilt_in_the_end(tmp_path: Path, data: st.DataObject) -> None:
    for old in tmp_path.glob("index.*"):
        old.unlink()
    index = fill(tmp_path, 30)
    size = index.stat().st_size
    start = data.draw(st.integers(0, size - 1))
    garbage = data.draw(st.binary(min_size=1, max_size=min(5000, size - start)))
    overwrite(index, start, garbage)
    for _ in range(2):  # what is met while reading sets the index aside at the next start
        try:
            with opened(tmp_path) as store:
                reader = query(store)
                for path in reader.files():
                    reader.show(os.fsdecode(path))
                reader.find("name3")
                reader.changes(None)
                reader.counts()
                store.commit([upsert(b"new", "new", names=("fresh",))], 2.0)
                assert [one.path for one in reader.find("fresh")] == ["new"]
            return
        except (StoreDamagedError, SchemaTooNewError) as error:
            if isinstance(error, SchemaTooNewError):
                return
    pytest.fail("damaged again right after it was rebuilt")
