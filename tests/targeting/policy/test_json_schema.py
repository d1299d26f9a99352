"""The JSON Schema of a policy file: it accepts what the code accepts, and refuses what can be said of one value."""

import re
import tomllib
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from targeting.policy.json_schema import policy_schema
from targeting.policy.policy import PolicyError, policy_from
from tests.targeting.policy.policy_tables import KEYS_OF_TABLES
from tests.targeting.policy.test_policy import anything, network, rule
from tests.targeting.policy.test_policy_docs import EXAMPLE

SCHEMA = policy_schema({})
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def test_it_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_it_accepts_the_example_and_an_empty_file() -> None:
    assert VALIDATOR.is_valid(tomllib.loads(EXAMPLE.read_text(encoding="utf-8")))
    assert VALIDATOR.is_valid({})


@pytest.mark.parametrize(
    "invalid",
    [
        {"colour": 1},
        {"signals": {"x": 1}},
        {"signals": {"honour_do_not_track": 1}},
        {"version": ""},
        {"version": "a b"},
        {"children": {"age": 22}},
        {"children": {"age": True}},
        {"children": {"age_by_country": {"DE": -1}}},
        {"children": {"age_by_country": {"UK": 13}}},
        {"children": {"age_by_subdivision": {"Connecticut": 18}}},
        {"half_life_days": {"content": "14"}},
        {"gdpr": {"countries": "DE"}},
        {"gdpr": {"countries": ["DE", "UK"]}},
        {"opt_out": {"on_opt_out": "keep"}},
        {"masks": {"ipv4_bits": 25}},
        {"bid_request": {"source": "Our House"}},
        {"bid_request": {"user_ext": ["a..b"]}},
        {"bid_request": {"user_ext": ["x.Eids"]}},
        {"bid_request": {"user_ext": ["DATA"]}},
        {"bid_request": {"user_ext": ["data.x"]}},
        {"bid_request": {"impression_ext": ["prebid"]}},
        {"bid_request": {"impression_ext": ["Prebid.bidder.x"]}},
        {"bid_request": {"device_ext": ["X-Forwarded-For"]}},
        {"bid_request": {"object_ext": ["user.x"]}},
        {"networks": {}},
        {"networks": [{"name": "without an id"}]},
        {"networks": [{"id": "a b"}]},
        network(fields=["exact_age"]),
        network(precise_position="near"),
        {"rules": [{}]},
        rule(withhold=[]),
        rule(subdivisions=["California"]),
        rule(app="yes"),
        {"vendor_list": {}},
    ],
    ids=repr,
)
def test_it_refuses_what_the_code_refuses_in_one_value(invalid: dict[str, Any]) -> None:
    assert not VALIDATOR.is_valid(invalid)
    with pytest.raises(PolicyError):
        policy_from(invalid)


@pytest.mark.parametrize("names", [["prebid.is_rewarded_inventory"], ["prebidder"], ["dataset", "user_agent"], ["aaa"]])
def test_it_allows_names_that_only_look_like_forbidden_ones(names: list[str]) -> None:
    valid = {"bid_request": {"impression_ext": names}}
    assert VALIDATOR.is_valid(valid)
    policy_from(valid)


tables = st.dictionaries(
    st.sampled_from(sorted(KEYS_OF_TABLES)),
    st.dictionaries(st.sampled_from(sorted(set().union(*KEYS_OF_TABLES.values()))), anything, max_size=3) | anything,
    max_size=3,
)


@given(tables)
def test_it_accepts_every_file_that_the_code_accepts(table: dict[str, Any]) -> None:
    try:
        policy_from(table)
    except PolicyError:
        return
    assert VALIDATOR.is_valid(table)


def test_it_gives_a_key_its_description_and_default() -> None:
    schema = policy_schema({("", "version"): "Its name.", ("rules", "app"): "From an app."})
    assert schema["properties"]["version"]["description"] == "Its name."
    assert schema["properties"]["version"]["default"] == "built-in"
    conditions = schema["properties"]["rules"]["items"]["properties"]
    assert conditions["app"] == {"type": "boolean", "description": "From an app."}
    assert conditions["networks"]["default"] == []
    assert re.search(conditions["subdivisions"]["items"]["pattern"], "US-CA")
