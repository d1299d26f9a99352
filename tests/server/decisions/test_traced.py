"""The span of a question to the store ends with its answer, at once or later."""

import asyncio

from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from server.decisions.fetcher import Fetcher
from server.decisions.traced import TracedFetcher
from server.metrics.metrics import Metrics
from server.tracing.tracer import Tracer
from targeting.model import Subject, SubjectKind
from tests.server.store.fake_store import FakeStore

ALICE = Subject(SubjectKind.ACCOUNT, "alice")


async def ask(memory: InMemorySpanExporter, *, calls: int) -> list[int]:
    """Ask a store that only threads can ask; return how many spans have ended before and after the answer."""
    tracer = Tracer(SimpleSpanProcessor(memory), one_in=1)
    fetcher = TracedFetcher(lambda: Fetcher(FakeStore(), Metrics()), tracer)
    fetcher.calls = [tracer.begin_call("/s/Decide", "") for _ in range(calls)]
    answer = fetcher.ask([ALICE], 5.0)
    assert isinstance(answer, asyncio.Future)
    before = len(memory.get_finished_spans())
    await answer
    await asyncio.sleep(0)
    fetcher.close()
    return [before, len(memory.get_finished_spans())]


def test_it_ends_with_a_later_answer() -> None:
    assert asyncio.run(ask(InMemorySpanExporter(), calls=1)) == [0, 1]


def test_there_is_none_on_behalf_of_nobody() -> None:
    assert asyncio.run(ask(InMemorySpanExporter(), calls=0)) == [0, 0]
