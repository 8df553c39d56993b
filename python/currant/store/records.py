"""Owns how a record is stored: zlib level 1 over JSON, and the text by which its names are found."""

import zlib
from typing import Final

import msgspec

from currant.model import Record

# How a kind and a language are spelt among the names: no folded name holds these characters.
KIND_MARK: Final = "\x02"
LANGUAGE_MARK: Final = "\x03"
_MARKS: Final = str.maketrans({"\n": " ", "\0": " ", KIND_MARK: " ", LANGUAGE_MARK: " "})

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Record)


def encode(record: Record) -> bytes:
    """The stored form. Raises ValueError for text that is not Unicode (a lone surrogate)."""
    return zlib.compress(_encoder.encode(record), 1)


def decode(stored: bytes) -> Record:
    """The record again. Raises ValueError when these bytes are not one."""
    return decode_sized(stored)[0]


def decode_sized(stored: bytes) -> tuple[Record, int]:
    """The record and its size as JSON, which stands for its size in memory."""
    try:
        text = zlib.decompress(stored)
        return _decoder.decode(text), len(text)
    except (zlib.error, msgspec.DecodeError) as error:
        raise ValueError(f"damaged record: {error}") from error


def fold(name: str) -> str:
    """What case-insensitive comparison compares.

    Character by character, so a part of a name folds to a part of the folded name; the characters that
    mean something in the name index become spaces.
    """
    return name.casefold().translate(_MARKS)


def names_text(record: Record) -> str:
    """What the trigram index gets, one item a line: each name, each kind and the language after its mark.

    The newlines make the ends of names part of trigrams, so short and whole names can be found; kind and
    language narrow a search for a common name. One or two letters are looked for with every ASCII
    neighbour, so names beyond ASCII add their first letter and all pairs of letters as lines.
    """
    names = dict.fromkeys(fold(symbol.name) for symbol in record.symbols)
    if not names:
        return ""
    lines = dict.fromkeys(names)
    lines |= dict.fromkeys(KIND_MARK + fold(symbol.kind) for symbol in record.symbols)
    lines[LANGUAGE_MARK + fold(record.language or "")] = None
    for name in names:
        if not name.isascii():
            lines[name[0]] = None
            lines |= dict.fromkeys(name[i : i + 2] for i in range(len(name) - 1))
    return "\n" + "\n".join(lines) + "\n"
