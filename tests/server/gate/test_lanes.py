"""What waits outside of the lanes: a gate that begins few calls in a round of the loop, and has many more."""

import asyncio
import math
import time

import pytest
from adtargeting.v1 import targeting_pb2 as pb

from server.gate import lanes
from server.gate.lanes import Lanes
from server.gate.methods import DECIDE, DECIDE_BATCH, SET_PREFERENCE
from server.gate.port import Call, Method
from server.gate.room import Capacity
from server.security.caller import Caller, own_caller

PROTECTED = pytest.mark.parametrize("protected", [True, False], ids=["protected", "unprotected"])
BACKLOG, A_ROUND = 1000, 64
HEAVY = pb.DecideBatchRequest(requests=[{"account_id": "a"}] * 256).SerializeToString()
FIRST_COST_S = 0.0001
"""What a decision is taken to cost before any was measured."""


def call_of(client: str, method: Method = DECIDE, payload: bytes = b"") -> Call:
    return Call(method, payload, time.monotonic(), math.inf, Caller(connection=client))


class Backlog:
    """Begins 64 calls in each round of the loop, as h2corn does."""

    def __init__(self, served: Lanes, calls: int) -> None:
        self.left = calls
        self._lanes = served
        self._begun: set[asyncio.Task[object]] = set()
        asyncio.get_running_loop().call_soon(self._begin)

    def _begin(self) -> None:
        loop = asyncio.get_running_loop()
        for number in range(min(self.left, A_ROUND)):
            self.left -= 1
            serving = self._lanes.serve(call_of(str(number % 8)))
            self._begun.add(loop.create_task(serving))
        if self.left:
            loop.call_soon(self._begin)

    async def close(self) -> None:
        self.left = 0
        # Those that were created last begin, too.
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        for task in self._begun:
            task.cancel()
        await asyncio.gather(*self._begun, return_exceptions=True)


async def left_after_a_turn(most_s: float) -> tuple[int, int]:
    """How many calls still wait outside, and how many wait inside, once a turn has let in what came."""
    served = Lanes(Capacity(wait_s=100 * FIRST_COST_S))
    backlog = Backlog(served, BACKLOG)
    await asyncio.sleep(0)
    await served.decisions.let_in(most_s)
    left, inside = backlog.left, served.inflight()
    await backlog.close()
    return left, inside


@PROTECTED
@pytest.mark.fault(row=10)
def test_what_waits_outside_is_refused_with_the_turn_instead_of_waiting_for_many(
    monkeypatch: pytest.MonkeyPatch, protected: bool
) -> None:
    if not protected:
        monkeypatch.setattr(lanes, "_FULL_ROUND", BACKLOG)
    left, inside = asyncio.run(left_after_a_turn(most_s=60.0))
    assert (left == 0) == protected
    assert inside <= 101


def test_letting_in_ends_with_its_time() -> None:
    left, _ = asyncio.run(left_after_a_turn(most_s=0.0))
    assert left >= BACKLOG - 3 * A_ROUND


async def filled() -> tuple[Lanes, Backlog]:
    served = Lanes(Capacity(wait_s=100 * FIRST_COST_S))
    backlog = Backlog(served, BACKLOG)
    await asyncio.sleep(0)
    await served.decisions.let_in(60.0)
    return served, backlog


@pytest.mark.parametrize(
    ("method", "client", "is_refused"),
    [
        pytest.param(DECIDE, "1", True, id="a single call of a client that waits"),
        pytest.param(DECIDE, "new", False, id="of one that holds nothing"),
        pytest.param(DECIDE_BATCH, "1", False, id="a batch has its own turns"),
        pytest.param(SET_PREFERENCE, "1", False, id="the other lane"),
    ],
)
def test_a_call_that_would_wait_too_long_is_refused_before_it_is_read(
    method: Method, client: str, is_refused: bool
) -> None:
    async def refusal() -> bool:
        served, backlog = await filled()
        refused = served.refusal_at_once(method, Caller(connection=client)) is not None
        assert served.refused["wait"] == BACKLOG - served.inflight() + is_refused
        await backlog.close()
        return refused

    assert asyncio.run(refusal()) == is_refused


