"""Owns how a record is stored: packed JSON, in pieces, and the terms that a piece is found by."""

import functools
import itertools
import re
import zlib
from typing import Final

import msgspec

from currant._core import pack_piece
from currant.model import Header, Packed, Record
from currant.packed import PIECE_SYMBOLS, PIECES, decode, decode_json, join

__all__ = [
    "PIECES",
    "PIECE_SYMBOLS",
    "decode",
    "decode_json",
    "join",
]  # of `packed`, for whoever reads records here

# Terms of the index are between newlines. Those of names are three letters, where a tab stands for the end of
# a name; the others have a mark in front. No folded name holds any of these characters.
BETWEEN: Final = "\n"
NAME_END: Final = "\t"
KIND_MARK: Final = "\x02"
LANGUAGE_MARK: Final = "\x03"
NAME_MARK: Final = "\x04"
WORD_MARK: Final = "\x05"
_CONTROL: Final = dict.fromkeys(range(0x20), " ")
# Of six bits each; no upper case, which the tokenizer folds.
_SIX: Final = "".join(chr(0x21 + six if six < 32 else 0x3B + six) for six in range(64))

_SHORT: Final = 128
_encoder = msgspec.json.Encoder()


def split(record: Record) -> list[tuple[bytes, str, str]]:
    """The pieces of a record, each as (stored form, terms of the names, terms of the documentation); at least
    one.

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
    return encode(piece), name_terms(piece), word_terms(piece)


def complete(packed: Packed) -> list[tuple[bytes, str, str]]:
    """The pieces that the native core made, with the terms that it left to us."""
    out = []
    for stored, names, words in packed.pieces:
        if names is None or words is None:
            piece, _size = decode(stored)
            names = name_terms(piece) if names is None else names
            words = word_terms(piece) if words is None else words
        out.append((stored, names, words))
    return out


def piece_ids(result: int) -> tuple[int, int]:
    """First and last id that pieces of this result may have."""
    return result * PIECES, result * PIECES + PIECES - 1


def encode(record: Record) -> bytes:
    """The stored form of a piece. Raises ValueError for text that is not Unicode."""
    text = _encoder.encode(record)
    # Thousands of files say nothing but their language, and compressing that takes longest of all.
    return _compressed(text) if len(text) <= _SHORT else pack_piece(text)


@functools.lru_cache(maxsize=256)
def _compressed(text: bytes) -> bytes:
    return pack_piece(text)


def facts_of(record: Record) -> list[tuple[str, bytes]]:
    """The facts of a record by name, each as JSON. Raises ValueError for text that is not Unicode."""
    return [(name, _encoder.encode(value)) for name, value in record.facts.items()]


def fold(name: str) -> str:
    """What case-insensitive comparison compares.

    Character by character, so a part of a name folds to a part of the folded name; control characters, some
    of which mean something in the index, become spaces.
    """
    if name.isascii() and name.isprintable():  # nearly all, and several times faster
        return name.lower()
    return name.casefold().translate(_CONTROL)


def terms(piece: Record) -> str:
    """All terms that a piece is found by; "" for none."""
    return joined(name_terms(piece), word_terms(piece))


def joined(names: str, words: str) -> str:
    """The terms of the names and of the documentation as one text."""
    return BETWEEN.join(filter(None, (names, words)))


def name_terms(piece: Record) -> str:
    """Every three letters of each name, its ends among them; a checksum of each; the kinds and the language,
    which narrow a search for a common name.

    One or two letters are looked for with every ASCII successor, so names beyond ASCII add their first letter
    and all pairs of letters as names of their own.
    """
    names = _folded_names(piece)
    if not names:
        return ""
    lines = dict.fromkeys(names)
    for name in names:
        if not name.isascii():
            lines[name[0]] = None
            lines.update(dict.fromkeys(name[at : at + 2] for at in range(len(name) - 1)))
    found: dict[str, None] = {}
    for line in lines:
        found.update(dict.fromkeys(letters(f"{NAME_END}{line}{NAME_END}")))
    found.update(dict.fromkeys(map(checksum, names)))
    found.update(dict.fromkeys(KIND_MARK + fold(symbol.kind) for symbol in piece.symbols))
    return BETWEEN.join([*found, LANGUAGE_MARK + fold(piece.language or "")])


def letters(text: str) -> list[str]:
    """Every three letters that follow one another in this text."""
    return [text[at : at + 3] for at in range(len(text) - 2)]


def checksum(name: str) -> str:
    """The term by which a whole folded name is found. One name in 4,096 has the same: with more bits there
    would be a term for nearly each name, and to fill the index would take nearly twice as long."""
    found = zlib.crc32(name.encode())
    return NAME_MARK + _SIX[found & 63] + _SIX[found >> 6 & 63]


def _folded_names(piece: Record) -> list[str]:
    """Each name once, folded; all at once where nothing in them needs care, which is nearly always."""
    if not piece.symbols:
        return []
    names = {symbol.name for symbol in piece.symbols}
    text = "".join(names)
    if text.isascii() and text.isprintable():
        return "\n".join(names).lower().split("\n") if names else []
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


def word_terms(piece: Record) -> str:
    """Each word of the documentation of a piece, and of the header of its file, once."""
    texts = [symbol.doc for symbol in piece.symbols if symbol.doc]
    if piece.header is not None:
        texts.append(header_text(piece.header))
    return BETWEEN.join(map(word, words("\n".join(texts)))) if texts else ""


def word(text: str) -> str:
    """The term of a word of documentation."""
    return WORD_MARK + text
