"""Owns how candidates for a name are found: which records the index of terms cannot rule out.

An expression may let through results that do not match, never the other way round; the caller verifies.
None means that the index cannot help and every record is a candidate.
"""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import apsw

from currant.store.records import KIND_MARK, LANGUAGE_MARK, NAME_END, PIECES, checksum, fold, letters, word

# Names in the sources of Linux: with 8 terms a question is answered in half the time that 32 take, and has
# 5 % more candidates.
_MAX_TERMS: Final = 8
_PARTS: Final = 3  # of a whole name, beside its checksum
# Lengths of names with two errors for which every way to have them is spelt out, and terms for each way. More
# terms, or longer names, and to ask costs more than the candidates that are spared.
_SPELT_OUT: Final = range(8, 12)
_TERMS_OF_WAY: Final = 4
MAX_WORDS: Final = 16
"""Words of a question that are looked for in the documentation; the rest says nothing new."""
# What can follow one or two letters of a folded name; before anything else they are names of their own.
_NEIGHBOURS: Final = "\n" + "".join(
    sorted({character for character in map(chr, range(1, 128)) if fold(character) == character})
)

# Records that may have a term, together with those of which the index does not know yet (store/listing.py).
_RECORDS: Final = """
SELECT p.record_id AS id FROM terms t CROSS JOIN pieces p ON p.id = t.rowid WHERE terms MATCH ?
UNION ALL
SELECT id FROM records WHERE id > (SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'listed')
UNION ALL
SELECT id FROM records WHERE id <= (SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'unlisted')"""
# CROSS JOIN keeps the order: few matches first, then their files through files_by_result.
_CANDIDATES: Final = f"""
SELECT f.path, r.id FROM ({_RECORDS}) r CROSS JOIN files f ON f.result_id = r.id / {PIECES}
ORDER BY f.path, r.id"""
_FEW: Final = f"SELECT id FROM ({_RECORDS}) LIMIT ?"
_PATHS: Final = "SELECT path FROM files WHERE result_id = ?"
_UNUSED: Final = f"""
SELECT r.id FROM ({_RECORDS}) r
WHERE NOT EXISTS (SELECT 1 FROM files f WHERE f.result_id = r.id / {PIECES}) LIMIT ?"""
_EVERYTHING: Final = f"""
SELECT f.path, r.id FROM files f CROSS JOIN records r
  ON r.id BETWEEN f.result_id * {PIECES} AND f.result_id * {PIECES} + {PIECES - 1}
ORDER BY f.path, r.id"""


def whole(name: str) -> str | None:
    """Records that may define exactly this name (folded)."""
    return _line(name) if name else None


def prefix(name: str) -> str | None:
    """Records that may define a name beginning with this one (folded)."""
    if len(name) >= 2:
        return _all_of("\n" + name)
    return _any_of(f"\n{name}{other}" for other in _NEIGHBOURS) if name else None


def part(name: str) -> str | None:
    """Records that may define a name with this one inside (folded, two letters or more)."""
    if len(name) >= 3:
        return _all_of(name)
    if len(name) == 2:
        return _any_of(name + other for other in _NEIGHBOURS)
    return None


