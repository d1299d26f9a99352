"""What every gate must do: one suite for all of them."""

import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from typing import Any

import grpc
import pytest
from google.rpc import status_pb2

from server.gate.grpcio import DEFAULT_CAPACITY, Capacity, GrpcioGate
from server.gate.methods import DECIDE, DECIDE_BATCH, EXPLAIN, METHODS, SERVICES, SET_PREFERENCE
from server.gate.port import CANCELLED, HEALTH_CHECKED, OK, Answer, Call, Gate, GateError, Lane, Method, Refusal
from tests.rpc import health, reflected_services

OpenGate = Callable[..., tuple[Gate, str]]
GATES = {"grpcio": GrpcioGate}


@pytest.fixture(params=sorted(GATES))
def open_gate(request: pytest.FixtureRequest) -> Iterator[OpenGate]:
    opened: list[Gate] = []

    def open_one(address: str = "127.0.0.1:0", room: Capacity = DEFAULT_CAPACITY) -> tuple[Gate, str]:
        gate: Gate = GATES[request.param](address, room)
        bound = gate.open()
        opened.append(gate)
        return gate, bound

    yield open_one
    for gate in opened:
        gate.close(0)


@pytest.fixture
def gate_and_channel(open_gate: OpenGate) -> Iterator[tuple[Gate, grpc.Channel]]:
    gate, address = open_gate()
    with grpc.insecure_channel(address) as channel:
        yield gate, channel


def send(channel: grpc.Channel, method: Method, payload: bytes = b"", timeout: float = 10) -> "grpc.Future[bytes]":
    call: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(method.path)
    return call.future(payload, timeout=timeout)


def status_of(sent: "grpc.Future[bytes]") -> grpc.StatusCode:
    """How a call ended that was refused."""
    problem = sent.exception()
    assert isinstance(problem, grpc.Call)
    code: grpc.StatusCode = problem.code()
    return code


def _inflight_is(gate: Gate, count: int) -> bool:
    return gate.inflight() == count


def take_one(gate: Gate, lane: Lane = Lane.DECISIONS) -> Call:
    (call,) = gate.take(lane, 1, 5)
    return call


def test_a_call_waits_in_its_lane_with_its_bytes_and_gets_its_answer(
    gate_and_channel: tuple[Gate, grpc.Channel],
) -> None:
    gate, channel = gate_and_channel
    for method in METHODS:
        sent = send(channel, method, b"question")
        call = take_one(gate, method.lane)
        assert (call.method, call.payload) == (method, b"question")
        gate.answer([(call, b"answer")])
        assert sent.result() == b"answer"


def test_what_waits_is_taken_together_oldest_first_up_to_the_limit(
    gate_and_channel: tuple[Gate, grpc.Channel],
) -> None:
    gate, channel = gate_and_channel
    sent = []
    for number in range(5):
        sent.append(send(channel, DECIDE, b"%d" % number))
        wait_until(partial(_inflight_is, gate, number + 1))
    first, rest = gate.take(Lane.DECISIONS, 3, 5), gate.take(Lane.DECISIONS, 64, 5)
    assert [call.payload for call in first] == [b"0", b"1", b"2"]
    assert [call.payload for call in rest] == [b"3", b"4"]
    gate.answer([(call, b"re " + call.payload) for call in (*rest, *first)])
    assert [each.result() for each in sent] == [b"re %d" % number for number in range(5)]
    wait_until(lambda: gate.inflight() == 0)


def test_nothing_waiting_is_an_empty_list_after_the_timeout(
    gate_and_channel: tuple[Gate, grpc.Channel],
) -> None:
    gate, _ = gate_and_channel
    assert gate.take(Lane.OTHER, 1, 0.01) == []


def test_arrival_and_deadline_are_on_the_monotonic_clock(gate_and_channel: tuple[Gate, grpc.Channel]) -> None:
    gate, channel = gate_and_channel
    before = time.monotonic()
    sent = send(channel, DECIDE, timeout=7)
    call = take_one(gate)
    assert before <= call.arrived_s <= time.monotonic()
    # gRPC sends the time left, rounded, not a point in time.
    assert before + 5 < call.deadline_s < time.monotonic() + 9
    gate.answer([(call, b"")])
    sent.result()


def test_a_caller_without_a_deadline_never_stops_waiting(gate_and_channel: tuple[Gate, grpc.Channel]) -> None:
    gate, channel = gate_and_channel
    call_method: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(DECIDE.path)
    sent = call_method.future(b"")
    call = take_one(gate)
    assert call.deadline_s == math.inf
    gate.answer([(call, b"")])
    sent.result()


def test_a_refusal_carries_code_message_and_details(gate_and_channel: tuple[Gate, grpc.Channel]) -> None:
    gate, channel = gate_and_channel
    sent = send(channel, DECIDE)
    status = status_pb2.Status(code=3, message="no").SerializeToString()
    gate.answer([(take_one(gate), Refusal(3, "no", status))])
    with pytest.raises(grpc.RpcError) as caught:
        sent.result()
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert caught.value.details() == "no"
    metadata: Any = caught.value.trailing_metadata()  # pairs, whatever the stubs say
    assert ("grpc-status-details-bin", status) in [tuple(item) for item in metadata]


