"""Privacy signals: what they lead to, and in which form they go out."""

from dataclasses import replace
from typing import Any

import pytest
from adtargeting.v1 import targeting_pb2 as pb

from targeting.policy.policy import GdprPolicy
from targeting.reasons import Reason
from tests.targeting.openrtb.one_network import DEVICE, OPTED_OUT, POLICY, US, bid, sent
from tests.targeting.openrtb.openrtb_tables import validate
from tests.targeting.openrtb.preparing import (
    Json,
    Prepared,
    asking,
    prepare,
)
from tests.targeting.signals.strings import STRINGS, VENDOR
from tests.targeting.signals.tcf.tcf_encoder import BitField, Tc


def test_signals_from_the_place_of_25_are_also_put_in_that_of_26() -> None:
    ext = {"gdpr": 0, "us_privacy": "1YNN", "gpp": "DBAA", "gpp_sid": [-1], "gpc": "0"}
    prepared = sent(bid(regs={"ext": ext}, user={"ext": {"consent": "CO"}}), stored=OPTED_OUT)
    assert prepared["regs"] == {"ext": ext, "gdpr": 0, "us_privacy": "1YNN", "gpp": "DBAA", "gpp_sid": [-1]}
    assert prepared["user"] == {"consent": "CO", "ext": {"consent": "CO"}, "geo": {"country": "USA"}}
    assert validate(prepared) == []


def test_a_signal_in_place_of_which_26_has_null_is_copied_there() -> None:
    regs, user = {"gdpr": None, "ext": {"gdpr": 0}}, {"consent": None, "ext": {"consent": "CO"}}
    prepared = sent(bid(regs=regs, user=user), stored=OPTED_OUT)
    assert prepared["regs"] == {"gdpr": 0, "ext": {"gdpr": 0}}
    assert (prepared["user"]["consent"], prepared["user"]["ext"]["consent"]) == ("CO", "CO")


def test_consents_that_differ_are_each_sent_unchanged() -> None:
    user = sent(bid(regs={"gdpr": 0}, user={"consent": "A", "ext": {"consent": "B"}}), stored=OPTED_OUT)["user"]
    assert (user["consent"], user["ext"]["consent"]) == ("A", "B")


def test_signals_in_both_places_stay_in_both() -> None:
    regs = {"us_privacy": "1YNN", "ext": {"us_privacy": "1YYN"}}
    assert sent(bid(regs=regs))["regs"] == regs


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
        ({}, {"account_id": "an unknown account"}, "NO_PROFILE"),
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
            ["SIGNAL_UNREADABLE"],
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


SOME = BitField(frozenset({VENDOR}), 800)
