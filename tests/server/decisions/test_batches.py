"""The callers' own batches: in order, in portions, and behind single decisions."""

import pytest
from adtargeting.v1 import targeting_pb2 as pb
from google.rpc import code_pb2

from server.gate.methods import DECIDE, DECIDE_BATCH
from server.gate.port import Call, Refusal
from tests.server.decisions.worker_bench import Bench, batch, called, request


def test_a_batch_answers_in_order_and_one_bad_item_fails_alone() -> None:
    bench = Bench()
    requests = [pb.DecideRequest(request_id=str(number), account_id="alice", ip="192.0.2.1") for number in range(4)]
    requests[2].account_id = "x" * 300
    message = pb.DecideBatchRequest(requests=requests)
    (answer,) = bench.serve(bench.gate.put(DECIDE_BATCH, message.SerializeToString()))
    assert isinstance(answer, bytes)
    results = pb.DecideBatchResponse.FromString(answer).results
    assert [each.WhichOneof("result") for each in results] == ["response", "response", "error", "response"]
    assert [results[number].response.request_id for number in (0, 1, 3)] == ["0", "1", "3"]
    assert results[2].error.code == code_pb2.INVALID_ARGUMENT
    assert results[2].error.field == "account_id"
    assert len(bench.store.asked) == 1


def test_batches_that_wait_are_decided_with_one_reading_and_each_gets_its_own_answers() -> None:
    bench = Bench()
    payloads = [batch("a", 3, 0, 2), b"\xff", batch("b", 2), batch("c", 1, 0), batch("d", 2, 1)]
    first, broken, second, empty, last = bench.serve(*(bench.gate.put(DECIDE_BATCH, each) for each in payloads))
    assert called(first) == ["account_id", "a-1", "account_id"]
    assert called(second) == ["b-0", "b-1"]
    assert called(empty) == ["account_id"]
    assert called(last) == ["d-0", "account_id"]
    assert isinstance(broken, Refusal)
    ((subjects, _),) = bench.store.asked
    assert [subject.id for subject in subjects] == ["a-1", "b-0", "b-1", "d-0"]
    assert bench.count("adtargeting_decisions_total", mode="limited") == 4
    assert bench.count("adtargeting_decision_seconds_count") == 5


def test_refused_items_stand_where_they_stood_each_with_its_own_field() -> None:
    requests = [pb.DecideRequest(request_id=str(at), account_id="alice", ip="192.0.2.1") for at in range(4)]
    requests[0].account_id, requests[1].device_id = "x" * 300, "x" * 300
    bench = Bench()
    payload = pb.DecideBatchRequest(requests=requests).SerializeToString()
    (answer,) = bench.serve(bench.gate.put(DECIDE_BATCH, payload))
    assert called(answer) == ["account_id", "device_id", "2", "3"]


def test_a_batch_whose_caller_has_gone_costs_nothing() -> None:
    bench = Bench()
    gone, here = bench.gate.put(DECIDE_BATCH, batch("gone", 2)), bench.gate.put(DECIDE_BATCH, batch("here", 2))
    gone.gone = True
    bench.serve()
    assert called(bench.gate.of(here)) == ["here-0", "here-1"]
    assert [len(subjects) for subjects, _ in bench.store.asked] == [2]
    assert gone.ticket not in bench.gate.answers


def test_a_batch_is_read_portion_by_portion_as_it_is_decided() -> None:
    bench = Bench()
    read_when_asked: list[int] = []
    bench.store.on_fetch = lambda: read_when_asked.append(bench.locator.asked)
    bench.serve(bench.gate.put(DECIDE_BATCH, batch("a", 200)))
    assert read_when_asked == [64, 128, 192, 200]


def test_networks_make_portions_smaller() -> None:
    bench = Bench()
    requests = [
        pb.DecideRequest(account_id=f"a{number}", ip="192.0.2.1", third_party_networks=["house"] * 31)
        for number in range(6)
    ]
    payload = pb.DecideBatchRequest(requests=requests).SerializeToString()
    bench.serve(bench.gate.put(DECIDE_BATCH, payload))
    assert [len(subjects) for subjects, _ in bench.store.asked] == [2, 2, 2]


def test_long_requests_make_portions_smaller() -> None:
    bench = Bench()
    requests = [
        pb.DecideRequest(account_id=f"a{number}", ip="192.0.2.1", accept_language="a" * 32_700) for number in range(6)
    ]
    payload = pb.DecideBatchRequest(requests=requests).SerializeToString()
    bench.serve(bench.gate.put(DECIDE_BATCH, payload))
    assert [len(subjects) for subjects, _ in bench.store.asked] == [3, 3]


@pytest.mark.parametrize(
    ("sizes", "together"),
    [
        ({"a": 128, "b": 1}, [64, 65]),
        ({"a": 64, "b": 64, "c": 64}, [64, 64, 64]),
        ({"a": 20, "b": 20, "c": 20}, [60]),
        ({"a": 130, "b": 130}, [64, 64, 64, 64, 4]),
    ],
    ids=["a small one goes in between", "one at a time", "small ones together", "clients by turns"],
)
def test_batches_of_several_clients_are_worked_off_by_turns(sizes: dict[str, int], together: list[int]) -> None:
    bench = Bench()
    calls = [bench.gate.put(DECIDE_BATCH, batch(name, size), client=name) for name, size in sizes.items()]
    answers = bench.serve(*calls)
    assert [len(called(answer)) for answer in answers] == list(sizes.values())
    assert [len(subjects) for subjects, _ in bench.store.asked] == together


def test_a_client_with_many_batches_waits_for_its_own_and_not_another() -> None:
    bench = Bench()
    greedy = [bench.gate.put(DECIDE_BATCH, batch(f"g{number}", 64), client="greedy") for number in range(5)]
    other = bench.gate.put(DECIDE_BATCH, batch("o", 64), client="other")
    bench.serve(*greedy, other)
    assert bench.gate.order.index(other) == 1


def test_single_calls_that_arrive_meanwhile_go_between_the_portions_of_a_batch() -> None:
    bench = Bench()
    large = bench.gate.put(DECIDE_BATCH, batch("many", 256))
    late: list[Call] = []

    def arrive() -> None:
        if len(bench.store.asked) == 2:
            late.append(bench.gate.put(DECIDE, request(account_id="one")))

    bench.store.on_fetch = arrive
    bench.serve(large)
    assert [len(subjects) for subjects, _ in bench.store.asked] == [64, 64, 1, 64, 64]
    assert bench.gate.order == [late[0], large]


def test_single_decisions_never_wait_for_batches() -> None:
    bench = Bench()
    bench.serve(bench.gate.put(DECIDE_BATCH, batch("many", 2)), bench.gate.put(DECIDE, request(account_id="one")))
    assert [[subject.id for subject in subjects] for subjects, _ in bench.store.asked] == [
        ["one"],
        ["many-0", "many-1"],
    ]
