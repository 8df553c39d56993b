"""An index that is cut anywhere or has bits flipped anywhere: no answer is wrong without an error, and it is
made anew from the files in the end.

The oracle is the same index undamaged. What was damaged while nobody had it open is met at the start or when
it is read; a second start then rebuilds it. The places are drawn from ``CURRANT_TEST_SEED``.
"""

import os
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw
import pytest

from currant.errors import SchemaTooNewError, StoreDamagedError, StoreFullError
from currant.model import Failure, FileStat, Remove
from currant.store import Store, schema, seal
from store_kit import opened, overwrite, query, upsert

SEED = int(os.environ.get("CURRANT_TEST_SEED", "11"))
FILES = 120


def fill(state: Path) -> None:
    """An index of all that an index can hold, some hundred pages large."""
    with opened(state) as store:
        names = [tuple(f"name{number}x{other}" for other in range(30)) for number in range(FILES)]
        store.commit([upsert(b"d/%03d" % at, at, names=names[at]) for at in range(FILES)], 1.0)
        store.commit([Failure(b"denied", FileStat(1, 2, 3, 4), "no", 1, None, "event")], 2.0)
        store.commit([Remove(b"d/007", "event"), upsert(b"d/008", "anew", names=("anew",))], 3.0)


def clockless(answer: object) -> str:
    """Without the name of the index, which each copy has for itself."""
    return re.sub(r"c:[0-9a-f]{8}:", "c::", repr(answer))


def answers(store: Store) -> Iterator[tuple[str, Any]]:
    """Everything that can be asked, one by one."""
    reader = query(store)
    yield "clock", clockless(store.clock())
    yield "rows", store.tree_rows()
    yield "packed", b"".join(store.packed_tree_rows())
    yield "files", reader.files()
    for path in reader.files()[::7]:
        name = os.fsdecode(path)
        yield f"show {name}", repr(reader.show(name))
        yield f"why {name}", clockless(reader.why(name))
    for name in ("name3", "name77x5", "anew", "nothing at all"):
        yield f"find {name}", repr(reader.find(name, limit=1_000))
    yield "failures", repr(reader.failures(10))
    yield "counts", reader.counts()
    yield "changes", clockless(reader.changes(f"c:{store.uuid[:8]}:0", limit=1_000))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    state = tmp_path_factory.mktemp("whole")
    fill(state)
    with opened(state) as store:
        return state, dict(answers(store))


def judge(state: Path, truth: dict[str, Any], what: str) -> str:
    """Start on a damaged index until it is rebuilt or found whole; how it ended."""
    for _ in range(3):
        try:
            with opened(state) as store:
                if store.opened.how in ("rebuilt", "created"):
                    assert store.opened.message or store.opened.how == "created", what
                    assert store.tree_rows() == []
                    store.commit([upsert(b"x", "x", names=("fresh",))], 9.0)
                    assert query(store).find("fresh")
                    return "rebuilt"
                for question, answer in answers(store):
                    assert truth.get(question) == answer, (what, question)
                return "unharmed"
        except StoreDamagedError:
            continue
        except SchemaTooNewError:
            return "refused"  # the flipped byte was the version
    pytest.fail(f"{what}: damaged again right after it was rebuilt")


def cuts(size: int, chance: random.Random) -> list[int]:
    """Page boundaries, places within pages, and the very beginning."""
    pages = size // 4096
    boundaries = [4096 * page for page in chance.sample(range(pages), min(12, pages))]
    return [0, 1, 99, 100, 511, 512, 4096, *boundaries, *(chance.randrange(size) for _ in range(12))]


