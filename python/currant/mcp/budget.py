"""Keeping an answer short. Owns the count of tokens and which items of a list still fit.

A token is taken for four characters of JSON: what models really count differs by model, and nothing here
depends on the difference.
"""

from collections.abc import Sequence
from typing import Final, TypeVar

import msgspec

from currant.mcp.paths import shown

ANSWER_TOKENS: Final = 2_000
"""What one answer may take, unless the server was told otherwise."""

MIN_TOKENS: Final = 300
_CHARACTERS: Final = 4
_FRAME_TOKENS: Final = 120
"""Left for freshness and what is said of the rest."""

_T = TypeVar("_T")


def tokens(value: object) -> int:
    """About how many tokens a value takes as JSON."""
    return len(msgspec.json.encode(value)) // _CHARACTERS


def fitting(items: Sequence[_T], budget: int, *, used: int = 0) -> list[_T]:
    """As many items from the front as fit beside `used` tokens, and at least one: an answer that never gets
    on is of no use."""
    left = max(0, budget - _FRAME_TOKENS - used) * _CHARACTERS
    kept: list[_T] = []
    for item in items:
        left -= len(msgspec.json.encode(item)) + 1
        if left < 0 and kept:
            break
        kept.append(item)
    return kept


def cut(text: str, characters: int) -> str:
    """The beginning of a text, at a blank where there is one near the end."""
    text = shown(text.strip())
    if len(text) <= characters:
        return text
    head = text[: characters - 1]
    blank = head.rfind(" ", characters * 3 // 4)
    return (head[:blank] if blank > 0 else head).rstrip() + "…"
