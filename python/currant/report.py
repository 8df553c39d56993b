"""What a service says of itself: everything that is worse than it should be, and what is good to know.

Owns the list of these states, the short name of each and the way out of it. Pure: looks at what it is given
and at nothing else. `docs/status.md` has the list for people; each state stands there, and has a test.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct, field

from currant.model import Degraded

STALLED_SECONDS: Final = 60.0
"""Changes wait, and nothing was committed for so long: something hangs."""

RECENT_SECONDS: Final = 3_600.0
"""How long something that happened and is over is still told of."""


class View(Struct, frozen=True):
    """What is known of a service at one moment. `engine` is the core's status, `waited` for how many seconds
    changes wait without any commit, `overflowed` how many seconds ago events were lost (None: never)."""

    root: str
    source: str = "auto"
    live: bool = True
    enabled: bool = True
    engine: Mapping[str, Any] = field(default_factory=dict)
    engine_error: str | None = None
    rebuilt: str | None = None
    lost: str | None = None
    commits: Degraded | None = None
    failed_files: int = 0
    extractors: Sequence[Mapping[str, Any]] = ()
    shared: str | None = None
    worker_deaths: int = 0
    waited: float = 0.0
    overflowed: float | None = None
    drift: Degraded | None = None
    llm: Sequence[Degraded] = ()
    throttled: Sequence[Degraded] = ()


def degraded(view: View) -> Iterator[Degraded]:
    """Everything that works worse than it should, the gravest first, with the way out."""
    yield from _untrue(view)
    yield from _slower(view)
    yield from _paths(view)
    yield from view.llm
    yield from view.throttled


def _untrue(view: View) -> Iterator[Degraded]:
    """What keeps the whole index from following the disk."""
    if view.engine_error is not None:
        yield Degraded(
            "engine_stopped",
            f"the engine stopped: {view.engine_error}",
            1,
            "start again; the index is as of the last commit",
        )
    if not view.enabled:
        yield Degraded("disabled", "nothing is brought up to date", 1, "set scheduler.enabled to true")
    if view.engine.get("root_missing"):
        yield root_missing(view.root)
    elif view.lost is not None:  # usually the index went with its root
        yield Degraded(
            "index_lost",
            f"the index is being made anew: {view.lost}",
            1,
            "nothing to do, it is tried by itself; if it fails, repair what the message names",
        )
    if view.rebuilt is not None:
        yield Degraded("index_rebuilt", view.rebuilt, 1, "remove the file set aside when you do not need it")
    if view.commits is not None:
        yield view.commits
    elif view.waited >= STALLED_SECONDS:
        yield Degraded(
            "stalled",
            f"changes wait, and for {view.waited:.0f} s nothing was committed",
            int(view.engine.get("pending", 1)),
            "`currant status` names the files in work; if a file system hangs, mend it; else start again",
        )
    if view.drift is not None:
        yield view.drift


def root_missing(root: str) -> Degraded:
    """The state of an index whose root is not there."""
    return Degraded(
        "root_missing",
        f"the root {root} is not there: the rows are as last seen",
        1,
        "put it back, and it is found by itself; if it was renamed, stop the watcher and start it there",
    )


def _slower(view: View) -> Iterator[Degraded]:
    """What is noticed late, because it is looked at now and then instead of being reported."""
    if view.live and view.engine.get("source") == "poll" and view.source != "poll":
        why = view.engine.get("source_problem") or "no inotify instance was to be had"
        yield Degraded(
            "polled",
            f"the whole root is polled: {why}",
            1,
            "raise fs.inotify.max_user_instances (`currant doctor` has the command); it is retried by itself",
        )
    unwatched = int(view.engine.get("unwatched", 0))
    if unwatched:
        named = _some(view.engine.get("unwatched_paths"))
        yield Degraded(
            "unwatched",
            f"directories polled, because they cannot be watched {named}",
            unwatched,
            "raise fs.inotify.max_user_watches or monitor.max_watches; `currant doctor` has the command",
        )
    remote = int(view.engine.get("remote", 0))
    if remote:
        named = _some(view.engine.get("remote_paths"))
        yield Degraded(
            "remote",
            f"directories polled, because the kernel does not report all changes there {named}",
            remote,
            "keep them on a local disk, or ignore them; until then changes are seen when they are polled",
        )


def _paths(view: View) -> Iterator[Degraded]:
    """What concerns single paths."""
    denied = int(view.engine.get("denied", 0))
    if denied:
        yield Degraded(
            "denied",
            f"directories that may not be read {_some(view.engine.get('denied_paths'))}",
            denied,
            "give this user read permission, or ignore them",
        )
    yield from _extractors(view)
    for path, reason in view.engine.get("problems", ()):
        yield Degraded("problem", f"{path or view.root}: {reason}", 1, "repair what the message names")
    if view.failed_files:
        yield Degraded(
            "failed_files",
            "files that could not be indexed",
            view.failed_files,
            "`currant why FILE` has each one's reason",
        )
    if view.worker_deaths:
        yield Degraded(
            "workers_died",
            "workers that died and were replaced",
            view.worker_deaths,
            "report the traceback in the log",
        )


def _extractors(view: View) -> Iterator[Degraded]:
    """Plug-ins that are not used, and extractors whose part is missing from records."""
    # What is switched off is as it should be; a name of nobody is a note.
    refused = [
        one
        for one in view.extractors
        if one["refused"] and one.get("kind") != "setting" and "switched off" not in one["refused"]
    ]
    if refused:
        told = "; ".join(f"{one['name']} of {one['package']}: {one['refused']}" for one in refused[:3])
        yield Degraded(
            "extractors_refused",
            f"extractors that cannot be used: {told}",
            len(refused),
            "repair or uninstall the package, or name it in extract.disabled_extractors",
        )
    failing = [one for one in view.extractors if one["failures"] and one["package"] != "currant"]
    if failing:
        told = "; ".join(f"{one['name']}: {one['last_failure']}" for one in failing[:3])
        yield Degraded(
            "extractors_fail",
            f"records lack the part of an extractor: {told}",
            sum(one["failures"] for one in failing),
            "`currant extractors` has the counts; repair the package and raise its version",
        )


def notes(view: View) -> Iterator[Degraded]:
    """What happened or goes on and takes nothing from the answers, in the same form."""
    if view.overflowed is not None and view.overflowed <= RECENT_SECONDS:
        yield Degraded(
            "overflowed",
            f"the kernel's queue ran over {view.overflowed:.0f} s ago; the whole root was scanned instead",
            int(view.engine.get("overflows", 1)),
            "nothing is missing; raise fs.inotify.max_queued_events if it happens often",
        )
    if view.shared is not None:
        yield Degraded(
            "shared_cache",
            f"results are not shared with other indexes: {view.shared}",
            1,
            "do what the message names, or remove the setting extract.shared_cache",
        )
    nobody = [one["name"] for one in view.extractors if one.get("kind") == "setting"]
    if nobody:
        yield Degraded(
            "extractors_unknown",
            f"settings name extractors that are not installed: {', '.join(nobody[:5])}",
            len(nobody),
            "correct extract.disabled_extractors or extract.options; `currant extractors` has the names",
        )
    if view.engine.get("vcs_busy"):
        yield Degraded("vcs_busy", "a git operation is under way", 1, "nothing to do: it is waited for")


def codes(states: list[Degraded]) -> list[str]:
    """The short form that goes with every answer: each name once, in their order."""
    return list(dict.fromkeys(state.code for state in states))


class Observer:
    """Remembers between two looks what a single look cannot see: since when changes wait, and when the
    kernel's queue last ran over. Times are seconds of a monotonic clock; not thread-safe."""

    def __init__(self) -> None:
        self._waiting_since: float | None = None
        self._overflows = 0
        self._overflowed_at: float | None = None

    def committed(self) -> None:
        """A commit: whatever waits now has not waited for long."""
        self._waiting_since = None

    def look(self, now: float, pending: int, overflows: int) -> tuple[float, float | None]:
        """(seconds since when changes wait without any commit, seconds since the last overflow or None)."""
        if not pending:
            self._waiting_since = None
        elif self._waiting_since is None:
            self._waiting_since = now
        if overflows != self._overflows:
            self._overflows, self._overflowed_at = overflows, now
        waited = 0.0 if self._waiting_since is None else now - self._waiting_since
        return waited, None if self._overflowed_at is None else now - self._overflowed_at


def _some(paths: Any) -> str:
    """A few names in brackets, as an example."""
    named = [repr(path or ".") for path in list(paths or ())[:3]]
    return f"({', '.join(named)})" if named else ""
