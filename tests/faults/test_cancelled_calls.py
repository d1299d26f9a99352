"""Half of all calls cancelled at random points: every other gets its own answer, and no connection is lost for it."""

import asyncio
import random
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from adtargeting.v1 import targeting_pb2 as pb
from adtargeting.v1.targeting_pb2_grpc import TargetingServiceStub

from server.app import Service
from server.decisions import fetcher
from server.decisions.decider import Stored
from server.decisions.fetcher import Fetcher
from server.decisions.group import Group
from server.decisions.worker import Worker
from server.gate import lanes
from server.gate.methods import DECIDE
from server.gate.port import Answer, Call, DecisionLane, Gate
from server.gate.room import Capacity
from server.store.ports import Reading
from tests.contracts.gates import GATES, own_channel, send, wait_until
from tests.faults.matrix.marks import Figure
from tests.faults.redis_process import RedisProcess
from tests.server.running_service import settings

pytestmark = pytest.mark.fault(row=8)

PROTECTED = pytest.mark.parametrize("protected", [True, False], ids=["protected", "unprotected"])
CALLS = 60
CANCELLED = 30


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


@pytest.mark.parametrize("gate_name", sorted(GATES))
def test_calls_beside_those_that_are_cancelled_at_random_get_their_own_answers(tmp_path: Path, gate_name: str) -> None:
    dice = random.Random(8)
    with serving(tmp_path, gate_name) as (redis, service), own_channel(service.address) as channel:
        decide = TargetingServiceStub(channel).Decide
        before = redis.connections_received()
        kept = {}
        for number in range(400):
            call = decide.future(asked(number), timeout=30)
            if number % 2:
                kept[str(number)] = call
            else:
                time.sleep(dice.random() * 0.002)
                call.cancel()
        assert {name: call.result().request_id for name, call in kept.items()} == {name: name for name in kept}
        # Threads open connections of their own when they first ask; for 200 cancelled calls there are no more.
        assert redis.connections_received() - before < 20


async def belongs_to_its_callers(worker: Worker, group: Group, fetching: "asyncio.Future[Stored]") -> None:
    """Wait for the store as most services do: a cancelled call cancels its reading."""
    for portion in group.portions:
        portion.job.call.ticket.add_done_callback(lambda _: fetching.cancel())
    worker._settle(group, await fetching)


async def wait_or_disconnect(asking: Fetcher, reading: Reading, started_s: float, budget_s: float) -> Stored:
    """Collect as most clients of Redis do: a cancelled reading closes its connection."""
    try:
        return await WAIT(asking, reading, started_s, budget_s)
    except asyncio.CancelledError:
        with socket.fromfd(reading.fileno(), socket.AF_INET, socket.SOCK_STREAM) as connection:
            connection.shutdown(socket.SHUT_RDWR)
        raise


WAIT = fetcher._wait


@PROTECTED
@pytest.mark.parametrize("gate_name", sorted(GATES))
def test_a_call_that_is_cancelled_while_the_store_is_asked_costs_no_connection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, figure: Figure, gate_name: str, protected: bool
) -> None:
    if not protected:
        monkeypatch.setattr(Worker, "_settle_when_fetched", belongs_to_its_callers)
        monkeypatch.setattr(fetcher, "_wait", wait_or_disconnect)
    with serving(tmp_path, gate_name) as (redis, service), own_channel(service.address) as channel:
        decide = TargetingServiceStub(channel).Decide
        decide(asked(0), timeout=30)
        before = redis.connections_received()
        for number in range(CANCELLED):
            with redis.stopped():
                doomed = decide.future(asked(number), timeout=30)
                wait_until(lambda: service.gate.inflight() == 1)
                doomed.cancel()
                wait_until(lambda: service.gate.inflight() == 0)
            assert decide(asked(number), timeout=30).request_id == str(number)
        reconnects = redis.connections_received() - before
    figure(f"{reconnects} connections to the store for {CANCELLED} cancelled calls on {gate_name}")
    assert (reconnects < CANCELLED // 2) == protected


@contextmanager
def serving(tmp_path: Path, gate_name: str) -> Iterator[tuple[RedisProcess, Service]]:
    """Run a service on a Redis that a test may stop for as long as it likes, and to which only calls connect."""
    with (
        RedisProcess(tmp_path / "redis") as redis,
        Service(
            settings(
                tmp_path,
                gate=gate_name,
                redis_url=f"redis://127.0.0.1:{redis.port}/0",
                decision_budget_ms=20_000,
                canaries="no",
            )
        ) as service,
    ):
        service._watch.close()
        yield redis, service


def asked(number: int) -> pb.DecideRequest:
    return pb.DecideRequest(request_id=str(number), account_id=f"person-{number}", ip="8.8.8.8")
