"""``decide`` and ``explain``: options become a request, and an answer becomes readable."""

import json
import shlex
from argparse import ArgumentParser

import pytest
from adtargeting.v1 import targeting_pb2 as pb
from google.protobuf.json_format import Parse

from server.cli.request import add_request, request_from
from server.cli.shell import new_console
from server.cli.show import interest_name, show_decision
from targeting.inspection.reason_text import REASON_TEXTS, name_of, text_of
from targeting.reasons import Reason
from tests.server.cli.conftest import WIDTH, Adt

US, GB = "73.20.1.1", "81.2.69.160"
EVERY_FLAG = """
    --request-id r --account a --linked l1 --linked l2 --device d --ip 192.0.2.1 --accept-language de
    --cookie CC=US --app com.example --country us --language en-US --targeted-ads-off --child --gpc --dnt --lmt
    --no-gdpr --tcf C --gpp DBAA --gpp-sid 7,8 --gpp-sid -1 --usp 1YNN --industry daa --industry edaa
    --network one --network two
"""


def request_of(argv: str) -> pb.DecideRequest:
    parser = ArgumentParser()
    add_request(parser)
    return request_from(parser.parse_args(shlex.split(argv)))


def test_every_flag_is_in_the_request() -> None:
    assert request_of(EVERY_FLAG) == pb.DecideRequest(
        request_id="r",
        account_id="a",
        linked_account_ids=["l1", "l2"],
        device_id="d",
        ip="192.0.2.1",
        accept_language="de",
        cookie_header="CC=US",
        client=pb.ClientSettings(app="com.example", targeted_ads_off=True, country="us", language="en-US"),
        signals=pb.PrivacySignals(
            child_directed=True,
            global_privacy_control=True,
            do_not_track=True,
            limit_ad_tracking=True,
            gdpr_applies=False,
            tcf_consent="C",
            gpp="DBAA",
            gpp_section_ids=[7, 8, -1],
            us_privacy="1YNN",
            industry_opt_outs=[pb.INDUSTRY_OPT_OUT_DAA, pb.INDUSTRY_OPT_OUT_EDAA],
        ),
        third_party_networks=["one", "two"],
    )


@pytest.mark.parametrize(("argv", "applies"), [("", None), ("--gdpr", True), ("--no-gdpr", False)])
def test_whether_the_gdpr_applies_may_be_left_open(argv: str, applies: bool | None) -> None:
    signals = request_of(argv).signals
    assert (signals.gdpr_applies if signals.HasField("gdpr_applies") else None) is applies


def test_an_address_in_britain_answers_gb(served: Adt) -> None:
    ended = served("decide", "--account", "somebody", "--ip", GB)
    assert ended.status == 0
    assert ended.lines[0] == "LIMITED country, language and IP location, nothing else"
    assert "TCF_NO_CONSENT: the GDPR applies and consent is missing" in ended.out
    assert "GB" in ended.out


def test_the_json_is_the_answer_itself(served: Adt) -> None:
    ended = served("decide", "--request-id", "r1", "--account", "nobody-knows", "--ip", US, "--json")
    decision = Parse(ended.out, pb.DecideResponse())
    assert decision.mode == pb.MODE_LIMITED
    assert list(decision.reasons) == [pb.REASON_NO_PROFILE]
    assert decision.limited == pb.LimitedFeatures(country="US", ip_country="US")
    assert json.loads(ended.out)["request_id"] == "r1"
    assert json.loads(ended.out)["networks"] == []


def test_what_is_known_is_shown_within_80_columns(served: Adt) -> None:
    served("load-sample", "--subjects", "40")
    ended = served("decide", "--account", "sample-7-3", "--ip", US, "--network", "partner", "--network", "stranger")
    assert ended.lines[0] == "BEHAVIOURAL all stored data about this person may be used"
    for said in ("45-54", "electrician", "Inline Skating", "Calls to: BR", "Ads seen: ad-", "adtargeting.features.v1"):
        assert said in ended.out
    assert "NETWORK_UNKNOWN" in ended.out
    assert max(map(len, ended.lines)) <= WIDTH
    assert "\x1b" not in ended.out


def test_a_refusal_is_one_line_that_names_the_field(served: Adt) -> None:
    ended = served("decide", "--country", "Atlantis")
    assert (ended.status, ended.out) == (1, "")
    assert "INVALID_ARGUMENT: client.country" in ended.err
    assert ended.err.count("\n") == 1
    assert "Atlantis" not in ended.err


def test_explain_shows_every_check_and_whole_names(served: Adt) -> None:
    ended = served("explain", "--account", "a", "--ip", US, "--gpc", "--gpp", "DBABLA~BEAQAAAAAg", "--gpp-sid", "7")
    assert ended.status == 0
    assert "signals.global_privacy_control: Sec-GPC: 1 limits" in ended.lines
    assert "GPP string: section 7 SaleOptOut = 1" in ended.lines
    assert sum("GLOBAL_PRIVACY_CONTROL" in line for line in ended.lines) == 2
    assert max(map(len, ended.lines)) <= WIDTH


@pytest.mark.parametrize(
    ("argv", "reasons", "rule"),
    [
        (
            ("--account", "", "--ip", US),
            {"NO_SUBJECT": "the request identifies no subject"},
            "store: a request without an account or a device has no stored choice to look up, which limits",
        ),
        (
            ("--account", "a", "--ip", GB, "--tcf", "CPXxRfAPXxRfA"),
            {
                "TCF_NO_CONSENT": "the GDPR applies and consent is missing",
                "SIGNAL_UNREADABLE": "a privacy signal is present and cannot be decoded",
            },
            "TC string: a signal that is present and cannot be read limits",
        ),
    ],
    ids=["no subject", "unreadable TC string"],
)
def test_explain_says_what_each_reason_means_and_has_a_row_for_it(
    served: Adt, argv: tuple[str, ...], reasons: dict[str, str], rule: str
) -> None:
    ended = served("explain", *argv)
    for name, text in reasons.items():
        assert f"  {name}: {text}" in ended.lines
        assert any(line.endswith(name) for line in ended.lines)
    assert rule in " ".join(ended.out.split())


def test_explain_as_json_is_the_answer_itself(served: Adt) -> None:
    explained = Parse(served("explain", "--ip", US, "--json").out, pb.ExplainResponse())
    assert list(explained.decision.reasons) == [pb.REASON_NO_SUBJECT]
    assert explained.checks


def test_a_profile_of_which_little_is_known_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    features = pb.BehaviouralFeatures(interests=[pb.Interest(segment_id="648", score=0.5)])
    show_decision(new_console(), pb.DecideResponse(mode=pb.MODE_BEHAVIOURAL, behavioural=features))
    shown = capsys.readouterr().out
    assert "Inline Skating" in shown
    assert "Calls to" not in shown
    assert "Ads seen" not in shown
    assert "strongest of" not in shown


def test_every_reason_has_words() -> None:
    assert set(REASON_TEXTS) == set(Reason)
    assert name_of(pb.REASON_UNDER_AGE) == "UNDER_AGE"


def test_a_reason_of_a_newer_service_is_shown_by_its_number() -> None:
    assert name_of(99) == "REASON 99"
    assert "unknown" in text_of(99)


@pytest.mark.parametrize(("segment", "name"), [("648", "Inline Skating"), ("acme:\x07", "acme:�")])
def test_segments_have_names(segment: str, name: str) -> None:
    assert interest_name(segment) == name
