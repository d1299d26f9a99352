"""Extensions and unknown fields: which are sent, and to which network."""

import json
from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest

from targeting.openrtb.extensions import parse_allow_list
from targeting.policy.policy import BidRequestPolicy
from tests.targeting.openrtb.one_network import ALLOWED, OPTED_OUT, POLICY, US, bid, sent, terms
from tests.targeting.openrtb.preparing import (
    Json,
    asking,
    prepare,
)
from tests.targeting.signals.strings import STRINGS

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


DIRECTLY: Json = {"net": {"placementId": 7}}
BY_PREBID: Json = {"prebid": {"bidder": {"net": {"placementId": 8}}}}


@pytest.mark.parametrize(
    "ext",
    [
        pytest.param(DIRECTLY, id="under its name"),
        pytest.param(BY_PREBID, id="under Prebid's bidder"),
        pytest.param(DIRECTLY | BY_PREBID, id="under both"),
    ],
)
def test_a_networks_own_parameters_stay_where_they_stood(ext: Json) -> None:
    assert sent(bid(imp=[{"id": "1", "banner": {}, "ext": ext}]))["imp"][0]["ext"] == ext


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
    wider = replace(POLICY, bid_request=BidRequestPolicy(request_ext=("wt", "prebid.aliases", "prebid.data.x")))
    assert sent(bid(ext=ext), policy=wider)["ext"] == {"wt": 1}
    by_name = replace(POLICY, bid_request=BidRequestPolicy(request_ext=("prebid.aliases.a",)))
    assert sent(bid(ext=ext), policy=by_name)["ext"] == {"prebid": {"aliases": {"a": "b"}}}


@pytest.mark.parametrize("names", list(permutations(["prebid.aliases", "prebid.aliases.a"])), ids=" ".join)
def test_a_name_allows_all_below_it_whatever_longer_names_say(names: tuple[str, ...]) -> None:
    assert parse_allow_list(names) == {"prebid": {"aliases": {}}}


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


@pytest.mark.parametrize(
    ("consent", "in_ext"), [(STRINGS["tcf-consent"], STRINGS["tcf-refusal"]), ("first", "second"), ("same", "same")]
)
def test_two_consent_strings_go_out_each_as_it_came(consent: str, in_ext: str) -> None:
    user = sent(bid(user={"consent": consent, "ext": {"consent": in_ext}}, regs={"gdpr": 0}))["user"]
    assert (user["consent"], user["ext"]["consent"]) == (consent, in_ext)


@pytest.mark.parametrize("name", ["User", "USER", "u\u017fer", "Device", "dEVICE", "Ext", "Regs", "Imp"])
def test_a_name_in_another_case_is_not_sent(name: str) -> None:
    prepared = sent(bid(**{name: {"id": "secret"}}))
    assert "secret" not in json.dumps(prepared)
    imp = {"id": "1", "Ext": {"acme": "secret"}}
    assert sent(bid(imp=[imp]))["imp"] == [{"id": "1"}]


def test_fields_of_the_specification_keep_their_bytes() -> None:
    numbers = b'"bidfloor":1.10,"qty":{"multiplier":2.50e0,"vendor":"\\u00e9\\/\\ud83d\\ude00"}'
    text = b'{"id":"1","cur":[ "USD" ],"regs":{"gdpr":0},"imp":[{"id":"1",' + numbers + b'}],"site":{"cat":["IAB1" ]}}'
    prepared = prepare(asking(text, ["net"]), policy=POLICY, stored=OPTED_OUT).texts["net"]
    assert all(part in prepared for part in (numbers, b'"cur":[ "USD" ]', b'"cat":["IAB1" ]'))


@pytest.mark.parametrize(
    ("targeting", "stays"),
    [
        ({"includewinners": True, "preferdeals": False}, {"includewinners": True, "preferdeals": False}),
        ({"includewinners": "hidden", "preferdeals": True}, {"preferdeals": True}),
        ({"durationrangesec": [15, "hidden"], "pricegranularity": {"x": "hidden"}}, {"durationrangesec": [15]}),
        ({"includewinners": 1}, {}),
    ],
    ids=["of their types", "a text for a boolean", "a text in a list of numbers", "a number for a boolean"],
)
def test_known_extensions_have_types(targeting: Json, stays: Json) -> None:
    sent_ext = sent(bid(ext={"prebid": {"targeting": targeting}})).get("ext", {})
    assert sent_ext.get("prebid", {}).get("targeting", {}) == stays


@pytest.mark.parametrize("ext", [{"tid": {"x": "hidden"}}, {"gpid": ["hidden"]}, {"data": {"slot": {"x": "hidden"}}}])
def test_a_text_is_a_text_and_the_rest_of_its_extension_is_sent(ext: Json) -> None:
    prepared = sent(bid(imp=[{"id": "1", "ext": {**ext, "skadn": {"versions": ["4.0"], "x": "hidden"}}}]))
    assert prepared["imp"][0]["ext"] == {"skadn": {"versions": ["4.0"]}}


@pytest.mark.parametrize(
    ("extension", "value", "is_sent"),
    [
        pytest.param("source.x", "text", True, id="a text"),
        pytest.param("source.x", [1, "a", True, 1.5], True, id="a list"),
        pytest.param("source.x.y", {"y": 1}, True, id="a named member of an object"),
        pytest.param("source.x", {"y": 1}, False, id="an object"),
        pytest.param("source.x", [{"y": 1}], False, id="a list of objects"),
        pytest.param("source.x", None, False, id="null"),
        pytest.param("supplychain.x", 1, False, id="another object's"),
    ],
)
def test_the_policy_may_name_extensions_of_any_object(extension: str, value: Any, *, is_sent: bool) -> None:
    policy = replace(POLICY, bid_request=BidRequestPolicy(object_ext=(extension,)))
    source = sent(bid(source={"tid": "t", "ext": {"x": value, "z": 1}}), policy=policy)["source"]
    assert source.get("ext", {}).get("x", []) == (value if is_sent else [])
    assert "z" not in source.get("ext", {})


@pytest.mark.parametrize("names", [("source.schain", "source.schain.ver"), ("source.schain.ver", "source.schain")])
def test_a_name_and_one_below_it_allow_all_below_it(names: tuple[str, ...]) -> None:
    policy = replace(POLICY, bid_request=BidRequestPolicy(object_ext=names))
    schain = {"complete": 1, "ver": "1.0"}
    assert sent(bid(source={"ext": {"schain": schain}}), policy=policy)["source"] == {"ext": {"schain": schain}}


def test_the_policy_may_name_extensions_deep_within_impressions() -> None:
    policy = replace(POLICY, bid_request=BidRequestPolicy(object_ext=("deal.line", "video.rewarded")))
    imp = {"id": "1", "video": {"w": 1, "ext": {"rewarded": 1}}, "pmp": {"deals": [{"ext": {"line": "a", "x": 1}}]}}
    assert sent(bid(imp=[imp]), policy=policy)["imp"] == [
        {"id": "1", "video": {"w": 1, "ext": {"rewarded": 1}}, "pmp": {"deals": [{"ext": {"line": "a"}}]}}
    ]


def test_of_several_places_the_app_is_sent() -> None:
    prepared = sent(bid(site={"id": "s"}, app={"id": "a"}, dooh={"id": "d"}))
    assert [place for place in ("site", "app", "dooh") if place in prepared] == ["app"]
