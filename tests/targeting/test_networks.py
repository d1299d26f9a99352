"""What each network gets: the answers, the payload, and that rules only ever take away."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from targeting.age import day_of
from targeting.consent import RequestConsent
from targeting.decision import Rulebook, decide, plan
from targeting.model import AdRequest, AgeBracket, Gender, Identity, LimitedFeatures, Signals
from targeting.network_rules import NetworkContext
from targeting.networks import NetworkDecision, Shareable, ThirdPartyProfile, Withheld, decide_networks
from targeting.places.geo import IpLocation
from targeting.policy.policy import MaskPolicy, NetworkPolicy, NetworkRule, Policy, SharingPolicy
from targeting.policy.profile_fields import SHAREABLE_FIELDS
from targeting.reasons import Reasons, reasons_in
from targeting.records.preference import Choice, Preference
from targeting.records.profile import HeldInterest, Profile, SegmentKind
from tests.targeting.openrtb.preparing import ALICE, NOW_S, owner_of, record

ALL: dict[str, Any] = {"fields": SHAREABLE_FIELDS, "user_id": True, "precise_position": "exact", "full_ip": True}
NETWORK = NetworkPolicy("net", **ALL)
POLICY = Policy(networks=(NETWORK, NetworkPolicy("other", **ALL), NetworkPolicy("bare")))
PREFERENCE = Preference(country="US", language="en", birth_day=day_of(date(1996, 1, 1)))
REQUEST = AdRequest(
    identity=Identity("alice"), ip="192.0.2.137", ip_location=IpLocation("US", "US-NY"), networks=("net",)
)
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
    stored = [record(ALICE, preference, profile)]
    planned = plan([request], policy, NOW_S)
    return decide(planned, stored[: len(planned.subjects)], [()], Rulebook(policy, key), NOW_S)[0].networks


def decide_one(policy: Policy = POLICY, **others: Any) -> NetworkDecision:
    (decision,) = decide_all(policy, **others)
    return decision


def reasons(withheld: Reasons) -> list[str]:
    return [reason.name for reason in reasons_in(withheld)]


def with_network(**terms: Any) -> Policy:
    return replace(POLICY, networks=(NetworkPolicy("net", **terms),))


def with_rules(*rules: NetworkRule) -> Policy:
    return replace(POLICY, rules=rules)


def test_a_network_that_may_have_everything() -> None:
    decision = decide_one()
    assert decision.withheld == Withheld()
    assert decision.reasons == 0
    assert decision.contact_allowed
    assert decision.precise_position_allowed
    assert decision.masked_ip == "192.0.2.137"
    assert decision.profile == ThirdPartyProfile(
        age_bracket=AgeBracket.FROM_25,
        gender=Gender.FEMALE,
        country="US",
        language="en",
        interests=(("663", 0.9), ("727", 0.5)),
    )
    assert len(decision.network_user_id) == 32


@pytest.mark.parametrize("field", SHAREABLE_FIELDS)
def test_the_profile_holds_the_fields_that_the_policy_lists_and_no_others(field: str) -> None:
    whole, profile = decide_one().profile, decide_one(with_network(fields=(field,))).profile
    assert whole is not None
    assert profile == ThirdPartyProfile(**{field: getattr(whole, field)})


def test_what_is_not_permitted_is_withheld_with_the_reason() -> None:
    decision = decide_one(with_network())
    assert decision._asdict().items() >= NOTHING.items()
    assert decision.contact_allowed
    assert [reasons(answer) for answer in decision.withheld] == [[], *[["NETWORK_POLICY"]] * 3]


def test_an_unknown_network_gets_limited_features_and_a_reason() -> None:
    decision = decide_one(request=REQUEST._replace(networks=("stranger",)))
    assert decision._asdict().items() >= NOTHING.items()
    assert decision.limited.country == "US"
    assert decision.contact_allowed
    assert reasons(decision.reasons) == ["NETWORK_UNKNOWN"]


def test_a_first_party_network_gets_no_more_than_limited_features_from_a_person_who_opted_out() -> None:
    policy = replace(POLICY, networks=(replace(NETWORK, first_party=True),))
    decision = decide_one(policy, preference=PREFERENCE._replace(choice=Choice.OPT_OUT))
    assert decision._asdict().items() >= NOTHING.items()
    assert [reasons(answer) for answer in decision.withheld] == [[], *[["ACCOUNT_OPT_OUT"]] * 3]


def test_a_network_named_twice_or_in_another_case_is_one_in_the_order_asked() -> None:
    request = REQUEST._replace(networks=("Other", "NET", "other", "net", "OTHER", "bare", "straße", "STRASSE"))
    decisions = decide_all(request=request)
    assert [each.network_id for each in decisions] == ["Other", "NET", "bare", "straße"]
    assert decisions[1].network_user_id == decide_one().network_user_id


def test_two_networks_cannot_join_their_ids_and_neither_can_two_keys() -> None:
    here, there, _ = decide_all(request=REQUEST._replace(networks=("net", "other", "bare")))
    assert here.network_user_id != there.network_user_id
    assert decide_one(key=b"another").network_user_id != here.network_user_id
    assert owner_of(ALICE).hex() not in here.network_user_id


def test_without_a_key_there_is_no_id() -> None:
    assert decide_one(key=b"").network_user_id == ""


@pytest.mark.parametrize(
    ("held", "sharing", "shared"),
    [
        pytest.param([("663", 0.874)], SharingPolicy(), [("663", 0.9)], id="rounded"),
        pytest.param([("727", 0.52), ("663", 0.48)], SharingPolicy(), [("663", 0.5), ("727", 0.5)], id="equals"),
        pytest.param([("663", 0.04)], SharingPolicy(), [], id="too weak"),
        pytest.param([("663", 0.9), ("727", 0.8)], SharingPolicy(max_interests=1), [("663", 0.9)], id="the strongest"),
        pytest.param([("663", 0.874)], SharingPolicy(score_steps=4), [("663", 0.75)], id="in quarters"),
        pytest.param([("acme:sailing", 0.9), ("663", 0.5)], SharingPolicy(), [("663", 0.5)], id="of an outside source"),
        pytest.param([("5", 0.9), ("49", 0.9), ("100", 0.9)], SharingPolicy(), [], id="age, gender, household"),
        pytest.param([("466", 0.9), ("382", 0.9)], SharingPolicy(), [], id="health"),
        pytest.param(
            [("466", 0.9)], SharingPolicy(withheld_categories=()), [("466", 0.9)], id="health, if the policy says so"
        ),
        pytest.param([("727", 0.9)], SharingPolicy(withheld_categories=("Travel",)), [], id="another category"),
    ],
)
def test_interests_are_coarse(
    held: list[tuple[str, float]], sharing: SharingPolicy, shared: list[tuple[str, float]]
) -> None:
    profile = decide_one(replace(POLICY, sharing=sharing), profile=interests(*held)).profile
    assert profile is not None
    assert list(profile.interests) == shared


@pytest.mark.parametrize(
    ("ip", "masks", "terms", "visible"),
    [
        ("192.0.2.137", MaskPolicy(), {}, "192.0.2.0"),
        ("192.0.2.137", MaskPolicy(ipv4_bits=16), {}, "192.0.0.0"),
        ("192.0.2.137", MaskPolicy(), {"ipv4_bits": 8}, "192.0.0.0"),
        ("192.0.2.137", MaskPolicy(ipv4_bits=8), {"ipv4_bits": 16}, "192.0.0.0"),
        ("192.0.2.137", MaskPolicy(ipv4_bits=0), {}, "0.0.0.0"),
        ("192.0.2.137", MaskPolicy(), {"full_ip": True, "ipv4_bits": 8}, "192.0.2.137"),
        ("::ffff:192.0.2.137", MaskPolicy(), {}, "192.0.2.0"),
        ("2001:db8:1:2345:6789::1", MaskPolicy(), {}, "2001:db8:1:2300::"),
        ("2001:db8:1:2345:6789::1", MaskPolicy(), {"ipv6_bits": 32}, "2001:db8::"),
        ("2001:db8:1:2345:6789::1", MaskPolicy(), {"full_ip": True}, "2001:db8:1:2345:6789::1"),
        ("192.0.2.1:80", MaskPolicy(), {"full_ip": True}, ""),
    ],
)
def test_addresses_are_masked(ip: str, masks: MaskPolicy, terms: dict[str, Any], visible: str) -> None:
    policy = replace(with_network(**terms), masks=masks)
    assert decide_one(policy, request=REQUEST._replace(ip=ip)).masked_ip == visible


@pytest.mark.parametrize(
    ("permitted", "given", "exact"), [("none", "none", False), ("coarse", "coarse", False), ("exact", "exact", True)]
)
def test_a_coarse_position_is_not_a_precise_one(permitted: str, given: str, *, exact: bool) -> None:
    decision = decide_one(with_network(**{**ALL, "precise_position": permitted}))
    assert decision.precise_position == given
    assert decision.precise_position_allowed is exact
    assert reasons(decision.withheld.precise_position) == ([] if exact else ["NETWORK_POLICY"])


IN_NEW_YORK = IpLocation("US", "US-NY")


@pytest.mark.parametrize(
    ("condition", "location", "applies"),
    [
        ({}, IN_NEW_YORK, True),
        ({"countries": ("US",)}, IN_NEW_YORK, True),
        ({"countries": ("DE", "AT")}, IN_NEW_YORK, False),
        ({"countries": ("DE",)}, IpLocation("", ""), True),
        ({"subdivisions": ("US-CA", "US-NY")}, IN_NEW_YORK, True),
        ({"subdivisions": ("US-CA",)}, IN_NEW_YORK, False),
        ({"subdivisions": ("US-CA",)}, IpLocation("US", ""), True),
        ({"subdivisions": ("US-CA",)}, IpLocation("CA", ""), False),
        ({"subdivisions": ("US-CA",)}, IpLocation("", ""), True),
        ({"countries": ("US",), "subdivisions": ("US-CA",)}, IN_NEW_YORK, False),
    ],
)
def test_a_rule_by_place_applies_there_and_where_it_may_be_there(
    condition: dict[str, Any], location: IpLocation, *, applies: bool
) -> None:
    rule = NetworkRule(withhold=("user_id",), **condition)
    request = REQUEST._replace(ip_location=location, signals=Signals(gdpr_applies=False))
    decision = decide_one(with_rules(rule), request=request, preference=PREFERENCE._replace(country=""))
    assert bool(decision.withheld.user_id) is applies


@pytest.mark.parametrize(
    ("condition", "applies"),
    [
        ({"countries": ("MX",)}, True),
        ({"countries": ("CA",)}, False),
        ({"subdivisions": ("US-CA",)}, True),
        ({"subdivisions": ("US-NV",)}, False),
    ],
)
def test_a_rule_by_place_applies_wherever_the_request_says_that_it_is(
    condition: dict[str, Any], *, applies: bool
) -> None:
    request = REQUEST._replace(shown_countries=("US", "MX"), shown_subdivisions=("US-CA",))
    decision = decide_one(with_rules(NetworkRule(withhold=("user_id",), **condition)), request=request)
    assert bool(decision.withheld.user_id) is applies


@pytest.mark.parametrize(
    "condition",
    [
        {"gpp_sections": (7,)},
        {"global_privacy_control": True},
        {"global_privacy_control": False},
        {"do_not_track": True},
    ],
    ids=str,
)
def test_a_rule_by_signal_applies_where_a_signal_cannot_be_read(condition: dict[str, Any]) -> None:
    rule = with_rules(NetworkRule(withhold=("contact",), **condition))
    readable = Signals(global_privacy_control=condition.get("global_privacy_control") is False)
    assert decide_one(rule, request=REQUEST._replace(signals=readable)).contact_allowed
    unreadable = readable._replace(unreadable=("regs.gpc",))
    assert not decide_one(rule, request=REQUEST._replace(signals=unreadable)).contact_allowed


def test_only_a_star_and_a_question_mark_are_special_in_a_pattern() -> None:
    rule = NetworkRule(withhold=("contact",), networks=("Net[1]*",))
    assert [rule.names(name) for name in ("net[1]", "net[1]-b", "net1")] == [True, True, False]


@pytest.mark.parametrize(
    ("pattern", "meant"), [("net", True), ("NET", True), ("n*", True), ("?et", True), ("net?", False), ("*er", False)]
)
def test_a_rule_by_name_is_for_the_networks_that_it_names(pattern: str, *, meant: bool) -> None:
    decision = decide_one(with_rules(NetworkRule(withhold=("contact",), networks=("nobody", pattern))))
    assert decision.contact_allowed is not meant


def test_a_network_that_may_not_be_contacted_gets_nothing_else_either() -> None:
    decision = decide_one(with_rules(NetworkRule(withhold=("contact",))))
    assert decision._asdict().items() >= NOTHING.items()
    assert [reasons(answer) for answer in decision.withheld] == [["NETWORK_POLICY"]] * 4


def test_nothing_is_shared_where_nothing_was_granted() -> None:
    seen = NetworkContext(
        RequestConsent(), LimitedFeatures(country="US", language="en", ip_country="US", ip_subdivision=""), None
    )
    (decision,) = decide_networks(["net"], seen, None, POLICY)
    assert (decision.profile, decision.network_user_id, decision.masked_ip) == (None, "", "")


def test_what_may_be_shared_shows_nothing_of_the_person(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []

    def look(_: object, seen: NetworkContext, shareable: Shareable | None, __: Policy) -> tuple[NetworkDecision, ...]:
        shown.append(f"{seen.limited} {shareable!r}")
        return ()

    monkeypatch.setattr("targeting.decision.decide_networks", look)
    decide_all()
    assert shown[0].endswith(" Shareable()")


THINGS = ("contact", "profile", "user_id", "precise_position")
rules = st.builds(
    NetworkRule,
    withhold=st.lists(st.sampled_from(THINGS), min_size=1, max_size=3).map(tuple),
    networks=st.sampled_from([(), ("net",), ("o*",), ("stranger",)]),
    countries=st.sampled_from([(), ("US",), ("DE", "FR")]),
    subdivisions=st.sampled_from([(), ("US-NY",), ("US-CA",)]),
    gpp_sections=st.sampled_from([(), (7,)]),
    global_privacy_control=st.none() | st.booleans(),
    do_not_track=st.none() | st.booleans(),
    app=st.none() | st.booleans(),
)


def given_away(decision: NetworkDecision) -> set[object]:
    """Everything that a network has from a decision."""
    profile = decision.profile or ThirdPartyProfile()
    return {
        *(("contact",) if decision.contact_allowed else ()),
        *(("exact", "coarse") if decision.precise_position == "exact" else (decision.precise_position,)),
        *(("full address",) if decision.masked_ip == REQUEST.ip else ()),
        *profile._replace(interests=()),
        *profile.interests,
        decision.network_user_id,
    } - {"", "none", AgeBracket.UNKNOWN, Gender.UNKNOWN}


@given(others=st.lists(rules, max_size=3), another=rules, in_app=st.booleans(), do_not_track=st.booleans())
def test_a_rule_only_ever_takes_away(
    others: list[NetworkRule], another: NetworkRule, *, in_app: bool, do_not_track: bool
) -> None:
    request = REQUEST._replace(
        networks=("net", "other", "bare", "stranger"), in_app=in_app, signals=Signals(do_not_track=do_not_track)
    )
    before = decide_all(with_rules(*others), request=request)
    after = decide_all(with_rules(*others, another), request=request)
    for had, has in zip(before, after, strict=True):
        assert given_away(has) <= given_away(had)
        assert has.reasons & had.reasons == had.reasons
