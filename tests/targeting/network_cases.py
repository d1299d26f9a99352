"""A policy, a request and a person for tests of what networks get."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from targeting.age import day_of
from targeting.decision import Rulebook, decide, plan
from targeting.model import AdRequest, Gender, Identity
from targeting.networks import NetworkDecision
from targeting.places.geo import IpLocation
from targeting.policy.policy import NetworkPolicy, NetworkRule, Policy
from targeting.policy.profile_fields import SHAREABLE_FIELDS
from targeting.reasons import Reasons, reasons_in
from targeting.records.preference import Preference
from targeting.records.profile import HeldInterest, Profile, SegmentKind
from tests.targeting.openrtb.preparing import NOW_S, record

ALL: dict[str, Any] = {"fields": SHAREABLE_FIELDS, "user_id": True, "precise_position": "exact", "full_ip": True}


NETWORK = NetworkPolicy("net", **ALL)


POLICY = Policy(networks=(NETWORK, NetworkPolicy("other", **ALL), NetworkPolicy("bare")))


PREFERENCE = Preference(country="US", language="en", birth_day=day_of(date(1996, 1, 1)))


REQUEST = AdRequest(
    identity=Identity("alice"), ip="192.0.2.137", ip_location=IpLocation("US", "US-NY"), networks=("net",)
)


IN_NEW_YORK = IpLocation("US", "US-NY")


NOTHING = {"profile": None, "network_user_id": "", "precise_position": "none", "masked_ip": "192.0.2.0"}


def interests(*scored: tuple[str, float]) -> Profile:
    return Profile(
        gender=Gender.FEMALE,
        occupation="baker",
        interests=tuple(HeldInterest(segment, SegmentKind.CONTENT, score, NOW_S) for segment, score in scored),
    )


PROFILE = interests(("663", 0.874), ("727", 0.51))


def decide_all(
    policy: Policy = POLICY,
    request: AdRequest = REQUEST,
    profile: Profile = PROFILE,
    preference: Preference = PREFERENCE,
    key: bytes = b"key",
) -> Sequence[NetworkDecision]:
    planned = plan([request], policy, NOW_S)
    stored = [record(subject, preference, profile) for subject in planned.subjects]
    return decide(planned, stored, [()], Rulebook(policy, key), NOW_S)[0].networks


def decide_one(policy: Policy = POLICY, **others: Any) -> NetworkDecision:
    (decision,) = decide_all(policy, **others)
    return decision


def reasons(withheld: Reasons) -> list[str]:
    return [reason.name for reason in reasons_in(withheld)]


def with_network(**terms: Any) -> Policy:
    return replace(POLICY, networks=(NetworkPolicy("net", **terms),))


def with_rules(*rules: NetworkRule) -> Policy:
    return replace(POLICY, rules=rules)
