"""Owns OpenTelemetry: spans of requests and of jobs, sent where the user's settings say, and nowhere by
default.

`serve.otel` is the address of a collector that speaks OTLP over HTTP. The SDK comes with the extra ``otel``;
the environment variables of OpenTelemetry alone switch nothing on.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from currant import __version__
from currant.errors import UsageError
from currant.rest.guard import Scope
from currant.rest.observe import Span, no_span, route_of


class Tracing:
    """Spans, or none at all."""

    def __init__(self, provider: Any | None) -> None:
        """`provider`: a TracerProvider, None for none."""
        self._provider = provider
        self._tracer = None if provider is None else provider.get_tracer("currant", __version__)

    @property
    def span(self) -> Span:
        """What `observe` puts around a request."""
        return no_span if self._tracer is None else self._request

    def _request(self, name: str, scope: Scope) -> AbstractContextManager[Any]:
        return self._around(name, scope)

    @contextmanager
    def _around(self, name: str, scope: Scope) -> Iterator[Any]:
        assert self._tracer is not None
        with self._tracer.start_as_current_span(name) as span:
            yield span
            span.update_name(f"{name} {route_of(scope)}")
            span.set_attribute("http.request.method", name)
            span.set_attribute("http.route", route_of(scope))

    def job_changed(self, job: Any) -> None:
        """One span for each run of a job, when it has ended; listens to the manager of jobs."""
        if self._tracer is None or job.started_at is None or job.finished_at is None:
            return
        span = self._tracer.start_span(f"job {job.type}", start_time=int(job.started_at * 1e9))
        span.set_attribute("currant.job.id", job.id)
        span.set_attribute("currant.job.status", str(job.status))
        span.set_attribute("currant.job.attempt", job.attempt)
        span.end(end_time=int(job.finished_at * 1e9))

    def close(self) -> None:
        """Send what waits. Idempotent."""
        if self._provider is not None:
            self._provider.shutdown()


def build(endpoint: str | None) -> Tracing:
    """As `serve.otel` says; raises UsageError when the SDK is not installed."""
    if not endpoint:
        return Tracing(None)
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        raise UsageError(
            "serve.otel is set, and OpenTelemetry is not installed: pip install 'currant[otel]'"
        ) from None
    provider = TracerProvider(resource=Resource.create({"service.name": "currant"}))
    exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces")
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return Tracing(provider)
