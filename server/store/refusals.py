"""Writes that the store refuses, counted as a sign of its health.

A server may keep the health check's own key and refuse the records, as one whose user may write only some keys does.
"""

import threading
import time

from server.store.ports import StoreError

_IN_A_ROW = 3
_REMEMBERED_S = 10.0
"""Without further attempts the problem is forgotten after so long, so that writes are tried again."""


class WriteRefusals:
    """Shared by the threads that write."""

    def __init__(self, remembered_s: float = _REMEMBERED_S) -> None:
        self._remembered_s = remembered_s
        self._count = 0
        self._last_s = 0.0
        self._problem = ""
        self._lock = threading.Lock()

    def refused(self, problem: StoreError) -> None:
        """Count a write that the store refused."""
        with self._lock:
            self._count += 1
            self._last_s = time.monotonic()
            self._problem = str(problem)

    def stored(self) -> None:
        """Forget the refusals before a write that was stored."""
        if self._count:
            with self._lock:
                self._count = 0

    def problem(self) -> str:
        """Return what the last of several refusals in a row said; empty when there were none lately."""
        with self._lock:
            if time.monotonic() - self._last_s > self._remembered_s:
                self._count = 0
            return self._problem if self._count >= _IN_A_ROW else ""
