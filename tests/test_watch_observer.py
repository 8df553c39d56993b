"""The `Observer` for handlers written for watchdog."""

import queue
from collections.abc import Iterator
from pathlib import Path

import pytest
from watchdog.events import FileModifiedEvent, FileSystemEvent, FileSystemEventHandler

from currant.watching.observer import Observer


class Noting(FileSystemEventHandler):
    def __init__(self) -> None:
        self.events: queue.SimpleQueue[FileSystemEvent] = queue.SimpleQueue()

    def on_any_event(self, event: FileSystemEvent) -> None:
        self.events.put(event)

    def expect(self, *expected: tuple[str, str, str]) -> None:
        """Type, path, and where it was moved to."""
        found = set()
        while found != set(expected):
            event = self.events.get(timeout=20)
            found.add((type(event).__name__, str(event.src_path), str(event.dest_path)))
            assert found <= set(expected)


@pytest.fixture
def observer() -> Iterator[Observer]:
    observer = Observer()
    yield observer
    observer.stop()
    observer.join()
    assert not observer.is_alive()


def test_events_of_each_kind(observer: Observer, tmp_path: Path) -> None:
    at = str(tmp_path)
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "f").touch()
    noting = Noting()
    observer.schedule(noting, at, recursive=True)
    observer.start()
    (tmp_path / "new").touch()
    noting.expect(("FileCreatedEvent", f"{at}/new", ""))
    (tmp_path / "new").write_text("x")
    noting.expect(("FileModifiedEvent", f"{at}/new", ""))
    (tmp_path / "a").rename(tmp_path / "b")
    noting.expect(("DirMovedEvent", f"{at}/a", f"{at}/b"), ("FileMovedEvent", f"{at}/a/f", f"{at}/b/f"))
    (tmp_path / "b" / "f").unlink()
    (tmp_path / "b").rmdir()
    noting.expect(("FileDeletedEvent", f"{at}/b/f", ""), ("DirDeletedEvent", f"{at}/b", ""))


def test_not_recursive_by_default_and_filtered(observer: Observer, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "f").touch()
    noting = Noting()
    observer.start()
    observer.schedule(noting, str(tmp_path), event_filter=[FileModifiedEvent])
    (tmp_path / "a" / "new").touch()
    (tmp_path / "new").touch()
    (tmp_path / "f").write_text("x")
    noting.expect(("FileModifiedEvent", f"{tmp_path}/f", ""))


def test_what_is_unscheduled_is_told_no_more(observer: Observer, tmp_path: Path) -> None:
    noting = Noting()
    watch = observer.schedule(noting, str(tmp_path))
    observer.start()
    observer.unschedule(watch)
    observer.join()
    (tmp_path / "new").touch()
    assert noting.events.empty()
    with pytest.raises(FileNotFoundError):
        observer.schedule(noting, str(tmp_path / "missing"))
    observer.unschedule(next(iter(observer._watches)))
