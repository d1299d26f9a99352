"""What goes out to each network: from whole examples down to single fields."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from adtargeting.v1 import targeting_pb2 as pb

from server.errors import InvalidRequest
from server.prepare import read_call
from targeting.geo import IpLocation
from targeting.model import LimitedFeatures
from targeting.openrtb import Preparation
from targeting.openrtb_device import Device
from targeting.openrtb_user import User
from targeting.policy import BidRequestPolicy, FingerprintPolicy, GdprPolicy, NetworkPolicy, Policy
from targeting.preference import Choice
from targeting.profile_fields import SHAREABLE_FIELDS
from targeting.reasons import Reason
from tests.openrtb.openrtb_tables import validate
from tests.openrtb.preparing import (
    ALICE,
    ALL_NETWORKS,
    EXAMPLES,
    NO_CHOICE,
    PROFILE,
    Json,
    Prepared,
    TableLocator,
    asking,
    prepare,
    record,
)
from tests.signals.strings import STRINGS, VENDOR
from tests.signals.tcf_encoder import BitField, Tc

SOME = BitField(frozenset({VENDOR}), 800)
OPTED_OUT = {ALICE: record(preference=NO_CHOICE._replace(choice=Choice.OPT_OUT))}
ALLOWED = NetworkPolicy("net", fields=SHAREABLE_FIELDS, user_id=True)
STRANGE = NetworkPolicy("strange")
POLICY = Policy(networks=(ALLOWED, STRANGE), bid_request=BidRequestPolicy(source="ads.example.com"))
LEAST: Json = {"id": "1", "imp": [{"id": "1", "banner": {}}]}
US: Json = {"ip": "192.0.2.137", "geo": {"country": "USA", "region": "NY"}}
every_example = pytest.mark.parametrize("name", EXAMPLES)


def bid(**fields: Any) -> Json:
    """A bid request from the United States, unless the fields say otherwise."""
    return {**LEAST, "device": US, **fields}


def sent(bid_request: Json, network: str = "net", *, policy: Policy = POLICY, **others: Any) -> Json:
    """What one network gets of a bid request about Alice, who made no choice."""
    return prepare(asking(bid_request, [network]), policy=policy, **others).bid_requests[network]


def terms(**permissions: Any) -> Policy:
    return replace(POLICY, networks=(replace(ALLOWED, **permissions),))


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


def test_all_that_a_network_gets_of_a_person_who_made_no_choice() -> None:
    prepared = sent(bid(user={"id": "u-1", "yob": 1970, "gender": "M", "keywords": "golf"}))
    user_id = prepared["user"]["eids"][0]["uids"][0]["id"]
    assert len(user_id) == 32
    assert prepared["user"] == {
        "eids": [{"source": "ads.example.com", "uids": [{"id": user_id}]}],
        "data": [
            {
                "id": "interests",
                "name": "ads.example.com",
                "segment": [
                    {"id": "663", "value": "0.9"},
                    {"id": "727", "value": "0.7"},
                    {"id": "246", "value": "0.5"},
                ],
                "ext": {"segtax": 4},
            }
        ],
        "geo": {"country": "USA"},
    }


@pytest.mark.parametrize(("gender", "written"), [("FEMALE", "F"), ("MALE", "M"), ("OTHER", "O"), ("UNKNOWN", None)])
def test_the_gender_is_ours_not_the_requests(gender: str, written: str | None) -> None:
    stored = {ALICE: record(profile=PROFILE._replace(gender=type(PROFILE.gender)[gender]))}
    prepared = sent(bid(user={"gender": "X"}), stored=stored)
    assert prepared["user"].get("gender") == written


@pytest.mark.parametrize(
    ("years", "bracket"),
    [(14, "13-17"), (20, "18-24"), (30, "25-34"), (40, "35-44"), (50, "45-54"), (60, "55-64"), (70, "65+")],
)
def test_the_age_goes_out_as_a_bracket(years: int, bracket: str) -> None:
    birth_day = (1_780_000_000 // 86_400) - int((years + 0.5) * 365.25)
    stored = {ALICE: record(preference=NO_CHOICE._replace(birth_day=birth_day))}
    assert sent(bid(), stored=stored)["user"]["data"][0] == {
        "id": "age_bracket",
        "name": "ads.example.com",
        "segment": [{"id": bracket}],
    }


@pytest.mark.parametrize(
    ("permission", "position"),
    [
        ("none", {}),
        ("coarse", {"lat": 51.5, "lon": -0.15}),
        ("exact", {"lat": 51.495, "lon": -0.145, "type": 1, "accuracy": 8}),
    ],
)
def test_the_position_goes_by_a_permission_of_its_own(permission: str, position: Json) -> None:
    geo = {"lat": 51.495, "lon": -0.145, "type": 1, "accuracy": 8, "city": "X", "zip": "SW1A 1AA", "metro": "1"}
    prepared = sent(bid(device={"geo": {**geo, "country": "USA"}}), policy=terms(precise_position=permission))
    assert prepared["device"]["geo"] == {"country": "USA", **position}


@pytest.mark.parametrize("geo", [{"lat": 51.5}, {"lon": 0}, {"lat": 91, "lon": 0}, {"lat": 0, "lon": -180.1}])
@pytest.mark.parametrize("permission", ["coarse", "exact"])
def test_half_a_position_and_an_impossible_one_are_dropped(geo: Json, permission: str) -> None:
    prepared = sent(bid(device={"geo": {**geo, "country": "USA"}}), policy=terms(precise_position=permission))
    assert prepared["device"]["geo"] == {"country": "USA"}


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


DEVICE: Json = {
    "ua": "Mozilla/5.0 (Linux; Android 14; Pixel 8 Pro) Chrome/124.0.6367.82 Mobile Safari/537.36",
    "sua": {
        "browsers": [{"brand": "Chromium", "version": ["124", "0"], "ext": {"x": 1}}],
        "platform": {"brand": "Android", "version": ["14"], "ext": {"x": 1}},
        "mobile": 1,
        "model": "Pixel 8 Pro",
        "ext": {"x": 1},
    },
    "devicetype": 4,
    "make": "Google",
    "model": "Pixel 8 Pro",
    "os": "Android",
    "osv": "14",
    "hwv": "r2",
    "h": 2992,
    "w": 1344,
    "ppi": 489,
    "pxratio": 2.625,
    "carrier": "EXAMPLE",
    "connectiontype": 6,
    "geo": {"country": "USA"},
    "ext": {"ifv": "x"},
}
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
        pytest.param("unknown", POLICY, None, id="nobody knows the network"),
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


IMP_EXT: Json = {
    "gpid": "/1/a",
    "data": {"pbadslot": "/1/a", "adserver": {"name": "gam", "adslot": "/1/a", "kv": "x"}, "interests": "golf"},
    "skadn": {"versions": ["4.0"]},
    "net": {"placementId": 7, "zoneId": "z", "uid": "u", "keywords": {"a": ["b"]}, "siteId": [1]},
    "other": {"placementId": 8},
    "prebid": {
        "is_rewarded_inventory": 1,
        "bidder": {"NET": {"tagId": "t", "visitor": "v"}, "other": {"tagId": "o"}},
        "storedrequest": {"id": "x"},
    },
}


def test_impressions_carry_the_networks_own_parameters_by_name_and_no_others() -> None:
    prepared = sent(bid(imp=[{"id": "1", "banner": {}, "ext": IMP_EXT}, {"id": "2", "banner": {}}]))
    assert prepared["imp"][0]["ext"] == {
        "gpid": "/1/a",
        "data": {"pbadslot": "/1/a", "adserver": {"name": "gam", "adslot": "/1/a"}},
        "skadn": {"versions": ["4.0"]},
        "net": {"placementId": 7, "zoneId": "z"},
        "prebid": {"is_rewarded_inventory": 1, "bidder": {"NET": {"tagId": "t"}}},
    }
    assert "ext" not in prepared["imp"][1]


def test_the_policy_may_name_further_parameters_and_another_name_for_the_network() -> None:
    prepared = sent(
        bid(imp=[{"id": "1", "ext": IMP_EXT}]), policy=terms(bidder="Other", parameters=("placementId", "uid"))
    )
    assert prepared["imp"][0]["ext"]["other"] == {"placementId": 8}
    assert "net" not in prepared["imp"][0]["ext"]


@pytest.mark.parametrize("junk", [1, "x", [], None, {"bidder": 1}, {"bidder": {"net": 1}}, {"bidder": {"net": []}}])
def test_extensions_of_an_unexpected_shape_are_dropped(junk: Any) -> None:
    prepared = sent(bid(imp=[{"id": "1", "ext": {"prebid": junk, "net": junk, "data": junk}}], ext={"prebid": junk}))
    assert "ext" not in prepared["imp"][0]
    assert "ext" not in prepared


def test_two_networks_do_not_share_what_is_put_together_for_them() -> None:
    policy = replace(POLICY, networks=(ALLOWED, replace(ALLOWED, id="other")))
    prepared = prepare(asking(bid(imp=[{"id": "1", "ext": IMP_EXT}]), ["net", "other", "net"]), policy=policy)
    bidders = [each["imp"][0]["ext"]["prebid"]["bidder"] for each in prepared.bid_requests.values()]
    assert bidders == [{"NET": {"tagId": "t"}}, {"other": {"tagId": "o"}}]


def test_the_requests_own_extension_keeps_what_the_policy_names() -> None:
    ext = {
        "schain": {"complete": 1},
        "prebid": {
            "channel": {"name": "web"},
            "aliases": {"a": "b"},
            "data": {"eidpermissions": [{"source": "other.example", "bidders": ["other"]}]},
            "bidderconfig": [{"bidders": ["other"], "config": {"ortb2": {"user": {"keywords": "rich"}}}}],
            "bidderparams": {"other": {"audience": "x"}},
        },
        "wt": 1,
    }
    assert sent(bid(ext=ext))["ext"] == {"schain": {"complete": 1}, "prebid": {"channel": {"name": "web"}}}
    wider = replace(POLICY, bid_request=BidRequestPolicy(request_ext=("wt", "prebid.aliases")))
    assert sent(bid(ext=ext), policy=wider)["ext"] == {"wt": 1, "prebid": {"aliases": {"a": "b"}}}


@pytest.mark.parametrize(
    ("permissions", "buyeruid"),
    [({}, None), ({"buyeruid": True}, "mine"), ({"buyeruid": True, "user_id": False}, None)],
)
def test_a_network_gets_its_own_buyeruid_back_only_by_permission(permissions: Any, buyeruid: str | None) -> None:
    user = {"buyeruid": "whose?", "ext": {"prebid": {"buyeruids": {"Net": "mine", "other": "another's"}}}}
    prepared = sent(bid(user=user), policy=terms(**permissions))
    assert prepared["user"].get("buyeruid") == buyeruid
    assert "ext" not in prepared["user"]


@pytest.mark.parametrize("buyeruids", [1, {"net": 1}, {"net": {"id": "x"}}, {"other": "x"}])
def test_a_buyeruid_of_an_unexpected_shape_is_dropped(buyeruids: Any) -> None:
    user = {"ext": {"prebid": {"buyeruids": buyeruids}}}
    assert "buyeruid" not in sent(bid(user=user), policy=terms(buyeruid=True))["user"]


def test_extensions_of_user_and_device_keep_consent_flags_and_what_the_policy_names() -> None:
    user = {"ext": {"consent": "x", "consented_providers_settings": {"consented_providers": "1~2", "x": 1}, "fpd": 1}}
    device = {**US, "ext": {"atts": 3, "ifv": "x", "cdep": "label"}}
    policy = replace(POLICY, bid_request=BidRequestPolicy(user_ext=("fpd",), device_ext=("cdep",)))
    request = bid(user=user, device=device, regs={"gdpr": 0})
    assert sent(request)["user"]["ext"] == {
        "consent": "x",
        "consented_providers_settings": {"consented_providers": "1~2"},
    }
    assert sent(request)["device"]["ext"] == {"atts": 3}
    assert sent(request, policy=policy)["user"]["ext"].keys() == {"consent", "consented_providers_settings", "fpd"}
    assert sent(request, policy=policy)["device"]["ext"] == {"atts": 3, "cdep": "label"}


def test_signals_from_the_place_of_25_are_also_put_in_that_of_26() -> None:
    ext = {"gdpr": 0, "us_privacy": "1YNN", "gpp": "DBAA", "gpp_sid": [-1], "gpc": "0"}
    prepared = sent(bid(regs={"ext": ext}, user={"ext": {"consent": "CO"}}), stored=OPTED_OUT)
    assert prepared["regs"] == {"ext": ext, "gdpr": 0, "us_privacy": "1YNN", "gpp": "DBAA", "gpp_sid": [-1]}
    assert prepared["user"] == {"consent": "CO", "ext": {"consent": "CO"}, "geo": {"country": "USA"}}
    assert validate(prepared) == []


def test_signals_in_both_places_stay_in_both() -> None:
    regs = {"us_privacy": "1YNN", "ext": {"us_privacy": "1YYN"}}
    assert sent(bid(regs=regs))["regs"] == regs


@pytest.mark.parametrize(
    "fields",
    [
        {"regs": {"coppa": "yes"}},
        {"regs": {"ext": {"gpp_sid": ["7"]}}},
        {"device": {"lmt": "1", "dnt": 7, "ext": {"atts": "2"}}},
        {"device": {"lmt": None, "dnt": True, "ext": {"atts": -1}}},
    ],
)
def test_an_unreadable_signal_limits_and_goes_out_as_it_came(fields: Json) -> None:
    prepared = prepare(asking({**bid(), "regs": {"gdpr": 0}, **fields}, ["net"]), policy=POLICY)
    assert pb.REASON_SIGNAL_UNREADABLE in prepared.decision.reasons
    for holder, values in fields.items():
        for request in prepared.bid_requests.values():
            assert {name: request[holder][name] for name in values} == values


@pytest.mark.parametrize(
    "fields",
    [
        {"device": {"lmt": {"ifa": "secret"}}},
        {"device": {"dnt": "secret"}},
        {"device": {"ext": {"atts": ["secret"]}}},
        {"user": {"consent": {"mail": "secret"}}},
        {"user": {"ext": {"consent": ["secret"]}}},
        {"user": {"ext": {"consented_providers_settings": {"consented_providers": {"id": "secret"}}}}},
        {"user": {"ext": {"ConsentedProvidersSettings": {"consented_providers": ["secret"]}}}},
    ],
)
def test_what_has_not_even_the_form_of_a_signal_goes_to_nobody(fields: Json) -> None:
    prepared = prepare(asking({**bid(), "regs": {"gdpr": 0}, **fields}, ["net"]), policy=POLICY)
    assert b"secret" not in prepared.texts["net"]
    providers = any("providers" in name.casefold() for name in fields.get("user", {}).get("ext", {}))
    assert (prepared.decision.mode == pb.MODE_LIMITED) is not providers


@pytest.mark.parametrize("providers", ["1~7.12", [7, 12], []])
def test_consented_providers_are_passed_on(providers: object) -> None:
    ext = {"ConsentedProvidersSettings": {"consented_providers": providers}}
    assert sent(bid(user={"ext": ext}))["user"]["ext"] == ext


@pytest.mark.parametrize(
    ("terms_", "described"),
    [
        pytest.param({"fields": ("country", "language"), "user_id": False}, False, id="place and language alone"),
        pytest.param({"fields": ("gender",), "user_id": False}, True, id="a profile"),
        pytest.param({"fields": ("country",), "user_id": True}, True, id="an id"),
        pytest.param({"fields": (), "user_id": False}, False, id="nothing"),
    ],
)
def test_the_device_is_described_to_those_who_know_something_of_the_person(terms_: Json, *, described: bool) -> None:
    device = {**US, "ua": "Mozilla/5.0 Firefox/130.0", "model": "m"}
    assert ("ua" in sent(bid(device=device), policy=terms(**terms_))["device"]) is described


@pytest.mark.parametrize(("size", "networks", "taken"), [(250_000, 12, True), (250_000, 13, False), (40_000, 64, True)])
def test_an_answer_has_room_in_a_message(size: int, networks: int, *, taken: bool) -> None:
    call = asking(bid(note="x" * size), [f"n{number}" for number in range(networks)])
    if taken:
        assert len(prepare(call, policy=POLICY).answer) < 4 * 1024 * 1024
    else:
        with pytest.raises(InvalidRequest, match="name fewer networks") as refused:
            prepare(call, policy=POLICY)
        assert refused.value.field == "third_party_networks"


@pytest.mark.parametrize("name", ["User", "USER", "u\u017fer", "Device", "dEVICE", "Ext", "Regs", "Imp"])
def test_a_name_in_another_case_is_no_unknown_field(name: str) -> None:
    prepared = sent(bid(**{name: {"id": "secret"}}))
    assert "secret" not in json.dumps(prepared)
    imp = {"id": "1", "Ext": {"acme": "secret"}}
    assert sent(bid(imp=[imp]))["imp"] == [{"id": "1"}]


def test_unknown_fields_elsewhere_are_kept_byte_for_byte() -> None:
    kept = b'"new":{ "a" : 1.10, "b":[1e2 ,"\\u00e9\\ud83d\\ude00"] }'
    text = b'{"id":"1","imp":[{"id":"1",' + kept + b'}],"site":{' + kept + b'},"zzz":[{' + kept + b"}]}"
    prepared = prepare(asking(text, ["net"]), policy=POLICY, stored=OPTED_OUT, locator=TableLocator({}))
    assert prepared.texts == {} or prepared.texts["net"].count(kept) == 3
    allowed = prepare(asking(text[:-1] + b',"regs":{"gdpr":0}}', ["net"]), policy=POLICY, stored=OPTED_OUT)
    assert allowed.texts["net"].count(kept) == 3


@pytest.mark.parametrize(
    ("fields", "call", "reason"),
    [
        ({"regs": {"coppa": 1}}, {}, "CHILD_DIRECTED"),
        ({}, {"client": pb.ClientSettings(targeted_ads_off=True)}, "APP_OPT_OUT"),
        ({"regs": {"ext": {"gpc": 1}}}, {}, "GLOBAL_PRIVACY_CONTROL"),
        ({"device": {**US, "lmt": 1}}, {}, "LIMIT_AD_TRACKING"),
        ({"regs": {"us_privacy": "1YYN"}}, {}, "US_PRIVACY_OPT_OUT"),
        ({"user": {"consent": 7}}, {}, "SIGNAL_UNREADABLE"),
        ({}, {"account_id": "", "device_id": ""}, "NO_SUBJECT"),
        ({}, {"account_id": "nobody we know"}, "NO_PROFILE"),
    ],
)
def test_each_reason_limits_what_goes_out(fields: Json, call: Any, reason: str) -> None:
    asked = asking({**bid(), "device": DEVICE, **fields}, ["net"], **{"account_id": "alice", **call})
    assert_limited(prepare(asked, policy=POLICY), reason)


@pytest.mark.parametrize("reason", [Reason.STORE_TIMEOUT, Reason.STORE_UNAVAILABLE])
def test_a_store_that_does_not_answer_limits_what_goes_out(reason: Reason) -> None:
    assert_limited(prepare(asking({**bid(), "device": DEVICE}, ["net"]), policy=POLICY, stored=reason), reason.name)


def assert_limited(prepared: Prepared, reason: str) -> None:
    (network,) = prepared.decision.networks
    assert [pb.Reason.Name(each) for each in network.reasons] == [f"REASON_{reason}", "REASON_NETWORK_POLICY"]
    assert prepared.decision.mode == pb.MODE_LIMITED
    request = prepared.bid_requests["net"]
    assert request["user"].keys() <= {"consent", "geo"}
    assert "ua" not in request["device"]


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (asking(b"{", ["net"]), "bid_request"),
        (asking(b"[]", ["net"]), "bid_request"),
        (asking(bid(tmax="1"), ["net"]), "bid_request.tmax"),
        (asking(bid(imp=[{"id": "1", "banner": {"w": "1"}}]), ["net"]), "bid_request.imp[0].banner.w"),
        (asking(b" " * 262_145), "bid_request"),
        (asking(bid(), [str(number) for number in range(65)]), "third_party_networks"),
        (asking(bid(), ["n" * 257]), "third_party_networks[0]"),
        (asking(bid(), account_id="a" * 257), "account_id"),
        (asking(bid(), client=pb.ClientSettings(country="Utopia")), "client.country"),
    ],
)
def test_a_malformed_call_is_refused_naming_the_field(call: pb.PrepareBidRequestRequest, field: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        prepare(call)
    assert refused.value.field == field


def test_what_is_no_call_at_all_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="PrepareBidRequestRequest"):
        read_call(b"\xff", TableLocator({}))


def test_all_networks_of_the_example_policy_are_known() -> None:
    prepared = prepare(asking(EXAMPLES["web-multi-format-no-regime"]))
    assert tuple(prepared.texts) == ALL_NETWORKS


TC_ALL, TC_NOTHING = STRINGS["tcf-consent"], STRINGS["tcf-refusal"]
GPP_ALL, GPP_SALE, GPP_CHILD = (STRINGS[f"usnat-{name}"] for name in ("allows", "sale-opt-out", "child"))


@pytest.mark.parametrize(
    ("fields", "reasons"),
    [
        ({"regs": {"gdpr": 1}, "user": {"consent": TC_ALL}}, []),
        ({"regs": {"gdpr": 1}, "user": {"ext": {"consent": TC_ALL}}}, []),
        ({"regs": {"gdpr": 1}, "user": {"consent": TC_ALL, "ext": {"consent": TC_ALL}}}, []),
        ({"regs": {"gdpr": 1}, "user": {"consent": TC_ALL, "ext": {"consent": TC_NOTHING}}}, ["TCF_NO_CONSENT"]),
        ({"regs": {"gdpr": 1}, "user": {"consent": TC_NOTHING, "ext": {"consent": TC_ALL}}}, ["TCF_NO_CONSENT"]),
        ({"regs": {"gdpr": 0, "ext": {"gdpr": 1}}, "user": {"consent": TC_NOTHING}}, ["TCF_NO_CONSENT"]),
        (
            {"regs": {"gdpr": 1}, "user": {"consent": TC_ALL, "ext": {"consent": "%"}}},
            ["TCF_NO_CONSENT", "SIGNAL_UNREADABLE"],
        ),
        ({"regs": {"gdpr": 0, "us_privacy": "1YNN", "ext": {"us_privacy": "1YYN"}}}, ["US_PRIVACY_OPT_OUT"]),
        ({"regs": {"gdpr": 0, "gpp": GPP_ALL, "gpp_sid": [7], "ext": {"gpp": GPP_ALL}}}, []),
        ({"regs": {"gdpr": 0, "gpp": GPP_ALL, "gpp_sid": [7], "ext": {"gpp": GPP_SALE}}}, ["GPP_OPT_OUT"]),
        ({"regs": {"gdpr": 0, "gpp": GPP_CHILD, "gpp_sid": [7], "ext": {"gpp": GPP_ALL}}}, ["GPP_OPT_OUT"]),
        ({"regs": {"gdpr": 0, "gpp": GPP_ALL, "ext": {"gpp_sid": [7]}}}, []),
        (
            {"regs": {"gdpr": 0, "gpp": GPP_ALL, "gpp_sid": [7], "ext": {"gpp_sid": [8]}}},
            ["GPP_OPT_OUT", "SIGNAL_UNREADABLE"],
        ),
    ],
)
def test_of_two_strings_each_must_allow(fields: Json, reasons: list[str]) -> None:
    policy = replace(POLICY, gdpr=GdprPolicy(host_vendor_id=VENDOR))
    decision = prepare(asking({**bid(), **fields}, []), policy=policy).decision
    assert [pb.Reason.Name(each) for each in decision.reasons] == [f"REASON_{name}" for name in reasons]


def test_the_policy_may_require_further_purposes() -> None:
    fields = {"regs": {"gdpr": 1}, "user": {"consent": Tc(purposes=frozenset({2, 4}), consents=SOME).text()}}
    for required, reasons in (((), []), ((2,), []), ((2, 3), [pb.REASON_TCF_NO_CONSENT])):
        policy = replace(POLICY, gdpr=GdprPolicy(host_vendor_id=VENDOR, also_required_purposes=required))
        assert list(prepare(asking({**bid(), **fields}, []), policy=policy).decision.reasons) == reasons


def test_nothing_of_the_person_is_shown_by_what_is_worked_with() -> None:
    request, bid_request = read_call(asking(bid(user={"id": "secret"}), ["net"]).SerializeToString(), TableLocator({}))
    limited = LimitedFeatures("US", "en", "US", "")
    preparation = Preparation(bid_request, limited, POLICY)
    device = Device({"ip": "192.0.2.1"}, {}, IpLocation("US", ""), "en", {})
    user = User({}, {}, "US", {}, source="ads.example.com")
    for value in (request, bid_request, preparation, device, user):
        assert not re.search(r"secret|192\.0|alice", repr(value))
