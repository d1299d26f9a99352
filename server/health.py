"""The watch over the store: the health of the services that write follows it, and each change is one line of the log.

Decisions are served whatever the store does, so their health is not its business.
"""

import logging
import threading
from collections.abc import Callable, Sequence

from server.errors import note
from server.gate.port import Gate
from server.store.ports import StoreError
from server.store.redis.connection import ping
from server.store.redis.url import RedisAddress

PROBE_TIMEOUT_S = 0.25
_EVERY_S = 0.5
_LOG = logging.getLogger(__name__)


class StoreWatch:
    """Watches from ``start`` to ``close``, on a thread of its own. ``tend`` is called before each look."""

    def __init__(self, gate: Gate, services: Sequence[str], address: RedisAddress, tend: Callable[[], None]) -> None:
        self._gate = gate
        self._services = services
        self._address = address
        self._tend = tend
        self._serving: bool | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="store-watch", daemon=True)

    def start(self) -> None:
        """Look once, so that the first health is right, then begin to watch."""
        self.look()
        self._thread.start()

    def close(self) -> None:
        """End the watch after the look at hand; health stays as it is. May be called twice."""
        self._stopping.set()
        self._thread.join()

    def look(self) -> None:
        """Ask the store for a sign of life, and report a change."""
        problem = self._problem()
        if (serving := not problem) is self._serving:
            return
        if problem:
            _LOG.warning("store %s: %s; preferences and profiles are NOT_SERVING", self._address, problem)
        elif self._serving is not None:
            _LOG.warning("store %s: it answers again; preferences and profiles are SERVING", self._address)
        self._serving = serving
        for service in self._services:
            self._gate.set_health(service, serving=serving)

    def _problem(self) -> str:
        try:
            ping(self._address, PROBE_TIMEOUT_S)
        except StoreError as problem:
            return str(problem)
        return ""

    def _run(self) -> None:
        while not self._stopping.wait(_EVERY_S):
            try:
                self._tend()
                self.look()
            except Exception as problem:  # noqa: BLE001  # the watch outlives a fault of ours
                note(problem)
