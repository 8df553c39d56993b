"""The native core: watching, filtering, debouncing, scanning and outlining.

Paths cross this boundary relative to the root, with ``/`` between components, as ``str`` with
``surrogateescape`` for bytes that are not UTF-8 (``os.fsencode`` gives the bytes back). Times are
nanoseconds since the Unix epoch; durations are seconds. Every wait releases the GIL.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final, Literal, Self, final

__version__: Final[str]

class CoreError(RuntimeError):
    """The engine stopped and cannot go on; the message says why."""

class UnsureError(ValueError):
    """A scanner alone was to read a source (`means` is ``scan``), and it is not sure of what it found."""

class WatchLimitError(OSError):
    """The kernel refused another watch; the message names the setting to raise."""

@final
class Change:
    """One path (or, for directories, one subtree) that must be brought up to date."""

    @property
    def ticket(self) -> int:
        """Opaque; give it back in `Ack`."""
    @property
    def kind(self) -> str:
        """``"created"``, ``"modified"``, ``"deleted"`` or ``"renamed"``."""
    @property
    def path(self) -> str:
        """Relative to the root."""
    @property
    def old_path(self) -> str | None:
        """Where it was before, for ``"renamed"``."""
    @property
    def is_dir(self) -> bool:
        """True for a whole subtree: ``"deleted"`` means the path itself and every path below;
        ``"renamed"`` means that
        every row below `old_path` moves to `path` with nothing read."""
    @property
    def attempts(self) -> int:
        """How many times this path has failed before."""
    @property
    def cause(self) -> str:
        """What made it dirty: ``"event"``, ``"scan"``, ``"retry"`` or ``"request"``."""

@final
class Bell:
    """Rings when one of several engines has something to hand out. One thread waits for it."""

    def __new__(cls) -> Bell: ...
    def wait(self, timeout: float) -> bool:
        """True as soon as it rings, or rang since the last wait."""
    def ring(self) -> None: ...

@final
class Engine:
    """Watches one root and says, in debounced batches, which paths to bring up to date.

    A path counts as done only when its ticket was given back to `ack`, after the commit.
    """

    def __new__(
        cls,
        root: str,
        *,
        state_dir: str,
        quiet_ms: int = 100,
        max_delay_ms: int = 2000,
        ignore_patterns: Sequence[str] = ...,
        source: str = "auto",
        poll_interval_ms: int = 2000,
        max_queue: int = 1000,
        in_hand: int = 0,
        nested_repositories: bool = True,
        max_watches: int | None = None,
        live: bool = True,
        poll_file_systems: Sequence[str] = ...,
        witness: bool = False,
        recursive: bool = True,
        rules: bool = True,
        bell: Bell | None = None,
    ) -> Engine:
        """`source`: ``auto``, ``inotify``, ``notify``, ``poll``; `live=False`: scan once, watch nothing.

        What lies on a file system of one of the types `poll_file_systems` is polled as well as watched.
        `witness`: watch without an index. What the first scan finds is known, and directories, links and
        devices are told of too; use `armed` and `take`. `recursive=False`: nothing below the root's own
        entries. `rules=False`: no rule file is read and `ignore_patterns` count for nothing."""
    def load(self, rows: Iterable[tuple[bytes, int, int, int, int, int]] | Iterable[bytes]) -> int:
        """Rows of the index: (path, size, mtime_ns, ctime_ns, ino, attempts), or many of them in one bytes
        object: ``size mtime_ns ctime_ns ino attempts path``, each with a NUL behind it. A row with
        ``attempts > 0`` failed last time and is tried again. Returns their number; ValueError, and nothing is
        loaded, when one is not in this shape."""
    def start(self, *, rows_later: bool = False) -> None:
        """Start the threads: watch, list, compare with the loaded rows.

        With `rows_later`, nothing is handed out until `load` is called, once: the disk is read while the
        caller reads the index."""
    def stop(self) -> None:
        """Stop the threads; `next_batch` returns None from now on. Idempotent."""
    def next_batch(self, max_changes: int, timeout: float) -> list[Change] | None:
        """The next changes, oldest first; ``[]`` at the timeout, ``None`` when stopped.

        Raises CoreError when the engine failed."""
    def armed(self, timeout: float) -> bool:
        """Wait for the end of the first scan; whatever happens after it is told. False at the timeout."""
    def take(
        self, max_changes: int, timeout: float, shown: str | None = None
    ) -> list[tuple[str, list[str], str | None, list[str]]] | None:
        """For a `witness`: the next changes, done with by being taken; None when stopped.

        Each: (kind, paths, old path, and for a subtree that was deleted or renamed what was known below it,
        relative to it). Paths that were created or modified come many at a time, others alone. They begin
        with `shown`, or are relative to the root."""
    def wait(self, timeout: float) -> bool:
        """True as soon as a batch is ready."""
    def ack(self, done: Sequence[tuple[int, str, int, int, int, int, float]]) -> None:
        """Give tickets back: (ticket, outcome, size, mtime_ns, ctime_ns, ino, retry_seconds).

        outcome: ``"done"`` (committed as this stat), ``"gone"`` (no such path, row removed),
        ``"failed"`` (failure committed; tried again after retry_seconds, never if negative),
        ``"again"`` (it changed while being read: queue it again)."""
    def sync(self, timeout: float, paths: Sequence[str] | None = None) -> list[str] | None:
        """Wait until everything written before this call has been acked. With `paths`, look at those alone
        and wait for nothing else.

        None when it is; otherwise, at the timeout, up to 20 of the paths outstanding."""
    def touch(self, path: str) -> bool:
        """Queue a path, due at once, whether or not it changed; False when the rules ignore it."""
    def rescan(self, path: str = ...) -> None:
        """Scan this subtree and compare it with the tree."""
    def clear(self) -> int:
        """Forget what is pending (returns how many) and mark the tree not fresh until the next scan,
        which finds what was forgotten again."""
    def flush(self) -> None:
        """Make everything that waits for its quiet period due now."""
    def queued(self) -> int:
        """Changes that wait for a worker."""
    def pending(self) -> int:
        """Changes not yet acked: queued, in flight, or waiting for their quiet period."""
    def status(self) -> dict[str, Any]:
        """A snapshot: see `docs/status.md` for its keys."""

@final
class Walked:
    """One kept regular file of a walk."""

    @property
    def path(self) -> str: ...
    @property
    def size(self) -> int: ...
    @property
    def mtime_ns(self) -> int: ...
    @property
    def ctime_ns(self) -> int: ...
    @property
    def ino(self) -> int: ...

def walk(
    root: str,
    *,
    state_dir: str,
    ignore_patterns: Sequence[str] = ...,
    nested_repositories: bool = True,
) -> tuple[list[Walked], int, list[tuple[str, str]]]:
    """Kept files, number of kept directories, and (path, reason) of what could not be read."""

@final
class Directory:
    """A directory below which files are read, each in one go, without following any link.

    Raises OSError when it cannot be opened, and where such reading is not possible."""

    def __new__(cls, path: str) -> Self: ...
    def read(
        self, path: str, limit: int
    ) -> tuple[tuple[int, int, int, int], bytes | None] | Literal[False] | None:
        """(size, mtime_ns, ctime_ns, ino) and the content; the content is None when the file is larger than
        `limit` bytes. False when it changed meanwhile, None when it is no regular file. Raises OSError."""

    def read_some(
        self, paths: Sequence[str], room: int
    ) -> list[tuple[int, int, int, int, int, bytes] | Literal[False] | int | None]:
        """One path after the other until their contents have `room` bytes: for each that was looked at, at
        least one, (size, mtime_ns, ctime_ns, ino, ns since the call when it had been read, content); False
        when it is to be read alone (it has more than `room` bytes, or changed meanwhile), None when it is no
        regular file, the kernel's number when it failed."""

