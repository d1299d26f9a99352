"""The application around the pages: headers, refusals in the same design, JSON, and a store that is down."""

import json
import logging
import time
from pathlib import Path

import pytest
from adtargeting.v1 import preference_pb2 as pref
from adtargeting.v1 import targeting_pb2 as pb

from server.store.embedded.server import EmbeddedRedis
from tests.server.web.site import ACCOUNT_HEADER, Answer, Site, Visitor, running_site


def is_designed(answer: Answer) -> bool:
    """Whether an answer is a page of ours, and no trace."""
    return "/static/style.css" in answer.text and "Traceback" not in answer.text and "<h1>" in answer.text


@pytest.mark.parametrize("path", ["/choice", "/choice.json", "/choice/download", "/none", "/.well-known/gpc.json", "/"])
def test_every_answer_has_the_headers(site: Site, path: str) -> None:
    headers = site.ask("GET", path).headers
    assert headers["content-security-policy"].startswith("default-src 'self';")
    assert headers["referrer-policy"] == "same-origin"
    assert headers["x-frame-options"] == "DENY"
    assert headers["cache-control"] == "no-store"
    assert "server" not in headers


def test_the_root_leads_to_the_choice(site: Site) -> None:
    answer = site.ask("GET", "/")
    assert (answer.status, answer.headers["location"]) == (303, "/choice")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/none", 404),
        ("PUT", "/choice", 405),
        ("DELETE", "/choice", 405),
        ("GET", "/choice/erase", 405),
        ("POST", "/choice/download", 405),
        ("GET", "/choice/../../etc/passwd", 404),
    ],
)
def test_what_is_not_there_is_said_in_the_same_design(site: Site, method: str, path: str, status: int) -> None:
    answer = site.ask(method, path)
    assert answer.status == status
    assert is_designed(answer)


@pytest.mark.parametrize("origin", ["https://evil.example", "null", ""])
def test_a_forged_origin_changes_nothing(site: Site, account_id: str, origin: str) -> None:
    answer = Visitor(site, account_id).post("/choice", {"scope": "account", "choice": "opt-out"}, origin)
    assert answer.status == 403
    assert is_designed(answer)
    assert "The form did not come from this site." in answer.words
    assert site.preferences(account_id=account_id).choice == pref.CHOICE_UNSPECIFIED


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"scope": "account"},
        {"scope": "account", "choice": "maybe"},
        {"scope": "everybody", "choice": "opt-out"},
        {"scope": "account", "choice": "opt-out", "code": "<script>"},
        "scope=account&choice=opt-in&choice=opt-out",
        "scope=account&choice=opt-out&" + "x" * 9000,
    ],
)
def test_a_form_that_cannot_be_read_is_refused_in_the_same_design(
    site: Site, account_id: str, form: dict[str, str] | str
) -> None:
    answer = Visitor(site, account_id).post("/choice", form)
    assert answer.status in {400, 413}
    assert is_designed(answer)
    assert "<script>" not in answer.text
    assert site.preferences(account_id=account_id).choice == pref.CHOICE_UNSPECIFIED


@pytest.mark.parametrize("account", ["x" * 257, "a,b"])
def test_an_account_that_cannot_be_one_is_refused_and_never_shown(site: Site, account: str) -> None:
    answer = Visitor(site, account).get()
    assert answer.status == 400
    assert is_designed(answer)
    assert account not in answer.text


def test_an_account_header_from_elsewhere_is_refused(tmp_path: Path) -> None:
    with running_site(tmp_path, web_trusted_proxies="10.0.0.0/8") as site:
        answer = site.ask("GET", "/choice", [(ACCOUNT_HEADER, "alice")])
        assert answer.status == 400
        assert "does not come from the sign-in" in answer.words
        assert "alice" not in answer.text
        assert site.ask("GET", "/choice").status == 200


def test_json_says_the_same(site: Site, account_id: str) -> None:
    alice = Visitor(site, account_id)
    answer = alice.post("/choice.json", {"scope": "account", "choice": "opt-out", "code": "0123-4567-89AB-CDEF"})
    document = json.loads(answer.text)
    assert document["outcome"] == {
        "done": True, "message": "You are opted out. Confirmed: it is stored safely.", "version": 1,
        "durability": "CONFIRMED", "code": "0123-4567-89AB-CDEF",
    }  # fmt: skip
    shown = json.loads(alice.get("/choice.json").text)
    assert (shown["schema"], shown["version"]) == ("adtargeting.choice", 1)
    assert shown["limited"] is True
    assert shown["account"]["choice"] == "opt-out"
    assert shown["browser"] == {"choice": None, "since": None, "version": 0, "readable": True, "cookie": False}
    assert json.loads(Visitor(site).get("/choice.json").text)["account"] is None


def test_json_refuses_in_json(site: Site, account_id: str) -> None:
    answer = Visitor(site, account_id).post("/choice.json", {}, origin="https://evil.example")
    assert answer.status == 403
    assert json.loads(answer.text)["error"].startswith("The form did not come from this site.")


def test_too_many_forms_of_one_visitor_are_refused(site: Site, account_id: str) -> None:
    alice = Visitor(site, account_id)
    statuses = [alice.post("/choice/erase", {}).status for _ in range(30)]
    assert statuses[0] == 400
    assert statuses[-1] == 429
    assert Visitor(site, account_id + "s brother").post("/choice/erase", {}).status == 400


def test_no_id_gets_into_a_log_or_onto_the_terminal(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    planted = ("planted-account", "ab" * 16, "planted-occupation@example.com", "203.0.113.77")
    with running_site(tmp_path) as site:
        alice = Visitor(site, planted[0], cookie=f"MUID={planted[1]}", ip=planted[3])
        alice.get()
        alice.get("/choice.json?lang=planted-account")
        alice.choose("account", "opt-out")
        alice.choose("browser", "opt-in")
        alice.post("/choice/correct", {"occupation": planted[2]})
        alice.post("/choice/erase", {"sure": "yes"}, origin="https://evil.example")
        site.ask("GET", "/nowhere", [("Cookie", f"MUID={planted[1]}")])
    said = caplog.text + "".join(capfd.readouterr())
    assert [each for each in planted if each in said] == []


def test_with_the_store_down_the_page_is_honest(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with (
        EmbeddedRedis(tmp_path / "redis") as redis,
        running_site(tmp_path / "data", redis_url=redis.url, write_budget_ms=500) as site,
    ):
        alice = Visitor(site, "alice of the outage")
        site.record(alice.account_id)
        redis.stop()
        page = alice.get()
        assert page.status == 200
        assert "We cannot look up your choices at the moment, so we act as if you had opted out." in page.words
        answer = alice.choose("account", "opt-out")
        assert answer.status == 503
        assert "This did not work Nothing was changed: we cannot reach what we store" in answer.words
        assert 'role="alert"' in answer.text
        assert alice.get("/choice/download").status == 503
        assert alice.post("/choice/erase", {"sure": "yes"}).status == 503
        browser = Visitor(site, cookie=f"MUID={1:032x}").choose("browser", "opt-out")
        assert (browser.status, browser.cookies) == (503, [])
        redis.start()
        wait_until_behavioural(site, alice.account_id)
        assert site.preferences(account_id=alice.account_id).choice == pref.CHOICE_UNSPECIFIED
    assert alice.account_id not in caplog.text


def wait_until_behavioural(site: Site, account_id: str) -> None:
    deadline_s = time.monotonic() + 30
    while site.decide(account_id=account_id).mode != pb.MODE_BEHAVIOURAL:
        assert time.monotonic() < deadline_s, "the store was not found again"
        time.sleep(0.02)
