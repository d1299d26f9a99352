"""``/choice`` over HTTP, without a script: see, choose, correct, download, erase, and what Decide says right after."""

import json
import re
from pathlib import Path

import pytest
from adtargeting.v1 import preference_pb2 as pref
from adtargeting.v1 import targeting_pb2 as pb

from tests.server.web.site import MUID, Site, Visitor, running_site

NOT_BASED = "Ads you see here are not based on what we know about you"
MAY_BE_BASED = "Ads you see here may be based on what we know about you"


def muid(number: int) -> str:
    return f"{number:032x}"


def code_in(text: str) -> str:
    found = re.search(r"(?:[0-9A-Z]{4}-){3}[0-9A-Z]{4}", text.partition("Code to quote to support")[2])
    assert found
    return found[0]


def test_the_status_comes_first_with_its_date(site: Site, account_id: str) -> None:
    site.record(account_id)
    alice = Visitor(site, account_id)
    assert f"{MAY_BE_BASED}. You have not made a choice." in alice.get().words
    site.choose(pref.CHOICE_OPT_OUT, account_id=account_id)
    words = alice.get().words
    assert re.search(NOT_BASED + r", since \d+ \w+ 20\d\d\. You made this choice for your account\.", words)


def test_a_click_is_in_force_for_the_very_next_decision(site: Site, account_id: str) -> None:
    site.record(account_id)
    alice = Visitor(site, account_id)
    assert site.decide(account_id=account_id).mode == pb.MODE_BEHAVIOURAL
    assert alice.choose("account", "opt-out").status == 200
    assert list(site.decide(account_id=account_id).reasons) == [pb.REASON_ACCOUNT_OPT_OUT]
    assert alice.choose("account", "opt-in").status == 200
    assert site.decide(account_id=account_id).mode == pb.MODE_BEHAVIOURAL


def test_the_receipt_says_what_when_which_version_and_a_code(site: Site, account_id: str) -> None:
    answer = Visitor(site, account_id).choose("account", "opt-out", "0123-4567-89AB-CDEF")
    assert "You are opted out" in answer.words
    assert "Confirmed: it is stored safely." in answer.words
    assert "Version 1" in answer.words
    assert code_in(answer.words) == "0123-4567-89AB-CDEF"
    assert "No partner" in answer.words
    assert answer.text.count('role="status"') == 1


def test_the_history_keeps_the_code_as_a_ticket_and_the_pages_as_the_actor(site: Site, account_id: str) -> None:
    Visitor(site, account_id).choose("account", "opt-out", "0123-4567-89AB-CDEF")
    (change,) = site.preferences(account_id=account_id).history
    assert (change.ticket, change.actor) == ("0123-4567-89AB-CDEF", "internal:pages")


def test_a_double_click_is_one_choice(site: Site, account_id: str) -> None:
    alice = Visitor(site, account_id)
    first, second = (alice.choose("account", "opt-out", "0123-4567-89AB-CDEF") for _ in range(2))
    assert code_in(first.words) == code_in(second.words)
    assert "Version 1" in second.words
    assert len(site.preferences(account_id=account_id).history) == 1


def test_a_stale_form_says_what_is_in_force(site: Site, account_id: str) -> None:
    alice = Visitor(site, account_id)
    alice.choose("account", "opt-in", "0123-4567-89AB-CDEF")
    alice.choose("account", "opt-out")
    stale = alice.choose("account", "opt-in", "0123-4567-89AB-CDEF")
    assert "You have chosen since; the status below is in force." in stale.words
    assert NOT_BASED in stale.words
    assert list(site.decide(account_id=account_id).reasons) == [pb.REASON_ACCOUNT_OPT_OUT]


def test_a_code_of_the_opposite_choice_changes_nothing(site: Site, account_id: str) -> None:
    alice = Visitor(site, account_id)
    alice.choose("account", "opt-out", "0123-4567-89AB-CDEF")
    answer = alice.choose("account", "opt-in", "0123-4567-89AB-CDEF")
    assert answer.status == 400
    assert "Nothing was changed" in answer.words
    assert NOT_BASED in answer.words


def test_another_persons_code_tells_and_changes_nothing_of_theirs(site: Site, account_id: str) -> None:
    alice, bob = Visitor(site, account_id), Visitor(site, account_id + " and bob")
    alice.choose("account", "opt-out", "0123-4567-89AB-CDEF")
    assert "You are opted in" in bob.choose("account", "opt-in", "0123-4567-89AB-CDEF").words
    assert site.preferences(account_id=alice.account_id).choice == pref.CHOICE_OPT_OUT
    assert len(site.preferences(account_id=alice.account_id).history) == 1


