"""``make pictures``: take pictures of the pages and of the demo from a running service, into ``docs/pictures/``.

Everyone in them is from the sample population and does not exist.
"""

import io
import sys
import time
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright
from rich.console import Console

from server.cli.demo import DEMO
from server.cli.shell import Shell
from server.sample.load import Loader
from server.sample.person import Person
from server.sample.personas import Persona, find_personas
from server.sample.population import population
from server.store.redis.primary import Primary
from server.store.redis.store import RedisStore
from tests.browser.conftest import CHROMIUM
from tests.server.web.site import ACCOUNT_HEADER, Site, running_site
from tests.targeting.signals.strings import STRINGS

PICTURES = Path("docs/pictures")
POLICY = Path("policy.example.toml")
_IN_AMERICA = "24.16.49.12"
_SEED = 7
_PEOPLE = 400
_WIDE = {"width": 900, "height": 1000}
_PHONE = {"width": 390, "height": 844}
_TERMINAL_COLUMNS = 104
_SCENES = (">1. ", ">3. ")
"""The demo is pictured from the first of these scenes to before the second."""


def take_pictures(browser: Browser, directory: Path) -> None:
    """Take all pictures."""
    with _sample_site() as (site, person):
        _choice(browser, site, person, directory)
    with _sample_site(web_account_header="", web_trusted_proxies="") as (site, person):
        _inspector(browser, site, person, directory)
    _demo(browser, directory)


def _choice(browser: Browser, site: Site, person: Person, directory: Path) -> None:
    page = _page(browser, person, viewport=_WIDE)
    page.goto(f"{site.origin}/choice")
    page.screenshot(path=directory / "choice-before.png")
    page.locator("summary").first.click()
    page.locator("section[aria-labelledby=partners]").screenshot(path=directory / "choice-partners.png")
    page.get_by_role("button", name="Opt out").first.click()
    page.screenshot(path=directory / "choice-after.png")
    phone = _page(browser, person, viewport=_PHONE, color_scheme="dark", is_mobile=True, device_scale_factor=1.5)
    phone.goto(f"{site.origin}/choice?lang=fr")
    phone.screenshot(path=directory / "choice-phone.png")
    signalling = _page(browser, None, gpc=True, viewport=_WIDE)
    signalling.goto(f"{site.origin}/choice")
    signalling.screenshot(path=directory / "choice-gpc.png")


def _inspector(browser: Browser, site: Site, person: Person, directory: Path) -> None:
    page = _page(browser, None, viewport={"width": 1040, "height": 1180})
    page.goto(f"{site.origin}/inspect")
    page.get_by_label("Account", exact=True).fill(person.account_id)
    page.get_by_label("IP address").fill(_IN_AMERICA)
    page.get_by_label("Global Privacy Control").check()
    page.get_by_label("GPP string").fill(STRINGS["usnat-sale-opt-out"])
    page.get_by_label("GPP sections that apply").fill("7")
    page.get_by_role("button", name="Explain").click()
    page.screenshot(path=directory / "inspector.png")
    box = page.locator("section[aria-labelledby=string-1]").bounding_box()
    assert box
    top: Any = {"x": box["x"] - 24, "y": box["y"] + 12, "width": box["width"] + 48, "height": 560}
    page.screenshot(path=directory / "inspector-string.png", full_page=True, clip=top)


def _demo(browser: Browser, directory: Path) -> None:
    out = Console(
        file=io.StringIO(), record=True, width=_TERMINAL_COLUMNS, force_terminal=True, markup=False, highlight=False
    )
    DEMO.run(Namespace(pages="127.0.0.1:0"), Shell(out, {}))
    lines = out.export_html(inline_styles=True, code_format="{code}").splitlines()
    first, last = (next(at for at, line in enumerate(lines) if scene in line) for scene in _SCENES)
    page = browser.new_page(viewport={"width": 900, "height": 600})
    page.set_content(
        "<body style='margin:0;background:#fff;color:#1b2228'><pre style='display:inline-block;margin:0;padding:24px;"
        f"font:14px/1.45 Liberation Mono,monospace'>{chr(10).join(lines[first:last])}</pre>"
    )
    page.locator("pre").screenshot(path=directory / "demo.png")


def _page(browser: Browser, person: Person | None, *, gpc: bool = False, **context: Any) -> Page:
    headers = {"X-Forwarded-For": _IN_AMERICA} if person or gpc else {}
    headers |= {ACCOUNT_HEADER: person.account_id} if person else {}
    headers |= {"Sec-GPC": "1"} if gpc else {}
    return browser.new_context(java_script_enabled=False, extra_http_headers=headers, **context).new_page()


@contextmanager
def _sample_site(**settings: Any) -> Iterator[tuple[Site, Person]]:
    now_s = int(time.time())
    people = list(population(_SEED, _PEOPLE, now_s))
    with TemporaryDirectory() as directory, running_site(Path(directory), policy=str(POLICY), **settings) as site:
        store = RedisStore(Primary(site.service.store.redis), site.service.store.pseudonyms)
        days = site.service.rules().policy.retention.profile_days
        list(Loader([store], site.service.store.pseudonyms, days).load(people, now_s))
        store.close()
        yield site, find_personas(people)[Persona.PROFILED]


def main() -> int:
    """Take the pictures; the exit status is 1 where there is no browser."""
    if CHROMIUM is None:
        print("pictures: no Chromium on the path; apt-get install chromium", file=sys.stderr)
        return 1
    PICTURES.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        take_pictures(
            playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]),
            PICTURES,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
