"""How records get into the index of terms: what a commit leaves there."""

from pathlib import Path

from store_kit import opened, query, upsert

_MERGES = "SELECT v FROM terms_config WHERE k = 'automerge'"
_SEGMENTS = "SELECT count(DISTINCT id >> 37) FROM terms_data WHERE id > 10"


def test_a_large_commit_adds_one_segment(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        for turn in range(
            2
        ):  # so large that nothing is merged yet, which would hide what was written in vain
            names = [f"name{turn}of{number}" for number in range(600)]
            store.commit([upsert(b"%s.py" % name.encode(), name, names=(name,)) for name in names], 1.0)
        with store.snapshot() as connection:
            assert connection.execute(_SEGMENTS).get == 2
        assert [one.path for one in query(store).find("name1of599")] == ["name1of599.py"]


def test_large_commits_merge_later_and_a_small_one_as_ever(tmp_path: Path) -> None:
    names = [f"name{number}" for number in range(600)]
    with opened(tmp_path) as store:
        for turn in range(20):
            store.commit([upsert(b"%d" % turn + n.encode(), (turn, n), names=(n,)) for n in names], 1.0)
            with store.snapshot() as connection:
                assert connection.execute(_MERGES).get == 0
                assert connection.execute(_SEGMENTS).get < 20
        few = [upsert(b"%d.py" % number, number, names=(f"few{number}",)) for number in range(40)]
        store.commit(few, 1.0)
        with store.snapshot() as connection:
            assert connection.execute(_MERGES).get == 4
        assert sum(one.match == "exact" for one in query(store).find("name7", limit=50)) == 20
