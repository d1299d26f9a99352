"""What every gate refuses, at once and in words: one suite for all of them."""

import time
from collections import Counter
from contextlib import ExitStack

import grpc
import pytest
from adtargeting.v1 import targeting_pb2

from server.gate.methods import DECIDE, DECIDE_BATCH, SET_PREFERENCE
from server.gate.port import Method
from server.gate.room import Capacity
from tests.contracts.gates import (
    OpenGate,
    open_gate,
    own_channel,
    problem_of,
    send,
    status_of,
    wait_until,
)

__all__ = ["open_gate"]

LANES = pytest.mark.parametrize("method", [DECIDE, SET_PREFERENCE], ids=lambda method: method.lane.value)
FULL = grpc.StatusCode.RESOURCE_EXHAUSTED


@LANES
def test_a_full_room_refuses_at_once_and_serves_again_when_there_is_room(open_gate: OpenGate, method: Method) -> None:
    gate = open_gate(room=Capacity(decisions=2, bytes=1000))
    with ExitStack() as stack:
        first, second, third = (stack.enter_context(own_channel(gate.address)) for _ in range(3))
        waiting = [send(first, method), send(second, method)]
        wait_until(lambda: gate.gate.inflight() == 2)
        refused = problem_of(send(third, method))
        assert (refused.code(), refused.details()) == (FULL, "too many calls are waiting; try again later")
        gate.answer_one(b"done", method.lane)
        gate.answer_one(b"done", method.lane)
        assert [each.result() for each in waiting] == [b"done", b"done"]
        sent = send(third, method)
        gate.answer_one(b"again", method.lane)
        assert sent.result() == b"again"


@pytest.mark.fault(row=23)
@LANES
def test_no_client_takes_more_than_it_leaves_free(open_gate: OpenGate, method: Method) -> None:
    gate = open_gate(room=Capacity(decisions=12, bytes=1000))
    with own_channel(gate.address) as greedy, own_channel(gate.address) as modest:
        sent = [send(greedy, method) for _ in range(12)]
        wait_until(lambda: sum(call.done() for call in sent) == 6)
        assert gate.gate.inflight() == 6
        assert {status_of(call) for call in sent if call.done()} == {FULL}
        assert gate.gate.refused()["share"] == 6
        # The other finds room, for as long as it too leaves some.
        others = [send(modest, method) for _ in range(4)]
        wait_until(lambda: sum(call.done() for call in others) == 1)
        for _ in range(9):
            gate.answer_one(b"", method.lane)
        assert [call.exception() is None for call in others].count(True) == 3


def test_of_very_many_calls_at_once_each_is_taken_or_refused(open_gate: OpenGate) -> None:
    gate = open_gate(room=Capacity(decisions=1000, wait_s=1000))
    gate.echoes = True
    with ExitStack() as stack:
        channels = [stack.enter_context(own_channel(gate.address)) for _ in range(4)]
        sent = [send(channel, DECIDE, timeout=60) for channel in channels for _ in range(900)]
        ends = Counter("OK" if call.exception() is None else status_of(call).name for call in sent)
    # By the room, or by h2corn.
    assert ends.keys() <= {"OK", "RESOURCE_EXHAUSTED", "UNAVAILABLE"}
    assert ends["OK"] >= 500


def test_single_calls_that_could_not_be_served_in_time_are_refused_at_once(open_gate: OpenGate) -> None:
    gate = open_gate(room=Capacity(decisions=1000, wait_s=0.01))
    with own_channel(gate.address) as channel:
        # At 100 µs each, which is assumed as long as none was measured, 100 take 10 ms.
        sent = [send(channel, DECIDE) for _ in range(150)]
        wait_until(lambda: gate.gate.inflight() + sum(call.done() for call in sent) == 150)
        assert gate.gate.inflight() == 101
        refused = {problem_of(call).details() for call in sent if call.done()}
        assert refused == {"the call's turn would come too late; try again later"}
        batch = send(channel, DECIDE_BATCH, b"")
        wait_until(lambda: gate.gate.inflight() == 102)
        gate.answer_all(b"")
        batch.result()


@pytest.mark.fault(row=10)
def test_a_deadline_that_comes_before_the_turn_refuses_at_once(open_gate: OpenGate) -> None:
    gate = open_gate(room=Capacity(decisions=20_000, wait_s=1000))
    with own_channel(gate.address) as channel, own_channel(gate.address) as other:
        filling = targeting_pb2.DecideRequest(third_party_networks=["x"] * 64).SerializeToString()
        waiting = [send(channel, DECIDE, filling, timeout=60) for _ in range(150)]
        wait_until(lambda: gate.gate.inflight() == 150)
        started_s = time.monotonic()
        # 150 calls of 65 decisions at 100 µs would take a second.
        refused = problem_of(send(other, DECIDE, timeout=0.9))
        assert time.monotonic() - started_s < 0.8
        assert refused.details() == "the call's turn would come too late; try again later"
        gate.answer_all(b"")
        assert all(call.result() == b"" for call in waiting)


@pytest.mark.fault(row=23)
def test_a_heavy_call_takes_no_more_than_a_quarter_of_the_room(open_gate: OpenGate) -> None:
    gate = open_gate(room=Capacity(decisions=40))
    heavy = targeting_pb2.DecideBatchRequest(requests=[{"account_id": "a"}] * 256).SerializeToString()
    with ExitStack() as stack:
        channels = [stack.enter_context(own_channel(gate.address)) for _ in range(3)]
        waiting = [send(channel, DECIDE_BATCH, heavy) for channel in channels]
        wait_until(lambda: gate.gate.inflight() == 3)
        waiting.append(send(channels[0], DECIDE_BATCH, heavy))
        assert status_of(waiting[3]) is FULL
        gate.answer_all(b"")
        assert [each.result() for each in waiting[:3]] == [b""] * 3


@pytest.mark.fault(row=10)
@LANES
def test_a_room_full_of_bytes_refuses(open_gate: OpenGate, method: Method) -> None:
    gate = open_gate(room=Capacity(decisions=10, bytes=1000))
    with own_channel(gate.address) as channel:
        sent = send(channel, method, bytes(900))
        wait_until(lambda: gate.gate.inflight() == 1)
        assert status_of(send(channel, method, bytes(200))) is FULL
        gate.answer_one(b"", method.lane)
        sent.result()


@pytest.mark.parametrize(
    ("full", "free"), [(SET_PREFERENCE, DECIDE), (DECIDE, SET_PREFERENCE)], ids=["writes wait", "decisions wait"]
)
@pytest.mark.parametrize("room", [Capacity(1, 1000), Capacity(10, 8)], ids=["calls", "bytes"])
def test_a_full_lane_takes_no_room_from_the_other(
    open_gate: OpenGate, full: Method, free: Method, room: Capacity
) -> None:
    gate = open_gate(room=room)
    with own_channel(gate.address) as channel:
        waiting = send(channel, full, b"question")
        wait_until(lambda: gate.gate.inflight() == 1)
        sent = send(channel, free, b"question")
        gate.answer_one(b"answer", free.lane)
        assert sent.result() == b"answer"
        assert not waiting.done()
