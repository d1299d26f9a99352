"""A store of an operator's own, on which the rows run that need nothing but a store.

It must be empty at the start, is emptied by every test, and is empty at the end.
"""

import re
import time
from contextlib import closing

import pytest

from server.store.redis.handshake import open_connection
from server.store.redis.url import RedisAddress
from tests.faults.matrix.marks import claims_of

OPTION = "--redis-url"
_FIXTURES = frozenset({"redis_address", "store_url"})
"""What tests ask for that run on any store."""

_TIMEOUT_S = 5.0
_KEYS = re.compile(rb"^db(\d+):keys=(\d+)", re.MULTILINE)


class HasData(Exception):
    """The store is in use. The message is one line."""


def runs_on_any_store(item: pytest.Item) -> bool:
    """Return whether a test shows a row and needs nothing but a store."""
    return isinstance(item, pytest.Function) and bool(claims_of(item)) and not _FIXTURES.isdisjoint(item.fixturenames)


def require_empty(address: RedisAddress) -> None:
    """Raise ``HasData`` when any database of the server has a key, and ``StoreError`` when it does not answer."""
    with closing(open_connection(address, _TIMEOUT_S)) as connection:
        keyspace = connection.ask((b"INFO", b"keyspace"), time.monotonic() + _TIMEOUT_S)
    if found := _KEYS.search(keyspace):
        database, keys = (int(number) for number in found.groups())
        raise HasData(f"{OPTION}: database {database} has {keys} keys; name a server without data, it will be emptied")


def empty(address: RedisAddress) -> None:
    """Remove everything from the database of the address."""
    with closing(open_connection(address, _TIMEOUT_S)) as connection:
        connection.ask((b"FLUSHDB",), time.monotonic() + _TIMEOUT_S)
