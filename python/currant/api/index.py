"""`Index`: what a caller holds. Every answer is typed, and `Index.last` says how fresh it was."""

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

import msgspec

from currant.api.backend import Backend, Own, choose
from currant.config import Settings, load_settings
from currant.errors import (
    ClosedError,
    RootMissingError,
    RootRefusedError,
    ServiceUnreachable,
    SyncTimeout,
)
from currant.ipc.client import Answer, Client

if TYPE_CHECKING:
    from currant.graph import Drift, References
    from currant.model import ChangeRow, Definition, FailureRow, FileView, Freshness, Provenance
    from currant.projects import Skills, TaskProgress
    from currant.record import Document
    from currant.verify import Report, Row

SYNC_MS: Final = 2_000
"""How long a read waits for the index to catch up before it answers from what there is."""

_PAGE: Final = 1_000
_T = TypeVar("_T")


def open_index(
    path: str | os.PathLike[str],
    *,
    flags: Mapping[str, Any] | None = None,
    live: bool = True,
    create: bool = True,
    sync_ms: int = SYNC_MS,
    wide: bool = False,
) -> "Index":
    """Open the index of the directory `path`.

    When another process owns it (a running ``currant watch``), answers come from there; otherwise this
    process owns it until `close`, and with `live` keeps it true while files change. `flags` are settings
    (``{"scheduler.worker_threads": 4}``). `create=False` refuses to start an index that is not there yet
    (NoIndexError); `wide=True` permits ``/`` and home directories (else RootRefusedError). `sync_ms` is
    the budget of each read's barrier. Raises ConfigError, LockedError, StoreError.
    """
    root = Path(path).absolute()
    if not root.is_dir():
        raise RootRefusedError(f"{root} is not a directory")
    if not os.access(root, os.R_OK | os.X_OK):
        raise RootRefusedError(f"{root} may not be read by this user")
    if not wide:
        from currant.plan import refuse_wide_root

        refuse_wide_root(root)
    settings = load_settings(root, flags=flags or {})
    return Index(root, settings, live=live, sync_ms=sync_ms, create=create)


