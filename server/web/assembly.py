"""Puts the pages together: contexts, application, server."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Final

from starlette.requests import HTTPConnection

from server.calls.call_context import CallContext
from server.http.http_server import HttpThread
from server.security.admission import Admission
from server.security.caller import own_caller
from server.security.doors import Doors
from server.security.exposure import is_unix
from server.security.http_credentials import presented_in
from server.settings import PREFIX, Settings, SettingsError, checked_address
from server.web.app import make_app
from server.web.calls import Calls
from server.web.inspect.admission import inspector_admission
from server.web.links import read_links
from server.web.rendering import AdmitVisitor, Site
from server.web.visit import read_proxies

PAGE_THREADS: Final = 2
_SETTING: Final = f"{PREFIX}WEB_ADDRESS"
_ORIGIN: Final = f"{PREFIX}WEB_ORIGIN"
_ORIGIN_FORM: Final = re.compile(r"https?://(?:[a-z0-9.-]+|\[[0-9a-f:]+\])(?::[0-9]{1,5})?")


def open_pages(settings: Settings, doors: Doors, make_context: Callable[[], CallContext], closing: ExitStack) -> str:
    """Serve the pages until ``closing`` closes, and return where. Raises ``SettingsError``."""
    checked_address(_SETTING, settings.web_address)
    _check_origin(settings)
    proxies, links = read_proxies(settings), read_links(settings.web_links)
    server = HttpThread("web", _SETTING, settings.web_address, doors)
    admit = inspector_admission(doors.admission, proxies)
    contexts = [make_context()._replace(caller=own_caller("pages")) for _ in range(PAGE_THREADS)]
    origin = settings.web_origin or own_origin(server.address, doors)
    site = Site(Calls(contexts), proxies, links, origin, admit, naming_by_certificate(doors.admission))
    threads = ThreadPoolExecutor(PAGE_THREADS, thread_name_prefix="page")
    closing.callback(threads.shutdown)
    server.open(make_app(site, threads))
    closing.callback(server.close)
    return server.address


def naming_by_certificate(admission: Admission) -> AdmitVisitor:
    """Return what lets everyone in, and names the client that a certificate proves, such as a proxy."""

    async def admit(request: HTTPConnection) -> str:
        return admission.certified(presented_in(request.scope))

    return admit


def own_origin(address: str, doors: Doors) -> str:
    """Return the origin that a browser on this machine shows; none at a Unix socket, which no browser opens."""
    return "" if is_unix(address) else f"{'https' if doors.tls_at(address) else 'http'}://{address}"


def _check_origin(settings: Settings) -> None:
    """Refuse an origin that no browser sends, because every form would be refused later."""
    origin = settings.web_origin
    if not origin and is_unix(settings.web_address):
        raise SettingsError(f"{_ORIGIN}: must be set with a Unix socket, such as https://privacy.example")
    if origin and not _ORIGIN_FORM.fullmatch(origin):
        raise SettingsError(f"{_ORIGIN}: must be scheme and host in lower case, such as https://privacy.example")
