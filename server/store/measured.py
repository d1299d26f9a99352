"""A ``RecordStore`` whose round trips and failures are counted.

Decisions count their own reads (``server.worker``), in the same series under ``fetch``.
"""

import time
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from server.store.ports import Change, Committed, Held, RecordStore, StoreError, StoreTimeout
from targeting.model import Subject

T = TypeVar("T")


class Meter(Protocol):
    """Where the measures go: ``server.metrics.Metrics``."""

    def observe_store(self, operation: str, seconds: float) -> None:
        """Take the time of one round trip."""
        ...

    def count_store_error(self, operation: str, kind: str) -> None:
        """Count a failure."""
        ...


class MeasuredRecords:
    """Passes everything on; see ``RecordStore``."""

    def __init__(self, store: RecordStore, meter: Meter) -> None:
        self._store = store
        self._meter = meter

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
            self._meter.count_store_error(operation, "timeout" if isinstance(problem, StoreTimeout) else "unavailable")
            raise
        finally:
            self._meter.observe_store(operation, time.perf_counter() - started_s)
