"""Renewal of all connections of a process at once: none outlives the role of the server that it was made to.

Knows nothing of what a connection is.
"""

import time

MAX_AGE_S = 60.0
"""A connection that is kept by a proxy or a virtual address may lead to a server that its name no longer names."""


class Renewal:
    """Shared by all threads. A connection is current while ``mark`` is the one it was made under."""

    def __init__(self) -> None:
        self.mark: object = object()

    def renew(self) -> None:
        """Have every connection made again before it is used next."""
        self.mark = object()


class Made:
    """When, and under which mark, a connection was made."""

    __slots__ = ("_ends_s", "_mark", "_renewal")

    def __init__(self, renewal: Renewal, max_age_s: float) -> None:
        self._renewal = renewal
        self._mark = renewal.mark
        self._ends_s = time.monotonic() + max_age_s

    def is_current(self) -> bool:
        """Whether the connection may still be used."""
        return self.is_latest() and time.monotonic() < self._ends_s

    def is_latest(self) -> bool:
        """Whether no renewal has been demanded since it was made."""
        return self._mark is self._renewal.mark
