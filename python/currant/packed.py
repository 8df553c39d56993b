"""Owns how a record in its stored form is opened: packed JSON, in pieces of so many definitions.

The native core writes this form for ordinary sources (`_core.examine`), the store for everything else.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from currant._core import open_piece
from currant.model import Packed, Record

PIECE_SYMBOLS: Final = 64
PIECES: Final = 4096  # per result; part of the schema

_decoder = msgspec.json.Decoder(Record)


def decode(stored: bytes) -> tuple[Record, int]:
    """The piece again, and its size as JSON, which stands for its size in memory.

    Raises ValueError when these bytes are not one.
    """
    try:
        text = open_piece(stored)
    except ValueError as error:
        raise ValueError(f"damaged record: {error}") from error
    return decode_json(text), len(text)


def decode_json(text: bytes) -> Record:
    """A piece from its JSON. Raises ValueError when it is none."""
    try:
        return _decoder.decode(text)
    except msgspec.DecodeError as error:
        raise ValueError(f"damaged record: {error}") from error


def join(pieces: Sequence[Record]) -> Record:
    """The record again."""
    if len(pieces) == 1:
        return pieces[0]
    symbols = [symbol for piece in pieces for symbol in piece.symbols]
    return msgspec.structs.replace(pieces[0], symbols=symbols)


def unpacked(packed: Packed) -> Record:
    """The whole record."""
    return join([decode(stored)[0] for stored, _names, _words in packed.pieces])
