"""The effect of a policy: what each network receives in each mode, found by deciding for a complete sample profile.

The code that decides in production fills the matrix, so the two cannot differ. The sample person is in a country that
neither the GDPR nor a rule names.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from targeting.decision import Decision, Rulebook, decide, plan
from targeting.features.taxonomy import CATEGORIES
from targeting.model import AdRequest, Gender, Identity, Mode, Signals, SubjectKind
from targeting.networks import NetworkDecision
from targeting.places.geo import IpLocation
from targeting.places.iso3166 import COUNTRIES
from targeting.policy.policy import Policy
from targeting.policy.profile_fields import SHAREABLE_FIELDS
from targeting.records.preference import Choice, Preference, encode_preference
from targeting.records.profile import HeldInterest, Profile, SegmentKind, encode_profile
from targeting.records.stored_records import StoredRecords

_OWNER: Final = bytes(16)
_NOW_S: Final = 1_800_000_000
_BORN_IN_1980: Final = 3652
_ADDRESS: Final = "203.0.113.77"
_FULL_ADDRESS_BITS: Final = 32
_MODES: Final = {Mode.BEHAVIOURAL: Signals(), Mode.LIMITED: Signals(targeted_ads_off=True)}


class Row(NamedTuple):
    """What one network receives in one mode; ``fields`` names the shared fields of the profile."""

    network_id: str
    mode: Mode
    contact: bool
    fields: frozenset[str]
    user_id: bool
    position: str
    address: str


def matrix(policy: Policy) -> Iterator[Row]:
    """Yield the rows, network by network, in the order of the policy."""
    decisions = {mode: _decision(policy, signals) for mode, signals in _MODES.items()}
    for index in range(len(policy.networks)):
        for mode, decision in decisions.items():
            yield _row(mode, decision.networks[index])


def _decision(policy: Policy, signals: Signals) -> Decision:
    country = _unnamed_country(policy)
    request = AdRequest(
        identity=Identity(account_id="example"),
        ip=_ADDRESS,
        ip_location=IpLocation(country, f"{country}-0"),
        client_country=country,
        client_language="en",
        signals=signals,
        networks=tuple(network.id for network in policy.networks),
    )
    planned = plan([request], policy, _NOW_S)
    stored = [_complete_records(policy) for _ in planned.subjects]
    return decide(planned, stored, [[]], Rulebook(policy, bytes(32)), _NOW_S)[0]


def _unnamed_country(policy: Policy) -> str:
    named = {*policy.gdpr.countries, *(country for rule in policy.rules for country in rule.countries)}
    return next((country for country in sorted(COUNTRIES) if country not in named), "US")


def _complete_records(policy: Policy) -> StoredRecords:
    shareable = (each for each in CATEGORIES if each.name not in policy.sharing.withheld_categories)
    interests = [HeldInterest(str(each.codes[0]), SegmentKind.CONTENT, 1.0, _NOW_S) for each in shareable]
    return StoredRecords(
        SubjectKind.ACCOUNT,
        _OWNER,
        encode_preference(Preference(choice=Choice.OPT_IN, birth_day=_BORN_IN_1980), _OWNER),
        encode_profile(Profile(gender=Gender.FEMALE, interests=tuple(interests[-1:])), _OWNER),
    )


def _row(mode: Mode, network: NetworkDecision) -> Row:
    profile, (bits, _) = network.profile, network.address_bits
    return Row(
        network.network_id,
        mode,
        network.contact_allowed,
        frozenset(name for name in SHAREABLE_FIELDS if profile is not None and getattr(profile, name)),
        bool(network.network_user_id),
        network.precise_position,
        "whole" if bits == _FULL_ADDRESS_BITS else f"/{bits}",
    )
