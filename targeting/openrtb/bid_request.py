"""Bid requests: one comes in, one that is safe for a network goes out (OpenRTB 2.5 or 2.6 in, 2.6 out).

What says nothing of the person (impressions, site or app, content, source, ...) goes out as the bytes that came;
``user`` and ``device`` are built up from nothing, extensions by allow-list. Privacy signals stay where they were,
and are also put where OpenRTB 2.6 keeps them if they were only in the place of 2.5.

Invariant: what is built for one network depends on this request and on the decision for this network alone.
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
"""In any case: some readers do not tell them apart, so a ``User`` must not pass for an unknown field. Nor must what
only a user or a device has, as ``eids``, when it stands one level too high."""
_PARSED: Final[tuple[str, ...]] = ("regs", "user", "device")
_NOTHING: Final[Mapping[str, Any]] = {}
_NO_MEMBERS: Final = Raw(b"{}")


class BidRequest(NamedTuple):
    """A bid request that was read and checked: the objects that are looked into, and all fields as the bytes that came.

    ``max_output_bytes`` is how much of it may go out to one network.
    """

    parsed: Mapping[str, Any]
    raw: Mapping[str, Raw]
    request_signals: RequestSignals
    max_output_bytes: int

    def __repr__(self) -> str:
        """Show nothing of the person."""
        return "BidRequest()"


def read_bid_request(text: bytes, *, targeted_ads_off: bool = False) -> BidRequest:
    """Read and check a bid request. Raises ``BidRequestRefused``."""
    fields = read_json(text)
    check_fields(fields)
    raw = members(text)
    # What stands in OpenRTB 2.5's place, in an extension of these, goes out in that of 2.6 as well.
    twice = sum(len(raw[name]) for name in ("regs", "user") if name in raw)
    heard = read_signals(fields, targeted_ads_off=targeted_ads_off)
    # The rest of what was read is let go at once: many requests are held together, and the CPU's caches are small.
    parsed = {name: fields[name] for name in _PARSED if name in fields}
    return BidRequest(parsed, raw, heard, len(text) + twice)


class NetworkRequestBuilder:
    """Makes one bid request into those for the networks; ``limited`` are the features of its decision."""

    def __init__(self, bid_request: BidRequest, limited: LimitedFeatures, policy: Policy) -> None:
        parsed, raw, heard, _ = bid_request
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
            heard.place if heard.place.country else IpLocation(limited.ip_country, limited.ip_subdivision),
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
        """Give the bid request for one network, as JSON. Only for a network that may be contacted."""
        reduced = self._reduces and not _may_describe(decision)
        built: dict[str, Any] = {**self._common, "imp": self._impressions.for_network(decision)}
        if device := self._device.for_network(decision, reduced=reduced):
            built["device"] = device
        if user := self._user.for_network(decision):
            built["user"] = user
        return write_json(built)


def _may_describe(decision: NetworkDecision) -> bool:
    """Tell whether the network gets more than limited features: else a description of the device would do for an id.

    What counts is what it does get, not what it might: of somebody of whom nothing is known it gets nothing more.
    """
    profile = decision.profile
    knows_some = profile is not None and bool(profile.age_bracket or profile.gender or profile.interests)
    return knows_some or bool(decision.network_user_id)
