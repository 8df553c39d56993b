"""The whole record of an ordinary source in one call of the native core, as it is going to be stored.

Owns: which sources are ordinary, and what the call may fail with. An outline, a header and references made in
steps, with the interpreter's lock held, took nine tenths of the time of a cold index; here the lock is free.
The steps remain for everything else, and give the same record: documents, manifests, header templates,
plug-ins.
"""

from collections.abc import Sequence
from typing import Final, Protocol

from currant.extract.annotate import Annotator
from currant.extract.base import Extraction, ExtractionError, plain
from currant.extract.outline import OutlineExtractor, OutOfBoundsError
from currant.extract.together import Asked
from currant.model import Packed
from currant.packed import PIECE_SYMBOLS, PIECES

Examined = tuple[list[tuple[bytes, str | None, str | None]], int, list[tuple[str, str, int, bool]]]


class Core(Protocol):
    """What is used of `Confined`."""

    def examine(
        self, language: str, source: bytes, header: bool, links: bool, piece_symbols: int, pieces: int
    ) -> Examined | None: ...

    def examine_many(
        self, asked: Sequence[Asked], piece_symbols: int, pieces: int
    ) -> Sequence[Examined | None]: ...

    def is_scanned(self, language: str) -> bool: ...


_DOCUMENTS: Final = frozenset({"markdown", "rst", "html"})
"""What is prose or markup: read in Python."""


class Whole:
    """One call in place of `extractor` and of the annotators `header` and `links`, where those are all."""

    def __init__(self, extractor: OutlineExtractor, header: Annotator, links: Annotator, core: Core) -> None:
        self.extractor: Final = extractor
        self._header = header
        self._links = links
        self._core = core

    def takes(self, language: str, annotators: Sequence[Annotator]) -> bool:
        """Whether a source of this language is ordinary when these are all that annotate it."""
        ours = (self._header, self._links)
        return language not in _DOCUMENTS and all(any(one is own for own in ours) for one in annotators)

    def examine(self, language: str, source: bytes, annotators: Sequence[Annotator]) -> Extraction | None:
        """The record of `source`; None when there is something in it that the steps are to read.

        Raises ExtractionError when the core refuses it, or panics."""
        header, links = self._header in annotators, self._links in annotators
        try:
            found = self._core.examine(language, source, header, links, PIECE_SYMBOLS, PIECES)
        except OutOfBoundsError as error:
            return plain(language, [f"partial: {error}"])
        except BaseException as error:
            # A panic in the core arrives as a BaseException of its own; it is about this content only.
            if isinstance(error, Exception) or type(error).__name__ == "PanicException":
                raise ExtractionError(f"outline of {language} failed: {error}") from error
            raise
        return None if found is None else _extraction(language, found)

    def asks(self, language: str, annotators: Sequence[Annotator]) -> tuple[bool, bool] | None:
        """Header and links, where a scanner makes the outline or there is none: a parser takes its time."""
        if not self._core.is_scanned(language):
            return None
        return self._header in annotators, self._links in annotators

    def examine_many(self, asked: Sequence[Asked]) -> list[Extraction | None]:
        """The records; None for each that is to be asked for alone, whatever the reason."""
        made = self._core.examine_many(asked, PIECE_SYMBOLS, PIECES)
        return [
            None if found is None else _extraction(language, found)
            for (language, *_), found in zip(asked, made, strict=True)
        ]


def _extraction(language: str, found: Examined) -> Extraction:
    pieces, symbols, references = found
    cost = 64 + 100 * len(references)
    for stored, names, words in pieces:
        cost += len(stored) + len(names or "") + len(words or "")
    return Extraction(Packed(language, pieces, symbols, references), cost)
