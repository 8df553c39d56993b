"""What is in the state directory is ours alone, and what an attacker puts in its place is refused."""

import os
import socket
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

import currant
from conftest import Tree
from currant import statedir
from currant.errors import ServiceUnreachable, StoreError
from currant.ipc import wire
from currant.ipc.client import Client
from currant.ipc.methods import Desk
from currant.ipc.server import MAX_CONNECTIONS, Server
from currant.service import Service
from watcher import Watcher


def modes(state: Path) -> dict[str, str]:
    return {entry.name: oct(stat.S_IMODE(entry.stat().st_mode)) for entry in os.scandir(state)}


@pytest.mark.parametrize("umask", ["000", "022", "077", "777"])
def test_state_files_are_private_whatever_the_umask(tree: Tree, umask: str) -> None:
    tree.write({"a.py": "def a(): pass\n"})
    command = f'umask {umask}; exec "$0" -m currant index "$1" --state-dir "$2"'
    state = tree.root.parent / "state"
    for _ in range(2):
        subprocess.run(
            ["sh", "-c", command, sys.executable, tree.root, state], check=True, capture_output=True
        )
        assert stat.S_IMODE(state.stat().st_mode) == 0o700
        wrong = {
            name: mode for name, mode in modes(state).items() if name != ".gitignore" and mode != "0o600"
        }
        assert wrong == {}


def test_the_files_of_a_running_watcher_are_private(tree: Tree) -> None:
    tree.write({"a.py": "def a(): pass\n"})
    before = os.umask(0)
    try:
        with Watcher(tree.root).ready():
            found = modes(tree.root / ".currant")
    finally:
        os.umask(before)
    assert {"sock", "lock", "index.db", "index.db-wal", "index.db-shm"} <= found.keys()
    assert {name: mode for name, mode in found.items() if name != ".gitignore" and mode != "0o600"} == {}


def test_a_rebuilt_index_is_private(tree: Tree) -> None:
    tree.write({"a.py": "def a(): pass\n"})
    with currant.open(tree.root, live=False):
        pass
    state = tree.root / ".currant"
    (state / "index.db").write_bytes(b"nothing that SQLite knows" * 100)
    os.chmod(state, 0o755)
    before = os.umask(0)
    try:
        with currant.open(tree.root, live=False) as index:
            index.sync()
            found = modes(state)
    finally:
        os.umask(before)
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    assert any("damaged" in name for name in found)
    # The damaged file is not of our making; the directory keeps others out of it.
    wrong = {name for name, mode in found.items() if mode != "0o600" and "damaged-" not in name}
    assert wrong <= {".gitignore"}


def _link_to_a_directory(root: Path, victim: Path) -> None:
    (root / ".currant").symlink_to(victim)


def _link_to_nothing(root: Path, victim: Path) -> None:
    (root / ".currant").symlink_to(victim / "absent")


def _a_file(root: Path, victim: Path) -> None:
    (root / ".currant").write_text("")


@pytest.mark.parametrize("place", [_link_to_a_directory, _link_to_nothing, _a_file])
def test_a_state_directory_that_is_none_is_refused(
    tree: Tree, tmp_path: Path, place: Callable[[Path, Path], None]
) -> None:
    victim = tmp_path / "victim"
    victim.mkdir()
    place(tree.root, victim)
    with pytest.raises(StoreError, match="--state-dir"), currant.open(tree.root, live=False):
        pass
    assert list(victim.iterdir()) == []


@pytest.mark.parametrize("name", ["lock", "index.db", "index.db-wal", "index.damaged", "sock", ".gitignore"])
@pytest.mark.parametrize("there", [True, False])
def test_a_link_inside_a_cloned_state_directory_leads_nowhere(
    tree: Tree, tmp_path: Path, name: str, there: bool
) -> None:
    victim = tmp_path / "victim"
    if there:
        victim.write_text("precious")
    state = tree.root / ".currant"
    state.mkdir()
    (state / name).symlink_to(victim)
    with pytest.raises(StoreError, match="is a link"), currant.open(tree.root, live=False):
        pass
    assert (victim.read_text() == "precious") if there else not victim.exists()


def test_a_pipe_inside_a_state_directory_is_refused(tree: Tree) -> None:
    state = tree.root / ".currant"
    state.mkdir()
    os.mkfifo(state / "index.db")
    with pytest.raises(StoreError, match="pipe or a device"), currant.open(tree.root, live=False):
        pass


def test_a_state_directory_of_another_user_is_refused(
    tree: Tree, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "state").mkdir()
    mine = os.geteuid()
    if mine == 0:
        os.chown(tmp_path / "state", 12345, 12345)
    else:  # an ordinary user cannot give a directory away: be another one instead
        monkeypatch.setattr(os, "geteuid", lambda: mine + 1)
    with pytest.raises(StoreError, match="belongs to user"):
        statedir.prepare(tmp_path / "state")
    assert list((tmp_path / "state").iterdir()) == []


