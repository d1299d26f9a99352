"""Clients that hold connections, or send or read slowly, lock no other client out."""

import http.client
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from server.http.bounded_protocol import BoundedProtocol
from server.http.http_server import HttpThread, UvicornServer
from server.security.doors import open_to_all

LARGE = 16 << 20
"""More bytes than the buffers between two sockets take."""


async def small(_: Request) -> PlainTextResponse:
    return PlainTextResponse("here")


async def large(_: Request) -> PlainTextResponse:
    return PlainTextResponse("x" * LARGE)


@pytest.fixture
def address() -> Iterator[str]:
    thread = HttpThread("web", "ADTARGETING_WEB_ADDRESS", "127.0.0.1:0", open_to_all(), UvicornServer)
    thread.open(Starlette(routes=[Route("/", small), Route("/large", large)]))
    yield thread.address
    thread.close()


def connected(address: str) -> socket.socket:
    host, _, port = address.partition(":")
    return socket.create_connection((host, int(port)), 20)


def answered(address: str) -> bool:
    with closing(http.client.HTTPConnection(address, timeout=20)) as connection:
        connection.request("GET", "/")
        return connection.getresponse().read() == b"here"


def ends_while_sending(connection: socket.socket) -> bool:
    """Send a byte every 50 ms, for 10 s at most, until the server has closed the connection."""
    connection.settimeout(0.05)
    for _ in range(200):
        try:
            connection.sendall(b"a")
            if not connection.recv(65536):
                return True
        except TimeoutError:
            continue
        except OSError:
            return True
    return False


@pytest.mark.parametrize(("most", "stay_open"), [(16, 15), (100, 48)], ids=["bounded", "room for all"])
def test_more_connections_than_there_may_be_lock_no_client_out(
    monkeypatch: pytest.MonkeyPatch, address: str, most: int, stay_open: int
) -> None:
    """Half of them are idle, half have begun a request; the oldest make room for new ones."""
    monkeypatch.setattr(BoundedProtocol, "max_connections", most)
    with ExitStack() as held:
        connections = [held.enter_context(connected(address)) for _ in range(48)]
        for connection in connections[::2]:
            with suppress(OSError):
                connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
        assert answered(address)
        assert sum(is_open(connection) for connection in connections) == stay_open


def is_open(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        return bool(connection.recv(1))
    except BlockingIOError:
        return True
    except ConnectionResetError:
        return False


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
    ids=["idle", "head", "body", "kept alive"],
)
def test_a_connection_ends_when_no_answer_does(monkeypatch: pytest.MonkeyPatch, address: str, sent: bytes) -> None:
    monkeypatch.setattr(BoundedProtocol, "answer_s", 0.3)
    with connected(address) as connection:
        connection.sendall(sent)
        assert ends_while_sending(connection)


def test_a_slow_reader_is_cut_off(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setattr(BoundedProtocol, "answer_s", 0.3)
    with connected(address) as reader:
        reader.sendall(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
        time.sleep(1)
        assert len(everything(reader)) < LARGE


def test_a_reader_in_time_has_everything(address: str) -> None:
    with connected(address) as reader:
        reader.sendall(b"GET /large HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert len(everything(reader)) > LARGE


def everything(reader: socket.socket) -> bytes:
    received = bytearray()
    try:
        while block := reader.recv(1 << 20):
            received += block
    except ConnectionResetError:
        pass
    return bytes(received)
