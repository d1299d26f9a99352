"""The ``device`` that goes out: place, addresses, description, language."""

from dataclasses import replace
from typing import Any

import pytest
from adtargeting.v1 import targeting_pb2 as pb

from targeting.model import Gender
from targeting.places.geo import IpLocation
from targeting.policy.policy import FingerprintPolicy, NetworkRule, Policy
from targeting.policy.profile_fields import SHAREABLE_FIELDS
from tests.targeting.openrtb.one_network import DEVICE, OPTED_OUT, POLICY, US, bid, sent, terms
from tests.targeting.openrtb.preparing import (
    ALICE,
    PROFILE,
    Json,
    TableLocator,
    asking,
    prepare,
    record,
)


@pytest.mark.parametrize(
    ("permission", "position"),
    [
        ("none", {}),
        ("coarse", {"lat": 51.5, "lon": -0.15}),
        ("exact", {"lat": 51.495, "lon": -0.145, "type": 1, "accuracy": 8, "lastfix": 30, "ipservice": 2}),
    ],
)
def test_the_position_goes_by_a_permission_of_its_own(permission: str, position: Json) -> None:
    geo = {
        "lat": 51.495,
        "lon": -0.145,
        "type": 1,
        "accuracy": 8,
        "lastfix": 30,
        "ipservice": 2,
        "city": "X",
        "zip": "SW1A 1AA",
        "metro": "1",
    }
    prepared = sent(bid(device={"geo": {**geo, "country": "USA"}}), policy=terms(precise_position=permission))
    assert prepared["device"]["geo"] == {"country": "USA", **position}


@pytest.mark.parametrize("geo", [{"lat": 51.5}, {"lon": 0}, {"lat": 90.1, "lon": 0}, {"lat": 0, "lon": -180.1}])
@pytest.mark.parametrize("permission", ["coarse", "exact"])
def test_half_a_position_and_an_impossible_one_are_dropped(geo: Json, permission: str) -> None:
    prepared = sent(bid(device={"geo": {**geo, "country": "USA"}}), policy=terms(precise_position=permission))
    assert prepared["device"]["geo"] == {"country": "USA"}


@pytest.mark.parametrize("geo", [{"lat": 90, "lon": 180}, {"lat": -90, "lon": -180}, {"lat": 0, "lon": 0}])
@pytest.mark.parametrize("permission", ["coarse", "exact"])
def test_positions_at_the_bounds_of_the_earth_are_sent(geo: Json, permission: str) -> None:
    prepared = sent(bid(device={"geo": {**geo, "country": "USA"}}), policy=terms(precise_position=permission))
    assert prepared["device"]["geo"] == {"country": "USA", **geo}


def test_a_precise_number_goes_out_as_it_came_in() -> None:
    text = b'{"id":"1","imp":[{"id":"1"}],"device":{"geo":{"country":"USA","lat":1.10,"lon":2e0}}}'
    prepared = prepare(asking(text, ["net"]), policy=terms(precise_position="exact"))
    assert b'"lat":1.10,"lon":2e0' in prepared.texts["net"]


@pytest.mark.parametrize(
    ("addresses", "visible"),
    [
        ({"ip": "192.0.2.137"}, {"ip": "192.0.2.0"}),
        ({"ipv6": "2001:db8:1:2345::1"}, {"ipv6": "2001:db8:1:2300::"}),
        ({"ip": "192.0.2.137", "ipv6": "2001:db8:1:2345::1"}, {"ip": "192.0.2.0", "ipv6": "2001:db8:1:2300::"}),
        ({"ipv6": "::ffff:192.0.2.137"}, {"ip": "192.0.2.0"}),
        ({"ip": "2001:db8:1:2345::1"}, {"ipv6": "2001:db8:1:2300::"}),
        ({"ip": "192.0.2.1", "ipv6": "::ffff:198.51.100.1"}, {"ip": "192.0.2.0"}),
        ({"ip": "192.0.2.137:443"}, {}),
        ({"ip": "unknown", "ipv6": "2001:db8::1"}, {"ipv6": "2001:db8::"}),
    ],
)
def test_addresses_are_masked_and_put_where_their_kind_belongs(addresses: Json, visible: Json) -> None:
    device = sent(bid(device={**addresses, "geo": {"country": "USA"}}))["device"]
    assert {name: device[name] for name in ("ip", "ipv6") if name in device} == visible


def test_a_network_with_the_permission_gets_full_addresses() -> None:
    addresses = {"ip": "192.0.2.137", "ipv6": "2001:db8:1:2345::1"}
    device = sent(bid(device={**addresses, "geo": {"country": "USA"}}), policy=terms(full_ip=True))["device"]
    assert {name: device[name] for name in addresses} == addresses


REDUCED: Json = {
    "devicetype": 4,
    "os": "Android",
    "sua": {"browsers": [{"brand": "Chrome"}], "mobile": 1},
    "language": "en",
    "geo": {"country": "USA"},
}


@pytest.mark.parametrize(
    ("network", "policy", "stored"),
    [
        pytest.param("net", POLICY, OPTED_OUT, id="the person opted out"),
        pytest.param("unknown", POLICY, None, id="an unknown network"),
        pytest.param("strange", POLICY, None, id="the network may have neither profile nor id"),
    ],
)
def test_limited_features_come_with_families_alone(network: str, policy: Policy, stored: Any) -> None:
    prepared = sent(bid(device={**DEVICE, "language": "en"}), network, policy=policy, stored=stored)
    assert prepared["device"] == REDUCED


