"""Owns the ids of jobs: UUID version 7 (RFC 9562), so that ids sort by the time they were made.

The standard library has them from Python 3.14 on.
"""

import os
import threading
from typing import Final

_lock = threading.Lock()
_last = 0
_RANDOM_BITS: Final = 74


def uuid7(now: float) -> str:
    """A new id for the wall time `now`; greater than every id that this process made before."""
    global _last
    fresh = int(now * 1000) << _RANDOM_BITS | int.from_bytes(os.urandom(10)) >> (80 - _RANDOM_BITS)
    with _lock:
        # The random part counts on within a millisecond, and while the clock stands or goes back.
        _last = number = max(fresh, _last + 1)
    high, low = number >> 62, number & (1 << 62) - 1  # 48 bits of time and 12 random ones; 62 random ones
    whole = (high >> 12) << 80 | 0x7 << 76 | (high & 0xFFF) << 64 | 0b10 << 62 | low
    text = f"{whole:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
