"""Connecting off the path of a call, so that no call outwaits a name server, a handshake or a black hole.

A call waits for the connection as long as its budget allows; the attempt goes on without it, and a later call finds
the connection ready. So a budget shorter than a TLS handshake does not keep a store unreachable for ever.
"""

import threading
import time
from collections.abc import Callable
from contextlib import suppress

from server.store.ports import StoreTimeout
from server.store.redis.connection import Connection
from server.store.redis.errors import store_error
from server.store.redis.renewal import MAX_AGE_S, Made, Renewal

Open = Callable[[], Connection]
"""Opens a connection to the primary. Raises ``StoreError``."""


class Connector:
    """Keeps one connection open for the one thread that uses it, and makes it again when ``renewal`` demands it."""

    def __init__(self, open_primary: Open, renewal: Renewal, max_age_s: float = MAX_AGE_S) -> None:
        self._open_primary = open_primary
        self._renewal = renewal
        self._max_age_s = max_age_s
        self._made = Made(renewal, max_age_s)
        self._connection: Connection | None = None
        self._attempt: _Attempt | None = None

    def connect(self, deadline_s: float) -> Connection:
        """Return an open connection by the deadline (``time.monotonic``). Raises ``StoreError``."""
        if (connection := self.connected()) is not None:
            return connection
        self._connection = self._connected(deadline_s)
        self._connection.on_not_primary = self._renewal.renew
        return self._connection

    def connected(self) -> Connection | None:
        """Return the connection if it is open and may still be used."""
        if self._connection is not None and not (self._made.is_current() and self._connection.usable()):
            self._connection.close()
            self._connection = None
        return self._connection

    def close(self) -> None:
        """Close the connection, also one that is still being opened."""
        if self._attempt is not None:
            self._attempt.abandon()
            self._attempt = None
        if self._connection is not None:
            self._connection.close()

    def _connected(self, deadline_s: float) -> Connection:
        """Wait for an attempt; one that took too long, or was overtaken by a renewal, is followed by another."""
        while True:
            if self._attempt is None:
                self._attempt = _Attempt(self._open_primary, Made(self._renewal, self._max_age_s))
            if not self._attempt.wait(deadline_s - time.monotonic()):
                raise StoreTimeout("the connection to the store is not ready yet")
            attempt, self._attempt = self._attempt, None
            self._made = attempt.made
            with suppress(StoreTimeout):
                connection = attempt.outcome()
                if attempt.made.is_latest():
                    return connection
                connection.close()


class _Attempt:
    """One attempt to connect, on a thread of its own. It ends with a connection or a problem, whatever happens."""

    def __init__(self, open_primary: Open, made: Made) -> None:
        self.made = made
        self._connection: Connection | None = None
        self._problem: Exception = StoreTimeout("the connection to the store is not ready yet")
        self._abandoned = False
        self._lock = threading.Lock()
        self._done = threading.Event()
        threading.Thread(target=self._run, args=(open_primary,), name="store-connect", daemon=True).start()

    def wait(self, timeout_s: float) -> bool:
        return self._done.wait(timeout_s)

    def outcome(self) -> Connection:
        if self._connection is None:
            raise store_error(self._problem) from None
        return self._connection

    def abandon(self) -> None:
        with self._lock:
            self._abandoned = True
            if self._connection is not None:
                self._connection.close()

    def _run(self, open_primary: Open) -> None:
        try:
            self._keep(open_primary())
        except Exception as problem:  # noqa: BLE001  # an attempt that never ended would be waited for by every later call
            self._problem = problem
        finally:
            self._done.set()

    def _keep(self, connection: Connection) -> None:
        with self._lock:
            self._connection = connection
            if self._abandoned:
                connection.close()
