"""What another policy loosens and tightens; what the files cannot tell counts as a loosening."""

import tomllib
from dataclasses import replace
from typing import Any

import pytest

from targeting.policy.comparison import Difference, compare_policies, not_allowed
from targeting.policy.directions import DIRECTIONS, Effect
from targeting.policy.policy import DEFAULT_POLICY, Policy, policy_from
from targeting.signals.tcf.vendor_list import VendorList
from tests.targeting.policy.policy_tables import keys
from tests.targeting.policy.test_policy_docs import EXAMPLE

LOOSENS, TIGHTENS, CHANGES = Effect.LOOSENS, Effect.TIGHTENS, Effect.CHANGES
OWN_COMPARISON = {"children", "rules"}


def compared(old: Any, new: Any) -> list[tuple[str, Effect]]:
    return [(each.name, each.effect) for each in compare_policies(policy_from(old), policy_from(new))]


def network(**terms: Any) -> dict[str, Any]:
    return {"networks": [{"id": "Acme", **terms}]}


def rules(*rules: dict[str, Any]) -> dict[str, Any]:
    return {"rules": list(rules)}


def test_every_key_has_a_direction() -> None:
    known = {(key.table.strip("[]"), key.name) for key in keys()}
    assert {(table, name) for table, name in known if table not in OWN_COMPARISON} == {
        (table, name) for table, directions in DIRECTIONS.items() for name in directions
    }


@pytest.mark.parametrize(
    ("tighter", "looser", "name"),
    [
        ({"signals": {"honour_do_not_track": True}}, {}, "signals.honour_do_not_track"),
        ({}, {"signals": {"store_global_privacy_control": False}}, "signals.store_global_privacy_control"),
        ({}, {"signals": {"store_industry_opt_out": False}}, "signals.store_industry_opt_out"),
        ({}, {"signals": {"new_device_days": 30}}, "signals.new_device_days"),
        ({}, {"signals": {"new_devices_per_second": 0}}, "signals.new_devices_per_second"),
        ({}, {"children": {"age": 12}}, "children.age"),
        ({"children": {"age_by_country": {"DE": 16}}}, {}, "children.age_by_country.DE"),
        ({"consent": {"explicit_opt_in_in": ["CA-QC"]}}, {}, "consent.explicit_opt_in_in"),
        ({"gdpr": {"countries": ["DE", "FR"]}}, {"gdpr": {"countries": ["DE"]}}, "gdpr.countries"),
        ({"gdpr": {"also_required_purposes": [3]}}, {}, "gdpr.also_required_purposes"),
        ({"half_life_days": {"content": 7}}, {}, "half_life_days.content"),
        ({"features": {"max_interests": 8}}, {}, "features.max_interests"),
        ({"features": {"min_interest_score": 0.5}}, {}, "features.min_interest_score"),
        ({"features": {"postal_prefix_characters": 0}}, {}, "features.postal_prefix_characters"),
        ({"opt_out": {"on_opt_out": "erase"}}, {}, "opt_out.on_opt_out"),
        ({}, {"opt_out": {"cookie_days": 30}}, "opt_out.cookie_days"),
        ({"retention": {"profile_days": 30}}, {}, "retention.profile_days"),
        ({"masks": {"ipv4_bits": 16}}, {}, "masks.ipv4_bits"),
        ({"sharing": {"score_steps": 2}}, {}, "sharing.score_steps"),
        ({"sharing": {"id_epoch": 1}}, {}, "sharing.id_epoch"),
        ({}, {"sharing": {"withheld_categories": ["Medical Health"]}}, "sharing.withheld_categories"),
        ({}, {"fingerprint": {"reduce_in_limited_mode": False}}, "fingerprint.reduce_in_limited_mode"),
        ({}, {"bid_request": {"user_ext": ["x"]}}, "bid_request.user_ext"),
        (network(), network(fields=["gender"]), "networks.Acme.fields"),
        (network(), network(user_id=True), "networks.Acme.user_id"),
        (network(), network(first_party=True), "networks.Acme.first_party"),
        (network(), network(precise_position="coarse"), "networks.Acme.precise_position"),
        (network(precise_position="coarse"), network(precise_position="exact"), "networks.Acme.precise_position"),
        (network(full_ip=False), network(full_ip=True), "networks.Acme.full_ip"),
        (network(ipv4_bits=8), network(), "networks.Acme.ipv4_bits"),
        (network(ipv4_bits=8), {}, "networks.Acme.ipv4_bits"),
        ({}, network(fields=["gender"]), "networks.Acme.fields"),
        (rules({"withhold": ["contact"]}), {}, "rules.1"),
        (rules({"withhold": ["contact", "profile"]}), rules({"withhold": ["profile"]}), "rules.1"),
        (rules({"withhold": ["contact"]}), rules({"withhold": ["contact"], "networks": ["a"]}), "rules.1"),
        (rules({"withhold": ["contact"], "networks": ["a", "b"]}), rules({"withhold": ["contact"], "networks": ["a"]}),
         "rules.1"),
        (rules({"withhold": ["contact"]}), rules({"withhold": ["contact"], "countries": ["DE"]}), "rules.1"),
        (rules({"withhold": ["contact"]}), rules({"withhold": ["contact"], "app": True}), "rules.1"),
    ],
)  # fmt: skip
def test_a_change_loosens_and_the_same_backwards_tightens(tighter: Any, looser: Any, name: str) -> None:
    assert compared(tighter, looser) in ([(name, LOOSENS)], [(name, LOOSENS), ("rules", TIGHTENS)])
    backwards = compared(looser, tighter)
    assert (name.partition(".1")[0] if name.startswith("rules") else name, TIGHTENS) in backwards
    assert not not_allowed(compare_policies(policy_from(looser), policy_from(tighter)), ()) or name == "rules.1"


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        pytest.param({}, {}, [], id="nothing"),
        pytest.param({}, {"version": "2"}, [("version", CHANGES)], id="a name"),
        pytest.param({}, {"gdpr": {"host_vendor_id": 12}}, [("gdpr.host_vendor_id", LOOSENS)], id="a vendor id"),
        pytest.param(
            {"gdpr": {"host_vendor_id": 12}}, {}, [("gdpr.host_vendor_id", LOOSENS)], id="no vendor id: cannot be told"
        ),
        pytest.param(
            network(fields=["gender"]),
            network(fields=["language"]),
            [("networks.Acme.fields", LOOSENS), ("networks.Acme.fields", TIGHTENS)],
            id="another field",
        ),
        pytest.param(
            network(fields=["gender", "language"]),
            network(fields=["language", "gender"]),
            [("networks.Acme.fields", CHANGES)],
            id="another order",
        ),
        pytest.param({}, network(), [("networks.Acme", CHANGES)], id="a network that gets nothing more"),
        pytest.param(
            rules({"withhold": ["contact"], "countries": ["DE"]}),
            rules({"withhold": ["contact", "profile"]}),
            [("rules", TIGHTENS)],
            id="a wider rule",
        ),
        pytest.param(
            {"children": {"age": 13, "age_by_subdivision": {"US-CT": 18}}},
            {"children": {"age": 16}},
            [
                ("children.age", TIGHTENS),
                ("children.age_by_country.US", LOOSENS),
                ("children.age_by_subdivision.US-CT", LOOSENS),
            ],
            id="ages by what they amount to",
        ),
    ],
)
def test_what_is_found(old: Any, new: Any, found: list[tuple[str, Effect]]) -> None:
    assert compared(old, new) == found


