"""Connecting off the path of a call: nobody outwaits a name server, a handshake or a black hole.

A call waits for the connection as long as its budget allows; the attempt goes on without it, and a later call
finds the connection ready. So a budget shorter than a TLS handshake keeps no store unreachable for ever.
"""

import threading
import time

from server.store.ports import StoreError, StoreTimeout
from server.store.redis.connection import Connection, open_connection
from server.store.redis.errors import store_error
from server.store.redis.url import RedisAddress


class Connector:
    """Keeps one connection open for the one thread that uses it."""

    def __init__(self, address: RedisAddress, connect_timeout_s: float) -> None:
        self._address = address
        self._connect_timeout_s = connect_timeout_s
        self._link: Connection | None = None
        self._attempt: _Attempt | None = None

    def link(self, deadline_s: float) -> Connection:
        """Give an open connection by the deadline (``time.monotonic``). Raises ``StoreError``."""
        if self._link is not None and self._link.usable():
            return self._link
        if self._attempt is None:
            self._attempt = _Attempt(self._address, self._connect_timeout_s)
        if not self._attempt.wait(deadline_s - time.monotonic()):
            raise StoreTimeout("the connection to the store is not ready yet")
        attempt, self._attempt = self._attempt, None
        self._link = attempt.outcome()
        return self._link

    def close(self) -> None:
        """Close the connection, also one that is still being opened."""
        if self._attempt is not None:
            self._attempt.abandon()
            self._attempt = None
        if self._link is not None:
            self._link.close()


class _Attempt:
    """One attempt to connect, on a thread of its own."""

    def __init__(self, address: RedisAddress, timeout_s: float) -> None:
        self._outcome: Connection | StoreError | None = None
        self._abandoned = False
        self._lock = threading.Lock()
        self._done = threading.Event()
        threading.Thread(target=self._run, args=(address, timeout_s), name="store-dial", daemon=True).start()

    def wait(self, timeout_s: float) -> bool:
        return self._done.wait(timeout_s)

    def outcome(self) -> Connection:
        if isinstance(self._outcome, Connection):
            return self._outcome
        raise store_error(self._outcome or StoreTimeout("the connection to the store is not ready yet"))

    def abandon(self) -> None:
        with self._lock:
            self._abandoned = True
            if isinstance(self._outcome, Connection):
                self._outcome.close()

    def _run(self, address: RedisAddress, timeout_s: float) -> None:
        outcome: Connection | StoreError
        try:
            outcome = open_connection(address, timeout_s)
        except StoreError as problem:
            outcome = problem
        with self._lock:
            self._outcome = outcome
            if self._abandoned and isinstance(outcome, Connection):
                outcome.close()
        self._done.set()
