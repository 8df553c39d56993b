"""Killed while the index itself is being changed: made anew, upgraded, cleaned up. The next start goes on.

Moments are chosen by what can be seen of the files, and by seed, as in `test_kill`.
"""

import os
import random
import subprocess
import sys
from pathlib import Path

import apsw

import currant
from conftest import GitRepo
from currant.lock import owner_of
from currant.store import schema
from oracle import git_files
from store_kit import opened, query, upsert
from watcher import Watcher

SEED = int(os.environ.get("CURRANT_TEST_SEED", "5"))


def yield_for(chance: random.Random, most: int) -> None:
    """Let others run, a number of times drawn up to `most`."""
    for _ in range(chance.randrange(most)):
        os.sched_yield()


def start(root: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "currant", "index", "--root", os.fspath(root)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def require_true(repo: GitRepo) -> None:
    with currant.open(repo.root, live=False) as index:
        index.sync(60)
        assert index.files() == [os.fsdecode(name) for name in git_files(repo.root)]
        assert index.verify().ok
    assert len(list((repo.root / ".currant").glob("index.db.damaged-*[0-9]"))) <= 2


def test_killed_while_a_damaged_index_is_rebuilt(git_repo: GitRepo) -> None:
    chance = random.Random(SEED)
    git_repo.write({f"d{at % 5}/{at}.py": f"def f{at}(): pass\n" for at in range(150)})
    state = git_repo.root / ".currant"
    with currant.open(git_repo.root, live=False) as index:
        index.sync()
    for _ in range(4):
        (state / "index.db").write_bytes(b"no database " * 1000)
        with start(git_repo.root) as process:
            while owner_of(state) != process.pid and process.poll() is None:
                os.sched_yield()
            yield_for(chance, 8_000)
            process.kill()
    require_true(git_repo)


def test_killed_while_a_watcher_makes_a_lost_index_anew(git_repo: GitRepo) -> None:
    chance = random.Random(SEED + 1)
    git_repo.write({f"d{at % 5}/{at}.py": f"def f{at}(): pass\n" for at in range(150)})
    path = git_repo.root / ".currant" / "index.db"
    for _ in range(3):
        with Watcher(git_repo.root) as watcher:
            watcher.ready()
            old = path.stat().st_ino
            other = path.with_name("keeps-the-inode")
            os.link(path, other)
            path.unlink()
            while not path.exists():
                assert watcher.process.poll() is None
                os.sched_yield()
            assert path.stat().st_ino != old
            yield_for(chance, 2_000)
            watcher.kill()
            other.unlink()
    require_true(git_repo)


WORK = """
import os, sys
from pathlib import Path
sys.path[:0] = sys.argv[3:]
from currant.store import schema
from store_kit import opened, upsert
state, what = Path(sys.argv[1]), sys.argv[2]
print("ready", flush=True)
if what == "upgrade":
    # As two later versions might: a column, and every row rewritten.
    schema.MIGRATIONS += (
        "ALTER TABLE files ADD COLUMN extra TEXT; UPDATE files SET extra = hex(path)",
        "CREATE TABLE more AS SELECT * FROM records; CREATE INDEX more_by_id ON more (id)",
    )
    schema.VERSION = len(schema.MIGRATIONS)
    schema.migrate.__defaults__ = (schema.MIGRATIONS,)
    opened(state).close()
else:
    with opened(state) as store:
        while store.collect(0, 7):
            pass
"""


def worker(state: Path, what: str) -> subprocess.Popen[str]:
    here = [os.fspath(Path(__file__).parent), *sys.path]
    command = [sys.executable, "-c", WORK, os.fspath(state), what, *here]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def killed_after_bytes(state: Path, what: str, enough: int, chance: random.Random) -> None:
    """A worker, killed once its log has `enough` bytes, or soon after."""

    def log_size() -> int:
        try:
            return (state / "index.db-wal").stat().st_size
        except FileNotFoundError:
            return -1

    with worker(state, what) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        while process.poll() is None and log_size() < enough:
            os.sched_yield()
        yield_for(chance, 200)
        process.kill()


def test_killed_while_it_is_upgraded_it_is_of_one_version_or_the_next(tmp_path: Path) -> None:
    chance = random.Random(SEED + 2)
    with opened(tmp_path) as store:
        names = tuple(f"name{at}" for at in range(30))
        store.commit([upsert(b"%04d" % at, at, names=names) for at in range(400)], 1.0)
    seen = set()
    for _ in range(5):
        killed_after_bytes(tmp_path, "upgrade", chance.choice((0, 4096, 200_000, 600_000)), chance)
        with_log = apsw.Connection(os.fspath(tmp_path / "index.db"), flags=apsw.SQLITE_OPEN_READONLY)
        seen.add(schema.version_of(with_log))
        assert with_log.execute("PRAGMA integrity_check").get == "ok"
        assert with_log.execute("SELECT count(*) FROM files").get == 400
        columns = {row[1] for row in with_log.execute("PRAGMA table_info(files)")}
        assert ("extra" in columns) == (schema.version_of(with_log) >= schema.VERSION + 1)
        with_log.close()
    process = worker(tmp_path, "upgrade")
    process.communicate()
    assert process.returncode == 0
    assert seen <= {schema.VERSION, schema.VERSION + 1, schema.VERSION + 2}


def test_killed_while_results_are_collected_no_file_loses_its_own(tmp_path: Path) -> None:
    chance = random.Random(SEED + 3)
    with opened(tmp_path) as store:
        for generation in range(3):
            store.commit(
                [
                    upsert(
                        b"%03d" % at,
                        (generation, at),
                        names=tuple(f"g{generation}f{at}n{i}" for i in range(9)),
                    )
                    for at in range(150)
                ],
                1.0 + generation,
            )
    for _ in range(5):
        killed_after_bytes(tmp_path, "collect", chance.randrange(1, 40) * 4096, chance)
        with opened(tmp_path) as store:
            assert store.opened.how == "existing"
            reader = query(store)
            assert len(reader.files()) == 150
            for at in range(0, 150, 11):
                found = reader.find(f"g2f{at}n3", exact=True)
                assert [one.path for one in found] == [f"{at:03d}"]
            assert reader.find("g0f", limit=5) == []
            assert store._writer.execute("PRAGMA integrity_check").get == "ok"
    with opened(tmp_path) as store:
        while store.collect(0):
            pass
        assert query(store).counts()["results"] == 150
