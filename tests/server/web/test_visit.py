"""Who visits: the account only from a trusted proxy, the browser by its cookies, the signals by their headers."""

from dataclasses import replace
from pathlib import Path

import pytest
from starlette.requests import Request

from server.settings import Settings, SettingsError
from server.web.visit import Proxies, Visit, VisitRefused, read_proxies, read_visit

MUID = "0123456789abcdef0123456789abcdef"
TRUSTED = Settings(web_account_header="X-Account", web_trusted_proxies="10.0.0.0/8, ::1, unix")


def visit(
    *headers: tuple[str, str | bytes],
    peer: str | None = "10.1.2.3",
    settings: Settings = TRUSTED,
    query: str = "",
    client: str = "",
) -> Visit:
    raw = [
        (name.lower().encode(), value if isinstance(value, bytes) else value.encode("latin-1"))
        for name, value in headers
    ]
    address = None if peer is None else (peer, 1)
    scope = {"type": "http", "headers": raw, "client": address, "path": "/choice", "query_string": query.encode()}
    return read_visit(Request(scope), read_proxies(settings), client)


@pytest.mark.parametrize("peer", ["10.1.2.3", "::1", "::ffff:10.1.2.3", None])
def test_a_trusted_proxy_names_the_account(peer: str | None) -> None:
    assert visit(("X-Account", "alice"), peer=peer).account_id == "alice"


CERTIFIED = Settings(
    web_account_header="X-Account", web_trusted_proxies="client:sign-in", clients="clients.toml", tls_client_ca="ca.pem"
)


def test_a_proxy_that_its_certificate_proves_names_the_account_from_anywhere() -> None:
    assert visit(("X-Account", "alice"), peer="192.0.2.1", settings=CERTIFIED, client="sign-in").account_id == "alice"


def test_a_blank_before_the_name_of_a_client_does_not_count() -> None:
    assert read_proxies(replace(CERTIFIED, web_trusted_proxies="client: sign-in")).clients == {"sign-in"}


@pytest.mark.parametrize("client", ["", "ads"])
def test_another_client_names_none(client: str) -> None:
    with pytest.raises(VisitRefused):
        visit(("X-Account", "alice"), settings=CERTIFIED, client=client)


@pytest.mark.parametrize(
    "lacking",
    [replace(CERTIFIED, clients=""), replace(CERTIFIED, tls_client_ca="")],
    ids=["no clients file", "no authority"],
)
def test_a_proxy_by_certificate_needs_clients_and_their_authority(lacking: Settings) -> None:
    with pytest.raises(SettingsError, match="set ADTARGETING_CLIENTS and ADTARGETING_TLS_CLIENT_CA"):
        read_proxies(lacking)


@pytest.mark.parametrize("proxies", ["client:", "client: ", "client:sign-in,client:"])
def test_a_client_without_a_name_is_refused_as_it_would_be_every_caller_without_a_certificate(proxies: str) -> None:
    with pytest.raises(SettingsError, match="must be followed by the name of a client"):
        read_proxies(replace(CERTIFIED, web_trusted_proxies=proxies))
    nameless = Proxies("x-account", clients=frozenset({""}))
    assert not nameless.trusts("192.0.2.1", "")


def test_an_account_may_have_any_name_in_utf_8() -> None:
    assert visit(("X-Account", "Zoë ✓".encode())).account_id == "Zoë ✓"


