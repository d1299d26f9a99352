"""A ``RecordStore`` that counts its round trips and failures.

Decisions count their own reads (``server.decisions.decider``), in the same series under ``fetch``.
"""

import time
from collections.abc import Callable
from typing import Literal, Protocol, TypeVar

from server.store.delegating import DelegatingRecordStore
from server.store.ports import RecordOperation, RecordStore, StoreError, StoreTimeout, StoreUntrusted

T = TypeVar("T")
StoreFault = Literal["timeout", "untrusted", "unavailable"]


class Meter(Protocol):
    """Where the measurements go: ``server.metrics.metrics.Metrics``."""

    def observe_store(self, operation: RecordOperation, seconds: float) -> None:
        """Record the time of one round trip."""
        ...

    def count_store_error(self, operation: RecordOperation, kind: StoreFault) -> None:
        """Count a failure."""
        ...


class MeasuredRecords(DelegatingRecordStore):
    """Pass everything on. The time of a durable commit includes the wait for replicas and the disk."""

    def __init__(self, store: RecordStore, meter: Meter) -> None:
        super().__init__(store)
        self._meter = meter

    def _call(self, operation: RecordOperation, budget_s: float, call: Callable[[], T]) -> T:  # noqa: ARG002  # others need it
        started_s = time.perf_counter()
        try:
            return call()
        except StoreError as problem:
            self._meter.count_store_error(operation, _kind(problem))
            raise
        finally:
            self._meter.observe_store(operation, time.perf_counter() - started_s)


def _kind(problem: StoreError) -> StoreFault:
    if isinstance(problem, StoreTimeout):
        return "timeout"
    return "untrusted" if isinstance(problem, StoreUntrusted) else "unavailable"
