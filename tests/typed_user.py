"""A user's program, for type checkers alone: `make types` has mypy --strict read it. Never run.

basedpyright in its strict mode read it too, against an installed wheel, and had nothing to say."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import currant
from currant import Change, DefaultFilter, awatch, watch
from currant.errors import NoIndexError, SyncTimeout
from currant.watching import Renamed


def names(root: Path) -> Iterator[str]:
    with currant.open(root, flags={"scheduler.worker_threads": 2}, create=True) as index:
        clock: str = index.sync(timeout=5)
        for found in index.find("parse_config", kind="function"):
            yield f"{found.path}:{found.start} {found.signature or ''}"
        for change in index.changes(since=clock):
            print(change.change_type, change.path, change.clock)
        view = index.show("a.py")
        if view is not None and view.record is not None:
            for symbol in view.record.symbols:
                print(symbol.name)
        why = index.why("a.py")
        print(why.cause if why else None)
        for finding in index.drift().findings:
            print(finding.path, finding.line, finding.kind)
        progress = index.task_progress()
        print(progress.done, index.skills().languages, index.last.fresh, index.status()["fresh"])
        report = index.verify()
        print(report.ok, report.differences, index.files(), index.failures())
        refs = index.refs("a.py")
        if refs is not None:
            print(refs.outgoing[0].target)
        document = index.record("a.py")
        if document is not None:
            print(document.path)


async def asynchronous(root: str) -> list[str]:
    async with currant.aopen(root) as index:
        await index.sync()
        found = await index.find("x")
        async for change in index.changes():
            print(change.path)
        return [one.path for one in found]


def only(change: Change, path: str) -> bool:
    return path.endswith(".py") and change is not Change.deleted


def watching() -> None:
    for changes in watch("src", watch_filter=only, gitignore=True):
        for kind, path in changes:
            print(kind.name, path.upper())
    for batch in watch("src", watch_filter=DefaultFilter(), renames=True):
        for item in batch:
            if isinstance(item, Renamed):
                print(item.old, item.new)
            else:
                print(item[0].raw_str(), item[1])


async def awatching() -> None:
    async for changes in awatch("src", "other", stop_event=asyncio.Event()):
        for kind, path in changes:
            print(kind, path)


def restart() -> int:
    return currant.run_process("src", target="python app.py", debounce=10)


def main() -> None:
    try:
        print(list(names(Path("."))))
    except (NoIndexError, SyncTimeout) as error:
        print(error.exit_code)
        if isinstance(error, SyncTimeout):
            print(error.outstanding)
