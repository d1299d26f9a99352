"""What every gate must do with calls: one suite for all of them."""

import math
import random
import time
from functools import partial
from typing import Any

import grpc
import pytest
from google.rpc import status_pb2

from server.gate.methods import DECIDE, DECIDE_BATCH, EXPLAIN, METHODS, SET_PREFERENCE
from server.gate.port import CANCELLED, OK, Lane, Method, Refusal
from server.gate.room import Capacity
from server.security.roles import Role
from tests.contracts.gates import (
    OpenedGate,
    OpenGate,
    gate_and_channel,
    open_gate,
    own_channel,
    problem_of,
    send,
    status_of,
    wait_until,
)

__all__ = ["gate_and_channel", "open_gate"]

Fixture = tuple[OpenedGate, grpc.Channel]
_CUT_OFF = (grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.UNKNOWN, grpc.StatusCode.INTERNAL)


def test_a_call_waits_in_its_lane_with_its_bytes_and_gets_its_answer(gate_and_channel: Fixture) -> None:
    gate, channel = gate_and_channel
    for method in METHODS:
        sent = send(channel, method, b"question")
        call = gate.answer_one(b"answer", method.lane)
        assert (call.method, call.payload) == (method, b"question")
        assert sent.result() == b"answer"


@pytest.mark.parametrize("size", [0, 1, 5, 16_384, 65_536])
def test_messages_of_any_size_come_in_and_go_out_unchanged(gate_and_channel: Fixture, size: int) -> None:
    gate, channel = gate_and_channel
    message = bytes(number % 251 for number in range(size))
    sent = send(channel, DECIDE, message)
    assert gate.answer_one(message * 8).payload == message
    assert sent.result() == message * 8


def test_what_waits_is_taken_oldest_first_and_each_gets_its_own_answer(gate_and_channel: Fixture) -> None:
    gate, channel = gate_and_channel
    sent = []
    for number in range(5):
        sent.append(send(channel, DECIDE, b"%d" % number))
        wait_until(partial(_inflight_is, gate, number + 1))
    calls = [gate.take_one() for _ in range(5)]
    assert [call.payload for call in calls] == [b"0", b"1", b"2", b"3", b"4"]
    for call in reversed(calls):
        gate.gate.answer(call, b"re " + call.payload)
    assert [each.result() for each in sent] == [b"re %d" % number for number in range(5)]
    wait_until(partial(_inflight_is, gate, 0))


def _inflight_is(gate: OpenedGate, count: int) -> bool:
    return gate.gate.inflight() == count


def test_nothing_waiting_is_none_after_the_timeout(gate_and_channel: Fixture) -> None:
    assert gate_and_channel[0].gate.take(0.01) is None


def test_arrival_and_deadline_are_on_the_monotonic_clock(gate_and_channel: Fixture) -> None:
    gate, channel = gate_and_channel
    before = time.monotonic()
    sent = send(channel, DECIDE, timeout=7)
    call = gate.answer_one(b"")
    assert before <= call.arrived_s <= time.monotonic()
    # gRPC sends the time left, rounded, not a point in time.
    assert before + 5 < call.deadline_s < time.monotonic() + 9
    sent.result()


def test_a_caller_without_a_deadline_never_stops_waiting(gate_and_channel: Fixture) -> None:
    gate, channel = gate_and_channel
    sent = send(channel, DECIDE, timeout=None)
    assert gate.answer_one(b"").deadline_s == math.inf
    sent.result()


@pytest.mark.parametrize("lane", [DECIDE, SET_PREFERENCE], ids=lambda method: method.lane.value)
def test_a_refusal_carries_code_message_and_details(gate_and_channel: Fixture, lane: Method) -> None:
    gate, channel = gate_and_channel
    sent = send(channel, lane)
    message = "no: 100 % of \N{BULLET} and\nmore"
    status = status_pb2.Status(code=3, message=message).SerializeToString()
    gate.gate.answer(gate.take_one(lane.lane), Refusal(3, message, status))
    problem = problem_of(sent)
    assert problem.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert problem.details() == message
    metadata: Any = problem.trailing_metadata()  # pairs, whatever the stubs say
    assert ("grpc-status-details-bin", status) in [tuple(item) for item in metadata]


def test_a_call_whose_caller_has_gone_is_marked_and_its_answer_dropped(gate_and_channel: Fixture) -> None:
    gate, channel = gate_and_channel
    sent = send(channel, DECIDE)
    call = gate.take_one()
    sent.cancel()
    wait_until(lambda: call.gone)
    assert gate.gate.inflight() == 0
    gate.gate.answer(call, b"too late")
    other = send(channel, DECIDE, b"next")
    gate.answer_one(b"mine")
    assert other.result() == b"mine"


def test_a_second_answer_to_a_call_is_dropped(gate_and_channel: Fixture) -> None:
    gate, channel = gate_and_channel
    sent = send(channel, DECIDE)
    call = gate.answer_one(b"first")
    assert sent.result() == b"first"
    other = send(channel, DECIDE, b"next")
    gate.gate.answer(call, b"second")
    gate.answer_one(b"mine")
    assert other.result() == b"mine"


