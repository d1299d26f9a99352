"""How many new devices each caller may have stored in one second.

A caller that invents device ids must not fill the store. One thread uses it.
"""

from collections.abc import Callable

_MAX_CALLERS = 1024


class NewDeviceRate:
    """Counts new devices by caller, in windows of one second of ``clock``."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._window_s = 0
        self._counts: dict[str, int] = {}

    def allows(self, caller: str, limit: int) -> bool:
        """Count one new device of a caller, unless the caller has had ``limit`` in this second."""
        second = int(self._clock())
        if second != self._window_s or len(self._counts) >= _MAX_CALLERS:
            self._window_s = second
            self._counts.clear()
        count = self._counts.get(caller, 0)
        if count >= limit:
            return False
        self._counts[caller] = count + 1
        return True
