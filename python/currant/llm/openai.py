"""Any server that speaks OpenAI's chat completions, through urllib3 (which boto3 brings along).

Owns the translation of one call. No redirect is followed and no proxy of the environment is used: a content
goes to the address that the user named and nowhere else.
"""

import os
from typing import Any

import msgspec
import urllib3

from currant.config import LlmSettings
from currant.errors import ConfigError, ConfigProblem
from currant.llm.wire import (
    CONNECT_SECONDS,
    MAX_ANSWER,
    Misconfigured,
    Rejected,
    Reply,
    Request,
    Throttled,
    Unavailable,
    seconds,
    usage,
)


class OpenAi:
    """One server. The key, if any, comes from the variable that ``llm.api_key_env`` names."""

    def __init__(self, settings: LlmSettings) -> None:
        base = settings.base_url
        if not base or not base.startswith(("http://", "https://")):
            told = 'must be the address of the server, such as "http://127.0.0.1:8080/v1"'
            raise ConfigError([ConfigProblem("llm.base_url", base, "llm", told)])
        base = base.rstrip("/")
        self._url = f"{base if base.endswith('/v1') else base + '/v1'}/chat/completions"
        self._headers = {"Content-Type": "application/json", "Accept": "application/json"}
        key = os.environ.get(settings.api_key_env)
        if key:
            self._headers["Authorization"] = f"Bearer {key}"
        self._pool = urllib3.PoolManager(
            maxsize=settings.concurrency,
            retries=False,
            timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=settings.timeout_seconds),
        )

    def ask(self, request: Request) -> Reply:
        """One completion. Raises Throttled, Unavailable, Rejected, Misconfigured."""
        body = {
            "model": request.model,
            "messages": [
                {"role": "system", "content": request.system},
                {"role": "user", "content": request.text},
            ],
            "max_tokens": request.max_tokens,
            "temperature": 0,
            "stream": False,
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": request.tool, "schema": request.schema, "strict": True},
            },
        }
        try:
            response = self._pool.request(
                "POST",
                self._url,
                body=msgspec.json.encode(body),
                headers=self._headers,
                redirect=False,
                preload_content=False,
            )
            try:
                data = response.read(MAX_ANSWER + 1)
                whole = len(data) <= MAX_ANSWER
            finally:
                # What was not read to its end is no connection to use again.
                response.close() if not response.closed else response.release_conn()
        except urllib3.exceptions.LocationValueError as error:
            raise Misconfigured(str(error)) from error
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise Unavailable(f"{type(error).__name__}: {error}") from error
        if response.status != 200:
            raise _refusal(response.status, response.headers.get("Retry-After"), data[:500])
        if not whole:
            raise Unavailable(f"an answer of more than {MAX_ANSWER >> 20} MiB")
        try:
            answer: Any = msgspec.json.decode(data)
        except (msgspec.DecodeError, RecursionError) as error:
            raise Unavailable(f"an answer that is no JSON: {error}") from error
        size = len(request.system.encode()) + len(request.text.encode())
        told = answer.get("usage") if isinstance(answer, dict) else None
        text, cut_off = _content(answer)
        return Reply(text, usage(told, "prompt_tokens", "completion_tokens", size), cut_off)

    def close(self) -> None:
        """Let go of the connections."""
        self._pool.clear()


def _content(answer: Any) -> tuple[bytes, bool]:
    try:
        choice = answer["choices"][0]
        text = choice["message"]["content"]
    except (KeyError, IndexError, TypeError):
        return b"", False
    return str(text or "").encode("utf-8", "replace"), choice.get("finish_reason") == "length"


def _refusal(status: int, retry_after: str | None, body: bytes) -> Exception:
    told = f"HTTP {status}: {body.decode('utf-8', 'replace').strip()}"
    if status == 429:
        return Throttled(told, seconds(retry_after))
    if status == 503 and retry_after is not None:
        return Throttled(told, seconds(retry_after))
    if status in (401, 403, 404, 405) or 300 <= status < 400:
        return Misconfigured(told)
    return Rejected(told) if 400 <= status < 500 and status != 408 else Unavailable(told)