def test_cut_anywhere_it_is_rebuilt(whole: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    base, truth = whole
    size = (base / "index.db").stat().st_size
    for cut in cuts(size, random.Random(SEED)):
        state = tmp_path / f"cut{cut}"
        shutil.copytree(base, state)
        os.truncate(state / "index.db", cut)
        assert judge(state, truth, f"cut to {cut} of {size}") == "rebuilt"
        shutil.rmtree(state)


def places(path: Path, chance: random.Random) -> list[int]:
    """Bytes of the header, of page headers, and of anywhere."""
    size = path.stat().st_size
    pages = [4096 * chance.randrange(size // 4096) for _ in range(25)]
    return [
        *chance.sample(range(100), 25),
        *(page + chance.randrange(12) for page in pages),
        *(chance.randrange(size) for _ in range(30)),
    ]


def test_flipped_bits_never_change_an_answer(whole: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    base, truth = whole
    chance = random.Random(SEED + 1)
    content = (base / "index.db").read_bytes()
    ends = []
    for place in places(base / "index.db", chance):
        state = tmp_path / f"flip{place}"
        shutil.copytree(base, state)
        overwrite(state / "index.db", place, bytes([content[place] ^ (1 << chance.randrange(8))]))
        ends.append(judge(state, truth, f"bit flipped in byte {place}"))
        shutil.rmtree(state)
    assert set(ends) <= {"rebuilt", "refused"}  # refused: it was the version that became another
    assert "rebuilt" in ends


@pytest.fixture(scope="module")
def unclosed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """As a killed owner leaves it: some commits in the index, some in the log."""
    base = tmp_path_factory.mktemp("unclosed")
    state, copy = base / "state", base / "copy"
    with opened(state) as store:
        store._writer.pragma("wal_autocheckpoint", 40)
        for at in range(60):
            names = tuple(f"name{at}x{other}" for other in range(30))
            store.commit([upsert(b"d/%03d" % at, at, names=names)], 1.0)
        truth = dict(answers(store))
        # By another process: opening and closing these files here would drop the locks.
        subprocess.run(["cp", "-r", os.fspath(state), os.fspath(copy)], check=True)
    assert (copy / "index.db-wal").stat().st_size
    return copy, truth


def test_a_damaged_log_ends_in_an_earlier_moment_or_a_new_index(
    unclosed: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    """The log has checksums of its own: what follows a damaged place was never committed, for SQLite."""
    base, truth = unclosed
    log = (base / "index.db-wal").read_bytes()
    chance = random.Random(SEED + 2)
    damages = [
        *((chance.randrange(len(log)), True) for _ in range(25)),
        *((cut, False) for cut in cuts(len(log), chance)),
    ]
    for place, flip in damages:
        state = tmp_path / f"{place}{flip}"
        shutil.copytree(base, state)
        if flip:
            overwrite(state / "index.db-wal", place, bytes([log[place] ^ (1 << chance.randrange(8))]))
        else:
            os.truncate(state / "index.db-wal", place)
        with opened(state) as store:
            if store.opened.how == "existing":
                files = query(store).files()
                # Each commit added the next name: whatever is left is a beginning of what was.
                assert files == truth["files"][: len(files)], (place, flip)
                for path in files:
                    name = f"name{int(path[2:])}x7"
                    assert [one.path for one in query(store).find(name, exact=True)] == [os.fsdecode(path)]
            else:
                assert store.opened.how == "rebuilt"
        shutil.rmtree(state)


def test_garbage_in_the_shared_memory_of_a_dead_owner_is_of_no_account(
    unclosed: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    base, truth = unclosed
    for number in range(5):
        state = tmp_path / str(number)
        shutil.copytree(base, state)
        garbage = random.Random(SEED + number).randbytes((state / "index.db-shm").stat().st_size)
        (state / "index.db-shm").write_bytes(garbage)
        with opened(state) as store:
            assert dict(answers(store)) == truth


def test_a_log_that_was_removed_after_a_crash_is_not_passed_over(
    unclosed: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    base, _ = unclosed
    state = tmp_path / "state"
    shutil.copytree(base, state)
    (state / "index.db-wal").unlink()
    with opened(state) as store:
        assert store.opened.how == "rebuilt"
        assert "log is gone" in str(store.opened.reason)


def test_a_copy_is_another_index_with_all_that_the_first_one_knew(
    whole: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    base, truth = whole
    with opened(base) as store:
        first = store.clock()
    state = tmp_path / "copy"
    shutil.copytree(base, state)
    with opened(state) as store:
        assert store.opened.how == "existing"
        assert store.clock() != first
        assert query(store).changes(first).fresh_instance
        assert dict(answers(store)) == truth
        second = store.clock()
    with opened(state) as store:
        assert store.clock() == second
    with opened(base) as store:
        assert store.clock() == first


def test_an_older_copy_put_back_does_not_take_the_clocks_of_what_it_replaced(tmp_path: Path) -> None:
    fill(tmp_path)
    shutil.copy(tmp_path / "index.db", tmp_path / "older")
    with opened(tmp_path) as store:
        store.commit([upsert(b"later", "later")], 4.0)
        clock = store.clock()
    os.replace(tmp_path / "older", tmp_path / "index.db")
    with opened(tmp_path) as store:
        store.commit([upsert(b"other%d" % number, number) for number in range(5)], 5.0)
        assert query(store).changes(clock).fresh_instance


def test_only_a_machine_that_went_down_can_have_lost_what_a_clock_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a kill all that was told of is there; after a power cut numbers of lost commits come again."""
    state = tmp_path / "state"
    before = """
import os, sys
from pathlib import Path
sys.path[:0] = sys.argv[2:]
from store_kit import opened, upsert
store = opened(Path(sys.argv[1]))
print(store.commit([upsert(b"a")], 1.0), flush=True)
os._exit(9)
"""
    here = [os.fspath(Path(__file__).parent), *sys.path]

    def killed() -> str:
        command = [sys.executable, "-c", before, os.fspath(state), *here]
        return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False).stdout.strip()

    clock = killed()
    assert clock.startswith("c:")
    assert killed().partition(":")[2].partition(":")[0] == clock.split(":")[1]
    monkeypatch.setattr(seal, "boot_id", lambda: "another")
    with opened(state) as store:
        assert store.opened.how == "existing"
        assert query(store).files() == [b"a"]
        assert query(store).changes(clock).fresh_instance
        later = store.clock()
    with opened(state) as store:
        assert store.clock() == later


def test_an_index_that_was_only_read_is_not_read_through_to_be_sealed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path)
    line = (tmp_path / seal.SEAL_NAME).read_text()
    sums: list[Path] = []
    whole_sum = seal._checksum
    monkeypatch.setattr(seal, "ALWAYS_BYTES", 0)
    monkeypatch.setattr(seal, "_checksum", lambda path: sums.append(path) or whole_sum(path))
    for _ in range(2):
        with opened(tmp_path) as store:
            assert query(store).files()
    assert sums == []
    assert (tmp_path / seal.SEAL_NAME).read_text() == line
    with opened(tmp_path) as store:
        store.commit([upsert(b"one more")], 5.0)
    assert len(sums) == 1
    assert (tmp_path / seal.SEAL_NAME).read_text() != line


def test_a_start_that_fails_on_a_full_disk_leaves_a_sound_index_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path)

    def full(*_: object, **__: object) -> None:
        raise apsw.FullError("database or disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(schema, "settle", full)  # the last that is written at a start
        with pytest.raises(StoreFullError):
            opened(tmp_path)
    with opened(tmp_path) as store:
        assert store.opened.how == "existing"
        assert len(query(store).files()) == FILES
