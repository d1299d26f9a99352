"""What every gate on an event loop has in common: lanes, health, the loop's thread, and an end in order.

A gate adds how it listens and how it reads and writes calls. It knows nothing of what the bytes mean.
"""

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any

from server.gate.health import HealthBoard
from server.gate.lanes import Lanes
from server.gate.loop_thread import LoopThread
from server.gate.port import Answer, Call, DecisionLane, Method
from server.gate.room import Capacity

if TYPE_CHECKING:
    from server.tracing.tracer import Tracer

_LAST_WORD_S, _POLL_S = 0.1, 0.005


class LoopGate(ABC):
    """The part of ``server.gate.port.Gate`` that does not depend on the protocol."""

    def __init__(self, capacity: Capacity, turns: int = 1) -> None:
        """``turns``: see ``server.gate.lanes.Decisions``."""
        self._capacity = capacity
        self._turns = turns
        self._lanes = Lanes(capacity, turns)
        self._health = HealthBoard()
        self._thread = LoopThread()

    def trace_with(self, tracer: "Tracer") -> None:
        """Have calls traced; before ``open``."""
        # Only with traces is OpenTelemetry imported.
        from server.gate.traced_lanes import TracedLanes  # noqa: PLC0415  # as above

        self._lanes = TracedLanes(self._capacity, self._turns, tracer=tracer)

    def decide_with(self, worker: Callable[[DecisionLane], Coroutine[Any, Any, None]]) -> None:
        """Run the worker of the decision lane."""
        self._thread.keep(worker(self._lanes.decisions))

    def take(self, timeout_s: float) -> Call | None:
        """Wait for a call of the other lane."""
        return self._lanes.take(timeout_s)

    def answer(self, call: Call, answer: Answer) -> None:
        """Answer a call of the other lane."""
        self._thread.loop.call_soon_threadsafe(self._lanes.decisions.answer, call, answer)

    def set_health(self, service: str, *, serving: bool) -> None:
        """Report a service as SERVING or NOT_SERVING."""
        self._thread.loop.call_soon_threadsafe(lambda: self._health.set(service, serving=serving))

    def observe_lag_with(self, observe: Callable[[float], None]) -> None:
        """Report the lag of the loop."""
        self._thread.on_lag = observe

    def is_alive(self) -> bool:
        """Whether the loop and the worker of decisions run."""
        return self._thread.is_alive

    def inflight(self) -> int:
        """Count the calls in flight."""
        return self._lanes.inflight()

    def ended(self) -> Mapping[Method, Mapping[int, int]]:
        """Count the calls that have ended."""
        return {method: counts.copy() for method, counts in self._lanes.ended.items()}

    def refused(self) -> Mapping[str, int]:
        """Count the refused calls by cause."""
        return self._lanes.refused.copy()

    def close(self, grace_s: float) -> None:
        """Report NOT_SERVING, refuse new calls, let the others end, stop."""
        if self._thread.is_running:
            self._thread.call(self._stop(grace_s))
            self._thread.stop()

    async def _stop(self, grace_s: float) -> None:
        ends_s = time.monotonic() + grace_s
        self._lanes.stopping = True
        self._health.close()
        # A server cuts off what arrives once it stops. Until then callers are told, and take their calls elsewhere.
        await asyncio.sleep(min(_LAST_WORD_S, grace_s))
        while self.inflight() and time.monotonic() < ends_s:
            await asyncio.sleep(_POLL_S)
        await self._stop_serving(ends_s)

    @abstractmethod
    async def _stop_serving(self, ends_s: float) -> None:
        """Stop by ``ends_s`` (``time.monotonic``).

        What may be left are answers on their way, calls beyond the grace, and watches of health, which never end.
        """
