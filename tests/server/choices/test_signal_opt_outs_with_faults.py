"""Signals are stored also when the store is down, slow or contended, or the queue is full."""

import time
from collections.abc import Sequence

import pytest

from server.store.ports import Committed, RecordChange
from targeting.model import Subject
from targeting.records.preference import Choice, Source
from targeting.records.stored_records import StoredRecords
from targeting.signals.cookies import NO_COOKIES
from tests.server.choices.sightings import (
    ALICE,
    OUT_BY_GPC,
    PHONE,
    all_stored,
    choice,
    request,
    sticky,
    stored,
)
from tests.server.store.fake_store import FakeStore
from tests.waiting import eventually


def test_what_cannot_be_stored_yet_is_tried_again() -> None:
    store = FakeStore()
    store.down = True
    signals = sticky(store, retry_after_s=0.005)
    signals.start()
    signals.enqueue(request(), NO_COOKIES)
    time.sleep(0.05)
    assert stored_nothing(store)
    eventually(lambda: choice(store, ALICE) == choice(store, PHONE) == OUT_BY_GPC)
    signals.close()


def stored_nothing(store: FakeStore) -> bool:
    store.down = False
    return stored(store, ALICE) is None


def test_a_store_that_stays_down_does_not_keep_the_service_from_ending() -> None:
    store = FakeStore()
    store.down = True
    all_stored(store, request())


class Slow(FakeStore):
    """Every write takes a while, and counts."""

    def __init__(self) -> None:
        super().__init__()
        self.writes = 0

    def commit(self, changes: Sequence[RecordChange], budget_s: float) -> list[Committed]:
        self.writes += 1
        time.sleep(0.05)
        return super().commit(changes, budget_s)


def test_many_signals_in_a_slow_store_do_not_keep_the_service_from_ending() -> None:
    store = Slow()
    signals = sticky(store)
    for number in range(200):
        signals.enqueue(request(account_id=f"account-{number}", device_id=""), NO_COOKIES)
    signals.start()
    signals.close(within_s=0.2)
    assert 0 < store.writes < 100


def test_a_spoilt_signal_is_not_the_fault_of_those_after_it(caplog: pytest.LogCaptureFixture) -> None:
    class OfAFault(FakeStore):
        def read(self, subjects: Sequence[Subject], budget_s: float) -> list[StoredRecords]:
            if ALICE in subjects:
                raise LookupError("a fault")
            return super().read(subjects, budget_s)

    store = OfAFault()
    signals = all_stored(store, request())
    assert choice(store, PHONE) == (Choice.OPT_OUT, Source.GPC)
    errors = {"operation": "sticky", "kind": "internal"}
    assert signals._metrics.registry.get_sample_value("adtargeting_store_errors_total", errors) == 1
    assert "LookupError" in caplog.text


class Unresting(FakeStore):
    """Another writer is always faster."""

    def commit(self, changes: Sequence[RecordChange], budget_s: float) -> list[Committed]:
        return [Committed(landed=False) for _ in changes]


def test_a_subject_that_never_rests_is_tried_again_later() -> None:
    signals = all_stored(Unresting(), request())
    errors = signals._metrics.registry.get_sample_value(
        "adtargeting_store_errors_total", {"operation": "sticky", "kind": "unavailable"}
    )
    assert errors == 2


def test_a_queue_that_is_full_takes_no_more_and_forgets_who_did_not_fit() -> None:
    store = FakeStore()
    signals = sticky(store, capacity=1)
    signals.enqueue(request(), NO_COOKIES)
    signals.start()
    eventually(lambda: choice(store, ALICE))
    signals.enqueue(request(), NO_COOKIES)
    eventually(lambda: choice(store, PHONE))
    signals.close()
