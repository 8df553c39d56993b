"""Owns what a client is: a question in, an answer with its usage out, and the three ways in which it fails.

What a failure means for the queue and for the money is said by its kind: `charged` False means that the
server said itself that it did no work.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol

from currant.config import LlmSettings
from currant.errors import UsageError

MAX_ANSWER: Final = 4 << 20
"""Bytes of an answer that are read."""
CONNECT_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Request:
    """One call: a system text, one turn, and the tool that the answer must use."""

    model: str
    system: str
    text: str
    tool: str
    schema: dict[str, Any]
    max_tokens: int


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: the tool's input as JSON (or what stood there instead), and the usage as reported.

    `tokens` is (input, output), None when the server said none that can be true. `cut_off`: the limit on
    output ended the answer."""

    text: bytes
    tokens: tuple[int, int] | None
    cut_off: bool = False


class CallError(Exception):
    """A call without an answer. `charged`: it may have been paid for."""

    charged = True


class Throttled(CallError):
    """Too fast; `retry_after` in seconds when the server said so. Not the file's fault."""

    charged = False

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Unavailable(CallError):
    """No answer this time: a time-out, a connection cut off, an error of the server. The next try may
    succeed."""


class Rejected(CallError):
    """This request will never be answered, such as one that is too long; about this content alone."""

    charged = False


class Misconfigured(CallError):
    """No request will be answered: no credentials, no such model, not permitted. About the settings."""

    charged = False


class Client(Protocol):
    """One server. `ask` is called from several threads."""

    def ask(self, request: Request) -> Reply:
        """One call, no retries. Raises the errors above."""

    def close(self) -> None:
        """Let go of connections."""


ClientFactory = Callable[[LlmSettings], Client]


def connect(settings: LlmSettings) -> Client:
    """The client that the settings ask for. Raises UsageError when its library is not installed."""
    try:
        if settings.provider == "bedrock":
            from currant.llm.bedrock import Bedrock

            return Bedrock(settings)
        from currant.llm.openai import OpenAi

        return OpenAi(settings)
    except ImportError as error:
        raise UsageError(
            f"llm.provider = {settings.provider!r} needs {error.name}: pip install 'currant[llm]'"
        ) from error


def usage(source: Any, first: str, second: str, request_bytes: int) -> tuple[int, int] | None:
    """(input, output) tokens out of a server's report; None when they are missing or cannot be true."""
    told = (source.get(first), source.get(second)) if isinstance(source, dict) else (None, None)
    inputs, outputs = told
    if type(inputs) is not int or type(outputs) is not int:
        return None
    # Nobody reads a content of thousands of bytes in a handful of tokens, nor in more than ten for each byte.
    if not request_bytes // 64 <= inputs <= 10 * request_bytes + 10_000 or not 0 <= outputs <= 10_000_000:
        return None
    return inputs, outputs


def seconds(text: str | None) -> float | None:
    """``Retry-After`` as seconds; None for a date or rubbish, which then is a pause of our own."""
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if 0 <= value < 86_400 else None
