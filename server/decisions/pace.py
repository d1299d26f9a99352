"""How much is decided in one turn of the worker, so that a turn takes about as long as is meant, whatever it decides.

A decision takes 50 µs, or a millisecond where its consent strings are long; a turn is to take some milliseconds. So the
weight of a turn follows from what decisions of late have cost: the dearest counts at once, and is forgotten slowly.
Cost is CPU time of the thread: a pause of the machine, or a wait for the store, makes no decision dearer.
"""

import time

LEAST_WEIGHT, MOST_WEIGHT = 2, 64
_FIRST_COST_S = 0.00005
_REMEMBERED = 0.9


class Pace:
    """The pace of one kind of calls. Used on one thread."""

    def __init__(self) -> None:
        self._cost_s = _FIRST_COST_S
        self._turn_s = self._started_s = self._reading_ends_s = 0.0

    def start(self, turn_s: float) -> None:
        """Begin to read for a turn that is to take so long."""
        self._turn_s = turn_s
        self._started_s = time.thread_time()
        # That clock costs a system call, so reading, which asks after each call, has another.
        self._reading_ends_s = time.monotonic() + turn_s / 2

    def weight(self) -> int:
        """Return how much to decide in a turn; more than that makes each decision hardly cheaper."""
        return min(max(int(self._turn_s / self._cost_s), LEAST_WEIGHT), MOST_WEIGHT)

    def has_time(self) -> bool:
        """Whether reading has taken less than half of the turn."""
        return time.monotonic() < self._reading_ends_s

    def end(self, weight: int) -> float:
        """Learn from a turn that decided so much, and return what it took (seconds of CPU)."""
        took_s = time.thread_time() - self._started_s
        if weight:
            cost_s = took_s / weight
            self._cost_s = max(cost_s, self._cost_s * _REMEMBERED + cost_s * (1 - _REMEMBERED))
        return took_s
