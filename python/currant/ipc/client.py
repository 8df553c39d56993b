"""The caller's end of the local socket.

Owns one connection. A `Client` is for one thread at a time; whoever shares an index between threads holds
a lock around it (`currant.api` does). Importing this imports no index code: a short command stays short.
"""

import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

from currant import errors
from currant.errors import ServiceUnreachable
from currant.ipc import wire
from currant.owner import Patience

_BLOCK: Final = 1 << 16
_FIRST_LOOK_SECONDS: Final = 0.25
_LATER_LOOK_SECONDS: Final = 2.0
_SOON_SECONDS: Final = 10.0


class Answer(NamedTuple):
    """One answer: the result as plain JSON values, and how fresh it is: it holds everything up to `clock`;
    `fresh` says whether that is everything that was on disk, `outstanding` names (some of) what is not in it,
    `degraded` what works worse than it should, by the short names of docs/status.md.
    `clock` is None when no barrier was asked for."""

    result: Any
    clock: str | None = None
    fresh: bool = False
    outstanding: tuple[str, ...] = ()
    degraded: tuple[str, ...] = ()

    def freshness(self) -> dict[str, Any]:
        """All but the result, as it stands in JSON."""
        return {key: value for key, value in self._asdict().items() if key != "result"}


class Client:
    """A connection to the process that owns the index of one root."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._received = bytearray()  # what came behind the last line that was taken
        self._patience = Patience(wire.peer_pid(connection))
        self._next_id = 0
        self.owner: dict[str, Any] = {}

    @classmethod
    def connect(cls, state_dir: Path, root: Path | None = None, *, timeout: float = 5.0) -> Self:
        """Connect and shake hands, each step within `timeout` seconds. With `root`, only to an owner of that
        root: two roots may have been given one state directory.

        Raises ServiceUnreachable when nobody listens or the owner speaks another protocol version, UsageError
        when it owns another root, and OwnerSuspendedError when it is stopped, here and in every later call.
        """
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.settimeout(timeout)
            with wire.address(state_dir) as address:
                connection.connect(address)
            client = cls(connection)
        except OSError as error:
            connection.close()
            raise ServiceUnreachable(f"no process answers for the index in {state_dir} ({error})") from None
        try:
            # In a directory of somebody else's, anybody may listen, and would be believed.
            owner = wire.peer_uid(connection)
            if owner is not None and os.geteuid() not in (0, owner):
                raise ServiceUnreachable(f"user {owner} answers for the index in {state_dir}: not asked")
            client.owner = client.call("hello", sync_ms=None, timeout=timeout).result
            if client.owner.get("protocol") != wire.PROTOCOL:
                raise ServiceUnreachable(
                    f"the watcher (pid {client.owner.get('pid')}) speaks protocol "
                    f"{client.owner.get('protocol')}, this command {wire.PROTOCOL}: restart the watcher"
                )
            if root is not None:
                _require_root(client.owner, root, state_dir)
        except BaseException:
            client.close()
            raise
        return client

    def call(
        self,
        method: str,
        params: dict[str, Any] | None = None,
        *,
        sync_ms: int | None = 2_000,
        timeout: float | None = None,
    ) -> Answer:
        """Ask once. The owner first brings the index up to date for up to `sync_ms` (None: it does not).

        A result that came in parts is one list. `timeout` (seconds of silence; None waits for as long as
        the owner lives) is on top of that. Raises ServiceUnreachable when the owner goes away, and the
        owner's own errors as their classes."""
        rows: list[Any] = []
        final: dict[str, Any] = {}
        for message in self._exchange(method, params, sync_ms, timeout):
            if "part" in message:
                rows.extend(message["part"])
            else:
                final = message
        result = final.get("result")
        return Answer(
            rows if rows and result is None else result,
            final.get("clock"),
            final.get("fresh", False),
            tuple(final.get("outstanding", ())),
            tuple(final.get("degraded", ())),
        )

    def stream(self, method: str, params: dict[str, Any] | None = None) -> Iterator[dict[str, Any]]:
        """Ask, and yield each part as it comes, until the owner ends it. The connection is then of no
        more use when the caller stopped early: close it."""
        for message in self._exchange(method, params, None, None):
            if "part" in message:
                yield message

    def close(self) -> None:
        """Hang up. Idempotent; also wakes a thread that waits in `stream`."""
        with suppress(OSError):  # the other end was first
            self._connection.shutdown(socket.SHUT_RDWR)
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _exchange(
        self, method: str, params: dict[str, Any] | None, sync_ms: int | None, timeout: float | None
    ) -> Iterator[dict[str, Any]]:
        self._next_id += 1
        request = {"id": self._next_id, "method": method, "params": params or {}, "sync_ms": sync_ms}
        try:
            patience = None if timeout is None else timeout + (sync_ms or 0) / 1_000
            self._connection.settimeout(patience)
            self._connection.sendall(wire.encode(request))
            while True:
                line = self._line(patience)
                message = wire.decode(line)
                if "error" in message:
                    raise _error(message["error"])
                yield message
                if "part" not in message:
                    return
        except errors.CurrantError:
            raise  # some of them are OSErrors too
        except TimeoutError:
            raise ServiceUnreachable(
                f"the process that owns the index did not answer within {timeout} s"
            ) from None
        except (OSError, wire.WireError, ValueError) as error:
            raise ServiceUnreachable(f"the process that owned the index went away ({error})") from None

    def _line(self, timeout: float | None) -> bytes:
        """The next line, within `timeout` seconds of silence. Looks now and then whether the owner is able to
        answer at all. Raises TimeoutError, OwnerSuspendedError, ServiceUnreachable at the end, OSError."""
        searched, silence, wait = 0, 0.0, _FIRST_LOOK_SECONDS
        while (end := self._received.find(b"\n", searched)) < 0:
            searched = len(self._received)
            left = wait if timeout is None else min(wait, timeout - silence)
            if left <= 0:
                raise TimeoutError
            self._connection.settimeout(left)
            try:
                block = self._connection.recv(_BLOCK)
            except TimeoutError:
                self._patience.look()
                silence += left
                # An idle follower is silent for hours; nobody is to be woken twice a second for that.
                wait = _FIRST_LOOK_SECONDS if silence < _SOON_SECONDS else _LATER_LOOK_SECONDS
                continue
            if not block:
                raise ServiceUnreachable("the process that owned the index went away")
            self._received += block
            silence = 0.0
        line = bytes(self._received[: end + 1])
        del self._received[: end + 1]
        return line


def _require_root(owner: dict[str, Any], root: Path, state_dir: Path) -> None:
    """An owner whose root is gone is taken as it is: it was ours, perhaps renamed, and says so itself."""
    theirs = str(owner.get("root"))
    try:
        same = os.path.samefile(theirs, root)
    except OSError:
        return
    if not same:
        raise errors.UsageError(
            f"process {owner.get('pid')} keeps the index of {theirs} in {state_dir}, not that of {root}: "
            f"give each root a state directory of its own; if the root was renamed, end that process"
        )


def _error(told: dict[str, Any]) -> errors.CurrantError:
    kind, text, code = str(told["type"]), str(told["message"]), int(told["exit_code"])
    found = getattr(errors, kind, None)
    if isinstance(found, type) and issubclass(found, errors.CurrantError):
        # Without __init__: its arguments (paths, pids) went into the message and did not travel.
        error = found.__new__(found)
        Exception.__init__(error, text)
        return error
    return errors.RemoteError(kind, text, code)
