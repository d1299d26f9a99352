"""Calls that get no answer from a handler have a span, too: refused ones, and those whose caller has gone."""

import asyncio
import math
import time

import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from server.gate.methods import DECIDE
from server.gate.port import Call, Refusal
from server.gate.room import DEFAULT_CAPACITY
from server.gate.traced_lanes import TracedLanes
from server.security.caller import ANONYMOUS, Caller, own_caller
from server.tracing.tracer import Tracer


@pytest.fixture
def memory() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def lanes(memory: InMemorySpanExporter) -> TracedLanes:
    return TracedLanes(DEFAULT_CAPACITY, tracer=Tracer(SimpleSpanProcessor(memory), one_in=1))


def decide(caller: Caller) -> Call:
    return Call(DECIDE, b"", time.monotonic(), math.inf, caller)


def codes(memory: InMemorySpanExporter) -> list[object]:
    return [(span.attributes or {})["rpc.grpc.status_code"] for span in memory.get_finished_spans()]


def test_a_refused_call(lanes: TracedLanes, memory: InMemorySpanExporter) -> None:
    lanes.stopping = True
    answer = asyncio.run(lanes.serve(decide(ANONYMOUS)))
    assert isinstance(answer, Refusal)
    assert codes(memory) == [14]


def test_a_call_whose_caller_goes(lanes: TracedLanes, memory: InMemorySpanExporter) -> None:
    async def go_away() -> None:
        call = asyncio.create_task(lanes.serve(decide(ANONYMOUS)))
        await asyncio.sleep(0)
        assert lanes.decisions.waiting[0].span is not None
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call

    asyncio.run(go_away())
    assert codes(memory) == [1]


def test_the_services_own_calls_have_none(lanes: TracedLanes, memory: InMemorySpanExporter) -> None:
    lanes.stopping = True
    asyncio.run(lanes.serve(decide(own_caller("canaries"))))
    assert codes(memory) == []
