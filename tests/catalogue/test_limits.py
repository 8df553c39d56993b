"""Limits of the kernel: a queue that overflows, watches and instances that run out (section B of
docs/guarantees.md).

The limits are those of a user namespace that the watcher alone is in; the overflows are real ones."""

import os
import shutil
from pathlib import Path

import pytest

from catalogue.kit import Live, watching
from catalogue.namespaces import inside, limited
from catalogue.repeats import leaves_nothing_behind
from conftest import GitRepo
from watcher import Watcher

POLLED = "cannot be watched"
_QUEUE = Path("/proc/sys/fs/inotify/max_queued_events")

STATE = 1
"""Watches that a watcher has on its own directory, when it gets them before the tree has used up all."""


def overflow(directory: Path) -> None:
    """More events than the kernel queues, of two files in turn: equal neighbours would be merged."""
    names = [directory / ".gitkeep", directory / ".gitattributes"]
    for path in names:
        path.touch()
    # Not less than what kernels have: a soak beside this test may have lowered it for a moment.
    for number in range(max(int(_QUEUE.read_text()), 16_384) + 100):
        os.utime(names[number % 2])


def until_read(live: Live) -> None:
    """Wait until the thread that reads the kernel's queue found it empty, and sleeps."""
    tasks = Path(f"/proc/{live.pid}/task")
    [reader] = [task for task in tasks.iterdir() if (task / "comm").read_text().strip() == "currant-inotify"]
    while (reader / "stat").read_text().rpartition(")")[2].split()[0] != "S":
        os.sched_yield()


def lost(live: Live) -> int:
    """How often the engine was told that events were lost."""
    return int(live.engine()["overflows"])


def test_lost_events_cost_a_scan_and_no_change(git_repo: GitRepo) -> None:
    git_repo.write({"there/f": "1", "there/gone": "2"})
    with watching(git_repo) as live:
        live.settle()
        with live.frozen():
            overflow(git_repo.root)
            git_repo.write({"late/deep/f": "3", "there/f": "changed"})
            git_repo.path("there/gone").unlink()
        live.settle()
        assert lost(live) == 1
        assert "late/deep/f" in live.rows()
        # A directory whose making was never told is watched like any other.
        git_repo.write({"late/g": "4", "late/deep/h": "5"})
        live.settle()
        assert lost(live) == 1


def test_lost_events_do_not_hide_a_directory_made_anew(git_repo: GitRepo) -> None:
    git_repo.write({"d/f": "1", "moves/f": "2", "kind": "3"})
    with watching(git_repo) as live:
        live.settle()
        with live.frozen():
            overflow(git_repo.root)
            git_repo.path("d/f").unlink()
            git_repo.path("d").rmdir()
            git_repo.write({"d/f": "other"})
            git_repo.path("moves").rename(git_repo.path("moved"))
            git_repo.path("kind").unlink()
            git_repo.write({"kind/f": "4"})
        live.settle()
        git_repo.write({"d/h": "5", "moved/h": "6", "kind/h": "7"})
        live.settle()
        assert lost(live) == 1


def test_a_sync_waits_for_the_scan_that_lost_events_demand(git_repo: GitRepo) -> None:
    """The barrier itself is behind the overflow in the queue."""
    with watching(git_repo) as live:
        live.settle()
        for number in range(3):
            with live.frozen():
                overflow(git_repo.root)
                git_repo.write({f"d{number}/x.py": f"def late{number}(): pass\n"})
            live.sync()
            assert live.index.find(f"late{number}", exact=True, sync_ms=-1)
        live.settle()


def test_what_is_lost_in_the_middle_of_the_scan_is_found_by_one_more(
    git_repo: GitRepo, tmp_path: Path
) -> None:
    git_repo.write({f"d{n}/f": str(n) for n in range(40)})
    script = tmp_path / "late.sh"
    script.write_text(f"echo late > {git_repo.root}/d0/late; cd {git_repo.root}/d39; mkdir s; echo x > s/f\n")
    points = {
        "fp_rescan_mid": f"sh {script}",
        "fp_overflow_seen_then_rescan": f"echo x > {git_repo.root}/first",
    }
    with watching(git_repo, points=points) as live:
        live.settle()
        with live.frozen():
            overflow(git_repo.root)
        live.settle()
        assert {"d0/late", "d39/s/f", "first"} <= live.rows().keys()