def test_account_and_browser_are_apart(site: Site, account_id: str) -> None:
    alice = Visitor(site, account_id, cookie=f"MUID={muid(1)}")
    answer = alice.choose("account", "opt-out")
    assert answer.cookies == []
    assert site.preferences(device_id=muid(1)).choice == pref.CHOICE_UNSPECIFIED
    answer = alice.choose("browser", "opt-out")
    assert answer.cookies[0].startswith("TOptOut=1; Path=/; Max-Age=")
    alice.choose("account", "opt-in")
    assert list(site.decide(account_id=account_id, device_id=muid(1)).reasons) == [pb.REASON_DEVICE_OPT_OUT]
    answer = alice.choose("browser", "opt-in")
    assert answer.cookies[0].startswith("TOptOut=; Path=/; Max-Age=0")
    assert MAY_BE_BASED in answer.words


def test_a_browser_that_we_do_not_know_gets_the_cookie_alone(site: Site) -> None:
    stranger = Visitor(site)
    answer = stranger.choose("browser", "opt-out")
    assert [each.partition(";")[0] for each in answer.cookies] == ["TOptOut=1"]
    assert "A cookie in this browser keeps your choice." in answer.words
    assert f"{NOT_BASED}. This browser holds an opt-out cookie." in answer.words
    assert Visitor(site, cookie="TOptOut=1").choose("browser", "opt-in").cookies[0].startswith("TOptOut=; ")
    assert stranger.get().cookies == []


def test_an_opt_out_cookie_is_renewed_at_each_visit(site: Site) -> None:
    assert Visitor(site, cookie="TOptOut=1").get().cookies[0].startswith("TOptOut=1; ")
    assert Visitor(site, cookie="TOptOut=0").get().cookies == []


@pytest.mark.parametrize(
    "cookie",
    ["MUID=junk", f"MUID={muid(3)}; MUID={muid(4)}", '"', "TOptOut", "=; ;;=", "MUID=" + "1" * 9000],
)
def test_odd_cookies_show_the_page_in_its_right_state(site: Site, cookie: str) -> None:
    answer = Visitor(site, cookie=cookie).get()
    assert answer.status == 200
    assert (NOT_BASED in answer.words) == ("TOptOut" in cookie or "MUID" in cookie)


def test_without_an_account_nothing_that_is_held_shows(site: Site, account_id: str) -> None:
    device = muid(5)
    stranger = Visitor(site, cookie=f"MUID={device}")
    before = stranger.get()
    activity_owner = Visitor(site, account_id, cookie=f"MUID={device}")
    site.choose(pref.CHOICE_OPT_IN, device_id=device, birth_date={"year": 2020, "month": 1, "day": 1})
    words = stranger.get().words
    assert "A safeguard applies to this browser." in words
    assert "age" not in words.partition("Choose")[0].replace("language", "")
    assert "What is held about you" not in before.words
    assert stranger.get("/choice/download").status == 403
    for path in ("/choice/correct", "/choice/erase"):
        assert stranger.post(path, {"sure": "yes"}).status == 403
    assert stranger.choose("account", "opt-out").status == 403
    assert "What is held about you" in activity_owner.get().words


def test_without_an_account_the_partners_do_not_depend_on_what_is_held(site: Site, account_id: str) -> None:
    def partners(answer: str) -> str:
        return answer.partition("What each advertising partner would get")[2].partition("Other places")[0]

    held, unknown = Visitor(site, cookie=f"MUID={MUID}"), Visitor(site, cookie=f"MUID={muid(6)}")
    site.record(account_id)
    site.choose(pref.CHOICE_OPT_IN, device_id=MUID)
    assert partners(held.get().words) == partners(unknown.get().words)
    assert "an age range" in partners(held.get().words)


def test_the_partners_table_shows_the_exact_values_and_what_an_opt_out_takes(site: Site, account_id: str) -> None:
    site.record(account_id, "243")
    alice = Visitor(site, account_id)
    words = alice.get().words
    user_id = site.decide(account_id=account_id, third_party_networks=["house"]).networks[0].network_user_id
    assert f"An id for you Our own sales house: {user_id} nothing" in words
    assert "United States, 8.8.8.0" in words
    answer = alice.choose("account", "opt-out")
    assert user_id not in answer.text
    assert "An id for you nothing nothing" in answer.words


def test_what_is_held_is_shown_and_can_be_corrected(site: Site, account_id: str) -> None:
    site.record(account_id, "243")
    alice = Visitor(site, account_id)
    form = {"birth_date": "1980-12-18", "gender": "1", "occupation": "electrician", "postal_code": "50250",
            "country": "US", "language": "es"}  # fmt: skip
    assert "Your details are corrected" in alice.post("/choice/correct", form).words
    words = alice.get().words
    for shown in ("18 December 1980", "female", "electrician", "50250", "United States", "Spanish"):
        assert shown in words
    assert "Nothing needed correcting" in alice.post("/choice/correct", form).words
    assert "Occupation not stated" in alice.post("/choice/correct", {**form, "occupation": ""}).words


