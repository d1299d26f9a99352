"""Emptying a store that goes on being trusted: all its records go in one step, but for its own."""

import time

from server.store.keys import DEFAULT_PREFIX, identity_key
from server.store.redis.connection import Connection

_SCRIPT = b"""
local own = redis.call('GET', KEYS[1])
redis.call('FLUSHALL')
if own then redis.call('SET', KEYS[1], own) end
return 1
"""


def empty(connection: Connection) -> None:
    connection.ask((b"EVAL", _SCRIPT, b"1", identity_key(DEFAULT_PREFIX.encode())), time.monotonic() + 5)
