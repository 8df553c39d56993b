"""The whole record of an ordinary source by the native core: of one, or of many in one call.

Owns: what is asked of the core for sources of one language, and that each extractor that had a part in a
record is counted. Does not own: which sources are ordinary, and the calls (`whole`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from currant.extract.annotate import Annotator
from currant.extract.uses import Use

if TYPE_CHECKING:
    from currant.extract.base import Extraction, Extractor

Asked = tuple[str, bytes, bool, bool]
"""Language, source, and whether header and links are wanted."""


class Native(Protocol):
    """The extractor and annotators of our own in one call; see `currant.extract.whole`."""

    @property
    def extractor(self) -> "Extractor":
        """In whose place it stands."""

    def takes(self, language: str, annotators: Sequence[Annotator]) -> bool:
        """Whether it can make the record of such a source."""

    def examine(self, language: str, source: bytes, annotators: Sequence[Annotator]) -> "Extraction | None":
        """The record; None when the steps are to make it. Raises ExtractionError."""

    def asks(self, language: str, annotators: Sequence[Annotator]) -> tuple[bool, bool] | None:
        """What `examine_many` is to be asked for besides the outline; None when it cannot be asked, because
        one source of this language could hold up the others."""

    def examine_many(self, asked: Sequence[Asked]) -> "list[Extraction | None]":
        """The records; None for one that `examine` is to be asked for."""


@dataclass(frozen=True, slots=True)
class AtOnce:
    """Makes the records of ordinary sources of one language, with certain annotators. `uses` are theirs and,
    first, that of the extractor, if it has a part."""

    native: Native
    language: str
    annotators: tuple[Annotator, ...]
    uses: tuple[Use, ...]
    parts: tuple[bool, bool] | None

    def examine(self, source: bytes) -> "Extraction | None":
        """The record of one; None when the steps are to make it. Raises ExtractionError."""
        try:
            found = self.native.examine(self.language, source, self.annotators)
        except Exception as error:
            for use in self.uses[:1]:
                use.called()
                use.failed(str(error))
            raise
        if found is not None:
            self.count()
        return found

    def count(self) -> None:
        """A record was made and is going to be used."""
        for use in self.uses:
            use.called()


def examine_many(sources: Iterable[tuple[AtOnce | None, bytes]]) -> "list[Extraction | None]":
    """The records of these, in one call; None for each that has to be asked for alone. Whoever uses one
    counts it."""
    made: list[Extraction | None] = []
    asked: list[Asked] = []
    places: list[int] = []
    native: Native | None = None
    for place, (at_once, source) in enumerate(sources):
        made.append(None)
        if at_once is not None and at_once.parts is not None:
            native = at_once.native
            asked.append((at_once.language, source, *at_once.parts))
            places.append(place)
    if native is not None and len(asked) > 1:
        for place, found in zip(places, native.examine_many(asked), strict=True):
            made[place] = found
    return made
