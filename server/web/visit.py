"""Who visits a page, and what the browser says.

Invariants: an account is known only by the header that a trusted proxy sets, and the header from anywhere else refuses
the request. The browser's ``MUID`` is a name, and no credential. Knows no store and no page.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final, NamedTuple

from starlette.requests import HTTPConnection

from server.settings import PREFIX, Settings, SettingsError
from server.web.texts import choose_language, mark
from targeting.signals.cookies import Cookies, read_cookies

UNIX: Final = "unix"
"""The name of every peer of a Unix socket among the trusted proxies."""
_CLIENT: Final = "client:"
"""Precedes the name of a client of the clients file, which a certificate proves."""
_TRUSTED: Final = f"{PREFIX}WEB_TRUSTED_PROXIES"


class VisitRefused(Exception):
    """A request that is answered by an error page; ``message`` is a sentence of the catalogues."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class Proxies(NamedTuple):
    """The proxies that may say who signed in, and the header in which they do."""

    account_header: str = ""
    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    unix: bool = False
    clients: frozenset[str] = frozenset()

    @property
    def any(self) -> bool:
        """Whether any proxy is trusted."""
        return bool(self.networks or self.unix or self.clients)

    def trusts(self, peer: str | None, client: str = "") -> bool:
        """Whether the peer, None at a Unix socket, may name the account; ``client`` is whom its certificate proves."""
        if client and client in self.clients:
            return True
        if peer is None:
            return self.unix
        address = _address(peer)
        return address is not None and any(address in network for network in self.networks)


class Visit(NamedTuple):
    """One request for a page. ``language`` is the page's; empty texts mean absent."""

    account_id: str
    cookie_header: str
    cookies: Cookies
    global_privacy_control: bool
    do_not_track: bool
    accept_language: str
    ip: str
    language: str
    client: str = ""
    """The name in the clients file of the one who asks, where a page is for clients."""

    @property
    def device_id(self) -> str:
        """The browser's ``MUID``."""
        return self.cookies.muid

    @property
    def has_account(self) -> bool:
        """Whether the operator's sign-in says who visits."""
        return bool(self.account_id)

    @property
    def payer(self) -> str:
        """Whose share of forms a form counts against.

        A ``MUID`` is easily invented, so without an account it is the address where one is known.
        """
        return self.account_id or self.ip or self.device_id

    def after_cookie(self, set_cookie: str) -> "Visit":
        """Return the visit as the browser would make it once it has taken this ``TOptOut`` line."""
        pair = set_cookie.partition(";")[0]
        kept = [each for each in self.cookie_header.split("; ") if each and not each.startswith("TOptOut=")]
        header = "; ".join([*kept, pair] if pair != "TOptOut=" else kept)
        return self._replace(cookie_header=header, cookies=read_cookies(header))

    def __repr__(self) -> str:
        """Show nothing of the person."""
        return f"Visit(account={self.has_account})"


def read_proxies(settings: Settings) -> Proxies:
    """Read which proxies are trusted. Raises ``SettingsError``."""
    named = [each.strip() for each in settings.web_trusted_proxies.split(",") if each.strip()]
    try:
        networks = tuple(ip_network(each) for each in named if each != UNIX and not each.startswith(_CLIENT))
    except ValueError:
        raise SettingsError(
            f"{_TRUSTED}: must be IP addresses, networks such as 10.0.0.0/8, unix, or client: and a client's name"
        ) from None
    clients = frozenset(each.removeprefix(_CLIENT).strip() for each in named if each.startswith(_CLIENT))
    if "" in clients:
        raise SettingsError(f"{_TRUSTED}: client: must be followed by the name of a client in the clients file")
    if clients and not (settings.clients and settings.tls_client_ca):
        raise SettingsError(
            f"{_TRUSTED}: a client is known by its certificate; set {PREFIX}CLIENTS and {PREFIX}TLS_CLIENT_CA"
        )
    return Proxies(settings.web_account_header.lower(), networks, UNIX in named, clients)


def read_visit(request: HTTPConnection, proxies: Proxies, client: str = "") -> Visit:
    """Read a request's headers; ``client`` is who makes it, if that is known. Raises ``VisitRefused``."""
    peer = request.client.host if request.client else None
    is_trusted = proxies.trusts(peer, client)
    cookie_header = "; ".join(request.headers.getlist("cookie"))
    accept_language = ", ".join(request.headers.getlist("accept-language"))
    return Visit(
        account_id=_account_id(request, proxies.account_header, is_trusted=is_trusted),
        cookie_header=cookie_header,
        cookies=read_cookies(cookie_header),
        global_privacy_control="1" in map(str.strip, request.headers.getlist("sec-gpc")),
        do_not_track="1" in map(str.strip, request.headers.getlist("dnt")),
        accept_language=accept_language,
        ip=_client_address(request, peer, is_proxy=is_trusted),
        language=page_language(request),
        client=client,
    )


def page_language(request: HTTPConnection) -> str:
    """Choose the page's language: the switch's, else the best of ``Accept-Language``."""
    return choose_language(request.query_params.get("lang", ""), request.headers.get("accept-language", ""))


def _account_id(request: HTTPConnection, name: str, *, is_trusted: bool) -> str:
    values = [value for key, value in request.headers.raw if key.lower() == name.encode()] if name else []
    if not values:
        return ""
    if not is_trusted:
        raise VisitRefused(400, mark("The request names an account, but does not come from the sign-in."))
    if len(values) > 1 or b"," in values[0]:
        raise VisitRefused(400, mark("The request names more than one account."))
    try:
        return values[0].decode("utf-8")
    except UnicodeDecodeError:
        raise VisitRefused(400, mark("The request names an account in a form that cannot be read.")) from None


def _client_address(request: HTTPConnection, peer: str | None, *, is_proxy: bool) -> str:
    """Return the person's address: the peer's, or the one that a trusted proxy appended to ``X-Forwarded-For``."""
    if not is_proxy:
        return peer or ""
    forwarded = ",".join(request.headers.getlist("x-forwarded-for")).rpartition(",")[2].strip()
    return forwarded if _address(forwarded) else ""


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
