"""Every gate, opened for a test, with its calls in the test's hands."""

import time
from collections.abc import Callable, Iterator
from queue import SimpleQueue

import grpc
import pytest

from server.gate.grpcio import GrpcioGate
from server.gate.grpcio_limits import GrpcioLimits
from server.gate.http2.gate import Http2Gate
from server.gate.http2.limits import Http2Limits
from server.gate.port import Call, DecisionLane, Gate, Lane, Method
from server.gate.room import DEFAULT_CAPACITY, Capacity

MANY = 8192
"""Calls in flight of one connection: more than a test sends."""

GATES: dict[str, Callable[[str, Capacity], Gate]] = {
    "grpcio": lambda address, capacity: GrpcioGate(address, capacity, GrpcioLimits(streams=MANY)),
    "http2": lambda address, capacity: Http2Gate(address, capacity, Http2Limits(streams=MANY)),
}


class OpenedGate:
    """A gate whose decision calls are handed to the test, instead of a worker."""

    def __init__(self, name: str, address: str, capacity: Capacity) -> None:
        self.gate = GATES[name](address, capacity)
        self.address = self.gate.open()
        self.echoes = False
        """Whether decision calls are answered at once, with their own bytes."""
        self._decisions: SimpleQueue[Call] = SimpleQueue()
        self.gate.decide_with(self._hand_over)

    def take_one(self, lane: Lane = Lane.DECISIONS) -> Call:
        if lane is Lane.DECISIONS:
            return self._decisions.get(timeout=5)
        call = self.gate.take(5)
        assert call is not None
        return call

    def nothing_waits(self, lane: Lane) -> bool:
        return self._decisions.empty() if lane is Lane.DECISIONS else self.gate.take(0.01) is None

    def answer_one(self, answer: bytes, lane: Lane = Lane.DECISIONS) -> Call:
        call = self.take_one(lane)
        self.gate.answer(call, answer)
        return call

    def answer_all(self, answer: bytes, lane: Lane = Lane.DECISIONS) -> None:
        while self.gate.inflight():
            if not self._decisions.empty() or lane is not Lane.DECISIONS:
                self.answer_one(answer, lane)

    async def _hand_over(self, lane: DecisionLane) -> None:
        while True:
            await lane.arrival()
            while lane.waiting:
                call = lane.waiting.popleft()
                if self.echoes:
                    lane.answer(call, call.payload)
                else:
                    self._decisions.put(call)


OpenGate = Callable[..., OpenedGate]


@pytest.fixture(params=sorted(GATES))
def open_gate(request: pytest.FixtureRequest) -> Iterator[OpenGate]:
    opened: list[OpenedGate] = []

    def open_one(address: str = "127.0.0.1:0", room: Capacity = DEFAULT_CAPACITY) -> OpenedGate:
        opened.append(OpenedGate(request.param, address, room))
        return opened[-1]

    yield open_one
    for each in opened:
        each.gate.close(0)


@pytest.fixture
def gate_and_channel(open_gate: OpenGate) -> Iterator[tuple[OpenedGate, grpc.Channel]]:
    opened = open_gate()
    with grpc.insecure_channel(opened.address) as channel:
        yield opened, channel


def own_channel(address: str) -> grpc.Channel:
    """A channel with a connection of its own: to a gate, another client."""
    return grpc.insecure_channel(address, (("grpc.use_local_subchannel_pool", 1),))


def send(
    channel: grpc.Channel, method: Method, payload: bytes = b"", timeout: float | None = 10
) -> "grpc.Future[bytes]":
    call: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(method.path)
    return call.future(payload, timeout=timeout)


def problem_of(sent: "grpc.Future[bytes]") -> grpc.Call:
    """How a call ended that was refused."""
    problem = sent.exception()
    assert isinstance(problem, grpc.Call)
    return problem


def status_of(sent: "grpc.Future[bytes]") -> grpc.StatusCode:
    code: grpc.StatusCode = problem_of(sent).code()
    return code


def wait_until(holds: Callable[[], bool], timeout_s: float = 30) -> None:
    deadline = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline, "did not come true in time"
        time.sleep(0.005)
