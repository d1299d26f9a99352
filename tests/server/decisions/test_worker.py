"""The worker: what waits is decided together, and each call gets its own answer."""

import time

import pytest
from adtargeting.v1 import targeting_pb2 as pb
from google.rpc import code_pb2

from server.gate.methods import DECIDE, DECIDE_BATCH
from server.gate.port import Refusal
from server.store.ports import StoreTimeout, StoreUnavailable
from targeting.decision import Rulebook
from tests.server.decisions.worker_bench import Bench, Broken, request, response


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


@pytest.mark.fault(row=9)
def test_a_call_whose_caller_has_gone_costs_nothing() -> None:
    bench = Bench()
    call = bench.gate.put(DECIDE, request())
    call.gone = True
    bench.serve()
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
    ((subjects, _),) = bench.store.asked
    assert len(subjects) == 1


def test_a_fault_that_none_foresaw_is_a_refusal_and_the_next_call_is_served(caplog: pytest.LogCaptureFixture) -> None:
    bench, faults = Bench(), [Broken("secret text of alice")]
    rulebook = bench.parts.decider.rulebook

    def faulty() -> Rulebook:
        if faults:
            raise faults.pop()
        return rulebook()

    bench.parts.decider.rulebook = faulty
    single = bench.gate.put(DECIDE, request())
    batch = bench.gate.put(DECIDE_BATCH, pb.DecideBatchRequest(requests=[{}]).SerializeToString())
    refusal, answer = bench.serve(single, batch)
    assert isinstance(refusal, Refusal)
    assert refusal.code == code_pb2.INTERNAL
    assert isinstance(answer, bytes)
    for text in (refusal.message, caplog.text):
        assert "secret" not in text
        assert "alice" not in text


def test_the_lane_learns_how_long_single_calls_take_and_nothing_from_batches() -> None:
    bench = Bench()
    for number in range(3):
        bench.gate.put(DECIDE, request(request_id=str(number)))
    bench.gate.put(DECIDE_BATCH, pb.DecideBatchRequest(requests=[{}] * 10).SerializeToString())
    bench.serve()
    assert sum(weight for weight, _ in bench.gate.pace) == 3


def test_what_is_decided_together_and_how_long_calls_waited_is_measured() -> None:
    bench = Bench()
    bench.serve(*[bench.gate.put(DECIDE, request(), waited_s=0.003) for _ in range(5)])
    assert bench.count("adtargeting_batch_size_sum") == 5
    assert bench.count("adtargeting_batch_size_count") == 1
    assert bench.count("adtargeting_room_seconds_count") == 5
    assert bench.count("adtargeting_room_seconds_bucket", le="0.002") == 0
