"""`currant.watch` and `currant.awatch` as a program uses them."""

import asyncio
import inspect
import logging
import os
import re
import signal
import threading
import typing
from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio
import pytest
import trio
import watchfiles

import currant
from currant import watching
from currant.watching import Change, Renamed, awatch, watch
from currant.watching.main import AwatchOptions, WatchOptions

Run = Callable[[Callable[[], Awaitable[None]]], None]


def on_asyncio(main: Callable[[], typing.Any]) -> None:
    asyncio.run(main())


def on_trio(main: Callable[[], typing.Any]) -> None:
    trio.run(main)


@pytest.fixture(params=[on_asyncio, on_trio])
def run(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Run:
    # Trio keeps a thread that has ended its work for ten seconds; here nobody waits for that.
    monkeypatch.setattr("trio._core._thread_cache.IDLE_TIMEOUT", 0.01)
    chosen: Run = request.param
    return chosen


@pytest.mark.parametrize("name", ["watch", "awatch", "run_process", "arun_process"])
def test_the_arguments_and_defaults_of_watchfiles(name: str) -> None:
    theirs = inspect.signature(getattr(watchfiles, name)).parameters
    ours = inspect.signature(getattr(currant, name)).parameters
    assert list(ours)[: len(theirs)] == list(theirs)
    for argument, parameter in theirs.items():
        assert ours[argument].kind == parameter.kind
        if argument == "watch_filter":
            assert type(ours[argument].default) is watchfiles.DefaultFilter
        else:
            assert ours[argument].default == parameter.default, argument
    assert {*ours} - {*theirs} <= {"gitignore", "renames"}


def test_the_typed_options_are_the_arguments() -> None:
    for function, options in ((watch, WatchOptions), (awatch, AwatchOptions)):
        arguments = {*inspect.signature(function).parameters} - {"paths", "renames"}
        assert arguments == {*options.__annotations__}
        assert len(typing.get_overloads(function)) == 2


def test_the_filters_are_those_of_watchfiles() -> None:
    for name in ("Change", "BaseFilter", "DefaultFilter", "PythonFilter"):
        assert getattr(watching, name) is getattr(watchfiles, name)


def test_a_users_filter(tmp_path: Path) -> None:
    class Web(watchfiles.DefaultFilter):
        def __call__(self, change: Change, path: str) -> bool:
            return super().__call__(change, path) and path.endswith(".html")

    stop = threading.Event()
    changes = watch(
        tmp_path, step=5, watch_filter=Web(), stop_event=stop, rust_timeout=1, yield_on_timeout=True
    )
    assert next(changes) == set()
    (tmp_path / "page.html").touch()
    (tmp_path / "notes.txt").touch()
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules" / "page.html").touch()
    while not (found := next(changes)):
        pass
    assert found == {(Change.added, str(tmp_path / "page.html"))}
    stop.set()
    assert list(changes) == []


def test_a_rename_of_which_the_filter_passes_one_half(tmp_path: Path) -> None:
    for name in ("a.py", "b.py", "c.txt", "d.txt"):
        (tmp_path / name).touch()
    only = watchfiles.PythonFilter()
    changes = watch(tmp_path, step=5, watch_filter=only, renames=True, rust_timeout=1, yield_on_timeout=True)
    assert next(changes) == set()
    (tmp_path / "a.py").rename(tmp_path / "a2.py")
    (tmp_path / "b.py").rename(tmp_path / "b.txt")
    (tmp_path / "c.txt").rename(tmp_path / "c.py")
    (tmp_path / "d.txt").rename(tmp_path / "e.txt")
    expected = {
        Renamed(str(tmp_path / "a.py"), str(tmp_path / "a2.py")),
        (Change.deleted, str(tmp_path / "b.py")),
        (Change.added, str(tmp_path / "c.py")),
    }
    found = set[typing.Any]()
    while found != expected:
        found |= next(changes)
        assert found <= expected
    changes.close()


def test_what_git_ignores(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("*.log\n")
    changes = watch(
        tmp_path, step=5, gitignore=True, watch_filter=None, rust_timeout=1, yield_on_timeout=True
    )
    assert next(changes) == set()
    (tmp_path / "a.log").touch()
    (tmp_path / "a.py").touch()
    while not (found := next(changes)):
        pass
    assert found == {(Change.added, str(tmp_path / "a.py"))}
    changes.close()


def test_awatch(run: Run, tmp_path: Path) -> None:
    found: list[object] = []

    async def main() -> None:
        stop = anyio.Event()
        async for changes in awatch(tmp_path, step=5, stop_event=stop, rust_timeout=1, yield_on_timeout=True):
            if changes:
                found.append(changes)
                stop.set()
            else:
                (tmp_path / "new").touch()

    run(main)
    assert found == [{(Change.added, str(tmp_path / "new"))}]


def test_awatch_cancelled_while_it_waits(run: Run, tmp_path: Path) -> None:
    """Without the look at the stop event this would hang: nothing changes and there is no timeout."""
    stop = threading.Event()

    async def main() -> None:
        waiting = anyio.Event()

        async def wait() -> None:
            changes = awatch(tmp_path, rust_timeout=0, stop_event=stop)
            waiting.set()
            async for _ in changes:
                raise AssertionError("nothing changed")

        async with anyio.create_task_group() as group:
            group.start_soon(wait)
            await waiting.wait()
            await anyio.sleep(0)
            group.cancel_scope.cancel()

    run(main)
    assert stop.is_set()


def test_awatch_left_by_break_and_by_an_error(run: Run, tmp_path: Path) -> None:
    async def main() -> None:
        changes = awatch(tmp_path, rust_timeout=1, yield_on_timeout=True)
        async for _ in changes:
            break
        await changes.aclose()
        changes = awatch(tmp_path, rust_timeout=1, yield_on_timeout=True)
        await anext(changes)
        with pytest.raises(ZeroDivisionError):
            await changes.athrow(ZeroDivisionError())

    run(main)


def test_many_awatch_at_a_time_leave_threads_for_others(run: Run, tmp_path: Path) -> None:
    """anyio lends 40 threads by default; a watch that took one of them for good would starve the rest."""
    done: list[int] = []

    async def main() -> None:
        async with anyio.create_task_group() as group:

            async def one() -> None:
                async for _ in awatch(tmp_path, rust_timeout=0):
                    raise AssertionError("nothing changed")

            for _ in range(45):
                group.start_soon(one)
            done.append(await anyio.to_thread.run_sync(os.getpid))
            group.cancel_scope.cancel()

    run(main)
    assert done == [os.getpid()]


def test_awatch_of_what_is_not_there(run: Run, tmp_path: Path) -> None:
    async def main() -> None:
        with pytest.raises(FileNotFoundError):
            async for _ in awatch(tmp_path / "missing"):
                pass

    run(main)


def test_the_logger_of_watchfiles(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "watchfiles.main")
    changes = watch(tmp_path, step=5, rust_timeout=1, yield_on_timeout=True)
    next(changes)
    (tmp_path / "new").touch()
    while not next(changes):
        pass
    changes.close()
    assert caplog.messages == ["1 change detected"]


def test_run_process(tmp_path: Path) -> None:
    """watchfiles' own, started again by a change that our `watch` told of."""
    starts, seen = tmp_path / "starts", tmp_path / "seen"
    seen.mkdir()
    told = threading.Event()

    def changed(changes: set[tuple[Change, str]]) -> None:
        assert {path for _, path in changes} == {str(seen / "new")}
        told.set()
        raise KeyboardInterrupt

    def write() -> None:
        while not told.is_set():  # it says nowhere from when on it watches
            (seen / "new").touch()
            told.wait(0.01)

    writer = threading.Thread(target=write)
    writer.start()
    usual = signal.getsignal(signal.SIGTERM)  # it sets one and leaves it
    with pytest.raises(KeyboardInterrupt):
        currant.run_process(seen, target=f"touch {starts}", target_type="command", callback=changed, step=5)
    signal.signal(signal.SIGTERM, usual)
    writer.join()
    assert starts.exists()


def test_the_examples_of_the_documentation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each as it stands, but for a first batch, after which it is interrupted."""
    text = (Path(__file__).parent.parent / "docs" / "moving.md").read_text()
    examples = re.findall(r"^```python\n(.*?)^```", text, re.M | re.S)
    assert len(examples) == 2
    monkeypatch.chdir(tmp_path)
    (tmp_path / "src").mkdir()
    (tmp_path / "setup.cfg").touch()
    (tmp_path / "src" / "old").touch()
    for example in examples:
        printed: list[str] = []

        def show(*words: object, said: list[str] = printed) -> None:
            said.append(" ".join(map(str, words)))

        def batches(*paths: Path | str, **options: typing.Any) -> typing.Iterator[typing.Any]:
            changes = watch(*paths, step=5, rust_timeout=1, yield_on_timeout=True, **options)
            assert next(changes) == set()
            (tmp_path / "src" / "old").rename(tmp_path / "src" / "new.py")
            yield next(batch for batch in changes if batch)
            changes.close()

        monkeypatch.setattr(currant, "watch", batches)
        exec(compile(example, "moving.md", "exec"), {"print": show})
        (tmp_path / "src" / "new.py").rename(tmp_path / "src" / "old")
        assert "new.py" in " ".join(printed)
