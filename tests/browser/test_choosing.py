"""Choosing in a real browser: by keyboard alone, without scripts, and seen by Decide right after the click."""

import re

from adtargeting.v1 import targeting_pb2 as pb
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.server.web.site import MUID, Site

BEHAVIOURAL, LIMITED = pb.MODE_BEHAVIOURAL, pb.MODE_LIMITED


def focus(page: Page, name: str) -> int:
    """Press Tab until the first button of this name has the focus; return how often that was."""
    for presses in range(1, 40):
        page.keyboard.press("Tab")
        focused = page.locator(":focus")
        if focused.count() and focused.evaluate("each => each.tagName") == "BUTTON" and focused.inner_text() == name:
            return presses
    raise AssertionError(f"the keyboard does not reach {name}")


def test_a_person_opts_out_and_in_by_keyboard_alone(site: Site, open_page: OpenPage, account_id: str) -> None:
    site.record(account_id)
    page = open_page(account_id)
    page.goto(f"{site.origin}/choice")
    steps = {}
    for name, title, mode in (("Opt out", "You are opted out", LIMITED), ("Opt in", "You are opted in", BEHAVIOURAL)):
        steps[name] = focus(page, name)
        page.keyboard.press("Enter")
        expect(page.get_by_role("status")).to_contain_text(title)
        assert site.decide(account_id=account_id).mode == mode
    # The second button is one Tab further; both take one key then, and no question is asked on either way.
    assert steps["Opt in"] - steps["Opt out"] == 1


def test_one_click_each_way_changes_status_partners_and_decision(
    site: Site, open_page: OpenPage, account_id: str
) -> None:
    site.record(account_id)
    page = open_page(account_id)
    page.goto(f"{site.origin}/choice")
    for name, headline, mode, interests in (
        ("Opt out", "Ads you see here are not based on what we know about you", LIMITED, 0),
        ("Opt in", "Ads you see here may be based on what we know about you", BEHAVIOURAL, 1),
    ):
        page.get_by_role("button", name=name).first.click()
        expect(page.get_by_role("heading", level=1)).to_contain_text(headline)
        assert site.decide(account_id=account_id).mode == mode
        page.locator(".partner summary").first.click()
        row = page.get_by_role("row", name=re.compile("^Interests"))
        assert row.first.get_by_role("cell").first.inner_text() != "nothing" or not interests
        assert (row.first.get_by_role("cell").first.inner_text() == "nothing") == (not interests)


def test_a_reload_after_a_choice_sends_the_same_choice(site: Site, open_page: OpenPage, account_id: str) -> None:
    page = open_page(account_id)
    page.goto(f"{site.origin}/choice")
    page.get_by_role("button", name="Opt out").first.click()
    code = page.get_by_role("status").inner_text()
    page.reload()
    assert page.get_by_role("status").inner_text() == code
    assert len(site.preferences(account_id=account_id).history) == 1


def test_a_browser_keeps_its_cookie_and_renews_it(site: Site, open_page: OpenPage) -> None:
    page = open_page()
    page.goto(f"{site.origin}/choice")
    page.get_by_role("button", name="Opt out").click()
    (cookie,) = page.context.cookies()
    assert (cookie["name"], cookie["value"]) == ("TOptOut", "1")
    page.goto(f"{site.origin}/choice")
    expect(page.get_by_role("heading", level=1)).to_contain_text("are not based")
    page.get_by_role("button", name="Opt in").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("may be based")
    assert page.context.cookies() == []


def test_a_known_browser_is_limited_at_once(site: Site, open_page: OpenPage) -> None:
    page = open_page()
    page.context.add_cookies([{"name": "MUID", "value": MUID, "url": site.origin}])
    page.goto(f"{site.origin}/choice")
    page.get_by_role("button", name="Opt out").click()
    assert list(site.decide(device_id=MUID).reasons) == [pb.REASON_DEVICE_OPT_OUT]
    page.get_by_role("button", name="Opt in").click()
    assert list(site.decide(device_id=MUID).reasons) == [pb.REASON_NO_PROFILE]


def test_global_privacy_control_is_honoured_in_words(site: Site, open_page: OpenPage) -> None:
    page = open_page(headers={"Sec-GPC": "1"})
    page.goto(f"{site.origin}/choice")
    expect(page.get_by_text("Opt-out request honoured: your browser sends Global Privacy Control.")).to_be_visible()


def test_details_are_corrected_and_erased_by_keyboard(site: Site, open_page: OpenPage, account_id: str) -> None:
    site.record(account_id)
    page = open_page(account_id)
    page.goto(f"{site.origin}/choice")
    page.get_by_text("Correct what you told us").press("Enter")
    page.get_by_label("Occupation").fill("electrician")
    page.get_by_label("Country").select_option("US")
    page.get_by_role("button", name="Save the corrections").press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Your details are corrected")
    page.get_by_label("Yes, erase my profile").press("Space")
    page.get_by_role("button", name="Erase").press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Your profile is erased")


def test_the_languages_are_switched_by_links_and_stay_through_a_choice(site: Site, open_page: OpenPage) -> None:
    page = open_page(locale="es-ES")
    page.goto(f"{site.origin}/choice")
    expect(page.get_by_role("button", name="Rechazar")).to_be_visible()
    page.get_by_role("link", name="Deutsch").click()
    page.get_by_role("button", name="Widersprechen").click()
    expect(page.get_by_role("status")).to_contain_text("widersprochen")