def test_a_network_that_knows_the_person_gets_the_description_without_extensions() -> None:
    described = {name: value for name, value in DEVICE.items() if name != "ext"}
    described["sua"] = {
        "browsers": [{"brand": "Chromium", "version": ["124", "0"]}],
        "platform": {"brand": "Android", "version": ["14"]},
        "mobile": 1,
        "model": "Pixel 8 Pro",
    }
    assert sent(bid(device=DEVICE))["device"] == described


def test_the_reduction_can_be_switched_off() -> None:
    policy = replace(POLICY, fingerprint=FingerprintPolicy(reduce_in_limited_mode=False))
    assert sent(bid(device=DEVICE), policy=policy, stored=OPTED_OUT)["device"]["ua"] == DEVICE["ua"]


@pytest.mark.parametrize("number", [0, 9, 12_345_678, -1])
def test_a_device_type_that_is_none_is_dropped(number: int) -> None:
    assert "devicetype" not in sent(bid(device={**US, "devicetype": number}))["device"]


@pytest.mark.parametrize(
    ("device", "call", "written"),
    [
        ({"language": "EN"}, {}, {"language": "en"}),
        ({"langb": "pt-br"}, {}, {"langb": "pt-BR"}),
        ({"language": "en"}, {"client": pb.ClientSettings(language="fr-CA")}, {"langb": "fr-CA"}),
        ({"langb": "en-x-me"}, {}, {"language": "en"}),
        ({"language": "?"}, {}, {}),
    ],
)
def test_the_language_is_that_of_the_decision(device: Json, call: Any, written: Json) -> None:
    asked = asking(bid(device={**US, **device}), ["net"], **call)
    prepared = prepare(asked, policy=POLICY).bid_requests["net"]["device"]
    assert {name: prepared[name] for name in ("language", "langb") if name in prepared} == written


def test_residence_and_place_are_two_things() -> None:
    asked = asking(bid(), ["net"], client=pb.ClientSettings(country="MEX"))
    prepared = prepare(asked, policy=POLICY).bid_requests["net"]
    assert prepared["user"]["geo"] == {"country": "MEX"}
    assert prepared["device"]["geo"] == {"country": "USA", "region": "NY"}


def test_without_a_stated_place_that_of_the_address_stands_in() -> None:
    locator = TableLocator({"192.0.2.1": IpLocation("US", "US-WA"), "2001:db8::1": IpLocation("DE", "")})
    device = {"ip": "192.0.2.1", "ipv6": "2001:db8::1", "geo": {"city": "X"}}
    signals = {"regs": {"gdpr": 0}}
    prepared = prepare(asking({**bid(device=device), **signals}, ["net"]), policy=POLICY, locator=locator)
    assert prepared.bid_requests["net"]["device"]["geo"] == {"country": "USA", "region": "WA"}
    assert prepared.decision.limited.ip_country == "US"


@pytest.mark.parametrize("shown", ["device.geo", "user.geo", "ipv6"])
def test_any_country_that_is_shown_counts_for_the_gdprs_scope(shown: str) -> None:
    locator = TableLocator({"192.0.2.1": IpLocation("US", ""), "2001:db8::1": IpLocation("DE", "")})
    device: Json = {"ip": "192.0.2.1"}
    request = bid(device=device)
    assert prepare(asking(request), locator=locator).decision.mode == pb.MODE_BEHAVIOURAL
    if shown == "ipv6":
        device["ipv6"] = "2001:db8::1"
    else:
        request.setdefault(shown.partition(".")[0], {})["geo"] = {"country": "DEU"}
    assert list(prepare(asking(request), locator=locator).decision.reasons) == [pb.REASON_TCF_NO_CONSENT]


KNOWN_GENDER = {ALICE: record(profile=PROFILE._replace(gender=Gender.FEMALE))}
NO_INTERESTS = {ALICE: record(profile=PROFILE._replace(interests=()))}
TAKEN_AWAY = NetworkRule(withhold=("profile", "user_id"))


@pytest.mark.parametrize(
    ("permissions", "rules", "stored", "described"),
    [
        pytest.param({"fields": SHAREABLE_FIELDS}, (), None, True, id="interests"),
        pytest.param({"fields": ("gender",)}, (), KNOWN_GENDER, True, id="a gender"),
        pytest.param({"fields": ("country",), "user_id": True}, (), None, True, id="an id"),
        pytest.param({"fields": ("gender",)}, (), None, False, id="an unknown gender"),
        pytest.param({"fields": ("interests",)}, (), NO_INTERESTS, False, id="no interests"),
        pytest.param({"fields": ("country", "language")}, (), None, False, id="place and language alone"),
        pytest.param({"fields": ()}, (), None, False, id="nothing"),
        pytest.param({"fields": SHAREABLE_FIELDS, "user_id": True}, (TAKEN_AWAY,), None, False, id="all taken away"),
        pytest.param({"fields": SHAREABLE_FIELDS, "user_id": True}, (), OPTED_OUT, False, id="all refused"),
    ],
)
def test_the_device_is_described_to_who_gets_more_than_limited_features(
    permissions: Json, rules: tuple[NetworkRule, ...], stored: Any, *, described: bool
) -> None:
    policy = replace(terms(**{"user_id": False, **permissions}), rules=rules)
    prepared = sent(bid(device={**DEVICE, "language": "en"}), policy=policy, stored=stored)["device"]
    assert (prepared == REDUCED) is not described
    assert ("ua" in prepared) is described
