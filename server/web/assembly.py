"""Puts the pages together: contexts, application, server."""

import ipaddress
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Final

from starlette.requests import HTTPConnection

from server.calls.call_context import CallContext
from server.http.http_server import HttpThread
from server.http.listening import UNIX_PREFIX
from server.security.caller import own_caller
from server.settings import PREFIX, Settings, SettingsError, checked_address
from server.web.app import make_app
from server.web.calls import Calls
from server.web.links import read_links
from server.web.rendering import Site, admit_everyone
from server.web.texts import mark
from server.web.visit import Proxies, VisitRefused, read_proxies

PAGE_THREADS: Final = 2
_SETTING: Final = f"{PREFIX}WEB_ADDRESS"
_ORIGIN: Final = f"{PREFIX}WEB_ORIGIN"
_ORIGIN_FORM: Final = re.compile(r"https?://(?:[a-z0-9.-]+|\[[0-9a-f:]+\])(?::[0-9]{1,5})?")


def open_pages(settings: Settings, make_context: Callable[[], CallContext], closing: ExitStack) -> str:
    """Serve the pages until ``closing`` closes, and return where. Raises ``SettingsError``."""
    _check_is_local(settings.web_address)
    _check_origin(settings)
    proxies, links = read_proxies(settings), read_links(settings.web_links)
    server = HttpThread("web", _SETTING, settings.web_address)
    admit = admit_everyone if inspector_is_open(proxies) else refuse_everyone
    contexts = [make_context()._replace(caller=own_caller("pages")) for _ in range(PAGE_THREADS)]
    site = Site(Calls(contexts), proxies, links, settings.web_origin or own_origin(server.address), admit)
    threads = ThreadPoolExecutor(PAGE_THREADS, thread_name_prefix="page")
    closing.callback(threads.shutdown)
    server.open(make_app(site, threads))
    closing.callback(server.close)
    return server.address


def inspector_is_open(proxies: Proxies) -> bool:
    """Return whether the inspector is open: where a proxy is trusted, whatever reaches it could ask about anyone."""
    return not proxies.networks and not proxies.unix


def refuse_everyone(_: HTTPConnection) -> None:
    """Raise ``VisitRefused``."""
    raise VisitRefused(403, mark("The inspector is closed here: this address serves people who sign in."))


def own_origin(address: str) -> str:
    """Return the origin that a browser on this machine shows; none at a Unix socket, which no browser opens."""
    return "" if address.startswith(UNIX_PREFIX) else f"http://{address}"


def _check_origin(settings: Settings) -> None:
    """Refuse an origin that no browser sends, because every form would be refused later."""
    origin = settings.web_origin
    if not origin and settings.web_address.startswith(UNIX_PREFIX):
        raise SettingsError(f"{_ORIGIN}: must be set with a Unix socket, such as https://privacy.example")
    if origin and not _ORIGIN_FORM.fullmatch(origin):
        raise SettingsError(f"{_ORIGIN}: must be scheme and host in lower case, such as https://privacy.example")


def _check_is_local(address: str) -> None:
    """Refuse an address that other machines reach: anyone who reaches the pages may ask who is limited, and why."""
    if not address.startswith(UNIX_PREFIX):
        checked_address(_SETTING, address)
    host = address.rpartition(":")[0].strip("[]")
    try:
        local = address.startswith(UNIX_PREFIX) or host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = False
    if not local:
        raise SettingsError(f"{_SETTING}: must be on the loopback, or unix: and a path; put a proxy in front of it")
