"""What a text in backticks may be: a path, an identifier, or neither; the native core decides."""

from collections.abc import Iterator

from currant import _core

Found = tuple[str, str, int]
"""Kind, target, line."""


def has_ending(path: str) -> bool:
    """Whether the last component ends like the name of a file."""
    return _core.has_ending(path)


def backticked(text: str) -> Iterator[tuple[str, str]]:
    """The kind and the target of a text in backticks; nothing when it is neither path nor identifier.

    ``src/a.py:12`` is the path ``src/a.py``; ``Parser.parse()`` is a name and keeps its parentheses.
    """
    found = _core.backticked(text)
    if found is not None:
        yield found
