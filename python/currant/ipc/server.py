"""The owner's end of the local socket: connections, their limits, and who may ask.

One thread accepts, one serves each connection; their number is bounded. Owns the socket file, which only
the process that holds the index's lock may replace. Nothing is buffered for a slow reader: a follower
reads the change feed at its own pace, and one that stops reading altogether is dropped.
"""

import os
import selectors
import socket
import struct
import threading
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, Final

from currant import errors
from currant.clock import SystemClock
from currant.ipc import wire
from currant.ipc.client import Answer
from currant.ipc.methods import Desk

MAX_CONNECTIONS: Final = 64
SEND_TIMEOUT_SECONDS: Final = 30
GRACE_SECONDS: Final = 2.0
_FOLLOW_PAGE: Final = 500


class Server:
    """Serves one `Desk` on ``<state>/sock`` until `close`."""

    def __init__(self, desk: Desk, state_dir: Path, *, max_connections: int = MAX_CONNECTIONS) -> None:
        self._desk = desk
        self._clock = SystemClock()
        self._path = state_dir / wire.SOCKET_NAME
        self._slots = threading.BoundedSemaphore(max_connections)
        self._open: dict[socket.socket, threading.Thread] = {}
        self._guard = threading.Lock()  # of _open and _closing; never held across I/O
        self._closing = False
        self._listener = _listen(state_dir)
        self._identity = _identity(self._path)
        self._acceptor = self._start_accepting()

    def ensure(self) -> None:
        """Listen under the name again when somebody removed or replaced the socket file; connections that are
        open go on. Only while the lock is held, from one thread. Raises OSError when it cannot be made."""
        with self._guard:
            if self._closing or _identity(self._path) == self._identity:
                return
        listener, acceptor = _listen(self._path.parent), None
        with self._guard:
            if not self._closing:
                self._listener, listener = listener, self._listener
                self._identity = _identity(self._path)
                acceptor, self._acceptor = self._acceptor, self._start_accepting()
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)  # wakes the old accept()
        if acceptor is not None:
            acceptor.join()
        listener.close()

    def _start_accepting(self) -> threading.Thread:
        thread = threading.Thread(
            target=self._accept, args=(self._listener,), name="currant-ipc", daemon=True
        )
        thread.start()
        return thread

    def close(self) -> None:
        """Stop accepting, give requests under way a moment to finish, remove the socket file. Idempotent."""
        with self._guard:
            if self._closing:
                return
            self._closing = True
            connections = list(self._open.items())
        # Wakes accept(); closing the descriptor under it would not.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._acceptor.join()
        self._listener.close()
        if _identity(self._path) == self._identity:
            with suppress(OSError):
                self._path.unlink()
        # First only the reading half: an answer that is nearly there still goes out. Then both: someone may
        # have asked for a barrier of minutes, and will ask the next owner instead.
        deadline = self._clock.monotonic() + GRACE_SECONDS
        for how in (socket.SHUT_RD, socket.SHUT_RDWR):
            for connection, thread in connections:
                if thread.is_alive():
                    with suppress(OSError):
                        connection.shutdown(how)
            for _connection, thread in connections:
                thread.join(max(0.0, deadline - self._clock.monotonic()))

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                with self._guard:
                    if self._closing or listener is not self._listener:
                        return
                continue  # the caller gave up before we got to it, or descriptors ran out
            if not self._admit(connection):
                connection.close()

    def _admit(self, connection: socket.socket) -> bool:
        """Start the connection's thread; False (with a reason sent) when it may not come in."""
        uid = wire.peer_uid(connection)
        if uid is not None and uid not in (os.geteuid(), 0):
            _refuse(connection, "UsageError", f"user {uid} may not read this index")
            return False
        if not self._slots.acquire(blocking=False):
            _refuse(connection, "RetryError", "too many connections to this index; close some")
            return False
        thread = threading.Thread(
            target=self._serve, args=(connection,), name="currant-ipc-peer", daemon=True
        )
        with self._guard:
            if self._closing:
                self._slots.release()
                return False
            self._open[connection] = thread
            thread.start()
        return True

    def _serve(self, connection: socket.socket) -> None:
        try:
            connection.setsockopt(
                socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("@ll", SEND_TIMEOUT_SECONDS, 0)
            )
            with connection.makefile("rb") as lines:
                while line := lines.readline(wire.MAX_REQUEST + 1):
                    if not self._answer(connection, line):
                        break
        except (OSError, ValueError):
            pass  # the peer hung up or stopped reading: its business
        finally:
            with self._guard:
                self._open.pop(connection, None)
            connection.close()
            self._slots.release()

    def _answer(self, connection: socket.socket, line: bytes) -> bool:
        """Answer one request; False when the connection must end (the line cannot be trusted)."""
        if not line.endswith(b"\n"):
            _refuse(connection, "ProtocolError", f"a request is one line of at most {wire.MAX_REQUEST} bytes")
            return False
        try:
            request = wire.decode(line)
        except wire.WireError as error:
            _refuse(connection, "ProtocolError", str(error))
            return False
        tag = request.get("id")
        try:
            method, params, sync_ms = _parts(request)
            if method == "follow":
                self._follow(connection, tag, params)
                return False
            answer = self._desk.ask(method, params, sync_ms)
        except errors.CurrantError as error:
            connection.sendall(_failure(tag, type(error).__name__, str(error), error.exit_code))
            return True
        except OSError:
            raise
        except Exception as error:
            # A bug of ours must reach the person who asked, and must not end the owner.
            text = f"{type(error).__name__}: {error}"
            connection.sendall(_failure(tag, "InternalError", text, errors.CurrantError.exit_code))
            return True
        _send(connection, tag, answer)
        return True

    def _follow(self, connection: socket.socket, tag: Any, params: Mapping[str, Any]) -> None:
        """Send the change feed from `since` on, then what each commit adds, until either end leaves."""
        if params.keys() - {"since"}:
            raise errors.UsageError("follow: the one parameter is since")
        since = params.get("since")
        listeners = self._desk.service.on_commit
        with ExitStack() as cleanup:
            wake, bell = socket.socketpair()
            cleanup.callback(wake.close)
            cleanup.callback(bell.close)
            bell.setblocking(False)

            def ring(_commit: Any) -> None:
                # A full bell is rung already.
                with suppress(BlockingIOError):
                    bell.send(b"!")

            listeners.append(ring)
            cleanup.callback(listeners.remove, ring)
            waiting = cleanup.enter_context(selectors.DefaultSelector())
            waiting.register(wake, selectors.EVENT_READ)
            waiting.register(connection, selectors.EVENT_READ)
            while True:
                answer = self._desk.ask("changes", {"since": since, "limit": _FOLLOW_PAGE}, None)
                page = answer.result
                if page["changes"] or since is None or page["clock"] != since:
                    message = {
                        "id": tag,
                        "part": page["changes"],
                        "clock": page["clock"],
                        "fresh_instance": page["fresh_instance"],
                        "more": page["more"],
                    }
                    connection.sendall(wire.encode(message))
                since = page["clock"]
                if page["more"]:
                    continue
                ready = {key.fileobj for key, _ in waiting.select()}
                if connection in ready:
                    return  # the peer hung up, said something out of turn, or we are closing
                wake.recv(4_096)


