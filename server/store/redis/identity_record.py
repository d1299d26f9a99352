"""The store's own record on a Redis server; see ``server.store.trust``."""

import time
from collections.abc import Callable

from server.store.redis.commit import UNREADABLE
from server.store.redis.connection import Connection, pack
from server.store.redis.errors import is_refusal, no_redis

_TIMEOUT_S = 1.0


class IdentityRecord:
    """The record, asked for on one connection. ``has_records`` tells whether the store holds anything of ours."""

    def __init__(self, connection: Connection, key: bytes, has_records: Callable[[], bool]) -> None:
        self._connection = connection
        self._key = key
        self.has_records = has_records

    def read(self) -> bytes | None:
        """Return the record; None where there is none. Raises ``StoreError``."""
        reply = self._connection.exchange(pack((b"GET", self._key)), 1, _soon())[0]
        record = UNREADABLE if is_refusal(reply, "WRONGTYPE") else self._connection.accept(reply)
        if not isinstance(record, bytes | None):
            raise self._connection.refused(no_redis())
        return record

    def add(self, record: bytes) -> bytes:
        """Write the record unless there is one, and return the one that is there. Raises ``StoreError``."""
        self._connection.ask((b"SET", self._key, record, b"NX"), _soon())
        return self.read() or record

    def replace(self, record: bytes) -> None:
        """Write the record over the one that is there. Raises ``StoreError``."""
        self._connection.ask((b"SET", self._key, record), _soon())

    def now_ms(self) -> int:
        """Return the server's time, milliseconds since 1970. Raises ``StoreError``."""
        reply = self._connection.ask((b"TIME",), _soon())
        with self._connection.decoding():
            seconds, microseconds = reply
            return int(seconds) * 1000 + int(microseconds) // 1000


def _soon() -> float:
    return time.monotonic() + _TIMEOUT_S
