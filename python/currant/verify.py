"""The full differential: every file on disk, read and hashed anew, against every row of the index.

Owns no state and trusts none: it walks and hashes by itself and asks the index only for its rows, so it
finds what the index's own bookkeeping would hide. A tree that is being worked on changes under the
comparison; what looks different is therefore asked again, after a barrier, before it counts.
"""

import errno
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple, Protocol

import xxhash

from currant import _core
from currant.model import MAX_HASHED_BYTES, FileStat, stand_in

ROUNDS: Final = 6
"""How often a difference is asked again before it is reported as one, or as still moving."""

_STILL_LOOKS: Final = 2  # after the first one
_BLOCK: Final = 1 << 20
# Nothing but a regular file of that very name is read, and opening never waits; Windows has none of these.
_FLAGS: Final = sum(
    getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_NOCTTY", "O_BINARY")
)
_TASK: Final = 128  # files a thread takes at a time
_GONE: Final = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP})


class Row(NamedTuple):
    """What the index says of a path: `content` is the hash in hex (None for a file that failed), `state` is
    ``"ok"`` or ``"failed"``, `ctime_ns` that of the version it speaks of (None when that is not known)."""

    path: str
    state: str
    content: str | None
    reason: str | None = None
    ctime_ns: int | None = None


class Rows(Protocol):
    """The index as `verify` sees it."""

    def settle(self) -> bool:
        """Bring the index up to date with the disk; False when it did not get there in its time."""

    def rows(self) -> Iterable[Row]:
        """Every row."""

    def row(self, path: str) -> Row | None:
        """One row, as it is now."""


class Seen(NamedTuple):
    """What the disk says of a path: `content` is None when the file cannot be read (`reason` says why)."""

    content: str | None
    size: int
    ctime_ns: int
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """One path on which disk and index disagree; `kind` is ``missing`` (not in the index), ``extra`` (not on
    disk) or ``different``."""

    path: str
    kind: str
    on_disk: str | None
    in_index: str | None


@dataclass(slots=True)
class Report:
    """The outcome. `ok` is what the exit status says; `failed` and `unreadable` are known states of single
    paths, not differences. `moving` changed in every round: busy, not wrong."""

    files: int = 0
    bytes: int = 0
    differences: list[Difference] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)
    unreadable: list[tuple[str, str]] = field(default_factory=list)
    moving: list[str] = field(default_factory=list)
    settled: bool = True

    @property
    def ok(self) -> bool:
        """No difference, and the index said itself that it was up to date."""
        return not self.differences and self.settled


def verify(
    root: Path,
    index: Rows,
    *,
    state_dir: Path,
    ignore_patterns: Iterable[str] = (),
    nested_repositories: bool = True,
    threads: int = 2,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Report:
    """Compare. `progress(done, total)` in files, on the calling thread. Raises OSError without a root."""
    report = Report(settled=index.settle())
    rows = {row.path: row for row in index.rows()}
    patterns = list(ignore_patterns)

    def walk() -> tuple[set[str], list[tuple[str, str]]]:
        walked, _directories, unreadable = _core.walk(
            os.fspath(root),
            state_dir=os.fspath(state_dir),
            ignore_patterns=patterns,
            nested_repositories=nested_repositories,
        )
        return {file.path for file in walked}, unreadable

    kept, report.unreadable = walk()
    base = os.fspath(root)
    doubtful = rows.keys() - kept
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(max_workers=threads, thread_name_prefix="currant-verify") as pool:
        paths = sorted(kept)
        blocks = [paths[at : at + _TASK] for at in range(0, len(paths), _TASK)]
        done = 0
        for block, found in zip(
            blocks, pool.map(lambda block: [look(base, p) for p in block], blocks), strict=True
        ):
            for path, seen in zip(block, found, strict=True):
                if seen is not None:
                    report.files += 1
                    report.bytes += seen.size
                if not agrees(rows.get(path), seen):
                    doubtful.add(path)
            done += len(block)
            progress(done, len(paths))
    if doubtful:
        _ask_again(report, base, index, doubtful, lambda: walk()[0])
    for path, row in rows.items():
        if row.state != "ok":
            report.failed.append((path, row.reason or "unknown"))
    report.failed.sort()
    return report


def agrees(row: Row | None, seen: Seen | None) -> bool:
    """Whether the index is right about one path. A failure on record is right as long as it speaks of the
    version that is there now; one that outlived the version it spoke of is silently stale."""
    if row is None or seen is None:
        return row is None and seen is None
    if row.state != "ok":
        return seen.content is None or (row.ctime_ns or 0) <= 0 or row.ctime_ns == seen.ctime_ns
    return row.content == seen.content


class _Doubt(NamedTuple):
    """A path that disagreed: what was seen of it on both sides, and in how many looks since nothing moved."""

    evidence: object
    stood: int


def _ask_again(
    report: Report,
    base: str,
    index: Rows,
    doubtful: Iterable[str],
    walk: Callable[[], set[str]],
) -> None:
    """Settle, look and compare until every doubtful path agreed once, or disagreed while standing still.

    Standing still takes three equal looks: between the first and the last of them lie a whole barrier and a
    reading of the row, so a row that disagrees then cannot be one that is merely on its way."""
    left: dict[str, _Doubt | None] = dict.fromkeys(doubtful)
    for _round in range(ROUNDS):
        report.settled = index.settle()
        kept = walk()
        asked, left = left, {}
        for path, before in sorted(asked.items()):
            seen = look(base, path) if path in kept else None
            # That nothing is there proves little: it may have come and gone. Then its directory changed.
            evidence = (seen or _change_time(base, path), row := index.row(path))
            if agrees(row, seen):
                continue
            still = before is not None and report.settled and before.evidence == evidence
            stood = before.stood + 1 if before is not None and still else 0
            if stood >= _STILL_LOOKS:
                report.differences.append(_difference(path, row, seen))
            else:
                left[path] = _Doubt(evidence, stood)
        if not left:
            return
    report.moving = sorted(left)


def _change_time(base: str, path: str) -> int | None:
    """ctime of the deepest directory above `path` that exists; None without a root."""
    parent = os.path.dirname(os.path.join(base, path))
    while len(parent) >= len(base):
        try:
            return os.lstat(parent).st_ctime_ns
        except OSError:
            parent = os.path.dirname(parent)
    return None


def _difference(path: str, row: Row | None, seen: Seen | None) -> Difference:
    kind = "missing" if row is None else "extra" if seen is None else "different"
    on_disk = None if seen is None else seen.content or f"unreadable: {seen.reason}"
    in_index = None if row is None else row.content or f"{row.state}: {row.reason}"
    return Difference(path, kind, on_disk, in_index)


def look(base: str, path: str) -> Seen | None:
    """Read and hash one file as it is now; None when no regular file is there."""
    try:
        handle = os.open(os.path.join(base, path), os.O_RDONLY | _FLAGS)
    except OSError as error:
        if error.errno in _GONE:
            return None
        return Seen(None, 0, 0, error.strerror or str(error))
    try:
        found = os.fstat(handle)
        if found.st_mode & 0o170000 != 0o100000:
            return None
        if found.st_size > MAX_HASHED_BYTES:
            stat = FileStat(found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)
            return Seen(stand_in(stat).hex(), found.st_size, found.st_ctime_ns)
        digest = xxhash.xxh3_128()
        while block := os.read(handle, _BLOCK):
            digest.update(block)
        return Seen(digest.hexdigest(), found.st_size, found.st_ctime_ns)
    except OSError as error:
        return Seen(None, 0, 0, error.strerror or str(error))
    finally:
        os.close(handle)
