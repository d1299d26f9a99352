"""Additions to a request only take away, from the mode of the decision to what each network gets.

Additions are signals, cookies, subjects, sections, rules and a younger age. The rules make the exceptions: consent
lifts ``TCF_NO_CONSENT``, and a subject may bring the first profile or, with its own opt-in, lift ``OPT_IN_REQUIRED``.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from random import Random
from typing import Any, NamedTuple

import pytest

from targeting import judge as judge_module
from targeting.decision import Decision, Rulebook, decide, plan
from targeting.judge import RequestVerdict
from targeting.model import AdRequest, AgeTreatment, Gender, Identity, Mode, Subject, SubjectKind
from targeting.networks import NetworkDecision
from targeting.places.geo import IpLocation
from targeting.policy.policy import Policy, policy_from
from targeting.reasons import NO_REASONS
from targeting.records.envelope import RecordUnreadable
from targeting.records.preference import Choice, Preference, decode_preference, encode_preference
from targeting.records.profile import HeldInterest, Profile, SegmentKind, encode_profile
from targeting.records.stored_records import StoredRecords
from targeting.signals.nap import Nap
from tests.properties.any_request import owner_of
from tests.targeting.signals.strings import STRINGS, VENDOR

NOW_S = 1_780_000_000.0
ALICE, BOB, CAROL = (Subject(SubjectKind.ACCOUNT, name) for name in ("alice", "bob", "carol"))
PHONE = Subject(SubjectKind.DEVICE, "phone")
SUBJECTS = (ALICE, BOB, CAROL, PHONE)
NETWORKS: list[dict[str, Any]] = [
    {"id": "house", "first_party": True, "fields": ["age_bracket", "gender", "country", "interests"], "user_id": True},
    {"id": "partner", "tcf_vendor_id": VENDOR, "fields": ["age_bracket", "interests"], "precise_position": "exact"},
    {"id": "full", "first_party": True, "full_ip": True, "user_id": True, "precise_position": "coarse"},
]
RULES: list[dict[str, Any]] = [
    {"withhold": ["profile"], "countries": ["US", "CA"]},
    {"withhold": ["user_id"], "global_privacy_control": True},
    {"withhold": ["precise_position"], "subdivisions": ["US-CA"]},
    {"withhold": ["contact"], "gpp_sections": [7]},
    {"withhold": ["profile", "user_id"], "networks": ["p*"]},
    {"withhold": ["contact"], "app": True},
]
CHILDREN: list[dict[str, Any]] = [
    {},
    {"age_by_country": {"US": 16, "CA": 14}},
    {"age_by_subdivision": {"US-CA": 18}},
]
PLACES: list[list[str]] = [[], [], ["US"], ["CA-QC"]]


IDENTITIES = [Identity("alice"), Identity("alice", ("bob",)), Identity("alice", (), "phone"), Identity("", (), "phone")]


class Case(NamedTuple):
    """All inputs of a decision."""

    request: AdRequest
    store: Mapping[Subject, StoredRecords]
    naps: tuple[Nap, ...]
    policy: Mapping[str, Any]


def case_of(seed: int) -> Case:
    """A case that its seed reproduces. Half of them start with nothing that limits."""
    random = Random(seed)
    request = AdRequest(
        identity=random.choice(IDENTITIES),
        ip="192.0.2.1",
        ip_location=random.choice([IpLocation("", ""), IpLocation("US", "US-CA"), IpLocation("US", "")]),
        client_country=random.choice(["", "", "CA", "deu"]),
        networks=("house", "partner", "full", "stranger"),
        signals=AdRequest().signals._replace(gdpr_applies=False),
    )
    if random.random() < 0.5:
        signals = AdRequest().signals._replace(
            gdpr_applies=random.choice([None, True, False]),
            tcf_consent=random.choice(["", STRINGS["tcf-consent"], STRINGS["tcf-contact-only"]]),
            gpp=random.choice(["", "", STRINGS["usnat-allows"], STRINGS["usnat-position-refused"]]),
            gpp_section_ids=random.choice([(), (7,), (2, 7)]),
            us_privacy=random.choice(["", "1YNN", "1YYN"]),
        )
        cookie_header = random.choice(["", "CC=US", "CC=FR", "ANON=A=abc", f"MUID={1:032x}"])
        request = request._replace(signals=signals, cookie_header=cookie_header)
    policy = {
        "gdpr": {"host_vendor_id": VENDOR},
        "children": random.choice(CHILDREN),
        "consent": {"explicit_opt_in_in": random.choice(PLACES)},
        "networks": NETWORKS,
        "rules": random.sample(RULES, random.randrange(2)),
    }
    store = {subject: any_records(random, subject) for subject in SUBJECTS}
    return Case(request, store, random.choice([(), (), (Nap(age=30),)]), policy)


def any_records(random: Random, subject: Subject) -> StoredRecords:
    owner = owner_of(subject)
    preference = Preference(
        choice=random.choice([Choice.NONE, Choice.NONE, *[Choice.OPT_IN] * 5, Choice.OPT_OUT]),
        country=random.choice(["", "", "CA", "US"]),
        birth_day=random.choice([None, 5_000, 5_000, 5_000, 14_500, 18_000]),
    )
    profile = Profile(gender=Gender.FEMALE, interests=(HeldInterest("246", SegmentKind.CONTENT, 0.9, int(NOW_S)),))
    return StoredRecords(
        subject.kind,
        owner,
        random.choice([encode_preference(preference, owner)] * 8 + [None, b"?"]),
        random.choice([encode_profile(profile, owner)] * 3 + [None]),
    )


Adding = Callable[[Case], Case]


class NoAddition(Exception):
    """The request has one already, or the rules make an exception."""


def signal(**fields: Any) -> Adding:
    return lambda case: case._replace(request=case.request._replace(signals=case.request.signals._replace(**fields)))


def cookie(text: str) -> Adding:
    def add(case: Case) -> Case:
        header = "; ".join(filter(None, (case.request.cookie_header, text)))
        return case._replace(request=case.request._replace(cookie_header=header))

    return add


def linked(case: Case) -> Case:
    identity = case.request.identity
    if not identity.account_id:
        raise NoAddition
    more = identity._replace(linked_account_ids=(*identity.linked_account_ids, "carol"))
    return case._replace(request=case.request._replace(identity=more))


def device(case: Case) -> Case:
    identity = case.request.identity
    # Its own opt-in would be the one that the policy asks for.
    if not identity.account_id or identity.device_id or case.policy["consent"]["explicit_opt_in_in"]:
        raise NoAddition
    if "MUID" in case.request.cookie_header:
        raise NoAddition
    return case._replace(request=case.request._replace(identity=identity._replace(device_id="phone")))


def section(case: Case) -> Case:
    if case.request.signals.gpp or case.request.signals.gpp_section_ids:
        raise NoAddition
    return signal(gpp=STRINGS["usnat-sale-opt-out"], gpp_section_ids=(7,))(case)


def us_privacy(case: Case) -> Case:
    if case.request.signals.us_privacy:
        raise NoAddition
    return signal(us_privacy="1YYN")(case)


def in_scope(case: Case) -> Case:
    if case.request.signals.gdpr_applies is not None:
        raise NoAddition
    return signal(gdpr_applies=True)(case)


def rule(extra: Mapping[str, Any]) -> Adding:
    return lambda case: case._replace(policy={**case.policy, "rules": [*case.policy["rules"], extra]})


def younger(case: Case) -> Case:
    store = {subject: _younger(held) for subject, held in case.store.items()}
    return case._replace(store=store)


def _younger(held: StoredRecords) -> StoredRecords:
    try:
        preference = decode_preference(held.preference or b"", held.owner)
    except RecordUnreadable:
        return held
    born = (preference.birth_day if preference.birth_day is not None else 10_000) + 2_000
    return held._replace(preference=encode_preference(preference._replace(birth_day=born), held.owner))


ADDITIONS: dict[str, Adding] = {
    "child-directed": signal(child_directed=True),
    "the client's switch": signal(targeted_ads_off=True),
    "GPC": signal(global_privacy_control=True),
    "DNT": signal(do_not_track=True),
    "limited ad tracking": signal(limit_ad_tracking=True),
    "an industry opt-out": signal(industry_opt_outs=(1,)),
    "an unreadable signal": signal(unreadable=("regs.coppa",)),
    "treated as a child": signal(age_treatment=AgeTreatment.CHILD),
    "treated as a teenager": signal(age_treatment=AgeTreatment.TEEN),
    "a young year of birth": signal(latest_birth_day=18_000),
    "an old year of birth": signal(latest_birth_day=0),
    "the flag of the GDPR": in_scope,
    "a section": section,
    "a US Privacy string": us_privacy,
    "TOptOut": cookie("TOptOut=1"),
    "a TOptOut that allows": cookie("TOptOut=0"),
    "ANON": cookie("ANON=A=abc"),
    "an odd MUID": cookie("MUID=zz"),
    "a NAP cookie of a child": lambda case: case._replace(naps=(*case.naps, Nap(age=9))),
    "a linked account": linked,
    "a device": device,
    "a younger age": younger,
    **{f"rule {index}": rule(extra) for index, extra in enumerate(RULES)},
}


def decided(case: Case) -> Decision:
    policy: Policy = policy_from(case.policy)
    planned = plan([case.request], policy, NOW_S)
    stored = [case.store.get(subject) or StoredRecords(subject.kind, owner_of(subject)) for subject in planned.subjects]
    return decide(planned, stored, [case.naps if planned.subjects else ()], Rulebook(policy, b"key"), NOW_S)[0]


POSITIONS = ("none", "coarse", "exact")


def gets_no_more(before: NetworkDecision, after: NetworkDecision) -> bool:
    position = POSITIONS.index(after.precise_position) <= POSITIONS.index(before.precise_position)
    bits = all(new <= old for new, old in zip(after.address_bits, before.address_bits, strict=True))
    contact = before.contact_allowed or not after.contact_allowed
    return (
        contact
        and position
        and bits
        and after.network_user_id in {"", before.network_user_id}
        and no_more(before, after)
    )


def no_more(before: NetworkDecision, after: NetworkDecision) -> bool:
    """The profile gains no field; place and age may change to those stored for another subject."""
    if after.profile is None:
        return True
    return before.profile is not None and all(
        not new or new == old or name in {"country", "language", "age_bracket"}
        for name, new, old in zip(after.profile._fields, after.profile, before.profile, strict=True)
    )


def fits(name: str, case: Case) -> Case | None:
    """The case after an addition; None if nothing would be added."""
    try:
        return ADDITIONS[name](case)
    except NoAddition:
        return None


def violations(name: str, seeds: Iterable[int]) -> Iterator[int]:
    """The seeds of the cases in which an addition grants something."""
    for seed in seeds:
        case = case_of(seed)
        more = fits(name, case)
        if more is not None:
            before, after = decided(case), decided(more)
            lifted = before.mode is Mode.LIMITED and after.mode is Mode.BEHAVIOURAL
            if lifted or not all(map(gets_no_more, before.networks, after.networks)):
                yield seed


@pytest.mark.parametrize("name", ADDITIONS)
def test_what_is_added_only_takes_away(name: str) -> None:
    assert list(violations(name, range(300))) == []


def test_the_cases_are_of_every_sort() -> None:
    modes = [decided(case_of(seed)).mode for seed in range(300)]
    assert modes.count(Mode.BEHAVIOURAL) > 30
    assert modes.count(Mode.LIMITED) > 50


@pytest.mark.parametrize("name", ADDITIONS)
def test_every_addition_is_made(name: str) -> None:
    assert sum(fits(name, case_of(seed)) is not None for seed in range(300)) > 10


def test_it_finds_a_signal_that_lifts(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a judge that takes GPC for consent, the property must fail."""
    judged = judge_module.judge_request

    def lenient(request: AdRequest, *rest: Any) -> RequestVerdict:
        verdict = judged(request, *rest)
        return verdict._replace(reasons=NO_REASONS) if request.signals.global_privacy_control else verdict

    monkeypatch.setattr("targeting.decision.judge_request", lenient)
    assert list(violations("GPC", range(300)))
