"""Counters and rates, at moments that the test chooses."""

from currant.clock import ManualClock
from currant.status import StatusReporter


def test_the_keys_and_counts_of_the_snapshot() -> None:
    clock = ManualClock(1000.0)
    status = StatusReporter(clock)
    status.report_success("a.py")
    status.report_failure("b.py", "no permission")
    status.count_extraction()
    status.count_reuse()
    status.count_bytes(42)
    clock.advance(4)
    stats = status.get_stats()
    assert stats["processed_count"] == status.get_processed_count() == 1
    assert stats["failed_count"] == status.get_failed_count() == 1
    assert stats["uptime_seconds"] == 4
    assert stats["files_per_second"] == 0.25
    assert stats["recent_failures"] == [("b.py", 1000.0, "no permission")]
    assert stats["recent_successes"] == [("a.py", 1000.0)]
    assert (stats["extractor_calls"], stats["reused_results"], stats["bytes_hashed"]) == (1, 1, 42)


def test_only_the_last_hundred_are_remembered() -> None:
    status = StatusReporter(ManualClock())
    status.report([f"{n}" for n in range(250)], [(f"{n}", "why") for n in range(250)])
    stats = status.get_stats()
    assert [path for path, _ in stats["recent_successes"]] == [f"{n}" for n in range(150, 250)]
    assert len(stats["recent_failures"]) == 100
    assert stats["processed_count"] == stats["failed_count"] == 250


def test_the_recent_rate_forgets_what_is_long_past() -> None:
    clock = ManualClock()
    status = StatusReporter(clock)
    assert status.files_per_second() == 0.0
    for _ in range(10):
        status.report(["x"] * 50, [])
        clock.advance(1)
    assert status.files_per_second() == 50
    clock.advance(100)
    assert status.files_per_second() == 0.0
    assert status.get_stats()["files_per_second"] == 500 / 110


def test_the_first_instant_is_not_a_rate_of_thousands() -> None:
    clock = ManualClock()
    status = StatusReporter(clock)
    status.report(["x"] * 20, [])
    clock.advance(0.001)
    assert status.files_per_second() == 20
