"""A ``RecordStore`` whose round trips and failures are counted.

Decisions count their own reads (``server.worker``), in the same series under ``fetch``.
"""

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from server.metrics import Metrics
from server.store.ports import Change, Committed, Held, RecordStore, StoreError, StoreTimeout
from targeting.model import Subject

T = TypeVar("T")


class MeasuredRecords:
    """Passes everything on; see ``RecordStore``."""

    def __init__(self, store: RecordStore, metrics: Metrics) -> None:
        self._store = store
        self._metrics = metrics

    def read(self, subjects: Sequence[Subject], budget_s: float) -> list[Held]:
        """Read; see ``RecordStore``."""
        return self._measured("read", lambda: self._store.read(subjects, budget_s))

    def commit(self, changes: Sequence[Change], budget_s: float) -> list[Committed]:
        """Commit; see ``RecordStore``."""
        return self._measured("commit", lambda: self._store.commit(changes, budget_s))

    def commit_durably(self, change: Change, replicas: int, budget_s: float) -> Committed:
        """Commit durably; see ``RecordStore``. The time for replicas and the disk is in it."""
        return self._measured("commit_durably", lambda: self._store.commit_durably(change, replicas, budget_s))

    def _measured(self, operation: str, asking: Callable[[], T]) -> T:
        started_s = time.perf_counter()
        try:
            return asking()
        except StoreError as problem:
            self._metrics.count_store_error(
                operation, "timeout" if isinstance(problem, StoreTimeout) else "unavailable"
            )
            raise
        finally:
            self._metrics.observe_store(operation, time.perf_counter() - started_s)
