"""How the pages look and behave for everyone: axe, contrast, sizes, narrow screens, weight, right to left."""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Response

from tests.browser.conftest import EVERY_LOOK, OpenPage
from tests.server.web.site import MUID, Site

LEAST_TARGET_PX = 44
MOST_BYTES = 60 * 1024

Scene = Callable[[Page, str], None]


def signed_in(page: Page, origin: str) -> None:
    page.goto(f"{origin}/choice")


def corrections_open(page: Page, origin: str) -> None:
    signed_in(page, origin)
    page.get_by_text("Correct what you told us").click()


def after_opting_out(page: Page, origin: str) -> None:
    signed_in(page, origin)
    page.get_by_role("button", name="Opt out").first.click()


def after_a_failure(page: Page, origin: str) -> None:
    signed_in(page, origin)
    page.get_by_text("Correct what you told us").click()
    page.get_by_label("Occupation").fill("me@example.com")
    page.get_by_role("button", name="Save the corrections").click()


def partners_open(page: Page, origin: str) -> None:
    signed_in(page, origin)
    for summary in page.locator(".partner summary").all():
        summary.click()


def an_error(page: Page, origin: str) -> None:
    page.goto(f"{origin}/nowhere")


SCENES: dict[str, Scene] = {each.__name__: each for each in
                            (signed_in, corrections_open, after_opting_out, after_a_failure, an_error)}  # fmt: skip


@EVERY_LOOK
@pytest.mark.parametrize("scene", SCENES.values(), ids=SCENES)
def test_axe_finds_nothing(
    site: Site, open_page: OpenPage, account_id: str, scene: Scene, scheme: str, width: int
) -> None:
    site.record(account_id, "243", "386")
    page = open_page(
        account_id,
        headers={"Sec-GPC": "1"} if scene is an_error else None,
        color_scheme=scheme,
        viewport={"width": width, "height": 800},
        java_script_enabled=True,
    )
    scene(page, site.origin)
    found = Axe().run(
        page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
    )
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("language", ["en", "es", "fr", "de"])
@pytest.mark.parametrize("width", [320, 1440])
def test_the_two_buttons_are_equal_and_large_enough(
    site: Site, open_page: OpenPage, account_id: str, language: str, width: int
) -> None:
    page = open_page(account_id, viewport={"width": width, "height": 800})
    page.goto(f"{site.origin}/choice?lang={language}")
    for block in page.locator(".block").all():
        first, second = (each.bounding_box() for each in block.get_by_role("button").all())
        assert first
        assert second
        assert (first["width"], first["height"]) == (second["width"], second["height"])
        looks = [each.evaluate("each => { const s = getComputedStyle(each); return [s.color, s.backgroundColor, "
                               "s.fontWeight, s.fontSize, s.borderColor, s.borderWidth] }")
                 for each in block.get_by_role("button").all()]  # fmt: skip
        assert looks[0] == looks[1]
    for target in page.locator("button, summary, header a, .onward").all():
        box = target.bounding_box()
        if not target.is_visible():
            continue
        assert box
        assert min(box["height"], box["width"]) >= LEAST_TARGET_PX


@pytest.mark.parametrize("language", ["en", "es", "fr", "de"])
@pytest.mark.parametrize("zoom", [1, 2])
def test_no_page_scrolls_sideways(site: Site, open_page: OpenPage, account_id: str, language: str, zoom: int) -> None:
    site.record(account_id, "243", "386")
    page = open_page(account_id, viewport={"width": 320 * zoom, "height": 800}, java_script_enabled=True)
    page.goto(f"{site.origin}/choice?lang={language}")
    page.evaluate(f"document.documentElement.style.fontSize = '{100 * zoom}%'")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_the_page_is_ready_for_right_to_left(site: Site, open_page: OpenPage, account_id: str) -> None:
    page = open_page(account_id, viewport={"width": 320, "height": 800}, java_script_enabled=True)
    page.goto(f"{site.origin}/choice")
    page.evaluate("document.documentElement.dir = 'rtl'")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert page.locator("h1").evaluate("each => getComputedStyle(each).textAlign") in {"start", "right"}


def test_the_focus_is_visible(site: Site, open_page: OpenPage) -> None:
    page = open_page(java_script_enabled=True)
    page.goto(f"{site.origin}/choice")
    page.keyboard.press("Tab")
    assert page.locator(":focus").inner_text() == "Skip to the content"
    for _ in range(8):
        page.keyboard.press("Tab")
        assert page.locator(":focus").evaluate("each => parseFloat(getComputedStyle(each).outlineWidth)") >= 2


@pytest.mark.parametrize("cookie", ["", MUID])
def test_the_page_weighs_little_and_sets_no_other_cookie(
    site: Site, open_page: OpenPage, account_id: str, cookie: str
) -> None:
    site.record(account_id, *map(str, range(243, 259)))
    page = open_page("" if cookie else account_id)
    if cookie:
        page.context.add_cookies([{"name": "MUID", "value": cookie, "url": site.origin}])
    answers: list[Response] = []
    page.on("response", lambda answer: answers.append(answer))  # noqa: PLW0108  # playwright takes no built-in
    page.goto(f"{site.origin}/choice?lang=de")
    assert sum(len(each.body()) for each in answers if each.url.startswith("http")) < MOST_BYTES
    assert [each["name"] for each in page.context.cookies()] == (["MUID"] if cookie else [])
