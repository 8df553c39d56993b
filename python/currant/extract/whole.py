"""The whole record of an ordinary source in one call of the native core, as it is going to be stored.

Owns: which sources are ordinary, and what the call may fail with. An outline, a header and references made in
steps, with the interpreter's lock held, took nine tenths of the time of a cold index; here the lock is free.
The steps remain for everything else, and give the same record: documents, manifests, header templates,
plug-ins.
"""

from collections.abc import Callable, Sequence
from typing import Final

from currant.extract.annotate import Annotator
from currant.extract.base import Extraction, ExtractionError, plain
from currant.extract.outline import OutlineExtractor, OutOfBoundsError
from currant.model import Packed
from currant.packed import PIECE_SYMBOLS, PIECES

Examine = Callable[
    [str, bytes, bool, bool, int, int],
    tuple[list[tuple[bytes, str | None, str | None]], int, list[tuple[str, str, int, bool]]] | None,
]

_DOCUMENTS: Final = frozenset({"markdown", "rst", "html"})
"""What is prose or markup: read in Python."""


class Whole:
    """One call in place of `extractor` and of the annotators `header` and `links`, where those are all.
    `examine` is the core's, or that of `Confined`."""

    def __init__(
        self, extractor: OutlineExtractor, header: Annotator, links: Annotator, examine: Examine
    ) -> None:
        self.extractor: Final = extractor
        self._header = header
        self._links = links
        self._examine = examine

    def takes(self, language: str, annotators: Sequence[Annotator]) -> bool:
        """Whether a source of this language is ordinary when these are all that annotate it."""
        ours = (self._header, self._links)
        return language not in _DOCUMENTS and all(any(one is own for own in ours) for one in annotators)

    def examine(self, language: str, source: bytes, annotators: Sequence[Annotator]) -> Extraction | None:
        """The record of `source`; None when there is something in it that the steps are to read.

        Raises ExtractionError when the core refuses it, or panics."""
        header, links = self._header in annotators, self._links in annotators
        try:
            found = self._examine(language, source, header, links, PIECE_SYMBOLS, PIECES)
        except OutOfBoundsError as error:
            return plain(language, [f"partial: {error}"])
        except BaseException as error:
            # A panic in the core arrives as a BaseException of its own; it is about this content only.
            if isinstance(error, Exception) or type(error).__name__ == "PanicException":
                raise ExtractionError(f"outline of {language} failed: {error}") from error
            raise
        if found is None:
            return None
        pieces, symbols, references = found
        cost = 64 + 100 * len(references)
        for stored, names, words in pieces:
            cost += len(stored) + len(names or "") + len(words or "")
        return Extraction(Packed(language, pieces, symbols, references), cost)
