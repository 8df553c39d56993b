"""Every read, and `find` against a search of all records."""

import os
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from currant import ranking
from currant.errors import UsageError
from currant.model import (
    ChangeType,
    Failure,
    FileStat,
    MoveTree,
    Record,
    Remove,
    ResultKey,
    Upsert,
)
from currant.store import records
from store_kit import key, opened, query, record, symbol, upsert

# --- records -----------------------------------------------------------------------------------------


def test_a_large_record_is_kept_in_pieces_and_comes_back_whole(tmp_path: Path) -> None:
    last = records.PIECE_SYMBOLS * 3
    symbols = [symbol(f"REG_{number}", "macro", number + 1) for number in range(last + 1)]
    item = upsert(b"regs.h", 1)
    whole = Record("c", symbols, ["generated"])
    with opened(tmp_path) as store:
        store.commit([Upsert(item.path, item.stat, item.key, whole, None, "scan", 1.0, 0, False)], 1.0)
        with store.snapshot() as connection:
            assert connection.execute("SELECT count(*) FROM records").get == 4
        view = query(store).show("regs.h")
        assert view is not None
        assert view.record == whole
        assert [one.start for one in query(store).find(f"reg_{last}")] == [last + 1]
        assert query(store).counts()["symbols"] == len(symbols)
        assert [one.start for one in query(store).find("REG_", limit=last)] == list(range(1, last + 1))
        store.commit([Remove(b"regs.h", "event")], 2.0)
        assert store.collect(keep=0) == 1
        with store.snapshot() as connection:
            assert connection.execute("SELECT count(*) FROM records").get == 0
        assert query(store).find(f"reg_{last}") == []


