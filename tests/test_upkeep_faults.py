"""A disk that fails at each operation of upkeep in turn: nothing of the index is lost, and it goes on."""

import shutil
from functools import partial
from pathlib import Path
from typing import Any

import apsw
import pytest

from currant.errors import StoreError
from currant.model import Item, Remove
from currant.store import Store, upkeep
from faulty_disk import faulty_disk
from store_kit import opened, query, upsert
from test_store_faults import content


def rows(store: Store) -> dict[str, Any]:
    """Every row of every table, without FTS5's own pages, which merging is about."""
    return {table: found for table, found in content(store).items() if not table.endswith(("_data", "_idx"))}


def make(folder: Path) -> Path:
    """An index with something of everything to do: no statistics, segments to merge, free pages."""
    state = folder / "base"
    with opened(state) as store:
        for start in range(0, 240, 12):
            items: list[Item] = [
                upsert(b"%d.py" % number, number, names=tuple(f"name_{number}_{one}" for one in range(20)))
                for number in range(start, start + 12)
            ]
            store.commit(items, 1.0)
        store.commit([Remove(b"%d.py" % number, "event") for number in range(40, 240)], 2.0)
        store.collect(0, 500)
    return state


def everything(store: Store) -> int:
    """All steps that there are to do; how many."""
    steps = 0
    for table in store.tend(upkeep.unanalyzed):
        store.tend(partial(upkeep.analyze, table=table))
        steps += 1
    for table in upkeep.SEARCHED:
        while store.tend(partial(upkeep.merge, table=table)):
            steps += 1
    while store.tend(upkeep.free):
        steps += 1
    store.tend(upkeep.checkpoint)
    return steps


@pytest.mark.parametrize("error", [apsw.IOError, apsw.FullError])
def test_each_operation_of_upkeep_may_fail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    monkeypatch.setattr(upkeep, "FREE_LEAST", 5)
    monkeypatch.setattr(upkeep, "FREE_PAGES", 10)
    base = make(tmp_path)
    with faulty_disk() as disk:
        shutil.copytree(base, tmp_path / "whole")
        with opened(tmp_path / "whole") as store:
            expected = rows(store)
            disk.fail("none", 0, error)
            assert everything(store) > 8
            counts = dict(disk.counts)
            assert rows(store) == expected
    failed = 0
    for kind in ("write", "sync", "truncate"):
        for at in range(1, counts[kind] + 1, max(1, counts[kind] // 12)):
            state = tmp_path / f"{kind}-{at}"
            shutil.copytree(base, state)
            with faulty_disk() as disk, opened(state) as store:
                disk.fail(kind, at, error)
                try:
                    everything(store)
                except StoreError:
                    failed += 1
                disk.fail("none", 0, error)
                assert rows(store) == expected, (kind, at)
                store.commit([upsert(b"later.py", "later", names=("later_on",))], 3.0)
                everything(store)
                assert [one.path for one in query(store).find("later_on")] == ["later.py"]
                assert [one.path for one in query(store).find("name_7_3", exact=True)] == ["7.py"]
                with store.snapshot() as connection:
                    assert connection.execute("PRAGMA integrity_check").get == "ok"
                assert store.problem() is None
            shutil.rmtree(state)
    assert failed > 10
