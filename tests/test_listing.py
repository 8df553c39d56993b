"""How records get into the index of terms: what a commit leaves there."""

from pathlib import Path

from store_kit import opened, query, upsert

_SEGMENTS = "SELECT count(DISTINCT id >> 37) FROM terms_data WHERE id > 10"


def test_a_large_commit_adds_one_segment(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        # FTS5 would merge them at once, and what was written in vain would not be seen.
        store.tend(lambda writer: writer.execute("INSERT INTO terms (terms, rank) VALUES ('automerge', 0)"))
        for turn in range(2):
            names = [f"name{turn}of{number}" for number in range(300)]
            store.commit([upsert(b"%s.py" % name.encode(), name, names=(name,)) for name in names], 1.0)
        with store.snapshot() as connection:
            assert connection.execute(_SEGMENTS).get == 2
        assert [one.path for one in query(store).find("name1of299")] == ["name1of299.py"]
