"""Signals of devices that nothing is known of: kept for a time, and limited in number."""

import time
from collections.abc import Sequence
from dataclasses import replace

from server.store.ports import Committed, RecordChange
from targeting.model import Subject, SubjectKind
from targeting.policy.policy import DEFAULT_POLICY, SignalPolicy
from targeting.records.preference import Preference, encode_preference
from tests.server.choices.sightings import (
    ALICE,
    OUT_BY_GPC,
    PHONE,
    all_stored,
    choice,
    request,
    stored,
)
from tests.server.store.fake_store import PSEUDONYMS, FakeStore


def test_an_invented_device_is_kept_for_a_while_and_an_account_for_good() -> None:
    store = FakeStore()
    all_stored(store, request())
    phone, alice = stored(store, PHONE), stored(store, ALICE)
    assert phone is not None
    assert alice is not None
    assert 399 < (phone.expires_s - time.time()) / 86_400 <= 400
    assert alice.expires_s == 0
    store.now_s += 401 * 86_400
    assert [stored(store, PHONE), stored(store, ALICE)] == [None, alice]


def test_a_caller_that_invents_devices_has_some_stored_and_the_rest_counted() -> None:
    store = FakeStore()
    policy = replace(DEFAULT_POLICY, signals=SignalPolicy(new_devices_per_second=3))
    devices = [Subject(SubjectKind.DEVICE, f"invented-{number}") for number in range(40)]
    signals = all_stored(store, *(request(account_id="", device_id=each.id) for each in devices), policy=policy)
    kept = sum(stored(store, each) is not None for each in devices)
    dropped = signals._metrics.registry.get_sample_value("adtargeting_sticky_dropped_total")
    assert dropped is not None
    assert kept >= 3
    assert dropped > 0
    assert kept + dropped == 40


def test_accounts_and_known_devices_are_stored_beyond_that() -> None:
    store = FakeStore()
    policy = replace(DEFAULT_POLICY, signals=SignalPolicy(new_devices_per_second=0))
    store.put(PHONE, preference=encode_preference(Preference(), PSEUDONYMS.owner(PHONE)))
    all_stored(store, request(), policy=policy)
    assert [choice(store, PHONE), choice(store, ALICE)] == [OUT_BY_GPC] * 2


def test_a_device_counts_once_however_often_storing_it_is_tried() -> None:
    class Overtaken(FakeStore):
        """Another writer is faster, twice."""

        times = 2

        def commit(self, changes: Sequence[RecordChange], budget_s: float) -> list[Committed]:
            self.times -= 1
            return [Committed(landed=False)] if self.times >= 0 else super().commit(changes, budget_s)

    store = Overtaken()
    policy = replace(DEFAULT_POLICY, signals=SignalPolicy(new_devices_per_second=1))
    signals = all_stored(store, request(account_id=""), policy=policy)
    assert choice(store, PHONE) == OUT_BY_GPC
    assert not signals._metrics.registry.get_sample_value("adtargeting_sticky_dropped_total")
