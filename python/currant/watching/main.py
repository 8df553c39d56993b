"""`watch` and `awatch`: the loop that turns the batches of a `RustNotify` into sets for the caller.

The messages go to the logger ``watchfiles.main``, so that what a program says about it holds here too.
"""

import logging
import warnings
from collections.abc import AsyncGenerator, Callable, Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, TypedDict, Unpack, overload

import anyio
from watchfiles import Change, DefaultFilter
from watchfiles.main import FileChange

from currant import offloop
from currant.watching import environment
from currant.watching.fold import Renamed
from currant.watching.notify import DEBOUNCE_MS, STEP_MS, AbstractEvent, Answer, RustNotify

if TYPE_CHECKING:
    import asyncio
    import threading

    import trio

    AnyEvent = anyio.Event | asyncio.Event | trio.Event | threading.Event

logger = logging.getLogger("watchfiles.main")

Filter = Callable[[Change, str], bool]
_DEFAULT: Final = DefaultFilter()


class _Options(TypedDict, total=False):
    watch_filter: Filter | None
    debounce: int
    step: int
    yield_on_timeout: bool
    debug: bool | None
    force_polling: bool | None
    poll_delay_ms: int
    recursive: bool
    ignore_permission_denied: bool | None
    gitignore: bool


class WatchOptions(_Options, total=False):
    """The keyword arguments of `watch`, without `renames`."""

    stop_event: AbstractEvent | None
    rust_timeout: int
    raise_interrupt: bool


class AwatchOptions(_Options, total=False):
    """The keyword arguments of `awatch`, without `renames`."""

    stop_event: "AnyEvent | None"
    rust_timeout: int | None
    raise_interrupt: bool | None


@overload
def watch(
    *paths: Path | str, renames: Literal[False] = False, **options: Unpack[WatchOptions]
) -> Generator[set[FileChange], None, None]: ...
@overload
def watch(
    *paths: Path | str, renames: Literal[True], **options: Unpack[WatchOptions]
) -> Generator[set[FileChange | Renamed], None, None]: ...
def watch(
    *paths: Path | str,
    watch_filter: Filter | None = _DEFAULT,
    debounce: int = DEBOUNCE_MS,
    step: int = STEP_MS,
    stop_event: AbstractEvent | None = None,
    rust_timeout: int = 5_000,
    yield_on_timeout: bool = False,
    debug: bool | None = None,
    raise_interrupt: bool = True,
    force_polling: bool | None = None,
    poll_delay_ms: int = 300,
    recursive: bool = True,
    ignore_permission_denied: bool | None = None,
    gitignore: bool = False,
    renames: bool = False,
) -> Generator[Any, None, None]:
    """Watch directories and files, and yield a set of ``(Change, path)`` whenever something changed there.

    As `watchfiles.watch`, argument for argument; docs/moving.md says what is different. A path is in a set
    at most once. Two arguments are added: with `gitignore`, what git ignores is neither watched nor told of;
    with `renames`, a path that moved is told as one ``Renamed(old, new)`` in place of a deleted and an added
    one, if the filter passes both.

    `step`: milliseconds for which a path must be quiet; `debounce`: the longest that a change is held back;
    `rust_timeout`: milliseconds without a change after which an empty set is yielded, if `yield_on_timeout`.
    Raises FileNotFoundError for a path that is not there, PermissionError for a directory that may not be
    read (unless `ignore_permission_denied`), KeyboardInterrupt on Ctrl-C (unless ``raise_interrupt=False``;
    then it ends), RuntimeError in a process forked from the one that began to watch.
    """
    watching = _watcher(
        paths,
        *(debug, force_polling, poll_delay_ms, recursive, ignore_permission_denied),
        **_added(step, debounce, gitignore, renames),
    )
    with watching() as watcher:
        while True:
            answer = watcher.watch(debounce, step, rust_timeout, stop_event)
            if answer == "stop":
                return
            if answer == "signal":
                if raise_interrupt:
                    raise KeyboardInterrupt
                logger.warning("KeyboardInterrupt caught, stopping watch")
                return
            changes = _changes(answer, watch_filter)
            if changes or (changes is None and yield_on_timeout):
                yield changes or set()


