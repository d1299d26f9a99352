"""Fetching the records that a plan needs. A store that fails is a reason to limit, never an error.

The event loop sends the question itself, and waits for half a millisecond at most: most answers have come by then. It
goes on with everything else while it waits for a slower one. Threads ask only where asking may block: while there is
no connection yet, and on a cluster.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from server.decisions.decider import Stored
from server.errors import note
from server.metrics.metrics import Metrics
from server.store.measured import StoreFault
from server.store.ports import DecisionStore, Reading, StoreError, StoreTimeout, StoreUntrusted
from targeting.model import Subject
from targeting.reasons import Reason

LEAST_BUDGET_S = 0.002
"""With less time left (seconds) the store is not asked."""

MAX_FETCHES = 4
"""Readings that are waited for at the same time, each on a connection of its own."""

_INLINE_S = 0.0005
_SUBJECT_S = 0.000004
"""What each subject adds to that."""
_SLOW_S = 0.1
_SLOW_ANSWERS = 3
"""After this many slow answers in a row the loop does not wait for any, for this long."""


class Fetcher:
    """Asks one store, one question at a time."""

    def __init__(self, store: DecisionStore, metrics: Metrics) -> None:
        self._store = store
        self._metrics = metrics
        self.is_measured = True
        """Whether the next question counts in metrics: not where only the service itself asks."""

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
            self.observe(time.perf_counter() - started_s)

    def begin(self, subjects: Sequence[Subject], budget_s: float) -> Reading | Reason | None:
        """Send the question without waiting; None where only ``fetch`` can, on a thread."""
        try:
            return self._store.begin(subjects, budget_s)
        except Exception as problem:  # noqa: BLE001  # as above
            return self._reason(problem)

    def collect(self, reading: Reading, deadline_s: float) -> Stored | None:
        """Return the records or the reason by a deadline (``time.monotonic``), or None if more has to come."""
        try:
            return reading.collect(deadline_s)
        except StoreTimeout:
            return None
        except Exception as problem:  # noqa: BLE001  # as above
            return self._reason(problem)

    def give_up(self, reading: Reading) -> Reason:
        """Wait no longer for a reading, and return the reason."""
        try:
            reading.give_up()
        except Exception as problem:  # noqa: BLE001  # as above
            note(problem)
        return self._reason(StoreTimeout())

    def observe(self, seconds: float) -> None:
        """Take the time of a question."""
        if self.is_measured:
            self._metrics.observe_fetch(seconds)

    def _reason(self, problem: Exception) -> Reason:
        if isinstance(problem, StoreTimeout):
            self._count_error("timeout")
            return Reason.STORE_TIMEOUT
        if isinstance(problem, StoreUntrusted):
            self._count_error("untrusted")
            return Reason.PREFERENCE_LOST
        if not isinstance(problem, StoreError):
            note(problem)
        self._count_error("unavailable")
        return Reason.STORE_UNAVAILABLE

    def _count_error(self, kind: StoreFault) -> None:
        if self.is_measured:
            self._metrics.count_store_error("fetch", kind)


class LoopFetcher:
    """Asks on behalf of an event loop, which it never blocks for longer than half a millisecond."""

    def __init__(
        self, make: Callable[[], Fetcher], *, inline_s: float = _INLINE_S, clock_s: Callable[[], float] = time.monotonic
    ) -> None:
        """``make`` opens a fetcher, which asks one question at a time."""
        self._idle = [make() for _ in range(MAX_FETCHES)]
        self._asked: set[asyncio.Future[Stored]] = set()
        self._threads = ThreadPoolExecutor(MAX_FETCHES, "store-fetch")
        self._inline_s = inline_s
        self._clock_s = clock_s
        self._slow_until_s = clock_s()
        self._slow = 0

    async def room(self) -> None:
        """Wait until another question may be asked."""
        while not self._idle:
            await asyncio.wait(self._asked, return_when=asyncio.FIRST_COMPLETED)

    def ask(
        self, subjects: Sequence[Subject], budget_s: float, *, is_measured: bool = True
    ) -> "Stored | asyncio.Future[Stored]":
        """Return the records or the reason, or a future of them if the store has to be waited for.

        There must be ``room``. A store that does not answer by the end of the budget (seconds) is a reason, too.
        """
        if not subjects:
            return ()
        fetcher, started_s = self._idle.pop(), time.monotonic()
        fetcher.is_measured = is_measured
        reading = fetcher.begin(subjects, budget_s)
        if isinstance(reading, Reason):
            self._idle.append(fetcher)
            return reading
        loop = asyncio.get_running_loop()
        if reading is None:
            waiting = loop.run_in_executor(self._threads, _fetch, fetcher, subjects, started_s + budget_s)
            return self._kept(fetcher, waiting)
        stored = self._at_once(fetcher, reading, started_s + self._inline_s + _SUBJECT_S * len(subjects))
        if stored is None:
            return self._kept(fetcher, loop.create_task(_wait(fetcher, reading, started_s, budget_s)))
        fetcher.observe(time.monotonic() - started_s)
        self._idle.append(fetcher)
        return stored

    def close(self) -> None:
        """End the threads, each after its fetch."""
        self._threads.shutdown()

    def _at_once(self, fetcher: Fetcher, reading: Reading, deadline_s: float) -> Stored | None:
        """Wait for a store that has been quick of late; take what has come from one that has been slow."""
        is_slow = self._clock_s() < self._slow_until_s
        stored = fetcher.collect(reading, 0.0 if is_slow else deadline_s)
        if not is_slow:
            self._slow = self._slow + 1 if stored is None else 0
            if self._slow >= _SLOW_ANSWERS:
                self._slow_until_s = self._clock_s() + _SLOW_S
        return stored

    def _kept(self, fetcher: Fetcher, asked: "asyncio.Future[Stored]") -> "asyncio.Future[Stored]":
        """Let a fetcher ask the next question when this one has its answer."""

        def end(ended: "asyncio.Future[Stored]") -> None:
            self._asked.discard(ended)
            self._idle.append(fetcher)

        self._asked.add(asked)
        asked.add_done_callback(end)
        return asked


def _fetch(fetcher: Fetcher, subjects: Sequence[Subject], deadline_s: float) -> Stored:
    return fetcher.fetch(subjects, deadline_s - time.monotonic())


async def _wait(fetcher: Fetcher, reading: Reading, started_s: float, budget_s: float) -> Stored:
    """Collect what comes until all has, or the budget is over.

    What has come is taken a last time at the end: a loop that comes late to its timer is no fault of the store's.
    """
    deadline_s = started_s + budget_s
    stored: Stored | None = None
    while stored is None:
        await _readable(reading.fileno(), deadline_s - time.monotonic())
        is_over = time.monotonic() >= deadline_s
        stored = fetcher.collect(reading, 0.0)
        if stored is None and is_over:
            stored = fetcher.give_up(reading)
    fetcher.observe(time.monotonic() - started_s)
    return stored


async def _readable(descriptor: int, timeout_s: float) -> None:
    """Wait until there is something to read, or the time is over."""
    loop = asyncio.get_running_loop()
    waiting = loop.create_future()
    loop.add_reader(descriptor, _end, waiting)
    try:
        await asyncio.wait({waiting}, timeout=max(timeout_s, 0.0))
    finally:
        loop.remove_reader(descriptor)


def _end(waiting: "asyncio.Future[None]") -> None:
    if not waiting.done():
        waiting.set_result(None)
