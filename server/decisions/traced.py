"""A worker and a fetcher with spans, in the place of the plain ones where traces are switched on.

A batch has one span for its question to the store and one for its decisions; both name every call that they serve.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

from opentelemetry.trace import Span

from server.decisions.decider import Stored
from server.decisions.fetcher import Fetcher, LoopFetcher
from server.decisions.group import Group
from server.decisions.worker import Worker, WorkerParts
from server.gate.port import DecisionLane
from targeting.model import Subject


class BatchTracer(Protocol):
    """Makes spans for batches: ``server.tracing.tracer.Tracer``."""

    def begin_fetch(self, calls: Sequence[Span], subjects: int) -> Span | None:
        """Begin the span of a question to the store."""
        ...

    def begin_decisions(self, calls: Sequence[Span], requests: int) -> Span | None:
        """Begin the span of a batch of decisions."""
        ...


class TracedFetcher(LoopFetcher):
    """Asks with a span from the question to the answer."""

    def __init__(self, make: Callable[[], Fetcher], tracer: BatchTracer) -> None:
        super().__init__(make)
        self._tracer = tracer
        self.calls: Sequence[Span] = ()
        """The calls on behalf of which the next question is asked."""

    def ask(
        self, subjects: Sequence[Subject], budget_s: float, *, is_measured: bool = True
    ) -> "Stored | asyncio.Future[Stored]":
        """Ask; see ``LoopFetcher.ask``."""
        span = self._tracer.begin_fetch(self.calls, len(subjects)) if subjects else None
        stored = super().ask(subjects, budget_s, is_measured=is_measured)
        if span is None:
            return stored
        if isinstance(stored, asyncio.Future):
            stored.add_done_callback(lambda _: span.end())
        else:
            span.end()
        return stored


class TracedWorker(Worker):
    """Decides with a span around each batch."""

    def __init__(self, parts: WorkerParts, lane: DecisionLane, tracer: BatchTracer) -> None:
        super().__init__(parts, lane)
        self._tracer = tracer
        self._fetcher = parts.fetcher

    async def _ask_store(self, group: Group) -> None:
        # One batch asks after the other, so no other asks before this one has.
        if isinstance(self._fetcher, TracedFetcher):
            self._fetcher.calls = _spans(group)
        await super()._ask_store(group)

    def _decide_group(self, group: Group, stored: Stored) -> None:
        span = self._tracer.begin_decisions(_spans(group), len(group.planned.items))
        try:
            super()._decide_group(group, stored)
        finally:
            if span is not None:
                span.end()


def _spans(group: Group) -> list[Span]:
    spans = (portion.job.call.span for portion in group.portions)
    return [span for span in spans if span is not None]