def test_a_file_of_another_user_inside_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = tmp_path / "state"
    statedir.prepare(state)
    (state / "index.db").write_text("")
    mine = os.geteuid()
    if mine == 0:
        os.chown(state / "index.db", 12345, 12345)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: mine + 1)
    with pytest.raises(StoreError, match="belongs to user"):
        statedir.prepare(state)


def test_a_state_directory_open_to_others_is_closed(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    state.chmod(0o777)
    statedir.prepare(state)
    assert stat.S_IMODE(state.stat().st_mode) == 0o700


# --- the socket -----------------------------------------------------------------------------------


def test_a_socket_of_another_user_is_not_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a tree of somebody else's, anybody may listen there."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.fspath(tmp_path / wire.SOCKET_NAME))
        listener.listen()
        monkeypatch.setattr(os, "geteuid", lambda: 54321)
        with pytest.raises(ServiceUnreachable, match="not asked"):
            Client.connect(tmp_path)


def test_the_socket_refuses_another_user(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    """By what the kernel says of the peer. That the file is 0600 in a 0700 directory comes first."""
    service = Service(tree.root, live=False)
    with service:
        server = Server(Desk(service, version="0", live=False), service.state_dir)
        try:
            # Who asks is this process; whom the server works for is somebody else.
            monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
            monkeypatch.setattr(wire, "peer_uid", lambda _connection: os.getuid() + 2)
            with socket.socket(socket.AF_UNIX) as asking:
                asking.connect(os.fspath(service.state_dir / wire.SOCKET_NAME))
                with suppress(BrokenPipeError):  # refused already
                    asking.sendall(b'{"method": "files"}\n')
                with asking.makefile("rb") as answer:
                    told = answer.readline()
        finally:
            server.close()
    assert b"may not read this index" in told
    assert b"result" not in told


def ask_raw(state: Path, *lines: bytes) -> bytes:
    """What the owner says until it hangs up or has answered each line."""
    with socket.socket(socket.AF_UNIX) as asking:
        asking.connect(os.fspath(state / wire.SOCKET_NAME))
        told = b""
        with asking.makefile("rb") as answer:
            for line in lines:
                try:
                    asking.sendall(line)
                except (BrokenPipeError, ConnectionResetError):
                    break
                try:
                    told += answer.readline()
                except ConnectionResetError:
                    break
        return told


def test_messages_on_the_socket_are_bounded_in_size_and_depth(tree: Tree) -> None:
    tree.write({"a.py": "def a(): pass\n"})
    state = tree.root / ".currant"
    with Watcher(tree.root).ready():
        deep = b'{"method": "find", "params": {"name": ' + b"[" * 100_000 + b"]" * 100_000 + b"}}\n"
        assert b"error" in ask_raw(state, deep)
        deep = b'{"method": "find", "params": ' + b'{"name": ' * 50_000 + b"1" + b"}" * 50_000 + b"}\n"
        assert b"error" in ask_raw(state, deep)
        # Longer than a request may be: hung up on, without waiting for the end of the line.
        with socket.socket(socket.AF_UNIX) as asking:
            asking.connect(os.fspath(state / wire.SOCKET_NAME))
            with pytest.raises((BrokenPipeError, ConnectionResetError)):
                asking.sendall(b"x" * wire.MAX_REQUEST * 64)
        for wrong in (b"\n", b"[]\n", b"\xff\xfe\n", b'{"method": 1}\n', b'{"method": "eval"}\n', b"null\n"):
            assert b'"error"' in ask_raw(state, wrong), wrong
        # It lives, and answers as ever.
        with Client.connect(state) as client:
            assert client.call("find", {"name": "a"}).result[0]["path"] == "a.py"


def test_connections_are_bounded(tree: Tree) -> None:
    """Asking as fast as one can opens no more threads than there are places."""
    state = tree.root / ".currant"
    with Watcher(tree.root).ready() as watcher, ExitStack() as held:
        refused = 0
        for _ in range(MAX_CONNECTIONS * 2):
            connection = held.enter_context(socket.socket(socket.AF_UNIX))
            connection.connect(os.fspath(state / wire.SOCKET_NAME))
            with suppress(BrokenPipeError):  # refused already
                connection.sendall(b'{"id": 1, "method": "ping"}\n')
            with connection.makefile("rb") as answer:
                refused += b"too many connections" in answer.readline()
        threads = len(os.listdir(f"/proc/{watcher.process.pid}/task"))
    assert refused == MAX_CONNECTIONS
    assert threads < MAX_CONNECTIONS + 30
