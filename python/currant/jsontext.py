"""JSON in and out, for the socket and for `--json`: orjson, and the standard library for what it refuses.

Paths are `str` with surrogateescape. orjson takes no lone surrogate, which stands for a byte that is not
UTF-8; `json` writes it as ``\\udcXX`` and reads it back, so such a message loses its speed and nothing else.
"""

import json
from typing import Any

import orjson


def dumps(value: Any) -> bytes:
    """Compact JSON; what is no JSON value is written as its `str`."""
    try:
        return orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS)
    except TypeError:
        return json.dumps(value, separators=(",", ":"), default=str).encode("ascii")


def loads(text: bytes) -> Any:
    """Raises ValueError for what is not JSON, RecursionError for what is nested beyond reason."""
    try:
        return orjson.loads(text)
    except ValueError:
        return json.loads(text)