def test_another_vendor_list_in_a_file_of_the_same_name_may_loosen() -> None:
    old, new = (replace(DEFAULT_POLICY, vendor_list=VendorList(version, {})) for version in (7, 8))
    assert compare_policies(old, new) == [Difference("gdpr.vendor_list", LOOSENS, 7, 8)]
    assert compare_policies(old, old) == []


def test_a_difference_shows_both_values() -> None:
    old, new = policy_from({"masks": {"ipv4_bits": 16}}), policy_from({})
    assert compare_policies(old, new) == [Difference("masks.ipv4_bits", LOOSENS, 16, 24)]


@pytest.mark.parametrize(
    ("allowed", "left"),
    [
        ((), ["networks.Acme.fields", "networks.Acme.user_id"]),
        (("networks.Acme.fields",), ["networks.Acme.user_id"]),
        (("networks.Acme",), []),
        (("networks",), []),
        (("networks.Ac", "networks.Acme.user"), ["networks.Acme.fields", "networks.Acme.user_id"]),
    ],
)
def test_a_loosening_is_allowed_by_its_name_or_one_above(allowed: tuple[str, ...], left: list[str]) -> None:
    differences = compare_policies(policy_from(network()), policy_from(network(fields=["gender"], user_id=True)))
    assert [difference.name for difference in not_allowed(differences, allowed)] == left


EXAMPLE_POLICY = policy_from(tomllib.loads(EXAMPLE.read_text(encoding="utf-8")))


@pytest.mark.parametrize("policy", [DEFAULT_POLICY, EXAMPLE_POLICY, Policy()], ids=["built-in", "example", "empty"])
def test_a_policy_does_not_differ_from_itself(policy: Policy) -> None:
    assert compare_policies(policy, policy) == []
