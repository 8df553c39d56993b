"""Many agents on one root: one watcher, and the others go on when it is killed."""

import os
import signal
import threading
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, cast

import anyio
import pytest
from mcp import Client

from currant.api import Index
from currant.errors import ClosedError, ConfigError, CurrantError, ServiceUnreachable
from currant.mcp.source import One
from mcp_kit import connected, fresh, told


def watches(pid: int) -> bool:
    """Whether a process watches files."""
    links = []
    for name in os.listdir(f"/proc/{pid}/fd"):
        try:
            links.append(os.readlink(f"/proc/{pid}/fd/{name}"))
        except FileNotFoundError:
            continue
    return any("inotify" in link for link in links)


def children() -> set[int]:
    """Processes that this one has started."""
    return {
        int(pid)
        for task in os.listdir("/proc/self/task")
        for pid in Path(f"/proc/self/task/{task}/children").read_text().split()
    }


async def owners(clients: Mapping[int, Client]) -> set[int]:
    """Who owns the index, as each of them says."""
    return {(await told(client, "status"))["owner_pid"] for client in clients.values()}


def test_one_watches_and_the_others_go_on_when_it_is_killed(tmp_path: Path) -> None:
    (tmp_path / "first.py").write_text("def before():\n    pass\n")

    async def talk() -> None:
        async with AsyncExitStack() as stack:
            clients: dict[int, Client] = {}
            for _ in range(3):
                known = children()
                client = await stack.enter_async_context(connected(tmp_path))
                (pid,) = children() - known
                clients[pid] = client
            for client in clients.values():
                assert (await fresh(client, "find_symbol", name="before"))["hits"]
            (owner,) = await owners(clients)
            assert [pid for pid in clients if watches(pid)] == [owner]

            os.kill(owner, signal.SIGKILL)
            del clients[owner]
            (tmp_path / "second.py").write_text("def after():\n    pass\n")
            for client in clients.values():
                found = await fresh(client, "find_symbol", name="after")
                assert [hit["path"] for hit in found["hits"]] == ["second.py"]

            (heir,) = await owners(clients)
            assert [pid for pid in clients if watches(pid)] == [heir]
            (tmp_path / "third.py").write_text("def later():\n    pass\n")
            for client in clients.values():
                assert (await fresh(client, "find_symbol", name="later"))["hits"]

    anyio.run(talk)


class FakeIndex:
    """An index that somebody else owns; counts the looks for the owner."""

    def __init__(self) -> None:
        self.service: object | None = None
        self.looks = threading.Semaphore(0)
        self.error: CurrantError | None = None
        self.closed = False

    def ask(self, method: str, _params: Mapping[str, Any], *, sync_ms: int) -> None:
        assert (method, sync_ms) == ("ping", -1)
        self.looks.release()
        if self.error is not None:
            raise self.error

    def close(self) -> None:
        self.closed = True


def test_the_place_of_an_owner_is_taken_without_a_question() -> None:
    """`Index.ask` takes over when the owner has gone; so it is asked now and then, also after it failed."""
    index = FakeIndex()
    source = One(lambda: cast("Index", index), look_seconds=0.001)
    source.start()
    assert index.looks.acquire(timeout=30)
    index.error = ServiceUnreachable("gone, and somebody else was quicker")
    for _ in range(3):
        assert index.looks.acquire(timeout=30)
    source.close()
    assert index.closed
    with pytest.raises(ClosedError):
        source.index("")


def test_what_was_wrong_at_the_start_may_be_repaired() -> None:
    problems: list[CurrantError] = [ConfigError([]), ConfigError([])]
    index = FakeIndex()

    def opener() -> Index:
        if problems:
            raise problems.pop()
        return cast("Index", index)

    source = One(opener)
    source.start()
    with pytest.raises(ConfigError):
        source.index("")
    assert source.index("") is cast("Index", index)
    source.close()


def test_closing_before_the_index_is_open_leaves_nothing() -> None:
    """A client that leaves at once; what is opened afterwards is closed."""
    index, may, opening = FakeIndex(), threading.Event(), threading.Event()

    def opener() -> Index:
        opening.set()
        assert may.wait(30)
        return cast("Index", index)

    source = One(opener)
    source.start()
    assert opening.wait(30)
    closing = threading.Thread(target=source.close)
    closing.start()
    may.set()
    closing.join(30)
    assert index.closed
