"""The part of a wrapper around a ``RecordStore`` that is the same for every operation."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import TypeVar

from server.store.ports import Committed, RecordChange, RecordOperation, RecordStore
from targeting.model import Subject
from targeting.records.stored_records import StoredRecords

T = TypeVar("T")


class DelegatingRecordStore(ABC):
    """Pass every operation to ``_call``, with its name and its budget (seconds); see ``RecordStore``."""

    def __init__(self, store: RecordStore) -> None:
        self._store = store

    def read(self, subjects: Sequence[Subject], budget_s: float) -> list[StoredRecords]:
        """Read; see ``RecordStore``."""
        return self._call("read", budget_s, lambda: self._store.read(subjects, budget_s))

    def commit(self, changes: Sequence[RecordChange], budget_s: float) -> list[Committed]:
        """Commit; see ``RecordStore``."""
        return self._call("commit", budget_s, lambda: self._store.commit(changes, budget_s))

    def commit_durably(
        self, change: RecordChange, replicas: int, budget_s: float, confirm_s: float | None = None
    ) -> Committed:
        """Commit durably; see ``RecordStore``."""
        return self._call(
            "commit_durably", budget_s, lambda: self._store.commit_durably(change, replicas, budget_s, confirm_s)
        )

    @abstractmethod
    def _call(self, operation: RecordOperation, budget_s: float, call: Callable[[], T]) -> T: ...
