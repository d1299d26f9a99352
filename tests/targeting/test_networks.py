"""What each network gets: the answers and the payload."""

from dataclasses import replace
from typing import Any

import pytest

from targeting.consent import RequestConsent
from targeting.model import AdRequest, AgeBracket, Gender, Identity, LimitedFeatures, Signals, SubjectKind
from targeting.network_rules import NetworkContext
from targeting.networks import NetworkDecision, Shareable, ThirdPartyProfile, Withheld, decide_networks
from targeting.policy.policy import GdprPolicy, MaskPolicy, NetworkPolicy, Policy, SharingPolicy
from targeting.policy.profile_fields import SHAREABLE_FIELDS
from targeting.reasons import Reason
from targeting.records.preference import Choice
from tests.targeting.network_cases import (
    ALL,
    NETWORK,
    NOTHING,
    POLICY,
    PREFERENCE,
    REQUEST,
    decide_all,
    decide_one,
    interests,
    reasons,
    with_network,
)
from tests.targeting.signals.strings import VENDOR
from tests.targeting.signals.tcf.tcf_encoder import BitField, Restriction, Tc


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


ACME = 21
EUROPEAN = replace(
    POLICY,
    gdpr=GdprPolicy(host_vendor_id=VENDOR),
    networks=(replace(NETWORK, tcf_vendor_id=ACME), NetworkPolicy("bare", **ALL)),
)
TO_BOTH = Tc(
    purposes=frozenset(range(1, 12)),
    special_features=frozenset({1}),
    consents=BitField(frozenset({VENDOR, ACME}), 800),
)


def in_europe(consent: Tc, *networks: str) -> AdRequest:
    return REQUEST._replace(networks=networks, signals=Signals(gdpr_applies=True, tcf_consent=consent.text()))


@pytest.mark.parametrize("purpose", range(1, 12))
def test_contact_needs_consent_to_purpose_2_and_the_profile_to_purpose_4(purpose: int) -> None:
    refused = replace(TO_BOTH, restrictions=(Restriction(purpose, 0, ((ACME, None),)),))
    decision = decide_one(EUROPEAN, request=in_europe(refused, "net"))
    assert decision.contact_allowed is (purpose != 2)
    assert (decision.profile is not None) is (purpose not in {2, 4})
    assert bool(decision.network_user_id) is (purpose != 2)


@pytest.mark.parametrize("feature", [1, 2])
def test_the_precise_position_needs_special_feature_1(feature: int) -> None:
    consent = replace(TO_BOTH, special_features=frozenset({feature}))
    assert decide_one(EUROPEAN, request=in_europe(consent, "net")).precise_position_allowed is (feature == 1)


@pytest.mark.parametrize("network", ["bare", "stranger"])
def test_a_network_that_is_no_vendor_has_no_consent(network: str) -> None:
    to_all = replace(TO_BOTH, consents=BitField(frozenset(range(1, 801)), 800))
    decision = decide_one(EUROPEAN, request=in_europe(to_all, network))
    assert decision._asdict().items() >= NOTHING.items()
    assert not decision.contact_allowed
    assert all("TCF_NO_CONSENT" in reasons(answer) for answer in decision.withheld)


def test_what_is_not_permitted_is_withheld_with_the_reason() -> None:
    decision = decide_one(with_network())
    assert decision._asdict().items() >= NOTHING.items()
    assert decision.contact_allowed
    assert [reasons(answer) for answer in decision.withheld] == [[], *[["NETWORK_POLICY"]] * 3]


@pytest.mark.parametrize(
    ("identity", "kind"),
    [
        (Identity("alice", device_id="a-device"), SubjectKind.ACCOUNT),
        (Identity(device_id="a-device"), SubjectKind.DEVICE),
    ],
    ids=["an account and a device", "a device alone"],
)
def test_an_id_says_whether_it_stands_for_an_account_or_a_device(identity: Identity, kind: SubjectKind) -> None:
    request = REQUEST._replace(identity=identity)
    assert decide_one(request=request).id_kind is kind
    assert decide_one(with_network(), request=request).id_kind is None


@pytest.mark.parametrize("answer", Withheld._fields)
def test_the_reasons_of_a_network_are_those_of_each_answer(answer: str) -> None:
    rule = Reason.NETWORK_POLICY.bit
    decision = decide_one()._replace(withheld=Withheld(**{answer: rule}))
    assert decision.reasons == rule
    several = decision._replace(withheld=Withheld(Reason.TCF_NO_CONSENT.bit)._replace(**{answer: rule}))
    assert several.reasons & rule


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
