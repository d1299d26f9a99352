"""Fetching the records that a plan needs. A store that fails is a reason to limit, never an error."""

import time
from collections.abc import Sequence

from server.decisions.decider import Stored
from server.errors import note
from server.metrics.metrics import Metrics
from server.store.ports import DecisionStore, StoreError, StoreTimeout, StoreUntrusted
from targeting.model import Subject
from targeting.reasons import Reason

LEAST_BUDGET_S = 0.002
"""With less time left (seconds) the store is not asked."""


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
