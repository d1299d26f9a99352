"""The queue of signals: how much it holds, how soon a subject comes up again, and what ends it."""

import threading
import time
from collections.abc import Sequence

import pytest

from server.choices.signal_opt_outs import SignalOptOuts
from server.store.ports import Committed, RecordChange
from targeting.model import Subject
from targeting.records.stored_records import StoredRecords
from targeting.signals.cookies import NO_COOKIES
from tests.server.choices.noted_event import NotedEvent
from tests.server.choices.sightings import ALICE, OUT_BY_GPC, PHONE, all_stored, choice, request, sticky, stored
from tests.server.store.fake_store import FakeStore
from tests.waiting import eventually

AN_HOUR_S = 3_600.0


def see(signals: SignalOptOuts, *accounts: str) -> None:
    """Let each account show its signal, and empty the queue."""
    for account in accounts:
        signals.enqueue(request(account_id=account, device_id=""), NO_COOKIES)
        while not signals._queue.empty():
            signals._queue.get_nowait()


def test_a_subject_comes_up_again_when_its_minute_is_over_and_not_before(monkeypatch: pytest.MonkeyPatch) -> None:
    signals, queued = sticky(FakeStore()), []
    for now_s in (1_000.0, 1_059.9, 1_060.0):
        monkeypatch.setattr(time, "monotonic", lambda now_s=now_s: now_s)
        signals.enqueue(request(device_id=""), NO_COOKIES)
        queued.append(signals._queue.qsize())
    assert queued == [1, 1, 2]


def test_what_is_remembered_of_subjects_is_bounded() -> None:
    signals = sticky(FakeStore(), capacity=2)
    see(signals, "a", "b", "a", "b")
    assert [len(signals._enqueued_s), len(signals._postponed)] == [2, 2]
    see(signals, "c", "c")
    assert [len(signals._enqueued_s), len(signals._postponed)] == [1, 2]


def test_ten_thousand_signals_wait_and_one_more_is_counted_as_lost() -> None:
    signals = sticky(FakeStore())
    for number in range(10_001):
        signals.enqueue(request(account_id=f"account {number}", device_id=""), NO_COOKIES)
    lost = signals._metrics.registry.get_sample_value(
        "adtargeting_store_errors_total", {"operation": "sticky", "kind": "full"}
    )
    assert (signals._queue.qsize(), lost) == (10_000, 1)


def test_what_was_put_off_is_queued_at_once_when_the_service_ends() -> None:
    signals = sticky(FakeStore())
    see(signals, "a", "a")
    signals._put_postponed()
    assert len(signals._postponed) == 1
    signals._stopping.set()
    signals._put_postponed()
    assert not signals._postponed
    assert signals._queue.qsize() == 1


def test_a_stored_signal_has_the_millisecond_in_which_it_was_seen() -> None:
    store = FakeStore()
    all_stored(store, request(), choices={"now": lambda: 1_780_000_000.123})
    kept = stored(store, ALICE)
    assert kept is not None
    assert kept.changed_at_ms == 1_780_000_000_123


@pytest.mark.parametrize("problem", ["a record that cannot be read", "a fault"])
def test_what_can_never_be_stored_does_not_hold_up_what_comes_after_it(problem: str) -> None:
    class Faulty(FakeStore):
        def read(self, subjects: Sequence[Subject], budget_s: float) -> list[StoredRecords]:
            if ALICE in subjects and problem == "a fault":
                raise LookupError("a fault")
            return super().read(subjects, budget_s)

    store = Faulty()
    store.spoil(ALICE, "preference")
    signals = sticky(store, retry_after_s=AN_HOUR_S)
    signals.start()
    signals.enqueue(request(), NO_COOKIES)
    eventually(lambda: choice(store, PHONE) == OUT_BY_GPC)
    signals.close()


def test_after_a_failure_of_the_store_it_rests_for_a_second() -> None:
    store = FakeStore()
    store.down = True
    signals = sticky(store)
    signals._stopping = stopping = NotedEvent()
    signals.start()
    signals.enqueue(request(), NO_COOKIES)
    eventually(lambda: stopping.waited_s is not None)
    signals.close()
    assert stopping.waited_s == 1.0


def test_at_the_end_it_goes_on_for_two_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "monotonic", lambda: 1_000.0)
    signals = sticky(FakeStore())
    signals.start()
    signals.close()
    assert signals._ends_s == 1_002.0


@pytest.mark.parametrize(("replicas", "durability"), [(0, "confirmed"), (1, "unconfirmed")])
def test_each_stored_signal_is_counted_with_its_durability(replicas: int, durability: str) -> None:
    class OnDisk(FakeStore):
        def commit(self, changes: Sequence[RecordChange], budget_s: float) -> list[Committed]:
            return [each._replace(on_disk=True) for each in super().commit(changes, budget_s)]

    signals = all_stored(OnDisk(), request(), choices={"replicas": replicas})
    labels = {"choice": "opt_out", "source": "gpc", "durability": durability}
    assert signals._metrics.registry.get_sample_value("adtargeting_preference_changes_total", labels) == 2


def test_its_thread_can_be_told_from_others_and_ends_without_an_error(caplog: pytest.LogCaptureFixture) -> None:
    signals = sticky(FakeStore())
    before = set(threading.enumerate())
    signals.start()
    # Services of other tests may run in this process.
    (own,) = (each for each in set(threading.enumerate()) - before if each.name == "signal-opt-outs")
    assert own.daemon, "a service that fails to close it must still end"
    signals.close()
    assert not own.is_alive()
    assert not [record for record in caplog.records if record.thread == own.ident]
