"""Looking up names: bounded, shared by those who wait, and tried again after it has ended."""

import socket
import threading
from typing import Any

import pytest

from server.store.ports import StoreTimeout, StoreUnreachable
from server.store.redis.handshake import open_connection
from server.store.redis.name_lookup import look_up
from server.store.redis.url import RedisAddress
from tests.server.running_service import wait_until
from tests.server.store.redis.scripted_server import scripted_tcp_server
from tests.server.store.redis.test_tls import PONG


def answers(*hosts: str) -> list[Any]:
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, 0)) for host in hosts]


def test_a_name_has_addresses() -> None:
    assert "127.0.0.1" in look_up("localhost", 5)


def test_a_name_that_is_none_is_told() -> None:
    with pytest.raises(StoreUnreachable, match="its host name cannot be resolved"):
        open_connection(RedisAddress(host="no.such.host.invalid"), 30)


def test_one_that_hangs_is_given_up_asked_once_and_answered_later(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    released = threading.Event()

    def slowly(host: str, *_: object, **__: object) -> list[Any]:
        asked.append(host)
        released.wait()
        return answers("10.0.0.1")

    monkeypatch.setattr(socket, "getaddrinfo", slowly)
    for _ in range(3):
        with pytest.raises(StoreTimeout, match="not resolved in time"):
            look_up("slow.example", 0.01)
    assert asked == ["slow.example"]
    released.set()
    wait_until(lambda: look_up("slow.example", 5) == ["10.0.0.1"])


def test_the_first_address_that_answers_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with scripted_tcp_server(PONG) as port:
        numeric = socket.getaddrinfo
        named = {"store.example": answers("127.1.2.3", "127.0.0.1"), "down.example": answers("127.1.2.3", "127.1.2.4")}

        def resolve(host: str, *rest: Any, **more: Any) -> list[Any]:
            return named.get(host) or numeric(host, *rest, **more)

        monkeypatch.setattr(socket, "getaddrinfo", resolve)
        open_connection(RedisAddress(host="store.example", port=port), 5).close()
        with pytest.raises(StoreUnreachable, match="refused"):
            open_connection(RedisAddress(host="down.example", port=port), 5)
