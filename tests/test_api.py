"""The Python API over the real engine: who answers, how fresh, and what happens when the owner leaves."""

import asyncio
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import currant
from currant.api import Index, open_index
from currant.errors import (
    ClosedError,
    ConfigError,
    NoIndexError,
    RootRefusedError,
    ServiceUnreachable,
    SyncTimeout,
    UsageError,
)
from currant.model import ChangeType, SyncResult
from currant.service import Service

ODD = os.fsdecode(b"\xff\xfe name.py")
WAIT_MS = 60_000


@pytest.fixture
def root(tmp_path: Path) -> Path:
    tree = tmp_path / "repo"
    (tree / "pkg").mkdir(parents=True)
    (tree / "pkg" / "one.py").write_text(
        "def parse_config(path):\n    return path\n\n\nclass Parser:\n    pass\n"
    )
    (tree / "two.c").write_text("int parse(void) { return 0; }\n")
    (tree / ODD).write_text("def odd():\n    pass\n")
    (tree / ".gitignore").write_text("build/\n")
    (tree / ".git").mkdir()
    (tree / "build").mkdir()
    (tree / "build" / "out.py").write_text("def hidden():\n    pass\n")
    return tree


@pytest.fixture
def index(root: Path) -> Iterator[Index]:
    with open_index(root, sync_ms=WAIT_MS) as opened:
        yield opened


def test_a_saved_file_is_found_and_the_answer_is_fresh(index: Index, root: Path) -> None:
    assert [found.path for found in index.find("parse_config", exact=True)] == ["pkg/one.py"]
    (root / "pkg" / "three.py").write_text("def brand_new():\n    pass\n")
    assert [found.path for found in index.find("brand_new")] == ["pkg/three.py"]
    assert index.last.fresh
    assert index.last.clock == index.sync()


def test_files_are_what_the_rules_keep_in_byte_order(index: Index) -> None:
    assert index.files() == [".gitignore", "pkg/one.py", "two.c", ODD]


def test_show_and_why_of_one_file(index: Index) -> None:
    view = index.show("pkg/one.py")
    assert view is not None
    assert view.record is not None
    assert {symbol.name for symbol in view.record.symbols} == {"parse_config", "Parser"}
    assert (view.language, view.state) == ("python", "ok")
    told = index.why("pkg/one.py")
    assert told is not None
    assert (told.content, told.cause) == (view.content, "scan")
    odd = index.show(ODD)
    assert odd is not None
    assert odd.path == ODD
    assert index.show("build/out.py") is None
    assert index.why("nowhere") is None


def test_changes_go_on_from_a_clock(index: Index, root: Path) -> None:
    everything = {row.path for row in index.changes()}
    assert everything == set(index.files())
    assert index.fresh_instance
    clock = index.sync()
    (root / "two.c").unlink()
    (root / "pkg" / "one.py").write_text("x = 1\n")
    rows = {row.path: row.change_type for row in index.changes(clock)}
    assert rows == {"two.c": ChangeType.DELETED, "pkg/one.py": ChangeType.MODIFIED}
    assert not index.fresh_instance
    assert list(index.changes(index.clock)) == []


def test_following_sees_what_is_committed(index: Index, root: Path) -> None:
    index.sync()
    with index.follow() as follower:
        (root / "new.py").write_text("def late():\n    pass\n")
        row = next(follower)
        assert (row.path, row.change_type) == ("new.py", ChangeType.CREATED)
        assert follower.clock == row.clock


def test_closing_a_follower_ends_it_from_another_thread(index: Index) -> None:
    follower = index.follow()
    ended: list[object] = []
    thread = threading.Thread(target=lambda: ended.extend(follower))
    thread.start()
    follower.close()
    thread.join()
    assert ended == []


def test_a_second_opener_is_answered_by_the_first(index: Index, root: Path) -> None:
    with open_index(root, sync_ms=WAIT_MS) as second:
        assert second.service is None
        assert second.owner["pid"] == os.getpid()
        (root / "four.py").write_text("def four():\n    pass\n")
        assert [found.path for found in second.find("four")] == ["four.py"]
        assert second.files() == index.files()


def test_when_the_owner_leaves_the_second_takes_over(root: Path) -> None:
    first = open_index(root, sync_ms=WAIT_MS)
    first.sync()
    with open_index(root, sync_ms=WAIT_MS) as second:
        follower = second.follow()
        first.close()
        with pytest.raises(ServiceUnreachable):
            next(follower)
        follower.close()
        (root / "five.py").write_text("def five():\n    pass\n")
        assert [found.path for found in second.find("five")] == ["five.py"]
        assert second.service is not None


