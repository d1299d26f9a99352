"""Ten times more calls than fit: each is refused at once, in words, or served; and what is held stays bounded."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack

import grpc
import pytest

from server.gate.grpcio import GrpcioGate
from server.gate.grpcio_limits import GrpcioLimits
from server.gate.methods import DECIDE
from server.gate.port import DecisionLane
from server.gate.room import Capacity, Room
from tests.contracts.gates import GATES, OpenedGate, own_channel, send, status_of, wait_until
from tests.faults.matrix.marks import Figure

pytestmark = pytest.mark.fault(row=10)

PROTECTED = pytest.mark.parametrize("protected", [True, False], ids=["protected", "unprotected"])
CAPACITY = Capacity(decisions=40, wait_s=1000)
CLIENTS, CALLS = 4, 400


@pytest.fixture(params=sorted(GATES))
def gate(request: pytest.FixtureRequest) -> Iterator[OpenedGate]:
    opened = OpenedGate(request.param, "127.0.0.1:0", CAPACITY)
    yield opened
    opened.gate.close(0)


@pytest.fixture
def channels() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@PROTECTED
def test_what_does_not_fit_is_refused_while_the_rest_waits(
    gate: OpenedGate, channels: ExitStack, monkeypatch: pytest.MonkeyPatch, figure: Figure, protected: bool
) -> None:
    if not protected:
        monkeypatch.setattr(Room, "cause_against", lambda *_: None)
    clients = [channels.enter_context(own_channel(gate.address)) for _ in range(CLIENTS)]
    sent = [send(client, DECIDE, bytes(100), timeout=60) for _ in range(CALLS // CLIENTS) for client in clients]
    # Nothing is answered yet: what has ended was refused without waiting for others.
    wait_until(lambda: gate.gate.inflight() + sum(call.done() for call in sent) == CALLS)
    refused = {status_of(call) for call in sent if call.done()}
    assert refused == ({grpc.StatusCode.RESOURCE_EXHAUSTED} if protected else set())
    held = gate.gate.inflight()
    figure(
        f"{gate.gate.name}: {CALLS - held} of {CALLS} refused at once, {held} held in a room of {CAPACITY.decisions}"
    )
    assert (held <= CAPACITY.decisions) == protected
    gate.answer_all(b"served")
    assert {call.result() for call in sent if call.exception() is None} == {b"served"}
    wait_until(lambda: gate.gate.inflight() == 0)


def test_another_client_is_served_during_and_after(gate: OpenedGate, channels: ExitStack) -> None:
    greedy, modest = (channels.enter_context(own_channel(gate.address)) for _ in range(2))
    sent = [send(greedy, DECIDE, b"greedy", timeout=60) for _ in range(CALLS)]
    wait_until(lambda: gate.gate.inflight() + sum(call.done() for call in sent) == CALLS)
    beside = send(modest, DECIDE, b"modest")
    wait_until(lambda: gate.gate.inflight() + sum(call.done() for call in sent) == CALLS + 1)
    assert not beside.done()
    gate.answer_all(b"served")
    assert beside.result() == b"served"
    again = send(greedy, DECIDE, b"greedy")
    gate.answer_one(b"again")
    assert again.result() == b"again"


@PROTECTED
def test_grpc_cancels_no_call_that_arrives_while_the_loop_is_busy(channels: ExitStack, protected: bool) -> None:
    """On the grpcio gate, where calls wait in gRPC for the loop: more of them than the room takes."""
    limits = GrpcioLimits(streams=CALLS, pending=GrpcioLimits().pending if protected else CAPACITY.decisions)
    released = threading.Event()

    async def busy(lane: DecisionLane) -> None:
        while True:
            await lane.arrival()
            released.wait(20)
            while lane.waiting:
                lane.answer(lane.waiting.popleft(), b"")

    gate = GrpcioGate("127.0.0.1:0", CAPACITY, limits)
    address = gate.open()
    channels.callback(gate.close, 0)
    gate.decide_with(busy)
    clients = [channels.enter_context(own_channel(address)) for _ in range(CLIENTS)]
    sent = [send(client, DECIDE, timeout=60) for _ in range(CALLS // CLIENTS) for client in clients]
    if not protected:
        # The loop stands still, so it is gRPC that ends a call.
        wait_until(lambda: any(call.done() for call in sent))
    released.set()
    ends = Counter("OK" if call.exception() is None else status_of(call).name for call in sent)
    assert ("CANCELLED" not in ends) == protected
    assert ends["OK"]
