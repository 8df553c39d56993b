"""Event streams over a real connection: what comes, what is resumed, what is never told, and how they end."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import hub_kit
from conftest import Tree
from rest_kit import Served, serving


class Event(NamedTuple):
    """One event as a client sees it."""

    kind: str
    data: Any
    id: str | None


class Stream:
    """The events of one connection."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines

    def __iter__(self) -> Iterator[Event]:
        kind, data, event_id = "message", [], None
        for line in self._lines:
            if not line:
                if data:
                    yield Event(kind, json.loads("\n".join(data)), event_id)
                kind, data, event_id = "message", [], None
            elif not line.startswith(":"):
                name, _, value = line.partition(": ")
                if name == "event":
                    kind = value
                elif name == "data":
                    data.append(value)
                elif name == "id":
                    event_id = value

    def until(self, wanted: Callable[[Event], Any]) -> list[Event]:
        """Everything up to the first event that is wanted; it is the last one."""
        seen = []
        for event in self:
            seen.append(event)
            if wanted(event):
                return seen
        raise AssertionError(f"the stream ended after {seen}")


@contextmanager
def follow(service: Served, path: str, *, last: str | None = None, **params: Any) -> Iterator[Stream]:
    headers = {} if last is None else {"Last-Event-ID": last}
    with service.client.stream("GET", path, params=params, headers=headers) as answer:
        assert answer.status_code == 200, answer.read()
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield Stream(answer.iter_lines())


def names(path: str) -> Callable[[Event], bool]:
    """A commit that has this path."""
    return lambda event: event.kind == "commit" and path in [row["path"] for row in event.data["changes"]]


def changed(events: list[Event]) -> list[str]:
    return [row["path"] for event in events if event.kind == "commit" for row in event.data["changes"]]


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Served]:
    with serving(tmp_path / "home") as served:
        yield served


def test_a_change_comes_when_it_is_committed_and_a_broken_stream_goes_on_exactly(
    service: Served, tree: Tree
) -> None:
    tree.write({"a.py": "x = 1\n"})
    path = f"/projects/{service.add(tree.root)}/events"
    with follow(service, path) as stream:
        hello = stream.until(lambda event: event.kind == "hello")
        assert len(hello) == 1
        tree.write({"b.py": "y = 1\n"})
        seen = stream.until(names("b.py"))
    assert changed(seen) == ["b.py"]
    # Nobody listens, and things happen.
    tree.write({"c.py": "z = 1\n"})
    service.hub.index("tree").sync(60)
    tree.path("a.py").unlink()
    service.hub.index("tree").sync(60)
    with follow(service, path, last=seen[-1].id) as stream:
        tree.write({"d.py": "z = 1\n"})
        again = stream.until(names("d.py"))
    assert changed(again) == ["c.py", "a.py", "d.py"]
    assert [event.kind for event in again if event.kind == "reset"] == []


def test_the_feed_goes_on_after_a_restart_of_the_service(tmp_path: Path, tree: Tree) -> None:
    tree.write({"a.py": "x = 1\n"})
    with serving(tmp_path / "home") as service:
        path = f"/projects/{service.add(tree.root)}/events"
        with follow(service, path) as stream:
            clock = stream.until(lambda event: event.kind == "hello")[0].data["clock"]
    tree.write({"b.py": "y = 1\n"})
    with serving(tmp_path / "home") as service:
        hub_kit.until(service.hub, lambda: service.client.get(path.removesuffix("/events")).json()["index"])
        with follow(service, path, last=clock) as stream:
            assert changed(stream.until(names("b.py"))) == ["b.py"]


def test_a_clock_of_another_index_is_a_reset_with_everything(service: Served, tree: Tree) -> None:
    tree.write({f"f{number:04}.txt": "x" for number in range(1_200)})
    path = f"/projects/{service.add(tree.root)}/events"
    with follow(service, path, since="c:00000000:7") as stream:
        seen = stream.until(lambda event: event.kind == "commit" and not event.data["more"])
    assert [event.kind for event in seen[:3]] == ["hello", "reset", "commit"]
    assert len(changed(seen)) == len(set(changed(seen))) == 1_200
    # What broke off in the middle of the listing goes on in the middle.
    middle = next(event for event in seen if event.kind == "commit")
    with follow(service, path, last=middle.id) as stream:
        rest = stream.until(lambda event: event.kind == "commit" and not event.data["more"])
    assert changed([middle]) + changed(rest) == changed(seen)


