"""The start: what is answered before the SDK is there is what the SDK would have answered, nothing is lost or
doubled on the way to it, and nothing but the protocol is on standard output."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from currant.mcp.front import HANDSHAKE, STATELESS, Front
from mcp_kit import CLIENT, INITIALIZED, META, Server, command, initialize, request

FIND = request("tools/call", {"name": "find_symbol", "arguments": {"name": "here"}}, "call")
WAIT = request("tools/call", {"name": "refresh", "arguments": {"wait_seconds": 60}}, "wait")

# A server without its first second: what the SDK says by itself.
WITHOUT_FRONT = """
import sys
from currant.mcp.front import Front
Front._result = lambda self, method, params: None
from currant.cli import run
sys.exit(run(sys.argv[1:]))
"""


class FakeWire:
    """Lines in memory; a None interrupts."""

    def __init__(self, lines: list[bytes | None]) -> None:
        self.lines = list(reversed(lines))
        self.written: list[bytes] = []

    def read(self, _seconds: float | None = None) -> bytes | None:
        return self.lines.pop() if self.lines else b""

    def write(self, line: bytes) -> None:
        self.written.append(line)


def through(*messages: Any) -> tuple[list[Any], list[bytes], list[str | int]]:
    """What the front answers, hands over, and counts as answered."""
    lines = [one if isinstance(one, bytes) else json.dumps(one).encode() + b"\n" for one in messages]
    wire = FakeWire([*lines])
    front = Front(wire, "0")  # type: ignore[arg-type]
    front.serve(lambda: False)
    # What it no longer took stays on the wire, for the SDK.
    left = [line for line in reversed(wire.lines) if line]
    return [json.loads(line) for line in wire.written], [*front.waiting, *left], front.answered


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "a.py").write_text("def here():\n    pass\n")
    return tmp_path


def the_sdk_itself(root: Path) -> list[str]:
    words = command(root)
    return [words[0], "-c", WITHOUT_FRONT, *words[3:]]


def conversation(words: list[str], messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The answers to messages that are sent one by one."""
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    answers = []
    for message in messages:
        process.stdin.write(json.dumps(message).encode() + b"\n")
        process.stdin.flush()
        if "id" in message:
            answers.append(json.loads(process.stdout.readline()))
    out, err = process.communicate()
    assert out == b"", "an answer too many"
    assert process.returncode == 0, err
    return answers


def test_a_handshake_is_answered_in_the_words_of_the_sdk(root: Path) -> None:
    messages = [
        initialize(HANDSHAKE[-1], 0), INITIALIZED, request("tools/list", None, 1),
        request("tools/list", {}, "two"),
        request("ping", None, 3), WAIT, FIND,
    ]  # fmt: skip
    ours, theirs = (conversation(words, messages) for words in (command(root), the_sdk_itself(root)))
    assert ours[:4] == theirs[:4]
    for answers in (ours, theirs):
        assert answers[5]["result"]["structuredContent"]["hits"][0]["path"] == "a.py"


def test_stateless_requests_are_answered_in_the_words_of_the_sdk(root: Path) -> None:
    wait, find = ({**one, "params": {**one["params"], "_meta": META}} for one in (WAIT, FIND))
    messages = [
        request("server/discover", {"_meta": META}, "a"), request("tools/list", {"_meta": META}, 1),
        wait, find,
    ]  # fmt: skip
    ours, theirs = (conversation(words, messages) for words in (command(root), the_sdk_itself(root)))
    assert ours[:2] == theirs[:2]
    for answers in (ours, theirs):
        assert answers[3]["result"]["structuredContent"]["hits"][0]["path"] == "a.py"


def test_the_versions_are_those_of_the_sdk() -> None:
    from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS, MODERN_PROTOCOL_VERSIONS

    assert HANDSHAKE == HANDSHAKE_PROTOCOL_VERSIONS
    assert (STATELESS,) == MODERN_PROTOCOL_VERSIONS


def test_everything_at_once_is_answered_once(root: Path) -> None:
    """A client that does not wait for answers."""
    lists = [request("tools/list", None, number) for number in range(20)]
    with Server(root) as server:
        server.send(initialize(), INITIALIZED, *lists, FIND)
        answers = [server.receive() for _ in range(22)]
        assert sorted(map(str, (one["id"] for one in answers))) == sorted(map(str, [0, *range(20), "call"]))
        status, out, _ = server.end()
        assert (status, out) == (0, b"")


def test_rubbish_is_answered_by_the_sdk_and_ends_nothing(root: Path) -> None:
    with Server(root) as server:
        server.send(b"\n", b"not json\n", b"[]\n", b'{"jsonrpc": "2.0"}\n', b"\xff\xfe\n", initialize())
        message = server.receive()
        while message.get("id") != 0:  # errors about the above, if the SDK says any
            message = server.receive()
        assert message["result"]["serverInfo"]["name"] == "currant"
        assert server.end()[0] == 0


def test_a_client_that_leaves_at_once(root: Path) -> None:
    with Server(root) as server:
        assert server.end()[:2] == (0, b"")


