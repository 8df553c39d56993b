"""The store: opening, committing, reading beside a writer, closing."""

import os
import re
import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from currant.errors import ClosedError, StoreDamagedError, StoreError, StoreFullError, UnsafeSQLiteError
from currant.model import CommitInfo, Failure, FileStat, MoveTree, Record, Remove, RemoveTree
from currant.store import Store, commit, rows, search
from currant.store.connection import is_safe, require_safe_sqlite
from fake_engine import FakeEngine, unpacked
from store_kit import key, opened, overwrite, query, symbol, upsert


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = opened(tmp_path / "state")
    yield store
    store.close()
    assert database_fds() == []


def database_fds() -> list[str]:
    links = []
    for fd in os.listdir("/proc/self/fd"):
        try:
            links.append(os.readlink(f"/proc/self/fd/{fd}"))
        except FileNotFoundError:
            continue
    return [link for link in links if "index.db" in link]


# --- opening ------------------------------------------------------------------------------------------


def test_open_makes_a_private_directory_that_git_ignores(tmp_path: Path) -> None:
    state = tmp_path / "deep" / "state"
    with opened(state) as store:
        assert store.opened.how == "created"
        assert stat.S_IMODE(state.stat().st_mode) == 0o700
        assert stat.S_IMODE((state / "index.db").stat().st_mode) == 0o600
        assert (state / ".gitignore").read_text() == "*\n"


