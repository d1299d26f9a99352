"""Global Privacy Control: honoured at once, said, and remembered."""

import json
import time

import pytest
from adtargeting.v1 import preference_pb2 as pref
from adtargeting.v1 import targeting_pb2 as pb

from tests.server.web.site import Site, Visitor

GPC = (("Sec-GPC", "1"),)
HONOURED = "Opt-out request honoured: your browser sends Global Privacy Control."


def wait_for_choice(site: Site, **subject: str) -> pref.GetPreferencesResponse:
    deadline_s = time.monotonic() + 10
    while not (stored := site.preferences(**subject)).choice:
        assert time.monotonic() < deadline_s, "the signal was not stored"
        time.sleep(0.02)
    return stored


def test_it_is_honoured_and_said(site: Site) -> None:
    assert HONOURED in Visitor(site, more=GPC).get().words
    assert HONOURED not in Visitor(site).get().words


@pytest.mark.parametrize("path", ["/choice", "/choice.json"])
def test_a_visit_with_it_opts_the_account_out_for_good(site: Site, account_id: str, path: str) -> None:
    site.record(account_id)
    Visitor(site, account_id, more=GPC).get(path)
    assert wait_for_choice(site, account_id=account_id).source == pref.SOURCE_GPC
    assert list(site.decide(account_id=account_id).reasons) == [pb.REASON_ACCOUNT_OPT_OUT]
    words = Visitor(site, account_id).get().words
    assert "Your browser sent Global Privacy Control, so your account was opted out." in words


def test_an_opt_in_while_it_is_sent_stays_limited_by_each_request(site: Site, account_id: str) -> None:
    site.record(account_id)
    answer = Visitor(site, account_id, more=GPC).choose("account", "opt-in")
    assert "You are opted in" in answer.words
    assert "Ads you see here are not based on what we know about you." in answer.words
    assert HONOURED in answer.words


def test_the_support_resource_says_so(site: Site) -> None:
    answer = site.ask("GET", "/.well-known/gpc.json")
    assert json.loads(answer.text)["gpc"] is True
    assert time.strptime(json.loads(answer.text)["lastUpdate"], "%Y-%m-%d")
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("cookie", "reason"), [("usprivacy=1YYN", "A consent tool told us that you opted out."), ("euconsent-v2=x", "")]
)
def test_what_a_consent_tool_keeps_in_its_cookie_counts(site: Site, cookie: str, reason: str) -> None:
    assert reason in Visitor(site, cookie=cookie).get().words