class Index:
    """An open index. Thread-safe; `last`, `clock` and `fresh_instance` belong to the latest answer of any
    thread. Paths in and out are relative to the root, with ``/``."""

    def __init__(
        self,
        root: Path,
        settings: Settings,
        *,
        live: bool = True,
        sync_ms: int = SYNC_MS,
        create: bool = True,
    ) -> None:
        self.root = root
        self.settings = settings
        self.state_dir: Path = settings.state_path(root)
        self.clock: str = ""
        self.fresh_instance: bool = False
        self._live = live
        self._sync_ms = sync_ms
        self._closed = False
        self._choosing = threading.Lock()
        self._backend: Backend = choose(root, settings, live=live, create=create)
        # Imported late, here and below: whoever becomes the owner has the disk read before it imports that.
        from currant.model import Freshness

        self.last: Freshness = Freshness("", False)

    # --- questions ----------------------------------------------------------------------------------------

    def sync(self, timeout: float = 30.0, paths: Iterable[str | os.PathLike[str]] | None = None) -> str:
        """Wait until everything written before this call is in the index; the clock after that.

        With `paths` (from the root unless absolute), look at those alone and wait for nothing else. `timeout`
        in seconds; SyncTimeout has up to 20 of the paths that were not there by then."""
        params = {} if paths is None else {"paths": [os.fspath(path) for path in paths]}
        reached = self._note(self._with_backend(lambda b: b.ask("sync", params, round(timeout * 1_000))))
        if "root_missing" in reached.degraded:
            raise RootMissingError(str(self._backend.owner["root"]))
        if not reached.fresh:
            raise SyncTimeout(reached.outstanding, timeout)
        return reached.clock

    def find(
        self,
        name: str,
        *,
        kind: str | None = None,
        language: str | None = None,
        exact: bool = False,
        path: str | None = None,
        documentation: bool | None = None,
        limit: int = 100,
        sync_ms: int | None = None,
    ) -> "list[Definition]":
        """Definitions whose name contains `name` (is `name`, with `exact`), best match first; then names that
        are nearly it, and those whose documentation has its words, each with a `snippet`.

        `path`: only files that this glob means, as in an ignore file. `documentation`: None to search it when
        no definition has the name itself, True for always, False for never.
        """
        from currant.model import Definition

        params: dict[str, Any] = {"name": name, "kind": kind, "language": language, "exact": exact}
        params |= {"path": path, "documentation": documentation, "limit": limit}
        return self._typed("find", params, list[Definition], sync_ms)

    def show(self, path: str, *, sync_ms: int | None = None) -> "FileView | None":
        """All that the index holds of one file; None when it holds nothing."""
        from currant.model import FileView

        return self._maybe("show", path, FileView, sync_ms)

    def record(self, path: str, *, sync_ms: int | None = None) -> "Document | None":
        """The record of one file in the published shape (docs/record.md): its header, functions, classes and
        what their documentation says. None when the index holds no such file, or could not read it."""
        from currant.record import Document

        view = self.ask("show", {"path": path, "full": True}, sync_ms=sync_ms).result
        told = None if view is None else view["document"]
        return None if told is None else msgspec.convert(told, Document)

    def why(self, path: str, *, sync_ms: int | None = None) -> "Provenance | None":
        """How the row of one file came about; None when there is none."""
        from currant.model import Provenance

        return self._maybe("why", path, Provenance, sync_ms)

    def task_progress(
        self, path: str = "", *, tasks: str = "none", sync_ms: int | None = None
    ) -> "TaskProgress":
        """How much of the task lists in one document, or below one directory, is done. `tasks`: which of them
        to list, ``none``, ``open`` or ``all``."""
        from currant.projects import TaskProgress

        return self._typed("task_progress", {"path": path, "tasks": tasks}, TaskProgress, sync_ms)

    def skills(self, *, sync_ms: int | None = None) -> "Skills":
        """Languages, frameworks, dependencies and tools of the whole tree."""
        from currant.projects import Skills

        return self._typed("skills", {}, Skills, sync_ms)

    def files(
        self,
        pattern: str | None = None,
        *,
        after: str = "",
        limit: int | None = None,
        sync_ms: int | None = None,
    ) -> list[str]:
        """Files kept, in the order of their bytes: all, or those with `pattern` in their path (case aside)
        or, when it has ``*`` or ``?``, those that it means as in an ignore file. At most `limit`, behind the
        path `after`."""
        given: dict[str, Any] = {"pattern": pattern, "after": after or None, "limit": limit}
        # Only what was given: a watcher of an older version does not know them.
        params = {name: value for name, value in given.items() if value is not None}
        return self._typed("files", params, list[str], sync_ms)

    def refs(self, path: str, *, sync_ms: int | None = None) -> "References | None":
        """What one file names, and who names it; None when the index does not hold it."""
        from currant.graph import References

        return self._maybe("refs", path, References, sync_ms)

    def drift(
        self, *, kinds: Iterable[str] = (), ignore: Iterable[str] = (), sync_ms: int | None = None
    ) -> "Drift":
        """What documents and headers say that does not hold; `ignore` adds to ``drift.ignore``."""
        from currant.graph import Drift

        return self._typed("drift", {"kinds": list(kinds), "ignore": list(ignore)}, Drift, sync_ms)

    def failures(self, limit: int = 100, *, sync_ms: int | None = None) -> "list[FailureRow]":
        """Files that exist and could not be indexed, and why."""
        from currant.model import FailureRow

        return self._typed("failures", {"limit": limit}, list[FailureRow], sync_ms)

    def changes(self, since: str | None = None, *, sync_ms: int | None = None) -> "Iterator[ChangeRow]":
        """What changed since a clock (None: everything, as created), oldest first, up to now.

        While iterating, `clock` is the one to go on from; `fresh_instance` is True when `since` is not
        known here and all that there is comes instead."""
        from currant.model import ChangePage

        budget = self._sync_ms if sync_ms is None else sync_ms
        page = self._typed("changes", {"since": since, "limit": _PAGE}, ChangePage, budget)
        self.fresh_instance = page.fresh_instance
        while True:
            for row in page.changes:
                self.clock = row.clock
                yield row
            self.clock = page.clock
            if not page.more:
                return
            # No second barrier: the answer is to what was asked at the start.
            page = self._typed("changes", {"since": page.clock, "limit": _PAGE}, ChangePage, -1)

    def follow(self, since: str | None = None) -> "Follower":
        """Changes from `since` (None: from now) on, without end, each as soon as it is committed."""
        # Also replaces an owner that left, so that there is a socket to connect to.
        self._with_backend(lambda b: b.ask("ping", {}, None))
        if since is None:
            self.ask("sync", {})
            since = self.last.clock
        return Follower(Client.connect(self.state_dir, self.root), since)

    def status(self) -> dict[str, Any]:
        """What the owner is doing; docs/status.md has the keys."""
        result: dict[str, Any] = self._with_backend(lambda b: b.ask("status", {}, None)).result
        return result

    def llm_plan(self, *, sync_ms: int | None = None) -> dict[str, Any]:
        """What extraction by a model would cost: files, calls, tokens, dollars, hours. Nothing is sent for
        it."""
        result: dict[str, Any] = self.ask("llm_plan", {}, sync_ms=sync_ms).result
        return result

    def llm_ledger(self, limit: int = 100) -> dict[str, Any] | None:
        """What a model has cost, and what reuse has saved; up to `limit` contents, the dearest first. None
        when none was ever asked."""
        result: dict[str, Any] | None = self.ask("llm_ledger", {"limit": limit}, sync_ms=-1).result
        return result

    def llm_retry(self, path: str | None = None) -> int:
        """Ask again about what was set apart, all of it or one file's content; how many contents."""
        return int(self.ask("llm_retry", {"path": path}, sync_ms=-1).result)

    def verify(self, *, progress: Callable[[int, int], None] = lambda _done, _total: None) -> "Report":
        """Compare every file on disk, read anew, with every row. `progress(done, total)` in files."""
        from currant.verify import verify

        rules = self._backend.owner["rules"]
        return verify(
            self.root,
            _Rows(self),
            state_dir=self.state_dir,
            ignore_patterns=rules["ignore_patterns"],
            nested_repositories=rules["nested_repositories"],
            progress=progress,
        )

    def ask(self, method: str, params: Mapping[str, Any], *, sync_ms: int | None = None) -> Answer:
        """Any question of `currant.ipc.methods`, in plain values; `sync_ms` as in the other reads."""
        budget = self._sync_ms if sync_ms is None else sync_ms
        answer = self._with_backend(lambda b: b.ask(method, params, None if budget < 0 else budget))
        if answer.clock is not None:
            self._note(answer)
        return answer

    # --- who answers --------------------------------------------------------------------------------------

    @property
    def owner(self) -> Mapping[str, Any]:
        """The process that answers: ``pid``, ``root``, ``live``, ``version``, ``rules``."""
        return self._backend.owner

    @property
    def service(self) -> Any:
        """The running service when this process owns the index, else None."""
        return self._backend.service if isinstance(self._backend, Own) else None

    @property
    def notices(self) -> list[str]:
        """What people should be told of the opening, such as a damaged index that was set aside."""
        return self._backend.notices if isinstance(self._backend, Own) else []

    def close(self) -> None:
        """Let go of the index; an owner stops cleanly. Idempotent."""
        with self._choosing:
            self._closed = True
        self._backend.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _typed(self, method: str, params: Mapping[str, Any], kind: type[_T], sync_ms: int | None) -> _T:
        return msgspec.convert(self.ask(method, params, sync_ms=sync_ms).result, kind)

    def _maybe(self, method: str, path: str, kind: type[_T], sync_ms: int | None) -> _T | None:
        result = self.ask(method, {"path": path}, sync_ms=sync_ms).result
        return None if result is None else msgspec.convert(result, kind)

    def _note(self, answer: Answer) -> "Freshness":
        from currant.model import Freshness

        self.last = Freshness(
            answer.clock or "", answer.fresh, list(answer.outstanding), list(answer.degraded)
        )
        return self.last

    def _with_backend(self, ask: Callable[[Backend], _T]) -> _T:
        """Ask; when the owner is gone, another one (or this process) takes over and is asked once more."""
        backend = self._backend
        if self._closed:
            raise ClosedError(f"the index of {self.root} is closed")
        try:
            return ask(backend)
        except ServiceUnreachable:
            with self._choosing:
                if self._closed:
                    raise
                if self._backend is backend:
                    backend.close()
                    self._backend = choose(self.root, self.settings, live=self._live)
            return ask(self._backend)


