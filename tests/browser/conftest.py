"""A real browser for the pages, and one service with pages. Without a Chromium the tests skip, and say why."""

import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, sync_playwright

from tests.server.web.site import ACCOUNT_HEADER, IN_AMERICA, Site
from tests.server.web.site_fixtures import account_id, site

__all__ = ["account_id", "site"]

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

OpenPage = Callable[..., Page]

_LOOKS = [(scheme, width) for scheme in ("light", "dark") for width in (320, 768, 1440)]
_FAST = [("light", 320), ("dark", 1440)]
EVERY_LOOK = pytest.mark.parametrize(
    ("scheme", "width"), [pytest.param(*look, marks=() if look in _FAST else pytest.mark.slow) for look in _LOOKS]
)
"""Colour schemes and widths of the window (px). Both schemes, and the extreme widths, are in every run of the tests."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser for one module: while it runs, no other test of the process could run a loop of its own."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on the path: apt-get install chromium")
    with sync_playwright() as playwright:
        # The pages are our own, so the browser needs no sandbox, which root and containers do not have.
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield running
        running.close()


@pytest.fixture
def open_page(browser: Browser, site: Site) -> Iterator[OpenPage]:
    """Open pages without scripts; a request to any other host fails the test."""
    contexts: list[BrowserContext] = []
    foreign: list[str] = []

    def note_foreign(request: Request) -> None:
        if not request.url.startswith((site.origin + "/", "data:")):
            foreign.append(request.url)

    def open_it(account_id: str = "", headers: dict[str, str] | None = None, **context: Any) -> Page:
        sent = {
            "X-Forwarded-For": IN_AMERICA,
            **({ACCOUNT_HEADER: account_id} if account_id else {}),
            **(headers or {}),
        }
        given = {"java_script_enabled": False, "extra_http_headers": sent, **context}
        contexts.append(browser.new_context(**given))
        page = contexts[-1].new_page()
        page.on("request", note_foreign)
        return page

    yield open_it
    for each in contexts:
        each.close()
    assert foreign == []
