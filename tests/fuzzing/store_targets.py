"""Targets for what the store answers, and for the URL that names it: whatever it says is a ``StoreError``, or a value.

The first byte of a reply chooses the question that it answers; the rest is what the server sends before it closes.
"""

import re
import socket
import time
from collections.abc import Callable

from server.store.identity import IdentityUnreadable, StoreIdentity
from server.store.ports import StoreError
from server.store.redis.batch_read import BatchRead, Source
from server.store.redis.cluster.slots import Node, SlotTable
from server.store.redis.cluster.topology import read_slots
from server.store.redis.commit import apply
from server.store.redis.connection import Connection
from server.store.redis.durability import wait_until_safe
from server.store.redis.identity_record import IdentityRecord
from server.store.redis.inventory import take_inventory
from server.store.redis.primary import accept_any
from server.store.redis.probe import ServerCheck
from server.store.redis.renewal import Renewal
from server.store.redis.store_url import parse_store_url
from server.store.redis.url import RedisUrlError
from tests.fuzzing.attempt import attempt

_PATIENCE_S = 5.0
"""Never waited for: the server has sent all and closed."""
_KEYS = (b"adt:{a:x}:pref", b"adt:{a:x}:prof")
_HUGE = re.compile(rb"[*%~>|][0-9]{6,}")
"""hiredis allocates an array before its members come, without a limit: so far the server of the store is trusted."""
_CHANGE = (b"1", b"adt:{a:x}:pref", b"value")


def _read(connection: Connection, deadline_s: float) -> None:
    values = BatchRead(connection, _KEYS, Source(b"adt:{meta}:store", accept_any), deadline_s).collect(deadline_s)
    assert len(values) == len(_KEYS)
    assert all(value is None or value for value in values)


def _commit(connection: Connection, deadline_s: float) -> None:
    (committed,) = apply(connection, [_CHANGE], deadline_s)
    assert isinstance(committed.landed, bool)


def _identify(connection: Connection, _: float) -> None:
    record = IdentityRecord(connection, b"adt:{meta}:store", lambda: False)
    assert isinstance(record.now_ms(), int)
    assert isinstance(record.read(), bytes | None)


def _wait(connection: Connection, deadline_s: float) -> None:
    safety = wait_until_safe(connection, 0, deadline_s)
    assert isinstance(safety.replicas, int)
    assert isinstance(safety.on_disk, bool)


def _check(connection: Connection, deadline_s: float) -> None:
    check = ServerCheck(lambda: connection, Renewal(), b"adt:{meta}:probe", 0)
    try:
        check.check(deadline_s)
    finally:
        check.close()


def _count(connection: Connection, deadline_s: float) -> None:
    assert take_inventory(connection, b"adt", deadline_s).records >= 0


def _ask_slots(connection: Connection, deadline_s: float) -> None:
    table = read_slots(connection, Node("127.0.0.1", 7000), deadline_s)
    assert isinstance(table, SlotTable)


_QUESTIONS: dict[bytes, Callable[[Connection, float], None]] = {
    b"r": _read,
    b"c": _commit,
    b"i": _identify,
    b"w": _wait,
    b"p": _check,
    b"n": _count,
    b"s": _ask_slots,
}


def redis_reply(data: bytes) -> None:
    """A reply that is not what was asked for fails as a store that is out of reach does, and never looks like one."""
    if _HUGE.search(data):
        return
    ask = _QUESTIONS.get(data[:1], _read)
    ours, servers = socket.socketpair()
    with ours, servers:
        servers.sendall(data[1:])
        servers.shutdown(socket.SHUT_WR)
        connection = Connection(ours)
        attempt(lambda: ask(connection, time.monotonic() + _PATIENCE_S), StoreError)


def store_record(data: bytes) -> None:
    """The store's own record is unreadable, or says what it was made from."""
    identity = attempt(lambda: StoreIdentity.decode(data), IdentityUnreadable)
    if isinstance(identity, IdentityUnreadable):
        return
    assert StoreIdentity.decode(identity.encode()) == identity


def redis_url(data: bytes) -> None:
    """A URL names a store, or is refused by the setting and without a part of it."""
    text = data.decode("utf-8", "surrogateescape")
    address = attempt(lambda: parse_store_url(text), RedisUrlError)
    assert str(address).startswith(("redis", "unix", "ADTARGETING_REDIS_URL: "))
