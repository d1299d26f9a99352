"""PrepareBidRequest: a bid request in, its decision and one safe bid request per network out.

The worker decides it in a batch with other calls; this module is what comes before and after.
"""

from adtargeting.v1 import targeting_pb2 as pb

from server.errors import InvalidRequest
from server.geo.ip_location import IpLocator
from server.messages import wire
from server.messages.reading import parse
from server.messages.translate import check_place, identity, networks
from targeting.decision import Decision
from targeting.model import AdRequest
from targeting.openrtb.bid_request import BidRequest, NetworkRequestBuilder, read_bid_request
from targeting.openrtb.json import BidRequestRefused
from targeting.places.geo import UNKNOWN_LOCATION, parse_ip
from targeting.policy.policy import Policy

MAX_ANSWER_BYTES = 3 * 1024 * 1024
"""Bound on the incoming bytes times the networks; little is added for each, and a gRPC client accepts 4 MiB."""


def read_call(payload: bytes, locator: IpLocator, caller: str = "") -> tuple[AdRequest, BidRequest]:
    """Read a call of a caller: the request to decide, and its bid request. Raises ``InvalidRequest``."""
    message = parse(pb.PrepareBidRequestRequest, payload)
    asked = networks(message.third_party_networks)
    bid_request = _bid_request(message)
    if bid_request.max_output_bytes * len(asked) > MAX_ANSWER_BYTES:
        raise InvalidRequest(
            "third_party_networks",
            f"the bid requests for all networks may exceed {MAX_ANSWER_BYTES} bytes; name fewer networks in one call",
        )
    stated, client = bid_request.request_signals, message.client
    check_place("client.country", client.country)
    addresses = [address for address in stated.addresses if parse_ip(address) is not None]
    places = [place for place in map(locator.locate, addresses) if place.country] or [stated.place or UNKNOWN_LOCATION]
    request = AdRequest(
        identity=identity(message.account_id, message.linked_account_ids, message.device_id),
        ip=addresses[0] if addresses else "",
        ip_location=places[0],
        accept_language=stated.language,
        client_country=client.country,
        client_language=client.language,
        in_app=stated.in_app or bool(client.app),
        signals=stated.signals,
        networks=asked,
        caller=caller,
        shown_countries=stated.countries + tuple([place.country for place in places[1:]]),
        shown_subdivisions=stated.subdivisions
        + tuple([place.subdivision for place in places[1:] if place.subdivision]),
        is_dry_run=message.dry_run,
    )
    return request, bid_request


class PreparedAnswer:
    """The answer to a call while it is made: the bid requests of long calls are built a few at a time."""

    def __init__(self, bid_request: BidRequest, decision: Decision, response: bytes, policy: Policy) -> None:
        """``response`` is the decision as a ``DecideResponse``."""
        self._response = response
        self._builder = NetworkRequestBuilder(bid_request, decision.limited, policy)
        self._left = [network for network in decision.networks if network.contact_allowed]
        self._built: list[tuple[str, bytes]] = []

    def build(self, most: int) -> bytes | None:
        """Build at most the given number of bid requests; return the answer once it has them all."""
        now, self._left = self._left[:most], self._left[most:]
        self._built += [(network.network_id, self._builder.for_network(network)) for network in now]
        return None if self._left else wire.prepared(self._response, self._built)


def _bid_request(message: pb.PrepareBidRequestRequest) -> BidRequest:
    try:
        return read_bid_request(message.bid_request, targeted_ads_off=message.client.targeted_ads_off)
    except BidRequestRefused as refused:
        raise InvalidRequest(f"bid_request{refused.path.removeprefix('$')}", refused.problem) from None
