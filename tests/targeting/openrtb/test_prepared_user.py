"""The ``user`` that is sent: built from the decision, not from the incoming one."""

from dataclasses import replace
from typing import Any

import pytest

from targeting.model import Subject, SubjectKind
from tests.targeting.openrtb.one_network import ALLOWED, POLICY, bid, sent, terms
from tests.targeting.openrtb.preparing import (
    ALICE,
    NO_CHOICE,
    PROFILE,
    asking,
    prepare,
    record,
)


def test_all_that_a_network_gets_of_a_person_who_made_no_choice() -> None:
    prepared = sent(bid(user={"id": "u-1", "yob": 1970, "gender": "M", "keywords": "golf"}))
    user_id = prepared["user"]["eids"][0]["uids"][0]["id"]
    assert len(user_id) == 32
    assert prepared["user"] == {
        "eids": [{"inserter": "ads.example.com", "source": "ads.example.com", "mm": 3, "uids": [{"id": user_id}]}],
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


@pytest.mark.parametrize(
    ("call", "subject", "method"),
    [
        pytest.param({"account_id": "alice"}, ALICE, 3, id="an account: authenticated"),
        pytest.param(
            {"account_id": "", "device_id": "d"}, Subject(SubjectKind.DEVICE, "d"), 4, id="a device: observed"
        ),
    ],
)
def test_an_id_says_how_it_was_matched(call: Any, subject: Subject, method: int) -> None:
    asked = asking(bid(), ["net"], **call)
    user = prepare(asked, policy=POLICY, stored={subject: record(subject)}).bid_requests["net"]["user"]
    assert user["eids"][0]["mm"] == method


@pytest.mark.parametrize(("gender", "written"), [("FEMALE", "F"), ("MALE", "M"), ("OTHER", "O"), ("UNKNOWN", None)])
def test_the_gender_is_sent_as_a_segment(gender: str, written: str | None) -> None:
    stored = {ALICE: record(profile=PROFILE._replace(gender=type(PROFILE.gender)[gender], interests=()))}
    user = sent(bid(user={"gender": "X", "yob": 1970}), stored=stored)["user"]
    segments = [{"id": "gender", "name": "ads.example.com", "segment": [{"id": written}]}]
    assert user.get("data", []) == (segments if written else [])
    assert not {"gender", "yob"} & user.keys()


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
    ("permissions", "buyeruid"),
    [({}, None), ({"buyeruid": True}, "mine"), ({"buyeruid": True, "user_id": False}, None)],
)
def test_a_network_gets_its_own_buyeruid_back_only_by_permission(permissions: Any, buyeruid: str | None) -> None:
    user = {"buyeruid": "whose?", "ext": {"prebid": {"buyeruids": {"Net": "mine", "other": "another's"}}}}
    prepared = sent(bid(user=user), policy=terms(**permissions))
    assert prepared["user"].get("buyeruid") == buyeruid
    assert "ext" not in prepared["user"]


def test_each_network_gets_its_own_buyeruid() -> None:
    policy = replace(POLICY, networks=tuple(replace(ALLOWED, id=name, buyeruid=True) for name in ("net", "other")))
    user = {"ext": {"prebid": {"buyeruids": {"Net": "mine", "other": "another's"}}}}
    requests = prepare(asking(bid(user=user), ["net", "other"]), policy=policy).bid_requests
    assert {name: request["user"]["buyeruid"] for name, request in requests.items()} == {
        "net": "mine",
        "other": "another's",
    }


@pytest.mark.parametrize("buyeruids", [1, {"net": 1}, {"net": {"id": "x"}}, {"other": "x"}])
def test_a_buyeruid_of_an_unexpected_shape_is_dropped(buyeruids: Any) -> None:
    user = {"ext": {"prebid": {"buyeruids": buyeruids}}}
    assert "buyeruid" not in sent(bid(user=user), policy=terms(buyeruid=True))["user"]


@pytest.mark.parametrize("name", ["eids", "Eids", "buyeruid", "yob", "customdata", "ifa", "ipv6", "ua", "geo"])
def test_what_only_a_user_or_a_device_has_does_not_pass_one_level_too_high(name: str) -> None:
    assert b"hidden" not in prepare(asking(bid(**{name: "hidden", "kept": 1}), ["net"]), policy=POLICY).texts["net"]
