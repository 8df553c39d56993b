"""The first answers, before the SDK is there: importing it takes ten times as long as all of this.

Owns the first second: ``initialize``, ``server/discover``, ``tools/list`` and ``ping`` are answered here, in
the words of the SDK (a test compares them); everything else waits for it, in order. A message that is the
least bit unusual is left to the SDK.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from currant.jsontext import dumps
from currant.mcp import catalogue
from currant.mcp.wire import Wire

HANDSHAKE: Final = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
"""Versions that begin with ``initialize`` and are answered with themselves."""
STATELESS: Final = "2026-07-28"
"""The version whose requests each carry it."""
_META: Final = "io.modelcontextprotocol/"


class Front:
    """Answers on `wire` until `serve` ends. Then `waiting` has the lines for the SDK, oldest first, and
    `answered` the ids among them that were answered already, so that its own answers are dropped."""

    def __init__(self, wire: Wire, version: str) -> None:
        self._wire = wire
        self._server = {"name": catalogue.NAME, "title": catalogue.TITLE, "version": version}
        self._era = ""
        self._given_up = False
        self.waiting: list[bytes] = []
        self.answered: list[str | int] = []

    def first(self, seconds: float) -> None:
        """Take one message, if there is one within `seconds`."""
        line = self._wire.read(seconds)
        if line:
            self._take(line)

    def serve(self, until: Callable[[], bool]) -> None:
        """Take messages until `until` says so; whoever makes it true interrupts the wire. At the end of the
        input, at once."""
        while not self._given_up and not until():
            line = self._wire.read()
            if line == b"":
                return
            if line is not None:
                self._take(line)

    def _take(self, line: bytes) -> None:
        try:
            message = json.loads(line)
        except (ValueError, RecursionError):
            message = None
        if not isinstance(message, dict) or not isinstance(message.get("method"), str):
            self.waiting.append(line)
            return
        asked = message.get("id")
        if not isinstance(asked, str | int) or isinstance(asked, bool):
            self.waiting.append(line)  # a notification
            return
        params = message.get("params", {})
        result = self._result(message["method"], params if isinstance(params, dict) else None)
        if result is None:
            # Without a first request that is understood, nobody knows which version is spoken.
            self._given_up = not self._era
            self.waiting.append(line)
            return
        if message["method"] == "initialize":
            self.waiting.append(line)
            self.answered.append(asked)
        self._wire.write(dumps({"jsonrpc": "2.0", "id": asked, "result": result}) + b"\n")

    def _result(self, method: str, params: Mapping[str, Any] | None) -> dict[str, Any] | None:
        """The result of a request, None to leave it to the SDK."""
        if params is None:
            return None
        if method == "initialize":
            return None if self._era else self._initialize(params)
        stateless = _stateless(params)
        if stateless and not self._era and method in ("server/discover", "tools/list"):
            self._era = "stateless"
        if self._era == "stateless" and stateless:
            if method == "server/discover":
                return self._stamped(supportedVersions=[STATELESS], instructions=catalogue.INSTRUCTIONS)
            if method == "tools/list" and "cursor" not in params:
                return self._stamped(tools=catalogue.listed(projects=False))
        if self._era == "handshake" and "_meta" not in params:
            if method == "tools/list" and "cursor" not in params:
                return {"tools": catalogue.listed(projects=False)}
            if method == "ping":
                return {}
        return None

    def _initialize(self, params: Mapping[str, Any]) -> dict[str, Any] | None:
        client = params.get("clientInfo")
        usual = (
            params.get("protocolVersion") in HANDSHAKE
            and isinstance(params.get("capabilities"), dict)
            and isinstance(client, dict)
            and all(isinstance(client.get(key), str) for key in ("name", "version"))
        )
        if not usual:
            return None
        self._era = "handshake"
        return {
            "protocolVersion": params["protocolVersion"],
            "capabilities": {"tools": {"listChanged": False}},
            "serverInfo": self._server,
            "instructions": catalogue.INSTRUCTIONS,
        }

    def _stamped(self, **result: Any) -> dict[str, Any]:
        if "tools" not in result:
            result["capabilities"] = {"tools": {"listChanged": False}}
        stamp = {_META + "serverInfo": self._server}
        return {**result, "resultType": "complete", "cacheScope": "private", "ttlMs": 0, "_meta": stamp}


def _stateless(params: Mapping[str, Any]) -> bool:
    meta = params.get("_meta")
    return (
        isinstance(meta, dict)
        and meta.get(_META + "protocolVersion") == STATELESS
        and isinstance(meta.get(_META + "clientCapabilities"), dict)
        and isinstance(meta.get(_META + "clientInfo", {}), dict)
    )
