"""Lanes whose calls have spans, in the place of ``Lanes`` where traces are switched on."""

from contextvars import ContextVar
from typing import Final

from opentelemetry.trace import Span

from server.gate.lanes import Lanes
from server.gate.port import CANCELLED, OK, Answer, Call, Refusal
from server.gate.room import Capacity, Room
from server.gate.traceparent import TRACEPARENT
from server.tracing.tracer import Tracer

_SPAN: Final[ContextVar[Span]] = ContextVar("span")


class TracedLanes(Lanes):
    """Begins a span with each call, hands it on with the call, and ends it with the answer."""

    wants_traceparent = True

    def __init__(self, capacity: Capacity, turns: int = 1, *, tracer: Tracer) -> None:
        super().__init__(capacity, turns)
        self._tracer = tracer

    async def serve(self, call: Call) -> Answer:
        """Serve a call; see ``Lanes.serve``. The service's own calls have no span."""
        if call.caller.is_own:
            return await super().serve(call)
        span, code = self._tracer.begin_call(call.method.path, TRACEPARENT.get()), CANCELLED
        _SPAN.set(span)
        try:
            answer = await super().serve(call)
            code = answer.code if isinstance(answer, Refusal) else OK
            return answer
        finally:
            self._tracer.end_call(span, code)

    async def _answer_to(self, call: Call, room: Room) -> Answer:
        call.span = _SPAN.get(None)
        return await super()._answer_to(call, room)