def test_without_watches_every_question_looks_at_the_disk_again(root: Path) -> None:
    with open_index(root, live=False, sync_ms=WAIT_MS) as index:
        index.sync()
        (root / "six.py").write_text("def six():\n    pass\n")
        assert [found.path for found in index.find("six")] == ["six.py"]
        with open_index(root, sync_ms=WAIT_MS) as second:
            (root / "seven.py").write_text("def seven():\n    pass\n")
            assert [found.path for found in second.find("seven")] == ["seven.py"]


def test_an_answer_that_is_not_fresh_says_so(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    index.sync()
    stale = SyncResult(index.sync(), False, ["slow.c"])
    monkeypatch.setattr(Service, "sync", lambda _self, _timeout, _paths=None: stale)
    assert index.find("parse_config")
    assert (index.last.fresh, index.last.outstanding) == (False, ["slow.c"])
    with pytest.raises(SyncTimeout) as caught:
        index.sync(0.0)
    assert caught.value.outstanding == ["slow.c"]


def test_verify_agrees_and_finds_a_planted_lie(index: Index, root: Path) -> None:
    assert index.verify().ok
    with open_index(root, sync_ms=WAIT_MS) as second:  # over the socket too
        assert second.verify().ok


def test_what_cannot_be_opened(root: Path, tmp_path: Path) -> None:
    with pytest.raises(NoIndexError):
        open_index(root, create=False)
    assert not (root / ".currant").exists()
    with pytest.raises(RootRefusedError):
        open_index("/")
    with pytest.raises(RootRefusedError):
        open_index(tmp_path / "none")
    with pytest.raises(ConfigError):
        open_index(root, flags={"scheduler.worker_threads": 99})


def test_a_closed_index_says_so(root: Path) -> None:
    index = open_index(root, sync_ms=WAIT_MS)
    index.close()
    index.close()
    with pytest.raises(ClosedError):
        index.files()


def test_the_package_has_what_it_promises() -> None:
    assert currant.open is open_index
    for name in currant.__all__:
        assert getattr(currant, name)
    with pytest.raises(AttributeError):
        _ = currant.nonsense


def test_the_same_for_asyncio(root: Path) -> None:
    async def main() -> None:
        async with currant.open_async(root, sync_ms=WAIT_MS) as index:
            clock = await index.sync()
            found = await index.find("parse_config")
            assert [one.path for one in found] == ["pkg/one.py"]
            assert index.last.fresh
            (root / "two.c").unlink()
            assert [row.path async for row in index.changes(clock)] == ["two.c"]
            assert ODD in await index.files()
            assert (await index.status())["root"] == os.path.realpath(root)

    asyncio.run(main())


def test_asyncio_following_ends_with_its_task(root: Path) -> None:
    async def main() -> None:
        async with currant.open_async(root, sync_ms=WAIT_MS) as index:
            await index.sync()
            seen: asyncio.Queue[str] = asyncio.Queue()
            waiting = asyncio.Event()

            async def follow() -> None:
                rows = index.follow()
                waiting.set()
                async for row in rows:
                    await seen.put(row.path)

            task = asyncio.create_task(follow())
            await waiting.wait()
            await asyncio.to_thread((root / "a.py").write_text, "def a(): pass\n")
            # The follower starts from its own clock, so the first write may come before it.
            await index.sync()
            number = 0
            while seen.empty():
                number += 1
                await asyncio.to_thread((root / f"b{number}.py").write_text, f"def b{number}(): pass\n")
                await index.sync()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(main())


def test_asyncio_outside_of_its_block() -> None:
    index = currant.open_async("/tmp")
    with pytest.raises(RuntimeError, match="async with"):
        asyncio.run(index.sync())


def test_a_sync_of_paths_looks_at_them_by_itself(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "a.py").write_text("def one(): ...\n")
    # So long a delay and so rare a poll that nothing but the sync itself can be what finds it.
    slow = {"monitor.debounce_ms": 10_000, "monitor.max_delay_ms": 600_000, "monitor.source": "poll",
            "monitor.poll_interval_ms": 3_600_000}  # fmt: skip
    with open_index(tmp_path, flags=slow) as index:
        index.sync()
        (tmp_path / "d" / "a.py").write_text("def two(): ...\n")
        (tmp_path / "d" / "b.py").write_text("def three(): ...\n")
        index.sync(paths=["d/a.py"])
        assert [one.name for one in index.find("t", sync_ms=-1)] == ["two"]
        index.sync(paths=[tmp_path / "d"])
        assert sorted(one.name for one in index.find("t", sync_ms=-1)) == ["three", "two"]
        index.sync(paths=["nowhere/at.all"])
        with pytest.raises(UsageError, match="below"):
            index.sync(paths=["../outside"])