@PROTECTED
@pytest.mark.fault(row=23)
def test_batches_that_fill_their_room_leave_all_of_it_to_single_calls(
    monkeypatch: pytest.MonkeyPatch, protected: bool
) -> None:
    if not protected:
        monkeypatch.setattr(Lanes, "_room_of", lambda served, _: served._singles)

    async def is_refused() -> bool:
        served = Lanes(Capacity(decisions=40))
        asked = [served.serve(call_of(str(client), DECIDE_BATCH, HEAVY)) for client in range(5)]
        waiting = [asyncio.ensure_future(each) for each in asked]
        await asyncio.sleep(0)
        single = asyncio.ensure_future(served.serve(call_of("single")))
        await asyncio.sleep(0)
        refused = single.done()
        for each in (*waiting, single):
            each.cancel()
        await asyncio.gather(*waiting, single, return_exceptions=True)
        assert served.refused["room"] == 1 + refused, "the fifth batch finds no room"
        return refused

    assert asyncio.run(is_refused()) == (not protected)


def test_a_batch_of_a_client_that_holds_its_share_is_refused_before_it_is_read() -> None:
    async def refused() -> tuple[bool, bool]:
        served = Lanes(Capacity(decisions=40))
        asked = [served.serve(call_of("greedy", DECIDE_BATCH, HEAVY)) for _ in range(2)]
        waiting = [asyncio.ensure_future(each) for each in asked]
        await asyncio.sleep(0)
        greedy, other = (served.refusal_at_once(DECIDE_BATCH, Caller(connection=name)) for name in ("greedy", "other"))
        for each in waiting:
            each.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        return greedy is not None, other is not None

    assert asyncio.run(refused()) == (True, False)


def test_a_pause_of_the_machine_is_soon_forgotten_and_overload_is_not() -> None:
    lane = Lanes(Capacity()).decisions

    def turns(count: int, cost_s: float, weight: int = 64) -> float:
        for _ in range(count):
            lane.keep_pace(weight, weight * cost_s)
        return lane.wait_s(100)

    usual_s = turns(20, 0.0001)
    assert usual_s == pytest.approx(0.01, rel=0.01)
    paused_s = turns(1, 10.0)
    assert usual_s < paused_s < 3 * usual_s
    assert turns(4, 0.0001) == pytest.approx(usual_s, rel=0.1)
    assert turns(40, 0.0005) == pytest.approx(5 * usual_s, rel=0.1)
    assert turns(40, 0.001, weight=4) == pytest.approx(10 * usual_s, rel=0.1), "few, and dear"
    assert turns(40, 0.0003, weight=4) == pytest.approx(10 * usual_s, rel=0.1), "few, and most of it is the turn's own"
    assert lane.wait_s(10) == 0, "a few are always let in"


def test_an_idle_lane_refuses_nobody() -> None:
    assert Lanes(Capacity()).refusal_at_once(DECIDE, Caller(connection="1")) is None


async def in_flight(*callers: Caller) -> int:
    """How many calls are in flight while one of each caller waits; and none is, once all have gone."""
    served = Lanes(Capacity())
    calls = [Call(DECIDE, b"", time.monotonic(), math.inf, caller) for caller in callers]
    waiting = [asyncio.create_task(served.serve(call)) for call in calls]
    await asyncio.sleep(0)
    counted = served.inflight()
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert served.inflight() == 0
    return counted


def test_the_services_own_calls_are_not_counted_as_in_flight() -> None:
    assert asyncio.run(in_flight(Caller("ads"), own_caller("canaries"), Caller(connection="10.0.0.7:1"))) == 2
