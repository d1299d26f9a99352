"""Made-up people and what they ask for over one day, by a seed: places, ages, choices, consents, sites, hours."""

import hashlib
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from targeting.decision import Rulebook, decide, plan
from targeting.decision_records.facts import Recorded
from targeting.model import AdRequest, Identity, Signals, SubjectKind
from targeting.places.geo import IpLocation
from targeting.policy.policy import ChildrenPolicy, ConsentPolicy, GdprPolicy, NetworkPolicy, NetworkRule, Policy
from targeting.records.preference import Choice, Preference, encode_preference
from targeting.records.profile import Profile, encode_profile
from targeting.records.stored_records import StoredRecords
from targeting.rejudging.batch import DecidedBatch
from tests.targeting.signals.strings import STRINGS, VENDOR
from tests.targeting.signals.tcf.tcf_encoder import BitField, Tc

MIDNIGHT_S: Final = 1_780_012_800
"""2026-05-29T00:00Z."""
ACME, BOREALIS = 21, 6

POLICY: Final = Policy(
    version="day",
    children=ChildrenPolicy(
        age_by_country=MappingProxyType({"DE": 16, "FR": 15}), age_by_subdivision=MappingProxyType({"US-CT": 18})
    ),
    gdpr=GdprPolicy(host_vendor_id=VENDOR),
    consent=ConsentPolicy(explicit_opt_in_in=("CA-QC",)),
    networks=(
        NetworkPolicy("house", first_party=True, fields=("age_bracket", "gender", "country"), user_id=True),
        NetworkPolicy("acme", tcf_vendor_id=ACME, fields=("age_bracket", "country"), user_id=True),
        NetworkPolicy("borealis", tcf_vendor_id=BOREALIS, fields=("country",), precise_position="coarse"),
    ),
    rules=(
        NetworkRule(withhold=("profile", "user_id"), networks=("acme",), subdivisions=("US-CA",)),
        NetworkRule(withhold=("user_id",), do_not_track=True),
        NetworkRule(withhold=("contact",), networks=("borealis",), gpp_sections=(7,)),
    ),
)
_SITES: Final = (("house",), ("house", "acme"), ("acme", "borealis"), ("house", "acme", "borealis"))
_PLACES: Final = tuple(IpLocation(*place.split(":")) for place in (
    "US:US-CA", "US:US-TX", "US:US-CT", "US:US-NY", "GB:GB-ENG", "DE:", "FR:", "CA:CA-ON", "CA:CA-QC", "BR:", "IN:",
    "MX:",
))  # fmt: skip
_PLACE_WEIGHTS: Final = (14, 9, 8, 8, 12, 11, 9, 6, 3, 10, 9, 6)


def _consented(*vendors: int) -> str:
    return Tc(
        purposes=frozenset(range(1, 11)), special_features=frozenset({1}), consents=BitField(frozenset(vendors), 800)
    ).text()


_CONSENTS: Final = (
    _consented(VENDOR, ACME, BOREALIS), _consented(), _consented(VENDOR), _consented(VENDOR, ACME), "junk", "",
)  # fmt: skip
_CONSENT_WEIGHTS: Final = (62, 20, 5, 7, 1, 5)


class Person(NamedTuple):
    """One person: the request that they make, what is stored about them, and the hours in which they ask."""

    request: AdRequest
    stored: tuple[StoredRecords, ...]
    hours: tuple[int, ...]


def people(count: int, hours: int = 24, seed: int = 16) -> Iterator[Person]:
    """People who ask in some of the first hours of the day."""
    dice = random.Random(seed)
    for number in range(count):
        yield _person(number, hours, dice)


def _person(number: int, hours: int, dice: random.Random) -> Person:
    (place,) = dice.choices(_PLACES, _PLACE_WEIGHTS)
    is_european = place.country in POLICY.gdpr.applies_in
    signals = Signals(
        targeted_ads_off=dice.random() < 0.03,
        global_privacy_control=dice.random() < 0.04,
        do_not_track=dice.random() < 0.1,
        limit_ad_tracking=dice.random() < 0.06,
        tcf_consent=dice.choices(_CONSENTS, _CONSENT_WEIGHTS)[0] if is_european else "",
        gpp=STRINGS["usnat-allows"] if place.country == "US" and dice.random() < 0.3 else "",
        gpp_section_ids=(),
    )
    request = AdRequest(
        identity=Identity(account_id=f"person-{number}" * (dice.random() < 0.6), device_id=f"device-{number}"),
        ip_location=place,
        accept_language=dice.choice(("en", "de", "fr", "pt-BR")),
        in_app=dice.random() < 0.4,
        signals=signals,
        networks=dice.choices(_SITES, (40, 30, 10, 20))[0],
    )
    years = dice.uniform(11, 19) if dice.random() < 0.2 else dice.triangular(19, 80, 30)
    birth_day = dice.choice((None, 20_603 - int(years * 365.25)))
    choice = dice.choices((Choice.NONE, Choice.OPT_OUT, Choice.OPT_IN), (82, 8, 10))[0]
    has_profile = dice.random() < 0.85
    subjects = plan([request._replace(signals=Signals(gdpr_applies=False))], POLICY, MIDNIGHT_S).subjects
    stored = tuple(
        [
            _records(subject.kind, number, Preference(choice=choice, birth_day=birth_day), has_profile=has_profile)
            for subject in subjects
        ]
    )
    return Person(request, stored, tuple(sorted(dice.sample(range(hours), dice.choice((1, 1, 2, 3))))))


def _records(kind: SubjectKind, number: int, preference: Preference, *, has_profile: bool) -> StoredRecords:
    owner = hashlib.blake2b(f"{kind}{number}".encode(), digest_size=16).digest()
    profile = encode_profile(Profile(), owner) if has_profile else None
    return StoredRecords(kind, owner, encode_preference(preference, owner), profile)


def decisions(asking: Sequence[Person], hour: int, policy: Policy = POLICY) -> Iterator[Recorded]:
    """Decide, in one hour, for people who ask."""
    now_s = float(MIDNIGHT_S + hour * 3600)
    planned = plan([person.request for person in asking], policy, now_s)
    fetched = [
        records
        for item, person in zip(planned.items, asking, strict=True)
        if item.subjects
        for records in person.stored
    ]
    naps = [()] * len(asking)
    decided = decide(planned, fetched, naps, Rulebook(policy, b"key"), now_s)
    batch = DecidedBatch(planned, fetched, naps, decided, policy, now_s)
    for made, decision in zip(batch.requests(), decided, strict=True):
        yield Recorded(made, decision, policy, now_s)


def changed(**tables: Any) -> Policy:
    """The policy of the day with other tables."""
    return replace(POLICY, version="next", **tables)
