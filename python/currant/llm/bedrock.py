"""Amazon Bedrock's Converse, through boto3. Owns the translation of one call; retries belong to the queue."""

from typing import Any, Final

import boto3
import botocore.config
import botocore.exceptions
import msgspec

from currant.config import LlmSettings
from currant.llm.prices import is_local
from currant.llm.wire import (
    CONNECT_SECONDS,
    Misconfigured,
    Rejected,
    Reply,
    Request,
    Throttled,
    Unavailable,
    seconds,
    usage,
)

_THROTTLED: Final = frozenset(
    {"ThrottlingException", "TooManyRequestsException", "ServiceQuotaExceededException", "SlowDown", "429"}
)
_SETTINGS: Final = frozenset(
    {
        *(
            "AccessDeniedException",
            "UnrecognizedClientException",
            "ExpiredTokenException",
            "InvalidSignatureException",
        ),
        *(
            "ResourceNotFoundException",
            "IncompleteSignature",
            "MissingAuthenticationToken",
            "403",
            "401",
            "404",
        ),
    }
)


class Bedrock:
    """One region's Converse. Credentials come from where boto3 looks for them."""

    def __init__(self, settings: LlmSettings) -> None:
        config = botocore.config.Config(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=settings.timeout_seconds,
            # One try: each one is reserved and counted by itself.
            retries={"mode": "standard", "total_max_attempts": 1},
            max_pool_connections=settings.concurrency,
            proxies={} if is_local(settings) else None,
        )
        self._client: Any = boto3.Session().client(
            "bedrock-runtime", region_name=settings.region, endpoint_url=settings.base_url, config=config
        )

    def ask(self, request: Request) -> Reply:
        """One Converse. Raises Throttled, Unavailable, Rejected, Misconfigured."""
        try:
            answer = self._client.converse(
                modelId=request.model,
                system=[{"text": request.system}],
                messages=[{"role": "user", "content": [{"text": request.text}]}],
                inferenceConfig={"maxTokens": request.max_tokens, "temperature": 0.0},
                toolConfig={
                    "tools": [
                        {
                            "toolSpec": {
                                "name": request.tool,
                                "description": "Describe the file.",
                                "inputSchema": {"json": request.schema},
                            }
                        }
                    ],
                    "toolChoice": {"tool": {"name": request.tool}},
                },
            )
        except botocore.exceptions.ClientError as error:
            raise _refusal(error) from error
        except (
            botocore.exceptions.NoCredentialsError,
            botocore.exceptions.PartialCredentialsError,
            botocore.exceptions.ProfileNotFound,
        ) as error:
            raise Misconfigured(str(error)) from error
        except botocore.exceptions.ParamValidationError as error:
            raise Rejected(str(error)) from error
        except Exception as error:
            # Its own errors, and whatever its parser makes of bytes that are no answer.
            raise Unavailable(f"{type(error).__name__}: {error}") from error
        if not isinstance(answer.get("output"), dict):
            # botocore makes something of a body that was cut off on the way instead of complaining.
            raise Unavailable("an answer that is not whole")
        size = len(request.system.encode()) + len(request.text.encode())
        return Reply(
            _tool_input(answer, request.tool),
            usage(answer.get("usage"), "inputTokens", "outputTokens", size),
            cut_off=answer.get("stopReason") == "max_tokens",
        )

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()


def _tool_input(answer: Any, tool: str) -> bytes:
    """The input of the tool call; else the text, for the message of what is wrong with it."""
    message = (answer.get("output") or {}).get("message") or {}
    texts = []
    for block in message.get("content") or []:
        call = block.get("toolUse")
        if call is not None and call.get("name") == tool:
            return msgspec.json.encode(call.get("input"))
        texts.append(str(block.get("text", "")))
    return "".join(texts).encode("utf-8", "replace")


def _refusal(error: Any) -> Exception:
    code = str(error.response.get("Error", {}).get("Code", ""))
    about = error.response.get("ResponseMetadata", {})
    status = int(about.get("HTTPStatusCode", 0))
    if code in _THROTTLED or status == 429:
        return Throttled(str(error), seconds(about.get("HTTPHeaders", {}).get("retry-after")))
    if code in _SETTINGS or status in (401, 403, 404):
        return Misconfigured(str(error))
    return Unavailable(str(error)) if status >= 500 or status == 0 or status == 408 else Rejected(str(error))