class Follower:
    """An endless iterator over the change feed. `close` ends it, from any thread."""

    def __init__(self, client: Client, since: str) -> None:
        self.clock: str = since
        self.fresh_instance: bool = False
        self._client = client
        self._closed = False
        self._rows = self._read(since)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> "ChangeRow":
        """The next change. Raises StopIteration after `close`, ServiceUnreachable when the owner stops."""
        return next(self._rows)

    def close(self) -> None:
        """Hang up. Idempotent."""
        self._closed = True
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def _read(self, since: str) -> "Iterator[ChangeRow]":
        from currant.model import ChangeRow

        try:
            for part in self._client.stream("follow", {"since": since}):
                self.fresh_instance = part["fresh_instance"]
                for row in msgspec.convert(part["part"], list[ChangeRow]):
                    self.clock = row.clock
                    yield row
                self.clock = part["clock"]
        except ServiceUnreachable:
            if not self._closed:
                raise


class _Rows:
    """The index as `verify` wants to see it."""

    def __init__(self, index: Index) -> None:
        self._index = index

    def settle(self) -> bool:
        try:
            self._index.sync(120.0)
        except SyncTimeout:
            return False
        return True

    def rows(self) -> Iterator["Row"]:
        from currant.verify import Row

        for fields in self._index.ask("rows", {}, sync_ms=-1).result:
            yield Row(*fields)

    def row(self, path: str) -> "Row | None":
        from currant.verify import Row

        rows = self._index.ask("rows", {"path": path}, sync_ms=-1).result
        return Row(*rows[0]) if rows else None