@pytest.mark.parametrize("method", [DECIDE, DECIDE_BATCH], ids=lambda method: method.path)
def test_a_request_larger_than_its_rpc_takes_is_refused(gate_and_channel: Fixture, method: Method) -> None:
    gate, channel = gate_and_channel
    refused = problem_of(send(channel, method, bytes(method.max_bytes + 1)))
    assert refused.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert gate.nothing_waits(method.lane)
    far_too_large = problem_of(send(channel, method, bytes(4 * 1024 * 1024)))
    # Beyond every limit the server in front ends the stream, which gRPC reports as it likes.
    assert far_too_large.code() in _CUT_OFF
    assert gate.nothing_waits(method.lane)


def test_ended_calls_are_counted_by_rpc_and_status(open_gate: OpenGate) -> None:
    gate = open_gate(room=Capacity(decisions=1, bytes=1 << 20))
    with grpc.insecure_channel(gate.address) as channel:
        for _ in range(2):
            sent = send(channel, DECIDE)
            gate.answer_one(b"")
            sent.result()
        gone = send(channel, DECIDE)
        call = gate.take_one()
        assert status_of(send(channel, DECIDE)) is grpc.StatusCode.RESOURCE_EXHAUSTED
        gone.cancel()
        wait_until(lambda: call.gone)
        refused = send(channel, SET_PREFERENCE)
        gate.gate.answer(gate.take_one(Lane.OTHER), Refusal(3, "no"))
        assert status_of(refused) is grpc.StatusCode.INVALID_ARGUMENT
        assert status_of(send(channel, EXPLAIN, bytes(EXPLAIN.max_bytes + 1))) is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert {method: dict(counts) for method, counts in gate.gate.ended().items() if counts} == {
        DECIDE: {OK: 2, CANCELLED: 1, 8: 1},
        SET_PREFERENCE: {3: 1},
        EXPLAIN: {8: 1},
    }
    assert {cause: count for cause, count in gate.gate.refused().items() if count} == {"room": 1, "size": 1}


@pytest.mark.parametrize("path", ["/adtargeting.v1.TargetingService/Guess", "/no.Such/Service"])
def test_an_unknown_method_is_unimplemented(gate_and_channel: Fixture, path: str) -> None:
    _, channel = gate_and_channel
    assert status_of(send(channel, Method(path, Lane.OTHER, Role.DECIDE, 1))) is grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.parametrize("method", [DECIDE, SET_PREFERENCE], ids=lambda method: method.lane.value)
def test_a_compressed_call_is_served_as_any_other(gate_and_channel: Fixture, method: Method) -> None:
    gate, channel = gate_and_channel
    call: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(method.path)
    sent = call.future(b"question" * 100, timeout=10, compression=grpc.Compression.Gzip)
    assert gate.answer_one(b"answer", method.lane).payload == b"question" * 100
    assert sent.result() == b"answer"


def test_a_bomb_is_refused(gate_and_channel: Fixture) -> None:
    gate, channel = gate_and_channel
    call: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(DECIDE.path)
    sent = call.future(bytes(3 * 1024 * 1024), timeout=10, compression=grpc.Compression.Gzip)
    assert status_of(sent) is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert gate.nothing_waits(Lane.DECISIONS)


def test_a_call_with_metadata_and_a_call_from_another_connection_are_served(open_gate: OpenGate) -> None:
    gate = open_gate()
    with own_channel(gate.address) as first, own_channel(gate.address) as second:
        call: grpc.UnaryUnaryMultiCallable[bytes, bytes] = first.unary_unary(DECIDE.path)
        sent = call.future(b"one", timeout=10, metadata=(("x-request", "1"), ("x-bin", b"\0\xff")))
        one = gate.answer_one(b"1")
        assert sent.result() == b"1"
        other = send(second, DECIDE, b"two")
        two = gate.answer_one(b"2")
        assert other.result() == b"2"
    assert one.client != two.client
    assert one.client


def test_when_half_of_all_calls_are_cancelled_every_other_gets_its_own_answer(open_gate: OpenGate) -> None:
    gate = open_gate()
    gate.echoes = True
    dice = random.Random(8)
    kept: dict[bytes, grpc.Future[bytes]] = {}
    with own_channel(gate.address) as channel:
        # 180 are cancelled: h2corn ends a connection that resets more than 200 (ADR 29).
        for number in range(360):
            payload = b"%d" % number
            sent = send(channel, DECIDE, payload, timeout=30)
            if number % 2:
                kept[payload] = sent
                continue
            if dice.random() < 0.5:
                time.sleep(dice.random() * 0.001)
            sent.cancel()
        assert {payload: sent.result() for payload, sent in kept.items()} == {payload: payload for payload in kept}
        wait_until(partial(_inflight_is, gate, 0))
