"""Spans in memory: batches link to the calls that they serve, and a status of ours is an error."""

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Span, StatusCode

from server.tracing.tracer import Tracer

SAMPLED = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
NOT_SAMPLED = "00-1af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"


@pytest.fixture
def memory() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def tracer(memory: InMemorySpanExporter) -> Tracer:
    return Tracer(SimpleSpanProcessor(memory), one_in=1)


def decide(tracer: Tracer, *calls: Span) -> Span | None:
    span = tracer.begin_decisions(calls, 5)
    if span is not None:
        span.end()
    return span


def ended(memory: InMemorySpanExporter, name: str) -> list[ReadableSpan]:
    return [span for span in memory.get_finished_spans() if span.name == name]


def test_a_batch_is_below_its_first_sampled_call_and_links_to_the_others(
    tracer: Tracer, memory: InMemorySpanExporter
) -> None:
    first, second = tracer.begin_call("/s/Decide", SAMPLED), tracer.begin_call("/s/Decide", "")
    silent = tracer.begin_call("/s/Decide", NOT_SAMPLED)
    decide(tracer, silent, first, second)
    (batch,) = ended(memory, "decide")
    assert batch.parent
    assert batch.parent.span_id == first.get_span_context().span_id
    assert [link.context.span_id for link in batch.links] == [second.get_span_context().span_id]
    assert dict(batch.attributes or {}) == {"adtargeting.count": 5, "adtargeting.calls": 3}


def test_a_batch_without_a_sampled_call_has_no_span(tracer: Tracer, memory: InMemorySpanExporter) -> None:
    assert decide(tracer, tracer.begin_call("/s/Decide", NOT_SAMPLED)) is None
    assert decide(tracer) is None
    assert ended(memory, "decide") == []


@pytest.mark.parametrize(
    ("code", "status"), [(0, StatusCode.UNSET), (3, StatusCode.UNSET), (8, StatusCode.UNSET), (13, StatusCode.ERROR)]
)
def test_a_fault_of_ours_is_an_error(
    tracer: Tracer, memory: InMemorySpanExporter, code: int, status: StatusCode
) -> None:
    tracer.end_call(tracer.begin_call("/s/Decide", ""), code)
    (call,) = ended(memory, "gate")
    assert call.status.status_code is status
    assert (call.attributes or {})["rpc.grpc.status_code"] == code


def test_the_resource_names_no_host_and_no_process(tracer: Tracer, memory: InMemorySpanExporter) -> None:
    tracer.end_call(tracer.begin_call("/s/Decide", ""), 0)
    (call,) = ended(memory, "gate")
    assert set(call.resource.attributes) == {"service.name", "service.version"}