def test_half_a_line_at_the_end_is_not_a_message(root: Path) -> None:
    with Server(root) as server:
        server.send(json.dumps(initialize()).encode())
        assert server.end()[:2] == (0, b"")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(root: Path, number: signal.Signals) -> None:
    with Server(root) as server:
        server.send(initialize(), INITIALIZED)
        server.receive()
        assert "structuredContent" in server.ask("tools/call", FIND["params"])["result"]
        server.process.send_signal(number)
        assert server.process.wait() == 0
        # The index was let go of: nothing is left that says otherwise.
        assert not (root / ".currant" / "sock").exists()


def test_a_call_that_waits_does_not_hold_up_the_end(root: Path) -> None:
    """`refresh` asks an owner that is stopped, and the client leaves meanwhile."""
    with Server(root) as owner, Server(root) as server:
        for one in (owner, server):
            one.send(initialize(), INITIALIZED)
            one.receive()
            one.ask("tools/call", FIND["params"])
        owner.process.send_signal(signal.SIGSTOP)
        refresh = {"name": "refresh", "arguments": {"wait_seconds": 60}}
        server.send(request("tools/call", refresh, "slow"))
        assert server.end()[0] == 0
        owner.process.send_signal(signal.SIGCONT)


def test_standard_output_is_the_protocol_alone(root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A plug-in that prints, and a child process that does."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "sitecustomize.py").write_text(
        "import os, sys, threading\n"
        "import currant.mcp.wire as wire\n"
        "before = wire.Wire.__init__\n"
        "def after(self):\n"
        "    before(self)\n"
        "    print('printed', flush=True)\n"
        "    os.write(1, b'written\\n')\n"
        "    os.system('echo echoed; read line && echo got $line')\n"
        "wire.Wire.__init__ = after\n"
    )
    path = os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])
    with Server(root, environment={"PYTHONPATH": path}) as server:
        server.send(initialize(), INITIALIZED, FIND)
        assert [server.receive()["id"] for _ in range(2)] == [0, "call"]
        status, out, err = server.end()
        assert (status, out) == (0, b"")
        assert all(word in err for word in (b"printed", b"written", b"echoed"))


# --- the front by itself ----------------------------------------------------------------------------------


def test_an_unknown_version_is_negotiated_by_the_sdk() -> None:
    first = initialize("1999-01-01")
    assert through(first, request("tools/list")) == (
        [],
        [json.dumps(one).encode() + b"\n" for one in (first, request("tools/list"))],
        [],
    )


def test_what_is_answered_is_handed_over_only_if_the_sdk_needs_it() -> None:
    listing = request("tools/list", None, 7)
    answers, waiting, answered = through(initialize(asked=5), INITIALIZED, listing, FIND)
    assert [one["id"] for one in answers] == [5, 7]
    assert waiting == [json.dumps(one).encode() + b"\n" for one in (initialize(asked=5), INITIALIZED, FIND)]
    assert answered == [5]
    answers, waiting, answered = through(request("server/discover", {"_meta": META}, "x"))
    assert ([one["id"] for one in answers], waiting, answered) == (["x"], [], [])


_IDS = st.sampled_from([0, 7, -1, "", "a", None, True, 1.5, []])
_PARAMS = st.one_of(
    st.none(),
    st.just({}),
    st.just([]),
    st.fixed_dictionaries(
        {
            "protocolVersion": st.sampled_from([*HANDSHAKE, "1999", 5, None]),
            "capabilities": st.sampled_from([{}, [], None]),
            "clientInfo": st.sampled_from([CLIENT, {}, {"name": 5, "version": "1"}, None]),
        }
    ),
    st.fixed_dictionaries({"_meta": st.sampled_from([META, {}, None, {**META, next(iter(META)): "2099"}])}),
    st.just({"cursor": "x"}),
)
_MESSAGES = st.fixed_dictionaries(
    {"jsonrpc": st.just("2.0")},
    optional={
        "id": _IDS,
        "method": st.sampled_from(
            ["initialize", "server/discover", "tools/list", "tools/call", "ping", "notifications/x", 5, None]
        ),
        "params": _PARAMS,
    },
)


_RUBBISH = st.sampled_from([b"\n", b"[]\n", b"not json\n", b"\xff\n", b"5\n", b"[" * 100_000 + b"\n"])


@given(st.lists(st.one_of(_MESSAGES, _RUBBISH), max_size=8))
def test_no_message_is_lost_or_doubled(messages: list[Any]) -> None:
    """Each message is answered here or handed over, in order; only `initialize` is both, and counted."""
    answers, waiting, answered = through(*messages)
    lines = [one if isinstance(one, bytes) else json.dumps(one).encode() + b"\n" for one in messages]
    rest = list(lines)
    for line in waiting:  # a subsequence
        while rest.pop(0) != line:
            pass
    assert len(answers) - len(answered) + len(waiting) == len(lines)
    assert len(answered) <= 1
    for one in answers:
        assert set(one) == {"jsonrpc", "id", "result"}


def test_the_front_needs_no_sdk_and_no_index() -> None:
    """What makes it quick: neither is imported for the first answer."""
    script = "import json, sys, currant.mcp.stdio; print(json.dumps(sorted(sys.modules)))"
    listed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    loaded = set(json.loads(listed))
    heavy = {"mcp", "mcp_types", "pydantic", "anyio", "asyncio", "apsw", "currant.api", "currant.service"}
    assert loaded & heavy == set()
