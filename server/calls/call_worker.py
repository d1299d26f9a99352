"""The second lane: a blocking loop that takes one call at a time and hands it to its handler."""

import threading
import time
from collections.abc import Callable, Mapping

from server.calls.call_context import CallContext
from server.errors import refusal_of
from server.gate.port import Answer, Call, Gate, Lane, Method

Handler = Callable[[bytes, CallContext], bytes]
_IDLE_S = 0.25
_LEAST_BUDGET_S = 0.001


class CallWorker:
    """Serves everything that is not a decision. ``run`` returns soon after ``stop``."""

    def __init__(self, gate: Gate, handlers: Mapping[Method, Handler], tools: CallContext) -> None:
        self._gate = gate
        self._handlers = handlers
        self._tools = tools
        self._stopping = threading.Event()

    def stop(self) -> None:
        """End the loop after the call at hand."""
        self._stopping.set()

    def run(self) -> None:
        """Take, handle, answer, until stopped."""
        while not self._stopping.is_set():
            for call in self._gate.take(Lane.OTHER, 1, _IDLE_S):
                if not call.gone:
                    self._gate.answer([(call, self._answered(call))])

    def _answered(self, call: Call) -> Answer:
        handler = self._handlers[call.method]
        # The budget counts from arrival, so that slow calls do not add up for those who wait behind them; and a caller
        # that waits for less must not be kept longer.
        left_s = min(call.arrived_s + self._tools.budget_s, call.deadline_s) - time.monotonic()
        tools = self._tools._replace(budget_s=max(left_s, _LEAST_BUDGET_S))
        try:
            return handler(call.payload, tools)
        except Exception as problem:  # noqa: BLE001  # the table of errors says what the caller may see of it
            return refusal_of(problem)
