"""Owns what `find` takes for a match, how good it is, what it shows of a documentation text, and which paths
a pattern means.

Pure functions of texts: the search in the index and the search of every record that the tests compare it with
both ask here, and differ only in how they come by the records.
"""

import os
import re
from collections.abc import Callable
from typing import Final

from currant.store.records import fold, words

EXACT, CASE, PREFIX, WORD, PART, TYPO, SECOND_TYPO, TEXT, BEGINNINGS = range(9)
"""Ranks, best first: the name itself, in other letter case, its beginning, the beginning of a word in it,
anywhere in it; one and two typing errors away; all words of the question in the documentation, or beginnings
of its words."""

NAMES: Final = ("exact", "case", "prefix", "word", "part", "typo", "typo", "documentation", "documentation")
"""What a rank is called in an answer."""

SNIPPET_CHARACTERS: Final = 120
SHORTEST_BEGINNING: Final = 3  # letters; shorter words are looked for as whole words only
_ONE_ERROR, _TWO_ERRORS = 4, 8  # letters from which a name may have so many

# A word begins after what is no letter or digit, at a digit after a letter, at a capital after a small
# letter, and at the last capital of a run of them: HTTPServer is HTTP and Server.
_WORD_STARTS: Final = re.compile(
    r"(?:^|(?<=[\W_]))(?=[^\W_])|(?<=[a-z])(?=[A-Z0-9])|(?<=[0-9])(?=[A-Za-z])|(?<=[A-Z])(?=[A-Z][a-z]|[0-9])"
)
_SPACE: Final = re.compile(r"\s+")
_WILD: Final = re.compile(r"[*?]+")


def of_name(name: str, wanted: str, folded: str) -> int | None:
    """The rank of a name for what is `wanted`, by its letters alone; `folded` is `wanted`, folded.

    One letter is looked for as a name and as the beginning of names, not inside them.
    """
    low = fold(name)
    if folded not in low:
        return None
    if name == wanted:
        return EXACT
    if low == folded:
        return CASE
    if low.startswith(folded):
        return PREFIX
    if len(folded) < 2:
        return None
    return WORD if _begins_a_word(name, low, folded) else PART


def _begins_a_word(name: str, low: str, folded: str) -> bool:
    """Whether `folded`, which is in `low`, the folded name, is there at the beginning of a word."""
    if not name.isascii():  # a letter may fold to several
        return any(fold(name[match.start() :]).startswith(folded) for match in _WORD_STARTS.finditer(name))
    at = low.find(folded)
    while at >= 0:
        if _WORD_STARTS.match(name, at):
            return True
        at = low.find(folded, at + 1)
    return False


def errors_allowed(folded: str) -> int:
    """How many typing errors such a question may have: 0, 1 or 2. Several words are a question about
    documentation, and nearly every record has parts of them."""
    if any(letter.isspace() for letter in folded):
        return 0
    return 0 if len(folded) < _ONE_ERROR else 1 if len(folded) < _TWO_ERRORS else 2


def of_misspelt(name: str, folded: str) -> int | None:
    """The rank of a name that was meant, if what was typed is wrong in no more places than allowed.

    An error is a letter too much, too few, another one, or two neighbours in the wrong order (that only as
    the one error there is; else it counts as two).
    """
    allowed = errors_allowed(folded)
    low = fold(name)
    if not allowed or abs(len(low) - len(folded)) > allowed:
        return None
    errors = distance(folded, low, allowed)
    return None if errors > allowed else TYPO if errors <= 1 else SECOND_TYPO


def distance(one: str, other: str, limit: int) -> int:
    """Levenshtein distance, with 1 for a single swap of neighbours; `limit` + 1 for everything above it."""
    start = 0
    while start < min(len(one), len(other)) and one[start] == other[start]:
        start += 1
    end = 0
    while end < min(len(one), len(other)) - start and one[-1 - end] == other[-1 - end]:
        end += 1
    one, other = one[start : len(one) - end], other[start : len(other) - end]
    if len(one) == 2 and one == other[::-1]:
        return 1
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        above, row = row, [i]
        for j, another in enumerate(other, 1):
            row.append(min(above[j] + 1, row[-1] + 1, above[j - 1] + (letter != another)))
        if min(row) > limit:
            return limit + 1
    return min(row[-1], limit + 1)


def of_text(text: str, asked: list[str]) -> int | None:
    """The rank of a documentation text for the words asked for, None unless all of them are in it."""
    if not asked or not text:
        return None
    low = text.casefold()
    if not all(word in low for word in asked):
        return None  # nearly always, and without taking the text apart
    there = set(words(text))
    if there.issuperset(asked):
        return TEXT
    for word in asked:
        if word not in there and not (
            len(word) >= SHORTEST_BEGINNING and any(one.startswith(word) for one in there)
        ):
            return None
    return BEGINNINGS


def snippet(text: str, asked: list[str]) -> str:
    """One line out of `text` around the first word that was asked for, with … where something is left out."""
    line = _SPACE.sub(" ", text).strip()
    if len(line) <= SNIPPET_CHARACTERS:
        return line
    low = line.lower()
    at = min((place for place in (low.find(word) for word in asked) if place >= 0), default=0)
    start = max(0, min(at - SNIPPET_CHARACTERS // 3, len(line) - SNIPPET_CHARACTERS))
    if start:
        start = line.find(" ", start, at) + 1 or start  # whole words, where there are any
    end = start + SNIPPET_CHARACTERS
    if end < len(line):
        end = max(line.rfind(" ", start + SNIPPET_CHARACTERS // 2, end + 1), 0) or end
    return ("… " if start else "") + line[start:end].strip() + (" …" if end < len(line) else "")


def paths(glob: str) -> Callable[[str], bool]:
    """Whether a path is one that `glob` means.

    As in an ignore file: ``*`` and ``?`` stay within a name, ``**`` does not, without a slash (but one at the
    end) it is a name at any depth, else it counts from the root. What means a directory means all below it.
    There is no other special character.
    """
    body = glob.strip("/")
    anchored = "/" in glob.rstrip("/")
    pattern = "" if anchored else "(?:.*/)?"
    position = 0
    while position < len(body):
        if body.startswith("**/", position) and (position == 0 or body[position - 1] == "/"):
            pattern += "(?:.*/)?"
            position += 3
        elif body.startswith("**", position):
            pattern += ".*"
            position += 2
        else:
            one = body[position]
            pattern += "[^/]*" if one == "*" else "[^/]" if one == "?" else re.escape(one)
            position += 1
    compiled = re.compile(f"{pattern}/.*" if glob.endswith("/") else f"{pattern}(?:/.*)?", re.DOTALL)
    return lambda path: compiled.fullmatch(path) is not None


def path_part(pattern: str) -> bytes:
    """Bytes in small ASCII letters that every path has, case aside, which `path_like` takes: what a database
    looks for before each path is judged."""
    pieces = _WILD.split(pattern) if _is_glob(pattern) else [pattern]
    return max((os.fsencode(piece.strip("/")) for piece in pieces), key=len).lower()


def path_like(pattern: str) -> Callable[[str], bool]:
    """Whether a path is one that somebody means who types `pattern`.

    With ``*`` or ``?``, or a slash in front, a glob, as `paths` takes it. Else a part of the path, whatever
    the case of ASCII letters."""
    if _is_glob(pattern):
        return paths(pattern)
    part = os.fsencode(pattern).lower()
    return lambda path: part in os.fsencode(path).lower()


def _is_glob(pattern: str) -> bool:
    return pattern.startswith("/") or _WILD.search(pattern) is not None
