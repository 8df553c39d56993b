# Copyright 2026 The Authors. A comment like this one documents the file.
MAX_RETRIES = 3
"""Not a docstring of the constant."""

from __future__ import annotations

import asyncio
from collections import namedtuple
from functools import cached_property, wraps
from typing import Generic, NewType, TypeVar

T = TypeVar("T")
UserId = NewType("UserId", int)
Point = namedtuple("Point", "x y")

# How long to wait before the first retry,
# in seconds.
BACKOFF_SECONDS: float = 0.5  # trailing remark
registry: dict[str, "Handler"] = {}
square = lambda n: n * n
lowercase_value = 4
first, SECOND = 1, 2

type Pair[A] = tuple[A, A]


def plain(a, b=2, *args, key: str = "k", **kwargs) -> int:
    """Add things up.

    The second paragraph is
        indented.
    """
    LOCAL = 1
    total: int = a + b
    return total + LOCAL


async def fetch(
    url: str,  # where from
    *,
    timeout: float = 3.0,
    headers: dict[str, str] | None = None,
) -> bytes:
    r'Raw one-line docstring.'
    await asyncio.sleep(0)
    return b""


# Retries a coroutine.
# Used as a decorator.
def retry(times):
    def outer(function):
        @wraps(function)
        async def inner(*args):
            return await function(*args)

        return inner

    return outer


class Handler(Generic[T], metaclass=type):
    """Handles one kind of request."""

    kind = "base"
    LIMIT = 10

    def __init__(self, name: str) -> None:
        """Make one."""
        self.name = name

    @property
    def size(self) -> int:
        """How many."""
        return 1

    @size.setter
    def size(self, value: int) -> None:
        self._size = value

    @cached_property
    def digest(self) -> str:
        return ""

    @staticmethod
    @retry(times=3)
    def parse(text): return text

    class Meta:
        ordering = ["name"]

        def describe(self): ...

    async def __aenter__(self):
        return self


if True:
    def conditional():
        pass

    class Fallback(Handler[int]): pass
else:
    NESTED_CONSTANT = 1

try:
    import fast
except ImportError:
    def fast(): "slow"


@retry(
    times=2,
)
class Decorated:
    x: int

    def größe(self, λ): return λ


def mended():
    pass


def after_the_error():
    return 1


# Names that share a value.
LOW = LOWEST = 0
HIGH, WIDE = 9, 10
first = SECOND = other = None
(LEFT, right), [TOP] = pairs, tops
