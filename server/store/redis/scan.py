"""SCAN, portion after portion, for those who look at the keys of a store. No decision waits for it."""

from collections.abc import Iterator

from server.store.redis.connection import Connection
from server.store.redis.errors import no_redis


def scan_keys(connection: Connection, pattern: bytes, keys_per_step: int, deadline_s: float) -> Iterator[list[bytes]]:
    """Yield the keys that match, in portions; SCAN may return a key twice. Raises ``StoreError``."""
    cursor = b"0"
    while True:
        step = (b"SCAN", cursor, b"MATCH", pattern, b"COUNT", b"%d" % keys_per_step)
        reply = connection.ask(step, deadline_s)
        with connection.decoding():
            cursor, keys = reply
            if not all(isinstance(each, bytes) for each in (cursor, *keys)):
                raise no_redis()
        yield keys
        if cursor == b"0":
            return