def test_many_losses_at_once_do_not_cost_a_scan_each(git_repo: GitRepo, tmp_path: Path) -> None:
    git_repo.write({f"d{n}/f": str(n) for n in range(50)})
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    # The engine stands in the middle of its first scan while the events of four more queues are lost.
    with watching(git_repo, points={"fp_overflow_seen_then_rescan": f"cat {gate} >{os.devnull}"}) as live:
        live.settle()
        before = live.engine()
        for _ in range(5):
            with live.frozen():
                overflow(git_repo.root)
            until_read(live)
        gate.write_text("go on\n")
        live.settle()
        after = live.engine()
        assert after["overflows"] - before["overflows"] == 5
        assert after["listings"] - before["listings"] <= 2 * after["dirs"]


def test_what_the_index_reads_wakes_nobody(git_repo: GitRepo) -> None:
    names = [f"d{n % 20}/{n}.py" for n in range(400)]
    git_repo.write({name: f"def f{number}(): pass\n" for number, name in enumerate(names)})
    with watching(git_repo) as live:
        live.settle()
        before, read = live.engine(), live.hashed()
        for name in names:
            assert live.index.ask("force_process_file", {"path": name}).result
        live.settle()  # and `verify` has read all of them again
        after = live.engine()
        assert live.hashed() > read
        assert (after["events"], after["listings"]) == (before["events"], before["listings"])


def test_beyond_the_limit_of_watches_directories_are_polled_and_said(git_repo: GitRepo) -> None:
    git_repo.write({f"d{n}/f": str(n) for n in range(60)})
    with watching(git_repo, prefix=limited(20, 8)) as live:
        live.degraded = (POLLED,)
        live.exact_watches = False
        live.settle()
        engine = live.engine()
        assert live.kernel_watches() == engine["watches"] == 20
        assert engine["unwatched"] == engine["dirs"] - 20 == 41
        [entry] = live.status()["degraded"]
        assert (entry["count"], "max_user_watches" in entry["fix"]) == (41, True)
        # Each sync looks at them.
        git_repo.write({f"d{n}/f": f"again {n}" for n in range(60)})
        live.settle()
        # And so does time alone: the feed tells when it happened.
        since = live.sync()
        unwatched = engine["unwatched_paths"][0]
        git_repo.write({f"{unwatched}/by_itself": "1"})
        with live.index.follow(since) as news:
            assert next(news).path == f"{unwatched}/by_itself"
        live.settle()


def test_the_limit_reached_while_the_tree_grows_loses_nothing(git_repo: GitRepo) -> None:
    with watching(git_repo, prefix=limited(20 + STATE, 8)) as live:
        live.exact_watches = False
        live.settle()
        git_repo.write({f"d/{n}/": "" for n in range(30)})
        git_repo.write({f"d/{n}/f": str(n) for n in range(30)})
        live.degraded = (POLLED,)
        live.settle()
        engine = live.engine()
        assert live.kernel_watches() == engine["watches"] == 20
        since = live.sync()
        unwatched = engine["unwatched_paths"][-1]
        git_repo.write({f"{unwatched}/s/t/f": "deep"})
        with live.index.follow(since) as news:
            assert next(news).path == f"{unwatched}/s/t/f"
        live.settle()


def test_watches_that_become_free_are_used(git_repo: GitRepo) -> None:
    git_repo.write({f"d{n}/f": str(n) for n in range(30)})
    with watching(git_repo, prefix=limited(20, 8)) as live:
        live.degraded = (POLLED,)
        live.exact_watches = False
        live.settle()
        inside(live, "echo 1000 > /proc/sys/user/max_inotify_watches")
        live.degraded = ()
        live.exact_watches = True
        live.sync()
        live.settle()
        assert live.engine()["unwatched"] == 0


def test_the_limit_of_the_configuration_counts_like_the_kernels(git_repo: GitRepo) -> None:
    git_repo.write({f"d{n}/f": str(n) for n in range(10)})
    with watching(git_repo, "inotify", "monitor.max_watches=4") as live:
        live.degraded = (POLLED,)
        live.exact_watches = False
        live.settle()
        assert live.kernel_watches() == live.engine()["watches"] == 4
        git_repo.write({f"d{n}/s/g": str(n) for n in range(10)})
        live.settle()
        git_repo.path("d3").rename(git_repo.path("d0/s/d3"))
        git_repo.path("d4").rename(git_repo.path("d5/s/d4"))
        live.settle()
        assert live.kernel_watches() == live.engine()["watches"] <= 4