def _listen(state_dir: Path) -> socket.socket:
    """Bind and listen; the caller holds the index's lock, so a socket file that is there is a dead one."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with suppress(OSError):
            os.fchmod(listener.fileno(), 0o600)  # on Linux bind() creates the file with these bits
        with suppress(FileNotFoundError):
            (state_dir / wire.SOCKET_NAME).unlink()
        with wire.address(state_dir) as address:
            listener.bind(address)
        os.chmod(state_dir / wire.SOCKET_NAME, 0o600)
        listener.listen(MAX_CONNECTIONS)
    except BaseException:
        listener.close()
        raise
    return listener


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _parts(request: dict[str, Any]) -> tuple[str, Mapping[str, Any], int | None]:
    method, params = request.get("method"), request.get("params", {})
    sync_ms = request.get("sync_ms")
    if not isinstance(method, str) or not isinstance(params, dict):
        raise errors.UsageError("a request has a method (text) and params (an object)")
    if sync_ms is not None and (
        isinstance(sync_ms, bool) or not isinstance(sync_ms, int) or not 0 <= sync_ms <= 3_600_000
    ):
        raise errors.UsageError("sync_ms is null or a whole number from 0 to 3600000")
    return method, params, sync_ms


def _send(connection: socket.socket, tag: Any, answer: Answer) -> None:
    result = answer.result
    message: dict[str, Any] = {"id": tag}
    if isinstance(result, list) and len(result) > wire.PART_ROWS:
        for start in range(0, len(result), wire.PART_ROWS):
            connection.sendall(wire.encode({"id": tag, "part": result[start : start + wire.PART_ROWS]}))
        message["result"] = None
    else:
        message["result"] = result
    if answer.clock is not None:
        message |= answer.freshness()
    connection.sendall(wire.encode(message))


def _failure(tag: Any, kind: str, text: str, exit_code: int) -> bytes:
    return wire.encode({"id": tag, "error": {"type": kind, "message": text, "exit_code": exit_code}})


def _refuse(connection: socket.socket, kind: str, text: str) -> None:
    with suppress(OSError):
        connection.sendall(_failure(None, kind, text, errors.CurrantError.exit_code))
