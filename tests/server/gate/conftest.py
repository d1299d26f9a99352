"""A gate on h2corn whose decision calls answer with what they were asked."""

from collections.abc import Iterator

import pytest
from adtargeting.v1 import targeting_pb2 as pb

from server.gate.http2.gate import Http2Gate
from server.gate.http2.limits import Http2Limits
from server.gate.port import DecisionLane, Refusal
from server.gate.room import Capacity

ORIGIN = "https://tools.example"
HOST = "adtargeting.example"
REFUSED = Refusal(3, "account_id: must have at most 256 bytes")


async def answer_all(lane: DecisionLane) -> None:
    """Answer with the account as the request's id; refuse the account "refused"."""
    while True:
        await lane.arrival()
        while lane.waiting:
            call = lane.waiting.popleft()
            asked = pb.DecideRequest.FromString(call.payload)
            answer = pb.DecideResponse(request_id=asked.account_id, mode=pb.MODE_LIMITED).SerializeToString()
            lane.answer(call, REFUSED if asked.account_id == "refused" else answer)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    gate = Http2Gate("127.0.0.1:0", Capacity(), Http2Limits(hosts=(HOST,), origins=(ORIGIN,)))
    bound = gate.open()
    gate.decide_with(answer_all)
    yield bound
    gate.close(0)
