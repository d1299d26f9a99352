"""One connection: whole exchanges, or none."""

import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from server.store.embedded.server import EmbeddedRedis
from server.store.ports import StoreError, StoreTimeout, StoreUnavailable
from server.store.redis.connection import _PATIENCE_S, Connection, pack
from server.store.redis.errors import ErrorReply
from server.store.redis.handshake import open_connection, ping
from server.store.redis.url import RedisAddress
from tests.server.store.conftest import stopped
from tests.server.store.redis.scripted_server import Script, saying, scripted_server
from tests.waiting import eventually

GET = pack((b"GET", b"key"))


def soon(seconds: float = 5.0) -> float:
    return time.monotonic() + seconds


Connect = Callable[[RedisAddress], Connection]


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Open connections that are closed at the end."""
    with ExitStack() as closing:

        def opened(address: RedisAddress) -> Connection:
            connection = open_connection(address, 5)
            closing.callback(connection.close)
            return connection

        yield opened


@pytest.fixture
def connection(connect: Connect, redis_address: RedisAddress) -> Connection:
    return connect(redis_address)


def test_replies_come_in_order_and_an_error_is_one_of_them(connection: Connection) -> None:
    packed = pack((b"SET", b"key", b"\0\r\n\xff")) + pack((b"INCR", b"key")) + GET + pack((b"GET", b"nothing"))
    first, error, value, nothing = connection.exchange(packed, 4, soon())
    assert (first, value, nothing) == (b"OK", b"\0\r\n\xff", None)
    assert isinstance(error, ErrorReply)
    assert connection.usable()


def test_a_refusal_closes_the_connection(connection: Connection) -> None:
    with pytest.raises(StoreUnavailable):
        connection.ask((b"NO", b"SUCH", b"COMMAND"), soon())
    assert not connection.usable()
    with pytest.raises(StoreUnavailable, match="closed"):
        connection.ask((b"PING",), soon())


def test_the_refusal_does_not_repeat_what_was_asked(connection: Connection) -> None:
    with pytest.raises(StoreUnavailable) as caught:
        connection.ask((b"NOSUCHCOMMAND", b"anne@example.org"), soon())
    assert "anne" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_with_unread_bytes_it_is_not_used_again(connect: Connect, redis_address: RedisAddress) -> None:
    connection = connect(redis_address)
    connection.exchange(pack((b"PING",)) + pack((b"PING",)), 1, soon())
    assert not connection.usable()


def test_when_the_other_end_has_gone_it_is_not_used_again(
    connect: Connect, connection: Connection, redis_address: RedisAddress
) -> None:
    other = connect(redis_address)
    other.ask((b"CLIENT", b"KILL", b"TYPE", b"normal", b"SKIPME", b"yes"), soon())
    other.close()
    assert not connection.usable()


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
def test_without_a_whole_answer_it_is_closed(
    connect: Connect, tmp_path: Path, script: Script, error: type[StoreError]
) -> None:
    with scripted_server(tmp_path, script) as address:
        connection = connect(address)
        with pytest.raises(error):
            connection.exchange(GET, 1, soon(0.11))
        assert not connection.usable()


class TestImpatience:
    """A call that gives up costs the next one nothing but the time until the server answers."""

    @staticmethod
    def give_up(connection: Connection, command: bytes = GET) -> None:
        with pytest.raises(StoreTimeout):
            connection.exchange(command, 1, soon(0.002))

    def test_a_late_reply_is_skipped(self, connect: Connect, tmp_path: Path) -> None:
        waits = threading.Event()

        def answer(connection: socket.socket, words: list[bytes]) -> None:
            waits.wait(5)
            connection.sendall(b"+%b\r\n" % words[1])

        with scripted_server(tmp_path, answer) as address:
            connection = connect(address)
            self.give_up(connection, pack((b"GET", b"first")))
            self.give_up(connection, pack((b"GET", b"second")))
            assert connection.usable()
            waits.set()
            assert connection.exchange(pack((b"GET", b"third")), 1, soon()) == [b"third"]
            assert connection.usable()

    def test_replies_that_came_between_two_calls_are_skipped(self, connect: Connect, own_redis: EmbeddedRedis) -> None:
        connection = connect(own_redis.address)
        with stopped(own_redis):
            self.give_up(connection, pack((b"ECHO", b"late")))
        eventually(lambda: connection.usable() and not connection._overdue)
        assert connection.ask((b"ECHO", b"mine"), soon()) == b"mine"

    def test_a_server_that_stays_silent_is_given_up(self, connect: Connect, tmp_path: Path) -> None:
        with scripted_server(tmp_path, lambda *_: None) as address:
            connection = connect(address)
            self.give_up(connection)
            assert connection.usable()
            eventually(lambda: not connection.usable())

    def test_a_server_that_answers_late_all_the_time_is_not_silent(self, connect: Connect, tmp_path: Path) -> None:
        """It always owes a reply, and never one for long."""

        def answer(connection: socket.socket, words: list[bytes]) -> None:
            time.sleep(0.01)
            connection.sendall(b"+%b\r\n" % words[1])

        with scripted_server(tmp_path, answer) as address:
            connection = connect(address)
            until_s = time.monotonic() + 2 * _PATIENCE_S
            while time.monotonic() < until_s:
                self.give_up(connection)
                assert connection.usable()

    def test_a_server_that_goes_while_it_owes_a_reply_is_noticed(self, connect: Connect, tmp_path: Path) -> None:
        goes = threading.Event()

        def answer(connection: socket.socket, _: list[bytes]) -> None:
            goes.wait(5)
            connection.shutdown(socket.SHUT_RDWR)

        with scripted_server(tmp_path, answer) as address:
            connection = connect(address)
            self.give_up(connection)
            goes.set()
            with pytest.raises(StoreUnavailable, match="closed"):
                connection.exchange(GET, 1, soon())


def test_a_command_that_the_server_does_not_read_ends_in_time_too(connect: Connect, own_redis: EmbeddedRedis) -> None:
    connection = connect(own_redis.address)
    with stopped(own_redis), pytest.raises(StoreTimeout):
        connection.exchange(pack((b"SET", b"key", b"x" * 10_000_000)), 1, soon(0.1))
    assert not connection.usable()


class Interrupted(BaseException):
    pass


def test_an_interrupt_closes_it(connect: Connect, tmp_path: Path) -> None:
    def interrupt(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGUSR1)

    def raise_it(*_: object) -> None:
        raise Interrupted

    before = signal.signal(signal.SIGUSR1, raise_it)
    try:
        with scripted_server(tmp_path, interrupt) as address:
            connection = connect(address)
            with pytest.raises(Interrupted):
                connection.exchange(GET, 1, soon())
            assert not connection.usable()
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
