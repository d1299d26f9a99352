"""The primary: how to reach it, and what all connections of a process to it share.

Invariant: once any of them is made to another server than the last, all are made again, so that no thread reads the
former primary after another thread has written to the new one.
"""

import threading

from server.store.redis.batch_read import CheckIdentity
from server.store.redis.connection import Connection
from server.store.redis.handshake import open_primary
from server.store.redis.renewal import Renewal
from server.store.redis.topology import Address
from server.store.redis.url import RedisAddress

CONNECT_TIMEOUT_S = 1.0


def accept_any(_: bytes | None) -> None:
    """Accept any store: for tools and tests that bring their own records."""


class Primary:
    """One server that its address names. ``check_identity`` is asked about the store's record in every batch."""

    def __init__(
        self,
        address: Address,
        check_identity: CheckIdentity = accept_any,
        connect_timeout_s: float = CONNECT_TIMEOUT_S,
    ) -> None:
        self.renewal = Renewal()
        self.check_identity = check_identity
        self.promotable = 0
        """How many replicas a failover could promote, where the address asks sentinels."""
        self._address = address
        self._connect_timeout_s = connect_timeout_s
        self._server = ""
        self._lock = threading.Lock()

    def open(self) -> Connection:
        """Open a connection. Raises ``NotPrimary``, ``StoreError``."""
        server = self._address.resolve()
        self._moved_to(server)
        return open_primary(server, self._connect_timeout_s)

    def _moved_to(self, server: RedisAddress) -> None:
        with self._lock:
            self.promotable = server.promotable
            if self._server not in ("", str(server)):
                self.renewal.renew()
            self._server = str(server)

    def __str__(self) -> str:
        """Return the address without user and password."""
        return str(self._address)
