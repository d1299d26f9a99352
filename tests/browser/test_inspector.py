"""The inspector in a real browser: usable without scripts, and axe finds nothing on any of its states."""

import json
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import EVERY_LOOK
from tests.conftest import MEMORY
from tests.server.web.site import IN_AMERICA, Site, running_site
from tests.targeting.signals.strings import STRINGS

BID_REQUEST = {"id": "1", "imp": [{"id": "1"}], "device": {"ip": IN_AMERICA, "ifa": "some-id"}, "user": {"id": "u"}}


@pytest.fixture(scope="module")
def inspected() -> Iterator[Site]:
    """A service on the loopback with no proxy before it, where everyone may use the inspector."""
    in_memory = TemporaryDirectory(prefix="adt-", dir=MEMORY if MEMORY.is_dir() else None)
    with (
        in_memory as directory,
        running_site(Path(directory), web_account_header="", web_trusted_proxies="") as running,
    ):
        running.record("alice", "243")
        yield running


def asked(page: Page, origin: str, **fields: str) -> None:
    """Fill in the form by its labels, and send it."""
    page.goto(f"{origin}/inspect")
    for label, value in fields.items():
        page.locator(f"[name={label}]").fill(value)
    page.get_by_role("button", name="Explain").click()


def test_a_question_is_answered_without_scripts_and_kept_in_the_form(browser: Browser, inspected: Site) -> None:
    page = browser.new_context(java_script_enabled=False).new_page()
    asked(page, inspected.origin, account_id="alice", ip=IN_AMERICA, us_privacy="1YYN")
    expect(page.get_by_role("heading", level=1)).to_contain_text("LIMITED")
    expect(page.get_by_text("One change would lift the limit:")).to_be_visible()
    assert page.url == f"{inspected.origin}/inspect"
    assert page.locator("[name=account_id]").input_value() == "alice"
    page.context.close()


@EVERY_LOOK
@pytest.mark.parametrize("state", ["form", "strings", "difference", "problem"])
def test_axe_finds_nothing(browser: Browser, inspected: Site, state: str, scheme: str, width: int) -> None:
    look: Any = {"color_scheme": scheme, "viewport": {"width": width, "height": 800}}
    page = browser.new_context(**look).new_page()
    if state == "form":
        page.goto(f"{inspected.origin}/inspect")
    elif state == "strings":
        asked(page, inspected.origin, tcf_consent=STRINGS["tcf-consent"], gpp=STRINGS["usnat-child"])
    elif state == "difference":
        asked(page, inspected.origin, account_id="alice", pasted=json.dumps(BID_REQUEST), networks="house partner")
    else:
        asked(page, inspected.origin, pasted="{")
    found = Axe().run(
        page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
    )
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.context.close()
