"""Opening a connection: reach the server, secure the line, log in, select the database.

Knows nothing of subjects and records. TLS files are read for every connection, so renewed ones count from the next on.
"""

import socket
import ssl
import time
from collections.abc import Sequence
from contextlib import closing, suppress

from server.store.redis.connection import Connection, Reply
from server.store.redis.errors import NotPrimary, store_error
from server.store.redis.name_lookup import look_up
from server.store.redis.topology import Address
from server.store.redis.url import RedisAddress, TlsOptions


def open_connection(address: Address, timeout_s: float) -> Connection:
    """Connect, log in and select the database. Raises ``StoreError``. Asking sentinels has a time of its own."""
    server = address.resolve()
    deadline_s = time.monotonic() + timeout_s
    connection = Connection(_opened(server, timeout_s))
    try:
        for command in _introduction(server):
            if connection.ask(command, deadline_s) != b"OK":
                raise ValueError  # noqa: TRY301  # an answer like any other that is not in the protocol
    except Exception as problem:  # noqa: BLE001  # one table says what each means
        connection.close()
        raise store_error(problem) from None
    return connection


def open_primary(address: Address, timeout_s: float) -> Connection:
    """Open a connection to a primary. Raises ``NotPrimary`` when the server is none, ``StoreError``."""
    connection = open_connection(address, timeout_s)
    try:
        check_role(connection.ask((b"ROLE",), time.monotonic() + timeout_s))
    except BaseException:
        connection.close()
        raise
    return connection


def check_role(reply: Reply) -> None:
    """Raise ``NotPrimary`` unless a reply to ROLE is a primary's."""
    role = reply[0] if isinstance(reply, list) and reply else b""
    if role == b"sentinel":
        raise NotPrimary("the store refuses: it is a Sentinel; use redis+sentinel://")
    if role != b"master":
        raise NotPrimary("the store refuses: it is a read-only replica")


def ping(address: Address, timeout_s: float) -> None:
    """Ask a Redis for a sign of life, on a connection of its own. Raises ``StoreError``."""
    with closing(open_connection(address, timeout_s)) as connection:
        connection.ask((b"PING",), time.monotonic() + timeout_s)


def _introduction(address: RedisAddress) -> list[tuple[bytes, ...]]:
    commands: list[tuple[bytes, ...]] = []
    if address.password:
        user = (address.username.encode(),) if address.username else ()
        commands.append((b"AUTH", *user, address.password.encode()))
    if address.database:
        commands.append((b"SELECT", b"%d" % address.database))
    return commands


def _opened(address: RedisAddress, timeout_s: float) -> socket.socket:
    try:
        if address.path:
            return _opened_locally(address.path, timeout_s)
        opened = _opened_at_first(look_up(address.host, timeout_s), address.port, timeout_s)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return opened if address.tls is None else _secured(opened, address.host, address.tls)
    except Exception as problem:  # noqa: BLE001  # one table says what each means
        raise store_error(problem) from None


def _opened_at_first(hosts: Sequence[str], port: int, timeout_s: float) -> socket.socket:
    """Connect to the first address that answers. Raises the ``OSError`` of the last."""
    for host in hosts[:-1]:
        with suppress(OSError):
            return socket.create_connection((host, port), timeout_s)
    return socket.create_connection((hosts[-1], port), timeout_s)


def _opened_locally(path: str, timeout_s: float) -> socket.socket:
    opened = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        opened.settimeout(timeout_s)
        opened.connect(path)
    except BaseException:
        opened.close()
        raise
    return opened


def _secured(opened: socket.socket, host: str, options: TlsOptions) -> ssl.SSLSocket:
    try:
        return tls_context(options).wrap_socket(opened, server_hostname=host)
    except BaseException:
        opened.close()
        raise


def tls_context(options: TlsOptions) -> ssl.SSLContext:
    """Read the files of TLS as they are now. Raises ``OSError``, ``ssl.SSLError``."""
    context = ssl.create_default_context(cafile=options.ca_certs or None)
    context.check_hostname = options.check_hostname
    if options.certfile:
        context.load_cert_chain(options.certfile, options.keyfile or None)
    return context
