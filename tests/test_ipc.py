"""The local socket: what is asked is answered, and nothing that a peer does harms the owner."""

import json
import os
import socket
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from currant.cache import MetadataCache
from currant.clock import ManualClock
from currant.config import Settings
from currant.errors import CurrantError, ServiceUnreachable, UsageError
from currant.ipc import wire
from currant.ipc.client import Client
from currant.ipc.methods import METHODS, Desk
from currant.ipc.server import Server
from currant.model import FileStat, FileView, Record, Remove, ResultKey, Symbol, SyncResult, Upsert
from currant.query import Query
from currant.store import Store

ODD = os.fsdecode(b"dir/\xff name\n.c")


@dataclass
class IndexOnly:
    """A service without engine and workers: store and query are real, the test makes the commits."""

    root: Path
    store: Store
    query: Query
    settings: Settings = field(default_factory=Settings)
    budgets: list[float] = field(default_factory=list)
    fresh: bool = True
    engine: Any = None
    troubles: list[str] = field(default_factory=list)

    @property
    def on_commit(self) -> list[Callable[[Any], None]]:
        return self.store.on_commit

    def is_running(self) -> bool:
        return True

    def degraded(self) -> list[str]:
        return self.troubles

    def sync(self, timeout: float, _paths: object = None) -> SyncResult:
        self.budgets.append(timeout)
        return SyncResult(self.store.clock(), self.fresh, [] if self.fresh else [ODD])

    def outdated(self) -> int:
        return 0

    def show(self, path: str) -> FileView | None:
        return self.query.show(path)

    def get_status(self) -> dict[str, Any]:
        return {"root": str(self.root), "clock": self.store.clock()}

    def commit(self, *paths: str) -> None:
        key = ResultKey(b"k" * 16, "c", "outline/1")
        record = Record("c", [Symbol("main", "function", None, 1, 2, "int main(void)", "")], [])
        found = FileStat(1, 2, 3, 4)
        self.store.commit(
            [Upsert(os.fsencode(path), found, key, record, None, "event", 1.0, 0, False) for path in paths],
            1.0,
        )


@pytest.fixture
def service(tmp_path: Path) -> Iterator[IndexOnly]:
    store = Store.open(tmp_path / "state", clock=ManualClock())
    yield IndexOnly(tmp_path, store, Query(store, MetadataCache(1 << 20)))
    store.close()


@pytest.fixture
def server(service: IndexOnly) -> Iterator[Server]:
    desk = Desk(service, version="1", live=True)  # type: ignore[arg-type]
    running = Server(desk, service.store.state_dir, max_connections=3)
    yield running
    running.close()


@pytest.fixture
def client(server: Server, service: IndexOnly) -> Iterator[Client]:
    with Client.connect(service.store.state_dir) as connected:
        yield connected


def raw(service: IndexOnly) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(20)
    with wire.address(service.store.state_dir) as address:
        connection.connect(address)
    return connection


def say(connection: socket.socket, line: bytes) -> dict[str, Any]:
    """Send bytes as they are; the first line that comes back."""
    if line:
        connection.sendall(line)
    with connection.makefile("rb") as lines:
        answer: dict[str, Any] = json.loads(lines.readline())
    return answer


def test_answers_carry_their_freshness(client: Client, service: IndexOnly) -> None:
    service.commit(ODD)
    answer = client.call("find", {"name": "mai"}, sync_ms=1_500)
    assert [found["path"] for found in answer.result] == [ODD]
    assert (answer.clock, answer.fresh, answer.outstanding) == (service.store.clock(), True, ())
    assert service.budgets == [1.5]
    service.fresh = False
    answer = client.call("files")
    assert (answer.fresh, answer.outstanding, answer.degraded) == (False, (ODD,), ())
    service.troubles = ["root_missing", "denied"]
    assert client.call("files").degraded == ("root_missing", "denied")


def test_without_a_barrier_nothing_is_waited_for(client: Client, service: IndexOnly) -> None:
    assert client.call("status", sync_ms=2_000).clock is None
    assert client.call("counts", sync_ms=None).clock is None
    assert service.budgets == []


def test_hello_tells_who_answers_and_by_which_rules(client: Client, service: IndexOnly) -> None:
    assert client.owner["pid"] == os.getpid()
    assert client.owner["root"] == str(service.root)
    assert client.owner["rules"] == {"ignore_patterns": [], "nested_repositories": True}
    assert set(client.owner["methods"]) == set(METHODS)


