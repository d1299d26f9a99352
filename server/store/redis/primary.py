"""The primary: how to reach it, and what all connections of a process to it share."""

from server.store.redis.batch_read import CheckIdentity
from server.store.redis.connection import Connection
from server.store.redis.handshake import open_primary
from server.store.redis.renewal import Renewal
from server.store.redis.topology import Address

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
        self._address = address
        self._connect_timeout_s = connect_timeout_s

    def open(self) -> Connection:
        """Open a connection. Raises ``NotPrimary``, ``StoreError``."""
        return open_primary(self._address, self._connect_timeout_s)

    def __str__(self) -> str:
        """Return the address without user and password."""
        return str(self._address)