def test_without_an_instance_everything_is_polled_and_said(git_repo: GitRepo) -> None:
    git_repo.write({f"d{n}/f": str(n) for n in range(5)})
    with watching(git_repo, "auto", prefix=limited(1_000, 0)) as live:
        live.degraded = ("polled",)
        live.settle()
        engine = live.engine()
        assert (engine["source"], engine["watches"], live.kernel_watches()) == ("poll", 0, 0)
        [entry] = live.status()["degraded"]
        assert "max_user_instances" in entry["what"] + entry["fix"]
        git_repo.write({"d1/g": "1"})
        git_repo.path("d2").rename(git_repo.path("d3/d2"))
        live.settle()
        since = live.sync()
        git_repo.write({"d4/by_itself": "2"})
        with live.index.follow(since) as news:
            assert next(news).path == "d4/by_itself"
        live.settle()


def test_inotify_that_was_demanded_and_cannot_be_had_is_refused_in_one_line(git_repo: GitRepo) -> None:
    watcher = Watcher(git_repo.root, "monitor.source=inotify", prefix=limited(1_000, 0))
    with watcher:
        words = watcher.process.communicate()[1].decode()
        assert watcher.process.returncode == 2
        assert "max_user_instances" in words
        assert len(words.splitlines()) == 1


@pytest.mark.parametrize("source", ["inotify", "notify"])
def test_twenty_overflows_leave_nothing_behind(git_repo: GitRepo, source: str) -> None:
    git_repo.write({f"d{n}/f": str(n) for n in range(20)})
    with watching(git_repo, source) as live:
        before = lost(live)

        def round_of() -> None:
            with live.frozen():
                overflow(git_repo.root)
                git_repo.write({"late/deep/f": "1", "d3/s/g": "2"})
            live.sync()
            assert {"late/deep/f", "d3/s/g"} <= live.rows().keys()
            shutil.rmtree(git_repo.path("late"))
            shutil.rmtree(git_repo.path("d3/s"))
            live.sync()
            assert len(live.rows()) == 22

        leaves_nothing_behind(live, round_of)
        assert lost(live) - before >= 23


def test_twenty_times_out_of_watches_leave_nothing_behind(git_repo: GitRepo) -> None:
    """The tree outgrows the limit and shrinks, and the limit is raised and lowered."""
    git_repo.write({f"d{n}/f": str(n) for n in range(10)})
    with watching(git_repo, prefix=limited(20 + STATE, 8)) as live:

        def round_of() -> None:
            git_repo.write({f"more/{n}/f": str(n) for n in range(30)})
            live.sync()
            assert live.engine()["unwatched"] == 22
            assert live.kernel_watches() == 20
            inside(live, "echo 1000 > /proc/sys/user/max_inotify_watches")
            live.sync()
            assert live.engine()["unwatched"] == 0
            inside(live, f"echo {20 + STATE} > /proc/sys/user/max_inotify_watches")
            shutil.rmtree(git_repo.path("more"))
            live.sync()

        leaves_nothing_behind(live, round_of)


def test_twenty_times_over_the_limit_of_the_configuration_leave_nothing_behind(git_repo: GitRepo) -> None:
    git_repo.write({f"d{n}/f": str(n) for n in range(10)})
    with watching(git_repo, "inotify", "monitor.max_watches=4") as live:
        live.degraded = (POLLED,)
        live.exact_watches = False

        def round_of() -> None:
            git_repo.write({f"d{n}/s/g": str(n) for n in range(10)})
            git_repo.path("d1").rename(git_repo.path("d0/s/d1"))
            live.sync()
            assert live.kernel_watches() == live.engine()["watches"] == 4
            git_repo.path("d0/s/d1").rename(git_repo.path("d1"))
            for number in range(10):
                shutil.rmtree(git_repo.path(f"d{number}/s"))
            live.sync()

        leaves_nothing_behind(live, round_of)


def test_twenty_rounds_without_an_instance_leave_nothing_behind(git_repo: GitRepo) -> None:
    git_repo.write({f"d{n}/f": str(n) for n in range(5)})
    with watching(git_repo, "auto", prefix=limited(1_000, 0)) as live:
        live.degraded = ("polled",)

        def round_of() -> None:
            git_repo.write({"d1/s/g": "1", "new/f": "2"})
            git_repo.path("d2").rename(git_repo.path("new/d2"))
            live.sync()
            assert live.kernel_watches() == 0
            git_repo.path("new/d2").rename(git_repo.path("d2"))
            shutil.rmtree(git_repo.path("new"))
            shutil.rmtree(git_repo.path("d1/s"))
            live.sync()

        leaves_nothing_behind(live, round_of)
