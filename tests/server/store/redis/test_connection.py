"""One connection: whole exchanges, or none."""

import gc
import os
import signal
import socket
import time
from pathlib import Path
from weakref import ref

import pytest
from redis.exceptions import ResponseError

from server.store.embedded.server import EmbeddedRedis
from server.store.ports import StoreError, StoreTimeout, StoreUnavailable
from server.store.redis.connection import Connection, open_connection, pack, ping
from server.store.redis.url import RedisAddress
from tests.server.store.conftest import stopped
from tests.server.store.redis.scripted_server import Script, saying, scripted_server

GET = pack((b"GET", b"key"))


def soon(seconds: float = 5.0) -> float:
    return time.monotonic() + seconds


@pytest.fixture
def link(redis_address: RedisAddress) -> Connection:
    return open_connection(redis_address, 5)


def test_replies_come_in_order_and_an_error_is_one_of_them(link: Connection) -> None:
    packed = pack((b"SET", b"key", b"\0\r\n\xff")) + pack((b"INCR", b"key")) + GET + pack((b"GET", b"nothing"))
    first, error, value, nothing = link.exchange(packed, 4, soon())
    assert (first, value, nothing) == (b"OK", b"\0\r\n\xff", None)
    assert isinstance(error, ResponseError)
    assert link.usable()


def test_a_refusal_closes_the_connection(link: Connection) -> None:
    with pytest.raises(StoreUnavailable):
        link.ask((b"NO", b"SUCH", b"COMMAND"), soon())
    assert not link.usable()
    with pytest.raises(StoreUnavailable, match="closed"):
        link.ask((b"PING",), soon())


def test_the_refusal_does_not_repeat_what_was_asked(link: Connection) -> None:
    with pytest.raises(StoreUnavailable) as caught:
        link.ask((b"NOSUCHCOMMAND", b"anne@example.org"), soon())
    assert "anne" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_with_unread_bytes_it_is_not_used_again(redis_address: RedisAddress) -> None:
    link = open_connection(redis_address, 5)
    link.exchange(pack((b"PING",)) + pack((b"PING",)), 1, soon())
    assert not link.usable()


def test_when_the_other_end_has_gone_it_is_not_used_again(link: Connection, redis_address: RedisAddress) -> None:
    other = open_connection(redis_address, 5)
    other.ask((b"CLIENT", b"KILL", b"TYPE", b"normal", b"SKIPME", b"yes"), soon())
    other.close()
    assert not link.usable()


def drip(connection: socket.socket, _: list[bytes]) -> None:
    for byte in b"$5\r\nvalue\r\n":
        time.sleep(0.03)
        connection.sendall(bytes((byte,)))


@pytest.mark.parametrize(
    ("script", "error"),
    [
        pytest.param(drip, StoreTimeout, id="an answer that drips"),
        pytest.param(lambda *_: None, StoreTimeout, id="no answer"),
        pytest.param(saying(b"$5\r\nval"), StoreTimeout, id="half an answer"),
        pytest.param(saying(b"HTTP/1.1 200 OK\r\n"), StoreUnavailable, id="another protocol"),
        pytest.param(lambda connection, _: connection.shutdown(socket.SHUT_RDWR), StoreUnavailable, id="a hang-up"),
    ],
)
def test_anything_but_a_whole_answer_in_time_closes_it(tmp_path: Path, script: Script, error: type[StoreError]) -> None:
    with scripted_server(tmp_path, script) as address:
        link = open_connection(address, 5)
        with pytest.raises(error):
            link.exchange(GET, 1, soon(0.1))
        assert not link.usable()


def test_a_command_that_the_server_does_not_read_ends_in_time_too(own_redis: EmbeddedRedis) -> None:
    link = open_connection(own_redis.address, 5)
    with stopped(own_redis), pytest.raises(StoreTimeout):
        link.exchange(pack((b"SET", b"key", b"x" * 10_000_000)), 1, soon(0.1))
    assert not link.usable()


class Interrupted(BaseException):
    pass


def test_an_interrupt_closes_it(tmp_path: Path) -> None:
    def interrupt(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGUSR1)

    def raise_it(*_: object) -> None:
        raise Interrupted

    before = signal.signal(signal.SIGUSR1, raise_it)
    try:
        with scripted_server(tmp_path, interrupt) as address:
            link = open_connection(address, 5)
            with pytest.raises(Interrupted):
                link.exchange(GET, 1, soon())
            assert not link.usable()
    finally:
        signal.signal(signal.SIGUSR1, before)


@pytest.mark.parametrize(
    "answer",
    [b"-WRONGPASS invalid\r\n", b"-ERR no such database\r\n", b"+NO\r\n", b"rubbish\r\n"],
    ids=["password", "error", "refusal", "rubbish"],
)
def test_who_is_not_let_in_learns_nothing_but_that(tmp_path: Path, answer: bytes) -> None:
    with scripted_server(tmp_path, saying(answer)) as address:
        inside = RedisAddress(path=address.path, password="hush", database=3)
        with pytest.raises(StoreUnavailable) as caught:
            open_connection(inside, 1)
    assert "hush" not in str(caught.value)


def test_ping(redis_address: RedisAddress, tmp_path: Path) -> None:
    ping(redis_address, 5)
    with pytest.raises(StoreUnavailable):
        ping(RedisAddress(path=str(tmp_path / "nobody")), 1)
    loading = scripted_server(tmp_path, saying(b"-LOADING Redis is loading\r\n"))
    with loading as address, pytest.raises(StoreUnavailable, match="loading"):
        ping(address, 1)


def test_nothing_stays_of_a_connection_that_is_closed(redis_address: RedisAddress) -> None:
    link = open_connection(redis_address, 5)
    parser = ref(link._deadline)
    gc.disable()
    try:
        link.close()
        del link
        # It would hold a buffer of 64 KiB until the garbage collector comes by.
        assert parser() is None
    finally:
        gc.enable()
