"""Connecting: an attempt ends, however it ends, and no connection outlives what it was made to."""

import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from server.store.embedded.server import EmbeddedRedis
from server.store.ports import StoreUnavailable
from server.store.redis.connection import Connection
from server.store.redis.connector import Connector
from server.store.redis.primary import Primary
from server.store.redis.renewal import Made, Renewal
from server.store.redis.url import RedisAddress


def soon(seconds: float = 5.0) -> float:
    return time.monotonic() + seconds


@pytest.fixture
def primary(redis_address: RedisAddress) -> Primary:
    return Primary(redis_address)


@pytest.fixture
def connector(primary: Primary) -> Iterator[Connector]:
    with closing(Connector(primary.open, primary.renewal)) as made:
        yield made


def test_an_unforeseen_exception_ends_the_attempt_and_the_next_call_tries_again(primary: Primary) -> None:
    problems: list[Exception] = [RuntimeError("a fault of ours"), MemoryError()]

    def open_or_fail() -> Connection:
        if problems:
            raise problems.pop()
        return primary.open()

    with closing(Connector(open_or_fail, Renewal())) as connector:
        for _ in range(2):
            with pytest.raises(StoreUnavailable, match="the connection failed"):
                connector.connect(soon())
        assert connector.connect(soon()).ask((b"PING",), soon()) == b"PONG"


def test_it_keeps_a_connection_as_long_as_that_is_usable(connector: Connector) -> None:
    first = connector.connect(soon())
    assert connector.connect(soon()) is first
    first.close()
    assert connector.connect(soon()) is not first


def test_a_renewal_makes_every_connection_again(primary: Primary, connector: Connector) -> None:
    with closing(Connector(primary.open, primary.renewal)) as other:
        before = [connector.connect(soon()), other.connect(soon())]
        primary.renewal.renew()
        assert [connector.connect(soon()), other.connect(soon())] != before
        assert not any(connection.usable() for connection in before)


def test_a_connection_that_a_renewal_overtook_is_not_used(primary: Primary) -> None:
    made: list[Connection] = []

    def open_during_a_renewal() -> Connection:
        made.append(primary.open())
        if len(made) == 1:
            primary.renewal.renew()
        return made[-1]

    with closing(Connector(open_during_a_renewal, primary.renewal)) as connector:
        assert connector.connect(soon()) is made[1]
        assert not made[0].usable()


def test_a_connection_to_another_server_makes_all_again(redis_address: RedisAddress, own_redis: EmbeddedRedis) -> None:
    """Else one thread writes to the new primary while another reads the former one."""
    address = Moving([redis_address, redis_address, own_redis.address, own_redis.address])
    primary = Primary(address)
    with closing(Connector(primary.open, primary.renewal)) as reader:
        before = reader.connect(soon())
        primary.open().close()
        assert reader.connect(soon()) is before
        primary.open().close()
        assert reader.connect(soon()) is not before


class Moving:
    """An address that leads elsewhere in time."""

    def __init__(self, servers: list[RedisAddress]) -> None:
        self._servers = servers

    def resolve(self) -> RedisAddress:
        return self._servers.pop(0)


def test_a_connection_is_current_until_its_age_or_a_renewal() -> None:
    renewal = Renewal()
    assert Made(renewal, max_age_s=60).is_current()
    assert not Made(renewal, max_age_s=0).is_current()
    made = Made(renewal, max_age_s=60)
    renewal.renew()
    assert not made.is_current()


def test_a_server_that_is_not_there_leaves_no_thread(tmp_path: Path) -> None:
    absent = Connector(Primary(RedisAddress(path=str(tmp_path / "absent.sock"))).open, Renewal())
    with pytest.raises(StoreUnavailable, match="does not exist"):
        absent.connect(soon())
    assert "store-connect" not in {thread.name for thread in threading.enumerate()}