def test_a_call_whose_caller_has_gone_is_marked_and_its_answer_dropped(
    gate_and_channel: tuple[Gate, grpc.Channel],
) -> None:
    gate, channel = gate_and_channel
    sent = send(channel, DECIDE)
    call = take_one(gate)
    sent.cancel()
    wait_until(lambda: call.gone)
    assert gate.inflight() == 0
    gate.answer([(call, b"too late")])
    other = send(channel, DECIDE, b"next")
    gate.answer([(take_one(gate), b"mine")])
    assert other.result() == b"mine"


def test_a_second_answer_to_a_call_is_dropped(gate_and_channel: tuple[Gate, grpc.Channel]) -> None:
    gate, channel = gate_and_channel
    sent = send(channel, DECIDE)
    call = take_one(gate)
    gate.answer([(call, b"first")])
    assert sent.result() == b"first"
    other = send(channel, DECIDE, b"next")
    gate.answer([(call, b"second"), (take_one(gate), b"mine")])
    assert other.result() == b"mine"


LANES = pytest.mark.parametrize("method", [DECIDE, SET_PREFERENCE], ids=lambda method: method.lane.value)


@LANES
def test_a_full_room_refuses_at_once_and_serves_again_when_there_is_room(open_gate: OpenGate, method: Method) -> None:
    gate, address = open_gate(room=Capacity(calls=2, bytes=1000))
    with grpc.insecure_channel(address) as channel:
        waiting = [send(channel, method), send(channel, method)]
        wait_until(lambda: gate.inflight() == 2)
        with pytest.raises(grpc.RpcError) as caught:
            send(channel, method).result()
        assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        gate.answer([(call, b"done") for call in gate.take(method.lane, 2, 5)])
        assert [each.result() for each in waiting] == [b"done", b"done"]
        sent = send(channel, method)
        gate.answer([(take_one(gate, method.lane), b"again")])
        assert sent.result() == b"again"


def test_of_very_many_calls_at_once_each_is_taken_or_refused_in_words(open_gate: OpenGate) -> None:
    gate, address = open_gate(room=Capacity(calls=1500))
    own = (("grpc.use_local_subchannel_pool", 1),)
    with ExitStack() as stack:
        channels = [stack.enter_context(grpc.insecure_channel(address, own)) for _ in range(4)]
        sent = [send(channel, DECIDE) for channel in channels for _ in range(900)]
        wait_until(lambda: gate.inflight() == 1500 and sum(call.done() for call in sent) == 2100)
        while gate.inflight():
            gate.answer([(call, b"") for call in gate.take(DECIDE.lane, 256, 0.1)])
        ends = Counter("OK" if call.exception() is None else status_of(call).name for call in sent)
    assert ends == {"OK": 1500, "RESOURCE_EXHAUSTED": 2100}


def test_a_batch_takes_room_by_its_size(open_gate: OpenGate) -> None:
    gate, address = open_gate(room=Capacity(calls=10))
    with grpc.insecure_channel(address) as channel:
        size = 6 * DECIDE_BATCH.item_bytes
        waiting = [send(channel, DECIDE_BATCH, bytes(size))]
        wait_until(lambda: gate.inflight() == 1)
        assert status_of(send(channel, DECIDE_BATCH, bytes(size))) is grpc.StatusCode.RESOURCE_EXHAUSTED
        waiting.append(send(channel, DECIDE, b""))
        wait_until(lambda: gate.inflight() == 2)
        gate.answer([(call, b"") for call in gate.take(DECIDE.lane, 2, 5)])
        assert [each.result() for each in waiting] == [b"", b""]
        # Whatever its size, one alone is taken.
        alone = send(channel, DECIDE_BATCH, bytes(100 * DECIDE_BATCH.item_bytes))
        gate.answer([(take_one(gate, DECIDE.lane), b"")])
        assert alone.result() == b""


@LANES
def test_a_room_full_of_bytes_refuses(open_gate: OpenGate, method: Method) -> None:
    gate, address = open_gate(room=Capacity(calls=10, bytes=1000))
    with grpc.insecure_channel(address) as channel:
        sent = send(channel, method, bytes(900))
        call = take_one(gate, method.lane)
        with pytest.raises(grpc.RpcError) as caught:
            send(channel, method, bytes(200)).result()
        assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        gate.answer([(call, b"")])
        sent.result()


@pytest.mark.parametrize(
    ("full", "free"), [(SET_PREFERENCE, DECIDE), (DECIDE, SET_PREFERENCE)], ids=["writes wait", "decisions wait"]
)
@pytest.mark.parametrize("room", [Capacity(calls=1, bytes=1000), Capacity(calls=10, bytes=8)], ids=["calls", "bytes"])
def test_a_full_lane_takes_no_room_from_the_other(
    open_gate: OpenGate, full: Method, free: Method, room: Capacity
) -> None:
    gate, address = open_gate(room=room)
    with grpc.insecure_channel(address) as channel:
        waiting = send(channel, full, b"question")
        wait_until(lambda: gate.inflight() == 1)
        sent = send(channel, free, b"question")
        gate.answer([(take_one(gate, free.lane), b"answer")])
        assert sent.result() == b"answer"
        assert not waiting.done()


