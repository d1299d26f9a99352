"""The ``user`` of a prepared bid request, built up from nothing.

Only the consent strings are copied from the incoming object. The rest is what the decision grants a network: its own
id for the person, the coarse profile, the country of residence.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final, TypedDict

from targeting.model import AgeBracket, Gender
from targeting.networks import NetworkDecision, ThirdPartyProfile
from targeting.openrtb.device import place_of
from targeting.openrtb.extensions import AllowList, parse_allow_list, select_allowed
from targeting.openrtb.forms import PROVIDER_SETTINGS, USER, USER_EXT, select_valid
from targeting.openrtb.json import Raw, members, reader_of, write_json
from targeting.places.geo import IpLocation
from targeting.policy.policy import NetworkPolicy

AUDIENCE_TAXONOMY: Final = 4
"""``segtax`` of the IAB Audience Taxonomy 1.1 (AdCOM 1.0, list of category taxonomies)."""

_CONSENTS: Final = parse_allow_list(("consent", *(f"{settings}.consented_providers" for settings in PROVIDER_SETTINGS)))
_Interests = tuple[tuple[str, float], ...]
_GENDERS: Final = {Gender.FEMALE: "F", Gender.MALE: "M", Gender.OTHER: "O"}
_AGES: Final = {
    AgeBracket.FROM_13: "13-17",
    AgeBracket.FROM_18: "18-24",
    AgeBracket.FROM_25: "25-34",
    AgeBracket.FROM_35: "35-44",
    AgeBracket.FROM_45: "45-54",
    AgeBracket.FROM_55: "55-64",
    AgeBracket.FROM_65: "65+",
}


class _Parts(TypedDict, total=False):
    consent: Raw
    ext: Raw


_read_parts = reader_of(_Parts)


class User:
    """The user of one bid request, and the variants of it for the networks.

    ``fields`` is the parsed user, ``raw`` its original bytes; ``country`` (ISO 3166-1 alpha-2) is that of residence,
    ``ext`` the allow-list of the extension, ``source`` the domain that issues ids and segments.
    """

    __slots__ = ("_buyeruids", "_common", "_interests", "_source")

    def __init__(self, fields: Mapping[str, Any], raw: Raw, country: str, ext: AllowList, *, source: str) -> None:
        parts = _read_parts(raw)
        self._common = _common(fields, parts, country, ext)
        self._buyeruids = _buyeruids(fields.get("ext", {}), parts)
        self._source = source
        self._interests: tuple[_Interests, Raw] | None = None

    def __repr__(self) -> str:
        """Return the type's name alone: nothing about the person."""
        return "User()"

    def for_network(self, decision: NetworkDecision) -> dict[str, Any]:
        """Return the user for one network."""
        user = dict(self._common)
        if decision.network_user_id:
            user["eids"] = [{"source": self._source, "uids": [{"id": decision.network_user_id}]}]
            user |= self._own_buyeruid(decision.policy)
        if decision.profile is not None:
            user |= self._profile(decision.profile)
        return user

    def _profile(self, profile: ThirdPartyProfile) -> dict[str, Any]:
        user: dict[str, Any] = {"gender": _GENDERS[profile.gender]} if profile.gender else {}
        data: list[Any] = [_age(profile.age_bracket, self._source)] if profile.age_bracket else []
        if profile.interests:
            # Networks that receive interests receive the same ones.
            if self._interests is None or self._interests[0] is not profile.interests:
                self._interests = profile.interests, _serialised(profile.interests, self._source)
            data.append(self._interests[1])
        if data:
            user["data"] = data
        return user

    def _own_buyeruid(self, network: NetworkPolicy | None) -> dict[str, Raw]:
        own = self._buyeruids.get(network.name_in_extensions) if network and network.buyeruid else None
        return {} if own is None else {"buyeruid": own}


def _common(fields: Mapping[str, Any], parts: _Parts, country: str, ext: AllowList) -> dict[str, Any]:
    """Return the members that are the same for every network."""
    user = select_valid(fields, parts, USER)
    extension = _extension(fields["ext"], members(parts["ext"]), ext) if "ext" in parts else {}
    if "consent" in extension and "consent" not in parts:
        # OpenRTB 2.5 has it in the extension, OpenRTB 2.6 here.
        user["consent"] = extension["consent"]
    if home := place_of(IpLocation(country, "")):
        user["geo"] = home
    if extension:
        user["ext"] = extension
    return user


def _extension(fields: Mapping[str, Any], raw: Mapping[str, Raw], further: AllowList) -> dict[str, Any]:
    consents = select_allowed(select_valid(fields, raw, USER_EXT), _CONSENTS)
    # A consent must be valid, even where the policy names it.
    return {name: value for name, value in select_allowed(raw, further).items() if name not in USER_EXT} | consents


def _age(bracket: AgeBracket, source: str) -> dict[str, Any]:
    return {"id": "age_bracket", "name": source, "segment": [{"id": _AGES[bracket]}]}


def _serialised(interests: _Interests, source: str) -> Raw:
    segments = [_segment(segment, score) for segment, score in interests]
    data = {"id": "interests", "name": source, "segment": segments, "ext": {"segtax": AUDIENCE_TAXONOMY}}
    return Raw(write_json(data))


@lru_cache(maxsize=16_384)
def _segment(segment: str, score: float) -> Raw:
    """Return a segment. Scores are rounded and segments are the taxonomy's, so there are few distinct ones."""
    return Raw(write_json({"id": segment, "value": f"{score:g}"}))


def _buyeruids(ext: Mapping[str, Any], parts: _Parts) -> dict[str, Raw]:
    prebid = ext.get("prebid")
    by_network = prebid.get("buyeruids") if isinstance(prebid, dict) else None
    if not isinstance(by_network, dict):
        return {}
    values = members(members(members(parts["ext"])["prebid"])["buyeruids"])
    return {name.casefold(): values[name] for name, value in by_network.items() if isinstance(value, str)}