@pytest.mark.parametrize("count", [0, 1, 64, 65, 256, 257, 512])
def test_split_and_join_are_inverse(count: int) -> None:
    whole = Record("c", [symbol(f"n{number}") for number in range(count)], ["note"])
    pieces = records.split(whole)
    assert len(pieces) == max(1, -(-count // records.PIECE_SYMBOLS))
    assert records.join([records.decode(stored)[0] for stored, *_ in pieces]) == whole


def test_a_query_uses_the_cache_and_a_commit_drops_from_it(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        reader = query(store)
        store.commit([upsert(b"a", 1)], 1.0)
        reader.show("a")
        reader.show("a")
        assert reader._cache.stats()["hits"] == 1
        assert reader._cache.stats()["entries"] == 1
        store.commit([upsert(b"a", 2, names=("other",))], 2.0)
        assert reader._cache.stats()["entries"] == 0
        assert [one.name for one in reader.find("other")] == ["other"]
        assert reader.find("main") == []


# --- files --------------------------------------------------------------------------------------------


def test_show_and_why_of_a_file(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        reader = query(store)
        assert reader.show("a\udcff") is None
        assert reader.why("a\udcff") is None
        clock = store.commit([upsert(b"a\xff", 1, racy=True, seen_at=4.0)], 5.0)
        view = reader.show("a\udcff")
        assert view is not None
        assert (view.path, view.stat, view.language) == ("a\udcff", FileStat(1, 2, 3, 1), "python")
        assert (view.record, view.content) == (record("main"), key(1).content.hex())
        assert (view.extractor, view.indexed_at, view.state, view.reason) == (
            key(1).extractor,
            4.0,
            "ok",
            None,
        )
        why = reader.why("a\udcff")
        assert why is not None
        assert (why.cause, why.seen_at, why.racy, why.extracted_at, why.clock) == (
            "event",
            4.0,
            True,
            5.0,
            clock,
        )
        assert (why.reused_from, why.shared_with, why.language) == (None, 0, "python")


def test_a_moved_tree_says_where_its_results_came_from(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.commit([upsert(b"old/a", 1)], 1.0)
        store.commit([MoveTree(b"old", b"new", "event")], 2.0)
        why = query(store).why("new/a")
        assert why is not None
        assert why.reused_from == "old/a"
        assert query(store).show("old/a") is None


def test_files_come_in_byte_order_failed_ones_too(tmp_path: Path) -> None:
    paths = [b"a/b", b"a-b", b"a", b"a0", b"\xc3\xa9", b"\xff", b"Z", b"a\nb"]
    with opened(tmp_path) as store:
        store.commit([upsert(path) for path in paths], 1.0)
        store.commit([Failure(b"broken", None, "EIO", 1, None, "scan")], 1.0)
        assert query(store).files() == sorted([*paths, b"broken"])


def test_counts_by_language(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        c = upsert(b"c", 3, names=("x", "y"))
        store.commit(
            [
                upsert(b"a", 1),
                upsert(b"b", 1),
                Upsert(c.path, c.stat, ResultKey(bytes(16), "c", "o"), c.record, None, "scan", 1.0, 0, False),
                Failure(b"d", None, "EIO", 1, None, "scan"),
            ],
            1.0,
        )
        assert query(store).counts() == {
            "files": 4,
            "failed": 1,
            "results": 2,
            "symbols": 4,
            "by_language": {"python": 2, "c": 1},
        }


def test_failures_are_limited_and_in_order(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.commit([Failure(b"%d" % number, None, "EIO", 1, 3.5, "scan") for number in range(5)], 1.0)
        assert [one.path for one in query(store).failures(3)] == ["0", "1", "2"]
        assert query(store).failures(1)[0].retry_at == 3.5


# --- the feed -----------------------------------------------------------------------------------------


def test_changes_since_a_clock(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        reader = query(store)
        start = reader.clock()
        assert reader.changes(start).changes == []
        store.commit([upsert(b"a", 1, ino=5), upsert(b"b", 2)], 1.0)
        middle = store.commit([upsert(b"c", 1, old_path=b"a", ino=5)], 2.0)
        store.commit([upsert(b"b", 3), Remove(b"c", "event")], 3.0)
        page = reader.changes(start)
        assert [(row.path, row.change_type, row.old_path, row.at) for row in page.changes] == [
            ("a", ChangeType.CREATED, None, 1.0),
            ("b", ChangeType.CREATED, None, 1.0),
            ("c", ChangeType.RENAMED, "a", 2.0),
            ("b", ChangeType.MODIFIED, None, 3.0),
            ("c", ChangeType.DELETED, None, 3.0),
        ]
        assert (page.fresh_instance, page.more, page.clock) == (False, False, store.clock())
        assert [row.path for row in reader.changes(middle).changes] == ["b", "c"]
        first = reader.changes(start, limit=2)
        assert (len(first.changes), first.more, first.clock) == (2, True, first.changes[-1].clock)
        assert reader.changes(page.clock).clock == page.clock


def test_an_unknown_clock_begins_anew(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        reader = query(store)
        store.commit([upsert(b"a"), upsert(b"b"), Remove(b"a", "event")], 1.0)
        short = store.uuid[:8]
        other = "0" * 8 if short != "0" * 8 else "1" * 8
        for since in (None, f"c:{other}:1", f"c:{short}:99"):
            page = reader.changes(since)
            assert page.fresh_instance
            assert [(row.path, row.change_type) for row in page.changes] == [("b", ChangeType.CREATED)]
            assert page.clock == store.clock()
        for nonsense in ("", "yesterday", "c:1", f"c:{short}:x", f"c:{short}:1:6"):
            with pytest.raises(UsageError, match="not a clock"):
                reader.changes(nonsense)


def test_a_clock_older_than_the_kept_feed_begins_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("currant.store.commit.FEED_ROWS", 10)
    monkeypatch.setattr("currant.store.commit._FEED_SLACK", 5)
    with opened(tmp_path) as store:
        reader = query(store)
        clocks = [store.commit([upsert(b"a", number)], 1.0) for number in range(40)]
        assert reader.changes(clocks[0]).fresh_instance
        assert not reader.changes(clocks[-10]).fresh_instance
        with store.snapshot() as connection:
            assert 10 <= int(connection.execute("SELECT count(*) FROM changes").get) <= 15  # type: ignore[arg-type]
    with opened(tmp_path) as store:
        assert store.clock() == clocks[-1]
        assert store.commit([upsert(b"a", 99)], 1.0) > clocks[-1]


def test_commits_during_a_listing_come_after_it(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        reader = query(store)
        store.commit([upsert(name) for name in (b"a", b"b", b"c", b"d")], 1.0)
        page = reader.changes(None, limit=2)
        assert [row.path for row in page.changes] == ["a", "b"]
        store.commit([Remove(b"a", "event"), Remove(b"c", "event"), upsert(b"e", 2)], 2.0)
        page = reader.changes(page.clock, limit=2)
        assert [row.path for row in page.changes] == ["d", "e"]
        assert page.more
        page = reader.changes(page.clock, limit=9)
        assert [(row.path, row.change_type.value) for row in page.changes] == [
            ("a", "deleted"),
            ("c", "deleted"),
            ("e", "created"),
        ]
        assert not page.more


def test_facts_by_name_of_every_file_or_below_a_directory(tmp_path: Path) -> None:
    def noted(path: bytes, content: str, **facts: object) -> Upsert:
        return msgspec.structs.replace(
            upsert(path, content), record=msgspec.structs.replace(record("f"), facts=facts)
        )

    with opened(tmp_path) as store:
        reader = query(store)
        store.commit([noted(b"a/x", "x", size={"n": 1}), noted(b"a.b", "y", size=2, other=3)], 1.0)
        store.commit([upsert(b"b/\xff", "x", reuse=True), upsert(b"a/none", "z")], 2.0)
        assert reader.facts("size") == [("a.b", 2), ("a/x", {"n": 1}), ("b/\udcff", {"n": 1})]
        assert reader.facts("size", "a") == [("a/x", {"n": 1})]
        assert reader.facts("size", "a.b") == [("a.b", 2)]
        assert reader.facts("other") == [("a.b", 3)]
        assert reader.facts("none") == reader.facts("size", "nowhere") == []
        store.commit([Remove(b"a.b", "event"), upsert(b"a/x", "new")], 3.0)
        assert reader.facts("size") == [("b/\udcff", {"n": 1})]
        assert store.collect(0) == 1
        assert reader.facts("other") == []


# --- files by a pattern --------------------------------------------------------------------------------

PATHS = [
    b"README.md",
    b"docs/readme.txt",
    b"docs/a*b.txt",
    b"src/Parser.c",
    b"src/deep/parser.h",
    b"src/\x80odd\xff.c",
    "src/größe.c".encode(),
    b"src.c",
]
PATTERNS = [
    "", "readme", "parser.", "*.c", "/src.c", "src/", "src/**", "**/parser.h", "s?c/*.c", "a*b", "*", "?",
    "/", "\udc80odd", "\udcff", "größe", "*größe*", "\0", "\ud800", "no such",
]  # fmt: skip


def test_files_by_a_pattern_are_those_that_it_means(tmp_path: Path) -> None:
    every = sorted(PATHS)
    with opened(tmp_path) as store:
        store.commit([upsert(path, number) for number, path in enumerate(PATHS)], 1.0)
        reads = query(store)
        assert reads.files() == every
        assert reads.files("readme") == [b"README.md", b"docs/readme.txt"]
        assert reads.files("*.c") == [path for path in every if path.endswith(b".c")]
        assert reads.files("/src.c") == [b"src.c"]
        assert reads.files("\udc80ODD") == [b"src/\x80odd\xff.c"]
        for pattern in PATTERNS:
            known = pattern != "\ud800"  # no bytes decode to that
            found = [path for path in every if known and ranking.path_like(pattern)(os.fsdecode(path))]
            assert reads.files(pattern) == found
            for limit in (0, 1, 3):
                assert reads.files(pattern, limit=limit) == found[:limit]
                assert (
                    reads.files(pattern, after="docs/readme.txt", limit=limit)
                    == [path for path in found if path > b"docs/readme.txt"][:limit]
                )


_LETTERS = "aAbB*?/.\u00e9"


@given(st.text(_LETTERS, max_size=8), st.text(_LETTERS, max_size=8))
def test_what_the_database_looks_for_is_in_every_path_that_is_meant(pattern: str, path: str) -> None:
    if ranking.path_like(pattern)(path):
        assert ranking.path_part(pattern) in os.fsencode(path).lower()
