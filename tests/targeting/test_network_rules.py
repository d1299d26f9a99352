"""Which networks a rule applies to, and that rules only take away."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from targeting.model import AdRequest, AgeBracket, Gender, Signals
from targeting.networks import NetworkDecision, ThirdPartyProfile
from targeting.places.geo import IpLocation
from targeting.policy.policy import NetworkRule
from tests.targeting.network_cases import (
    IN_NEW_YORK,
    NOTHING,
    PREFERENCE,
    REQUEST,
    decide_all,
    decide_one,
    reasons,
    with_rules,
)
from tests.targeting.signals.strings import STRINGS


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


IN_THE_US = REQUEST._replace(ip_location=IN_NEW_YORK, signals=Signals(gdpr_applies=False))
IN_FRANCE: dict[str, tuple[AdRequest, str]] = {
    "the person's setting": (IN_THE_US._replace(client_country="FR"), ""),
    "the stored country": (IN_THE_US, "FR"),
    "the cookie": (IN_THE_US._replace(cookie_header="CC=FR"), "US"),
    "one of two cookies": (IN_THE_US._replace(cookie_header="CC=US; CC=FR"), "US"),
    "the address": (IN_THE_US._replace(client_country="US", ip_location=IpLocation("FR", "")), "US"),
    "the bid request": (IN_THE_US._replace(shown_countries=("US", "FR")), "US"),
    "somewhere in Europe": (IN_THE_US._replace(shown_countries=("EU",)), "US"),
}


@pytest.mark.parametrize(("request_", "stored"), IN_FRANCE.values(), ids=IN_FRANCE)
def test_a_rule_by_country_applies_whoever_names_the_country(request_: AdRequest, stored: str) -> None:
    for country, applies in (("FR", True), ("KR", False)):
        rules = with_rules(NetworkRule(withhold=("user_id",), countries=(country,)))
        decision = decide_one(rules, request=request_, preference=PREFERENCE._replace(country=stored))
        assert bool(decision.withheld.user_id) is applies


SIGNALS: dict[str, tuple[dict[str, Any], AdRequest]] = {
    "from an app": ({"app": True}, REQUEST._replace(in_app=True)),
    "from no app": ({"app": False}, REQUEST),
    "with Do Not Track": ({"do_not_track": True}, REQUEST._replace(signals=Signals(do_not_track=True))),
    "without Do Not Track": ({"do_not_track": False}, REQUEST),
    "without Global Privacy Control": ({"global_privacy_control": False}, REQUEST),
    "with Global Privacy Control": (
        {"global_privacy_control": True},
        REQUEST._replace(signals=Signals(global_privacy_control=True)),
    ),
    "a section that is named": (
        {"gpp_sections": (7,)},
        REQUEST._replace(signals=Signals(gpp=STRINGS["usnat-allows"], gpp_section_ids=(7,))),
    ),
    "a section that is there": ({"gpp_sections": (7,)}, REQUEST._replace(signals=Signals(gpp=STRINGS["usnat-allows"]))),
}


@pytest.mark.parametrize(("condition", "meant"), SIGNALS.values(), ids=SIGNALS)
def test_a_rule_by_signal_applies_to_the_requests_that_it_means(condition: dict[str, Any], meant: AdRequest) -> None:
    rules = with_rules(NetworkRule(withhold=("contact",), **condition))
    for request in {REQUEST, *(request for _, request in SIGNALS.values())}:
        applies = bool(decide_one(rules, request=request).withheld.contact)
        assert applies is all(_states(request, key) == _states(meant, key) for key in condition)


def _states(request: AdRequest, key: str) -> object:
    """What a request says that a rule asks about."""
    if key == "app":
        return request.in_app
    return bool(request.signals.gpp) if key == "gpp_sections" else getattr(request.signals, key)


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
    for unreadable in (readable._replace(unreadable=("regs.gpc",)), readable._replace(us_privacy="?")):
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
