"""The caretaker of the embedded store: starts it again when it has ended, with ever longer pauses."""

import logging
import time
from collections.abc import Callable
from typing import Protocol

from server.store.embedded.binary import EmbeddedStoreError

_LOG = logging.getLogger(__name__)
_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 30.0


class Revivable(Protocol):
    """What may end, and can be started again: ``server.store.embedded.server.EmbeddedRedis``."""

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        ...

    def revive(self) -> None:
        """Start it again. Raises ``EmbeddedStoreError``."""
        ...


class Restarter:
    """Looks after one store when told to. One that ends soon, or cannot start, waits ever longer for its next start."""

    def __init__(self, store: Revivable, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._clock_s = clock_s
        self._pause_s = _FIRST_PAUSE_S
        self._not_before_s = clock_s()

    def look(self) -> None:
        """Start the store again if it has ended and it is time."""
        now_s = self._clock_s()
        if self._store.alive or now_s < self._not_before_s:
            return
        if now_s - self._not_before_s > _LONGEST_PAUSE_S:
            # It has lived long enough for this end to be a new story.
            self._pause_s = _FIRST_PAUSE_S
        self._not_before_s = now_s + self._pause_s
        try:
            self._store.revive()
        except EmbeddedStoreError as problem:
            _LOG.error(
                "the embedded store has ended and cannot be started again: %s; next attempt in %g s",
                problem,
                self._pause_s,
            )
        else:
            _LOG.warning("the embedded store has ended; it is started again on its data")
        self._pause_s = min(self._pause_s * 2, _LONGEST_PAUSE_S)
