"""Owns the in-memory cache of decoded records: bounded in bytes, read without a lock.

Records are immutable and their ids are never used twice, so nothing in here can be wrong; a commit only
drops what files stopped pointing to, to make room. Eviction is second chance: an entry used since the
hand last came by stays for another round.
"""

import threading
from collections import OrderedDict
from typing import Final

from currant.model import CommitInfo, Record

# A decoded record takes twice its JSON (tracemalloc, records of kernel sources); half as much again is for
# what the allocator cannot give back.
_OBJECTS_PER_JSON: Final = 3
_ENTRY_OVERHEAD: Final = 200


class _Entry:
    __slots__ = ("record", "size", "used")

    def __init__(self, record: Record, size: int) -> None:
        self.record = record
        self.size = size
        self.used = False


class MetadataCache:
    """Decoded records (pieces of large ones) by id. Thread-safe; hits and misses are nearly exact."""

    def __init__(self, max_bytes: int) -> None:
        """`max_bytes` bounds the estimated memory of all entries; 0 keeps nothing."""
        self.max_bytes = max_bytes
        self._entries: OrderedDict[int, _Entry] = OrderedDict()  # the hand stands at its front
        self._bytes = 0
        self._hits = 0
        self._misses = 0
        self._lock = threading.Lock()  # for writing only, never held across I/O

    def get(self, record_id: int) -> Record | None:
        """The record, or None: decode it and `put` it."""
        entry = self._entries.get(record_id)
        if entry is None:
            self._misses += 1
            return None
        self._hits += 1
        entry.used = True
        return entry.record

    def put(self, record_id: int, record: Record, json_bytes: int) -> None:
        """Keep a record whose JSON has `json_bytes`. One larger than a quarter of the cache is not kept."""
        size = json_bytes * _OBJECTS_PER_JSON + _ENTRY_OVERHEAD
        if size * 4 > self.max_bytes:
            return
        with self._lock:
            if record_id in self._entries:
                return
            self._entries[record_id] = _Entry(record, size)
            self._bytes += size
            while self._bytes > self.max_bytes:
                oldest, entry = self._entries.popitem(last=False)
                if entry.used and oldest != record_id:
                    entry.used = False
                    self._entries[oldest] = entry
                else:
                    self._bytes -= entry.size

    def committed(self, info: CommitInfo) -> None:
        """Drop what a commit made unlikely to be asked for again; for `Store.on_commit`."""
        if not info.dropped:
            return
        with self._lock:
            for record_id in info.dropped:
                entry = self._entries.pop(record_id, None)
                if entry is not None:
                    self._bytes -= entry.size

    def resize(self, max_bytes: int) -> None:
        """Hold at most so much from now on, dropping what is too much."""
        with self._lock:
            self.max_bytes = max_bytes
            excess = 0.0 if not self._bytes else 1 - max_bytes / self._bytes
        if excess > 0:
            self.shrink(excess)

    def shrink(self, fraction: float) -> int:
        """Drop about this part of what is kept (0 to 1), what was not used lately first; bytes dropped."""
        with self._lock:
            before = self._bytes
            goal = before - int(before * min(max(fraction, 0.0), 1.0))
            spared = len(self._entries)  # each entry may stay once for having been used
            while self._entries and self._bytes > goal:
                oldest, entry = self._entries.popitem(last=False)
                if entry.used and spared > 0 and goal:
                    spared -= 1
                    entry.used = False
                    self._entries[oldest] = entry
                else:
                    self._bytes -= entry.size
            return before - self._bytes

    def age(self) -> int:
        """Drop what was not asked for since the call before; bytes dropped."""
        with self._lock:
            before = self._bytes
            kept: OrderedDict[int, _Entry] = OrderedDict()
            size = 0
            for number, entry in self._entries.items():
                if entry.used:
                    entry.used = False
                    kept[number] = entry
                    size += entry.size
            self._entries, self._bytes = kept, size
            return before - size

    def clear(self) -> None:
        """Drop everything; the counts stay."""
        with self._lock:
            self._entries = OrderedDict()
            self._bytes = 0

    def stats(self) -> dict[str, int | float]:
        """``bytes`` (estimated), ``max_bytes``, ``entries``, ``hits``, ``misses``, ``hit_rate`` (0 to 1)."""
        hits, misses = self._hits, self._misses
        return {
            "bytes": self._bytes,
            "max_bytes": self.max_bytes,
            "entries": len(self._entries),
            "hits": hits,
            "misses": misses,
            "hit_rate": hits / (hits + misses) if hits + misses else 0.0,
        }
