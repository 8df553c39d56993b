"""Commits against a model in plain dicts, and the feed against both."""

import os
import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from currant.model import ChangeType, Failure, FileStat, Item, MoveTree, Remove, RemoveTree, Upsert
from currant.query import Query
from currant.store import Store
from store_kit import opened, query, upsert

# Few, so that they collide; "0" comes right after "/", so foo0 sits at the edge of the range of foo.
NAMES = [b"foo", b"foo0", b"\xff"]
PATHS = st.lists(st.sampled_from(NAMES), min_size=1, max_size=3).map(b"/".join)
CONTENTS = st.integers(0, 3)
INODES = st.integers(1, 3)
TIMES = st.integers(1, 3).map(float)

UPSERTS = st.builds(
    lambda path, content, old, ino, seen: upsert(path, content, old_path=old, ino=ino, seen_at=seen),
    PATHS,
    CONTENTS,
    st.none() | PATHS,
    INODES,
    TIMES,
)
FAILURES = st.builds(
    lambda path, stat, attempts: Failure(path, stat, "EACCES", attempts, None, "event"),
    PATHS,
    st.none() | st.just(FileStat(1, 2, 3, 4)),
    st.integers(0, 3),
)
ITEMS: st.SearchStrategy[Item] = st.one_of(
    UPSERTS,
    UPSERTS,
    UPSERTS,
    st.builds(Remove, PATHS, st.just("event")),
    st.builds(RemoveTree, PATHS | st.just(b""), st.just("event")),
    st.builds(MoveTree, PATHS, PATHS, st.just("event")),
    FAILURES,
)

# path -> (content or None for failed, inode, read at); the model of the files table.
Model = dict[bytes, tuple[bytes | None, int, float]]
NOW = 2.0


def below(path: bytes, tree: bytes) -> bool:
    return path.startswith(tree + b"/") if tree else True


def model_apply(model: Model, item: Item) -> None:
    match item:
        case Upsert(path=path, old_path=old):
            if old is not None and old != path and old in model:
                _, ino, seen = model[old]
                if ino == item.stat.ino or seen < item.seen_at:
                    del model[old]
            model[path] = (item.key.content, item.stat.ino, item.seen_at)
        case Failure(path=path, stat=stat):
            model[path] = (None, stat.ino if stat else 0, NOW)
        case Remove(path=path):
            model.pop(path, None)
        case RemoveTree(path=tree):
            for path in [path for path in model if path == tree or below(path, tree)]:
                del model[path]
        case MoveTree(old=old, new=new) if old != new:
            moved = {path: new + path[len(old) :] for path in model if below(path, old)}
            carried = {path: model.pop(path) for path in moved}
            for path, row in carried.items():
                model.setdefault(moved[path], row)


def contents(store: Store) -> dict[bytes, bytes | None]:
    with store.snapshot() as connection:
        rows = connection.execute(
            "SELECT path, content FROM files LEFT JOIN results ON id = result_id"
        ).fetchall()
    return dict(rows)  # type: ignore[arg-type]


def replay(view: dict[bytes, bytes | None], since: str, reader: Query) -> tuple[set[bytes], set[bytes]]:
    """The paths that a consumer has after following the feed, and those it was told to look at."""
    paths, touched = set(view), set()
    page = reader.changes(since, limit=3)
    while True:
        assert not page.fresh_instance
        for row in page.changes:
            path = os.fsencode(row.path)
            touched.add(path)
            match row.change_type:
                case ChangeType.CREATED:
                    assert path not in paths
                    paths.add(path)
                case ChangeType.MODIFIED:
                    assert path in paths
                case ChangeType.DELETED:
                    paths.remove(path)
                case ChangeType.RENAMED:
                    assert row.old_path is not None
                    paths.remove(os.fsencode(row.old_path))
                    paths.add(path)
        if not page.more:
            return paths, touched
        page = reader.changes(page.clock, limit=3)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.lists(ITEMS, max_size=14), min_size=1, max_size=4))
def test_commits_equal_the_model_and_the_feed_rebuilds_it_from_any_clock(batches: list[list[Item]]) -> None:
    directory = Path(tempfile.mkdtemp())
    try:
        with opened(directory / "state") as store:
            reader = query(store)
            model: Model = {}
            history = [(store.clock(), contents(store))]
            for batch in batches:
                clock = store.commit(batch, NOW)
                for item in batch:
                    model_apply(model, item)
                now = contents(store)
                assert now == {path: row[0] for path, row in model.items()}
                assert clock == store.clock() == reader.clock()
                history.append((clock, now))
                check_counts(reader, now)
            for since, view in history:
                paths, touched = replay(view, since, reader)
                assert paths == set(model)
                for path in paths - touched:  # what it was not told about has not changed
                    assert view[path] == model[path][0]
            assert reader.files() == sorted(model)
            for path, *_, attempts in store.tree_rows():
                assert (attempts > 0) == (model[path][0] is None)
    finally:
        shutil.rmtree(directory)


def check_counts(reader: Query, now: dict[bytes, bytes | None]) -> None:
    counts = reader.counts()
    indexed = sum(content is not None for content in now.values())
    assert counts["files"] == len(now)
    assert counts["failed"] == len(now) - indexed
    assert counts["by_language"] == ({"python": indexed} if indexed else {})
    assert counts["symbols"] == indexed


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(UPSERTS, max_size=20), st.integers(1, 4))
def test_a_listing_in_pages_names_each_file_once(items: list[Item], limit: int) -> None:
    directory = Path(tempfile.mkdtemp())
    try:
        with opened(directory / "state") as store:
            reader = query(store)
            store.commit(items, NOW)
            page = reader.changes(None, limit)
            assert page.fresh_instance
            seen = [os.fsencode(row.path) for row in page.changes]
            while page.more:
                page = reader.changes(page.clock, limit)
                assert not page.fresh_instance
                seen += [os.fsencode(row.path) for row in page.changes]
            assert seen == reader.files()
            assert page.clock == store.clock()
    finally:
        shutil.rmtree(directory)
