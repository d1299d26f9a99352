"""Calls of the decision lane while they are worked on: read bit by bit, decided in portions, answered when complete."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple, Protocol

from adtargeting.v1 import targeting_pb2 as pb

from server.canaries.guard import NO_GUARD, CanaryGuard
from server.decisions import bid_requests
from server.decisions.containment import attempt
from server.decisions.decider import Decided
from server.errors import InvalidRequest
from server.gate.methods import DECIDE_BATCH, PREPARE_BID_REQUEST
from server.gate.port import Call, Refusal
from server.geo.ip_location import IpLocator
from server.messages import wire
from server.messages.reading import parse, parse_batch
from server.messages.translate import ad_request
from targeting.model import AdRequest
from targeting.openrtb.bid_request import BidRequest
from targeting.policy.policy import Policy

PORTION_BYTES = 64 * 1024
"""Bytes of requests that are read for one portion."""


class Portion(NamedTuple):
    """Requests of one call that are decided together, and their weight."""

    job: "Job"
    requests: list[AdRequest]
    weight: int


class Job(Protocol):
    """One call that is worked on."""

    call: Call
    since_s: float
    """When the budget of its next portion began (``time.monotonic``): for the first, when the call arrived."""

    def next_portion(self, most: int) -> Portion:
        """Read the next requests, of about this weight. They may be none: what cannot be read needs no decision."""
        ...

    def accept(self, decided: list[Decided]) -> None:
        """Take the decisions on the requests of the last portion."""
        ...

    def answer(self, policy: Policy) -> bytes | None:
        """Return the answer, or None while something is left to decide."""
        ...


class Single:
    """One decision, with or without a bid request to prepare."""

    def __init__(self, call: Call, request: AdRequest, bid_request: BidRequest | None = None) -> None:
        self.call = call
        self.since_s = call.arrived_s
        self._request = request
        self._bid_request = bid_request
        self._decided: Decided | None = None
        self._answer: bid_requests.PreparedAnswer | None = None

    def next_portion(self, most: int) -> Portion:  # noqa: ARG002  # it cannot be divided
        """Return the request; or nothing, once it is decided and only bid requests are left to build."""
        return Portion(self, [self._request] if self._decided is None else [], _weight(self._request))

    def accept(self, decided: list[Decided]) -> None:
        """Take the decision."""
        if decided:
            (self._decided,) = decided

    def answer(self, policy: Policy) -> bytes | None:
        """Return the decision, or the bid requests that it allows; None while some are left to build."""
        if self._decided is None:
            return None
        decision, response = self._decided
        if self._bid_request is None:
            return response
        if self._answer is None:
            self._answer = bid_requests.PreparedAnswer(self._bid_request, decision, response, policy)
        return self._answer.build(max(PORTION_BYTES // len(self.call.payload), 1))


class Batch:
    """A caller's own batch. Items are read when their portion comes, and one that cannot be read is refused alone."""

    def __init__(self, call: Call, read: Callable[[pb.DecideRequest, Call], AdRequest]) -> None:
        items = parse_batch(pb.DecideBatchRequest, "requests", pb.DecideRequest, call.payload)
        self.call = call
        self.since_s = call.arrived_s
        self._read_item = read
        self._size = len(items)
        self._items: Iterator[pb.DecideRequest | InvalidRequest] = iter(items)
        self._item_bytes = len(call.payload) // len(items)
        self._results: list[bytes] = []
        self._indices: list[int] = []

    def next_portion(self, most: int) -> Portion:
        """Read requests up to the limits of a portion, and refuse those that cannot be read."""
        requests: list[AdRequest] = []
        weight = size = 0
        self._indices.clear()
        while len(self._results) < self._size and weight < most and size < PORTION_BYTES:
            request = attempt(partial(self._read, next(self._items)))
            size += self._item_bytes
            if isinstance(request, Refusal):
                weight += 1
                self._results.append(wire.error(request.code, request.field, request.message))
            else:
                weight += _weight(request)
                self._indices.append(len(self._results))
                self._results.append(b"")
                requests.append(request)
        return Portion(self, requests, weight)

    def accept(self, decided: list[Decided]) -> None:
        """Take the decisions."""
        for index, (_, response) in zip(self._indices, decided, strict=True):
            self._results[index] = wire.result(response)

    def answer(self, policy: Policy) -> bytes | None:  # noqa: ARG002  # as every job
        """Return the results, in the order of the items."""
        return wire.batch_response(self._results) if len(self._results) == self._size else None

    def _read(self, item: pb.DecideRequest | InvalidRequest) -> AdRequest:
        if isinstance(item, InvalidRequest):
            raise item
        return self._read_item(item, self.call)


def _weight(request: AdRequest) -> int:
    """Return about how many decisions a request takes: itself, its networks, and each further subject as one."""
    return 1 + len(request.networks) + len(request.identity.linked_account_ids)


class CallReader:
    """Makes a job of a call, by its method."""

    def __init__(self, locator: IpLocator, canaries: CanaryGuard = NO_GUARD) -> None:
        self._locator = locator
        self._canaries = canaries

    def read(self, call: Call) -> Job:
        """Read a call, or as much of it as is needed to begin. Raises ``InvalidRequest``."""
        if call.method is DECIDE_BATCH:
            return Batch(call, self._request)
        if call.method is PREPARE_BID_REQUEST:
            request, bid_request = bid_requests.read_call(call.payload, self._locator, call.client)
            request = self._canaries.limited_if_named(self._canaries.checked(request), call.payload)
            return Single(call, request, bid_request)
        return Single(call, self._request(parse(pb.DecideRequest, call.payload), call))

    def _request(self, message: pb.DecideRequest, call: Call) -> AdRequest:
        return self._canaries.checked(ad_request(message, self._locator, call.client))
