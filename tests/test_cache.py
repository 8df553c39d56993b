"""The cache: bounded, second chance, dropped by commits, safe among threads."""

import threading

from hypothesis import given
from hypothesis import strategies as st

from currant.cache import MetadataCache
from currant.model import CommitInfo
from store_kit import record

RECORD = record("a")


def info(*dropped: int) -> CommitInfo:
    return CommitInfo("c:00000000:1", 1, 1, 1, frozenset(dropped))


def test_hits_and_misses_are_counted() -> None:
    cache = MetadataCache(100_000)
    assert cache.stats()["hit_rate"] == 0.0
    assert cache.get(1) is None
    cache.put(1, RECORD, 100)
    assert cache.get(1) is RECORD
    stats = cache.stats()
    assert (stats["hits"], stats["misses"], stats["hit_rate"], stats["entries"]) == (1, 1, 0.5, 1)


def test_what_is_used_stays_and_the_oldest_unused_goes() -> None:
    cache = MetadataCache(5000)  # room for a little over nine of these
    for number in range(9):
        cache.put(number, RECORD, 100)
    assert cache.get(0) is RECORD
    for number in range(9, 13):
        cache.put(number, RECORD, 100)
    assert cache.get(0) is RECORD
    assert cache.get(1) is None
    assert cache.get(12) is RECORD


def test_commits_drop_entries_and_give_their_room_back() -> None:
    cache = MetadataCache(5000)
    for number in range(3):
        cache.put(number, RECORD, 100)
    before = cache.stats()["bytes"]
    cache.committed(info(1, 7))
    assert cache.get(1) is None
    assert cache.get(2) is RECORD
    assert cache.stats()["bytes"] == before * 2 // 3
    cache.clear()
    assert cache.stats()["bytes"] == cache.stats()["entries"] == 0


def test_zero_bytes_keep_nothing() -> None:
    cache = MetadataCache(0)
    cache.put(1, RECORD, 1)
    assert cache.get(1) is None


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 600), st.booleans()), max_size=200))
def test_never_over_its_bound_and_its_sum_is_right(steps: list[tuple[int, int, bool]]) -> None:
    cache = MetadataCache(4000)
    for number, size, drop in steps:
        if drop:
            cache.committed(info(number))
        elif cache.get(number) is None:
            cache.put(number, RECORD, size)
        assert 0 <= cache.stats()["bytes"] <= 4000
        assert cache.stats()["bytes"] == sum(entry.size for entry in cache._entries.values())


def test_threads_reading_and_writing_keep_the_sum() -> None:
    cache = MetadataCache(20_000)

    def work(seed: int) -> None:
        for number in range(2000):
            found = cache.get((number * seed) % 97)
            assert found is None or found is RECORD
            cache.put((number * seed) % 97, RECORD, 100 + number % 50)
            if number % 10 == 0:
                cache.committed(info((number + seed) % 97))

    threads = [threading.Thread(target=work, args=(seed,)) for seed in (3, 5, 7, 11)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert cache.stats()["bytes"] == sum(entry.size for entry in cache._entries.values()) <= 20_000
