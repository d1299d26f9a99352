"""What goes wrong, in a real browser: the store is down, a form is forged, an account is claimed, a code is stolen."""

import contextlib
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

from adtargeting.v1 import preference_pb2 as pref
from playwright.sync_api import Browser, Page, expect

from server.store.embedded.server import EmbeddedRedis
from tests.browser.conftest import OpenPage
from tests.server.web.site import ACCOUNT_HEADER, IN_AMERICA, Site, running_site


def visiting(browser: Browser, account_id: str) -> Page:
    """A page of a signed-in person, without scripts."""
    headers = {ACCOUNT_HEADER: account_id, "X-Forwarded-For": IN_AMERICA}
    return browser.new_context(java_script_enabled=False, extra_http_headers=headers).new_page()


def test_with_the_store_down_a_choice_fails_honestly(browser: Browser, tmp_path: Path) -> None:
    with (
        EmbeddedRedis(tmp_path / "redis") as redis,
        running_site(tmp_path / "data", redis_url=redis.url, write_budget_ms=500) as site,
    ):
        page = visiting(browser, "alice")
        page.goto(f"{site.origin}/choice")
        redis.stop()
        page.get_by_role("button", name="Opt out").first.click()
        expect(page.get_by_role("alert")).to_contain_text("Nothing was changed")
        expect(page.get_by_role("status")).to_have_count(0)
        expect(page.get_by_text("You are opted out", exact=True)).to_have_count(0)
        assert page.context.cookies() == []
        expect(page.get_by_text("We cannot look up your choices at the moment")).to_be_visible()
        redis.start()
        page.context.close()


@contextlib.contextmanager
def hostile_site(target: str) -> Iterator[str]:
    """Serve a page of another origin whose only button sends a choice to ``target``."""
    page = (
        f'<!doctype html><form method="post" action="{target}"><input type="hidden" name="scope" value="account">'
        '<button name="choice" value="opt-in">Win a prize</button></form>'
    ).encode()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *_: object) -> None:
            """Write nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def test_a_form_of_another_site_changes_nothing(browser: Browser, site: Site, account_id: str) -> None:
    site.choose(pref.CHOICE_OPT_OUT, account_id=account_id)
    page = visiting(browser, account_id)
    with hostile_site(f"{site.origin}/choice") as address:
        page.goto(address)
        page.get_by_role("button").click()
        expect(page.get_by_text("The form did not come from this site.")).to_be_visible()
    kept = site.preferences(account_id=account_id)
    assert (kept.choice, len(kept.history)) == (pref.CHOICE_OPT_OUT, 1)
    page.context.close()


def test_an_account_that_no_trusted_proxy_names_shows_and_changes_nothing(browser: Browser, tmp_path: Path) -> None:
    with running_site(tmp_path, web_trusted_proxies="10.0.0.0/8") as site:
        site.record("alice", "243")
        page = visiting(browser, "alice")
        answer = page.goto(f"{site.origin}/choice")
        assert answer is not None
        assert answer.status == 400
        expect(page.get_by_text("does not come from the sign-in")).to_be_visible()
        assert page.get_by_role("button").count() == 0
        assert "alice" not in page.content()
        page.context.close()


def test_another_persons_code_shows_no_receipt_of_theirs(site: Site, open_page: OpenPage, account_id: str) -> None:
    code = "0123-4567-89AB-CDEF"
    site.choose(pref.CHOICE_OPT_OUT, account_id=account_id, change_id=code)
    page = open_page(account_id + " and bob", java_script_enabled=True)
    page.goto(f"{site.origin}/choice")
    page.locator("[name=code]").first.evaluate("(each, code) => { each.value = code }", code)
    page.get_by_role("button", name="Opt in").first.click()
    expect(page.get_by_role("status")).to_contain_text("You are opted in")
    kept = site.preferences(account_id=account_id)
    assert (kept.choice, len(kept.history)) == (pref.CHOICE_OPT_OUT, 1)
    assert len(site.preferences(account_id=account_id + " and bob").history) == 1
