"""Bid requests: one comes in, one that is safe for a network goes out (OpenRTB 2.5 or 2.6 in, 2.6 out).

What says nothing of the person (impressions, site or app, content, source, ...) goes out as the bytes that came;
``user`` and ``device`` are built up from nothing, extensions by allow-list. Privacy signals stay where they were,
and are also put where OpenRTB 2.6 keeps them if they were only in the place of 2.5.

Invariant: what is built for one network depends on this request and on the decision for this network alone.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from targeting.geo import IpLocation
from targeting.model import LimitedFeatures
from targeting.networks import NetworkDecision
from targeting.openrtb_device import DeviceSeen, device_for
from targeting.openrtb_ext import is_object, kept, own_parameters, tree_of
from targeting.openrtb_fields import check_fields
from targeting.openrtb_json import Raw, each_member, members, read_json, write_json
from targeting.openrtb_signals import Heard, hear
from targeting.openrtb_user import UserSeen, see_user, user_for
from targeting.policy import Policy

_BUILT: Final = ("imp", "regs", "user", "device", "ext")
_MISSPELT: Final = frozenset(_BUILT)
"""Some readers take names in any case: a ``User`` must not pass for an unknown field."""
_MOVED: Final = ("gdpr", "us_privacy", "gpp", "gpp_sid")
"""The fields of ``regs`` that OpenRTB 2.5 keeps in its extension."""
_CONSENT_EXT: Final = (
    "consent",
    "consented_providers_settings.consented_providers",
    "ConsentedProvidersSettings.consented_providers",
)
_FLAGS_EXT: Final = ("atts",)


class Parameters(NamedTuple):
    """A network's own parameters, and where in an impression's extension they stand."""

    path: tuple[str, ...]
    value: Raw


class Impression(NamedTuple):
    """One impression: what goes to everybody, its extension, and every network's parameters by its name there."""

    fields: Mapping[str, Raw]
    ext: Raw | None = None
    parameters: Mapping[str, Sequence[Parameters]] = {}


class BidRequest(NamedTuple):
    """A bid request that was read and checked, taken apart into what goes to everybody and what does not."""

    fields: Mapping[str, Any]
    everybody: Mapping[str, Any]
    impressions: tuple[Impression, ...]
    device: Mapping[str, Raw]
    user: UserSeen
    ext: Raw | None
    heard: Heard

    def __repr__(self) -> str:
        """Show nothing of the person."""
        return "BidRequest()"


def read_bid_request(text: bytes, *, targeted_ads_off: bool = False) -> BidRequest:
    """Read and check a bid request. Raises ``BidRequestRefused``."""
    fields = read_json(text)
    check_fields(fields)
    raw = members(text)
    heard = hear(fields, targeted_ads_off=targeted_ads_off)
    regulations = _regulations(fields, raw, heard.signals.unreadable)
    user = see_user(fields["user"], members(raw["user"])) if "user" in raw else UserSeen()
    return BidRequest(
        fields,
        {name: value for name, value in raw.items() if name.casefold() not in _MISSPELT} | regulations,
        tuple([_impression(each) for each in each_member(raw["imp"])]),
        members(raw["device"]) if "device" in raw else {},
        user,
        raw.get("ext"),
        heard,
    )