def outline(language: str, source: bytes, means: str = "either") -> bytes:
    """Definitions of a source text as JSON, ``{"partial": str|null, "symbols": [...]}``, in source order;
    `partial` says why there may be more of them.

    Each: ``{"name", "kind", "parent": str|null, "start", "end", "signature", "doc"}`` with 1-based
    inclusive lines. `means`: ``scan``, by a scanner alone; ``parse``, by a grammar if there is one;
    ``either``, by a scanner, and by a grammar where that is not sure. Raises UnsureError (``scan`` only), and
    ValueError for a language not in `languages()`."""

def examine(
    language: str,
    source: bytes,
    header: bool,
    links: bool,
    piece_symbols: int,
    pieces: int,
    means: str = "either",
) -> tuple[list[tuple[bytes, str | None, str | None]], int, list[tuple[str, str, int, bool]]] | None:
    """The whole record of an ordinary source: its pieces as `currant.model.Packed` has them (at most
    `pieces`, each of `piece_symbols` definitions but the last), the number of definitions, the references.
    `header` and `links`: whether those parts are wanted. None when the record is to be made in Python.

    A language without an outline has no definitions. `means` and UnsureError as for `outline`. Raises
    ValueError when a definition is misplaced."""

def examine_many(
    asked: Sequence[tuple[str, bytes, bool, bool]], piece_symbols: int, pieces: int
) -> list[
    tuple[list[tuple[bytes, str | None, str | None]], int, list[tuple[str, str, int, bool]]]
    | Literal[False]
    | None
]:
    """`examine` for each (language, source, header, links), by scanners alone. False: to be asked for alone,
    because a scanner is not sure, or because of whatever `examine` says then."""

