"""Both HTTP servers serve on TCP and on a Unix socket, and an impossible address stops the start."""

import http.client
import importlib.util
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from server.calls.call_context import CallContext
from server.http import http_server
from server.http.http_server import H2cornServer, HttpThread, UvicornServer
from server.security.doors import open_to_all
from server.settings import Settings, SettingsError
from server.web.assembly import open_pages
from server.web.visit import read_proxies, read_visit


async def _peer(request: Request) -> PlainTextResponse:
    visit = read_visit(request, read_proxies(Settings(web_account_header="X-Account", web_trusted_proxies="unix")))
    return PlainTextResponse(visit.account_id)


APP = Starlette(routes=[Route("/", _peer)])


@pytest.fixture(params=[H2cornServer, UvicornServer], ids=["h2corn", "uvicorn"])
def made(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Serve with one of the two servers."""
    monkeypatch.setattr(http_server, "make_http_server", request.param)


@pytest.fixture
def serving() -> Iterator[ExitStack]:
    with ExitStack() as closing:
        yield closing


def web_thread(address: str) -> HttpThread:
    return HttpThread("web", "ADTARGETING_WEB_ADDRESS", address, open_to_all())


def opened(address: str, closing: ExitStack) -> HttpThread:
    server = web_thread(address)
    server.open(APP)
    closing.callback(server.close)
    return server


@pytest.mark.usefixtures("made")
def test_it_serves_on_tcp_says_nothing_and_ends(
    serving: ExitStack, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """The name of h2corn's private function that prints at the start is held here."""
    caplog.set_level("INFO")
    server = opened("127.0.0.1:0", serving)
    connection = http.client.HTTPConnection(server.address, timeout=10)
    connection.request("GET", "/")
    assert connection.getresponse().read() == b""
    connection.close()
    serving.close()
    assert capfd.readouterr() == ("", "")
    assert caplog.messages == []
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int(server.address.rpartition(":")[2])), 1)


@pytest.mark.usefixtures("made")
def test_a_proxy_at_a_unix_socket_may_name_the_account(serving: ExitStack, tmp_path: Path) -> None:
    path = tmp_path / "web.sock"
    with socket.socket(socket.AF_UNIX) as left_behind:
        left_behind.bind(str(path))
    server = opened(f"unix:{path}", serving)
    assert server.address == f"unix:{path}"
    assert path.stat().st_mode & 0o777 == 0o660
    connection = http.client.HTTPConnection("localhost")
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.settimeout(10)
    connection.sock.connect(str(path))
    connection.request("GET", "/", headers={"X-Account": "alice"})
    assert connection.getresponse().read() == b"alice"
    connection.close()


def test_h2corn_serves_where_there_is_a_wheel_and_uvicorn_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert isinstance(http_server.make_http_server(APP, listener), H2cornServer)
        monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
        assert isinstance(http_server.make_http_server(APP, listener), UvicornServer)


def test_a_port_in_use_stops_the_start() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(SettingsError, match="cannot listen on"):
        web_thread(f"127.0.0.1:{taken.getsockname()[1]}")


@pytest.mark.parametrize("address", ["no-such-host.invalid:80", "unix:/nowhere/at/all.sock"])
def test_an_address_that_cannot_be_listened_on_stops_the_start(address: str) -> None:
    with pytest.raises(SettingsError, match=r"ADTARGETING_WEB_ADDRESS: (cannot listen on|the host of)"):
        web_thread(address)


def no_context() -> CallContext:
    raise AssertionError("nothing must be opened for an address that is refused")


@pytest.mark.parametrize(
    ("address", "origin"),
    [
        ("unix:/run/web.sock", ""),
        ("127.0.0.1:0", "https://privacy.example/"),
        ("127.0.0.1:0", "privacy.example"),
        ("127.0.0.1:0", "https://Privacy.example"),
        ("127.0.0.1:0", "null"),
    ],
)
def test_an_origin_that_no_browser_sends_stops_the_start(address: str, origin: str, serving: ExitStack) -> None:
    with pytest.raises(SettingsError, match="ADTARGETING_WEB_ORIGIN: must be"):
        open_pages(Settings(web_address=address, web_origin=origin), open_to_all(), no_context, serving)


def test_ipv6_has_brackets(serving: ExitStack) -> None:
    if not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")
    try:
        server = opened("[::1]:0", serving)
    except SettingsError:
        pytest.skip("this machine has no IPv6 loopback")
    assert server.address.startswith("[::1]:")


@pytest.mark.usefixtures("made")
def test_the_thread_of_a_server_that_is_closed_at_once_ends(serving: ExitStack) -> None:
    threads = threading.active_count()
    opened("127.0.0.1:0", serving)
    serving.close()
    assert threading.active_count() == threads
