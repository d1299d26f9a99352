"""The second lane: the budget of a call counts from its arrival and ends with the caller's deadline."""

import math
import time

import pytest

from server.calls.call_context import CallContext
from server.calls.call_worker import CallWorker
from server.gate.methods import GET_PREFERENCES
from tests.server.calls.direct_service import Service
from tests.server.doubles import ListGate
from tests.server.store.fake_store import FakeStore

BUDGET_S = 60.0


def budget_of(waited_s: float, deadline_s: float) -> float:
    """Return the budget in seconds with which a call is handled."""
    given: list[float] = []

    def handler(_: bytes, tools: CallContext) -> bytes:
        given.append(tools.budget_s)
        calls.stop()
        return b""

    store, gate = FakeStore(), ListGate()
    calls = CallWorker(gate, {GET_PREFERENCES: handler}, Service(store, store).tools._replace(budget_s=BUDGET_S))
    gate.put(GET_PREFERENCES, b"", waited_s=waited_s, deadline_s=deadline_s)
    calls.run()
    return given[0]


@pytest.mark.parametrize(
    ("waited_s", "deadline_in_s", "most_s"),
    [(0, math.inf, BUDGET_S), (40, math.inf, 20), (0, 10, 10), (40, 10, 10), (70, math.inf, 0.001), (0, -1, 0.001)],
    ids=["at once", "after a wait", "a hurried caller", "both", "too late", "no caller waits any more"],
)
def test_how_much_time_a_call_has(waited_s: float, deadline_in_s: float, most_s: float) -> None:
    assert most_s / 2 < budget_of(waited_s, time.monotonic() + deadline_in_s) <= most_s
