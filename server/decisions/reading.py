"""Reading the calls of the decision lane, and putting decisions back into the form that each call asked for."""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from adtargeting.v1 import targeting_pb2 as pb

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


class ReadCall(NamedTuple):
    """A call that was read: the requests to decide, and the bid request to prepare, if there is one.

    ``refused`` are the items of a batch that are not decided: their index in it, and their serialised results.
    """

    call: Call
    requests: Sequence[AdRequest]
    bid_request: BidRequest | None = None
    refused: Sequence[tuple[int, bytes]] = ()

    def answer(self, decided: Sequence[Decided], policy: Policy) -> bytes:
        """Return the answer, from the decisions on the requests."""
        if self.call.method is DECIDE_BATCH:
            results = [wire.result(item.response) for item in decided]
            for index, error in self.refused:
                results.insert(index, error)
            return wire.batch_response(results)
        ((decision, response),) = decided
        if self.bid_request is None:
            return response
        return bid_requests.answer_call(self.bid_request, decision, response, policy)


class CallReader:
    """Reads calls, each by its method."""

    def __init__(self, locator: IpLocator) -> None:
        self._locator = locator

    def read(self, call: Call) -> ReadCall:
        """Read a call. Raises ``InvalidRequest``."""
        if call.method is DECIDE_BATCH:
            return self._read_batch(call)
        if call.method is PREPARE_BID_REQUEST:
            request, bid_request = bid_requests.read_call(call.payload, self._locator)
            return ReadCall(call, [request], bid_request)
        return ReadCall(call, [ad_request(parse(pb.DecideRequest, call.payload), self._locator)])

    def _read_batch(self, call: Call) -> ReadCall:
        requests: list[AdRequest] = []
        refused: list[tuple[int, bytes]] = []
        items = parse_batch(pb.DecideBatchRequest, "requests", pb.DecideRequest, call.payload)
        for index, item in enumerate(items):
            # An item that cannot be read is refused alone.
            request = attempt(partial(self._read_item, item))
            if isinstance(request, Refusal):
                refused.append((index, wire.error(request.code, request.field, request.message)))
            else:
                requests.append(request)
        return ReadCall(call, requests, refused=refused)

    def _read_item(self, item: pb.DecideRequest | InvalidRequest) -> AdRequest:
        if isinstance(item, InvalidRequest):
            raise item
        return ad_request(item, self._locator)