def test_a_long_answer_comes_in_parts_and_whole(client: Client, service: IndexOnly) -> None:
    paths = sorted(f"f{number:05}" for number in range(wire.PART_ROWS * 2 + 7))
    service.commit(*paths)
    assert client.call("files").result == paths
    assert len(client.call("rows").result) == len(paths)


def test_files_by_a_pattern_a_page_at_a_time(client: Client, service: IndexOnly) -> None:
    service.commit("a/one.py", "a/two.py", "b/ONE.txt")
    assert client.call("files", {"pattern": "one"}).result == ["a/one.py", "b/ONE.txt"]
    assert client.call("files", {"pattern": "*.py", "limit": 1}).result == ["a/one.py"]
    assert client.call("files", {"pattern": "*.py", "limit": 1, "after": "a/one.py"}).result == ["a/two.py"]
    with pytest.raises(UsageError, match="pattern"):
        client.call("files", {"pattern": 3})


def test_rows_say_state_and_content(client: Client, service: IndexOnly) -> None:
    service.commit(ODD)
    assert client.call("rows", {"path": ODD}).result == [[ODD, "ok", (b"k" * 16).hex(), None, 3]]
    assert client.call("rows", {"path": "none"}).result == []


@pytest.mark.parametrize(
    ("method", "params", "told"),
    [
        ("nonsense", {}, "no method"),
        ("find", {}, "needs name"),
        ("find", {"name": 3}, "name cannot be 3"),
        ("find", {"name": "x", "limit": True}, "limit cannot be True"),
        ("find", {"name": "x", "nmae": 1}, "no parameter 'nmae'"),
        ("changes", {"since": "yesterday"}, "not a clock"),
    ],
)
def test_a_mistake_is_told_and_the_connection_stays(
    client: Client, method: str, params: dict[str, Any], told: str
) -> None:
    with pytest.raises(UsageError, match=told) as caught:
        client.call(method, params)
    assert caught.value.exit_code == 2
    assert client.call("ping").result == "pong"


def test_an_error_of_an_unknown_kind_keeps_its_name_and_code(
    client: Client, service: IndexOnly, monkeypatch: pytest.MonkeyPatch
) -> None:
    class FutureError(CurrantError):
        exit_code = 42

    def fail() -> None:
        raise FutureError("from a later version")

    monkeypatch.setattr(service, "get_status", fail)
    with pytest.raises(CurrantError, match="later version") as caught:
        client.call("status")
    assert caught.value.exit_code == 42


def test_a_bug_in_a_method_does_not_end_the_owner(
    client: Client, service: IndexOnly, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "get_status", lambda: 1 / 0)
    with pytest.raises(CurrantError, match="ZeroDivisionError"):
        client.call("status")
    assert client.call("ping").result == "pong"


@pytest.mark.parametrize(
    "line",
    [b"nonsense\n", b"[1]\n", b"\xff\xfe\n", b"[" * 100_000 + b"\n", b"x" * (wire.MAX_REQUEST + 2)],
    ids=["text", "list", "bytes", "nested", "long"],
)
def test_what_is_no_request_is_refused_and_the_connection_closed(
    server: Server, service: IndexOnly, line: bytes
) -> None:
    with raw(service) as connection:
        assert say(connection, line)["error"]["type"] == "ProtocolError"
        with suppress(ConnectionResetError):  # closed with our bytes unread: closed all the same
            assert connection.recv(1) == b""


def test_connections_are_bounded_and_come_back(server: Server, service: IndexOnly) -> None:
    kept = [Client.connect(service.store.state_dir) for _ in range(3)]
    with raw(service) as connection:
        assert say(connection, b"")["error"]["type"] == "RetryError"
    kept.pop().close()
    # The slot is free once the server has seen the end of the connection.
    for _ in range(1_000):
        try:
            kept.append(Client.connect(service.store.state_dir))
            break
        except CurrantError:
            continue
    assert len(kept) == 3
    for client in kept:
        client.close()


