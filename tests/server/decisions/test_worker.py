"""The worker: what waits is decided together, and each call gets its own answer."""

import threading
import time

import pytest
from adtargeting.v1 import targeting_pb2 as pb
from google.rpc import code_pb2

from server.decisions.decider import Decider
from server.decisions.fetcher import Fetcher
from server.decisions.reading import CallReader
from server.decisions.signal_observer import SignalObserver
from server.decisions.worker import DecisionParts, Limits, Worker
from server.gate.methods import DECIDE, DECIDE_BATCH
from server.gate.port import Refusal
from server.metrics.metrics import Metrics
from server.store.ports import StoreTimeout, StoreUnavailable
from targeting.decision import Rulebook
from tests.server.decisions.worker_bench import Bench, Broken, request, response
from tests.server.doubles import ListGate, Nowhere, ScriptedStore


def test_what_waits_is_decided_with_one_reading_and_each_gets_its_own_answer() -> None:
    bench = Bench()
    calls = [bench.gate.put(DECIDE, request(request_id=str(number))) for number in range(5)]
    answers = [response(answer) for answer in bench.serve(*calls)]
    assert [answer.request_id for answer in answers] == ["0", "1", "2", "3", "4"]
    assert [list(answer.reasons) for answer in answers] == [[pb.REASON_NO_PROFILE]] * 5
    assert len(bench.store.asked) == 1
    assert bench.count("adtargeting_decisions_total", mode="limited") == 5
    assert bench.count("adtargeting_limit_reasons_total", reason="no_profile") == 5
    assert bench.count("adtargeting_decision_seconds_count") == 5


def test_a_call_whose_caller_has_gone_costs_nothing() -> None:
    bench = Bench()
    call = bench.gate.put(DECIDE, request())
    call.gone = True
    bench.worker.serve([call])
    assert bench.store.asked == []
    assert bench.gate.answers == {}


@pytest.mark.parametrize(
    ("problem", "reason", "kind"),
    [
        (StoreTimeout(), pb.REASON_STORE_TIMEOUT, "timeout"),
        (StoreUnavailable(), pb.REASON_STORE_UNAVAILABLE, "unavailable"),
    ],
    ids=["timeout", "unavailable"],
)
def test_a_failing_store_limits(problem: Exception, reason: pb.Reason, kind: str) -> None:
    bench = Bench()
    bench.store.fails = problem
    (answer,) = bench.serve(bench.gate.put(DECIDE, request()))
    assert list(response(answer).reasons) == [reason]
    assert response(answer).limited.country == "US"
    assert bench.count("adtargeting_store_errors_total", operation="fetch", kind=kind) == 1


def test_a_call_that_waited_too_long_is_limited_without_asking_and_its_mates_are_not() -> None:
    bench = Bench(budget_s=1.0)
    late, fresh = bench.gate.put(DECIDE, request(), waited_s=2.0), bench.gate.put(DECIDE, request())
    hurried = bench.gate.put(DECIDE, request(), deadline_s=time.monotonic() + 0.0005)
    answers = [response(answer) for answer in bench.serve(late, fresh, hurried)]
    assert [list(answer.reasons) for answer in answers] == [
        [pb.REASON_STORE_TIMEOUT],
        [pb.REASON_NO_PROFILE],
        [pb.REASON_STORE_TIMEOUT],
    ]
    ((subjects, budget_s),) = bench.store.asked
    assert len(subjects) == 1
    assert 0.5 < budget_s <= 1.0


def test_the_callers_deadline_bounds_the_reading() -> None:
    bench = Bench(budget_s=10.0)
    bench.serve(bench.gate.put(DECIDE, request(), deadline_s=time.monotonic() + 2.0))
    assert bench.store.asked[0][1] <= 2.0


class FaultyDecider(Decider):
    """Fails where the worker does not expect it."""

    def __init__(self) -> None:
        self.failures = 0
        self.rulebook = self.fail

    def fail(self) -> Rulebook:
        self.failures += 1
        raise Broken("secret text of alice")


def test_the_loop_outlives_a_fault_and_says_nothing_of_it(caplog: pytest.LogCaptureFixture) -> None:
    gate, metrics, decider = ListGate(), Metrics(), FaultyDecider()
    parts = DecisionParts(decider, Fetcher(ScriptedStore(), metrics), SignalObserver(metrics))
    worker = Worker(gate, parts, CallReader(Nowhere()), metrics, Limits(1.0))
    calls = [
        gate.put(DECIDE, request()),
        gate.put(DECIDE_BATCH, pb.DecideBatchRequest(requests=[{}]).SerializeToString()),
    ]
    thread = threading.Thread(target=worker.run)
    thread.start()
    deadline = time.monotonic() + 5
    while len(gate.answers) < 2 and time.monotonic() < deadline:
        time.sleep(0.005)
    worker.stop()
    thread.join(5)
    assert not thread.is_alive()
    for call in calls:
        answer = gate.of(call)
        assert isinstance(answer, Refusal)
        assert answer.code == code_pb2.INTERNAL
        assert "secret" not in answer.message
    assert decider.failures
    assert "secret" not in caplog.text
    assert "alice" not in caplog.text
