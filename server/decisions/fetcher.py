"""Fetching the records that a plan needs. A store that fails is a reason to limit, never an error.

The event loop asks a store that answers quickly itself, as handing the question to a thread would cost more than the
answer takes; it waits no longer than half a millisecond. While the store is slower than that, threads ask it, and the
loop goes on with everything else.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue

from server.decisions.decider import Stored
from server.errors import note
from server.metrics.metrics import Metrics
from server.store.ports import DecisionStore, StoreError, StoreTimeout, StoreUntrusted
from targeting.model import Subject
from targeting.reasons import Reason

LEAST_BUDGET_S = 0.002
"""With less time left (seconds) the store is not asked."""

MAX_FETCHES = 4
"""Fetches that are waited for at the same time, each on a connection of its own."""

_INLINE_S = 0.0005
_SUBJECT_S = 0.000004
"""What each subject adds to that."""
_SLOW_S = 0.1
_SLOW_ANSWERS = 3
"""After this many slow answers in a row threads ask the store, for this long, before the loop tries it again."""


class Fetcher:
    """Asks one store, whose connection belongs to one thread."""

    def __init__(self, store: DecisionStore, metrics: Metrics) -> None:
        self._store = store
        self._metrics = metrics

    def fetch(self, subjects: Sequence[Subject], budget_s: float) -> Stored:
        """Return the records of all subjects, in order, or the reason why there are none."""
        if not subjects:
            return ()
        if budget_s < LEAST_BUDGET_S:
            return Reason.STORE_TIMEOUT
        started_s = time.perf_counter()
        try:
            return self._store.fetch(subjects, budget_s)
        except Exception as problem:  # noqa: BLE001  # a fault of ours in asking the store limits as its failure does
            return self._reason(problem)
        finally:
            self._metrics.observe_fetch(time.perf_counter() - started_s)

    def fetch_within(self, subjects: Sequence[Subject], budget_s: float) -> Stored | None:
        """Return the records or the reason, or None if the store takes longer than the budget, however short."""
        started_s = time.perf_counter()
        try:
            stored = self._store.fetch(subjects, budget_s)
        except StoreTimeout:
            return None
        except Exception as problem:  # noqa: BLE001  # as above
            return self._reason(problem)
        self._metrics.observe_fetch(time.perf_counter() - started_s)
        return stored

    def _reason(self, problem: Exception) -> Reason:
        if isinstance(problem, StoreTimeout):
            self._metrics.count_store_error("fetch", "timeout")
            return Reason.STORE_TIMEOUT
        if isinstance(problem, StoreUntrusted):
            self._metrics.count_store_error("fetch", "untrusted")
            return Reason.PREFERENCE_LOST
        if not isinstance(problem, StoreError):
            note(problem)
        self._metrics.count_store_error("fetch", "unavailable")
        return Reason.STORE_UNAVAILABLE


class LoopFetcher:
    """Asks on behalf of an event loop, which it never blocks for longer than half a millisecond."""

    def __init__(
        self, make: Callable[[], Fetcher], *, inline_s: float = _INLINE_S, clock_s: Callable[[], float] = time.monotonic
    ) -> None:
        """``make`` opens a fetcher for one thread."""
        self._inline = make()
        self._idle: SimpleQueue[Fetcher] = SimpleQueue()
        for _ in range(MAX_FETCHES):
            self._idle.put(make())
        self._threads = ThreadPoolExecutor(MAX_FETCHES, "store-fetch")
        self._inline_s = inline_s
        self._clock_s = clock_s
        self._slow_until_s = clock_s()
        self._slow = 0

    def fetch_now(self, subjects: Sequence[Subject]) -> Stored | None:
        """Return the records or the reason, or None if the store has to be waited for."""
        if not subjects:
            return ()
        if self._clock_s() < self._slow_until_s:
            return None
        stored = self._inline.fetch_within(subjects, self._inline_s + _SUBJECT_S * len(subjects))
        self._slow = self._slow + 1 if stored is None else 0
        if self._slow >= _SLOW_ANSWERS:
            self._slow_until_s = self._clock_s() + _SLOW_S
        return stored

    def fetch_soon(self, subjects: Sequence[Subject], budget_s: float) -> "asyncio.Future[Stored]":
        """Have a thread ask, which gives up after the budget."""
        deadline_s = time.monotonic() + budget_s
        return asyncio.get_running_loop().run_in_executor(self._threads, self._fetch, subjects, deadline_s)

    def close(self) -> None:
        """End the threads, each after its fetch."""
        self._threads.shutdown()

    def _fetch(self, subjects: Sequence[Subject], deadline_s: float) -> Stored:
        fetcher = self._idle.get()
        try:
            return fetcher.fetch(subjects, deadline_s - time.monotonic())
        finally:
            self._idle.put(fetcher)