@overload
def awatch(
    *paths: Path | str, renames: Literal[False] = False, **options: Unpack[AwatchOptions]
) -> AsyncGenerator[set[FileChange], None]: ...
@overload
def awatch(
    *paths: Path | str, renames: Literal[True], **options: Unpack[AwatchOptions]
) -> AsyncGenerator[set[FileChange | Renamed], None]: ...
async def awatch(
    *paths: Path | str,
    watch_filter: Filter | None = _DEFAULT,
    debounce: int = DEBOUNCE_MS,
    step: int = STEP_MS,
    stop_event: "AnyEvent | None" = None,
    rust_timeout: int | None = None,
    yield_on_timeout: bool = False,
    debug: bool | None = None,
    raise_interrupt: bool | None = None,
    force_polling: bool | None = None,
    poll_delay_ms: int = 300,
    recursive: bool = True,
    ignore_permission_denied: bool | None = None,
    gitignore: bool = False,
    renames: bool = False,
) -> AsyncGenerator[Any, None]:
    """As `watch`, for ``async for`` under asyncio and trio.

    Cancelling ends it within a twentieth of a second, sets `stop_event`, and leaves no thread behind. Ctrl-C
    is for whoever runs the event loop; `raise_interrupt` counts for nothing and warns.
    """
    if raise_interrupt is not None:
        warnings.warn(
            "raise_interrupt is deprecated, KeyboardInterrupt will cause this coroutine to be cancelled and "
            "then be raised by the top level asyncio.run call or equivalent, and should be caught there.",
            DeprecationWarning,
            stacklevel=2,
        )
    stop: AnyEvent = anyio.Event() if stop_event is None else stop_event
    timeout = environment.async_timeout(rust_timeout)
    watching = _watcher(
        paths,
        *(debug, force_polling, poll_delay_ms, recursive, ignore_permission_denied),
        **_added(step, debounce, gitignore, renames),
    )
    with await offloop.finish(watching, cancel=stop.set, undo=RustNotify.close) as watcher:
        while True:
            # The group gives what is raised in the thread the shape that watchfiles gives it.
            async with anyio.create_task_group():
                answer = await offloop.finish(
                    lambda: watcher.watch(debounce, step, timeout, stop), cancel=stop.set
                )
            if answer == "stop":
                return
            if answer == "signal":
                raise RuntimeError("watch thread unexpectedly received a signal")
            changes = _changes(answer, watch_filter)
            if changes or (changes is None and yield_on_timeout):
                yield changes or set()


def _added(step: int, debounce: int, gitignore: bool, renames: bool) -> dict[str, Any]:
    """What is not watchfiles' own default: the rest is called exactly as it calls."""
    asked = {"quiet_ms": step, "max_delay_ms": debounce, "gitignore": gitignore, "renames": renames}
    usual = {"quiet_ms": STEP_MS, "max_delay_ms": DEBOUNCE_MS, "gitignore": False, "renames": False}
    return {name: value for name, value in asked.items() if value != usual[name]}


def _watcher(
    paths: tuple[Path | str, ...],
    debug: bool | None,
    force_polling: bool | None,
    poll_delay_ms: int,
    recursive: bool,
    ignore_permission_denied: bool | None,
    **added: Any,
) -> Callable[[], RustNotify]:
    arguments = (
        [str(path) for path in paths],
        environment.debug(debug),
        environment.force_polling(force_polling),
        environment.poll_delay_ms(poll_delay_ms),
        recursive,
        environment.ignore_permission_denied(ignore_permission_denied),
    )
    return lambda: RustNotify(*arguments, **added)


def _changes(answer: Answer, watch_filter: Filter | None) -> set[FileChange | Renamed] | None:
    """What passes the filter; None at a timeout."""
    if isinstance(answer, str):
        if answer == "timeout":
            logger.debug("rust notify timeout, continuing")
        return None
    changes: set[FileChange | Renamed] = set()
    for item in answer:
        if not isinstance(item, Renamed):
            told = (Change(item[0]), item[1])
            if watch_filter is None or watch_filter(*told):
                changes.add(told)
            continue
        deleted, added = (Change.deleted, item.old), (Change.added, item.new)
        passed = [told for told in (deleted, added) if watch_filter is None or watch_filter(*told)]
        changes.update([item] if len(passed) == 2 else passed)
    if not changes:
        logger.debug("all changes filtered out, raw_changes=%s", answer)
    elif logger.isEnabledFor(logging.DEBUG):
        logger.debug("%d change%s detected: %s", len(changes), "" if len(changes) == 1 else "s", changes)
    else:
        logger.info("%d change%s detected", len(changes), "" if len(changes) == 1 else "s")
    return changes
