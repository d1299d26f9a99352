"""Extensions and unknown fields: what stays of them, and for whom."""

import json
from dataclasses import replace
from typing import Any

import pytest

from targeting.policy.policy import BidRequestPolicy
from tests.targeting.openrtb.one_network import ALLOWED, OPTED_OUT, POLICY, US, bid, sent, terms
from tests.targeting.openrtb.preparing import (
    Json,
    TableLocator,
    asking,
    prepare,
)

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
    wider = replace(POLICY, bid_request=BidRequestPolicy(request_ext=("wt", "prebid.aliases")))
    assert sent(bid(ext=ext), policy=wider)["ext"] == {"wt": 1, "prebid": {"aliases": {"a": "b"}}}


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