class Preparation:
    """Makes one bid request into those for the networks; ``limited`` are the features of its decision."""

    def __init__(self, bid_request: BidRequest, limited: LimitedFeatures, policy: Policy) -> None:
        allowed, stated = policy.bid_request, bid_request.heard.place
        place = stated if stated.country else IpLocation(limited.ip_country, limited.ip_subdivision)
        self._seen = bid_request
        self._policy = policy
        self._device = DeviceSeen(bid_request.fields.get("device", {}), bid_request.device, place)
        self._user_ext = tree_of((*_CONSENT_EXT, *allowed.user_ext))
        self._device_ext = tree_of((*_FLAGS_EXT, *allowed.device_ext))
        self._impressions = [(each, _kept(each.ext, allowed.impression_ext)) for each in bid_request.impressions]
        self._ext = _kept(bid_request.ext, allowed.request_ext)

    def for_network(self, decision: NetworkDecision) -> bytes:
        """Give the bid request for one network, as JSON. Only for a network that may be contacted."""
        built = {
            "imp": self._impressions_for(decision),
            "device": device_for(self._device, decision, self._device_ext, reduced=self._reduces(decision)),
            "user": user_for(self._seen.user, decision, self._user_ext, source=self._policy.bid_request.source),
            "ext": self._ext,
        }
        return write_json({**self._seen.everybody, **{name: value for name, value in built.items() if value}})

    def _reduces(self, decision: NetworkDecision) -> bool:
        """Whoever gets limited features only gets no description of the device that would do for an id."""
        limited = decision.profile is None and not decision.network_user_id
        return limited and self._policy.fingerprint.reduce_in_limited_mode

    def _impressions_for(self, decision: NetworkDecision) -> list[dict[str, Any]]:
        network = decision.policy
        name = decision.network_id.casefold() if network is None else network.name_in_extensions
        names = self._policy.bid_request.parameters + (() if network is None else network.parameters)
        return [_impression_for(each, ext, each.parameters.get(name, ()), names) for each, ext in self._impressions]


def _kept(ext: Raw | None, allowed: tuple[str, ...]) -> dict[str, Any]:
    return {} if ext is None else kept(ext, tree_of(allowed))


def _impression_for(
    impression: Impression, ext: Mapping[str, Any], own: Sequence[Parameters], names: tuple[str, ...]
) -> dict[str, Any]:
    whole = dict(ext)
    for path, value in own:
        if parameters := own_parameters(value, names):
            _put(whole, path, parameters)
    return {**impression.fields, "ext": whole} if whole else dict(impression.fields)


def _put(ext: dict[str, Any], path: tuple[str, ...], parameters: Mapping[str, Raw]) -> None:
    """Put parameters where they stood; what is on the way there is copied, for other networks get it too."""
    *above, last = path
    for step in above:
        ext[step] = ext = dict(ext.get(step, {}))
    ext[last] = parameters


def _impression(raw: Mapping[str, Raw]) -> Impression:
    fields = {name: value for name, value in raw.items() if name.casefold() != "ext"}
    ext = raw.get("ext")
    return Impression(fields) if ext is None else Impression(fields, ext, _parameters(members(ext)))


def _parameters(ext: Mapping[str, Raw]) -> dict[str, list[Parameters]]:
    """Find the parameters of networks: in OpenRTB under the network's name, in Prebid under ``prebid.bidder``."""
    found: dict[str, list[Parameters]] = {}
    for name, value in ext.items():
        if name != "prebid":
            found.setdefault(name.casefold(), []).append(Parameters((name,), value))
    for name, value in _below(_below(ext, "prebid"), "bidder").items():
        found.setdefault(name.casefold(), []).append(Parameters(("prebid", "bidder", name), value))
    return found


def _below(within: Mapping[str, Raw], name: str) -> Mapping[str, Raw]:
    value = within.get(name)
    return members(value) if value is not None and is_object(value) else {}


def _regulations(fields: Mapping[str, Any], raw: Mapping[str, Raw], unreadable: Iterable[str]) -> dict[str, Any]:
    """Leave the privacy signals where they are, and put those that only OpenRTB 2.5's place holds in 2.6's, too."""
    if "regs" not in raw:
        return {}
    regs = fields["regs"]
    ext = regs.get("ext", {})
    missing = [name for name in _MOVED if name in ext and name not in regs]
    if not missing or any(name.startswith("regs.") for name in unreadable):
        return {"regs": raw["regs"]}
    there = members(raw["regs"])
    below = members(there["ext"])
    return {"regs": there | {name: below[name] for name in missing}}
