"""Languages that plug-ins declare, by the names of files. Owns their patterns, and their part in the identity
of a result.

A pattern is matched against the last component of a path, in any case of letters, before our own tables are
asked (`languages`). What it decides depends on the name alone; so the identity of the result says which
plug-in decided, under which patterns, and a result that was made before or without it is made again.
"""

import fnmatch
import hashlib
import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final, NamedTuple

from msgspec import Struct

LANGUAGE: Final = re.compile(r"[a-z][a-z0-9+#_-]{0,31}")
_MOST: Final = 100
_LONGEST: Final = 100
_WILD: Final = re.compile(r"\[.*?\]|[*?]")

Patterns = Mapping[str, tuple[str, ...]]


class Declaration(Struct, frozen=True):
    """What one plug-in declares: language -> patterns over names. `version` is all of its identity."""

    plugin: str
    version: str
    patterns: Patterns


class Named(NamedTuple):
    """What a name says: the language, and what that adds to the identity."""

    language: str
    mark: str


class Declared:
    """All declarations in use; the first that matches counts."""

    def __init__(self, declarations: Iterable[Declaration] = ()) -> None:
        self._rules: list[tuple[re.Pattern[str], Named]] = []
        for one in declarations:
            for language, patterns in one.patterns.items():
                either = "|".join(fnmatch.translate(pattern.lower()) for pattern in patterns)
                digest = hashlib.sha256(repr(sorted(patterns)).encode()).hexdigest()[:8]
                mark = f"+{one.plugin}/{one.version}~{digest}:{language}"
                self._rules.append((re.compile(either), Named(language, mark)))
        self.marks: Final = frozenset(named.mark for _, named in self._rules)
        """Everything that `of` may add to an identity."""

    def of(self, name: str) -> Named | None:
        """The language of a file of this name, None when no declaration is about it."""
        if not self._rules:
            return None
        lower = name.lower()
        return next((named for rule, named in self._rules if rule.match(lower)), None)


def problem(said: Any) -> str | None:
    """What is wrong with a plug-in's `detects`, None when it is language -> patterns."""
    if not isinstance(said, Mapping) or not said:
        return f"its detects is {said!r}: it must be such as {{'bcl': ('*.bcl',)}}"
    for language, patterns in said.items():
        if not isinstance(language, str) or not LANGUAGE.fullmatch(language):
            return f"it detects {language!r}: a language is lower case letters, digits, +, #, - and _"
        if isinstance(patterns, str) or not isinstance(patterns, Collection) or not patterns:
            return f"its patterns for {language} are {patterns!r}: they must be a set of patterns over names"
        for pattern in patterns:
            if not isinstance(pattern, str) or not _means_something(pattern):
                return f"its pattern {pattern!r} is none over names: '*.bcl', 'BUILD.*', but not '*' or 'a/b'"
        if len(patterns) > _MOST:
            return f"it has more than {_MOST} patterns for {language}"
    return None


def _means_something(pattern: str) -> bool:
    bare = _WILD.sub("", pattern)
    return len(pattern) <= _LONGEST and "/" not in pattern and any(letter.isalnum() for letter in bare)
