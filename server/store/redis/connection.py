"""One connection to Redis: commands out, replies in, within one deadline.

Invariant: after anything but a complete exchange the connection is closed, so that a late answer can never be
read as the answer of a later call. Knows nothing of subjects and records.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol, cast

import hiredis
from redis._parsers.hiredis import _HiredisParser
from redis.backoff import NoBackoff
from redis.connection import Connection as TCPConnection
from redis.connection import SSLConnection, UnixDomainSocketConnection
from redis.exceptions import ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry

from server.store.ports import StoreTimeout, StoreUnavailable
from server.store.redis.errors import store_error
from server.store.redis.url import RedisAddress

Reply = Any
"""Bytes, an int, None, a list of these; or a ``ResponseError``, which is a value here."""

pack = cast("Callable[[tuple[bytes, ...]], bytes]", hiredis.pack_command)
"""One command in the form that goes over the wire."""

_READ_SIZE = 1 << 16


class _Deadline(_HiredisParser):
    """The parser of replies, held to one deadline however many reads a reply takes.

    redis-py's own timeout starts anew with every read, so that a dripping answer would outlast any budget.
    """

    at_s = 0.0

    def __init__(self, socket_read_size: int) -> None:
        super().__init__(socket_read_size)  # type: ignore[no-untyped-call]  # untyped there
        # A bound method of its own, for messages that nobody subscribes to here: such a cycle keeps the buffer of every
        # closed connection until the garbage collector comes by, and the store's health is asked for twice a second.
        self.pubsub_push_handler_func = None  # type: ignore[assignment]  # redis-py never takes it away

    def read_from_socket(self, timeout: object = None, raise_on_timeout: bool = True) -> bool:  # noqa: ARG002, FBT001, FBT002  # redis-py's signature
        left_s = self.at_s - time.monotonic()
        if left_s <= 0:
            raise RedisTimeoutError
        return bool(super().read_from_socket(timeout=left_s))  # type: ignore[no-untyped-call]  # untyped there


class _RedisConnection(Protocol):
    """What is used of redis-py's connections, typed."""

    def connect(self) -> None: ...
    def disconnect(self) -> None: ...
    def can_read(self, timeout: float) -> bool: ...
    def update_current_socket_timeout(self, relaxed_timeout: float) -> None: ...
    def send_packed_command(self, command: Sequence[bytes], check_health: bool) -> None: ...  # noqa: FBT001
    def read_response(self, disable_decoding: bool) -> Reply: ...  # noqa: FBT001


class Connection:
    """An open connection, for one thread at a time. Open one with ``open_connection``."""

    def __init__(self, connection: _RedisConnection, deadline: _Deadline) -> None:
        self._connection = connection
        self._deadline = deadline
        self._open = True

    def usable(self) -> bool:
        """Tell whether the next exchange may use it: still open at both ends, and nothing unread on it."""
        try:
            quiet = self._open and not self._connection.can_read(0)
        except Exception:  # noqa: BLE001  # whatever it is, the connection is of no more use
            quiet = False
        if not quiet:
            self.close()
        return quiet

    def exchange(self, packed: bytes, replies: int, deadline_s: float) -> list[Reply]:
        """Send packed commands and read so many replies until the deadline (``time.monotonic``).

        An error reply is a ``ResponseError`` in its place. Raises ``StoreError``.
        """
        left_s = deadline_s - time.monotonic()
        if left_s <= 0:
            raise StoreTimeout("no time was left to ask the store")
        if not self._open:
            raise StoreUnavailable("the connection to the store is closed")
        self._deadline.at_s = deadline_s
        try:
            self._connection.update_current_socket_timeout(left_s)
            self._connection.send_packed_command((packed,), check_health=False)
            return [self._read() for _ in range(replies)]
        except Exception as problem:  # noqa: BLE001  # one table says what each means
            self.close()
            raise store_error(problem) from None
        except BaseException:
            self.close()
            raise

    def ask(self, command: Sequence[bytes], deadline_s: float) -> Reply:
        """Send one command and give its reply; an error reply is raised. Raises ``StoreError``."""
        return self.accept(self.exchange(pack(tuple(command)), 1, deadline_s)[0])

    def accept(self, reply: Reply) -> Reply:
        """Give the reply back unless it is an error; then close the connection. Raises ``StoreError``.

        A server that refuses may no longer be what was dialled: a primary, with its data loaded.
        """
        if isinstance(reply, ResponseError):
            self.close()
            raise store_error(reply) from None
        return reply

    def close(self) -> None:
        """Close the connection; harmless when it is closed."""
        self._open = False
        self._connection.disconnect()

    def _read(self) -> Reply:
        try:
            return self._connection.read_response(disable_decoding=True)
        except ResponseError as refusal:
            return refusal


def open_connection(address: RedisAddress, timeout_s: float) -> Connection:
    """Connect, authenticate and select the database. Raises ``StoreError``.

    Looking up a host name is not bounded by the timeout: the operating system has its own.
    """
    deadline = _Deadline(_READ_SIZE)
    deadline.at_s = time.monotonic() + timeout_s
    connection = _connection(address, deadline, timeout_s)
    try:
        connection.connect()
    except Exception as problem:  # noqa: BLE001  # one table says what each means
        connection.disconnect()
        raise store_error(problem) from None
    return Connection(connection, deadline)


def ping(address: RedisAddress, timeout_s: float) -> None:
    """Ask a Redis for a sign of life, on a connection of its own. Raises ``StoreError``."""
    link = open_connection(address, timeout_s)
    try:
        link.ask((b"PING",), time.monotonic() + timeout_s)
    finally:
        link.close()


def _connection(address: RedisAddress, deadline: _Deadline, timeout_s: float) -> _RedisConnection:
    options: dict[str, Any] = {
        "db": address.database,
        "username": address.username or None,
        "password": address.password or None,
        "socket_timeout": timeout_s,
        "socket_connect_timeout": timeout_s,
        "retry": Retry(NoBackoff(), 0),
        "protocol": 2,
        "driver_info": None,
        "parser_class": lambda socket_read_size: deadline,  # noqa: ARG005  # redis-py's way to hand in a parser
    }
    kind: Callable[..., Any] = TCPConnection
    if address.path:
        kind = UnixDomainSocketConnection
        options["path"] = address.path
    else:
        options |= {"host": address.host, "port": address.port}
    if address.tls is not None:
        kind = SSLConnection
        options |= address.tls
    return cast("_RedisConnection", kind(**options))
