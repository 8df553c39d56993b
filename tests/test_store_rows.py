"""A transaction of many items says what as many transactions of one item say."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from currant.clock import ManualClock
from currant.model import Failure, FileStat, Item, MoveTree, Record, Remove, RemoveTree, ResultKey, Upsert
from currant.store import Store

PATHS = [b"a", b"b", b"d/a", b"d/b", b"d/e/a", b"e/a"]
TREES = [b"d", b"e", b"d/e", b"a"]


def key(content: int) -> ResultKey:
    return ResultKey(bytes([content]) * 16, "python", f"outline/1:{content % 2}")


stats = st.builds(FileStat, st.just(1), st.integers(0, 2), st.just(3), st.integers(1, 3))
upserts = st.builds(
    lambda path, stat, content, made, old, seen: Upsert(
        path=path,
        stat=stat,
        key=key(content),
        record=Record("python", [], []) if made else None,
        old_path=old,
        cause="event",
        seen_at=float(seen),
        attempts=0,
        racy=False,
    ),
    *(st.sampled_from(PATHS), stats, st.integers(0, 3), st.booleans()),
    *(st.none() | st.sampled_from(PATHS), st.integers(1, 3)),
)
failures = st.builds(
    lambda path, stat: Failure(path, stat, "broken", 1, None, "event"), st.sampled_from(PATHS), stats
)
others = (
    st.builds(Remove, st.sampled_from(PATHS), st.just("event"))
    | st.builds(RemoveTree, st.sampled_from(TREES), st.just("event"))
    | st.builds(MoveTree, st.sampled_from(TREES), st.sampled_from(TREES), st.just("event"))
)


def tables(commits: Sequence[Sequence[Item]]) -> dict[str, list[Any]]:
    with TemporaryDirectory() as place:
        store = Store.open(Path(place), clock=ManualClock())
        try:
            missing: list[bytes] = []
            for items in commits:
                store.commit(items, 7.0)
                missing += store.last_missing
            found = {
                # Which of several files with the same content was the first is nobody's promise.
                "files": "SELECT path, size, mtime_ns, ino, result_id, state, reason, attempts, cause,"
                " seen_at, committed_seq, reused_from IS NULL, reused_from = x'' FROM files",
                "results": "SELECT id, content, language, extractor_id, symbols FROM results",
                "records": "SELECT id FROM records",
                "changes": "SELECT * FROM changes",
                "tally": "SELECT * FROM tally WHERE files OR symbols",
                "last": "SELECT seq FROM sqlite_sequence WHERE name = 'results'",
            }
            with store.snapshot() as connection:
                told = {name: connection.execute(sql).fetchall() for name, sql in found.items()}
            return {**told, "missing": missing}
        finally:
            store.close()


@given(st.lists(upserts | failures | others, max_size=14))
@settings(max_examples=150, deadline=None)
def test_together_is_as_one_after_the_other(items: list[Item]) -> None:
    assert tables([items]) == tables([[item] for item in items])


def test_more_than_go_into_one_statement() -> None:
    paths = [b"f%03d" % number for number in range(150)]
    made: list[Item] = [
        Upsert(path, FileStat(1, 2, 3, 4), key(number), Record("python", [], []), None, "scan", 1.0, 0, False)
        for number, path in enumerate(paths)
    ]
    again: list[Item] = [
        Upsert(path, FileStat(1, 9, 3, 4), key(number), None, None, "scan", 2.0, 0, False)
        for number, path in enumerate(paths)
    ]
    removed: list[Item] = [Remove(path, "event") for path in paths[::2]]
    whole = [*made, *again, *removed]
    together = tables([whole])
    assert together == tables([[item] for item in whole])
    assert len(together["files"]) == 75
    assert len(together["changes"]) == 225
