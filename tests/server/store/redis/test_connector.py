"""Connecting: an attempt ends, however it ends, and no connection outlives what it was made to."""

import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

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
