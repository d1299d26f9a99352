"""Reading values in one round trip, each within bounds, from a server that says what it is.

Invariants: a value of a wrong type, or over ``MAX_VALUE_BYTES``, costs its owner alone and never looks like absence;
a batch counts only when the server that answered it was a primary, and the store the one that we trust.
"""

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from server.store.ports import StoreTimeout, StoreUnavailable
from server.store.redis.commit import MAX_VALUE_BYTES, UNREADABLE
from server.store.redis.connection import Connection, Reply, pack
from server.store.redis.errors import ErrorReply, NotPrimary, is_refusal, no_redis
from server.store.redis.handshake import check_role

CheckIdentity = Callable[[bytes | None], None]
"""Raises ``StoreError`` unless the store's own record is the expected one."""

_SECOND_LOOK_S = 0.002
"""How long a caller that does not wait lets keys be asked for one by one: only values of others make that needed."""
_ROLE = pack((b"ROLE",))
# A command of a fixed form is formatted several times faster than packed (RESP: a count, then the parts).
_LAST = b"%d" % MAX_VALUE_BYTES
"""GETRANGE includes both ends, so this reads one byte more than is allowed, and no more."""
_GET_BOUNDED = b"*4\r\n$8\r\nGETRANGE\r\n$%%d\r\n%%b\r\n$1\r\n0\r\n$%d\r\n%b\r\n" % (len(_LAST), _LAST)


class Source(NamedTuple):
    """How to tell that it is the right store that answers: the key of its own record, and what checks that record."""

    identity_key: bytes
    check_identity: CheckIdentity


class BatchRead:
    """One reading of keys, sent when it is made. Raises ``StoreError``.

    GETRANGE answers an empty string for a key that does not exist. EXISTS counts the keys that do, in the same round
    trip; only where the counts differ are the keys asked for one by one.
    """

    def __init__(self, connection: Connection, keys: Sequence[bytes], source: Source, deadline_s: float) -> None:
        self.connection = connection
        self._keys = keys
        self._source = source
        self._replies = len(keys) + 3
        reading = b"".join([_GET_BOUNDED % (len(key), key) for key in keys])
        packed = b"".join((_ROLE, pack((b"GET", source.identity_key)), pack((b"EXISTS", *keys)), reading))
        connection.post(packed, self._replies, deadline_s)

    def collect(self, deadline_s: float) -> list[bytes | None]:
        """Return the values in order; ``UNREADABLE`` for what is no value of ours. Raises ``StoreError``."""
        return self._values(self.connection.collect(self._replies, deadline_s), deadline_s)

    def collect_so_far(self, deadline_s: float) -> list[bytes | None]:
        """Do as ``collect``, which may be called again after ``StoreTimeout``. Raises ``StoreError``."""
        replies = self.connection.collect_so_far(self._replies, deadline_s)
        try:
            return self._values(replies, time.monotonic() + _SECOND_LOOK_S)
        except StoreTimeout:
            raise StoreUnavailable("the store did not tell in time whether keys exist") from None

    def _values(self, replies: Sequence[Reply], deadline_s: float) -> list[bytes | None]:
        connection = self.connection
        role, identity, existing, *found = replies
        check_source(connection, role, identity, self._source.check_identity)
        with connection.decoding():
            values = [
                reply or None if type(reply) is bytes and len(reply) <= MAX_VALUE_BYTES else _value(connection, reply)
                for reply in found
            ]
        if connection.accept(existing) != len(values) - values.count(None):
            _mark_empty(connection, self._keys, values, deadline_s)
        return values


def check_source(connection: Connection, role: Reply, identity: Reply, check_identity: CheckIdentity) -> None:
    """Raise ``StoreError`` unless a primary has answered, of the store that is expected."""
    try:
        check_role(connection.accept(role))
    except NotPrimary as problem:
        raise connection.refused(problem) from None
    check_identity(UNREADABLE if is_refusal(identity, "WRONGTYPE") else connection.accept(identity))


def pack_bounded_read(key: bytes) -> bytes:
    """Return the command that reads a value as far as ``read_bounded_value`` needs."""
    return _GET_BOUNDED % (len(key), key)


def read_bounded_value(reply: Reply) -> bytes | None:
    """Return a value; None where there is none or an empty one, ``UNREADABLE`` for what is no value of ours.

    Raises ``StoreError`` for what is no reply to ``pack_bounded_read``.
    """
    if isinstance(reply, ErrorReply):
        return UNREADABLE
    if not isinstance(reply, bytes):
        raise no_redis()
    return UNREADABLE if len(reply) > MAX_VALUE_BYTES else reply or None


def _value(connection: Connection, reply: Reply) -> bytes | None:
    return UNREADABLE if is_refusal(reply, "WRONGTYPE") else read_bounded_value(connection.accept(reply))


def _mark_empty(connection: Connection, keys: Sequence[bytes], values: list[bytes | None], deadline_s: float) -> None:
    """Tell keys that hold an empty string apart from keys that do not exist."""
    absent = [index for index, value in enumerate(values) if value is None]
    if not absent:
        return
    counts = connection.exchange(b"".join(pack((b"EXISTS", keys[index])) for index in absent), len(absent), deadline_s)
    for index, count in zip(absent, counts, strict=True):
        # A value that was written after the reading counts as well: its owner is limited this once.
        if connection.accept(count):
            values[index] = UNREADABLE