@pytest.mark.parametrize(
    ("field", "value", "status", "sentence"),
    [
        ("occupation", "me@example.com", 400, "The occupation cannot be taken."),
        ("birth_date", "1980-02-30", 400, "The birth date cannot be taken."),
        ("birth_date", "yesterday", 400, "The form cannot be read."),
        ("gender", "9", 400, "The gender cannot be taken."),
        ("gender", "x", 400, "The form cannot be read."),
        ("country", "Atlantis", 400, "The country cannot be taken."),
        ("language", "!", 400, "The language cannot be taken."),
        ("postal_code", "+1 555 123 4567", 400, "The postal code cannot be taken."),
    ],
)
def test_a_correction_that_cannot_be_taken_says_why(
    site: Site, account_id: str, field: str, value: str, status: int, sentence: str
) -> None:
    site.record(account_id)
    answer = Visitor(site, account_id).post("/choice/correct", {field: value})
    assert answer.status == status
    assert sentence in answer.words
    assert value == "9" or value not in answer.words


def test_nothing_is_corrected_while_opted_out(site: Site, account_id: str) -> None:
    site.record(account_id)
    alice = Visitor(site, account_id)
    alice.choose("account", "opt-out")
    answer = alice.post("/choice/correct", {"occupation": "baker"})
    assert answer.status == 409
    assert "Nothing was changed: your choice, your age, or what is stored forbids it." in answer.words


def test_everything_can_be_downloaded_under_a_schema(site: Site, account_id: str) -> None:
    site.record(account_id, "243")
    answer = Visitor(site, account_id).get("/choice/download")
    assert answer.headers["content-disposition"].startswith("attachment; filename=")
    document = json.loads(answer.text)
    assert (document["schema"], document["version"]) == ("adtargeting.person-data", 1)
    assert document["data"]["interests"][0]["segmentId"] == "243"
    assert account_id not in answer.text


def test_an_erasure_is_asked_for_twice_and_leaves_the_opt_out(site: Site, account_id: str) -> None:
    site.record(account_id)
    alice = Visitor(site, account_id)
    alice.choose("account", "opt-out")
    assert "Nothing was erased." in alice.post("/choice/erase", {}).words
    answer = alice.post("/choice/erase", {"sure": "yes"})
    assert "Your profile is erased An opt-out stays in force." in answer.words
    assert "We hold no profile of you." in answer.words
    assert list(site.decide(account_id=account_id).reasons) == [pb.REASON_ACCOUNT_OPT_OUT]


def test_the_history_is_shown_newest_first(site: Site, account_id: str) -> None:
    alice = Visitor(site, account_id)
    alice.choose("account", "opt-out")
    site.choose(pref.CHOICE_OPT_IN, account_id=account_id, source=pref.SOURCE_SUPPORT)
    history = alice.get().words.partition("The history of your choices")[2]
    assert re.search(r"Opted in support 2 .* Opted out account page 1", history)


def test_other_places_are_links_in_the_visitors_language(site: Site) -> None:
    french = Visitor(site).get("/choice?lang=fr")
    assert 'href="https://youradchoices.ca/fr/outils"' in french.text
    assert "Autres endroits où choisir" in french.words


@pytest.mark.parametrize(
    ("language", "title"),
    [
        ("es", "Sus opciones de publicidad"),
        ("fr", "Vos choix publicitaires"),
        ("de", "Ihre Wahl bei Werbung"),
        ("xx", "Your advertising choices"),
    ],
)
def test_the_page_speaks_the_browsers_language(site: Site, language: str, title: str) -> None:
    answer = Visitor(site, more=(("Accept-Language", f"{language}-XX, nl;q=0.5"),)).get()
    assert title in answer.words
    assert f'<html lang="{language if language != "xx" else "en"}" dir="ltr">' in answer.text


def test_many_partners_stand_together_and_the_page_stays_light(tmp_path: Path, account_id: str) -> None:
    networks = (
        f'[[networks]]\nid = "network-{number}"\nname = "Partner number {number} of the longest list"\n'
        'fields = ["age_bracket", "gender", "country", "language", "interests"]\nuser_id = true\n'
        for number in range(64)
    )
    policy = tmp_path / "policy.toml"
    policy.write_text('version = "many"\n' + "".join(networks))
    with running_site(tmp_path, policy=str(policy)) as site:
        site.record(account_id, *map(str, range(243, 259)))
        answer = Visitor(site, account_id).get("/choice?lang=de")
        assert answer.words.count("Partner number 63 of the longest list") == 2
        assert len(answer.text.encode()) + len(site.ask("GET", "/static/style.css").text.encode()) < 60 * 1024
