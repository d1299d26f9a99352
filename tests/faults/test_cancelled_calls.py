"""Half of all calls cancelled at random points: every other gets its own answer, and no connection is lost for it."""

import asyncio
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from adtargeting.v1 import targeting_pb2 as pb
from adtargeting.v1.targeting_pb2_grpc import TargetingServiceStub

from server.app import Service
from server.gate import lanes
from server.gate.methods import DECIDE
from server.gate.port import Answer, Call, DecisionLane, Gate
from server.gate.room import Capacity
from server.store.redis.connector import Connector
from tests.contracts.gates import GATES, own_channel, send, wait_until
from tests.faults.redis_process import RedisProcess
from tests.server.running_service import settings

pytestmark = pytest.mark.fault(row=8)

PROTECTED = pytest.mark.parametrize("protected", [True, False], ids=["protected", "unprotected"])
CALLS = 60


@pytest.fixture(params=sorted(GATES))
def gate(request: pytest.FixtureRequest) -> Iterator[Gate]:
    gate = GATES[request.param]("127.0.0.1:0", Capacity(decisions=1000, wait_s=1000))
    yield gate
    gate.close(0)


async def answer_late(lane: DecisionLane) -> None:
    """Answer only once half of the first calls have been cancelled, those that are gone as well."""
    taken: list[Call] = []
    while len(taken) < CALLS:
        await lane.arrival()
        while lane.waiting:
            taken.append(lane.waiting.popleft())
    while sum(call.gone for call in taken) < CALLS // 2:
        await asyncio.sleep(0.001)
    for call in taken:
        lane.answer(call, b"re " + call.payload)
    await asyncio.Event().wait()


def answer_always(_: lanes.Decisions, call: Call, answer: Answer) -> None:
    """Answer a call that has been answered or cancelled, too."""
    call.ticket.set_result(answer)


@PROTECTED
def test_a_cancelled_call_ends_neither_the_worker_nor_another_call(
    gate: Gate, monkeypatch: pytest.MonkeyPatch, protected: bool
) -> None:
    if not protected:
        monkeypatch.setattr(lanes.Decisions, "answer", answer_always)
    address = gate.open()
    gate.decide_with(answer_late)
    with own_channel(address) as channel:
        payloads = [b"%d" % number for number in range(CALLS)]
        sent = {payload: send(channel, DECIDE, payload, timeout=60) for payload in payloads}
        wait_until(lambda: gate.inflight() == CALLS)
        cancelled = random.Random(8).sample(payloads, CALLS // 2)
        for payload in cancelled:
            sent.pop(payload).cancel()
        if protected:
            assert {payload: call.result() for payload, call in sent.items()} == {each: b"re " + each for each in sent}
            assert gate.is_alive()
        else:
            wait_until(lambda: not gate.is_alive())


def forget_connection(connector: Connector) -> None:
    """Close the connection after each question, as if the call that was asked for had taken it along."""
    if connector._connection is not None:
        connector._connection.close()
        connector._connection = None


@PROTECTED
@pytest.mark.parametrize("gate_name", sorted(GATES))
def test_cancelling_costs_no_connection_to_the_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gate_name: str, protected: bool
) -> None:
    if not protected:
        monkeypatch.setattr(Connector, "connected", forget_connection)
    dice = random.Random(8)
    with (
        RedisProcess(tmp_path / "redis") as redis,
        Service(settings(tmp_path, gate=gate_name, redis_url=f"redis://127.0.0.1:{redis.port}/0")) as service,
        own_channel(service.address) as channel,
    ):
        decide = TargetingServiceStub(channel).Decide
        decide(pb.DecideRequest(account_id="first", ip="8.8.8.8"), timeout=10)
        before = connections_received(redis)
        kept = {}
        for number in range(400):
            asked = pb.DecideRequest(request_id=str(number), account_id=f"person-{number}", ip="8.8.8.8")
            call = decide.future(asked, timeout=30)
            if number % 2:
                kept[asked.request_id] = call
            else:
                time.sleep(dice.random() * 0.002)
                call.cancel()
        answers = {name: call.result() for name, call in kept.items()}
        assert all(answer.request_id == name for name, answer in answers.items())
        # Threads open connections of their own when they first ask; for 200 cancelled calls there are no more.
        assert (connections_received(redis) - before < 20) == protected


def connections_received(redis: RedisProcess) -> int:
    """Return how many connections the server has ever accepted; one more for asking."""
    told = redis.ask(b"INFO", b"stats")
    assert isinstance(told, bytes)
    return int(told.split(b"total_connections_received:")[1].split()[0])
