"""Spans of requests and jobs, with something in the place of OpenTelemetry's SDK, which is an extra."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from currant.errors import UsageError
from currant.rest.tracing import Tracing, build


class Recorder:
    """A provider, its tracer and the spans that were made."""

    def __init__(self) -> None:
        self.spans: list[SimpleNamespace] = []
        self.sent = 0

    def get_tracer(self, _name: str, _version: str) -> "Recorder":
        return self

    def start_span(self, name: str, start_time: int = 0) -> Any:
        told: dict[str, Any] = {}
        span = SimpleNamespace(name=name, told=told, began=start_time, ended=0)
        span.set_attribute = told.__setitem__
        span.update_name = lambda to: setattr(span, "name", to)
        span.end = lambda end_time: setattr(span, "ended", end_time)
        self.spans.append(span)
        return span

    @contextmanager
    def start_as_current_span(self, name: str) -> Iterator[Any]:
        yield self.start_span(name)

    def shutdown(self) -> None:
        self.sent += 1


def test_a_request_is_a_span_of_its_route_and_says_nothing_that_was_asked_for() -> None:
    recorder = Recorder()
    tracing = Tracing(recorder)
    scope = {
        **{"type": "http", "method": "GET", "path": "/projects/secret/find", "query_string": b"q=secret"},
        "route": SimpleNamespace(path="/projects/{project}/find"),
    }
    with tracing.span("GET", scope):
        pass
    [span] = recorder.spans
    assert span.name == "GET /projects/{project}/find"
    assert span.told == {"http.request.method": "GET", "http.route": "/projects/{project}/find"}
    assert "secret" not in repr(span)
    tracing.close()
    assert recorder.sent == 1


def test_a_run_of_a_job_is_a_span_from_its_start_to_its_end() -> None:
    recorder = Recorder()
    tracing = Tracing(recorder)
    job = SimpleNamespace(
        **{"id": "j", "type": "refresh", "status": "completed", "attempt": 2, "args": {"secret": 1}},
        **{"started_at": 10.0, "finished_at": None, "error": "secret"},
    )
    tracing.job_changed(job)
    assert recorder.spans == []  # it has not ended
    job.finished_at = 12.5
    tracing.job_changed(job)
    [span] = recorder.spans
    assert (span.name, span.began, span.ended) == ("job refresh", 10_000_000_000, 12_500_000_000)
    assert span.told == {
        **{"currant.job.id": "j", "currant.job.status": "completed", "currant.job.attempt": 2},
    }


def test_without_an_address_nothing_is_traced_and_without_the_sdk_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    off = build(None)
    with off.span("GET", {"type": "http"}):
        off.job_changed(SimpleNamespace(started_at=1.0, finished_at=2.0))
    off.close()
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    with pytest.raises(UsageError, match=r"pip install 'currant\[otel\]'"):
        build("http://127.0.0.1:4318")
