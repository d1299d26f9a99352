"""The ``user`` of a prepared bid request, built up from nothing.

Of the user object that came only the consent strings stay. What else a network gets is what it was decided to have:
its own id for the person, the coarse profile, the country of residence.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from targeting.geo import IpLocation
from targeting.model import AgeBracket, Gender
from targeting.networks import NetworkDecision, ThirdPartyProfile
from targeting.openrtb_device import place_of
from targeting.openrtb_ext import Tree, kept
from targeting.openrtb_json import Raw, members

AUDIENCE_TAXONOMY: Final = 4
"""``segtax`` of the IAB Audience Taxonomy 1.1 (AdCOM 1.0, list of category taxonomies)."""

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


class UserSeen(NamedTuple):
    """The user object that came: its consent, its extension, and the ids that networks gave the person themselves.

    ``buyeruids`` are by the networks' names in lower case.
    """

    consent: Raw | None = None
    ext: Raw | None = None
    buyeruids: Mapping[str, Raw] = {}

    def __repr__(self) -> str:
        """Show nothing of the person."""
        return "UserSeen()"


def see_user(fields: Mapping[str, Any], raw: Mapping[str, Raw]) -> UserSeen:
    """Take from a user object, whose fields were checked, what may go on."""
    ext = fields.get("ext", {})
    consent = raw.get("consent")
    if consent is None and isinstance(ext.get("consent"), str):
        # OpenRTB 2.5 keeps it in the extension; a reader of 2.6 looks for it here.
        consent = members(raw["ext"])["consent"]
    return UserSeen(consent, raw.get("ext"), _buyeruids(ext, raw))


def user_for(seen: UserSeen, decision: NetworkDecision, ext: Tree, *, source: str) -> dict[str, Any]:
    """Build the user for one network; ``source`` is the domain whose ids and segments they are."""
    user: dict[str, Any] = {}
    if seen.consent is not None:
        user["consent"] = seen.consent
    if decision.network_user_id:
        user["eids"] = [{"source": source, "uids": [{"id": decision.network_user_id}]}]
        user |= _own_buyeruid(seen, decision)
    if decision.profile is not None:
        user |= _profile(decision.profile, source)
    if home := place_of(IpLocation(decision.limited.country, "")):
        user["geo"] = home
    if seen.ext is not None and (extension := kept(seen.ext, ext)):
        user["ext"] = extension
    return user


def _profile(profile: ThirdPartyProfile, source: str) -> dict[str, Any]:
    user: dict[str, Any] = {"gender": _GENDERS[profile.gender]} if profile.gender else {}
    if data := list(_data(profile, source)):
        user["data"] = data
    return user


def _data(profile: ThirdPartyProfile, source: str) -> Iterator[dict[str, Any]]:
    if profile.age_bracket:
        yield {"id": "age_bracket", "name": source, "segment": [{"id": _AGES[profile.age_bracket]}]}
    if profile.interests:
        segments = [{"id": segment, "value": f"{score:g}"} for segment, score in profile.interests]
        yield {"id": "interests", "name": source, "segment": segments, "ext": {"segtax": AUDIENCE_TAXONOMY}}


def _own_buyeruid(seen: UserSeen, decision: NetworkDecision) -> dict[str, Raw]:
    network = decision.policy
    if network is None or not network.buyeruid:
        return {}
    own = seen.buyeruids.get(network.name_in_extensions)
    return {} if own is None else {"buyeruid": own}


def _buyeruids(ext: Mapping[str, Any], raw: Mapping[str, Raw]) -> dict[str, Raw]:
    prebid = ext.get("prebid")
    given = prebid.get("buyeruids") if isinstance(prebid, dict) else None
    if not isinstance(given, dict):
        return {}
    values = members(members(members(raw["ext"])["prebid"])["buyeruids"])
    return {name.casefold(): values[name] for name, value in given.items() if isinstance(value, str)}
