"""The circuit breaker: a store that is known to be down is not asked, so that no call waits for it.

One per process, shared by its threads. It opens after ``failures`` failures in a row, probes by itself while it is
open, and closes when a probe succeeds. While closed it costs a comparison or two per call, and no lock.
"""

import math
import threading
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from server.store.delegating import DelegatingRecordStore
from server.store.ports import (
    DecisionStore,
    PartUnavailable,
    Reading,
    RecordOperation,
    RecordStore,
    StoreError,
    StoreTimeout,
    StoreUnavailable,
    StoreUntrusted,
)
from server.store.refusals import WriteRefusals
from targeting.model import Subject
from targeting.records.stored_records import StoredRecords

T = TypeVar("T")


class Circuit:
    """Count failures in a row. ``is_open`` may be read from any thread at any time.

    ``probe`` raises unless the store answers. ``on_change`` is called with ``is_open`` when that changes, by the
    thread that changed it.
    """

    def __init__(
        self,
        probe: Callable[[], None],
        *,
        failures: int = 5,
        probe_every_s: float = 0.25,
        on_change: Callable[[bool], None] = lambda _: None,
    ) -> None:
        self.is_open = False
        self._probe = probe
        self._limit = failures
        self._probe_every_s = probe_every_s
        self._on_change = on_change
        self._failures = 0
        self._last_failure_s = -math.inf
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._prober: threading.Thread | None = None

    def check(self) -> None:
        """Raise ``StoreUnavailable`` while the circuit is open."""
        if self.is_open:
            raise StoreUnavailable("the store is known to be down")

    def failed(self, asked_s: float = math.inf) -> None:
        """Count a failure.

        ``asked_s`` (``time.monotonic``) is when a question was asked that was not answered in time. Those that waited
        at the same time have met with the same silence, and count once.
        """
        with self._lock:
            if asked_s < self._last_failure_s:
                return
            self._last_failure_s = time.monotonic()
            self._failures += 1
            if self._failures >= self._limit:
                self._open()

    def open(self) -> None:
        """Open the circuit until a probe succeeds."""
        with self._lock:
            self._open()

    def succeeded(self) -> None:
        """Forget the failures before a success."""
        if self._failures:
            with self._lock:
                self._failures = 0

    def close(self) -> None:
        """Stop probing, and wait for the current probe to end. The circuit then stays as it is."""
        self._closing.set()
        with self._lock:
            prober = self._prober
        if prober is not None:
            prober.join()

    def _open(self) -> None:
        if self.is_open or self._closing.is_set():
            return
        self.is_open = True
        self._on_change(self.is_open)
        self._prober = threading.Thread(target=self._probe_until_it_answers, name="store-probe", daemon=True)
        self._prober.start()

    def _probe_until_it_answers(self) -> None:
        while not self._closing.wait(self._probe_every_s):
            try:
                self._probe()
            except Exception:  # noqa: BLE001, S112  # a probe that fails in any way has not succeeded
                continue
            with self._lock:
                self._failures = 0
                self.is_open = False
                self._on_change(self.is_open)
            return


class CircuitStore:
    """A ``DecisionStore`` behind the circuit; each thread has its own store, all share the circuit.

    A timeout on a budget below ``least_budget_s`` says more about the caller than about the store, and is not
    counted: callers with hopeless deadlines cannot open the circuit for the others.
    """

    def __init__(self, store: DecisionStore, circuit: Circuit, least_budget_s: float = 0.005) -> None:
        self._store = store
        self._circuit = circuit
        self._least_budget_s = least_budget_s

    def fetch(self, subjects: Sequence[Subject], budget_s: float) -> list[StoredRecords]:
        """Fetch, or raise ``StoreUnavailable`` at once while the circuit is open; see ``DecisionStore``."""
        self._circuit.check()
        asked_s = time.monotonic()
        try:
            found = self._store.fetch(subjects, budget_s)
        except StoreError as problem:
            self.failed(problem, budget_s, asked_s)
            raise
        self.succeeded()
        return found

    def begin(self, subjects: Sequence[Subject], budget_s: float) -> "WatchedReading | None":
        """Begin to fetch, or raise ``StoreUnavailable`` while the circuit is open; see ``DecisionStore``."""
        self._circuit.check()
        asked_s = time.monotonic()
        try:
            reading = self._store.begin(subjects, budget_s)
        except StoreError as problem:
            self.failed(problem, budget_s, asked_s)
            raise
        return None if reading is None else WatchedReading(reading, self, budget_s)

    def failed(self, problem: StoreError, budget_s: float, asked_s: float) -> None:
        """Count a failure that says something about the store as a whole."""
        if isinstance(problem, StoreUntrusted):
            # It answers, and in time.
            self._circuit.succeeded()
        elif isinstance(problem, PartUnavailable):
            return
        elif not isinstance(problem, StoreTimeout):
            self._circuit.failed()
        elif budget_s >= self._least_budget_s:
            self._circuit.failed(asked_s)

    def succeeded(self) -> None:
        """Count an answer."""
        self._circuit.succeeded()


class WatchedReading:
    """A ``Reading`` whose end is told to the circuit."""

    def __init__(self, reading: Reading, store: CircuitStore, budget_s: float) -> None:
        self.fileno = reading.fileno
        self._reading = reading
        self._store = store
        self._budget_s = budget_s
        self._asked_s = time.monotonic()

    def collect(self, deadline_s: float) -> list[StoredRecords]:
        """Return the records by the deadline; see ``Reading``."""
        try:
            found = self._reading.collect(deadline_s)
        except StoreTimeout:
            raise
        except StoreError as problem:
            self._store.failed(problem, self._budget_s, self._asked_s)
            raise
        self._store.succeeded()
        return found

    def give_up(self) -> None:
        """Count the failure; see ``Reading``."""
        self._reading.give_up()
        self._store.failed(StoreTimeout("the store did not answer in time"), self._budget_s, self._asked_s)


class CircuitRecords(DelegatingRecordStore):
    """A ``RecordStore`` behind the circuit: a write that could only fail late fails at once.

    Only timeouts are counted, because a store that refuses writes (no memory, no disk) may still answer decisions; and
    none on a budget below ``least_budget_s``, because a write may have to wait for a disk. A success resets the count
    only after a late write: a store that is too slow for decisions may be quick enough for writes.
    """

    def __init__(
        self, store: RecordStore, circuit: Circuit, refusals: WriteRefusals, least_budget_s: float = 0.1
    ) -> None:
        super().__init__(store)
        self._circuit = circuit
        self._refusals = refusals
        self._least_budget_s = least_budget_s
        self._was_late = False

    def _call(self, operation: RecordOperation, budget_s: float, call: Callable[[], T]) -> T:
        self._circuit.check()
        try:
            answer = call()
        except StoreTimeout:
            if budget_s >= self._least_budget_s:
                self._was_late = True
                self._circuit.failed()
            raise
        except StoreUnavailable as problem:
            if operation != "read":
                self._refusals.refused(problem)
            raise
        if operation != "read":
            self._refusals.stored()
        if self._was_late:
            self._was_late = False
            self._circuit.succeeded()
        return answer