def rest_thread() -> None:
    """Give back the memory that the calling thread keeps for the next file that it reads or packs."""

def has_mode_words(head: bytes) -> bool:
    """Whether a line in it may tell an editor the language."""

def header_language(head: bytes) -> Literal["c", "cpp", "objective-c"]:
    """In which language a header is written that begins so."""

def is_objective_c(head: bytes) -> bool:
    """Whether a source that begins so holds what only Objective-C has."""

def pack_piece(text: bytes) -> bytes:
    """The stored form of the JSON of a piece of a record."""

def open_piece(stored: bytes) -> bytes:
    """The JSON of a stored piece, of whatever version. Raises ValueError when the bytes are damaged."""

def select(
    stored: bytes, lines: Sequence[str], kind: str | None = None, language: str | None = None
) -> bytes | None:
    """Of a stored piece those definitions that can be of this kind and have one of these texts in the name,
    as the JSON of a piece without the others and without notes, facts, header and references; None when there
    are none, or it is in another language.

    All texts are folded; in `lines` a newline stands for where a name begins or ends. What is not plain ASCII
    is always kept: the caller verifies. Raises ValueError when the bytes are damaged."""

def leading_comments(language: str, source: bytes) -> list[tuple[str, int, int, str]]:
    """The comments that a source begins with: text, first and last line, marker; a docstring comes last."""

def comment_header(language: str, source: bytes, first: int) -> tuple[str, int, int, str] | None:
    """What those say about the file: ``docstring`` or ``comment``, first and last line, intent. `first` is
    the line of the first definition, 0 without any."""

def code_references(
    language: str, source: bytes, docs: Sequence[tuple[str, int, int]]
) -> list[tuple[str, str, int, bool]]:
    """(kind, target, line, quiet) of what a source includes and what its doc comments mention; `docs` has the
    text, and the first and last line of the definition, of each."""

def backticked(text: str) -> tuple[str, str] | None:
    """The kind (``path``, ``name``) and the target of a text in backticks."""

def has_ending(path: str) -> bool:
    """Whether the last component ends like the name of a file."""

def comment_languages() -> list[str]:
    """The languages that have comments."""

def languages(exact: Sequence[str] | None = None) -> list[tuple[str, str]]:
    """(language, version of its outliner); the version changes whenever its output may. `exact`: languages
    of which every source is parsed, none scanned."""

def parsed_languages() -> list[str]:
    """Those of `languages` that a parser reads, at least where a scanner is not sure. Nothing can
    interrupt one of its operations."""

def scanned_languages() -> list[str]:
    """Those that a scanner reads first, and a parser where that is not sure."""

def virtual_file_systems() -> list[str]:
    """Types of file systems that hold no files of anybody's (``proc``); a root on one is refused."""

def lib_features() -> list[str]:
    """Names of the optional parts that were compiled in."""
