"""The whole bid request that each network receives."""

import re
from dataclasses import replace
from typing import Any

import pytest
from adtargeting.v1 import targeting_pb2 as pb
from msgspec import Raw

from server.decisions.bid_requests import read_call
from targeting.model import LimitedFeatures
from targeting.openrtb.bid_request import NetworkRequestBuilder
from targeting.openrtb.device import Device
from targeting.openrtb.readers import readers_for
from targeting.openrtb.user import User
from targeting.places.geo import IpLocation
from targeting.policy.policy import Policy
from tests.targeting.openrtb.one_network import ALLOWED, OPTED_OUT, POLICY, bid, sent
from tests.targeting.openrtb.openrtb_tables import validate
from tests.targeting.openrtb.preparing import (
    ALL_NETWORKS,
    EXAMPLES,
    Json,
    TableLocator,
    asking,
    prepare,
)

every_example = pytest.mark.parametrize("name", EXAMPLES)


def without_ext(imp: Json) -> Json:
    return {name: value for name, value in imp.items() if name != "ext"}


@every_example
@pytest.mark.parametrize("stored", [None, OPTED_OUT], ids=["no choice", "opted out"])
def test_what_goes_out_is_a_valid_bid_request(name: str, stored: Any) -> None:
    for text in prepare(asking(EXAMPLES[name]), stored=stored).bid_requests.values():
        assert validate(text) == []


@every_example
def test_what_says_nothing_of_the_person_goes_out_untouched(name: str) -> None:
    example = EXAMPLES[name]
    untouched = example.keys() - {"imp", "user", "device", "ext", "regs"}
    for prepared in prepare(asking(example)).bid_requests.values():
        assert {key: prepared[key] for key in untouched} == {key: example[key] for key in untouched}
        assert list(map(without_ext, prepared["imp"])) == list(map(without_ext, example["imp"]))


@every_example
def test_consent_strings_and_flags_go_out_unchanged(name: str) -> None:
    example = EXAMPLES[name]
    for prepared in prepare(asking(example)).bid_requests.values():
        regs = example.get("regs", {})
        assert {key: prepared.get("regs", {}).get(key) for key in regs} == regs
        user, had = prepared.get("user", {}), example["user"]
        assert user.get("consent") == had.get("consent", had.get("ext", {}).get("consent"))
        for flag in ("dnt", "lmt"):
            assert prepared["device"].get(flag) == example["device"].get(flag)
        assert prepared["device"].get("ext", {}).get("atts") == example["device"].get("ext", {}).get("atts")


def test_one_for_each_network_that_may_be_contacted_in_the_order_asked() -> None:
    prepared = prepare(asking(EXAMPLES["web-display-gdpr"], ["stranger", "dahlia", "ACME", "house", "acme"]))
    assert list(prepared.texts) == ["dahlia", "ACME", "house"]
    assert list(prepared.networks) == ["stranger", "dahlia", "ACME", "house"]
    assert not prepared.networks["stranger"].contact_allowed


def test_without_networks_there_is_only_the_decision() -> None:
    prepared = prepare(asking(bid(), []))
    assert prepared.decision.mode == pb.MODE_BEHAVIOURAL
    assert prepared.texts == {}


def test_all_that_a_network_gets_of_a_person_who_opted_out() -> None:
    example = EXAMPLES["app-android-us-privacy"]
    prepared = sent(example, "acme", policy=prepare_policy(), stored=OPTED_OUT)
    assert prepared["device"] == {
        "dnt": 0,
        "lmt": 0,
        "ip": "198.51.100.0",
        "ipv6": "2001:db8::",
        "devicetype": 4,
        "os": "Android",
        "sua": {"browsers": [{"brand": "Chrome"}], "mobile": 1},
        "language": "en",
        "geo": {"country": "USA", "region": "NY"},
    }
    assert prepared["user"] == {"geo": {"country": "USA"}}
    assert prepared["imp"][0]["ext"] == {
        "gpid": "dialer/banner",
        "prebid": {"bidder": {"acme": {"placementId": "acme-and-8"}}},
    }
    assert "ext" not in prepared


def prepare_policy() -> Policy:
    return replace(POLICY, networks=(replace(ALLOWED, id="acme"),))


def test_all_networks_of_the_example_policy_are_known() -> None:
    prepared = prepare(asking(EXAMPLES["web-multi-format-no-regime"]))
    assert tuple(prepared.texts) == ALL_NETWORKS


def test_nothing_of_the_person_is_shown_by_what_is_worked_with() -> None:
    request, bid_request = read_call(asking(bid(user={"id": "secret"}), ["net"]).SerializeToString(), TableLocator({}))
    limited = LimitedFeatures(country="US", language="en", ip_country="US", ip_subdivision="")
    builder = NetworkRequestBuilder(bid_request, limited, POLICY)
    readers = readers_for(POLICY.bid_request)
    device = Device({"ip": "192.0.2.1"}, Raw(b"{}"), IpLocation("US", ""), "en", readers.device_ext)
    user = User({}, Raw(b"{}"), "US", readers.user_ext, source="ads.example.com")
    for value in (request, bid_request, builder, device, user):
        assert not re.search(r"secret|192\.0|alice", repr(value))
