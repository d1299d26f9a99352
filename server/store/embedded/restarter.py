"""Restart the embedded store after it has ended, with exponential backoff.

Knows no process and no data directory: what it restarts is a ``Restartable``.
"""

import logging
import time
from collections.abc import Callable
from typing import Protocol

from server.store.embedded.binary import EmbeddedStoreError

_LOG = logging.getLogger(__name__)
_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 30.0


class Restartable(Protocol):
    """A server that may end and can be started again, such as ``EmbeddedRedis``."""

    @property
    def alive(self) -> bool:
        """Whether the server runs."""
        ...

    def restart(self) -> None:
        """Start the server again. Raises ``EmbeddedStoreError``."""
        ...


class Restarter:
    """Restarts one store when ``check`` finds that it has ended.

    The first restart is immediate. Further ones within 30 s of the last wait 0.5, 1, 2, … s, up to 30 s.
    """

    def __init__(self, store: Restartable, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._clock_s = clock_s
        self._pause_s = _FIRST_PAUSE_S
        self._next_start_s = clock_s()

    def check(self) -> None:
        """Restart the store if it has ended and the pause is over."""
        now_s = self._clock_s()
        if self._store.alive or now_s < self._next_start_s:
            return
        if now_s - self._next_start_s > _LONGEST_PAUSE_S:
            # The store ran for longer than any pause: start the backoff from the beginning.
            self._pause_s = _FIRST_PAUSE_S
        self._next_start_s = now_s + self._pause_s
        try:
            self._store.restart()
        except EmbeddedStoreError as error:
            _LOG.error("embedded store ended and cannot be restarted: %s; next attempt in %g s", error, self._pause_s)
        else:
            _LOG.warning("embedded store ended; restarted on its data")
        self._pause_s = min(self._pause_s * 2, _LONGEST_PAUSE_S)
