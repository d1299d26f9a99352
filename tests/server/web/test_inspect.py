"""``/inspect``: puzzles, one a kind of limit, each explained; bid requests, two policies, the text for a ticket."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from adtargeting.v1 import preference_pb2 as pref

from server.serving import start_line
from server.web.inspect.finding import Finding
from server.web.inspect.view import verdict
from targeting.decision import Decision
from targeting.inspection.changes import Change
from targeting.inspection.smallest import MinimalSets
from targeting.model import LimitedFeatures, Mode
from targeting.reasons import Reason, Reasons
from tests.conftest import MEMORY
from tests.server.web.site import IN_AMERICA, Answer, Site, Visitor, running_site
from tests.targeting.signals.strings import STRINGS, VENDOR

NOWHERE = LimitedFeatures("", "", "", "")
POLICY = f"""
version = "inspected"
[gdpr]
host_vendor_id = {VENDOR}
[[networks]]
id = "house"
first_party = true
fields = ["age_bracket", "gender", "country", "language", "interests"]
user_id = true
[[networks]]
id = "partner"
fields = ["interests"]
"""
BID_REQUEST = {
    "id": "request-1",
    "imp": [{"id": "1", "banner": {"w": 300, "h": 250}}],
    "site": {"id": "site-1", "page": "https://news.example/story"},
    "device": {"ip": IN_AMERICA, "ifa": "6D92078A-8246-4BA4-AE5B-76104861E7DC", "ua": "Mozilla/5.0"},
    "user": {"id": "user-of-the-exchange"},
}


@pytest.fixture(scope="module")
def inspected() -> Iterator[Site]:
    """A service on the loopback with no proxy before it, where everyone may use the inspector."""
    in_memory = TemporaryDirectory(prefix="adt-", dir=MEMORY if MEMORY.is_dir() else None)
    with in_memory as directory:
        policy = Path(directory) / "policy.toml"
        policy.write_text(POLICY, encoding="utf-8")
        with running_site(
            Path(directory), policy=str(policy), web_account_header="", web_trusted_proxies=""
        ) as running:
            running.record("alice", "243")
            running.choose(pref.CHOICE_OPT_OUT, account_id="olga")
            running.record("teo", "243")
            running.choose(pref.CHOICE_OPT_IN, account_id="teo", birth_date={"year": 2020, "month": 1, "day": 1})
            yield running


def ask(site: Site, **form: str) -> Answer:
    return Visitor(site, ip="").post("/inspect", {"ip": IN_AMERICA, "account_id": "alice", **form})


@pytest.mark.parametrize(
    ("form", "first", "lifting"),
    [
        ({"child_directed": "yes"}, "signals.child_directed flag limits first to limit CHILD_DIRECTED",
         "One change would lift the limit: the request is not marked as child-directed"),
        ({"targeted_ads_off": "yes"}, "client.targeted_ads_off flag limits first to limit APP_OPT_OUT",
         "One change would lift the limit: the client's switch for targeted ads is not off"),
        ({"cookie_header": "a=b; toptout=0"}, "cookies TOptOut, ANON flag limits first to limit COOKIE_OPT_OUT",
         "One change would lift the limit: there is no TOptOut cookie, or it is exactly 0"),
        ({"industry_opt_out": "yes"}, "signals.industry_opt_outs flag limits first to limit INDUSTRY_OPT_OUT",
         "One change would lift the limit: there is no opt-out at an industry body"),
        ({"global_privacy_control": "yes"},
         "signals.global_privacy_control flag limits first to limit GLOBAL_PRIVACY_CONTROL",
         "One change would lift the limit: the browser does not send Global Privacy Control"),
        ({"gdpr_applies": "yes", "tcf_consent": STRINGS["tcf-refusal"]}, "gives no basis first to limit TCF_NO_CONSENT",
         ("There are two smallest ways to lift the limit; any one of them would do: the TC string gives vendor 755 "
         "consent for every purpose or the request is out of the GDPR's scope")),
        ({"gpp": STRINGS["usnat-sale-opt-out"], "gpp_section_ids": "7"}, "limits first to limit GPP_OPT_OUT",
         "One change would lift the limit: the GPP string withholds nothing and is readable, or is absent"),
        ({"us_privacy": "1YY", "tcf_consent": "x"},
         "US Privacy string unreadable limits first to limit SIGNAL_UNREADABLE",
         "One change would lift the limit: the US Privacy string does not opt out and is readable, or is absent"),
        ({"account_id": "olga", "global_privacy_control": "yes"},
         "signals.global_privacy_control flag limits first to limit GLOBAL_PRIVACY_CONTROL",
         ("Three independent reasons; all of them would have to go: the browser does not send Global Privacy Control "
         "the account opts in something is known about the account")),
        ({"account_id": "teo"}, "a child first to limit UNDER_AGE",
         "One change would lift the limit: no birth date is stored for the account"),
        ({"account_id": "stranger"}, "profile absent not used first to limit NO_PROFILE",
         "One change would lift the limit: something is known about the account"),
        ({"account_id": ""}, "NO_SUBJECT",
         "One change would lift the limit: an account or device is known, and so is something about it"),
    ],
    ids=["children's service", "app switch", "cookie in odd case", "industry", "GPC", "no consent", "GPP", "unreadable",
         "opted out and GPC", "a child", "unknown", "no subject"],
)  # fmt: skip
def test_a_puzzle_is_explained(inspected: Site, form: dict[str, str], first: str, lifting: str) -> None:
    answer = ask(inspected, **form)
    assert answer.status == 200
    assert "LIMITED: country, language and IP location, nothing else." in answer.words
    assert first in answer.words
    assert lifting in answer.words
    assert answer.words.count("first to limit") >= 1 or form["account_id"] == ""


def test_nothing_limits_and_nothing_is_to_be_lifted(inspected: Site) -> None:
    words = ask(inspected).words
    assert "BEHAVIOURAL: every check says yes." in words
    assert "lift" not in words.partition("Every check")[0]


def test_the_store_is_asked_also_where_the_request_limits(inspected: Site) -> None:
    words = ask(inspected, account_id="olga", global_privacy_control="yes").words
    assert "opted out" in words.partition("Every check")[2]
    assert "ACCOUNT_OPT_OUT" in words


def test_consent_strings_are_shown_field_by_field_with_their_bits(inspected: Site) -> None:
    words = ask(inspected, tcf_consent=STRINGS["tcf-consent"], gpp=STRINGS["usnat-child"], us_privacy="1YNN").words
    assert "PurposesConsent 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 purposes consented to 111111111110000000000000" in words
    assert "vendor 755 has consent" in words
    assert "GPP section 7 usnat" in words
    assert "KnownChildSensitiveDataConsents[1] 1 no consent 01" in words
    assert "OptOutSale N opted out of the sale: no" in words
    assert "TC string Unreadable:" in ask(inspected, tcf_consent="junk").words


def test_every_string_of_a_kind_is_shown_and_counted(inspected: Site) -> None:
    regs = {"us_privacy": "1YNN", "ext": {"us_privacy": "1YYN"}}
    words = ask(inspected, pasted=json.dumps({**BID_REQUEST, "regs": regs})).words
    assert "US Privacy string (string 1 of 2)" in words
    assert "US Privacy string (string 2 of 2)" in words
    assert "OptOutSale Y opted out of the sale: yes" in words
    assert "opts out of sale" in words


def test_a_bid_request_is_compared_path_by_path(inspected: Site) -> None:
    answer = ask(inspected, pasted=json.dumps(BID_REQUEST), networks="house partner stranger")
    assert "Network house" in answer.words
    assert '<tr class="removed">' in answer.text
    assert "device.ifa" in answer.words
    assert "identifies the device" in answer.words
    assert "no: NETWORK_UNKNOWN" in answer.words


def test_an_ad_request_may_be_pasted_as_json(inspected: Site) -> None:
    pasted = {"accountId": "olga", "ip": IN_AMERICA}
    assert "ACCOUNT_OPT_OUT" in ask(inspected, pasted=json.dumps(pasted), networks="partner").words


def test_two_policies_stand_side_by_side(inspected: Site) -> None:
    stricter = POLICY.replace('"interests"]\nuser_id = true', '"interests"]') + "[children]\nage = 21\n"
    words = ask(inspected, other_policy=stricter, networks="house").words
    assert "house: id yes no: NETWORK_POLICY" in words
    assert "Nothing would change." in ask(inspected, other_policy=POLICY, networks="house").words
    teo = ask(inspected, account_id="teo", other_policy=POLICY + "[children]\nage = 0\n").words
    assert "mode LIMITED BEHAVIOURAL" in teo


@pytest.mark.parametrize(
    ("form", "problem"),
    [
        ({"pasted": "{"}, "pasted: is not JSON"),
        ({"pasted": "[]"}, "pasted: must be a JSON object"),
        ({"pasted": '{"unknown": 1}'}, "pasted: is neither an OpenRTB bid request nor a DecideRequest as JSON"),
        ({"pasted": '"text"'}, "pasted: must be a JSON object"),
        ({"pasted": "[" * 100_000}, "pasted: is not JSON"),
        ({"pasted": '{"accountId": 5}'}, "pasted: is neither an OpenRTB bid request nor a DecideRequest as JSON"),
        (
            {"pasted": '{"accountId": "\\ud800"}'},
            "pasted: is neither an OpenRTB bid request nor a DecideRequest as JSON",
        ),
        ({"pasted": '{"imp": []}'}, "bid_request"),
        ({"country": "Atlantis"}, "client.country"),
        ({"gpp_section_ids": "seven"}, "gpp_section_ids: must be numbers"),
        ({"gpp_section_ids": "2, 99999999999"}, "gpp_section_ids: must be numbers"),
        ({"other_policy": "= ="}, "other_policy: is not TOML"),
        ({"other_policy": "[children]\nage = 99"}, "other_policy.children.age"),
        ({"account_id": "x" * 300}, "account_id"),
    ],
)
@pytest.mark.parametrize("path", ["/inspect", "/inspect/text"])
def test_a_question_that_cannot_be_read_says_which_field(
    inspected: Site, path: str, form: dict[str, str], problem: str
) -> None:
    answer = Visitor(inspected, ip="").post(path, form)
    assert answer.status == 400
    assert problem in answer.words
    assert "Traceback" not in answer.text


def test_the_text_for_a_ticket_holds_no_id_and_no_value(inspected: Site) -> None:
    form = {
        "account_id": "olga", "device_id": "the-phone", "ip": "24.16.49.12", "cookie_header": "MUID=" + "ab" * 16,
        "linked_account_ids": "friend-of-olga", "networks": "partner", "pasted": "",
        "other_policy": POLICY + "[children]\nage = 0\n", "tcf_consent": STRINGS["tcf-consent"],
    }  # fmt: skip
    answer = Visitor(inspected, ip="").post("/inspect/text", form)
    assert answer.headers["content-disposition"].startswith("attachment")
    assert "ACCOUNT_OPT_OUT" in answer.text
    assert "first limit" in answer.text
    for value in ("olga", "the-phone", "24.16", "abab", "friend-of-olga", "partner", STRINGS["tcf-consent"]):
        assert value not in answer.text


def test_the_text_of_a_bid_request_names_paths_alone(inspected: Site) -> None:
    form = {"pasted": json.dumps(BID_REQUEST), "networks": "house", "account_id": "alice", "global_privacy_control": ""}
    text = Visitor(inspected, ip="").post("/inspect/text", form).text
    assert "- device.ifa (identifies the device)" in text
    assert "6D92078A" not in text
    limited = Visitor(inspected, ip="").post(
        "/inspect/text", {"account_id": "olga", "ip": IN_AMERICA, "global_privacy_control": "yes"}
    )
    assert "preference record of the account" in limited.text
    assert "1. the browser does not send Global Privacy Control; and the account opts in" in limited.text


def test_only_our_own_form_is_answered_and_nothing_is_in_the_address(inspected: Site) -> None:
    assert (
        Visitor(inspected, ip="").post("/inspect", {"account_id": "alice"}, origin="https://evil.example").status == 403
    )
    assert 'method="post"' in Visitor(inspected, ip="").get("/inspect").text
    assert 'method="get"' not in Visitor(inspected, ip="").get("/inspect").text


def test_it_is_closed_where_a_proxy_is_trusted(site: Site) -> None:
    for answer in (
        Visitor(site).get("/inspect"),
        Visitor(site).post("/inspect", {}),
        Visitor(site).post("/inspect/text", {}),
    ):
        assert answer.status == 403
        assert "The inspector is closed here" in answer.words


def test_the_start_line_names_it_only_where_it_is_open(site: Site, inspected: Site) -> None:
    assert start_line(inspected.service).partition(", from ")[0].endswith(f"{inspected.origin}/choice and /inspect")
    assert start_line(site.service).partition(", from ")[0].endswith(f"{site.origin}/choice")


@pytest.mark.parametrize(
    "form",
    [
        {"pasted": '{"accountId": "planted-account", "cookieHeader": "planted-cookie"}'},
        {"pasted": '{"imp": [{"id": "1"}], "user": {"id": "planted-account"}, "device": {"ifa": "planted-cookie"}}'},
        {"pasted": '{"planted-account": "planted-cookie"}'},
        {"pasted": '{"planted-account'},
        {"account_id": "planted-account", "gpp_section_ids": "planted-cookie"},
    ],
    ids=["ad request", "bid request", "neither", "no JSON", "fields"],
)
@pytest.mark.parametrize("path", ["/inspect", "/inspect/text"])
def test_nothing_of_a_question_gets_into_a_log_an_error_or_the_address(
    inspected: Site,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    path: str,
    form: dict[str, str],
) -> None:
    caplog.set_level(logging.DEBUG)
    answer = Visitor(inspected, ip="").post(path, form)
    assert "planted" not in caplog.text + "".join(capfd.readouterr()) + str(answer.headers)
    assert answer.status == 200 or "planted" not in answer.text.partition("<form")[0]
    assert "location" not in answer.headers


def test_with_the_store_down_it_says_what_cannot_be_said(tmp_path: Path) -> None:
    nowhere = f"unix://{tmp_path}/none.sock"
    with running_site(tmp_path, redis_url=nowhere, web_account_header="", web_trusted_proxies="") as site:
        words = ask(site).words
        assert "STORE_UNAVAILABLE" in words
        assert "The store does not answer." in words


def test_a_limit_that_no_change_reaches_is_said() -> None:
    decision = Decision("", Mode.LIMITED, Reasons(Reason.RECORD_UNREADABLE.bit), NOWHERE, None, (), "", "inspected")
    said = verdict(Finding(decision, (), MinimalSets([], is_complete=True), (), None))
    assert said.lifting == "No change of the request or of the stored choices would lift the limit."


@pytest.mark.parametrize("count", [2, 7])
def test_independent_reasons_are_counted(count: int) -> None:
    decision = Decision("", Mode.LIMITED, Reasons(Reason.RECORD_UNREADABLE.bit), NOWHERE, None, (), "", "inspected")
    changes = [Change(f"change {number}", lambda situation: situation) for number in range(count)]
    said = verdict(Finding(decision, (), MinimalSets([tuple(changes)], is_complete=True), (), None))
    number, every = {2: ("Two", "both"), 7: ("7", "all of them")}[count]
    assert said.lifting == f"{number} independent reasons; {every} would have to go:"


def test_ways_that_are_too_many_to_search_are_said_to_be_some_of_them() -> None:
    decision = Decision("", Mode.LIMITED, Reasons(Reason.RECORD_UNREADABLE.bit), NOWHERE, None, (), "", "inspected")
    way = (Change("one change", lambda situation: situation),)
    said = verdict(Finding(decision, (), MinimalSets([way], is_complete=False), (), None))
    assert said.lifting.startswith("There are more smallest ways to lift the limit than are shown; any one of these 1 ")
