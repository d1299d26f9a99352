"""From decisions for networks to bytes of ``DecideResponse.networks``.

As in ``server.messages.wire``: what repeats between answers is serialised once, by the generated classes, and kept.
Only small vocabularies are kept (answers with their reasons, places, brackets, segments with rounded scores), never
an id, an address or a whole profile.
"""

from functools import lru_cache

from adtargeting.v1 import targeting_pb2 as pb

from server.messages.enums import enum
from server.messages.wire_parts import delimited, tag_of
from targeting.model import LimitedFeatures
from targeting.networks import NetworkDecision, ThirdPartyProfile
from targeting.reasons import Reasons, reasons_in

_DECISION_TAG = tag_of(pb.DecideResponse, "networks")
_ID_TAG = tag_of(pb.NetworkDecision, "network_id")
_ADDRESS_TAG = tag_of(pb.NetworkDecision, "masked_ip")
_USER_ID_TAG = tag_of(pb.NetworkDecision, "network_user_id")
_PROFILE_TAG = tag_of(pb.NetworkDecision, "profile")


def network_part(decision: NetworkDecision) -> bytes:
    """Serialise the decision for one network, as a part of a ``DecideResponse``."""
    network_id, limited, masked_ip = decision.network_id, decision.limited, decision.masked_ip
    user_id, profile = decision.network_user_id, decision.profile
    answers = (decision.contact_allowed, profile is not None, bool(user_id), decision.precise_position_allowed)
    return delimited(
        _DECISION_TAG,
        b"".join(
            (
                delimited(_ID_TAG, network_id.encode()) if network_id else b"",
                _answers(answers, decision.reasons, limited),
                delimited(_ADDRESS_TAG, masked_ip.encode()) if masked_ip else b"",
                delimited(_USER_ID_TAG, user_id.encode()) if user_id else b"",
                b"" if profile is None else delimited(_PROFILE_TAG, _profile(profile)),
            )
        ),
    )


@lru_cache(maxsize=16_384)
def _answers(answers: tuple[bool, bool, bool, bool], reasons: Reasons, limited: LimitedFeatures) -> bytes:
    contact, profile, user_id, position = answers
    return pb.NetworkDecision(
        contact_allowed=contact,
        profile_shared=profile,
        id_shared=user_id,
        precise_geo_allowed=position,
        reasons=reason_numbers(reasons),
        limited=limited_message(limited),
    ).SerializeToString()


def _profile(profile: ThirdPartyProfile) -> bytes:
    head = _declared(profile.age_bracket, profile.gender, profile.country, profile.language)
    return b"".join([head, *[_interest(name, score) for name, score in profile.interests]])


@lru_cache(maxsize=4096)
def _declared(age_bracket: int, gender: int, country: str, language: str) -> bytes:
    return pb.ThirdPartyProfile(
        age_bracket=enum(age_bracket), gender=enum(gender), country=country, language=language
    ).SerializeToString()


@lru_cache(maxsize=32_768)
def _interest(name: str, score: float) -> bytes:
    interest = pb.Interest(segment_id=name, score=score)
    return pb.ThirdPartyProfile(interests=[interest]).SerializeToString()


def limited_message(limited: LimitedFeatures) -> pb.LimitedFeatures:
    """Return the message of limited features."""
    return pb.LimitedFeatures(
        country=limited.country,
        language=limited.language,
        ip_country=limited.ip_country,
        ip_subdivision=limited.ip_subdivision,
    )


def reason_numbers(reasons: Reasons) -> list[pb.Reason]:
    """Return the reasons of a set; their numbers are the contract's."""
    return [enum(reason) for reason in reasons_in(reasons)]