def test_uuid_clock_and_rows_survive_a_restart(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        uuid, clock = store.uuid, store.commit([upsert(b"a"), upsert(b"b", racy=True)], 1.0)
    with opened(tmp_path) as store:
        assert store.opened.how == "existing"
        assert (store.uuid, store.clock()) == (uuid, clock) == (uuid, f"c:{uuid[:8]}:2")
        assert store.tree_rows() == [(b"a", 1, 2, 3, 1, 0), (b"b", 1, 2, -1, 1, 0)]
        assert store.find_results([key(0)])


def test_state_dir_that_cannot_be_made_is_a_store_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot use"):
        opened(tmp_path / "file" / "state")


@pytest.mark.parametrize(
    ("version", "safe"),
    [
        (3040001, False),
        (3044005, False),
        (3044006, True),
        (3045000, False),
        (3050006, False),
        (3050007, True),
        (3051002, False),
        (3051003, True),
        (3052000, False),
        (3053000, True),
    ],
)
def test_versions_that_can_lose_commits_are_refused(version: int, safe: bool) -> None:
    assert is_safe(version) == safe
    if safe:
        require_safe_sqlite(version)
    else:
        with pytest.raises(UnsafeSQLiteError, match="WAL-reset"):
            require_safe_sqlite(version)


# --- committing ---------------------------------------------------------------------------------------


def test_same_content_updates_the_stat_and_says_nothing(store: Store) -> None:
    clock = store.commit([upsert(b"a", 1)], 1.0)
    assert store.commit([upsert(b"a", 1, size=9, ino=7)], 2.0) == clock
    assert store.tree_rows() == [(b"a", 9, 2, 3, 7, 0)]


def test_reuse_needs_the_result_to_be_there(store: Store) -> None:
    assert not store.find_results([key(1)])
    store.commit([upsert(b"a", 1), upsert(b"b", 2, reuse=True)], 1.0)
    assert store.last_missing == [b"b"]
    assert [row[0] for row in store.tree_rows()] == [b"a"]
    store.commit([upsert(b"b", 1, reuse=True)], 2.0)
    assert store.last_missing == []
    why = query(store).why("b")
    assert why is not None
    assert (why.reused_from, why.shared_with) == ("a", 1)


def test_a_content_that_comes_back_is_reused_from_history(store: Store) -> None:
    store.commit([upsert(b"a", 1)], 1.0)
    store.commit([upsert(b"a", 2)], 2.0)
    store.commit([upsert(b"a", 1, reuse=True)], 3.0)
    why = query(store).why("a")
    assert why is not None
    assert why.reused_from == ""
    assert why.extracted_at == 1.0


def test_results_hold_no_path(store: Store) -> None:
    store.commit([upsert(b"one", 1), upsert(b"two", 1)], 1.0)
    with store.snapshot() as connection:
        assert connection.execute("SELECT count(*) FROM results").get == 1
        tables = ("results", "records")
        columns = [
            connection.execute("SELECT name FROM pragma_table_info(?)", (t,)).fetchall() for t in tables
        ]
    assert not any("path" in str(column) for column in columns)


def test_rename_keeps_a_new_file_under_the_old_name(store: Store) -> None:
    """The rename of a to b arrives after the new a was committed."""
    store.commit([upsert(b"a", 1, ino=1, seen_at=1.0)], 1.0)
    store.commit([upsert(b"a", 2, ino=2, seen_at=5.0)], 5.0)
    store.commit([upsert(b"b", 1, ino=1, seen_at=4.0, old_path=b"a", reuse=True)], 5.0)
    assert [row[0] for row in store.tree_rows()] == [b"a", b"b"]
    store.commit([upsert(b"c", 1, ino=1, seen_at=5.0, old_path=b"a", reuse=True)], 5.0)
    assert [row[0] for row in store.tree_rows()] == [b"a", b"b", b"c"]
    store.commit([upsert(b"d", 1, ino=1, seen_at=5.1, old_path=b"a", reuse=True)], 5.0)
    assert [row[0] for row in store.tree_rows()] == [b"b", b"c", b"d"]


def test_rename_onto_a_file_of_the_same_content_still_removes_the_old_name(store: Store) -> None:
    clock = store.commit([upsert(b"a", 1, ino=1), upsert(b"b", 1, ino=2)], 1.0)
    store.commit([upsert(b"b", 1, ino=1, old_path=b"a", reuse=True)], 2.0)
    (row,) = query(store).changes(clock).changes
    assert (row.path, row.old_path, row.change_type.value) == ("b", "a", "renamed")
    assert query(store).files() == [b"b"]


@pytest.mark.parametrize(("old", "new"), [(b"a", b"a/a"), (b"a/a", b"a"), (b"", b"a"), (b"a", b"")])
def test_a_tree_moves_into_and_out_of_itself(store: Store, old: bytes, new: bytes) -> None:
    paths = [b"a/a/a/x", b"a/a/x", b"a/x"]
    store.commit([upsert(path, path) for path in paths], 1.0)
    below = [path for path in paths if path.startswith(old + b"/" if old else b"")]
    moved = {path: (new + b"/" + path[len(old) :].lstrip(b"/")).lstrip(b"/") for path in below}
    expected = {path: path for path in paths if path not in moved}
    for path, target in moved.items():
        expected.setdefault(target, path)
    store.commit([MoveTree(old, new, "event")], 2.0)
    with store.snapshot() as connection:
        rows = connection.execute("SELECT path, content FROM files JOIN results ON id = result_id").fetchall()
    assert dict(rows) == {target: key(path).content for target, path in expected.items()}


def test_moved_tree_does_not_overwrite_what_was_read_there(store: Store) -> None:
    store.commit([upsert(b"old/x", 1), upsert(b"old/y", 1), upsert(b"new/x", 2)], 1.0)
    store.commit([MoveTree(b"old", b"new", "event")], 2.0)
    view = query(store).show("new/x")
    assert view is not None
    assert view.content == key(2).content.hex()
    assert query(store).files() == [b"new/x", b"new/y"]


def test_a_tree_is_bounded_by_its_slash(store: Store) -> None:
    paths = [
        b"foo",
        b"foo/bar",
        b"foo/bard",
        b"foo/bar/x",
        b"foo/bar0",
        b"foo/bar-",
        b"foo/b%r/x",
        b"foo/bar/\xff",
    ]
    store.commit([upsert(path) for path in paths], 1.0)
    store.commit([RemoveTree(b"foo/bar", "event")], 1.0)
    assert query(store).files() == sorted(set(paths) - {b"foo/bar", b"foo/bar/x", b"foo/bar/\xff"})
    store.commit([MoveTree(b"foo", b"\xfe", "event")], 1.0)
    assert query(store).files() == [
        b"foo", b"\xfe/b%r/x", b"\xfe/bar-", b"\xfe/bar0", b"\xfe/bard",
    ]  # fmt: skip
    store.commit([RemoveTree(b"", "event")], 1.0)
    assert query(store).files() == []


def test_numbers_at_the_edges_of_64_bits(store: Store) -> None:
    item = upsert(b"a", ino=2**64 - 1)
    item = type(item)(**{**fields(item), "stat": FileStat(2**63 - 1, 2**70, -(2**70), 2**64 - 1)})
    store.commit([item], 1.0)
    assert store.tree_rows() == [(b"a", 2**63 - 1, 2**63 - 1, -(2**63), 2**64 - 1, 0)]


@settings(max_examples=30, deadline=None)
@given(
    paths=st.sets(st.binary(min_size=1, max_size=5).filter(lambda path: b"\0" not in path), max_size=40),
    at_once=st.integers(1, 7),
)
def test_packed_rows_are_the_rows(paths: set[bytes], at_once: int) -> None:
    with TemporaryDirectory() as state, opened(Path(state)) as store:
        items = [
            upsert(path, ino=2**64 - number - 1, racy=number % 3 == 0)
            for number, path in enumerate(sorted(paths))
        ]
        failures = [
            Failure(path, FileStat(1, 2, 3, 4), "no", 2, None, "event") for path in sorted(paths)[::4]
        ]
        store.commit([*items, *failures], 1.0)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("currant.store.store._PACKED_AT_ONCE", at_once + 1)
            assert [*unpacked(store.packed_tree_rows())] == store.tree_rows()


@pytest.mark.parametrize("at_once", [2, 3, 8_000])
@pytest.mark.parametrize("kind", ["text", "NULL"])
def test_a_path_of_another_type_is_damage_and_not_left_out(
    tmp_path: Path, kind: str, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("currant.store.store._PACKED_AT_ONCE", at_once)
    with opened(tmp_path) as store:
        store.commit([upsert(name) for name in (b"aaa", b"abb", b"bbb", b"ccc", b"ddd")], 1.0)
    index = tmp_path / "index.db"
    # The row as SQLite writes it: the length of its head, the types of 15 columns, the path.
    (at,) = (found.start() for found in re.finditer(rb"\x10\x12.{14}bbb", index.read_bytes(), re.DOTALL))
    with opened(tmp_path) as store:
        overwrite(index, at + 1, {"text": b"\x13", "NULL": b"\x00"}[kind])
        engine = FakeEngine(str(tmp_path), state_dir=str(tmp_path))
        with pytest.raises((StoreDamagedError, ValueError)):
            engine.load(store.packed_tree_rows())


def fields(item: object) -> dict[str, object]:
    return {name: getattr(item, name) for name in item.__slots__}  # type: ignore[attr-defined]


def test_a_record_that_cannot_be_stored_fails_alone(store: Store) -> None:
    bad = upsert(b"bad", 2)
    bad = type(bad)(**{**fields(bad), "record": Record("python", [symbol("\ud800")], [])})
    store.commit([upsert(b"good", 1), bad], 1.0)
    (failure,) = query(store).failures()
    assert failure.path == "bad"
    assert "cannot be stored" in failure.reason
    assert [(row[0], row[5]) for row in store.tree_rows()] == [(b"bad", 1), (b"good", 0)]


def test_failure_replaces_the_record_and_success_the_failure(store: Store) -> None:
    store.commit([upsert(b"a", 1)], 1.0)
    first = store.commit([Failure(b"a", None, "EACCES", 1, 9.0, "event")], 2.0)
    assert store.commit([Failure(b"a", None, "EIO", 2, 19.0, "retry")], 3.0) == first
    view = query(store).show("a")
    assert view is not None
    assert (view.state, view.reason, view.record) == ("failed", "EIO", None)
    (failure,) = query(store).failures()
    assert (failure.attempts, failure.retry_at) == (2, 19.0)
    store.commit([upsert(b"a", 1, reuse=True)], 4.0)
    assert query(store).failures() == []
    assert query(store).counts()["failed"] == 0


def test_a_commit_is_all_or_nothing(store: Store) -> None:
    before = store.commit([upsert(b"a", 1)], 1.0)
    store._writer.execute(
        "CREATE TEMP TRIGGER broken BEFORE INSERT ON main.changes WHEN new.path = x'7a'"
        " BEGIN SELECT RAISE(ABORT, 'broken disk'); END"
    )
    items = [upsert(b"b", 2), Remove(b"a", "event"), upsert(b"z", 3)]
    with pytest.raises(StoreError, match="broken disk"):
        store.commit(items, 2.0)
    assert store.clock() == query(store).clock() == before
    assert query(store).files() == [b"a"]
    assert not store.find_results([key(2)])
    store._writer.execute("DROP TRIGGER broken")
    store.commit(items, 3.0)
    assert query(store).files() == [b"b", b"z"]
    assert [one.path for one in query(store).find("main")] == ["b", "z"]


def test_an_extractor_of_a_failed_commit_is_not_remembered(store: Store) -> None:
    store._writer.execute(
        "CREATE TEMP TRIGGER broken BEFORE INSERT ON main.results BEGIN SELECT RAISE(ABORT, 'no'); END"
    )
    with pytest.raises(StoreError):
        store.commit([upsert(b"a", 1)], 1.0)
    store._writer.execute("DROP TRIGGER broken")
    store.commit([upsert(b"a", 1)], 1.0)
    view = query(store).show("a")
    assert view is not None
    assert view.extractor == key(1).extractor


def test_full_disk_is_told_apart_and_can_be_retried(store: Store) -> None:
    pages = store._writer.pragma("page_count")
    store._writer.pragma("max_page_count", pages)
    items = [
        upsert(b"%d" % number, number, names=tuple(f"name{number}_{i}" for i in range(50)))
        for number in range(99)
    ]
    with pytest.raises(StoreFullError, match="no space left"):
        store.commit(items, 1.0)
    assert query(store).files() == []
    store._writer.pragma("max_page_count", 1 << 30)
    store.commit(items, 2.0)
    assert len(query(store).files()) == 99


def test_listeners_hear_of_each_commit_and_cannot_break_it(store: Store) -> None:
    heard: list[CommitInfo] = []

    def broken(_: CommitInfo) -> None:
        raise RuntimeError("listener")

    store.on_commit += [broken, heard.append]
    store.commit([upsert(b"a", 1)], 1.0)
    store.commit([upsert(b"a", 2)], 2.0)
    assert [(info.generation, info.items, info.changes) for info in heard] == [(1, 1, 1), (2, 1, 1)]
    assert (heard[0].dropped, len(heard[1].dropped)) == (frozenset(), 1)
    assert heard[1].clock == store.clock()


def test_collect_forgets_the_oldest_results_without_a_file(store: Store) -> None:
    for number in range(6):
        store.commit([upsert(b"a", number, names=(f"name{number}",))], 1.0)
    assert store.collect(keep=2, limit=2) == 2
    assert store.collect(keep=2, limit=10) == 1
    assert store.collect(keep=2) == 0
    assert [bool(store.find_results([key(number)])) for number in range(6)] == [False] * 3 + [True] * 3
    assert [one.name for one in query(store).find("name")] == ["name5"]
    store.commit([upsert(b"b", 0, reuse=True)], 2.0)
    assert store.last_missing == [b"b"]
    store.commit([upsert(b"b", 0, names=("back",))], 2.0)
    assert [one.path for one in query(store).find("back")] == ["b"]


# --- reading beside a writer --------------------------------------------------------------------------


def test_readers_see_the_last_commit_while_a_transaction_is_open(store: Store) -> None:
    store.commit([upsert(b"a", 1)], 1.0)
    store._writer.execute("BEGIN IMMEDIATE")
    store._writer.execute("DELETE FROM files")
    assert query(store).files() == [b"a"]
    store._writer.execute("ROLLBACK")


def test_a_snapshot_does_not_move_under_a_reader(store: Store) -> None:
    store.commit([upsert(b"a", 1)], 1.0)
    with store.snapshot() as connection:
        assert connection.execute("SELECT count(*) FROM files").get == 1
        store.commit([upsert(b"b", 1)], 1.0)
        assert connection.execute("SELECT count(*) FROM files").get == 1
    assert len(query(store).files()) == 2


def test_readers_cannot_write(store: Store) -> None:
    with pytest.raises(StoreError, match="readonly"), store.snapshot() as connection:
        connection.execute("DELETE FROM files")


def test_many_threads_read_while_one_writes(store: Store) -> None:
    reader = query(store)
    store.commit([upsert(b"a", 0)], 1.0)
    wrong: list[object] = []
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            # Every commit moves the one file: exactly one path and one definition at any moment.
            files, found = reader.files(), reader.find("main")
            if len(files) != 1 or len(found) != 1:
                wrong.append((files, found))

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(100):
        store.commit(
            [Remove(b"%d" % (number - 1) if number else b"a", "e"), upsert(b"%d" % number, number)], 1.0
        )
    stop.set()
    for thread in threads:
        thread.join()
    assert wrong == []


# --- closing ------------------------------------------------------------------------------------------


def test_close_is_idempotent_and_leaves_one_file(store: Store, tmp_path: Path) -> None:
    store.commit([upsert(b"a")], 1.0)
    query(store).files()
    store.close()
    store.close()
    assert sorted(path.name for path in (tmp_path / "state").iterdir()) == [
        ".gitignore",
        "index.db",
        "index.seal",
    ]
    with pytest.raises(ClosedError):
        store.commit([upsert(b"b")], 1.0)
    with pytest.raises(ClosedError):
        query(store).files()


def test_close_interrupts_a_long_read_and_leaves_no_descriptor(store: Store) -> None:
    reading, outcome = threading.Event(), []

    def read() -> None:
        try:
            with store.snapshot() as connection:
                connection.create_scalar_function("started", lambda: reading.set(), 0)
                endless = "WITH RECURSIVE n(i) AS (SELECT started() UNION ALL SELECT 1 FROM n)"
                connection.execute(f"{endless} SELECT count(*) FROM n").fetchall()
        except ClosedError as error:
            outcome.append(error)

    thread = threading.Thread(target=read)
    thread.start()
    assert reading.wait(30)
    store.close()
    thread.join()
    assert len(outcome) == 1
    assert database_fds() == []


def test_connections_are_shared_not_multiplied(store: Store) -> None:
    for _ in range(20):
        query(store).files()
    # The writer and one reader: each an index and a log.
    assert len([link for link in database_fds() if link.endswith("index.db")]) == 2


def test_the_hot_statements_use_their_indexes(store: Store) -> None:
    def plan(sql: str, *bindings: object) -> str:
        rows = store._writer.execute("EXPLAIN QUERY PLAN " + sql, bindings).fetchall()  # type: ignore[arg-type]
        return " | ".join(str(row[3]) for row in rows)

    for marks, paths in (("(?)", [b"a"]), ("(?, ?, ?)", [b"a", b"b", None])):
        assert "SEARCH f USING PRIMARY KEY" in plan(rows._FILES + marks, *paths)
        assert "SEARCH results USING" in plan(rows._RESULTS + marks, *paths)
    assert "SEARCH f USING PRIMARY KEY" in plan(commit._SELECT_TREE, b"a/", b"a0")
    candidates = plan(search._CANDIDATES, '"abc"')
    assert "SCAN t VIRTUAL TABLE" in candidates
    assert "SEARCH p USING INTEGER PRIMARY KEY" in candidates
    assert "SEARCH records USING INTEGER PRIMARY KEY" in candidates
    assert "SCAN records" not in candidates
    assert "SEARCH f USING COVERING INDEX files_by_result" in candidates
    assert "SEARCH r USING" in plan(search._EVERYTHING)
