"""Spans by OpenTelemetry: one for each call, one for each question to the store, one for each decision of a batch.

Invariant: a span says which RPC, how many and how it ended, and nothing of a request, a person or a caller. Only a
caller's ``traceparent`` is used (W3C Trace Context, section 3.2), which is two random numbers and a flag; its
``tracestate`` and baggage may hold anything.
"""

from collections.abc import Sequence
from typing import Final

from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import Link, Span, SpanKind, Status, StatusCode, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from server.build import PROGRAM, build_version

_CALL, _STORE, _DECIDE = "gate", "store", "decide"
_OUR_FAULTS: Final = frozenset({2, 4, 12, 13, 14, 15})
"""The gRPC statuses that make the span of a server an error (OpenTelemetry's semantic conventions for gRPC)."""
_NOWHERE: Final = Context()


class Tracer:
    """Makes spans. The gate's and the worker's thread may share it."""

    def __init__(self, processor: SpanProcessor, one_in: int) -> None:
        """Sample one in N calls whose caller says nothing; else the caller decides."""
        resource = Resource({"service.name": PROGRAM, "service.version": build_version()})
        self._provider = TracerProvider(
            sampler=ParentBased(TraceIdRatioBased(1 / one_in)), resource=resource, shutdown_on_exit=False
        )
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer(PROGRAM)
        self._parents = TraceContextTextMapPropagator()

    def begin_call(self, rpc: str, traceparent: str) -> Span:
        """Begin the span of a call; ``rpc`` is its path, ``traceparent`` the caller's header or empty."""
        parent = self._parents.extract({"traceparent": traceparent}, _NOWHERE) if traceparent else _NOWHERE
        attributes = {"rpc.system": "grpc", "rpc.method": rpc.rpartition("/")[2]}
        return self._tracer.start_span(_CALL, parent, SpanKind.SERVER, attributes)

    def end_call(self, span: Span, code: int) -> None:
        """End the span of a call with its gRPC status."""
        span.set_attribute("rpc.grpc.status_code", code)
        if code in _OUR_FAULTS:
            span.set_status(Status(StatusCode.ERROR))
        span.end()

    def begin_fetch(self, calls: Sequence[Span], subjects: int) -> Span | None:
        """Begin the span of a question to the store on behalf of calls; None where none of them is sampled."""
        return self._begin(_STORE, SpanKind.CLIENT, calls, subjects)

    def begin_decisions(self, calls: Sequence[Span], requests: int) -> Span | None:
        """Begin the span of a batch of decisions; None where none of its calls is sampled."""
        return self._begin(_DECIDE, SpanKind.INTERNAL, calls, requests)

    def close(self) -> None:
        """Send what has ended, and end the exporter."""
        self._provider.shutdown()

    def _begin(self, name: str, kind: SpanKind, calls: Sequence[Span], count: int) -> Span | None:
        """Begin a span below the first sampled call, with links to the others: one batch serves them all."""
        sampled = [span for span in calls if span.is_recording()]
        if not sampled:
            return None
        first, *others = sampled
        links = [Link(span.get_span_context()) for span in others]
        attributes = {"adtargeting.count": count, "adtargeting.calls": len(calls)}
        return self._tracer.start_span(name, set_span_in_context(first, _NOWHERE), kind, attributes, links)
