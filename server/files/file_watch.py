"""The thread that reads files again: all of them on request (SIGHUP), and changed ones by itself.

Invariant: nothing waits for it, because a file may hang. Knows nothing of what files contain.
"""

import logging
import threading
from collections.abc import Callable

from server.errors import note

_EVERY_S = 5.0
_CLOSE_TIMEOUT_S = 1.0
_LOG = logging.getLogger(__name__)


class FileWatch:
    """Call ``reload`` after each ``request``, and ``check`` every ``every_s``, from ``start`` to ``close``."""

    def __init__(self, reload: Callable[[], None], check: Callable[[], None], every_s: float = _EVERY_S) -> None:
        self._reload = reload
        self._check = check
        self._every_s = every_s
        self._requested = threading.Event()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="file-watch", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def request(self) -> None:
        """Ask for a reload, and return at once. Requests during a reload become one more reload."""
        self._requested.set()

    def close(self) -> None:
        """Stop watching. A file that hangs is abandoned."""
        self._closing = True
        self._requested.set()
        self._thread.join(_CLOSE_TIMEOUT_S)

    def _run(self) -> None:
        while True:
            requested = self._requested.wait(self._every_s)
            self._requested.clear()
            if self._closing:
                return
            try:
                (self._reload if requested else self._check)()
            except Exception as problem:  # noqa: BLE001  # the watch outlives a fault of ours
                _LOG.error("reading files again failed: internal error %s", note(problem))
