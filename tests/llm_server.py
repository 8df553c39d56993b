"""A server on the loopback interface that speaks Bedrock's Converse and OpenAI's chat completions on the
wire, and misbehaves on demand. The clients that talk to it are the real ones.

`LlmServer(behave)`: `behave` gets each `Call` and returns what to do: a `Good`, `Status`, `Cut`, `Hang` or
`Raw`. Calls are kept in `calls`, in the order in which they came.
"""

import contextlib
import json
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import unquote

DESCRIBED: dict[str, Any] = {
    "intent": "Adds numbers.",
    "design_principles": ["One function does one thing."],
    "constraints": [],
    "dependencies": [{"kind": "system", "name": "math"}],
    "definitions": [{"name": "add", "parent": None, "doc": "Adds two numbers."}],
}


@dataclass(frozen=True)
class Call:
    """One request: which protocol, its number from 0, its body, the headers."""

    protocol: str
    number: int
    model: str
    text: str
    body: Any
    headers: dict[str, str]


@dataclass(frozen=True)
class Good:
    """An answer of the model. `usage` replaces the truthful report; None leaves it out."""

    payload: Any = field(default_factory=lambda: DESCRIBED)
    usage: Any = "true"
    stop: str | None = None


@dataclass(frozen=True)
class Status:
    """An error of the server."""

    status: int
    code: str = "error"
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Cut:
    """A good answer of which only the first half arrives."""


@dataclass(frozen=True)
class Hang:
    """Nothing, until the server closes."""


@dataclass(frozen=True)
class Raw:
    """These bytes as the body of a success."""

    body: bytes


Behaviour = Good | Status | Cut | Hang | Raw
OUTPUT_TOKENS = 40


def input_tokens(text: str) -> int:
    """What this model calls a token: four bytes."""
    return len(text.encode()) // 4 + 1


class LlmServer:
    """Use it as a context manager; `url` is its address."""

    def __init__(self, behave: Callable[[Call], Behaviour] = lambda _call: Good()) -> None:
        self.behave = behave
        self.calls: list[Call] = []
        self.busy = self.busiest = 0
        self.changed = threading.Condition()
        self.open: set[socket.socket] = set()
        self._released = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # one packet for an answer: two wait 40 ms for each other

            def do_POST(self) -> None:
                outer.answer(self)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = False
            block_on_close = True
            request_queue_size = 64

            def process_request(self, request: Any, client_address: Any) -> None:
                outer.open.add(request)
                super().process_request(request, client_address)

            def shutdown_request(self, request: Any) -> None:
                outer.open.discard(request)
                super().shutdown_request(request)

            def handle_error(self, request: Any, client_address: Any) -> None:
                pass  # a client that had enough hung up

        self._server = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), name="llm-server")

    @property
    def url(self) -> str:
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.release()
        self._server.shutdown()
        self._thread.join()
        for connection in list(self.open):  # kept alive by clients that live on
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._server.server_close()

    def release(self) -> None:
        """Let what hangs go on, to its end."""
        self._released.set()

    def wait_for(self, count: int, timeout: float = 30.0) -> None:
        """Wait until so many calls have come."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.calls) >= count, timeout), len(self.calls)

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        body = json.loads(handler.rfile.read(int(handler.headers["Content-Length"])))
        path = unquote(handler.path)
        bedrock = path.startswith("/model/") and path.endswith("/converse")
        assert bedrock or path == "/v1/chat/completions", path
        if bedrock:
            model = path.removeprefix("/model/").removesuffix("/converse")
            text = body["system"][0]["text"] + body["messages"][0]["content"][0]["text"]
            assert body["toolConfig"]["toolChoice"]["tool"]["name"] == "describe_file"
        else:
            model = body["model"]
            text = "".join(message["content"] for message in body["messages"])
            assert body["response_format"]["json_schema"]["schema"]["type"] == "object"
        with self.changed:
            protocol = "bedrock" if bedrock else "openai"
            call = Call(protocol, len(self.calls), model, text, body, dict(handler.headers))
            self.calls.append(call)
            self.busy += 1
            self.busiest = max(self.busiest, self.busy)
            self.changed.notify_all()
        try:
            self._send(handler, call, self.behave(call))
        finally:
            with self.changed:
                self.busy -= 1
                self.changed.notify_all()

    def _send(self, handler: BaseHTTPRequestHandler, call: Call, what: Behaviour) -> None:
        headers: dict[str, str] = {}
        status = 200
        match what:
            case Hang():
                self._released.wait(60)
                handler.close_connection = True
                return
            case Status(status=status, code=code, headers=more):
                headers = dict(more)
                if call.protocol == "bedrock":
                    headers["x-amzn-ErrorType"] = code
                    content = json.dumps({"message": f"{code} from the model"}).encode()
                else:
                    content = json.dumps(
                        {"error": {"message": f"{code} from the model", "code": code}}
                    ).encode()
            case Raw(body=content):
                pass
            case Cut():
                content = _completion(call, Good())
            case Good():
                content = _completion(call, what)
        handler.send_response(status)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(content)))
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        if isinstance(what, Cut):
            handler.wfile.write(content[: len(content) // 2])
            handler.close_connection = True
        else:
            handler.wfile.write(content)
        handler.wfile.flush()


def _completion(call: Call, good: Good) -> bytes:
    tokens = (input_tokens(call.text), OUTPUT_TOKENS)
    if call.protocol == "bedrock":
        usage = dict(zip(("inputTokens", "outputTokens"), tokens, strict=True)) | {"totalTokens": sum(tokens)}
        block = (
            {"text": good.payload}
            if isinstance(good.payload, str)
            else {"toolUse": {"toolUseId": "t1", "name": "describe_file", "input": good.payload}}
        )
        answer: dict[str, Any] = {
            "output": {"message": {"role": "assistant", "content": [block]}},
            "stopReason": good.stop or "tool_use",
            "metrics": {"latencyMs": 1},
        }
    else:
        usage = dict(zip(("prompt_tokens", "completion_tokens"), tokens, strict=True)) | {
            "total_tokens": sum(tokens)
        }
        text = good.payload if isinstance(good.payload, str) else json.dumps(good.payload)
        choice = {
            "index": 0,
            "message": {"role": "assistant", "content": text},
            "finish_reason": good.stop or "stop",
        }
        answer = {
            "id": "c1",
            "object": "chat.completion",
            "created": 0,
            "model": call.model,
            "choices": [choice],
        }
    if good.usage is not None:
        answer["usage"] = usage if good.usage == "true" else good.usage
    return json.dumps(answer).encode()
