"""Owns how a record is stored: zlib level 1 over JSON, in pieces, and the text its names are found by."""

import functools
import itertools
import re
import zlib
from typing import Final

import msgspec

from currant.model import Header, Packed, Record
from currant.packed import PIECE_SYMBOLS, PIECES, decode, decode_json, join

__all__ = [
    "PIECES",
    "PIECE_SYMBOLS",
    "decode",
    "decode_json",
    "join",
]  # of `packed`, for whoever reads records here

# How a kind and a language are spelt among the names: no folded name holds these characters.
KIND_MARK: Final = "\x02"
LANGUAGE_MARK: Final = "\x03"
_MARKS: Final = str.maketrans({"\n": " ", "\0": " ", KIND_MARK: " ", LANGUAGE_MARK: " "})

_CAREFUL: Final = frozenset({"\0", KIND_MARK, LANGUAGE_MARK})

_SHORT: Final = 128
_encoder = msgspec.json.Encoder()


def split(record: Record) -> list[tuple[bytes, str, str]]:
    """The pieces of a record, each as (stored form, text for the name index, words for the index of the
    documentation); at least one.

    Raises ValueError for text that is not Unicode (a lone surrogate).
    """
    symbols = record.symbols
    if len(symbols) <= PIECE_SYMBOLS:
        return [_indexed(record)]
    # Whatever is beyond the last id a result has goes into its last piece.
    starts = [*range(0, len(symbols), PIECE_SYMBOLS)][:PIECES]
    # Everything but the definitions is in the first piece alone.
    pieces = [
        msgspec.structs.replace(record, symbols=symbols[start:end])
        if start == 0
        else Record(record.language, symbols[start:end], [])
        for start, end in itertools.pairwise([*starts, len(symbols)])
    ]
    return [_indexed(piece) for piece in pieces]


def _indexed(piece: Record) -> tuple[bytes, str, str]:
    return encode(piece), names_text(piece), documentation_text(piece)


def complete(packed: Packed) -> list[tuple[bytes, str, str]]:
    """The pieces that the native core made, with the texts that it left to us."""
    out = []
    for stored, names, words in packed.pieces:
        if names is None or words is None:
            piece, _size = decode(stored)
            names = names_text(piece) if names is None else names
            words = documentation_text(piece) if words is None else words
        out.append((stored, names, words))
    return out


def piece_ids(result: int) -> tuple[int, int]:
    """First and last id that pieces of this result may have."""
    return result * PIECES, result * PIECES + PIECES - 1


def encode(record: Record) -> bytes:
    """The stored form of a piece. Raises ValueError for text that is not Unicode."""
    text = _encoder.encode(record)
    # Thousands of files say nothing but their language, and compressing that takes longest of all.
    return _compressed(text) if len(text) <= _SHORT else zlib.compress(text, 1)


@functools.lru_cache(maxsize=256)
def _compressed(text: bytes) -> bytes:
    return zlib.compress(text, 1)


def facts_of(record: Record) -> list[tuple[str, bytes]]:
    """The facts of a record by name, each as JSON. Raises ValueError for text that is not Unicode."""
    return [(name, _encoder.encode(value)) for name, value in record.facts.items()]


def fold(name: str) -> str:
    """What case-insensitive comparison compares.

    Character by character, so a part of a name folds to a part of the folded name; the characters that
    mean something in the name index become spaces.
    """
    if name.isascii() and name.isprintable():  # nearly all, and several times faster
        return name.lower()
    return name.casefold().translate(_MARKS)


def names_text(record: Record) -> str:
    """What the trigram index gets, one item a line: each name, each kind and the language after its mark.

    The newlines make the ends of names part of trigrams, so short and whole names can be found; kind and
    language narrow a search for a common name. One or two letters are looked for with every ASCII
    successor, so names beyond ASCII add their first letter and all pairs of letters as lines.
    """
    names = _folded_names(record)
    if not names:
        return ""
    lines = [KIND_MARK + fold(kind) for kind in {symbol.kind for symbol in record.symbols}]
    lines.append(LANGUAGE_MARK + fold(record.language or ""))
    text = "\n".join(names)
    if not text.isascii():
        for name in names:
            if not name.isascii():
                lines.append(name[0])
                lines += {name[i : i + 2] for i in range(len(name) - 1)}
    return "\n" + text + "\n" + "\n".join(lines) + "\n"


def _folded_names(record: Record) -> list[str]:
    """Each name once, folded; all at once where nothing in them needs care, which is nearly always."""
    names = {symbol.name for symbol in record.symbols}
    text = "\n".join(names)
    if text.isascii() and text.count("\n") < max(1, len(names)) and _CAREFUL.isdisjoint(text):
        return text.lower().split("\n") if names else []
    return [fold(name) for name in names]


# --- documentation ------------------------------------------------------------------------------------

# The tokenizer of the index splits at every other ASCII character, and takes all beyond ASCII for letters.
_WORD: Final = re.compile(r"[^\W_]+")
_ASCII_BREAKS: Final = {code: " " for code in range(128) if not chr(code).isalnum()}
_LONGEST_WORD: Final = 40  # longer ones are data: hashes, keys, tables


def words(text: str) -> list[str]:
    """The words of a text as they are compared, each once, in the order of their first occurrence: runs of
    letters and digits, letter case aside. None that is longer than a word is."""
    # The first way is several times faster, and nearly all texts can go it.
    found = (
        text.lower().translate(_ASCII_BREAKS).split() if text.isascii() else _WORD.findall(text.casefold())
    )
    return [word for word in dict.fromkeys(found) if len(word) <= _LONGEST_WORD]


def header_text(header: Header) -> str:
    """What the header of a file says, for a search in it."""
    parts = [header.intent or "", *header.design_principles, *header.constraints]
    return "\n".join(part for part in (*parts, *header.other.values()) if part)


def documentation_text(piece: Record) -> str:
    """What the index of the documentation gets for a piece of a record: each word of it once."""
    texts = [symbol.doc for symbol in piece.symbols if symbol.doc]
    if piece.header is not None:
        texts.append(header_text(piece.header))
    return " ".join(words("\n".join(texts))) if texts else ""
