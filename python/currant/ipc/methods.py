"""What can be asked of an index: every method, its parameters, and the barrier in front of it.

The one place that turns a question into calls of the service. The socket's server and a process that owns
the index itself both come through `Desk.ask`, so an answer is the same whichever way it came.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Struct

from currant.errors import ClosedError, UsageError
from currant.ipc.client import Answer
from currant.ipc.wire import PROTOCOL
from currant.model import SyncResult
from currant.service import Service

if TYPE_CHECKING:
    from currant import graph

_Kinds = type | tuple[type, ...]


class Method(Struct, frozen=True):
    """One question: the function, its parameters by name with their kinds, and those it cannot do without.

    `syncs` puts the barrier in front; a method without it says what the state is at this moment."""

    run: Callable[["Desk", dict[str, Any]], Any]
    params: Mapping[str, _Kinds]
    required: frozenset[str] = frozenset()
    syncs: bool = True


_MAYBE_TEXT: Final[_Kinds] = (str, type(None))
_MAYBE: Final[_Kinds] = (bool, type(None))


class Desk:
    """Answers questions about one running service. Thread-safe as the service and its query are."""

    def __init__(self, service: Service, *, version: str, live: bool) -> None:
        self.service = service
        self.version = version
        self.live = live

    @cached_property
    def standing(self) -> "graph.Standing":
        """What was judged of the documents, while it holds."""
        from currant import graph

        root = self.service.root
        return graph.Standing(lambda path: "\0" not in path and os.path.lexists(os.path.join(root, path)))

    def ask(self, name: str, params: Mapping[str, Any], sync_ms: int | None) -> Answer:
        """Check, bring the index up to date within `sync_ms` (None: do not), answer.

        The result is plain values: dicts, lists, str, numbers. Raises UsageError, and what the service
        raises.
        """
        method = METHODS.get(name)
        if method is None:
            raise UsageError(f"no method {name!r}; there are: {', '.join(sorted(METHODS))}")
        checked = _check(name, method, params)
        try:
            return self._answer(name, method, dict(checked), sync_ms)
        except ClosedError:
            if not self.service.is_running():
                raise
            # The index was being made anew: its parts are others now.
            return self._answer(name, method, dict(checked), sync_ms)

    def _answer(self, name: str, method: Method, params: dict[str, Any], sync_ms: int | None) -> Answer:
        if not method.syncs or sync_ms is None:
            return Answer(msgspec.to_builtins(method.run(self, params)))
        reached = self._reach(sync_ms / 1_000, None, _paths(name, params))
        # What is degraded is looked at last: what this very question found is part of it.
        return self._told(reached, msgspec.to_builtins(method.run(self, params)))

    def settle(self, budget: float, *, rescan: bool | None = None) -> Answer:
        """The barrier in front of a read: at most `budget` seconds of `Service.sync`.

        Without watches nobody tells of changes after the last scan, so the disk is asked again; `rescan`
        False when a scan has just begun anyway."""
        return self._told(self._reach(budget, rescan, None), None)

    def _reach(self, budget: float, rescan: bool | None, paths: list[str] | None) -> SyncResult:
        """`settle`, of all or of `paths`, without a look at what is degraded."""
        if rescan is None:
            rescan = not self.live and self.service.settings.scheduler.enabled
        if rescan and paths is None:
            self.service.engine.rescan("")
        return self.service.sync(budget, paths)

    def _told(self, reached: SyncResult, result: Any) -> Answer:
        degraded = tuple(self.service.degraded())
        return Answer(result, reached.clock, reached.fresh, tuple(reached.outstanding), degraded)


def _paths(name: str, params: Mapping[str, Any]) -> list[str] | None:
    """The paths that the barrier is for, None for all of them."""
    paths = params.get("paths") if name == "sync" else None
    if paths is None:
        return None
    if not all(isinstance(path, str) for path in paths):
        raise UsageError(f"{name}: paths is a list of texts")
    return list(paths)


def _check(name: str, method: Method, params: Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(params, Mapping):
        raise UsageError(f"{name}: params is an object")
    for key, value in params.items():
        kinds = method.params.get(key)
        if kinds is None:
            raise UsageError(f"{name}: no parameter {key!r}; there are: {', '.join(method.params) or 'none'}")
        # bool is an int in Python, but `limit: true` is a mistake; SQLite counts in 64 bits.
        wrong = not isinstance(value, kinds) or (isinstance(value, bool) and kinds not in (bool, _MAYBE))
        if wrong or (isinstance(value, int) and not -(1 << 63) <= value < 1 << 63):
            raise UsageError(f"{name}: {key} cannot be {value!r}")
    missing = method.required - params.keys()
    if missing:
        raise UsageError(f"{name}: needs {', '.join(sorted(missing))}")
    return dict(params)


def _hello(desk: Desk, _params: dict[str, Any]) -> Any:
    monitor = desk.service.settings.monitor
    return {
        "protocol": PROTOCOL,
        "version": desk.version,
        "pid": os.getpid(),
        "root": os.fspath(desk.service.root),
        "live": desk.live,
        "rules": {
            "ignore_patterns": list(monitor.ignore_patterns),
            "nested_repositories": monitor.nested_repositories,
        },
        "methods": sorted(METHODS),
    }


def _find(desk: Desk, params: dict[str, Any]) -> Any:
    return desk.service.query.find(params.pop("name"), **params)


def _show(desk: Desk, params: dict[str, Any]) -> Any:
    """The view of one file; with `full` also its record in the published shape, of the same moment."""
    view = desk.service.show(params["path"])
    if view is None or not params.get("full"):
        return view
    from currant.record import document

    told = None if view.record is None else document(view.path, view.record)
    return {**msgspec.to_builtins(view), "document": told}


def _files(desk: Desk, params: dict[str, Any]) -> Any:
    return [os.fsdecode(path) for path in desk.service.query.files(params.pop("pattern", None), **params)]


def _rows(desk: Desk, params: dict[str, Any]) -> Any:
    return desk.service.query.rows(params.get("path"))


def _changes(desk: Desk, params: dict[str, Any]) -> Any:
    return desk.service.query.changes(params.get("since"), limit=params.get("limit", 1_000))


def _force(desk: Desk, params: dict[str, Any]) -> Any:
    return desk.service.force_process_file(params["path"])


def _audit(desk: Desk, params: dict[str, Any]) -> Any:
    """One run; with `acknowledge` none, but the end of the notice of what was found before."""
    if params.get("acknowledge"):
        return {"acknowledged": desk.service.acknowledge_drift()}
    run = desk.service.audit(whole=params.get("all", False))
    return msgspec.to_builtins(run)


def _refs(desk: Desk, params: dict[str, Any]) -> Any:
    from currant import graph

    return graph.references(desk.service.query, params["path"])


def _drift(desk: Desk, params: dict[str, Any]) -> Any:
    """`kinds` (absent: all); `ignore` adds to the globs of the settings."""
    from currant import graph

    kinds, ignore = params.get("kinds", []), params.get("ignore", [])
    if not all(isinstance(text, str) for text in (*kinds, *ignore)):
        raise UsageError("drift: kinds and ignore are lists of texts")
    if unknown := sorted(set(kinds) - set(graph.KINDS)):
        raise UsageError(f"drift: no kind {unknown[0]!r}; there are: {', '.join(graph.KINDS)}")
    settings = desk.service.settings.drift
    return desk.standing.drift(
        desk.service.query,
        kinds=kinds,
        ignore=(*settings.ignore, *ignore),
        grace_days=settings.grace_days,
    )


def _ledger(desk: Desk, params: dict[str, Any]) -> Any:
    return desk.service.llm.ledger(max(0, params.get("limit", 100)))


def _task_progress(desk: Desk, params: dict[str, Any]) -> Any:
    from currant import projects

    tasks = params.get("tasks", "none")
    if tasks not in ("none", "open", "all"):
        raise UsageError(f"task_progress: tasks is none, open or all, not {tasks!r}")
    told = projects.task_progress(desk.service.query, params.get("path", ""), tasks=tasks)
    return replace(told, outdated=desk.service.outdated())


def _skills(desk: Desk, _params: dict[str, Any]) -> Any:
    from currant import projects

    return replace(projects.skills(desk.service.query), outdated=desk.service.outdated())


METHODS: Final[dict[str, Method]] = {
    "hello": Method(_hello, {}, syncs=False),
    "ping": Method(lambda _desk, _params: "pong", {}, syncs=False),
    "find": Method(
        _find,
        {
            "name": str,
            "kind": _MAYBE_TEXT,
            "language": _MAYBE_TEXT,
            "exact": bool,
            "path": _MAYBE_TEXT,
            "documentation": _MAYBE,
            "limit": int,
        },
        frozenset({"name"}),
    ),
    "show": Method(_show, {"path": str, "full": bool}, frozenset({"path"})),
    "why": Method(lambda desk, p: desk.service.query.why(p["path"]), {"path": str}, frozenset({"path"})),
    "files": Method(_files, {"pattern": _MAYBE_TEXT, "after": str, "limit": (int, type(None))}),
    "listing": Method(
        lambda desk, p: desk.service.query.listing(**p), {"under": str, "after": str, "limit": int}
    ),
    "refs": Method(_refs, {"path": str}, frozenset({"path"})),
    "drift": Method(_drift, {"kinds": list, "ignore": list}),
    "task_progress": Method(_task_progress, {"path": str, "tasks": str}),
    "skills": Method(_skills, {}),
    "failures": Method(lambda desk, p: desk.service.query.failures(p.get("limit", 100)), {"limit": int}),
    "rows": Method(_rows, {"path": str}),
    "audit": Method(_audit, {"all": bool, "acknowledge": bool}),
    "llm_plan": Method(lambda desk, _p: desk.service.llm.plan(), {}),
    "llm_ledger": Method(_ledger, {"limit": int}, syncs=False),
    "llm_retry": Method(
        lambda desk, p: desk.service.llm.retry(p.get("path")), {"path": _MAYBE_TEXT}, syncs=False
    ),
    "counts": Method(lambda desk, _p: desk.service.query.counts(), {}),
    "changes": Method(_changes, {"since": _MAYBE_TEXT, "limit": int}),
    "status": Method(lambda desk, _p: desk.service.get_status(), {}, syncs=False),
    "progress": Method(lambda desk, _p: desk.service.progress(), {}, syncs=False),
    "sync": Method(lambda _desk, _p: None, {"paths": (list, type(None))}),
    "force_process_file": Method(_force, {"path": str}, frozenset({"path"}), syncs=False),
    "upgrade": Method(lambda desk, p: desk.service.upgrade(p.get("count", 100)), {"count": int}),
    "clear_queue": Method(lambda desk, _p: desk.service.clear_queue(), {}, syncs=False),
}
"""Every method by its name on the wire. ``follow`` streams and belongs to the server."""