def test_a_project_is_told_nothing_of_another(service: Served, tmp_path: Path) -> None:
    ours, theirs = Tree(tmp_path / "ours"), Tree(tmp_path / "theirs")
    ours.write({"a.py": "x = 1\n"})
    theirs.write({"secret.py": "x = 1\n"})
    project, other = service.add(ours.root), service.add(theirs.root)
    for path, params in ((f"/projects/{project}/events", {}), ("/events", {"project": "ours"})):
        with follow(service, path, **params) as stream:
            stream.until(lambda event: event.kind == "hello")
            theirs.write({f"hidden{len(params)}.py": "y = 2\n"})
            service.hub.index(other).sync(60)
            hub_kit.finished(service.hub, service.client.post(f"/projects/{other}/refresh").json()["job_id"])
            job = service.client.post(f"/projects/{project}/refresh").json()["job_id"]
            seen = stream.until(lambda event, job=job: event.kind == "job" and event.data["id"] == job)
            assert [event for event in seen if other in str(event) or "hidden" in str(event)] == []
        hub_kit.finished(service.hub, job)


def test_jobs_come_between_the_changes_and_do_not_move_the_clock(service: Served, tree: Tree) -> None:
    tree.write({"a.py": "x = 1\n"})
    project = service.add(tree.root)
    with follow(service, f"/projects/{project}/events") as stream:
        stream.until(lambda event: event.kind == "hello")
        job = service.client.post(f"/projects/{project}/refresh").json()["job_id"]
        seen = stream.until(lambda event: event.kind == "job" and event.data["status"] == "completed")
    assert {event.data["id"] for event in seen if event.kind == "job"} == {job}
    assert {event.id for event in seen if event.kind == "job"} == {None}


def test_the_service_tells_what_was_missed_or_that_it_does_not_know(service: Served, tree: Tree) -> None:
    tree.write({"a.py": "x = 1\n"})
    with follow(service, "/events") as stream:
        project = service.add(tree.root)
        seen = stream.until(lambda event: event.kind == "project" and event.data["state"] == "ready")
    assert {"project", "job"} <= {event.kind for event in seen}
    numbers = [int(event.id) for event in seen if event.id is not None]
    assert numbers == sorted(set(numbers))
    first, last = str(numbers[0]), str(numbers[-1])
    with follow(service, "/events", last=first) as stream:
        again = stream.until(lambda event: event.id == last)
    assert [event for event in again if event.kind != "hello"] == [
        one for one in seen if one.id and one.id != first
    ]
    with follow(service, "/events", last="17") as stream:
        assert stream.until(lambda event: event.kind != "hello")[-1].kind == "reset"
    assert service.get("/events", 422, headers={"Last-Event-ID": "c:1:2"})["type"].endswith("bad-request")
    assert service.get(f"/projects/{project}/events", 422, params={"since": "17"})["type"].endswith(
        "bad-request"
    )
    assert service.get("/projects/none/events", 404)["type"].endswith("no-such-project")


def test_streams_end_when_the_service_does(service: Served, tree: Tree) -> None:
    tree.write({"a.py": "x = 1\n"})
    project = service.add(tree.root)
    with follow(service, "/events") as all_of_it, follow(service, f"/projects/{project}/events") as one:
        all_of_it.until(lambda event: event.kind == "hello")
        one.until(lambda event: event.kind == "hello")
        service.face.stop()
        for _ in (*all_of_it, *one):
            pass  # both end by themselves


def test_streams_are_bounded_and_counted_down_again(tmp_path: Path) -> None:
    with serving(tmp_path / "home", serve__max_streams=2) as service:
        with follow(service, "/events") as first, follow(service, "/events") as second:
            for stream in (first, second):
                stream.until(lambda event: event.kind == "hello")
            refused = service.client.get("/events")
            assert (refused.status_code, refused.json()["type"]) == (503, "urn:currant:problem:busy")
        hub_kit.until(service.hub, lambda: service.face.app.state.context.streams == 0, "the end of both")
        with follow(service, "/events") as stream:
            stream.until(lambda event: event.kind == "hello")


def test_a_project_that_is_removed_ends_its_stream(service: Served, tree: Tree) -> None:
    tree.write({"a.py": "x = 1\n"})
    project = service.add(tree.root)
    with follow(service, f"/projects/{project}/events") as stream:
        stream.until(lambda event: event.kind == "hello")
        service.client.delete(f"/projects/{project}")
        last = list(stream)[-1]
    assert (last.kind, last.data["id"]) == ("project", project)