@pytest.mark.parametrize("method", [DECIDE, DECIDE_BATCH], ids=lambda method: method.path)
def test_a_request_larger_than_its_rpc_takes_is_refused(
    gate_and_channel: tuple[Gate, grpc.Channel], method: Method
) -> None:
    gate, channel = gate_and_channel
    with pytest.raises(grpc.RpcError) as caught:
        send(channel, method, bytes(method.max_bytes + 1)).result()
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert gate.take(method.lane, 1, 0.01) == []


def test_ended_calls_are_counted_by_rpc_and_status(open_gate: OpenGate) -> None:
    gate, address = open_gate(room=Capacity(calls=1, bytes=1 << 20))
    with grpc.insecure_channel(address) as channel:
        for _ in range(2):
            sent = send(channel, DECIDE)
            gate.answer([(take_one(gate), b"")])
            sent.result()
        gone = send(channel, DECIDE)
        call = take_one(gate)
        assert status_of(send(channel, DECIDE)) is grpc.StatusCode.RESOURCE_EXHAUSTED
        gone.cancel()
        wait_until(lambda: call.gone)
        refused = send(channel, SET_PREFERENCE)
        gate.answer([(take_one(gate, Lane.OTHER), Refusal(3, "no"))])
        assert status_of(refused) is grpc.StatusCode.INVALID_ARGUMENT
        assert status_of(send(channel, EXPLAIN, bytes(EXPLAIN.max_bytes + 1))) is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert {method: dict(counts) for method, counts in gate.ended().items() if counts} == {
        DECIDE: {OK: 2, CANCELLED: 1, 8: 1},
        SET_PREFERENCE: {3: 1},
        EXPLAIN: {8: 1},
    }


def test_an_unknown_method_is_unimplemented(gate_and_channel: tuple[Gate, grpc.Channel]) -> None:
    _, channel = gate_and_channel
    with pytest.raises(grpc.RpcError) as caught:
        send(channel, Method("/adtargeting.v1.TargetingService/Guess", Lane.OTHER, 1)).result()
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_health_begins_not_serving_and_follows(gate_and_channel: tuple[Gate, grpc.Channel]) -> None:
    gate, channel = gate_and_channel
    for service in HEALTH_CHECKED:
        assert health(channel, service) == "NOT_SERVING"
        gate.set_health(service, serving=True)
        assert health(channel, service) == "SERVING"
    gate.set_health(HEALTH_CHECKED[1], serving=False)
    assert health(channel, HEALTH_CHECKED[1]) == "NOT_SERVING"


def test_reflection_lists_the_services(gate_and_channel: tuple[Gate, grpc.Channel]) -> None:
    _, channel = gate_and_channel
    assert set(SERVICES) <= reflected_services(channel)


def test_a_port_in_use_is_one_clear_error(open_gate: OpenGate, capfd: pytest.CaptureFixture[str]) -> None:
    _, address = open_gate()
    with pytest.raises(GateError, match="ADTARGETING_GRPC_ADDRESS"):
        open_gate(address)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("address", ["nonsense", "192.0.2.1:0", "no-such-host.invalid:0"])
def test_an_address_that_is_none_of_this_machine_is_the_same_error(
    open_gate: OpenGate, address: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(GateError, match="ADTARGETING_GRPC_ADDRESS"):
        open_gate(address)
    assert capfd.readouterr().err == ""


def test_closing_refuses_new_calls_and_lets_the_others_end_within_the_grace(open_gate: OpenGate) -> None:
    gate, address = open_gate()
    with grpc.insecure_channel(address) as channel:
        gate.set_health("", serving=True)
        sent = send(channel, DECIDE)
        call = take_one(gate)
        closing = threading.Thread(target=gate.close, args=(60,))
        closing.start()
        wait_until(lambda: health(channel) == "NOT_SERVING")
        assert status_of(send(channel, SET_PREFERENCE)) is grpc.StatusCode.UNAVAILABLE
        answers: list[tuple[Call, Answer]] = [(call, b"in time")]
        gate.answer(answers)
        assert sent.result() == b"in time"
        closing.join(timeout=30)
        assert not closing.is_alive()


def test_a_watch_of_health_does_not_keep_a_gate_open(open_gate: OpenGate) -> None:
    gate, address = open_gate()
    with grpc.insecure_channel(address) as channel:
        watch: grpc.UnaryStreamMultiCallable[bytes, bytes] = channel.unary_stream("/grpc.health.v1.Health/Watch")
        seen = watch(b"")
        next(seen)
        closing = threading.Thread(target=gate.close, args=(600,))
        closing.start()
        closing.join(timeout=30)
        assert not closing.is_alive()
        with pytest.raises(grpc.RpcError):
            list(seen)


def wait_until(holds: Callable[[], bool], timeout_s: float = 5) -> None:
    deadline = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline, "did not come true in time"
        time.sleep(0.005)