@pytest.mark.parametrize(
    ("headers", "peer", "settings"),
    [
        ([("X-Account", "alice")], "192.0.2.1", TRUSTED),
        ([("X-Account", "alice")], "127.0.0.1", TRUSTED),
        ([("X-Account", "alice")], "not an address", TRUSTED),
        ([("X-Account", "alice")], None, Settings(web_account_header="X-Account", web_trusted_proxies="10.0.0.0/8")),
        ([("X-Account", "alice")], "127.0.0.1", Settings(web_account_header="X-Account")),
        ([("X-Account", "alice"), ("x-account", "bob")], "10.1.2.3", TRUSTED),
        ([("X-Account", "alice, bob")], "10.1.2.3", TRUSTED),
        ([("X-Account", b"\xff\xfe")], "10.1.2.3", TRUSTED),
    ],
    ids=["elsewhere", "the loopback", "no address", "a socket that is not trusted", "no proxy at all", "twice",
         "with a comma", "not UTF-8"],
)  # fmt: skip
def test_any_other_account_header_refuses_the_request(
    headers: list[tuple[str, str | bytes]], peer: str | None, settings: Settings
) -> None:
    with pytest.raises(VisitRefused) as caught:
        visit(*headers, peer=peer, settings=settings)
    assert caught.value.status == 400
    assert "alice" not in str(caught.value)


def test_without_the_setting_no_header_names_an_account() -> None:
    assert visit(("X-Account", "alice"), settings=Settings()).account_id == ""


def test_the_browser_is_known_by_its_cookies_from_all_cookie_headers() -> None:
    seen = visit(("Cookie", "a=b"), ("Cookie", f"MUID={MUID}; TOptOut=1"))
    assert seen.device_id == MUID
    assert seen.cookies.opt_out


def test_the_cookie_that_a_choice_sets_counts_at_once() -> None:
    seen = visit(("Cookie", f"MUID={MUID}; TOptOut=0"))
    after = seen.after_cookie("TOptOut=1; Path=/; Max-Age=34560000")
    assert (after.cookies.opt_out, after.device_id) == (True, MUID)
    assert not after.after_cookie("TOptOut=; Path=/; Max-Age=0").cookies.opt_out


@pytest.mark.parametrize(("value", "counts"), [("1", True), (" 1 ", True), ("0", False), ("yes", False), ("", False)])
def test_global_privacy_control_is_exactly_one(value: str, counts: bool) -> None:
    seen = visit(("Sec-GPC", value), ("DNT", value))
    assert (seen.global_privacy_control, seen.do_not_track) == (counts, counts)


@pytest.mark.parametrize(
    ("forwarded", "peer", "ip"),
    [
        ("8.8.8.8", "10.1.2.3", "8.8.8.8"),
        ("1.1.1.1, 8.8.8.8", "10.1.2.3", "8.8.8.8"),
        ("8.8.8.8", "192.0.2.1", "192.0.2.1"),
        ("nonsense", "10.1.2.3", ""),
        ("", "10.1.2.3", ""),
        ("8.8.8.8", None, "8.8.8.8"),
    ],
)
def test_the_address_is_the_peers_or_what_a_trusted_proxy_says(forwarded: str, peer: str | None, ip: str) -> None:
    assert visit(("X-Forwarded-For", forwarded), peer=peer).ip == ip


def test_the_language_is_the_switchs_else_the_browsers() -> None:
    assert visit(("Accept-Language", "de"), query="lang=fr").language == "fr"
    assert visit(("Accept-Language", "de"), query="lang=xx").language == "de"


def test_invented_browsers_share_the_forms_of_their_address() -> None:
    address = ("X-Forwarded-For", "8.8.8.8")
    assert visit(("X-Account", "alice"), address).payer == "alice"
    assert visit(("Cookie", f"MUID={MUID}"), address).payer == "8.8.8.8"
    assert visit(("Cookie", f"MUID={MUID}")).payer == MUID


def test_nothing_of_the_person_shows() -> None:
    seen = visit(("X-Account", "alice"), ("Cookie", f"MUID={MUID}"))
    assert "alice" not in repr(seen)
    assert MUID not in repr(seen)


@pytest.mark.parametrize("wrong", ["everybody", "10.0.0.1/8", "10.0.0.0/8;::1"])
def test_proxies_that_cannot_be_read_stop_the_start(wrong: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="ADTARGETING_WEB_TRUSTED_PROXIES"):
        read_proxies(Settings(web_trusted_proxies=wrong))


def test_no_proxy_is_trusted_by_default() -> None:
    assert read_proxies(Settings()) == Proxies()
