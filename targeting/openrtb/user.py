"""The ``user`` of a prepared bid request, built up from nothing.

Only the consent strings are copied from the incoming object. The rest is what the decision grants a network: its own
id for the person, the coarse profile, the country of residence.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final, TypedDict

from targeting.model import AgeBracket, Gender, SubjectKind
from targeting.networks import NetworkDecision, ThirdPartyProfile
from targeting.openrtb.device import place_of
from targeting.openrtb.forms import PROVIDER_SETTINGS, USER, USER_EXT, select_valid
from targeting.openrtb.json import Raw, members, reader_of, write_json
from targeting.openrtb.readers import Reader, read_extension
from targeting.places.geo import IpLocation
from targeting.policy.policy import NetworkPolicy

AUDIENCE_TAXONOMY: Final = 4
"""``segtax`` of the IAB Audience Taxonomy 1.1 (AdCOM 1.0, list of category taxonomies)."""

_AUTHENTICATED: Final = 3
_OBSERVED: Final = 4
"""How an id was matched (AdCOM 1.0, list of ID match methods): by a login, or by a first-party cookie or device id."""
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


class _Providers(TypedDict, total=False):
    consented_providers: Raw


_read_parts = reader_of(_Parts)
_read_providers = reader_of(_Providers)


class User:
    """The user of one bid request, and the variants of it for the networks.

    ``fields`` is the parsed user, ``raw`` its original bytes; ``country`` (ISO 3166-1 alpha-2) is that of residence,
    ``ext`` reads what is allowed of the extension, ``source`` the domain that issues ids and segments.
    """

    __slots__ = ("_buyeruids", "_common", "_ext", "_interests", "_source")

    def __init__(self, fields: Mapping[str, Any], raw: Raw, country: str, ext: Reader, *, source: str) -> None:
        parts = _read_parts(raw)
        self._common = _common(fields, parts, country, ext)
        self._ext = fields.get("ext", {}), parts
        self._buyeruids: dict[str, Raw] | None = None
        self._source = source
        self._interests: tuple[_Interests, Raw] | None = None

    def __repr__(self) -> str:
        """Return the type's name alone: nothing about the person."""
        return "User()"

    def for_network(self, decision: NetworkDecision) -> dict[str, Any]:
        """Return the user for one network."""
        user = dict(self._common)
        if decision.network_user_id:
            user["eids"] = [_eid(decision, self._source)]
            user |= self._own_buyeruid(decision.policy)
        if decision.profile is not None:
            user |= self._profile(decision.profile)
        return user

    def _profile(self, profile: ThirdPartyProfile) -> dict[str, Any]:
        data: list[Any] = []
        if profile.age_bracket:
            data.append(_declared("age_bracket", _AGES[profile.age_bracket], self._source))
        if profile.gender:
            data.append(_declared("gender", _GENDERS[profile.gender], self._source))
        if profile.interests:
            # Networks that receive interests receive the same ones.
            if self._interests is None or self._interests[0] is not profile.interests:
                self._interests = profile.interests, _serialised(profile.interests, self._source)
            data.append(self._interests[1])
        return {"data": data} if data else {}

    def _own_buyeruid(self, network: NetworkPolicy | None) -> dict[str, Raw]:
        if network is None or not network.buyeruid:
            return {}
        if self._buyeruids is None:
            # Few networks receive one, so they are read when the first does.
            self._buyeruids = _buyeruids(*self._ext)
        own = self._buyeruids.get(network.name_in_extensions)
        return {} if own is None else {"buyeruid": own}


def _common(fields: Mapping[str, Any], parts: _Parts, country: str, ext: Reader) -> dict[str, Any]:
    """Return the members that are the same for every network."""
    user = select_valid(fields, parts, USER)
    extension = _extension(fields["ext"], parts["ext"], ext) if "ext" in parts else {}
    if "consent" in extension and fields.get("consent") is None:
        # OpenRTB 2.5 has it in the extension, OpenRTB 2.6 here.
        user["consent"] = extension["consent"]
    if home := place_of(IpLocation(country, "")):
        user["geo"] = home
    if extension:
        user["ext"] = extension
    return user


def _extension(fields: Mapping[str, Any], raw: Raw, allowed: Reader) -> dict[str, Any]:
    signals: dict[str, Any] = select_valid(fields, members(raw), USER_EXT)
    for name in PROVIDER_SETTINGS:
        if name in signals:
            providers = _read_providers(signals.pop(name))
            signals |= {name: providers} if providers else {}
    return read_extension(allowed, raw) | signals


def _eid(decision: NetworkDecision, source: str) -> dict[str, Any]:
    method = _AUTHENTICATED if decision.id_kind is SubjectKind.ACCOUNT else _OBSERVED
    return {"inserter": source, "source": source, "mm": method, "uids": [{"id": decision.network_user_id}]}


def _declared(name: str, segment: str, source: str) -> dict[str, Any]:
    return {"id": name, "name": source, "segment": [{"id": segment}]}


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
