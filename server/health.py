"""The watch over the store: it sets the health of the services that write, and logs one line per change.

Decisions are served whatever the store does, so their health does not depend on it.
"""

import logging
import threading
from collections.abc import Callable, Sequence

from server.errors import note
from server.gate.port import Gate
from server.store.ports import StoreError
from server.store.redis.handshake import ping
from server.store.redis.url import RedisAddress

PROBE_TIMEOUT_S = 0.25
_EVERY_S = 0.5
_LOG = logging.getLogger(__name__)


class StoreWatch:
    """Watch from ``start`` to ``close``, on a thread of its own. ``before_check`` is called before each check."""

    def __init__(
        self, gate: Gate, services: Sequence[str], address: RedisAddress, before_check: Callable[[], None]
    ) -> None:
        self._gate = gate
        self._services = services
        self._address = address
        self._before_check = before_check
        self._serving: bool | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="store-watch", daemon=True)

    def start(self) -> None:
        """Check once, so that the first health is right, then begin to watch."""
        self.check()
        self._thread.start()

    def close(self) -> None:
        """End the watch after the current check; health stays as it is. May be called twice."""
        self._stopping.set()
        self._thread.join()

    def check(self) -> None:
        """Ask whether the store answers, and report a change."""
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
                self._before_check()
                self.check()
            except Exception as problem:  # noqa: BLE001  # the watch survives a fault of ours
                note(problem)
