"""Owns the search behind `find`: which candidates are looked at in which order, and when to stop.

What a match is, and how good, is `ranking`; which records can have one is `store.search`. Everything happens
inside one snapshot of the caller.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import apsw
from msgspec import Struct

from currant import ranking
from currant.model import Definition, Header, Record, Symbol
from currant.store import records, search


class Wanted(Struct, frozen=True):
    """What a definition must have to be of interest; all folded. `lines`: one of these in its name, with a
    newline for where a name begins or ends."""

    lines: Sequence[str]
    kind: str | None
    language: str | None


# The piece of a record by its id, all of it for None; else definitions that cannot be wanted may be missing,
# and so may everything that is none. None when there would be no definition.
_Piece = Callable[[int, Wanted | None], Record | None]
_Judge = Callable[[Symbol], int | None]
# How to ask for candidates, what stands around the name in a line of names, and the ranks to take.
_Pass = tuple[Callable[[str], str | None], tuple[str, str], tuple[int, ...]]

FILE_KIND: Final = "file"
"""The kind of what is found in the header of a file."""

# Records looked at from which on a full answer is given as it is, though a later one might have a better
# match: words within names are not indexed, only their letters.
_ENOUGH: Final = 800

# Records up to which one look for all ranks costs less than one for each.
_FEW: Final = 100
_TYPOS: Final = (ranking.TYPO, ranking.SECOND_TYPO)
_IN_NAMES: Final = (ranking.EXACT, ranking.CASE, ranking.PREFIX, ranking.WORD, ranking.PART)


class Asked(Struct, frozen=True):
    """One question. `documentation`: None to search it when no definition has the name itself."""

    name: str
    kind: str | None = None
    language: str | None = None
    exact: bool = False
    path: str | None = None
    documentation: bool | None = None
    limit: int = 100


def find(connection: apsw.Connection, piece: _Piece, asked: Asked) -> list[Definition]:
    """The best definitions, in order. Raises apsw.Error, and what `piece` raises."""
    if asked.limit <= 0 or (asked.exact and not asked.name):
        return []
    if not all(map(_is_text, (asked.name, asked.kind, asked.language, asked.path))):
        return []
    return _Search(connection, piece, asked).run()


class _Search:
    """The state of one question."""

    def __init__(self, connection: apsw.Connection, piece: _Piece, asked: Asked) -> None:
        self._connection = connection
        self._piece = piece
        self._asked = asked
        self._folded = records.fold(asked.name)
        self._kind = records.fold(asked.kind) if asked.kind else None
        self._language = records.fold(asked.language) if asked.language else None
        self._under = ranking.paths(asked.path) if asked.path else None
        self._found: list[Definition] = []
        self._kept: list[str] = []
        self._errors = ranking.errors_allowed(self._folded)
        # What all looks at letters want, so that no piece is opened twice for one question.
        line = f"\n{self._folded}\n" if asked.exact else self._folded
        self._letters = self._wanted([line if len(self._folded) > 1 else f"\n{self._folded}"])
        self._opened: dict[int, Record | None] = {}

    def run(self) -> list[Definition]:
        if not self._few():
            for express, (before, after), ranks in _passes(self._asked.name, self._asked.exact):
                if self._room():
                    lines = [f"{before}{self._folded}{after}"]
                    self._names(express(self._folded), ranks, self._by_letters, lines, self._letters)
        if self._asked.exact or not self._folded:
            return self._found
        whole = bool(self._found) and self._found[0].match in ("exact", "case")
        if not self._found:
            self._typos()
        wanted = self._asked.documentation
        if wanted or (wanted is None and not whole):
            words = records.words(self._asked.name)[: search.MAX_WORDS]
            if words and self._room():
                self._texts(words, ranking.TEXT)
            if words and not self._found:
                self._texts(words, ranking.BEGINNINGS)
        return self._found

    def _few(self) -> bool:
        """Where only few records have the name inside a name, one look is for all ranks. False: too many."""
        expression = None if self._asked.exact else search.part(self._folded)
        if expression is None:
            return False
        narrowed = search.narrowed(expression, self._asked.kind, self._asked.language)
        candidates = search.few(self._connection, narrowed or expression, _FEW)
        if candidates is None:
            return False
        lines = [self._folded]
        self._take(
            iter(candidates),
            _IN_NAMES,
            lambda record: self._matches(record, self._by_letters, lines),
            self._letters,
        )
        return True

    def _typos(self) -> None:
        """Names with one error, and only when there is none, with two."""
        for errors in range(1, self._errors + 1):
            self._kept = search.kept(self._folded, errors)
            expression, ranks = search.misspelt(self._folded, errors), (_TYPOS[errors - 1],)
            self._names(expression, ranks, self._by_errors, self._kept, self._wanted(self._kept))
            if self._found:
                return

    def _room(self) -> int:
        return self._asked.limit - len(self._found)

    def _wanted(self, lines: Sequence[str]) -> Wanted:
        return Wanted(lines, self._kind, self._language)

    def _open(self, number: int, wanted: Wanted | None) -> Record | None:
        if wanted is not self._letters:
            return self._piece(number, wanted)
        if number not in self._opened:
            self._opened[number] = self._piece(number, wanted)
        return self._opened[number]

    def _names(
        self,
        expression: str | None,
        ranks: tuple[int, ...],
        judge: _Judge,
        lines: Sequence[str],
        wanted: Wanted,
    ) -> None:
        if expression is None and self._asked.name:
            return  # too short for this
        narrowed = search.narrowed(expression, self._asked.kind, self._asked.language)
        candidates = search.candidates(self._connection, narrowed)
        self._take(candidates, ranks, lambda record: self._matches(record, judge, lines), wanted)

    def _texts(self, words: list[str], rank: int) -> None:
        expression = search.described(words, beginnings=rank == ranking.BEGINNINGS)
        candidates = search.candidates(self._connection, expression)
        self._take(candidates, (rank,), lambda record: self._described(record, words, rank))

    def _take(
        self,
        candidates: Iterator[tuple[bytes, int]],
        ranks: tuple[int, ...],
        matches: Callable[[Record], list[tuple[int, Symbol, str | None]]],
        wanted: Wanted | None = None,
    ) -> None:
        room = self._room()
        by_rank: dict[int, list[Definition]] = {rank: [] for rank in ranks}
        best, looked = by_rank[ranks[0]], 0
        for path, number in candidates:
            shown = os.fsdecode(path)
            if self._under is not None and not self._under(shown):
                continue
            looked += 1
            record = self._open(number, wanted)
            if record is not None and self._is_meant(record):
                for rank, symbol, snippet in matches(record):
                    # Candidates come by path, so the first `room` of a rank are the ones to show.
                    if rank in by_rank and len(by_rank[rank]) < room:
                        by_rank[rank].append(_definition(shown, record, symbol, rank, snippet))
            # After each candidate, opened or not: where a search ends must not depend on what is cached.
            filled = len(best) if looked < _ENOUGH else sum(map(len, by_rank.values()))
            if filled >= room:
                break
        self._found += [definition for rank in ranks for definition in by_rank[rank]][:room]

    # --- one record -----------------------------------------------------------------------------------

    def _is_meant(self, record: Record) -> bool:
        return not self._language or records.fold(record.language or "") == self._language

    def _by_letters(self, symbol: Symbol) -> int | None:
        return ranking.of_name(symbol.name, self._asked.name, self._folded)

    def _by_errors(self, symbol: Symbol) -> int | None:
        low = records.fold(symbol.name)
        # Of a common piece nearly every definition of every candidate comes by here.
        if abs(len(low) - len(self._folded)) > self._errors:
            return None
        line = f"\n{low}\n"
        for piece in self._kept:
            if piece in line:
                return ranking.of_misspelt(symbol.name, self._folded)
        return None

    def _matches(
        self, record: Record, judge: _Judge, lines: Sequence[str]
    ) -> list[tuple[int, Symbol, str | None]]:
        """(rank, definition, None) of what matches by its name, by line."""
        found: list[tuple[int, Symbol, str | None]] = []
        if not _may_have(record, lines):
            return found
        for symbol in record.symbols:
            rank = judge(symbol)
            if rank is not None and self._of_kind(symbol):
                found.append((rank, symbol, None))
        found.sort(key=_lines)
        return found

    def _described(self, record: Record, words: list[str], rank: int) -> list[tuple[int, Symbol, str | None]]:
        """(rank, definition, snippet) of what matches by its documentation and not by its name, by line."""
        found: list[tuple[int, Symbol, str | None]] = []
        for symbol, text in documented(record):
            if not self._of_kind(symbol) or ranking.of_text(text, words) != rank:
                continue
            if symbol.kind == FILE_KIND or not (
                self._by_letters(symbol) in _IN_NAMES or self._was_meant(symbol)
            ):
                found.append((rank, symbol, ranking.snippet(text, words)))
        found.sort(key=_lines)
        return found

    def _was_meant(self, symbol: Symbol) -> bool:
        """Whether this definition is above already, for what its name was meant to be."""
        first = self._found[0].match if self._found else ""
        return first == "typo" and self._by_errors(symbol) is not None

    def _of_kind(self, symbol: Symbol) -> bool:
        return not self._kind or records.fold(symbol.kind) == self._kind


def _may_have(record: Record, pieces: Sequence[str]) -> bool:
    """Whether the name of a definition in here can have one of these folded texts in it. Candidates are often
    none, and looking at all names at once is ten times as fast as at each."""
    text = "\n".join([symbol.name for symbol in record.symbols])
    # Control characters fold to blanks; what is not ASCII folds to who knows what.
    if not text.isascii() or any(" " in piece for piece in pieces):
        return True
    text = f"\n{text.lower()}\n"
    return any(piece in text for piece in pieces)


def documented(record: Record) -> Iterator[tuple[Symbol, str]]:
    """Each definition with its documentation, and the header of the file as a definition of the kind
    ``file`` without a name; nothing that has no text."""
    header = record.header
    if header is not None:
        text = records.header_text(header)
        if text:
            yield _as_symbol(header), text
    for symbol in record.symbols:
        if symbol.doc:
            yield symbol, symbol.doc


def _as_symbol(header: Header) -> Symbol:
    return Symbol("", FILE_KIND, None, header.start, header.end, "", "")


def _lines(match: tuple[int, Symbol, str | None]) -> tuple[int, int]:
    return match[1].start, match[1].end


def _passes(name: str, exact: bool) -> list[_Pass]:
    """One for each expression, best first; later ones are skipped once the limit is filled."""
    if exact:
        return [(search.whole, ("\n", "\n"), (ranking.EXACT,))]
    if not name:
        return [(search.prefix, ("\n", ""), (ranking.PREFIX,))]  # every name begins with it
    return [
        (search.whole, ("\n", "\n"), (ranking.EXACT, ranking.CASE)),
        (search.prefix, ("\n", ""), (ranking.PREFIX,)),
        (search.part, ("", ""), (ranking.WORD, ranking.PART)),
    ]


def _is_text(asked: str | None) -> bool:
    """Whether a definition could be called so: stored text is UTF-8, which has no halves of characters."""
    try:
        (asked or "").encode()
    except UnicodeEncodeError:
        return False
    return True


def _definition(path: str, record: Record, symbol: Symbol, rank: int, snippet: str | None) -> Definition:
    return Definition(
        path=path,
        name=symbol.name or path[path.rfind("/") + 1 :],
        kind=symbol.kind,
        language=record.language,
        parent=symbol.parent,
        start=symbol.start,
        end=symbol.end,
        signature=symbol.signature,
        doc=symbol.doc,
        match=ranking.NAMES[rank],
        snippet=snippet,
    )
