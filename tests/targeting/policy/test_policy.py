"""A policy is read whole or refused, naming the key."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from targeting.policy.policy import DEFAULT_POLICY, NetworkPolicy, NetworkRule, Policy, PolicyError, policy_from
from tests.targeting.policy.policy_tables import KEYS_OF_TABLES


def complaint(data: Any) -> str:
    with pytest.raises(PolicyError) as refused:
        policy_from(data)
    assert str(refused.value) == f"{refused.value.key}: {refused.value.problem}"
    return str(refused.value)


def network(**terms: Any) -> dict[str, Any]:
    return {"networks": [{"id": "a", **terms}]}


def rule(**conditions: Any) -> dict[str, Any]:
    return {"rules": [{"withhold": ["contact"], **conditions}]}


def test_nothing_stated_is_the_default() -> None:
    assert policy_from({}) == Policy()


def test_everything_stated_is_taken() -> None:
    policy = policy_from(
        {
            "version": "7",
            "signals": {"honour_do_not_track": True},
            "children": {"age": 12, "age_by_country": {"DE": 16}},
            "half_life_days": {"content": 7},
            "networks": [{"id": "Net", "fields": ["gender"], "precise_position": "coarse"}],
            "rules": [{"withhold": ["contact"], "app": False, "countries": ["DE"]}],
        }
    )
    assert policy.version == "7"
    assert policy.signals.honour_do_not_track
    assert policy.children.age_by_country == {"DE": 16}
    assert policy.half_life_days.content == 7.0
    assert policy.by_id == {"net": NetworkPolicy("Net", fields=("gender",), precise_position="coarse")}
    assert policy.rules == (NetworkRule(withhold=("contact",), app=False, countries=("DE",)),)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"colour": 1}, "colour: unknown key; use one of: bid_request, children, "),
        ({"signals": {"x": 1}}, "signals.x: unknown key; use one of: honour_do_not_track, "),
        ({"signals": {"honor_do_not_track": True}}, "signals.honor_do_not_track: unknown key; did you mean honour_do"),
        ({"network": []}, "network: unknown key; did you mean networks?"),
        ({"signals": 1}, "signals: must be a table"),
        ({"signals": {"honour_do_not_track": 1}}, "signals.honour_do_not_track: must be true or false"),
        ({"version": 1}, "version: must be a string"),
        ({"version": "a b"}, "version: must be 1 to 64 visible ASCII characters"),
        ({"version": ""}, "version: must be 1 to 64 visible ASCII characters"),
        ({"children": {"age": 13.0}}, "children.age: must be a whole number"),
        ({"children": {"age": True}}, "children.age: must be a whole number"),
        ({"children": {"age": 22}}, "children.age: must be between 0 and 21"),
        ({"children": {"age_by_country": {"DE": -1}}}, "children.age_by_country.DE: must be between 0 and 21"),
        (
            {"children": {"age_by_country": {"de": 16}}},
            "children.age_by_country.de: unknown key; use ISO 3166-1 alpha-2 country codes",
        ),
        ({"half_life_days": {"content": "14"}}, "half_life_days.content: must be a number"),
        ({"half_life_days": {"content": float("nan")}}, "half_life_days.content: must be between 0.01 and 3650"),
        ({"half_life_days": {"content": float("inf")}}, "half_life_days.content: must be between 0.01 and 3650"),
        ({"gdpr": {"countries": "DE"}}, "gdpr.countries: must be a list"),
        (
            {"gdpr": {"countries": ["DE", "UK"]}},
            "gdpr.countries[1]: must be one of: ISO 3166-1 alpha-2 country codes (GB, not UK)",
        ),
        ({"gdpr": {"also_required_purposes": [4, 25]}}, "gdpr.also_required_purposes[1]: must be between 1 and 24"),
        ({"opt_out": {"on_opt_out": "keep"}}, "opt_out.on_opt_out: must be one of: freeze, erase"),
        ({"opt_out": {"cookie_domain": "a;b"}}, "opt_out.cookie_domain: must be a domain name, or empty"),
        ({"masks": {"ipv4_bits": 25}}, "masks.ipv4_bits: must be between 0 and 24"),
        ({"masks": {"ipv6_bits": 57}}, "masks.ipv6_bits: must be between 0 and 56"),
        (
            {"sharing": {"withheld_categories": ["Gender"]}},
            "sharing.withheld_categories[0]: must be one of: categories of the IAB Audience Taxonomy 1.1, ",
        ),
        ({"bid_request": {"source": "Our House"}}, "bid_request.source: must be a domain name"),
        ({"bid_request": {"user_ext": ["a..b"]}}, "bid_request.user_ext[0]: must be a name, or names with dots"),
        ({"bid_request": {"user_ext": ["eids"]}}, "bid_request.user_ext[0]: must not contain eids, which names"),
        (
            {"bid_request": {"user_ext": ["x", "prebid.buyeruids"]}},
            "bid_request.user_ext[1]: must not contain buyeruids",
        ),
        ({"bid_request": {"impression_ext": ["data.aa"]}}, "bid_request.impression_ext[0]: must not contain aa, which"),
        ({"bid_request": {"object_ext": ["x"]}}, "bid_request.object_ext[0]: must be an object, a dot, and a name"),
        ({"bid_request": {"object_ext": ["user.x"]}}, "bid_request.object_ext[0]: must be an object, a dot, and a "),
        (
            {"bid_request": {"object_ext": ["site.User"]}},
            "bid_request.object_ext[0]: must not contain user, which names",
        ),
        ({"bid_request": {"device_ext": ["ifv.x"]}}, "bid_request.device_ext[0]: must not contain ifv"),
        (
            {"bid_request": {"impression_ext": ["prebid.bidder.a"]}},
            "bid_request.impression_ext[0]: must not allow prebid.bidder",
        ),
        (
            {"bid_request": {"request_ext": ["prebid"]}},
            "bid_request.request_ext[0]: must not allow prebid.bidderparams",
        ),
        ({"networks": {}}, "networks: must be a list"),
        ({"networks": ["a"]}, "networks[0]: must be a table"),
        ({"networks": [{}]}, "networks[0].id: is required"),
        ({"networks": [{"id": ""}]}, "networks[0].id: must be 1 to 64 characters without spaces"),
        ({"networks": [{"id": "a"}, {"id": "A"}]}, "networks[1].id: must be unique, regardless of case"),
        (
            {"networks": [{"id": "a", "bidder": "B"}, {"id": "b"}]},
            "networks[0].bidder: must not be the name of another network",
        ),
        (
            {"networks": [{"id": "a", "bidder": "x"}, {"id": "b", "bidder": "X"}]},
            "networks[1].bidder: must not be the name of another network",
        ),
        (
            {"networks": [{"id": "a", "bidder": "b"}, {"id": "b", "bidder": "c"}]},
            "networks[0].bidder: must not be the name of another network",
        ),
        (
            {**network(bidder="x"), "bid_request": {"impression_ext": ["gpid", "X.placementId"]}},
            "bid_request.impression_ext[1]: must not be the name of a network; its",
        ),
        (
            {**network(), "bid_request": {"request_ext": ["A"]}},
            "bid_request.request_ext[0]: must not be the name of a network; its",
        ),
        ({"bid_request": {"user_ext": ["Eids"]}}, "bid_request.user_ext[0]: must not contain eids"),
        (
            {"bid_request": {"device_ext": ["X-Forwarded-For"]}},
            "bid_request.device_ext[0]: must not contain x-forwarded-for",
        ),
        (
            {"bid_request": {"impression_ext": ["Prebid"]}},
            "bid_request.impression_ext[0]: must not allow prebid.bidder",
        ),
        (rule(networks=[""]), "rules[0].networks[0]: must be a pattern of network ids"),
        (rule(subdivisions=["ZZ-1"]), "rules[0].subdivisions[0]: must begin with an ISO 3166-1 alpha-2 country code"),
        (network(fields=["exact_age"]), "networks[0].fields[0]: must be one of: age_bracket, gender, country, "),
        (network(precise_position="near"), "networks[0].precise_position: must be one of: none, coarse, exact"),
        (network(tcf_vendor_id=65_536), "networks[0].tcf_vendor_id: must be between 0 and 65535"),
        (network(ipv4_bits=32), "networks[0].ipv4_bits: must be between 0 and 24"),
        (network(parameters=["a.b"]), "networks[0].parameters[0]: must be a name"),
        ({"rules": [{}]}, "rules[0].withhold: is required"),
        (rule(withhold=[]), "rules[0].withhold: must not be empty"),
        (rule(withhold=["everything"]), "rules[0].withhold[0]: must be one of: contact, profile, user_id, "),
        (rule(grant=["profile"]), "rules[0].grant: unknown key"),
        (rule(subdivisions=["California"]), "rules[0].subdivisions[0]: must be an ISO 3166-2 code such as US-CA"),
        (rule(gpp_sections=["7"]), "rules[0].gpp_sections[0]: must be a whole number"),
        (rule(app="yes"), "rules[0].app: must be true or false"),
        ({"vendor_list": {}}, "vendor_list: unknown key"),
        ({"by_id": {}}, "by_id: unknown key"),
        ({"gdpr": {"applies_in": []}}, "gdpr.applies_in: unknown key"),
    ],
)
def test_an_impossible_policy_is_refused_naming_the_key(data: Any, said: str) -> None:
    assert complaint(data).startswith(said)


def test_a_rule_is_conditional_when_it_asks_about_the_request() -> None:
    assert not NetworkRule(withhold=("contact",), networks=("a",)).is_conditional
    for condition in ({"countries": ("DE",)}, {"subdivisions": ("US-CA",)}, {"gpp_sections": (7,)}, {"app": False}):
        assert NetworkRule(withhold=("contact",), **condition).is_conditional


def test_networks_are_found_by_their_id_in_lower_case_after_a_change_too() -> None:
    policy = replace(DEFAULT_POLICY, networks=(NetworkPolicy("Straße"),))
    assert list(policy.by_id) == ["strasse"]


anything: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 70_000) | st.floats() | st.text(max_size=4) | st.sampled_from(["DE"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "withhold", "DE", ""]), inner),
    max_leaves=4,
)
tables = st.dictionaries(
    st.sampled_from(sorted(KEYS_OF_TABLES)).flatmap(st.just),
    st.dictionaries(st.sampled_from(sorted(set().union(*KEYS_OF_TABLES.values()))), anything, max_size=3) | anything,
    max_size=3,
)


@given(tables)
def test_whatever_the_file_says_it_is_a_policy_or_refused(data: dict[str, Any]) -> None:
    try:
        policy = policy_from(data)
    except PolicyError as problem:
        key = problem.key
    else:
        assert isinstance(policy, Policy)
        return
    assert key.split(".")[0].split("[")[0] in data


@pytest.mark.parametrize(("country", "age"), [("GB", 13), ("DE", 16), ("FR", 15), ("", 16)])
def test_the_age_of_a_child_is_the_countrys_or_the_general_one_and_of_an_unknown_country_the_highest(
    country: str, age: int
) -> None:
    assert policy_from({"children": {"age_by_country": {"DE": 16, "FR": 15}}}).children.age_in(country) == age
    assert policy_from({}).children.age_in(country) == 13
