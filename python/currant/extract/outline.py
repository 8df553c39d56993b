"""The default extractor: definitions found by the native core's outliners.

Owns: the call and the validation of what comes back. The parsing runs without the GIL in `currant._core`.
"""

from collections.abc import Callable, Iterable

import msgspec

from currant.extract.base import Extraction, ExtractionError, plain
from currant.model import Record, Symbol

OutlineFunction = Callable[[str, bytes], bytes]


class OutOfBoundsError(Exception):
    """A source used up what its parser was given; the message says of what. It would again."""


class _Outline(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the core answers with; `partial` says why there may be more definitions."""

    symbols: list[Symbol]
    partial: str | None


class OutlineExtractor:
    """Definitions with kind, parent, line range, signature and doc comment.

    A source that is too large, too hostile to its parser or too rich in definitions for a whole outline gets
    a part of one, and a note that begins with ``partial:``.

    `outline` and `languages` are the core's functions; tests hand in others.
    """

    name = "outline"
    # Version of this wrapper: raised when the record changes for every language at once.
    version = "2"

    def __init__(
        self,
        outline: OutlineFunction | None = None,
        languages: Iterable[tuple[str, str]] | None = None,
    ) -> None:
        if outline is None or languages is None:
            from currant import _core

            outline = outline or _core.outline
            languages = _core.languages() if languages is None else languages
        self._outline = outline
        self._versions = dict(languages)
        self._decoder = msgspec.json.Decoder(_Outline)

    @property
    def languages(self) -> frozenset[str]:
        """What the core was built with."""
        return frozenset(self._versions)

    def language_version(self, language: str) -> str:
        """The version that the core gives for this language's outliner."""
        return f"{language}-{self._versions[language]}"

    def extract(self, name: str, language: str, source: bytes) -> Extraction:
        """Outline `source`. Raises ExtractionError when the core refuses it, panics, or returns something
        that is not a list of symbols with sensible line ranges."""
        try:
            raw = self._outline(language, source)
        except OutOfBoundsError as error:
            return plain(language, [f"partial: {error}"])
        except BaseException as error:
            # A panic in the core arrives as a BaseException of its own; it is about this content only.
            if isinstance(error, Exception) or type(error).__name__ == "PanicException":
                raise ExtractionError(f"outline of {language} failed: {error}") from error
            raise
        try:
            outline = self._decoder.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ExtractionError(f"outline of {language} gave an invalid record: {error}") from error
        lines = source.count(b"\n") + 1
        for symbol in outline.symbols:
            if not 1 <= symbol.start <= symbol.end <= lines:
                raise ExtractionError(
                    f"outline of {language} gave an invalid record: {symbol.kind} {symbol.name!r} "
                    f"at lines {symbol.start}-{symbol.end} of {lines}"
                )
        # As objects, waiting for the commit, the symbols take about three times their JSON.
        notes = [f"partial: {outline.partial}"] if outline.partial else []
        record = Record(language=language, symbols=outline.symbols, notes=notes)
        return Extraction(record, cost=3 * len(raw) + 64)
