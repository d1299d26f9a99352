"""What the tests of the decision lane share: a worker among doubles, requests in and answers out."""

import asyncio
import time
from typing import Any

from adtargeting.v1 import targeting_pb2 as pb
from google.protobuf.message import Message

from server.decisions.decider import Decider
from server.decisions.fetcher import Fetcher, LoopFetcher
from server.decisions.jobs import CallReader
from server.decisions.signal_observer import SignalObserver
from server.decisions.worker import Worker, WorkerParts
from server.gate.port import Answer, Call
from server.metrics.metrics import Metrics
from targeting.decision import Rulebook
from targeting.places.geo import IpLocation
from targeting.policy.policy import DEFAULT_POLICY
from tests.server.doubles import ListGate, Nowhere, ScriptedStore
from tests.waiting import PATIENCE_S


class CountingLocator(Nowhere):
    """Counts what it is asked, and fails for one address."""

    def __init__(self) -> None:
        self.asked = 0

    def locate(self, ip_text: str) -> IpLocation:
        self.asked += 1
        if ip_text == "fault":
            raise LookupError("a fault")
        return super().locate(ip_text)


class Bench:
    """A worker with its doubles."""

    def __init__(self, store: ScriptedStore | None = None, budget_s: float = 1e6) -> None:
        self.gate, self.store, self.metrics = ListGate(), store or ScriptedStore(), Metrics()
        self.locator = CountingLocator()
        self.parts = WorkerParts(
            decider=Decider(lambda: Rulebook(DEFAULT_POLICY, b"key"), lambda _: None),
            fetcher=LoopFetcher(lambda: Fetcher(self.store, self.metrics)),
            observer=SignalObserver(self.metrics),
            reader=CallReader(self.locator),
            metrics=self.metrics,
            budget_s=budget_s,
            # However slow the machine is, turns are as large as they may be, and none is too late to ask the store.
            singles_s=1e9,
            large_s=1e9,
            beside_s=1e9,
        )

    def serve(self, *calls: Call) -> list[Answer]:
        serve_all(self.parts, self.gate)
        return [self.gate.of(call) for call in calls]

    def count(self, name: str, **labels: str) -> float:
        return self.metrics.registry.get_sample_value(name, labels) or 0.0


def serve_all(parts: WorkerParts, gate: ListGate) -> None:
    """Let a worker serve every call that waits and whose caller is there."""
    asyncio.run(_serve_all(parts, gate))


async def _serve_all(parts: WorkerParts, gate: ListGate) -> None:
    calls = [call for call in gate.waiting if not call.gone]
    serving = asyncio.create_task(Worker(parts, gate).run())
    ends_s = time.monotonic() + PATIENCE_S
    while gate.waiting or not all(call in gate.answers for call in calls):
        assert not serving.done(), serving
        assert time.monotonic() < ends_s, "the calls are not answered"
        await asyncio.sleep(0.001)
    serving.cancel()


def request(**fields: Any) -> bytes:
    return pb.DecideRequest(**{"account_id": "alice", "ip": "192.0.2.1", **fields}).SerializeToString()


def response(answer: Answer) -> pb.DecideResponse:
    assert isinstance(answer, bytes)
    return pb.DecideResponse.FromString(answer)


def batch(name: str, size: int, *bad: int) -> bytes:
    """A batch of requests called name-0, name-1 …; those at these places cannot be taken."""
    names = [f"{name}-{at}" for at in range(size)]
    requests = [pb.DecideRequest(request_id=each, account_id=each, ip="192.0.2.1") for each in names]
    for at in bad:
        requests[at].account_id = "x" * 300
    return pb.DecideBatchRequest(requests=requests).SerializeToString()


def called(answer: Answer) -> list[str]:
    """What the items of a batch's answer are called; a refused one by the field that it is refused for."""
    assert isinstance(answer, bytes)
    return [each.response.request_id or each.error.field for each in pb.DecideBatchResponse.FromString(answer).results]


def reasons_of(answer: Answer) -> set[pb.Reason]:
    """Every reason in the answer to a ``DecideBatch``."""
    assert isinstance(answer, bytes)
    results = pb.DecideBatchResponse.FromString(answer).results
    return {reason for each in results for reason in each.response.reasons}


def not_utf8(request: pb.DecideRequest) -> pb.DecideRequest:
    """A request whose cookie no generated class would take: marked, and spoilt when it is serialised."""
    request.cookie_header = "MUID=\N{BULLET}"
    return request


def spoilt(message: Message) -> bytes:
    """The message with every bullet in it cut short."""
    return message.SerializeToString().replace("\N{BULLET}".encode(), b"\xe2\x80.")


class Broken(Exception):
    """An unforeseen error, with text that must not get out."""


OWNER = bytes(16)
