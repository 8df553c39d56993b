"""The bytes on the socket: one JSON object a line, and the address of the socket.

Paths are `str` with surrogateescape; see `currant.jsontext` for how bytes that are not UTF-8 travel.
"""

import os
import socket
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, cast

from currant import jsontext

PROTOCOL: Final = 1
SOCKET_NAME: Final = "sock"
MAX_REQUEST: Final = 1 << 20
"""Bytes of one request line; a longer one is answered with an error and the connection is closed."""

PART_ROWS: Final = 2_000
"""Rows of a long answer in one line, so that neither side holds the whole of it as text."""

# struct sockaddr_un holds 108 bytes on Linux and 104 on the BSDs and macOS, with the closing NUL.
_MAX_ADDRESS: Final = 107 if sys.platform == "linux" else 103


class WireError(ValueError):
    """A line that is not one JSON object, or is too long."""


def encode(message: dict[str, Any]) -> bytes:
    """One message as a line, with its newline."""
    return jsontext.dumps(message) + b"\n"


def decode(line: bytes) -> dict[str, Any]:
    """One line as a message; `WireError` for anything that is not one JSON object."""
    try:
        message = jsontext.loads(line)
    except (ValueError, RecursionError) as error:
        raise WireError(f"not JSON: {error}") from None
    if not isinstance(message, dict):
        raise WireError("a message is a JSON object")
    return cast(dict[str, Any], message)


@contextmanager
def address(state_dir: Path) -> Iterator[str]:
    """An address for the socket in `state_dir` that fits into ``sockaddr_un``, valid inside the block.

    A deep state directory does not fit; on Linux it is then reached through an open descriptor.
    Raises OSError when the directory is not there, or is too deep on another platform.
    """
    plain = os.fspath(state_dir / SOCKET_NAME)
    if len(os.fsencode(plain)) <= _MAX_ADDRESS:
        yield plain
        return
    if sys.platform != "linux":
        raise OSError(f"{plain}: longer than the {_MAX_ADDRESS} bytes that a socket's address may have")
    handle = os.open(state_dir, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{handle}/{SOCKET_NAME}"
    finally:
        os.close(handle)


def peer_uid(connection: socket.socket) -> int | None:
    """The user at the other end, from the kernel; None where the platform does not tell."""
    return _peer(connection)[1]


def peer_pid(connection: socket.socket) -> int:
    """The process at the other end (for a client: the one that listens), from the kernel; 0 where the
    platform does not tell, or for a process of another container."""
    return _peer(connection)[0]


def _peer(connection: socket.socket) -> tuple[int, int | None]:
    if sys.platform != "linux":
        return 0, None
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    pid, uid, _gid = struct.unpack("iII", credentials)
    return pid, uid
