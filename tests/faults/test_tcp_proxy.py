"""The proxy does what it is told: the tests of faults stand on it."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from tests.faults.tcp_proxy import HOST, TcpProxy


@pytest.fixture
def echo_port() -> Iterator[int]:
    """A server that gives back what it gets, and says goodbye at the end."""
    listener = socket.create_server((HOST, 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                while piece := connection.recv(1024):
                    connection.sendall(piece)
                connection.sendall(b"goodbye")

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


@pytest.fixture
def proxy(echo_port: int) -> Iterator[TcpProxy]:
    with TcpProxy(echo_port) as running:
        yield running


@pytest.fixture
def client(proxy: TcpProxy) -> Iterator[socket.socket]:
    with socket.create_connection((HOST, proxy.port), timeout=5) as connection:
        connection.sendall(b"hello")
        assert connection.recv(1024) == b"hello"
        yield connection


def test_a_delay_holds_every_piece_back(proxy: TcpProxy, client: socket.socket) -> None:
    proxy.delay_s = 0.05
    sent_s = time.monotonic()
    client.sendall(b"slow")
    assert client.recv(1024) == b"slow"
    assert time.monotonic() - sent_s >= 2 * proxy.delay_s


def test_a_black_hole_answers_nothing_and_closes_nothing(proxy: TcpProxy, client: socket.socket) -> None:
    proxy.black_hole()
    client.settimeout(0.1)
    client.sendall(b"anybody?")
    with pytest.raises(TimeoutError):
        client.recv(1024)


def test_a_half_closed_connection_still_answers(proxy: TcpProxy, client: socket.socket) -> None:
    proxy.half_close()
    assert client.recv(1024) == b"goodbye"


def test_a_cut_connection_is_closed_and_a_new_one_is_not(proxy: TcpProxy, client: socket.socket) -> None:
    proxy.cut()
    assert client.recv(1024) == b""
    with socket.create_connection((HOST, proxy.port), timeout=5) as another:
        another.sendall(b"again")
        assert another.recv(1024) == b"again"


def test_nobody_behind_it(proxy: TcpProxy) -> None:
    with socket.create_server((HOST, 0)) as unused:
        proxy.upstream_port = unused.getsockname()[1]
    with socket.create_connection((HOST, proxy.port), timeout=5) as connection:
        assert connection.recv(1024) == b""
