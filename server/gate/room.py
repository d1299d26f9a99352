"""A waiting room for one kind of calls: how much may be in flight, and how much of it one client may hold.

Room is counted in decisions (a call's weight) and in bytes. A client may hold no more than what it leaves free for
others: with a room of 2048, one client alone holds at most 1024; of two greedy ones each about 683; so a third always
finds space. Every client may have one call in flight, however heavy, as long as the bytes fit.
"""

from enum import Enum
from typing import NamedTuple


class Capacity(NamedTuple):
    """How much may be in flight of one kind of calls: decisions, and bytes of requests.

    ``wait_s`` is how long a single call may have to wait for its turn: less than the budget, as its turn takes time.
    """

    decisions: int = 2048
    bytes: int = 64 * 1024 * 1024
    wait_s: float = 0.015


DEFAULT_CAPACITY = Capacity()


class Cause(Enum):
    """Why a call is refused before any work is done for it."""

    ROOM = "room"
    BYTES = "bytes"
    SHARE = "share"
    WAIT = "wait"
    DEADLINE = "deadline"
    SIZE = "size"
    STOPPING = "stopping"


class Room:
    """What is taken of a room. Used on one thread."""

    def __init__(self, capacity: Capacity) -> None:
        self._capacity = capacity
        self.weight = 0
        """Decisions in flight."""
        self.calls = 0
        """Calls in flight."""
        self._bytes = 0
        self._held: dict[str, int] = {}

    def count(self, weight: int) -> int:
        """Return the room that a call of this weight takes: a large one no more than a quarter, as it yields."""
        return min(weight, max(self._capacity.decisions // 4, 1))

    def cause_against(self, client: str, weight: int, size: int) -> Cause | None:
        """Return why a call of this weight and size (bytes) does not fit, or None."""
        if self._bytes + size > self._capacity.bytes:
            return Cause.BYTES
        free = self._capacity.decisions - self.weight - weight
        if free < 0 and self.weight:
            return Cause.ROOM
        held = self._held.get(client, 0)
        return Cause.SHARE if held and held + weight > free else None

    def holds(self, client: str) -> bool:
        """Whether a client has anything in flight."""
        return client in self._held

    def enter(self, client: str, weight: int, size: int) -> None:
        """Take room."""
        self.weight += weight
        self.calls += 1
        self._bytes += size
        self._held[client] = self._held.get(client, 0) + weight

    def leave(self, client: str, weight: int, size: int) -> None:
        """Release what ``enter`` took."""
        self.weight -= weight
        self.calls -= 1
        self._bytes -= size
        left = self._held[client] - weight
        if left:
            self._held[client] = left
        else:
            del self._held[client]
