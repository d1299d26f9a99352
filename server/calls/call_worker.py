"""The worker of the second lane: a blocking loop that takes one call at a time and passes it to its handler."""

import threading
import time
from collections.abc import Callable, Mapping

from server.calls.call_context import CallContext
from server.errors import refusal_of
from server.gate.port import Answer, Call, Gate, Method

Handler = Callable[[bytes, CallContext], bytes]
_IDLE_S = 0.1
_MIN_BUDGET_S = 0.001


class CallWorker:
    """Serves every call that is no decision. ``run`` returns soon after ``stop``."""

    def __init__(self, gate: Gate, handlers: Mapping[Method, Handler], context: CallContext) -> None:
        self._gate = gate
        self._handlers = handlers
        self._context = context
        self._stopping = threading.Event()

    def stop(self) -> None:
        """End the loop after the current call."""
        self._stopping.set()

    def run(self) -> None:
        """Take a call, handle it and answer, until stopped."""
        while not self._stopping.is_set():
            call = self._gate.take(_IDLE_S)
            if call is not None and not call.gone:
                self._gate.answer(call, self._answered(call))

    def _answered(self, call: Call) -> Answer:
        handler = self._handlers[call.method]
        # The budget counts from arrival, so that slow calls do not add up for the calls behind them.
        left_s = min(call.arrived_s + self._context.budget_s, call.deadline_s) - time.monotonic()
        context = self._context._replace(budget_s=max(left_s, _MIN_BUDGET_S), caller=call.caller)
        try:
            return handler(call.payload, context)
        except Exception as problem:  # noqa: BLE001  # the error table decides what the caller may see
            return refusal_of(problem)
