"""The process itself: stopped, slower than what it watches, forked (section H of docs/guarantees.md)."""

import os
from pathlib import Path

import pytest

import currant
from catalogue.kit import Live, watching
from conftest import GitRepo
from currant.errors import ClosedError

QUICK = {"monitor.debounce_ms": 5, "monitor.max_delay_ms": 50}


def test_what_happened_while_it_was_stopped_is_read_once(live: Live) -> None:
    place = live.place("stopped").write({f"{n}.py": f"def old{n}(): pass\n" for n in range(10)})
    live.settle()
    before = live.extractor_calls()
    with live.frozen():
        for version in range(5):
            place.write({f"{n}.py": f"def version{version}_{n}(): pass\n" for n in range(10)})
        place.write({"passing.py": "def passing(): pass\n"}).path("passing.py").unlink()
    live.settle()
    # The last version of each, and nothing of what came and went.
    assert live.extractor_calls() == before + 10


def test_more_changes_than_workers_can_take_are_counted_and_not_lost(git_repo: GitRepo) -> None:
    there, gate = git_repo.root.parent / "there", git_repo.root.parent / "gate"
    os.mkfifo(there)
    os.mkfifo(gate)
    settings = ("scheduler.worker_threads=1", "scheduler.max_queue_size=100")
    points = {"fp_read_then_fstat": f"echo there >{there}; cat {gate} >{os.devnull}"}
    with watching(git_repo, "inotify", *settings, points=points) as live:
        git_repo.write({"first.py": "x = 1\n"})
        assert there.read_text() == "there\n"
        before = live.resident()
        count = 1_500
        for _ in range(3):  # three writes of each are one change of each
            git_repo.write({f"d{n % 100}/{n}": f"{n}" for n in range(count)})
        # A directory made last: when it is counted, so is all that came before it.
        git_repo.write({"last/": ""})
        while live.engine()["dirs"] < 102 or live.engine()["listing"]:
            pass  # each look is a question to the watcher
        engine = live.engine()
        assert count < engine["pending"] <= count + 2
        assert engine["in_flight"] <= 100 + 1  # the queue, and what the worker has in hand
        assert live.resident() - before < 64 << 20
        gate.write_text("go on\n")
        live.settle()


def test_a_change_while_a_file_is_being_read_is_a_second_read_and_no_third(git_repo: GitRepo) -> None:
    git_repo.write({"f.py": "def one(): pass\n"})
    script = f"echo 'def two(): pass' > {git_repo.root}/f.py"
    with watching(git_repo, points={"fp_hash_then_commit": script}) as live:
        live.settle()
        assert [row.path for row in live.index.find("two", exact=True)] == ["f.py"]
        assert live.index.find("one", exact=True) == []
        assert live.engine()["emitted"] == 2
        assert live.extractor_calls() <= 2


@pytest.mark.parametrize("point", ["fp_stat_then_read", "fp_read_then_fstat", "fp_lstat_then_open"])
def test_a_file_replaced_or_removed_under_its_reader_is_as_it_is_now(git_repo: GitRepo, point: str) -> None:
    git_repo.write({"f.py": "def one(): pass\n", "g.py": "def gone(): pass\n"})
    other = git_repo.root.parent / "other"
    other.write_text("def two(): pass\n")
    points = {point: f"mv {other} {git_repo.root}/f.py", f"{point}@2": f"rm -f {git_repo.root}/g.py"}
    with watching(git_repo, points=points) as live:
        live.settle()
        assert list(live.rows()) == ["f.py"]
        assert live.index.find("two", exact=True)


def test_a_forked_child_is_told_that_the_index_is_not_its_own(git_repo: GitRepo) -> None:
    git_repo.write({"f.py": "def f(): pass\n"})
    with currant.open(git_repo.root, flags=QUICK) as index:
        index.sync()
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            told = "nothing"
            try:
                index.sync(60)
            except ClosedError as error:
                told = f"{type(error).__name__} {error}"
            except BaseException as error:
                told = repr(error)
            os.write(writing, told.encode())
            os._exit(0)  # not through the parent's clean-up
        os.close(writing)
        with os.fdopen(reading, "rb") as answer:
            assert (
                answer.read()
                .decode()
                .startswith(f"ClosedError this service belongs to process {os.getpid()}")
            )
        assert os.waitpid(child, 0)[1] == 0
        # The parent goes on as if nothing had been.
        git_repo.write({"g.py": "def after_the_fork(): pass\n"})
        index.sync(60)
        assert index.find("after_the_fork", sync_ms=-1)
        assert index.verify().ok


def test_a_process_that_it_starts_gets_none_of_its_descriptors(git_repo: GitRepo) -> None:
    with watching(git_repo) as live:
        base = Path(f"/proc/{live.pid}/fdinfo")
        kinds = {}
        for info in base.iterdir():
            flags = next(
                line.split()[1] for line in info.read_text().splitlines() if line.startswith("flags:")
            )
            kinds[os.readlink(f"/proc/{live.pid}/fd/{info.name}")] = bool(int(flags, 8) & os.O_CLOEXEC)
        ours = {name: closes for name, closes in kinds.items() if "inotify" in name or ".currant" in name}
        assert "anon_inode:inotify" in ours
        assert all(ours.values()), ours
