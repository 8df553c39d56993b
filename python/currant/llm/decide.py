"""Owns which files are worth a call. Pure: looks at a record and the settings.

A file needs one when syntax left its intent empty, or found definitions and no documentation on any of them.
What may leave the machine is asked first, and every rule that fails is named.
"""

import fnmatch
import hashlib
import re
from collections.abc import Callable, Sequence
from typing import Final

from currant.config import LlmSettings
from currant.extract.secrets import Secrets
from currant.model import Record

_NO_CODE: Final = frozenset(
    {
        "markdown",
        "restructuredtext",
        "text",
        "json",
        "yaml",
        "toml",
        "xml",
        "csv",
        "ini",
        "html",
        "css",
        "svg",
    }
)
"""Languages that are not sent unless ``llm.languages`` names them: they say themselves what they are
about."""


class Rules:
    """Which files may be sent and need it. `secrets` is the policy in force for the index."""

    def __init__(self, settings: LlmSettings, secrets: Secrets) -> None:
        self._settings = settings
        self._secrets = secrets
        self._included = _any_of(settings.include)
        self._excluded = _any_of(settings.exclude)
        self._languages = frozenset(language.lower() for language in settings.languages)
        parts = (
            settings.include,
            settings.exclude,
            sorted(self._languages),
            settings.max_file_kb,
            secrets.identity,
        )
        self.policy: Final = hashlib.sha256(repr(parts).encode("utf-8", "surrogateescape")).hexdigest()[:16]
        """Changes when another set of files may be sent."""

    def barred(self, path: str, language: str | None, size: int, extractor: str = "") -> str | None:
        """Why this file may not be sent, whatever is known of it; None when it may."""
        # Never, even with extract.secrets = "extract": to look into a file is one thing, to send it another.
        if self._secrets.named(path) or extractor.startswith("secret/") or extractor.endswith("+secret"):
            return "secret"
        if not self._included(path):
            return "not in llm.include"
        if self._excluded(path):
            return "in llm.exclude"
        if language is None or (language not in self._languages if self._languages else language in _NO_CODE):
            return "language"
        if size > self._settings.max_file_kb << 10:
            return "larger than llm.max_file_kb"
        return "empty" if size == 0 else None


def complete(record: Record) -> bool:
    """Whether syntax has found what a model would be asked for."""
    if record.header is None or not record.header.intent:
        return False
    return not record.symbols or any(symbol.doc for symbol in record.symbols)


def _any_of(globs: Sequence[str]) -> Callable[[str], bool]:
    if not globs:
        return lambda _path: False
    matches = re.compile("|".join(map(fnmatch.translate, globs))).match
    return lambda path: matches(path) is not None
