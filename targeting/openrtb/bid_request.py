"""Bid requests: OpenRTB 2.5 or 2.6 in, one safe OpenRTB 2.6 request per network out.

The whole request is built up from nothing: fields of the specification with their original bytes, extensions by
allow-list, ``user`` and ``device`` from what the decision grants. Privacy signals stay in their place, and those that
are only in OpenRTB 2.5's place are copied to that of 2.6.

Invariant: the request for a network depends only on the incoming request and on the decision for that network.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from targeting.model import LimitedFeatures
from targeting.networks import NetworkDecision
from targeting.openrtb.device import Device
from targeting.openrtb.fields import check_impressions, is_well_typed, select_well_typed
from targeting.openrtb.impressions import Impressions
from targeting.openrtb.json import Raw, members, read_json, repair, write_json
from targeting.openrtb.readers import PLACES, VALUES, Readers, read_extension, readers_for
from targeting.openrtb.regs import build_regs
from targeting.openrtb.signals import RequestSignals, read_signals
from targeting.openrtb.user import User
from targeting.places.geo import IpLocation
from targeting.policy.policy import Policy

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
    text = repair(text)
    fields = read_json(text)
    check_impressions(fields)
    signals = read_signals(fields, targeted_ads_off=targeted_ads_off)
    if not is_well_typed(fields):
        fields = select_well_typed(fields)
        text = write_json(fields)
    raw = members(text)
    # Signals in OpenRTB 2.5's place, an extension of these, are sent in that of 2.6 as well.
    repeated = sum(len(raw[name]) for name in ("regs", "user") if name in raw)
    # The rest is released at once: many requests are held together, and the CPU's caches are small.
    parsed = {name: fields[name] for name in _PARSED if name in fields}
    return BidRequest(parsed=parsed, raw=raw, request_signals=signals, max_output_bytes=len(text) + repeated)


class NetworkRequestBuilder:
    """Builds the bid requests for the networks; ``limited`` holds the features of the decision."""

    def __init__(self, bid_request: BidRequest, limited: LimitedFeatures, policy: Policy) -> None:
        parsed, raw, signals, _ = bid_request
        allowed = policy.bid_request
        readers = readers_for(allowed)
        self._common = _common(parsed, raw, readers)
        self._impressions = Impressions(raw["imp"], readers, allowed.parameters, policy.names_in_extensions)
        self._device = Device(
            parsed.get("device", _NOTHING),
            raw.get("device", _NO_MEMBERS),
            signals.place if signals.place.country else IpLocation(limited.ip_country, limited.ip_subdivision),
            limited.language,
            readers.device_ext,
        )
        self._user = User(
            parsed.get("user", _NOTHING),
            raw.get("user", _NO_MEMBERS),
            limited.country,
            readers.user_ext,
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


def _common(parsed: Mapping[str, Any], raw: Mapping[str, Raw], readers: Readers) -> dict[str, Any]:
    """Return the members that are the same for every network."""
    common: dict[str, Any] = {name: value for name, value in raw.items() if name in VALUES}
    if "source" in raw:
        common["source"] = Raw(write_json(readers.source(raw["source"])))
    if place := next((name for name in PLACES if name in raw), ""):
        common[place] = Raw(write_json(readers.places[place](raw[place])))
    if "regs" in raw and (regs := build_regs(parsed["regs"], raw["regs"])):
        common["regs"] = regs
    if "ext" in raw and (ext := read_extension(readers.request_ext, raw["ext"])):
        common["ext"] = ext
    return common


def _may_describe(decision: NetworkDecision) -> bool:
    """Whether the network receives more than limited features; otherwise a device description would serve as an id.

    What it does receive counts, not what it may: an unknown person has nothing to share.
    """
    profile = decision.profile
    shares_profile = profile is not None and bool(profile.age_bracket or profile.gender or profile.interests)
    return shares_profile or bool(decision.network_user_id)
