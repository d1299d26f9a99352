"""What a Redis server reports about itself, gathered for preflight. Judges nothing."""

import time
from collections.abc import Mapping
from contextlib import closing
from statistics import median
from typing import NamedTuple

from server.store.keys import identity_key
from server.store.ports import StoreError
from server.store.redis.connection import Connection, pack
from server.store.redis.contents import has_records
from server.store.redis.errors import ErrorReply, store_error
from server.store.redis.handshake import open_connection
from server.store.redis.probe import parse_info
from server.store.redis.script import Script
from server.store.redis.topology import Address

PINGS = 20
_SCAN_TIMEOUT_S = 60.0
_ASKED = (b"maxmemory-policy", b"appendonly", b"appendfsync", b"no-appendfsync-on-rewrite")
_PROBE = Script("probe.lua")
_PROBE_EXPIRY_S = b"60"


class Facts(NamedTuple):
    """The server's answers. None, or a missing name, is what it does not report."""

    info: Mapping[str, str] | None = None
    configuration: Mapping[str, str] | None = None
    keys: int | None = None
    ping_ms: float | None = None
    identity: bytes | None = None
    """The store's own record."""
    has_records: bool = False
    """Whether there is any key under our prefix."""
    promotable: int = 0
    """How many replicas a failover could promote, as sentinels or the cluster say."""
    refusal: str = ""
    """Why it refuses a write as a choice makes it; empty when it does not."""
    problem: str = ""
    """Why the server could not be asked at all."""


def gather(address: Address, prefix: bytes, timeout_s: float = 1.0, own_key: bytes | None = None) -> Facts:
    """Ask a server about itself. A ``StoreError`` is one of the facts, and not raised.

    ``own_key`` is the key of the store's own record, where it is not that of a single server.
    """
    own_key = own_key or identity_key(prefix)
    try:
        server = address.resolve()
        with closing(open_connection(server, timeout_s)) as connection:
            facts = _Question(connection, timeout_s).facts(own_key)
        unknown = facts.identity is None and bool(facts.keys)
        found = unknown and has_records(server, _SCAN_TIMEOUT_S, prefix)
        return facts._replace(promotable=server.promotable, has_records=found)
    except StoreError as problem:
        return Facts(problem=str(problem))


class _Question:
    """Asks on one connection; each answer may take ``timeout_s``."""

    def __init__(self, connection: Connection, timeout_s: float) -> None:
        self._connection = connection
        self._timeout_s = timeout_s

    def facts(self, own_key: bytes) -> Facts:
        info = self._ask(b"INFO")
        identity = self._ask(b"GET", own_key)
        return Facts(
            info=parse_info(info) if isinstance(info, bytes) else None,
            configuration=self._configuration(),
            keys=keys if isinstance(keys := self._ask(b"DBSIZE"), int) else None,
            ping_ms=median(self._ping_ms() for _ in range(PINGS)),
            identity=identity if isinstance(identity, bytes) else None,
            refusal=self._refusal(own_key.removesuffix(b"store") + b"probe"),
        )

    def _ask(self, *command: bytes) -> object:
        return self._connection.exchange(pack(command), 1, time.monotonic() + self._timeout_s)[0]

    def _ping_ms(self) -> float:
        started_s = time.perf_counter()
        if isinstance(reply := self._ask(b"PING"), ErrorReply):
            raise store_error(reply)
        return (time.perf_counter() - started_s) * 1000

    def _configuration(self) -> Mapping[str, str] | None:
        replies = [self._ask(b"CONFIG", b"GET", name) for name in _ASKED]
        words = [word.decode("utf-8", "replace") for reply in replies if isinstance(reply, list) for word in reply]
        return dict(zip(words[::2], words[1::2], strict=True)) or None

    def _refusal(self, probe_key: bytes) -> str:
        call = (b"1", probe_key, b"preflight", _PROBE_EXPIRY_S)
        reply = _PROBE.run(self._connection, [call], time.monotonic() + self._timeout_s)[0]
        return str(store_error(reply)) if isinstance(reply, ErrorReply) else ""