def test_a_follower_sees_each_commit_in_order(client: Client, service: IndexOnly) -> None:
    service.commit("a")
    since = service.store.clock()
    parts = client.stream("follow", {"since": since})
    service.commit("b")
    assert [row["path"] for row in next(parts)["part"]] == ["b"]
    service.commit("c", "d")
    service.store.commit([Remove(b"a", "event")], 2.0)
    seen: list[tuple[str, str]] = []
    while len(seen) < 3:
        seen += [(row["path"], row["change_type"]) for row in next(parts)["part"]]
    assert seen == [("c", "created"), ("d", "created"), ("a", "deleted")]


def test_following_from_a_foreign_clock_gives_everything_and_says_so(
    client: Client, service: IndexOnly
) -> None:
    service.commit("a", "b")
    part = next(client.stream("follow", {"since": "c:00000000:7"}))
    assert part["fresh_instance"]
    assert [row["path"] for row in part["part"]] == ["a", "b"]


def test_closing_ends_followers_and_idle_connections(service: IndexOnly) -> None:
    desk = Desk(service, version="1", live=True)  # type: ignore[arg-type]
    server = Server(desk, service.store.state_dir)
    with (
        Client.connect(service.store.state_dir) as idle,
        Client.connect(service.store.state_dir) as following,
    ):
        ended = threading.Event()

        def follow() -> None:
            with pytest.raises(ServiceUnreachable):
                for _ in following.stream("follow", {"since": service.store.clock()}):
                    pass
            ended.set()

        thread = threading.Thread(target=follow)
        thread.start()
        assert idle.call("ping").result == "pong"
        server.close()
        server.close()
        thread.join()
        assert len(service.on_commit) == 1  # the query's: the follower's is gone with it
        assert ended.is_set()
        with pytest.raises(ServiceUnreachable):
            idle.call("ping")
    assert not (service.store.state_dir / wire.SOCKET_NAME).exists()
    with pytest.raises(ServiceUnreachable):
        Client.connect(service.store.state_dir)


def test_the_socket_is_private_and_a_dead_one_is_replaced(service: IndexOnly) -> None:
    place = service.store.state_dir / wire.SOCKET_NAME
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(str(place))
    dead.close()
    with pytest.raises(ServiceUnreachable):
        Client.connect(service.store.state_dir)
    desk = Desk(service, version="1", live=True)  # type: ignore[arg-type]
    server = Server(desk, service.store.state_dir)
    try:
        assert stat.S_IMODE(place.lstat().st_mode) == 0o600
        with Client.connect(service.store.state_dir) as client:
            assert client.call("ping").result == "pong"
    finally:
        server.close()


def test_closing_leaves_the_socket_of_a_successor(service: IndexOnly) -> None:
    desk = Desk(service, version="1", live=True)  # type: ignore[arg-type]
    first = Server(desk, service.store.state_dir)
    second = Server(desk, service.store.state_dir)
    first.close()
    with Client.connect(service.store.state_dir) as client:
        assert client.call("ping").result == "pong"
    second.close()


def test_a_state_directory_deeper_than_a_socket_address(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["d" * 50] * 4)
    store = Store.open(deep, clock=ManualClock())
    service = IndexOnly(tmp_path, store, Query(store, MetadataCache(1 << 20)))
    server = Server(Desk(service, version="1", live=True), deep)  # type: ignore[arg-type]
    try:
        assert len(str(deep / wire.SOCKET_NAME)) > 108
        with Client.connect(deep) as client:
            assert client.call("ping").result == "pong"
    finally:
        server.close()
        store.close()


def test_an_owner_of_another_protocol_is_named(
    server: Server, service: IndexOnly, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "PROTOCOL", 99)
    with pytest.raises(ServiceUnreachable, match="restart the watcher"):
        Client.connect(service.store.state_dir)


def test_a_user_who_is_neither_owner_nor_root_is_turned_away(
    server: Server, service: IndexOnly, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "peer_uid", lambda _connection: os.geteuid() + 4_242)
    with raw(service) as connection:
        assert say(connection, b"")["error"]["type"] == "UsageError"


# Every character but surrogates, and the surrogates that stand for bytes.
PATH_TEXT = st.text(
    st.characters(exclude_categories=["Cs"]) | st.sampled_from([chr(0xDC80 + n) for n in range(128)])
)


@given(PATH_TEXT)
def test_the_wire_keeps_every_text(text: str) -> None:
    line = wire.encode({"path": text})
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert wire.decode(line) == {"path": text}
