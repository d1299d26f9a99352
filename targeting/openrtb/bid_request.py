"""Bid requests: OpenRTB 2.5 or 2.6 in, one safe OpenRTB 2.6 request per network out.

Members that do not concern the person (impressions, site or app, content, source, ...) keep their original bytes;
``user`` and ``device`` are built up from nothing, extensions by allow-list. Privacy signals stay in their place, and
those that are only in OpenRTB 2.5's place are copied to that of 2.6.

Invariant: the request for a network depends only on the incoming request and on the decision for that network.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from targeting.model import LimitedFeatures
from targeting.networks import NetworkDecision
from targeting.openrtb.device import Device
from targeting.openrtb.extensions import parse_allow_list, select_allowed
from targeting.openrtb.fields import check_fields
from targeting.openrtb.impressions import Impressions
from targeting.openrtb.json import Raw, array_members, members, read_json, write_json
from targeting.openrtb.regs import build_regs
from targeting.openrtb.schema import OBJECTS
from targeting.openrtb.signals import RequestSignals, read_signals
from targeting.openrtb.user import User
from targeting.places.geo import IpLocation
from targeting.policy.policy import Policy

_REBUILT: Final = frozenset({"imp", "regs", "user", "device", "ext"}) | (
    frozenset(OBJECTS["User"]).union(OBJECTS["Device"]) - frozenset(OBJECTS["BidRequest"])
)
"""Compared without case: some readers ignore it, so a ``User`` must not pass as an unknown field, nor must a field of
a user or a device, such as ``eids``, one level too high."""
_PARSED: Final[tuple[str, ...]] = ("regs", "user", "device")
_NOTHING: Final[Mapping[str, Any]] = {}
_NO_MEMBERS: Final = Raw(b"{}")


class BidRequest(NamedTuple):
    """A checked bid request: the objects that are parsed, and every field as its original bytes.

    ``max_output_bytes`` bounds how much of it is sent to one network.
    """

    parsed: Mapping[str, Any]
    raw: Mapping[str, Raw]
    request_signals: RequestSignals
    max_output_bytes: int

    def __repr__(self) -> str:
        """Return the type's name alone: nothing about the person."""
        return "BidRequest()"


def read_bid_request(text: bytes, *, targeted_ads_off: bool = False) -> BidRequest:
    """Parse and check a bid request. Raises ``BidRequestRefused``."""
    fields = read_json(text)
    check_fields(fields)
    raw = members(text)
    # Signals in OpenRTB 2.5's place, an extension of these, are sent in that of 2.6 as well.
    repeated = sum(len(raw[name]) for name in ("regs", "user") if name in raw)
    signals = read_signals(fields, targeted_ads_off=targeted_ads_off)
    # The rest is released at once: many requests are held together, and the CPU's caches are small.
    parsed = {name: fields[name] for name in _PARSED if name in fields}
    return BidRequest(parsed=parsed, raw=raw, request_signals=signals, max_output_bytes=len(text) + repeated)


class NetworkRequestBuilder:
    """Builds the bid requests for the networks; ``limited`` holds the features of the decision."""

    def __init__(self, bid_request: BidRequest, limited: LimitedFeatures, policy: Policy) -> None:
        parsed, raw, signals, _ = bid_request
        allowed = policy.bid_request
        self._common: dict[str, Any] = {
            **{name: value for name, value in raw.items() if name.casefold() not in _REBUILT},
        }
        if "regs" in raw and (regs := build_regs(parsed["regs"], raw["regs"])):
            self._common["regs"] = regs
        if "ext" in raw and (ext := select_allowed(members(raw["ext"]), parse_allow_list(allowed.request_ext))):
            self._common["ext"] = ext
        self._impressions = Impressions(
            array_members(raw["imp"]),
            parse_allow_list(allowed.impression_ext),
            allowed.parameters,
            policy.names_in_extensions,
        )
        self._device = Device(
            parsed.get("device", _NOTHING),
            raw.get("device", _NO_MEMBERS),
            signals.place if signals.place.country else IpLocation(limited.ip_country, limited.ip_subdivision),
            limited.language,
            parse_allow_list(allowed.device_ext),
        )
        self._user = User(
            parsed.get("user", _NOTHING),
            raw.get("user", _NO_MEMBERS),
            limited.country,
            parse_allow_list(allowed.user_ext),
            source=allowed.source,
        )
        self._reduces = policy.fingerprint.reduce_in_limited_mode

    def for_network(self, decision: NetworkDecision) -> bytes:
        """Return the bid request for one network, as JSON. Only for a network that may be contacted."""
        reduced = self._reduces and not _may_describe(decision)
        built: dict[str, Any] = {**self._common, "imp": self._impressions.for_network(decision)}
        if device := self._device.for_network(decision, reduced=reduced):
            built["device"] = device
        if user := self._user.for_network(decision):
            built["user"] = user
        return write_json(built)


def _may_describe(decision: NetworkDecision) -> bool:
    """Whether the network receives more than limited features; otherwise a device description would serve as an id.

    What it does receive counts, not what it may: an unknown person has nothing to share.
    """
    profile = decision.profile
    shares_profile = profile is not None and bool(profile.age_bracket or profile.gender or profile.interests)
    return shares_profile or bool(decision.network_user_id)
