"""The measuring store: every round trip is timed, every failure counted by its kind."""

from collections.abc import Callable
from typing import Any

import pytest

from server.metrics.metrics import Metrics
from server.store.measured import MeasuredRecords
from server.store.ports import RecordChange, RecordStore, StoreError
from targeting.model import Subject, SubjectKind
from targeting.records.stored_records import StoredRecords
from tests.server.store.fake_store import PSEUDONYMS, FakeStore

ANNE = Subject(SubjectKind.ACCOUNT, "anne")
CHANGE = RecordChange(ANNE, StoredRecords(ANNE.kind, PSEUDONYMS.owner(ANNE)), preference=b"new")

OPERATIONS: dict[str, Callable[[RecordStore, float], Any]] = {
    "read": lambda store, budget_s: store.read([ANNE], budget_s),
    "commit": lambda store, budget_s: store.commit([CHANGE], budget_s),
    "commit_durably": lambda store, budget_s: store.commit_durably(CHANGE, 0, budget_s),
}
EACH = pytest.mark.parametrize("operation", OPERATIONS)


def counted(metrics: Metrics, name: str, **labels: str) -> float:
    return metrics.registry.get_sample_value(f"adtargeting_store_{name}", labels) or 0.0


@EACH
def test_a_round_trip_is_passed_on_and_timed(operation: str) -> None:
    metrics, ask = Metrics(), OPERATIONS[operation]
    assert ask(MeasuredRecords(FakeStore(), metrics), 1.0) == ask(FakeStore(), 1.0)
    assert counted(metrics, "seconds_count", operation=operation) == 1


@EACH
@pytest.mark.parametrize("kind", ["timeout", "unavailable"])
def test_a_failure_is_passed_on_timed_and_counted_by_its_kind(operation: str, kind: str) -> None:
    metrics, store = Metrics(), FakeStore()
    store.slow_s, store.down = 0.001, kind == "unavailable"
    with pytest.raises(StoreError):
        OPERATIONS[operation](MeasuredRecords(store, metrics), 0.0)
    assert counted(metrics, "errors_total", operation=operation, kind=kind) == 1
    assert counted(metrics, "seconds_count", operation=operation) == 1