def kept(name: str, errors: int) -> list[str]:
    """Of these texts one at least is in the line ("\\n", folded name, "\\n") of a name that is so many typing
    errors (see `ranking.distance`) away from this one; none when it is too short to say.

    Cut into one piece more than there are errors, a name keeps one of them as it is. Neighbours that were
    swapped may spoil two pieces; when only one error is allowed, every such swap is looked for by itself.
    """
    line = f"\n{name}\n"
    count = errors + 1
    if len(line) < 3 * count:
        return []
    cuts = [len(line) * number // count for number in range(count + 1)]
    pieces = [line[start:end] for start, end in itertools.pairwise(cuts)]
    if errors == 1:
        pieces += [
            f"\n{name[:at]}{name[at + 1]}{name[at]}{name[at + 2 :]}\n"
            for at in range(len(name) - 1)
            if name[at] != name[at + 1]
        ]
    return pieces


def misspelt(name: str, errors: int) -> str | None:
    """Records that may have a name so many typing errors away from this one: what `any_of(kept(...))` says,
    and more. None when it is too short to say.

    Of a line in more segments than there are errors, all but so many are as they were, and together they
    rule out more than one long piece does. Nothing is said of what spans two segments: an error may lie
    between them.
    """
    if errors == 2 and len(name) in _SPELT_OUT:
        return "(" + " OR ".join(f"({way})" for way in _ways(name)) + ")"
    expression = any_of(kept(name, errors))
    if expression is None:
        return None
    line = f"\n{name}\n"
    swaps = [f"({_all_of(swap)})" for swap in kept(name, errors)[errors + 1 :]]
    for segments in _segmentations(line, errors):
        ways = [
            " AND ".join(_ends_of(segment) for segment in left)
            for left in itertools.combinations(segments, len(segments) - errors)
        ]
        if swaps:  # of one error the pieces say nothing more, and the swaps are many
            return "(" + " OR ".join([f"({way})" for way in ways] + swaps) + ")"
        expression += " AND (" + " OR ".join(f"({way})" for way in ways) + ")"
    return expression


def _ways(name: str) -> dict[str, None]:
    """Of each way to have two errors in a name of eight letters or more: some of the terms that are left.

    An error takes at most the three terms that the letter is part of. Where two of them take fewer than six,
    more is left than of a way that takes these and others.
    """
    found = letters(f"\n{name}\n")
    ways: dict[str, None] = {}
    for first in range(len(found) - 5):
        for second in range(first + 3, len(found) - 2):
            left = found[:first] + found[first + 3 : second] + found[second + 3 :]
            ways[" AND ".join(map(_quoted, _spread(list(dict.fromkeys(left)), _TERMS_OF_WAY)))] = None
    return ways


def _segmentations(line: str, errors: int) -> list[list[str]]:
    """Ways to cut a line into segments of three letters or more."""
    most = min(len(line) // 3, errors + 3)
    if most < errors + 1:
        return []
    found = set()
    for shift in (0, 1, 2):
        cuts = [0, *(len(line) * number // most + shift for number in range(1, most)), len(line)]
        if all(end - start >= 3 for start, end in itertools.pairwise(cuts)):
            found.add(tuple(cuts))
        if most > errors + 1:
            break  # says enough
    return [[line[start:end] for start, end in itertools.pairwise(cuts)] for cuts in sorted(found)]


def _ends_of(segment: str) -> str:
    return " AND ".join(map(_quoted, dict.fromkeys((segment[:3], segment[-3:]))))


def any_of(pieces: Sequence[str]) -> str | None:
    """Records that may have a line with one of these texts of three letters or more."""
    return "(" + " OR ".join(f"({_all_of(piece)})" for piece in pieces) + ")" if pieces else None


def described(asked: Sequence[str], *, beginnings: bool) -> str:
    """Records that may have all these words in their documentation; with `beginnings` those that have words
    beginning with them, too."""
    star = "*" if beginnings else ""
    return " AND ".join(_quoted(word(one)) + star for one in asked)


def narrowed(expression: str | None, kind: str | None, language: str | None) -> str | None:
    """The expression, and that the result has a definition of this kind and is in this language."""
    terms = [] if expression is None else [expression]
    if kind:
        terms.append(_quoted(KIND_MARK + fold(kind)))
    if language:
        terms.append(_quoted(LANGUAGE_MARK + fold(language)))
    return " AND ".join(terms) or None


def few(connection: apsw.Connection, expression: str, most: int) -> list[tuple[bytes, int]] | None:
    """All that `candidates` would give, when that is from at most `most` records; else None, and soon."""
    rows: Any = connection.execute(_FEW, (expression, most + 1)).fetchall()
    if len(rows) > most:
        return None
    found = [
        (path, number) for (number,) in rows for (path,) in connection.execute(_PATHS, (number // PIECES,))
    ]
    return sorted(found)


def unused(connection: apsw.Connection, expression: str, most: int) -> list[int]:
    """At most so many ids of records that the expression lets through and that no file has.

    Raises apsw.Error."""
    rows: Any = connection.execute(_UNUSED, (expression, most)).fetchall()
    return [number for (number,) in rows]


def candidates(connection: apsw.Connection, expression: str | None) -> Iterator[tuple[bytes, int]]:
    """(path, id of a piece of its record) that the expression lets through, by path, then piece.

    Lazy: read inside the snapshot that `connection` is in. Raises apsw.Error.
    """
    rows: Any = (
        connection.execute(_EVERYTHING)
        if expression is None
        else connection.execute(_CANDIDATES, (expression,))
    )
    return iter(rows)


def _all_of(text: str) -> str | None:
    return " AND ".join(_terms_of(text)) or None


def _any_of(trigrams: Iterable[str]) -> str:
    return "(" + " OR ".join(map(_quoted, dict.fromkeys(trigrams))) + ")"


def _terms_of(text: str) -> list[str]:
    if len(text) > 2 and text[0] == text[-1] == "\n":  # a whole name
        return [_line(text[1:-1])]
    return [_quoted(one) for one in _spread(list(dict.fromkeys(letters(text))), _MAX_TERMS)]


def _spread(terms: list[str], most: int) -> list[str]:
    """At most so many, from the first to the last, since the ends of a name tell most."""
    last = len(terms) - 1
    return terms if last < most else [terms[number * last // (most - 1)] for number in range(most)]


def _line(name: str) -> str:
    """Records with a name of this checksum and some of these letters."""
    found = letters(f"\n{name}\n")
    chosen = [found[len(found) * part // _PARTS] for part in range(_PARTS)] if found else []
    return " AND ".join(map(_quoted, dict.fromkeys([checksum(name), *chosen])))


def _quoted(term: str) -> str:
    """As an expression has it; a newline stands for the end of a name."""
    return '"' + term.replace("\n", NAME_END).replace('"', '""') + '"'
